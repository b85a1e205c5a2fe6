"""The function to maximize: train a small network, return its validation R2."""

import torch
from torch import nn

if __package__:  # imported as a part of a package
    from .load_data import load_data
else:  # run as a script, or loaded from its path
    from load_data import load_data

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def build_model(point, n_inputs):
    """Return a perceptron with one hidden layer."""
    return nn.Sequential(
        nn.Linear(n_inputs, point["units"]),
        ACTIVATIONS[point["activation"]](),
        nn.Linear(point["units"], 1),
    ).to(DEVICE)


def r2_score(model, X, y):
    """Return the coefficient of determination: 1 is perfect, 0 no better than the mean."""
    with torch.no_grad():
        residual = ((y - model(X)) ** 2).sum()
    return 1.0 - (residual / ((y - y.mean()) ** 2).sum()).item()


def train(point, epochs=40, patience=5, batch_size=256):
    """Train the model of a point; return a list with the validation R2 of each epoch."""
    torch.manual_seed(42)  # the same point gives the same objective
    (train_X, train_y), (valid_X, valid_y) = (
        [torch.as_tensor(array, dtype=torch.float32, device=DEVICE) for array in pair]
        for pair in load_data()
    )
    model = build_model(point, n_inputs=train_X.shape[1])
    optimizer = torch.optim.RMSprop(model.parameters(), lr=point["lr"])
    history = []
    best, best_epoch = float("-inf"), 0
    for epoch in range(epochs):
        for batch in torch.randperm(len(train_X), device=DEVICE).split(batch_size):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(train_X[batch]), train_y[batch]).backward()
            optimizer.step()
        r2 = r2_score(model, valid_X, valid_y)
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
