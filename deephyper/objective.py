"""The worth of an evaluation: an objective, or a failure.

The one place that reads, formats and compares objectives. An objective has the user's own sign
everywhere but in an optimizer, which maximizes; see :mod:`deephyper.optimizer.minimized`.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Objective = float
"""A finite number."""

Direction = Literal["maximize", "minimize"]
"""Which objectives are better: the larger or the smaller ones."""

FailureKind = Literal[
    "exception",
    "reported",
    "none",
    "not_a_number",
    "nan",
    "infinite",
    "timeout",
    "worker_died",
    "node_died",
    "out_of_memory",
    "stopped",
]
"""exception: ``run`` raised; reported: it returned ``"F_reason"``; none, not_a_number, nan,
infinite: what it returned is not a finite number; timeout: it exceeded its time limit; worker_died:
its process ended by a signal or by ``os._exit``; node_died: the machine that it ran on is gone;
out_of_memory: as the name says; stopped: its user has ended it while the search ran."""

MACHINE_FAULTS: frozenset[FailureKind] = frozenset({"worker_died", "node_died"})
"""Kinds that may be the machine's fault rather than the code's, and so are worth a retry."""

FAILURE_PREFIX = "F_"
"""The beginning of what ``run`` returns for a failure; the reason follows."""

OBJECTIVE_KEY, METRICS_KEY = "objective", "metrics"
"""The keys of a dictionary that ``run`` returns."""

_LONGEST_MESSAGE = 500
"""Characters of a failure's message that are kept."""

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """The reason why an evaluation has no objective.

    Attributes:
        kind: see :data:`FailureKind`.
        message: one line.
        text: the traceback, or the last lines of the evaluation's output; may be empty.
    """

    kind: FailureKind
    message: str
    text: str = ""


@dataclass(frozen=True)
class Result:
    """Everything that ``run`` returned.

    Attributes:
        value: the objective, or why there is none.
        metrics: further numbers by name.
        pruned: whether the evaluation was ended early and knew it; then its last report counts.
    """

    value: Objective | Failure
    metrics: Mapping[str, float] = field(default_factory=dict)
    pruned: bool = False


def read_result(value: Any) -> Result:
    """Read what ``run`` returned: an objective, or a dictionary that holds one and metrics.

    A dictionary has the objective under ``"objective"``, and metrics under ``"metrics"``, or beside
    the objective under names of their own. A metric that isn't finite is left out; any other that
    isn't a number makes the evaluation a failure. Never raises anything.
    """
    if type(value) is float:
        return Result(read_objective(value))
    try:
        if not (isinstance(value, Mapping) and OBJECTIVE_KEY in value):
            return Result(read_objective(value))
        others = {name: each for name, each in value.items() if name != OBJECTIVE_KEY}
        metrics = others.pop(METRICS_KEY, None)
        if isinstance(metrics, Mapping):
            others |= metrics
        elif metrics is not None:
            what = (
                f"run returned '{METRICS_KEY}' of type {type(metrics).__name__}, not a dictionary"
            )
            return Result(Failure("not_a_number", what))
        read = {name: read_objective(each) for name, each in others.items()}
        objective = read_objective(value[OBJECTIVE_KEY])
    except BaseException as error:  # of user code, whatever it raises
        return Result(Failure("not_a_number", f"the result can't be read: {one_line(error)}"))
    found: dict[str, float] = {}
    for name, number in read.items():
        if not isinstance(name, str):
            return Result(Failure("not_a_number", f"the name of a metric is {name!r}, not a text"))
        if not isinstance(number, Failure):
            found[name] = number
        elif number.kind not in ("nan", "infinite"):
            what = number.message.replace("run returned", f"the metric '{name}' is", 1)
            return Result(Failure("not_a_number", what))
    return Result(objective, found)


def read_objective(value: Any) -> Objective | Failure:
    """Read what ``run`` returned: an objective, or why it isn't one. Never raises anything.

    Numbers, and scalars of numpy, TensorFlow and PyTorch count; ``"F_reason"`` reports a failure.
    """
    if type(value) is float and math.isfinite(value):
        return value
    try:
        return _read(value)
    except BaseException as error:  # SystemExit from a method of the value, too
        return Failure("not_a_number", f"the result can't be read: {one_line(error)}")


def observation_to_json(observed: Objective | Failure) -> float | str:
    """Return what an evaluation came to as JSON holds it: a number, or ``"F_reason"``."""
    if isinstance(observed, Failure):
        return f"{FAILURE_PREFIX}{observed.message}"
    return observed


def observation_from_json(value: float | str) -> Objective | Failure:
    """Return what :func:`observation_to_json` wrote."""
    if isinstance(value, str):
        return Failure("reported", value.removeprefix(FAILURE_PREFIX))
    return value


def objective_to_cell(objective: Objective | None) -> str:
    """Return an objective as results.csv holds it: all its digits; empty for none."""
    return "" if objective is None else repr(objective)


def objective_from_cell(value: Any) -> Objective | None:
    """Return the objective that the value of a cell stands for; None if it isn't one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond the range of a float
        return None


def format_objective(objective: Objective | None) -> str:
    """Return an objective for people: six digits; empty for none."""
    return "" if objective is None else f"{objective:.6g}"


def is_better(one: Objective, other: Objective | None, direction: Direction) -> bool:
    """Return whether one objective is better than another, or there is no other."""
    if other is None:
        return True
    return one < other if direction == "minimize" else one > other


def best_of(
    items: Iterable[T], objective: Callable[[T], Objective | None], direction: Direction
) -> T | None:
    """Return the item with the best objective, the first of equals; None if none has one."""
    best: T | None = None
    best_objective: Objective | None = None
    for item in items:
        value = objective(item)
        if value is not None and is_better(value, best_objective, direction):
            best, best_objective = item, value
    return best


def best_few(
    n: int,
    items: Iterable[T],
    objective: Callable[[T], Objective | None],
    direction: Direction,
) -> list[T]:
    """Return the n items with the best objectives, best first; equals stay in their order."""
    scored = ((value, item) for item in items if (value := objective(item)) is not None)
    select = heapq.nsmallest if direction == "minimize" else heapq.nlargest
    return [item for _, item in select(n, scored, key=lambda pair: pair[0])]


def one_line(error: BaseException) -> str:
    """Return an exception as one line of bounded length, whatever its own methods do."""
    try:
        text = "".join(traceback.format_exception_only(error))
    except BaseException:
        text = f"{type(error).__name__}, which can't be shown"
    return " ".join(text.split())[:_LONGEST_MESSAGE]


def _read(value: Any) -> Objective | Failure:
    if value is None:
        return Failure("none", "run returned None; return the objective to maximize")
    if isinstance(value, str):
        if value == "F" or value.startswith(FAILURE_PREFIX):
            reason = " ".join(value[len(FAILURE_PREFIX) :].split())[:_LONGEST_MESSAGE]
            return Failure("reported", reason or "run reported a failure")
        what = f"run returned the text {value[:80]!r}, not a number{_hint(value)}"
        return Failure("not_a_number", what)
    if not isinstance(value, (int, float)):
        if _is_masked(value):
            return Failure("nan", "run returned a masked value of numpy, which has no number")
        given = value
        try:
            value = value.item() if hasattr(value, "item") else value
            value = value.numpy() if hasattr(value, "numpy") else value
            if isinstance(value, (str, bytes, bytearray)):
                raise TypeError("a text")  # which float would read
            value = float(value)
        except BaseException:  # of user code, whatever it raises
            kind = type(given).__name__
            what = f"run returned something of type {kind}, not a number{_hint(given)}"
            return Failure("not_a_number", what)
    try:
        number = float(value)
    except OverflowError:
        return Failure("infinite", "run returned a number too large for a float")
    if math.isnan(number):
        return Failure("nan", "run returned NaN")
    if math.isinf(number):
        return Failure("infinite", f"run returned {number}")
    return number


def _is_masked(value: Any) -> bool:
    """Return whether a value is one of numpy's that are masked, whose ``item()`` is 0.0."""
    if not type(value).__module__.startswith("numpy.ma"):
        return False
    import numpy as np

    return bool(np.ma.is_masked(value))


def _hint(value: Any) -> str:
    """Return the end of a message: how ``run`` would return the number that is meant."""
    if isinstance(value, str):
        return "; return the number itself, without quotes" if _is_number(value) else ""
    if isinstance(value, Awaitable):
        if isinstance(value, Coroutine):
            value.close()  # so that nothing warns that it was never awaited
        return (
            "; run is an async function: call it with asyncio.run in a function without async, "
            "and name that one"
        )
    if isinstance(value, Mapping):
        return (
            "; return the one of its values that is to be maximized, alone or under the key "
            f"'{OBJECTIVE_KEY}'"
        )
    if isinstance(value, (list, tuple, set, frozenset)):
        return "; return one number, the objective to maximize"
    if isinstance(value, Iterator):
        return "; return a number instead of yielding it"
    if callable(value):
        return "; call it, and return what it returns"
    shape = getattr(value, "shape", None)
    return f" (its shape is {shape}); return one number" if isinstance(shape, tuple) else ""


def _is_number(text: str) -> bool:
    for decimal_point in (text, text.strip().rstrip("%"), text.replace(",", ".")):
        with contextlib.suppress(ValueError):
            float(decimal_point)
            return True
    return False
