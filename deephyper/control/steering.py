"""The answers of a search to the requests of its user, while it runs."""

from __future__ import annotations

import dataclasses
import math
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from deephyper.clock import Clock
from deephyper.control.asked import Asked
from deephyper.control.mailbox import Mailbox
from deephyper.control.requests import Answer, DamagedRequest, Request
from deephyper.errors import DeepHyperError, SettingsError
from deephyper.interrupt import Interrupt
from deephyper.job import MACHINE_FAULTS, Failure, Outcome
from deephyper.printable import one_printable_line
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator

_LOOK_SECONDS = 0.5
"""Between two looks at the requests."""
STOPPED = Failure("stopped", "stopped by its user")
"""What an evaluation comes to that was stopped and has reported nothing."""


class Queue(Protocol):
    """The queue of a session."""

    @property
    def num_started(self) -> int:
        """The number of evaluations that have begun."""
        ...

    def set_max_evals(self, number: int) -> None:
        """Let there be so many evaluations."""
        ...

    def enqueue(self, point: Point) -> None:
        """Let a point be evaluated before all others.

        Raises:
            SettingsError: if no evaluation is left for it.
        """
        ...


class Record(Protocol):
    """The search so far."""

    max_evals: int | None
    asked: Asked


class Optimizer(Protocol):
    """The optimizer of a session."""

    def tell_pending(self, points: Sequence[Point]) -> None:
        """Take note of points that were not asked for."""
        ...


class Recorder(Protocol):
    """The writer of a session."""

    @property
    def mailbox(self) -> Mailbox | None:
        """The requests of its user; None where none can come."""
        ...

    def controlled(self, request: str, action: str, **values: Any) -> None:
        """Write that a request is carried out."""
        ...


class Steering:
    """Carries out the requests to a session.

    Args:
        recorder: says where they come from, and writes them.
        queue, record, optimizer, evaluator, interrupt: of the session.
        validate: returns a point in its canonical form, complete, or raises ProblemError.
        stop_grace: seconds that an evaluation gets which is to end.
        end_for_good: told of an evaluation that must not be paused.
        clock: what times are read from.
        notify: called with a line for the user.

    Attributes:
        is_held: whether no new evaluations begin for now.
    """

    def __init__(
        self,
        recorder: Recorder,
        queue: Queue,
        record: Record,
        optimizer: Optimizer,
        evaluator: Evaluator,
        interrupt: Interrupt,
        *,
        validate: Callable[[Point], Point],
        stop_grace: float,
        end_for_good: Callable[[str], None],
        clock: Clock,
        notify: Callable[[str], None],
    ) -> None:
        self.is_held = False
        self._recorder = recorder
        self._mailbox = recorder.mailbox
        self._queue = queue
        self._record = record
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._interrupt = interrupt
        self._validate = validate
        self._stop_grace = stop_grace
        self._end_for_good = end_for_good
        self._clock = clock
        self._notify = notify
        self._stopped: set[str] = set()  # ids of evaluations that were asked to end
        self._next_look = -math.inf if self._mailbox is not None else math.inf
        self._actions: dict[str, Callable[[Request], tuple[str, dict[str, Any]]]] = {
            "ping": lambda request: ("it runs", {}),
            "pause": self._pause,
            "resume": self._resume,
            "stop": self._stop,
            "max-evals": self._set_max_evals,
            "workers": self._set_workers,
            "stop-evaluation": self._stop_evaluation,
            "enqueue": self._enqueue,
        }

    def look(self) -> None:
        """Carry out what was asked for, if it is time to look."""
        now = self._clock.monotonic()
        if now < self._next_look or self._mailbox is None:
            return
        self._next_look = now + _LOOK_SECONDS
        for id_, request in self._mailbox.requests():
            self._mailbox.answer(id_, self._answer(id_, request))

    def end(self) -> None:
        """Answer what comes too late."""
        if self._mailbox is None:
            return
        self._next_look = math.inf
        for id_, request in self._mailbox.requests():
            outlasts = isinstance(request, Request) and request.outlasts_its_session
            if not outlasts:
                self._mailbox.answer(id_, Answer(False, "the search has ended before"))

    def begin(self) -> None:
        """Let the points be evaluated that earlier sessions were asked for."""
        for point in self._record.asked.points:
            try:
                self._queue.enqueue(point)
            except SettingsError as error:
                self._notify(f"an enqueued point waits for another session: {error}")
                return
            self._optimizer.tell_pending([point])

    def settled(self, outcome: Outcome) -> Outcome:
        """Return the outcome of an evaluation; another one where its user has stopped it.

        What it has reported counts, as where the search ends an evaluation early; without a report
        it has failed.
        """
        if outcome.job.id not in self._stopped:
            return outcome
        self._stopped.discard(outcome.job.id)
        failure = outcome.failure
        machine = failure is not None and failure.kind in MACHINE_FAULTS
        if outcome.status == "stopped" or machine:
            return dataclasses.replace(outcome, status="failed", objective=None, failure=STOPPED)
        return outcome

    def _answer(self, id_: str, request: Request | DamagedRequest) -> Answer:
        """Carry out a request, write it, and return the answer."""
        if isinstance(request, DamagedRequest):
            self._notify(f"a request to this search was refused: {request}")
            return Answer(False, f"the request was refused: {request}")
        if id_ in self._record.asked.done:
            return Answer(True, "this was done before")
        asked = f"deephyper ctl {request.action}"
        late = request.session != (self._mailbox.session if self._mailbox is not None else "")
        if late and not request.outlasts_its_session:
            text = "this was asked of a session that has ended; ask again"
            self._notify(f"{asked}, not done: {text}")
            return Answer(False, text)
        try:
            text, values = self._actions[request.action](request)
        except DeepHyperError as error:
            text = one_printable_line(error.on_command_line())
            self._notify(f"{asked}, not done: {text}")
            return Answer(False, text)
        if request.action != "ping":
            self._record.asked.take(id_, values.get("point"))
            self._recorder.controlled(id_, request.action, **values)
            self._notify(f"{asked}: {text}")
        return Answer(True, text)

    def _pause(self, request: Request) -> tuple[str, dict[str, Any]]:
        before, self.is_held = self.is_held, True
        if before:
            return "it is paused already", {}
        running = self._evaluator.num_unfinished
        go_on = "the one that runs goes on" if running == 1 else f"the {running} running ones go on"
        return "no new evaluations begin" + (f"; {go_on}" if running else ""), {}

    def _resume(self, request: Request) -> tuple[str, dict[str, Any]]:
        before, self.is_held = self.is_held, False
        return ("evaluations begin again" if before else "it was not paused"), {}

    def _stop(self, request: Request) -> tuple[str, dict[str, Any]]:
        self._interrupt.ask(signal.SIGINT, at_once=request.at_once)
        if request.at_once:
            return "the search ends now", {}
        running = self._evaluator.num_unfinished
        ended = "one that runs has" if running == 1 else f"{running} running ones have"
        waits = f", when the {ended} ended" if running else ""
        return f"no new evaluations begin, and the search ends{waits}", {}

    def _set_max_evals(self, request: Request) -> tuple[str, dict[str, Any]]:
        number = _needed(request.number, "number")
        before = self._record.max_evals
        self._queue.set_max_evals(number)
        self._record.max_evals = number
        was = "" if before is None else f" in place of {before}"
        begun = self._queue.num_started
        has = "1 has" if begun == 1 else f"{begun} have"
        over = f"; {has} begun, so no new ones do" if begun >= number else ""
        plural = "" if number == 1 else "s"
        return f"the search makes {number} evaluation{plural}{was}{over}", {"max_evals": number}

    def _set_workers(self, request: Request) -> tuple[str, dict[str, Any]]:
        number = _needed(request.number, "number")
        before = self._evaluator.num_workers
        self._evaluator.resize(number)
        fewer = "; those that are too many end with their evaluations" if number < before else ""
        plural = "" if number == 1 else "s"
        return f"{number} worker{plural} in place of {before}{fewer}", {"workers": number}

    def _stop_evaluation(self, request: Request) -> tuple[str, dict[str, Any]]:
        id_ = _needed(request.evaluation, "evaluation")
        if not self._evaluator.is_running(id_):
            raise SettingsError(f"evaluation {id_} does not run; those that do: {self._running()}")
        grace = self._stop_grace if request.grace is None else request.grace
        self._stopped.add(id_)
        self._end_for_good(id_)
        self._evaluator.request_stop([id_], grace)
        if grace <= 0:
            return f"evaluation {id_} is ended at once", {"id": id_}
        ended = "killed" if self._evaluator.can_kill else "left behind"
        text = f"evaluation {id_} is asked to end, and is {ended} if it still runs after"
        return f"{text} {grace:g} s", {"id": id_}

    def _running(self) -> str:
        some = self._evaluator.running(10)
        more = ", ..." if self._evaluator.num_running > len(some) else ""
        return (", ".join(running.job.id for running in some) or "none") + more

    def _enqueue(self, request: Request) -> tuple[str, dict[str, Any]]:
        point = self._validate(_needed(request.point, "point"))
        self._queue.enqueue(point)
        self._optimizer.tell_pending([point])
        return "the point is evaluated as soon as a worker is free", {"point": point}


def _needed(value: Any, name: str) -> Any:
    if value is None:
        raise SettingsError(f"the request has no {name}; ask by deephyper ctl")
    return value
