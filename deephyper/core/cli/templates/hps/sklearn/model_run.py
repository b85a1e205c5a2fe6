"""The function to maximize: train a small network, return its validation R2."""

from sklearn.neural_network import MLPRegressor

if __package__:  # imported as a part of a package
    from .load_data import load_data
else:  # run as a script, or loaded from its path
    from load_data import load_data


def build_model(point):
    """Return a perceptron with one hidden layer."""
    activation = "logistic" if point["activation"] == "sigmoid" else point["activation"]
    return MLPRegressor(
        hidden_layer_sizes=(point["units"],),
        activation=activation,
        learning_rate_init=point["lr"],
        batch_size=256,
        random_state=42,  # the same point gives the same objective
    )


def train(point, epochs=40, patience=5):
    """Train the model of a point; return a list with the validation R2 of each epoch."""
    (train_X, train_y), (valid_X, valid_y) = load_data()
    model = build_model(point)
    history = []
    best, best_epoch = float("-inf"), 0
    for epoch in range(epochs):
        model.partial_fit(train_X, train_y.ravel())
        r2 = model.score(valid_X, valid_y)
        history.append(r2)
        if r2 > best + 0.001:
            best, best_epoch = r2, epoch
        elif epoch - best_epoch >= patience:
            break  # it no longer improves
    return history


def run(point):
    """Return the objective of a point: the best validation R2 of its training."""
    return float(max(train(point)))


if __name__ == "__main__":
    point = {"activation": "identity", "lr": 0.01, "units": 10}
    print("objective:", run(point))
