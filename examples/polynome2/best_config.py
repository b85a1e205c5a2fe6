"""Train the best point of a search.

    python best_config.py [best.json]

``best.json`` is what ``deephyper-analytics topk results.csv --points -o best.json`` saves.
"""

import json
import sys

from training_curve import train_and_plot

BEST = {"activation": "relu", "lr": 0.0015, "units": 100}  # of 50 evaluations

if __name__ == "__main__":
    point = BEST
    if len(sys.argv) > 1:
        with open(sys.argv[1]) as file:
            point = json.load(file)["0"]
    train_and_plot(point, "best_val_r2.png")
