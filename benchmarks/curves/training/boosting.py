"""Gradient boosting, whose curve comes from a single fit."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.curves.training.dense import Split
from benchmarks.curves.training.stack import Array, Point


def boost(
    split: Split, points: Sequence[Point], steps: int, metric: str, seed: int
) -> tuple[Array, Array]:
    """Fit each point; return the validation metrics, (points, steps), and the seconds of a step.

    Args:
        split: training and validation data.
        points: settings of scikit-learn's estimator.
        steps: trees.
        metric: "r2", or "likelihood" for two classes.
        seed: of the first point.
    """
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    kind = GradientBoostingRegressor if metric == "r2" else GradientBoostingClassifier
    curves, seconds = np.empty((len(points), steps)), np.empty(len(points))
    y = split.y_val
    for i, point in enumerate(points):
        began = time.perf_counter()
        model = kind(n_estimators=steps, random_state=seed + i, **point).fit(split.x, split.y)
        seconds[i] = (time.perf_counter() - began) / steps
        if metric == "r2":
            staged = np.array(list(model.staged_predict(split.x_val)))
            curves[i] = 1.0 - np.square(staged - y).sum(axis=1) / np.square(y - y.mean()).sum()
        else:
            raw = np.array([each.ravel() for each in model.staged_decision_function(split.x_val)])
            if point["loss"] == "exponential":
                raw *= 2.0
            curves[i] = -np.logaddexp(0.0, np.where(y == 1, -raw, raw)).mean(axis=1)
    return curves, seconds
