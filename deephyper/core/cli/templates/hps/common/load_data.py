"""Data for the regression: y = -(x_1^2 + ... + x_n^2) for random x."""

import numpy as np

DIMENSIONS = 10
LOW, HIGH = -1.0, 1.0


def load_data(n_train=8000, n_valid=2000, seed=42):
    """Return ``(train_X, train_y), (valid_X, valid_y)``, the same for the same seed."""
    random = np.random.default_rng(seed)
    X = random.uniform(LOW, HIGH, size=(n_train + n_valid, DIMENSIONS))
    y = -np.sum(X**2, axis=1, keepdims=True)
    return (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])


def main():
    (train_X, train_y), (valid_X, valid_y) = load_data()
    print(f"train_X shape: {train_X.shape}")
    print(f"train_y shape: {train_y.shape}")
    print(f"valid_X shape: {valid_X.shape}")
    print(f"valid_y shape: {valid_y.shape}")


if __name__ == "__main__":
    main()
