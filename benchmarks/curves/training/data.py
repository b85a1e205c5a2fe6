"""The data of the trainings: what is bundled with scikit-learn and with Python."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import numpy as np

from benchmarks.curves.training.dense import Split
from benchmarks.curves.training.stack import Array


@cache
def digits(train: int, validation: int) -> Split:
    """Images of handwritten digits, (examples, 64), between 0 and 1."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _split(x / 16.0, y, train, validation)


@cache
def digit_images(train: int, validation: int, wrong: float = 0.0) -> Split:
    """The same as (examples, 8, 8), centered; a share of the training labels is wrong."""
    split = digits(train, validation)
    rng = np.random.default_rng(1)
    y = split.y.copy()
    rows = rng.permutation(train)[: int(wrong * train)]
    y[rows] = (y[rows] + rng.integers(1, 10, len(rows))) % 10
    x, x_val = (part.reshape(-1, 8, 8) - np.float32(0.3) for part in (split.x, split.x_val))
    return Split(x, y, x_val, split.y_val)


@cache
def cancer() -> Split:
    """Breast cancer, 30 features."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _split(x, y, 340, 229)


@cache
def diabetes() -> Split:
    """Progression of diabetes from 10 features, all of them standardized."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return _split(x, (y - y.mean()) / y.std(), 262, 180)


@cache
def characters(context: int, train: int, validation: int) -> Split:
    """The documentation of Python's statements: lower-case letters, space, and four others."""
    text = re.sub(r"[^a-z.,()]+", " ", _topics())
    known = {character: i for i, character in enumerate(sorted(set(text)))}
    return _following(np.array([known[c] for c in text]), context, train, validation)


@cache
def words(context: int, train: int, validation: int) -> Split:
    """The words of the same; all but the most frequent ones are a single token."""
    text = re.findall(r"[a-z]+|[.,()]", _topics())
    frequent = [word for word, _ in Counter(text).most_common(119)]
    known = {word: i for i, word in enumerate(frequent)}
    return _following(
        np.array([known.get(word, len(known)) for word in text]), context, train, validation
    )


def _topics() -> str:
    from pydoc_data.topics import topics

    return " ".join(topics[name] for name in sorted(topics)).lower()


def _following(tokens: Array, context: int, train: int, validation: int) -> Split:
    """The last fifth of a text is for validation."""
    windows = np.lib.stride_tricks.sliding_window_view(tokens, context + 1)
    border = len(windows) * 4 // 5
    rng = np.random.default_rng(0)
    first = windows[:border][rng.permutation(border)[:train]]
    second = windows[border + context :]
    second = second[rng.permutation(len(second))[:validation]]
    return Split(first[:, :-1], first[:, -1], second[:, :-1], second[:, -1])


def _split(x: Any, y: Any, train: int, validation: int) -> Split:
    rows = np.random.default_rng(0).permutation(len(x))
    first, second = rows[:train], rows[train : train + validation]
    x = x.astype(np.float32)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y.astype(np.int64)
    return Split(x[first], y[first], x[second], y[second])
