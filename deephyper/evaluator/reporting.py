"""Reports of a running evaluation: how far it is, and how good by then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
    reports = _CURRENT.get()
    step = whole("step", step, 0 if reports is None else reports.step)
    number = _number("the objective", objective)
    further = {str(name): _number(f"'{name}'", value) for name, value in (metrics or {}).items()}
    if reports is not None:
        reports.take(step, number, further)


class Reports:
    """The reports of one evaluation, which runs in this context.

    Args:
        send: takes each of them; None drops them.
        process: id of this process.
    """

    __slots__ = ("_process", "_send", "_token", "step")

    def __init__(self, send: Send | None, process: int) -> None:
        self.step = 0
        self._send = send
        self._process = process

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self)

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)
        self._send = None  # threads that run has left behind may still report

    def take(self, step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
        """Hand over a report, unless it comes from a child that ``run`` has forked."""
        self.step = step
        if self._send is not None and os.getpid() == self._process:
            self._send(step, objective, metrics)


_CURRENT: ContextVar[Reports | None] = ContextVar("deephyper_reports", default=None)


def _number(name: str, value: float) -> Objective:
    number = read_objective(value)
    if isinstance(number, Failure):
        raise ValueError(f"{name} that was reported can't be used: it is {value!r}")
    return number
