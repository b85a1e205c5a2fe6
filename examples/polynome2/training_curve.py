"""Train one point, print its objective, save how its R2 went."""

import matplotlib

matplotlib.use("Agg")  # a file, no window

import matplotlib.pyplot as plt
from model_run import train


def train_and_plot(point, path):
    """Train ``point``, print the objective that ``run`` returns, save the curve to ``path``."""
    history = train(point)
    print("objective:", float(max(history["val_r2"])))
    epochs = range(1, len(history["r2"]) + 1)
    plt.figure(figsize=(6, 4))
    plt.plot(epochs, history["r2"], label="training")
    plt.plot(epochs, history["val_r2"], label="validation")
    plt.xlabel("epoch")
    plt.ylabel("R2")
    plt.legend()
    plt.tight_layout()
    plt.savefig(path, dpi=120)
    plt.close()
