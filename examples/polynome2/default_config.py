"""Train the default point: the baseline that a search has to beat."""

from problem import Problem
from training_curve import train_and_plot

if __name__ == "__main__":
    train_and_plot(Problem.starting_points[0], "default_val_r2.png")
