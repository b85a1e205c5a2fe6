"""One session of a search: the asynchronous loop that every search runs on.

A proposal leaves the optimizer, becomes a job in the evaluator, comes back as an outcome, is
written, and reaches the optimizer. Each free worker is given a new point at once; none waits for
another. What begins next is in :mod:`deephyper.search.queue`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
from collections.abc import Callable, Sequence
from itertools import islice

from deephyper.clock import Clock
from deephyper.control.steering import Steering
from deephyper.errors import DeepHyperError, SpaceExhausted
from deephyper.evaluator import Evaluator
from deephyper.evaluator.cache import Cache
from deephyper.interrupt import Interrupt
from deephyper.job import Ended, Event, Notice, Outcome, Reported, Started, evaluation_seed
from deephyper.objective import MACHINE_FAULTS
from deephyper.optimizer.proposer import Proposer
from deephyper.problem.point import Point
from deephyper.progress.state import Standing
from deephyper.search.budget import Budget, Policy, Reason, Streaks
from deephyper.search.log import (
    Hints,
    ending_notice,
    paused_notice,
    retry_notice,
    stopped_notice,
)
from deephyper.search.queue import Queue
from deephyper.search.record import Evaluation, Record
from deephyper.search.store import Recorder
from deephyper.stopper.early_stopping import EarlyStopping

_TOLD_TOGETHER = 10_000  # evaluations of earlier sessions
_TICK = 0.25  # seconds until a signal or the end of the time is noticed
_NO_NEW: tuple[Reason, ...] = ("max_evals", "max_steps")
"""The reasons that let paused evaluations continue, and that may be gone again."""
_log = logging.getLogger("deephyper.search")


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
        stopping: says which evaluations to end early, and which of these to take up again.
        validate: gives the canonical form of a point of its user's, or raises ProblemError.
        on_start: called with the optimizer's description when the session has begun.
        on_outcome: called with each outcome of an evaluation that has ended, or is paused when
            the session ends.
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
        stopping: EarlyStopping,
        validate: Callable[[Point], Point],
        on_start: Callable[[str], None],
        on_outcome: Callable[[Outcome], None],
        notify: Callable[[str], None],
    ) -> None:
        self._record = record
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._recorder = recorder
        self._policy = policy
        self._cache = cache
        self._interrupt = interrupt
        self._clock = clock
        self._directory_of = directory_of
        self._seed = seed
        self._stopping = stopping
        self._on_start = on_start
        self._on_outcome = on_outcome
        self._notify = notify
        self._began = clock.monotonic()
        self._queue = Queue(record, budget, stopping)
        self._untold: list[Outcome] = []  # written, and not yet told to the optimizer
        self._streaks = Streaks(record.direction, budget.min_delta, budget.worth)
        self._hints = Hints(stopping, budget.max_steps is not None, policy.stop_grace, notify)
        self._steering = Steering(
            recorder,
            self._queue,
            record,
            optimizer,
            evaluator,
            interrupt,
            validate=validate,
            stop_grace=policy.stop_grace,
            end_for_good=stopping.end_for_good,
            clock=clock,
            notify=notify,
        )
        self._num_stopped, self._has_shown_paused = 0, False

    @property
    def seconds(self) -> float:
        """Seconds that the search has lasted, all sessions together."""
        return self._record.seconds + self._clock.monotonic() - self._began

    @property
    def standing(self) -> Standing:
        """The state that the search alone knows of; another thread may ask for it."""
        most = self._queue.budget.max_evals
        most = most and max(most, self._queue.num_started)  # it may have been lowered
        paused, held = len(self._record.paused), self._steering.is_held
        return Standing(most, paused, held, self._has_shown_paused)

    def run(self) -> Reason:
        """Search until the budget is used up; return why it ended.

        Raises:
            ResultsError: if it can't be written, or another search has taken the log directory.
        """
        try:
            self._begin()
            reason = self._loop()
            self._steering.end()
            self._show_paused(reason)
            if self._queue.proposed:
                self._optimizer.forget(self._queue.proposed)
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
        estimates = self._stopping.recall(record.curves, record.outcomes, record.paused)
        for observed in (iter(record.known), record.evaluations.observed(estimates)):
            while some := list(islice(observed, _TOLD_TOGETHER)):
                self._optimizer.tell_known(some)
        self._cache.add_all(record.outcomes)
        if self._queue.budget.looks_back:
            self._streaks.take_earlier(record.ended)
        again, paused = self._queue.again, record.paused
        pending = [job.point for job in again]
        if self._stopping.pauses:
            pending += [outcome.job.point for outcome in paused.values()]
        elif unknown := [o for id_, o in paused.items() if id_ not in estimates]:
            # Nothing takes them up in this session, so that they are as if they were pruned.
            self._optimizer.tell_known([(o.job.point, o.observed) for o in unknown])
        if pending:
            self._optimizer.tell_pending(pending)
        if estimates:
            points = [record.evaluations[id_].job.point for id_ in estimates]
            self._optimizer.tell_partial(points, [*estimates.values()])
        self._steering.begin()
        _log.info("optimizer: %s", self._optimizer.description)
        _log.info(
            "%s: %d evaluations known, %d unfinished%s",
            "resumed" if record.resumed else "started",
            len(record.known) + len(record.ended),
            len(again),
            f", {len(paused)} paused" if paused else "",
        )
        self._on_start(self._optimizer.description)

    # The loop.

    def _loop(self) -> Reason:
        end = self._end_of_time()
        reason: Reason | None = None
        while True:
            self._steering.look()
            now_reason = self._reason()
            # A retry, or one that ends early, may take these back; the others stand.
            if reason in (None, *_NO_NEW) or now_reason not in (None, *_NO_NEW):
                if now_reason not in (None, reason):
                    self._announce(now_reason)
                reason = now_reason
            may_begin = reason is None or reason in _NO_NEW
            is_held = may_begin and self._steering.is_held
            if may_begin and not is_held and self._fill_workers():
                self._take(self._evaluator.gather(timeout=0))
                continue
            if reason is not None:
                self._tell()
            if not (is_held or self._evaluator.num_unfinished) and (
                reason is not None or (self._queue.is_exhausted and self._queue.is_empty)
            ):
                return reason or "exhausted"
            over = min(
                end + self._policy.grace, self._interrupt.terminated + self._policy.sigterm_grace
            )
            if self._interrupt.at_once or self._clock.monotonic() >= over:
                self._stop_running()
                return reason or "timeout"
            self._wait()
            if is_held and not self._evaluator.num_unfinished:
                self._clock.sleep(_TICK)

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
        timeout = self._queue.budget.timeout
        return math.inf if timeout is None else self._began + timeout - self._record.seconds

    def _reason(self) -> Reason | None:
        """Return why no further evaluation may begin, or None."""
        if self._interrupt.signal is not None:
            return "interrupted"
        queue = self._queue
        return queue.budget.reason_to_stop(
            queue.num_started, self.seconds, self._streaks, queue.has_steps
        )

    def _announce(self, reason: Reason) -> None:
        policy = self._policy
        grace = policy.grace if reason == "timeout" else policy.sigterm_grace
        running = self._evaluator.num_unfinished
        text = ending_notice(reason, running, grace, self._interrupt.signal)
        if text is not None:
            self._notify(text)

    def _fill_workers(self) -> bool:
        """Give free workers points; return whether there may be more to do than to wait."""
        self._submit_next()
        missing = self._queue.num_missing(self._evaluator.num_free, self._evaluator.num_workers)
        if missing <= 0 or self._queue.is_exhausted:
            return False
        self._tell()
        self._tell_expected()
        try:
            self._queue.add(self._optimizer.ask(missing))
        except SpaceExhausted as end:
            self._queue.is_exhausted = True
            _log.info("%s", end)
        self._submit_next()
        return not self._queue.is_exhausted

    def _submit_next(self) -> None:
        """Submit evaluations as far as there are workers; end those whose outcomes are known."""
        record, free = self._record, self._evaluator.num_free
        known: list[Outcome] = []
        ready: list[Evaluation] = []
        while len(ready) < free and (evaluation := self._queue.next()) is not None:
            job = evaluation.job
            if job.id not in record.evaluations:
                record.add(evaluation)
                outcome = self._cache.outcome_for(job, self._clock.now())
                if outcome is not None:
                    self._recorder.submitted(evaluation)
                    known.append(outcome)
                    continue
            record.reports.begin(job.id)
            ready.append(evaluation)
        self._submit(ready)
        self._end([outcome for outcome in known if self._write(outcome)])

    def _submit(self, evaluations: Sequence[Evaluation]) -> None:
        if not evaluations:
            return
        with self._recorder.together():
            for evaluation in evaluations:
                job = evaluation.job
                evaluation.job = dataclasses.replace(
                    job,
                    directory=self._directory_of(job.id),
                    seed=evaluation_seed(self._seed, job.id),
                )
                self._recorder.submitted(evaluation)
        self._evaluator.submit([evaluation.job for evaluation in evaluations])

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
                    outcomes.append(self._steering.settled(event.outcome))
                elif isinstance(event, Started):
                    self._recorder.started(event)
                elif isinstance(event, Notice):
                    self._notify(event.text)
                else:
                    reports.append(event)
                    self._recorder.reported(event)
                    self._report(event)
            over = [outcome for outcome in outcomes if self._write(outcome)]
        unwanted = self._stopping.unwanted(reports)
        if unwanted:
            self._evaluator.request_stop(unwanted, self._policy.stop_grace)
        self._pause([outcome for outcome in over if self._stopping.is_pause(outcome)])
        self._end([outcome for outcome in over if not self._stopping.is_pause(outcome)])
        return bool(outcomes)

    def _report(self, event: Reported) -> None:
        """Record a report; say once that a paused evaluation doesn't continue where it was."""
        anew = self._record.reports.add(event.job.id, event.step, event.objective)
        if anew and self._record.was_paused(event.job.id):
            self._hints.begins_anew(event)

    def _pause(self, outcomes: Sequence[Outcome]) -> None:
        """Record evaluations that are paused, which was written."""
        for outcome in outcomes:
            self._record.pause(outcome)
            self._stopping.pause(outcome)
        self._untold += outcomes

    def _end(self, ended: Sequence[Outcome]) -> None:
        """Record outcomes that were written; the optimizer is told of them later."""
        if not ended:
            return
        evaluations = [self._record.end(outcome) for outcome in ended]
        self._recorder.ended(evaluations)
        for evaluation in evaluations:
            outcome = evaluation.outcome
            assert outcome is not None
            self._cache.add(outcome)
            self._streaks.take(evaluation)
            self._stopping.end(outcome)
            self._hints.take(outcome, self._record.curves.get(outcome.job.id))
            self._on_outcome(outcome)
        self._untold += ended

    def _tell(self) -> None:
        """Tell the optimizer what has ended since it was last asked."""
        told, self._untold = self._untold, []
        early = {o.job.id: o.job.point for o in told if o.status == "pruned"}
        estimates = self._stopping.estimates([*early])
        if estimates:  # first, as one of them may also have ended since
            points = [early[id_] for id_ in estimates]
            self._optimizer.tell_partial(points, [*estimates.values()])
        known = [
            o
            for o in told
            if o.status != "pruned" or not (o.job.id in estimates or self._stopping.is_pause(o))
        ]
        if known:
            self._optimizer.tell([o.job.point for o in known], [o.observed for o in known])

    def _tell_expected(self) -> None:
        """Tell the optimizer what is expected of evaluations that run and have reported."""
        estimates = self._stopping.new_estimates(self._evaluator.num_unfinished)
        if estimates:
            points = [self._record.evaluations[id_].job.point for id_ in estimates]
            self._optimizer.tell_partial(points, [*estimates.values()])

    def _write(self, outcome: Outcome) -> bool:
        """Write an outcome; return False if its evaluation runs again."""
        job, failure = outcome.job, outcome.failure
        if self._stopping.is_pause(outcome):
            self._recorder.paused(outcome)
            return True
        fault = failure is not None and failure.kind in MACHINE_FAULTS
        if fault and self._interrupt.signal is not None:
            # What ends a search from outside, a scheduler say, often ends its workers too.
            self._record_stopped(outcome)
            return False
        retries = self._record.retries(job)
        retry = failure is not None and retries < self._policy.retries_after(failure.kind)
        self._recorder.outcome(outcome, retry)
        if retry:
            self._queue.retry(job)
            self._notify(retry_notice(outcome))
        return not retry

    # The end.

    def _show_paused(self, reason: Reason) -> None:
        """Tell of the evaluations that stay paused; with the next session they may continue."""
        paused = self._record.paused
        for outcome in paused.values():
            self._on_outcome(outcome)
        self._has_shown_paused = True
        if paused:
            most = self._queue.budget.max_evals if reason == "max_evals" else None
            self._notify(paused_notice(len(paused), self._stopping.pauses, most))

    def _stop_running(self) -> None:
        stopped = self._evaluator.cancel()
        self._take(self._evaluator.gather(timeout=0))  # what ended while it was being stopped
        for outcome in map(self._steering.settled, stopped):
            if outcome.status == "stopped":
                self._record_stopped(outcome)
            elif self._write(outcome):  # its user has stopped it, before the search did
                self._end([outcome])

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
                elif isinstance(event, Reported):  # which an early end refers to
                    self._recorder.reported(event)
                    self._record.reports.add(event.job.id, event.step, event.objective)
