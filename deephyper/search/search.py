"""The one asynchronous loop that every search runs on.

A point leaves the optimizer, becomes a job in the evaluator, comes back as an outcome, is written
to the journal, told to the optimizer and appended to the results. Each free worker is given a new
point at once; none waits for another.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.checks import real, whole, whole_or_none
from deephyper.clock import Clock
from deephyper.errors import DeepHyperError, ProblemError, SettingsError, SpaceExhausted
from deephyper.evaluator import Evaluator
from deephyper.job import MACHINE_FAULTS, Job, Outcome
from deephyper.problem.description import describe
from deephyper.search import notices, results
from deephyper.search.beginning import (
    after_claim,
    known_results,
    look_into,
    refuse_foreign_work,
)
from deephyper.search.budget import DEFAULT_GRACE, Budget, Reason
from deephyper.search.cache import Cache
from deephyper.search.interrupt import Interrupt
from deephyper.search.journal import Evaluation, Journal, Record
from deephyper.search.log import log_into, log_outcome
from deephyper.search.ownership import Ownership
from deephyper.search.proposer import Proposer, predicted, told
from deephyper.search.result import SearchResult
from deephyper.search.results import ResultsWriter, set_aside_if_changed

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

OUTPUT_NAME = "output"
_TICK = 0.25  # seconds until a signal or the end of the time is noticed
_log = logging.getLogger("deephyper.search")


class Search:
    """Searches a problem with an optimizer on an evaluator.

    Args:
        problem: the space to search.
        evaluator: where points are evaluated; closing it is left to who made it.
        make_optimizer: gives an optimizer for a seed.
        log_dir: folder for the journal, results.csv and deephyper.log.
        seed: makes the proposals reproducible where one worker is used.
        settings: what the journal is to say of the optimizer's settings.
        resume: go on with the search in ``log_dir``; or what
            :func:`deephyper.search.beginning.look_into` has read of it.
        warm_start: results file of an earlier search to learn from; points that don't fit the
            space any more are left out.
        max_failures: end after so many failures in a row.
        retries: how often an evaluation is tried again whose worker died.
        cache_key: "uuid" evaluates every point; "to_dict" evaluates equal points once; or a
            function that gives a key for a point (or its dotted path). A point whose key is that of
            a finished one gets its objective; nothing waits for one that is running.
        grace: seconds that running evaluations get when the time is over or SIGTERM came.
        sigterm_grace: seconds that they get when SIGTERM came, if not those.
        on_outcome: called with each outcome.
        on_notice: called with a line for the user.
        clock: where it reads the time; None for the computer's.

    Raises:
        SettingsError: if an argument is out of its range or of a wrong type.
        ProblemError: if a hyperparameter has the name of a column of the results.
    """

    def __init__(
        self,
        problem: HpProblem,
        evaluator: Evaluator,
        make_optimizer: Callable[[int | None], Proposer],
        *,
        log_dir: str | Path = ".",
        seed: int | None = None,
        settings: dict[str, Any] | None = None,
        resume: bool | Record = False,
        warm_start: str | Path | None = None,
        max_failures: int | None = None,
        retries: int = 0,
        cache_key: str | Callable[[dict[str, Any]], Any] = "uuid",
        grace: float = DEFAULT_GRACE,
        sigterm_grace: float | None = None,
        on_outcome: Callable[[Outcome], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if resume and warm_start is not None:
            raise SettingsError("a search is either resumed or started warm; leave one of them out")
        for name in problem.hyperparameter_names:
            if name in results.COLUMNS:
                raise ProblemError(
                    f"hyperparameter '{name}' has the name of a column of {results.FILE_NAME}; "
                    "rename it"
                )
        self.problem = problem
        self.evaluator = evaluator
        self.log_dir = Path(log_dir).absolute()
        self._make_optimizer = make_optimizer
        self._seed = whole_or_none("seed", seed, 0)
        self._settings = {"seed": self._seed, **(settings or {})}
        self._resume = bool(resume)
        self._earlier = resume if isinstance(resume, Record) else None
        self._warm_start = None if warm_start is None else Path(warm_start)
        self._max_failures = whole_or_none("max_failures", max_failures, 1)
        self._retries = whole("retries", retries, 0)
        self._cache = Cache(cache_key)
        self._grace = real("grace", grace, unit="seconds")
        self._sigterm_grace = self._grace if sigterm_grace is None else sigterm_grace
        self._on_outcome = on_outcome
        self._on_notice = on_notice
        self._clock = clock or Clock()
        self._record = Record()
        self._results: ResultsWriter | None = None
        self._ready: deque[Job] = deque()
        self._failures_in_a_row = 0
        self._exhausted = False
        self._interrupt = Interrupt(self._clock)
        self._num_stopped = 0

    def search(self, max_evals: int | None = None, timeout: float | None = None) -> SearchResult:
        """Search until the budget is used up; called again, go on with a larger one.

        Args:
            max_evals: evaluations in all, those of earlier sessions included. Without it and
                ``timeout`` a new search makes 100, and a resumed one keeps its budget.
            timeout: seconds in all.

        Raises:
            SettingsError: if one of them isn't a positive number, or the cache key fails.
            ResultsError: if the log directory holds another search or can't be written.
            RunFunctionError: if the run function can't be loaded.
            ProblemError: on a resume with another space.
        """
        budget = Budget(max_evals, timeout, self._max_failures)
        refuse_foreign_work(self.evaluator)
        record = self._read_record()
        # Before anything is written: settings that don't suit the space are refused here.
        self._optimizer = self._make_optimizer(self._seed_of_session(record))
        self.evaluator.check(timeout)
        with (
            Interrupt(self._clock) as self._interrupt,
            Ownership(self.log_dir) as ownership,
            log_into(self.log_dir),
        ):
            budget = self._begin(record, budget)
            self._journal = Journal(self.log_dir, self._clock)
            try:
                self._open()
                reason = self._run(budget, self._interrupt, ownership)
                self._journal.append("ended", reason=reason)
                self._journal.sync()
            except BaseException:
                self._keep_what_ended(ownership)
                raise
            finally:
                self.evaluator.on_start = None
                self.evaluator.cancel()
                self.evaluator.gather(at_least=0)  # so that nothing is left for another search
                self._journal.close()
                if self._results is not None:
                    self._results.close()
            self._resume = True
            _log.info("ended: %s", reason)
            ended, signal = self._record.ended, self._interrupt.signal
            return SearchResult(reason, ended, self.log_dir, signal, self._seconds())

    # Beginning a session.

    def _read_record(self) -> Record:
        earlier, self._earlier = self._earlier, None
        if earlier is None:
            earlier = look_into(self.log_dir, self.problem, self._resume)
        if earlier is not None:
            return earlier
        record = Record(space=describe(self.problem))
        if self._warm_start is not None:
            record.known, total = known_results(self._warm_start, self.problem)
            self._notice(notices.warm_start(len(record.known), total))
        return record

    def _seed_of_session(self, record: Record) -> int | None:
        # A resumed search with the seed of the first session would propose its points again.
        return None if self._seed is None else self._seed + len(record.evaluations)

    def _begin(self, record: Record, budget: Budget) -> Budget:
        record = after_claim(self.log_dir, self.problem, record, self._resume)
        budget = budget.over_sessions(record, self._resume)
        record.settings, record.max_evals = self._settings, budget.max_evals
        record.timeout = budget.timeout
        self._record = record
        return budget

    def _open(self) -> None:
        record = self._record
        self._journal.begin("resumed" if self._resume else "search", record)
        self._open_results()
        if not self._resume:
            for point, objective in record.known:
                self._journal.append("known", point=point, objective=objective)
        learnt = [
            *record.known,
            *((e.job.point, told(e.outcome)) for e in record.ended if e.outcome),
        ]
        if learnt:
            self._optimizer.tell([point for point, _ in learnt], [y for _, y in learnt])
        for evaluation in record.ended:
            self._cache.keep(evaluation)
        unfinished = [evaluation.job for evaluation in record.unfinished]
        self._ready = deque(unfinished)
        self._exhausted = False
        self._failures_in_a_row = self._num_stopped = 0
        if unfinished:
            self._optimizer.tell_pending([job.point for job in unfinished])
        self.evaluator.on_start = self._started
        _log.info("optimizer: %s", self._optimizer.description)
        _log.info(
            "%s in %s: %d evaluations known, %d unfinished",
            "resumed" if self._resume else "began",
            self.log_dir,
            len(learnt),
            len(unfinished),
        )

    def _open_results(self) -> None:
        """Write the results anew; a file that was changed since is the user's and set aside."""
        path, names = self.log_dir / results.FILE_NAME, self.problem.hyperparameter_names
        aside = set_aside_if_changed(path, names, self._record.ended)
        if aside is not None:
            self._notice(notices.set_aside(aside))
        self._results = ResultsWriter(path, names, self._record.ended)

    # The loop.

    def _run(self, budget: Budget, interrupt: Interrupt, ownership: Ownership) -> Reason:
        self._began = self._clock.monotonic()
        before = self._record.seconds
        end = math.inf if budget.timeout is None else self._began + budget.timeout - before
        reason: Reason | None = None
        while True:
            ownership.check()
            now_reason = self._reason(budget, self._seconds(), interrupt)
            # A retry may take "max_evals" back; the others stand.
            if now_reason is not None or reason == "max_evals":
                if now_reason not in (None, reason):
                    running = self.evaluator.num_unfinished
                    grace = self._grace if now_reason == "timeout" else self._sigterm_grace
                    why = notices.no_more(now_reason, running, grace, interrupt.signal)
                    if why is not None:
                        self._notice(why)
                reason = now_reason
            if reason is None and self._fill_workers(budget):
                continue
            if not self.evaluator.num_unfinished and (
                reason is not None or (self._exhausted and not self._ready)
            ):
                break
            over = min(end + self._grace, interrupt.terminated + self._sigterm_grace)
            if interrupt.at_once or self._clock.monotonic() >= over:
                self._stop_running()
                reason = reason or "timeout"
                break
            self._take(self.evaluator.gather(at_least=1, timeout=_TICK))
        if self._num_stopped:
            self._notice(notices.stopped(self._num_stopped))
        return reason or "exhausted"

    def _seconds(self) -> float:
        """How long the search has lasted, all sessions together."""
        return self._record.seconds + self._clock.monotonic() - self._began

    def _reason(self, budget: Budget, seconds: float, interrupt: Interrupt) -> Reason | None:
        if interrupt.signal is not None:
            return "interrupted"
        # Unfinished evaluations of an earlier session were counted when they were submitted.
        waiting = len(self._ready)
        return budget.reason_to_stop(
            len(self._record.evaluations) - waiting, seconds, self._failures_in_a_row
        )

    def _fill_workers(self, budget: Budget) -> bool:
        """Give free workers points; whether some of the results were known, so that more fit."""
        counted = len(self._record.evaluations)
        ready = min(
            self.evaluator.num_free,
            len(self._ready),
            budget.evaluations_left(counted - len(self._ready)),
        )
        for job in [self._ready.popleft() for _ in range(int(ready))]:
            self._submit(self._record.evaluations[job.id], job)
        left = min(self.evaluator.num_free, budget.evaluations_left(counted))
        if left <= 0 or self._exhausted:
            return False
        try:
            proposals = self._optimizer.ask(int(left))
        except SpaceExhausted as end:
            self._exhausted = True
            _log.info("%s", end)
            return False
        known: list[Outcome] = []
        for proposal in proposals:
            job = Job(self._next_id(), proposal.point)
            evaluation = Evaluation(job, predicted=predicted(proposal.prediction))
            self._record.evaluations[job.id] = evaluation
            cached = self._cache.find(proposal.point)
            if cached is None:
                self._submit(evaluation, job)
            else:
                self._journal.append_submitted(evaluation)
                known.append(cached.of(job, self._clock.now()))
        self._take(known)
        return bool(known)

    def _submit(self, evaluation: Evaluation, job: Job) -> None:
        evaluation.job = job
        self._journal.append_submitted(evaluation)
        self.evaluator.submit([job])

    def _started(self, job: Job, worker: str, when: float) -> None:
        self._journal.append("started", id=job.id, attempt=job.attempt, worker=worker)

    def _take(self, outcomes: list[Outcome]) -> None:
        """Record outcomes, then tell them to the optimizer together."""
        # All of them into the journal first, so that no later error costs one.
        ended = [outcome for outcome in outcomes if self._write(outcome)]
        if not ended:
            return
        if self._results is None or self._results.is_deleted:
            self._open_results()
        assert self._results is not None
        for outcome in ended:
            evaluation = self._record.evaluations[outcome.job.id]
            evaluation.outcome = outcome
            self._record.order.append(outcome.job.id)
            self._results.append(evaluation)
            self._cache.keep(evaluation)
            failed = outcome.failure is not None
            self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0
            log_outcome(evaluation)
            if self._on_outcome is not None:
                self._on_outcome(outcome)
        self._optimizer.tell([o.job.point for o in ended], [told(o) for o in ended])

    def _write(self, outcome: Outcome) -> bool:
        """Append an outcome to the journal; whether its evaluation has ended, or runs again."""
        job, failure = outcome.job, outcome.failure
        fault = failure is not None and failure.kind in MACHINE_FAULTS
        if fault and self._interrupt.signal is not None:
            # What ends a search from outside, a scheduler say, often ends its workers too.
            self._record_stopped(outcome)
            return False
        retry = fault and job.attempt <= self._retries
        self._journal.append_outcome(outcome, retry)
        if retry:
            self._ready.appendleft(Job(job.id, job.point, job.attempt + 1))
            self._notice(notices.runs_again(outcome))
        return not retry

    def _stop_running(self) -> None:
        stopped = self.evaluator.cancel()
        self._take(self.evaluator.gather(at_least=0))  # what ended while it was being stopped
        for outcome in stopped:
            self._record_stopped(outcome)

    def _record_stopped(self, outcome: Outcome) -> None:
        """Its evaluation says nothing of its point, and runs again on a resume."""
        stopped = dataclasses.replace(outcome, status="stopped", failure=None)
        self._journal.append_outcome(stopped)
        self._optimizer.forget([outcome.job.point])
        self._num_stopped += 1

    def _keep_what_ended(self, ownership: Ownership) -> None:
        """The search fails: write what has ended since it last looked, if that can be done."""
        self.evaluator.on_start = None
        self.evaluator.cancel()
        with contextlib.suppress(DeepHyperError):
            ownership.check()
            for outcome in self.evaluator.gather(at_least=0):
                self._write(outcome)

    def _next_id(self) -> str:
        return str(len(self._record.evaluations))

    def _notice(self, text: str) -> None:
        _log.info("%s", text)
        if self._on_notice is not None:
            self._on_notice(text)
