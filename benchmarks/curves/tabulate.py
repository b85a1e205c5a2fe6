"""Make the table of a task: python -m benchmarks.curves tabulate TASK

Takes 2 to 8 minutes on one core. What is trained is appended to a file beside the table, so that it
can be stopped and continued; when all is there, the table is made.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.curves.space import Point
from benchmarks.curves.task import Array, Task
from benchmarks.curves.training import data
from benchmarks.curves.training.boosting import boost
from benchmarks.curves.training.convolution import Convolutional
from benchmarks.curves.training.dense import LanguageModel, Perceptron
from benchmarks.curves.training.stack import Model, train

_TOGETHER = 64
"""Networks that are trained together."""


def tabulate(task: Task, most: float = float("inf")) -> bool:
    """Train what is missing; return whether the table is complete.

    Args:
        task: whose table is made.
        most: seconds after which no further training begins.
    """
    points = list(task.space.points())
    part = task.path.with_suffix(".jsonl")
    part.parent.mkdir(exist_ok=True)
    curves = np.full((len(points), task.steps), np.nan)
    seconds = np.full(len(points), np.nan)
    for row in _trained_before(part):
        curves[row["rows"]] = np.array(row["curves"], dtype=float)
        seconds[row["rows"]] = row["seconds"]
    end = time.monotonic() + most
    with part.open("a") as file:
        for number, rows in enumerate(_parts(task, points)):
            if np.isfinite(seconds[rows]).all():
                continue
            if time.monotonic() > end:
                return False
            seed = zlib.crc32(f"{task.name}/{number}".encode())
            with np.errstate(all="ignore"):
                made, taken = _trained(task, [points[row] for row in rows], seed)
            made = np.where(np.isfinite(made), made, task.floor)
            curves[rows], seconds[rows] = made, taken
            made_now = {
                "rows": rows,
                "curves": [[round(value, 5) for value in curve] for curve in made.tolist()],
                "seconds": [float(f"{value:.4g}") for value in taken],
            }
            file.write(json.dumps(made_now) + "\n")
            file.flush()
    task.save(curves, _typical(task, points, seconds))
    part.unlink()
    return True


def _trained_before(part: Path) -> list[dict[str, Any]]:
    """Return what is in a file, and cut off a last line that was not written to its end."""
    if not part.exists():
        return []
    text = part.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        part.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def _parts(task: Task, points: Sequence[Point]) -> list[list[int]]:
    """Return the rows that are trained together: of one structure, otherwise at random."""
    rows = np.random.default_rng(0).permutation(len(points))
    groups: dict[tuple[object, ...], list[int]] = {}
    for row in rows.tolist():
        structure = tuple(points[row].get(name) for name in task.stacked)
        groups.setdefault(structure, []).append(row)
    return [
        group[start : start + _TOGETHER]
        for group in groups.values()
        for start in range(0, len(group), _TOGETHER)
    ]


def _typical(task: Task, points: Sequence[Point], seconds: Array) -> Array:
    """Return the median time of a structure for each point of it, where there are structures."""
    if not task.stacked:
        return seconds
    keys = [tuple(point.get(name) for name in task.stacked) for point in points]
    known: dict[tuple[object, ...], list[float]] = {}
    for key, value in zip(keys, seconds, strict=True):
        known.setdefault(key, []).append(value)
    return np.array([np.median(known[key]) for key in keys])


def _trained(task: Task, points: Sequence[Point], seed: int) -> tuple[Array, Array]:
    """Return curves, (points, steps), and the seconds of a step of each."""
    if task.name.startswith("boosting"):
        split = data.cancer() if task.name == "boosting-cancer" else data.diabetes()
        return boost(split, points, task.steps, task.metric, seed % 2**31)
    began = time.perf_counter()
    model, examples = _model(task, points[0])
    made = train(model, points, task.steps, examples, np.random.default_rng(seed))
    taken = (time.perf_counter() - began) / (len(points) * task.steps)
    return made, np.full(len(points), taken)


def _model(task: Task, point: Point) -> tuple[Model, int]:
    """Return the model of a structure, and the training examples in a step."""
    model: Model
    if task.name == "perceptron-digits":
        model = Perceptron(data.digits(400, 600), point, task.metric)
    elif task.name == "perceptron-diabetes":
        model = Perceptron(data.diabetes(), point, task.metric)
    elif task.name == "convolution-digits":
        model = Convolutional(data.digit_images(320, 600), point, task.metric)
    elif task.name == "convolution-noisy":
        model = Convolutional(data.digit_images(320, 600, wrong=0.25), point, task.metric)
    elif task.name == "language-characters":
        return LanguageModel(data.characters(4, 60_000, 800), point), 1024
    else:
        return LanguageModel(data.words(3, 30_000, 800), point), 1024
    return model, model.size
