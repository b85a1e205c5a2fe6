"""Reports of a running evaluation: how far it is, and how good by then."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar

from deephyper.checks import whole
from deephyper.objective import Failure, Objective, read_objective

Send = Callable[[int, Objective, Mapping[str, float]], None]
"""Takes step, objective and metrics."""


def report(step: int, objective: float, metrics: Mapping[str, float] | None = None) -> None:
    """Report how a running evaluation is doing, from the thread that calls ``run``.

    Outside an evaluation, as when the file of ``run`` is started by hand, it has no effect.

    Args:
        step: how far it is, in units of its own (epochs, say); never less than before.
        objective: the objective at that step, to be maximized.
        metrics: further numbers by name.

    Raises:
        SettingsError: if ``step`` isn't a whole number, or is less than before.
        ValueError: if ``objective`` or a metric isn't a finite number.
    """
    current = _CURRENT.get()
    step = whole("step", step, 0 if current is None else current.step)
    number = _number("the objective", objective)
    further = {str(name): _number(f"'{name}'", value) for name, value in (metrics or {}).items()}
    # A child that run has forked is not the evaluation.
    if current is not None and os.getpid() == current.process:
        current.step = step
        current.send(step, number, further)


@contextlib.contextmanager
def sent_to(send: Send | None) -> Iterator[None]:
    """Hand over what is reported in this context; None drops it."""
    token = _CURRENT.set(None if send is None else _Current(send))
    try:
        yield
    finally:
        _CURRENT.reset(token)


class _Current:
    """The evaluation that is running."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.process = os.getpid()
        self.step = 0


_CURRENT: ContextVar[_Current | None] = ContextVar("deephyper_evaluation", default=None)


def _number(name: str, value: float) -> Objective:
    number = read_objective(value)
    if isinstance(number, Failure):
        raise ValueError(f"{name} that was reported can't be used: it is {value!r}")
    return number
