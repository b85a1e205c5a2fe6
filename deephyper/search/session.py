"""One session of a search: the asynchronous loop that every search runs on.

A proposal leaves the optimizer, becomes a job in the evaluator, comes back as an outcome, is
written, and reaches the optimizer. Each free worker is given a new point at once; none waits for
another.

Of many workers some are always about to be free, so proposals are prepared for them while nothing
else is to be done: a result need not be learned before its worker has the next point. Points are
asked for a few at a time, and each is submitted before the next ones exist.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

from deephyper.clock import Clock
from deephyper.errors import DeepHyperError, SpaceExhausted
from deephyper.evaluator import Evaluator
from deephyper.interrupt import Interrupt
from deephyper.job import Ended, Event, Job, Notice, Outcome, Proposal, Reported, Started
from deephyper.objective import MACHINE_FAULTS, Failure, Objective
from deephyper.problem.point import Point
from deephyper.search.budget import Budget, Policy, Reason, Streaks
from deephyper.search.cache import Cache
from deephyper.search.log import ending_notice, retry_notice, silence_notice, stopped_notice
from deephyper.search.record import Evaluation, Record
from deephyper.search.store import Recorder
from deephyper.stopper.stopper import Stopper

_TOLD_TOGETHER = 10_000  # evaluations of earlier sessions
_TICK = 0.25  # seconds until a signal or the end of the time is noticed
_ASKED = 8
"""Proposals that are asked for at a time, at most: usually."""
_ASKED_BEHIND = 64
"""As many, at most, where a quarter of the free workers are more than the usual number. Of so many
points an optimizer may spend less on each, so that a crowd of workers is served."""
_AHEAD = 32
"""One proposal is prepared ahead for so many workers: what it does not know are the results of so
few of them that it is hardly worse for it."""
_log = logging.getLogger("deephyper.search")


class Proposer(Protocol):
    """The part of an optimizer that the loop needs; see :class:`deephyper.optimizer.Optimizer`."""

    @property
    def description(self) -> str:
        """One line for the log."""

    def ask(self, n_points: int) -> list[Proposal]:
        """Propose points; they are pending from now on."""

    def tell(self, x: Sequence[Point], y: Sequence[Objective | Failure]) -> None:
        """Take in what came of points."""

    def tell_known(self, known: Sequence[tuple[Point, Objective | Failure]]) -> None:
        """Take in what came of points earlier; they are in their canonical form."""

    def tell_pending(self, points: Sequence[Point]) -> None:
        """Take in points that are being evaluated and were not asked for."""

    def forget(self, points: Sequence[Point]) -> None:
        """Drop pending points of which nothing more will come."""


class Session:
    """One session of a search.

    Args:
        record: the search so far; it is kept up to date.
        budget: what the search may use, earlier sessions included.
        optimizer: proposes points; it knows nothing of the record yet.
        evaluator: where points are evaluated; it is idle.
        recorder: where what happens is written.
        policy: what is done where things go wrong.
        cache: outcomes that need not be evaluated again.
        interrupt: the signals that came.
        clock: what times are read from.
        directory_of: gives the directory of an evaluation.
        seed: from which those of evaluations follow.
        stopper: says which evaluations to end early; None for none.
        on_start: called with the optimizer's description when the session has begun.
        on_outcome: called with each outcome of an evaluation that has ended.
        notify: called with a line for the user.
    """

    def __init__(
        self,
        record: Record,
        budget: Budget,
        optimizer: Proposer,
        evaluator: Evaluator,
        recorder: Recorder,
        *,
        policy: Policy,
        cache: Cache,
        interrupt: Interrupt,
        clock: Clock,
        directory_of: Callable[[str], str | None],
        seed: int,
        stopper: Stopper | None,
        on_start: Callable[[str], None],
        on_outcome: Callable[[Outcome], None],
        notify: Callable[[str], None],
    ) -> None:
        self._record = record
        self._budget = budget
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._recorder = recorder
        self._policy = policy
        self._cache = cache
        self._interrupt = interrupt
        self._clock = clock
        self._directory_of = directory_of
        self._seed = seed
        self._stopper = stopper
        self._on_start = on_start
        self._on_outcome = on_outcome
        self._notify = notify
        self._began = clock.monotonic()
        self._waiting = deque(evaluation.job for evaluation in record.unfinished)
        self._ready: deque[Proposal] = deque()  # asked for, and not yet submitted
        self._untold: list[Outcome] = []  # written, and not yet told to the optimizer
        self._streaks = Streaks(record.direction, budget.min_delta)
        self._exhausted = False
        self._warned_of_silence = False
        self._num_stopped = 0

    @property
    def seconds(self) -> float:
        """Seconds that the search has lasted, all sessions together."""
        return self._record.seconds + self._clock.monotonic() - self._began

    def run(self) -> Reason:
        """Search until the budget is used up; return why it ended.

        Raises:
            ResultsError: if it can't be written, or another search has taken the log directory.
        """
        try:
            self._begin()
            reason = self._loop()
            if self._ready:
                self._optimizer.forget([proposal.point for proposal in self._ready])
            if self._num_stopped:
                self._notify(stopped_notice(self._num_stopped))
            self._recorder.end(reason)
        except BaseException:
            self._keep_what_ended()
            raise
        finally:
            self._evaluator.cancel()
            self._evaluator.gather(timeout=0)  # so that nothing is left for another search
        _log.info("ended: %s", reason)
        return reason

    def _begin(self) -> None:
        """Write the session's first words, and tell the optimizer what is known."""
        record = self._record
        self._recorder.begin()
        for observed in (iter(record.known), record.observed):
            while some := list(islice(observed, _TOLD_TOGETHER)):
                self._optimizer.tell_known(some)
        self._cache.add_all(record.ended)
        if self._budget.looks_back:
            self._streaks.take_earlier(e.outcome for e in record.ended if e.outcome is not None)
        if self._stopper is not None:
            self._tell_stopper(self._stopper)
        if self._waiting:
            self._optimizer.tell_pending([job.point for job in self._waiting])
        _log.info("optimizer: %s", self._optimizer.description)
        _log.info(
            "%s: %d evaluations known, %d unfinished",
            "resumed" if record.resumed else "started",
            len(record.known) + len(record.ended),
            len(self._waiting),
        )
        self._on_start(self._optimizer.description)

    # The loop.

    def _loop(self) -> Reason:
        end = self._end_of_time()
        reason: Reason | None = None
        while True:
            now_reason = self._reason()
            # A retry may take "max_evals" back; the others stand.
            if now_reason is not None or reason == "max_evals":
                if now_reason not in (None, reason):
                    self._announce(now_reason)
                reason = now_reason
            if reason is None and self._fill_workers():
                self._take(self._evaluator.gather(timeout=0))
                continue
            if reason is not None:
                self._tell()
            if not self._evaluator.num_unfinished and (
                reason is not None or (self._exhausted and not (self._waiting or self._ready))
            ):
                return reason or "exhausted"
            over = min(
                end + self._policy.grace, self._interrupt.terminated + self._policy.sigterm_grace
            )
            if self._interrupt.at_once or self._clock.monotonic() >= over:
                self._stop_running()
                return reason or "timeout"
            self._wait()

    def _wait(self) -> None:
        """Take what happens until an evaluation ends, or it is time to look at the clock again."""
        self._recorder.check()
        until = self._clock.monotonic() + _TICK
        left = _TICK
        while left > 0.0:
            ended = self._take(self._evaluator.gather(timeout=left))
            if ended or not self._evaluator.num_unfinished:
                return
            left = until - self._clock.monotonic()

    def _end_of_time(self) -> float:
        """Return when the time limit is reached, by the clock's ``monotonic``."""
        if self._budget.timeout is None:
            return math.inf
        return self._began + self._budget.timeout - self._record.seconds

    def _reason(self) -> Reason | None:
        """Return why no further evaluation may begin, or None."""
        if self._interrupt.signal is not None:
            return "interrupted"
        # Unfinished evaluations of an earlier session were counted when they were submitted.
        started = len(self._record.evaluations) - len(self._waiting)
        return self._budget.reason_to_stop(started, self.seconds, self._streaks)

    def _announce(self, reason: Reason) -> None:
        policy = self._policy
        grace = policy.grace if reason == "timeout" else policy.sigterm_grace
        running = self._evaluator.num_unfinished
        text = ending_notice(reason, running, grace, self._interrupt.signal)
        if text is not None:
            self._notify(text)

    def _fill_workers(self) -> bool:
        """Give free workers points; return whether there may be more to do than to wait."""
        waiting = len(self._waiting)
        started = len(self._record.evaluations) - waiting
        ready = min(self._evaluator.num_free, waiting, self._budget.evaluations_left(started))
        jobs = [self._waiting.popleft() for _ in range(int(ready))]
        self._submit([self._record.evaluations[job.id] for job in jobs])
        self._submit_ready()
        missing = self._missing()
        if missing <= 0 or self._exhausted:
            return False
        self._tell()
        try:
            self._ready.extend(self._optimizer.ask(missing))
        except SpaceExhausted as end:
            self._exhausted = True
            _log.info("%s", end)
        self._submit_ready()
        return not self._exhausted

    def _missing(self) -> int:
        """Return how many points to ask for now: first for free workers, then ahead."""
        left = self._budget.evaluations_left(len(self._record.evaluations)) - len(self._ready)
        free, ahead = self._evaluator.num_free, self._evaluator.num_workers // _AHEAD
        if free:
            behind = min(free // 4, ahead, _ASKED_BEHIND)
            return int(min(free, left, max(_ASKED, behind)))
        ready = len(self._ready)
        ahead = int(min(ahead, left + ready))
        # An ask has a price of its own, so it is for several points if that costs no worker time.
        return min(ahead - ready, _ASKED) if ahead - ready >= min(ahead, _ASKED) else 0

    def _submit_ready(self) -> None:
        """Submit the proposals for which there are workers; end those whose outcomes are known."""
        free = self._evaluator.num_free
        known: list[Outcome] = []
        new: list[Evaluation] = []
        while self._ready and len(new) < free:
            proposal = self._ready.popleft()
            job = Job(self._record.next_id, proposal.point)
            evaluation = Evaluation.of(job, proposal)
            self._record.add(evaluation)
            outcome = self._cache.outcome_for(job, self._clock.now())
            if outcome is None:
                new.append(evaluation)
            else:
                self._recorder.submitted(evaluation)
                known.append(outcome)
        self._submit(new)
        self._end([outcome for outcome in known if self._write(outcome)])

    def _submit(self, evaluations: Sequence[Evaluation]) -> None:
        if not evaluations:
            return
        with self._recorder.together():
            for evaluation in evaluations:
                job = evaluation.job
                evaluation.job = dataclasses.replace(
                    job, directory=self._directory_of(job.id), seed=self._seed_of(job.id)
                )
                self._recorder.submitted(evaluation)
        self._evaluator.submit([evaluation.job for evaluation in evaluations])

    def _seed_of(self, id_: str) -> int:
        """Return the seed of an evaluation: the same in every session and at every attempt."""
        return zlib.crc32(f"{self._seed}/{id_}".encode())

    def _take(self, events: Sequence[Event]) -> bool:
        """Write what has happened, and end the evaluations that have ended together.

        Returns:
            Whether there are such.
        """
        outcomes: list[Outcome] = []
        reports: list[Reported] = []
        # All of it is written first, so that no later error costs anything.
        with self._recorder.together():
            for event in events:
                if isinstance(event, Ended):
                    outcomes.append(event.outcome)
                elif isinstance(event, Started):
                    self._recorder.started(event)
                elif isinstance(event, Notice):
                    self._notify(event.text)
                else:
                    reports.append(event)
                    self._recorder.reported(event)
            ended = [outcome for outcome in outcomes if self._write(outcome)]
        self._compare(reports)
        self._end(ended)
        return bool(outcomes)

    def _compare(self, reports: Sequence[Reported]) -> None:
        """Have the stopper look at reports, and ask evaluations to end that it wants to."""
        unwanted: dict[str, None] = {}
        for event in reports:
            id_ = event.job.id
            self._record.report(id_, event.step, event.objective)
            if self._stopper is not None and self._stopper.report(id_, event.step, event.objective):
                unwanted[id_] = None
        if unwanted:
            self._evaluator.request_stop(unwanted, self._policy.stop_grace)

    def _tell_stopper(self, stopper: Stopper) -> None:
        """Tell the stopper of earlier sessions."""
        for id_, curve in self._record.curves.items():
            for step, objective in curve:
                stopper.report(id_, step, objective)
        for evaluation in self._record.ended:
            if evaluation.outcome is not None:
                _end_for(stopper, evaluation.outcome)

    def _end(self, ended: Sequence[Outcome]) -> None:
        """Record outcomes that were written; the optimizer is told of them later."""
        if not ended:
            return
        evaluations = [self._record.end(outcome) for outcome in ended]
        self._recorder.ended(evaluations)
        for outcome in ended:
            self._cache.add(outcome)
            self._streaks.take(outcome)
            if self._stopper is not None:
                _end_for(self._stopper, outcome)
                self._warn_of_silence(outcome)
            self._on_outcome(outcome)
        self._untold += ended

    def _warn_of_silence(self, outcome: Outcome) -> None:
        """Say once that an evaluation has come to its end, and nothing could have ended it."""
        silent = outcome.status == "finished" and outcome.job.id not in self._record.curves
        if silent and not self._warned_of_silence:
            self._warned_of_silence = True
            self._notify(silence_notice(outcome.job.id))

    def _tell(self) -> None:
        """Tell the optimizer what has ended since it was last asked."""
        told, self._untold = self._untold, []
        if told:
            self._optimizer.tell([o.job.point for o in told], [observation(o) for o in told])

    def _write(self, outcome: Outcome) -> bool:
        """Write an outcome; return whether its evaluation has ended, or runs again."""
        job, failure = outcome.job, outcome.failure
        fault = failure is not None and failure.kind in MACHINE_FAULTS
        if fault and self._interrupt.signal is not None:
            # What ends a search from outside, a scheduler say, often ends its workers too.
            self._record_stopped(outcome)
            return False
        retry = failure is not None and job.attempt <= self._policy.retries_after(failure.kind)
        self._recorder.outcome(outcome, retry)
        if retry:
            self._waiting.appendleft(self._record.retry(job))
            self._notify(retry_notice(outcome))
        return not retry

    # The end.

    def _stop_running(self) -> None:
        stopped = self._evaluator.cancel()
        self._take(self._evaluator.gather(timeout=0))  # what ended while it was being stopped
        for outcome in stopped:
            self._record_stopped(outcome)

    def _record_stopped(self, outcome: Outcome) -> None:
        """Write that an evaluation says nothing of its point, and runs again on a resume."""
        self._recorder.outcome(dataclasses.replace(outcome, status="stopped", failure=None))
        self._optimizer.forget([outcome.job.point])
        self._num_stopped += 1

    def _keep_what_ended(self) -> None:
        """Write, if possible, what has ended unnoticed before the search failed."""
        self._evaluator.cancel()
        with contextlib.suppress(DeepHyperError):
            self._recorder.check()
            for event in self._evaluator.gather(timeout=0):
                if isinstance(event, Ended):
                    self._write(event.outcome)


def _end_for(stopper: Stopper, outcome: Outcome) -> None:
    stopper.end(outcome.job.id, outcome.objective, outcome.status == "pruned")


def observation(outcome: Outcome) -> Objective | Failure:
    """Return what an optimizer learns of an evaluation.

    For one that was pruned, it is the last objective that it reported.
    """
    if outcome.objective is not None:
        return outcome.objective
    return outcome.failure or Failure("exception", "unknown")
