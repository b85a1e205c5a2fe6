"""The running evaluation, as what ``run`` calls sees it: ``from deephyper import evaluation``.

Outside an evaluation, as when the file of ``run`` is started by hand, all of it works as well: a
directory and a seed are there, reports go nowhere, and nothing asks the code to end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn

from deephyper.checks import whole
from deephyper.errors import SettingsError
from deephyper.objective import Failure, Objective, read_objective

_MOST_STEPS = 10**15
Send = Callable[[int, Objective, Mapping[str, float]], None]
"""Takes step, objective and metrics."""


class EvaluationPruned(BaseException):
    """The search has ended the evaluation early.

    It is not an Exception, so that code that handles errors of a training lets it pass; what is to
    be closed belongs into a ``finally``.
    """


class CurrentEvaluation:
    """The evaluation that runs here.

    It is that of the thread which calls ``run``, and in a worker process of every other thread too.
    A process that ``run`` starts is outside.
    """

    @property
    def id(self) -> str | None:
        """Identifier of the evaluation in its search; None outside."""
        running = _running()
        return None if running is None else running.id

    @property
    def attempt(self) -> int:
        """1, and one more each time that the evaluation is tried again."""
        running = _running()
        return 1 if running is None else running.attempt

    @property
    def seed(self) -> int:
        """A seed for random numbers, from 0 to 2^32 - 1; the same at every attempt.

        It follows from the seed of the search and the id; 0 outside.
        """
        running = _running()
        return 0 if running is None else running.seed

    @property
    def worker(self) -> str | None:
        """Name of the worker, as in the results; None outside."""
        running = _running()
        return None if running is None else running.worker

    @property
    def gpus(self) -> list[str]:
        """The GPUs that the evaluation may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
        return [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]

    @property
    def directory(self) -> Path:
        """The evaluation's own directory, which is there from now on.

        It is the same at every attempt and on a resume, so that what an interrupted evaluation has
        left there can be continued. In a search that is kept in memory it lasts as long as the
        evaluation; outside it is the current directory.
        """
        running = _running()
        return Path.cwd() if running is None else running.own_directory()

    def report(self, objective: float, *, step: int | None = None, **metrics: float) -> None:
        """Report how the evaluation is doing.

        Args:
            objective: the objective as it is now.
            step: how far the evaluation is, in units of its own (epochs, say); never less than
                before. None for one more than before.
            metrics: further numbers by name.

        Raises:
            SettingsError: if ``step`` isn't a whole number up to 10^15, or is less than before.
            ValueError: if ``objective`` or a metric isn't a finite number.
            EvaluationPruned: if the search wants the evaluation to end.
        """
        report(objective, step, metrics)

    def should_stop(self) -> bool:
        """Return whether the search wants the evaluation to end, for a loop that would rather ask.

        What ``run`` returns then doesn't count: the last report does.
        """
        running = _running()
        return running is not None and running.should_stop()


evaluation = CurrentEvaluation()
"""The evaluation that this code is a part of; see :class:`CurrentEvaluation`."""


class Context:
    """An evaluation while ``run`` is called, as a context manager.

    Args:
        id: identifier.
        attempt: see :class:`~deephyper.job.Job`.
        seed: for random numbers.
        worker: name of the worker.
        directory: its own, which need not exist; None for one that lasts as long as it does.
        send: takes its reports; None drops them.
        stop_requested: says whether the search wants it to end.
        whole_process: whether this process evaluates nothing else meanwhile.

    Attributes:
        step: of the last report; -1 before.
        pruned: True once it knows that it is to end.
    """

    def __init__(
        self,
        id: str,
        attempt: int = 1,
        seed: int = 0,
        worker: str = "",
        directory: str | None = None,
        *,
        send: Send | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
        whole_process: bool = False,
    ) -> None:
        self.id = id
        self.attempt = attempt
        self.seed = seed
        self.worker = worker
        self.step = -1
        self.pruned = False
        self._directory = directory
        self._temporary: str | None = None
        self._send = send
        self._stop_requested = stop_requested
        self._whole_process = whole_process
        self._process = os.getpid()
        self._claimed: set[str] = set()

    def __enter__(self) -> None:
        global _process_wide
        self._token = _CURRENT.set(self)
        if self._whole_process:
            _process_wide = self

    def __exit__(self, *_: object) -> None:
        global _process_wide
        _CURRENT.reset(self._token)
        if self._whole_process:
            _process_wide = None
        self._send = None  # threads that run has left behind may still report
        if self._temporary is not None and self.is_here:
            shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def is_here(self) -> bool:
        """False in a child that ``run`` has forked."""
        return os.getpid() == self._process

    def own_directory(self) -> Path:
        """Return its own directory, made if need be."""
        if self._directory is not None:
            os.makedirs(self._directory, exist_ok=True)
            return Path(self._directory)
        if self._temporary is None:
            self._temporary = tempfile.mkdtemp(prefix="deephyper-evaluation-")
        os.makedirs(self._temporary, exist_ok=True)
        return Path(self._temporary)

    def claim_file(self, name: str) -> Path:
        """Return the path of a file in its own directory that one part of ``run`` has for itself.

        Raises:
            SettingsError: if another part has claimed it.
        """
        if name in self._claimed:
            raise SettingsError(
                f"two trainings of one evaluation would both have the file '{name}'; give each a "
                "name of its own: name='fold-2'"
            )
        self._claimed.add(name)
        return self.own_directory() / name

    def discard_claimed(self) -> None:
        """Remove the files that parts of ``run`` had for themselves to continue from.

        For an evaluation that has failed for good.
        """
        if self._directory is not None:  # the temporary one is gone
            for name in self._claimed:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._directory, name))

    def report(self, objective: float, step: int | None, metrics: Mapping[str, float]) -> None:
        """Hand over a report; see :meth:`CurrentEvaluation.report`."""
        step = self.step + 1 if step is None else whole("step", step, max(self.step, 0))
        whole("step", step, 0, _MOST_STEPS)
        number = _number("the objective", objective)
        further = {name: _number(f"'{name}'", value) for name, value in metrics.items()}
        self.step = step
        if self._send is not None:
            self._send(step, number, further)
            if self.should_stop():
                _end()

    def should_stop(self) -> bool:
        """Return whether the search wants the evaluation to end."""
        if not self.pruned and self._send is not None:
            self.pruned = self._stop_requested()
        return self.pruned


_CURRENT: ContextVar[Context | None] = ContextVar("deephyper_evaluation", default=None)
_process_wide: Context | None = None


def claim_file(name: str) -> Path | None:
    """Return the path of a file that one part of ``run`` has for itself; None outside.

    Raises:
        SettingsError: if another part of the running evaluation has claimed it.
    """
    running = _running()
    return None if running is None else running.claim_file(name)


def report(objective: float, step: int | None, metrics: Mapping[str, float]) -> None:
    """Report as :meth:`CurrentEvaluation.report` does, with metrics of any names."""
    (_running() or Context("")).report(objective, step, metrics)


def _running() -> Context | None:
    running = _CURRENT.get() or _process_wide
    return running if running is not None and running.is_here else None


def _end() -> NoReturn:
    raise EvaluationPruned("the search has ended this evaluation early")


def _number(name: str, value: float) -> Objective:
    number = read_objective(value)
    if isinstance(number, Failure):
        raise ValueError(f"{name} that was reported can't be used: it is {value!r}")
    return number
