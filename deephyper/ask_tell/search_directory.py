"""A search whose points are asked for and told by whoever evaluates them.

Nothing runs between two calls: the journal of the log directory is all there is. A call claims the
directory as a search does, waits for others that have it, reads the journal, appends to it and
leaves. So calls may come from any number of processes and hosts, and one that is killed leaves
behind at most a claim, which the next one takes over (:mod:`deephyper.claim`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from deephyper.ask_tell.saved_model import read_model, save_model
from deephyper.ask_tell.status import Status, is_ask_tell, read_status, require_search
from deephyper.ask_tell.told import read_told
from deephyper.checks import real, whole, whole_or_none
from deephyper.claim import Claim
from deephyper.clock import Clock
from deephyper.errors import DirectoryInUse, ResultsError, SettingsError, argument
from deephyper.holder import read_holder
from deephyper.job import Job, Outcome, Proposal
from deephyper.objective import Direction, Failure
from deephyper.problem.point import Point, show
from deephyper.search.events import ASK_TELL
from deephyper.search.journal import Journal
from deephyper.search.log import log_outcome, log_to, set_aside_notice
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Evaluation, Record, StartCommand
from deephyper.search.replay import LastSession, read_last_session
from deephyper.search.results_file import ResultsWriter

if TYPE_CHECKING:
    from deephyper.optimizer.proposer import Proposer
    from deephyper.optimizer.settings import Settings
    from deephyper.problem import BaseProblem

DEFAULT_WAIT = 30.0
"""Seconds that a call waits for others that have the directory."""
SPACE_FILE = "space.json"
"""The search space, in our own form."""
_POLL = (0.01, 0.05)
"""Seconds between two attempts to claim the directory, at random so that two don't meet again."""
_SEEDS = 2**31
_WORKER = "told"
"""In the results, the worker of an evaluation that was told."""


@dataclass(frozen=True)
class Asked:
    """A point to evaluate.

    Attributes:
        id: by which its objective is told.
        point: hyperparameter name -> plain Python value.
    """

    id: str
    point: Point


class SearchDirectory:
    """A log directory, to look at, and to ask for points and tell what came of them.

    Args:
        log_dir: the directory.
        wait: seconds that a call waits for others that have the directory; None for 30.
        notify: called with a line for the user.
        clock: what times are read from.

    Raises:
        SettingsError: if an argument can't be used.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        wait: float | None = None,
        notify: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._log_dir = LogDir(log_dir)
        self._wait = DEFAULT_WAIT if wait is None else real("wait", wait, unit="seconds")
        self._notify = notify or _ignore
        self._clock = clock or Clock()

    @classmethod
    def create(
        cls,
        log_dir: str | os.PathLike[str],
        problem: BaseProblem,
        optimizer: str | Settings = "bayesian",
        *,
        direction: Direction = "maximize",
        seed: int | None = None,
        wait: float | None = None,
        notify: Callable[[str], None] | None = None,
        clock: Clock | None = None,
        command: StartCommand | None = None,
    ) -> SearchDirectory:
        """Begin a search in a directory, which is made if it isn't there.

        Args:
            log_dir: the directory.
            problem: the space, with its starting points.
            optimizer: the name of an engine, or its settings.
            direction: says which objectives are better.
            seed: makes the points repeatable that are asked for and told one after the other; None
                draws one.
            wait, notify, clock: as for the constructor.
            command: what a later ``deephyper hps --resume`` takes the options from.

        Raises:
            ResultsError: if the directory holds a search already, or can't be written.
            ProblemError: if the space can't be searched, or can't be written as a file.
            SettingsError: if an argument can't be used.
        """
        from deephyper.optimizer.create import create_optimizer, read_optimizer
        from deephyper.optimizer.settings import Settings
        from deephyper.search.search import check_names
        from deephyper.space_file import as_json

        made = cls(log_dir, wait=wait, notify=notify, clock=clock)
        check_names(problem)
        if direction not in get_args(Direction):
            raise SettingsError(f"direction is {direction!r}; give 'maximize' or 'minimize'")
        engine = read_optimizer(optimizer)
        if not isinstance(engine, Settings):
            raise SettingsError(
                f"the optimizer is an object of type {type(engine).__name__}, which other "
                "processes can't have; give the name of an engine, or its settings"
            )
        seed = whole_or_none("seed", seed, 0)
        create_optimizer(problem, engine)  # which refuses a space that it can't search
        space = as_json(problem, direction if direction == "minimize" else None)
        if made._log_dir.holds_search:
            raise ResultsError(
                f"'{made._log_dir.path}' holds a search already; ask it for points, or make one in "
                "another directory"
            )
        record = made._log_dir.inspect(problem, False)
        record.settings = {
            "seed": random.SystemRandom().randrange(_SEEDS) if seed is None else seed,
            "search": ASK_TELL,
            "optimizer": engine.name,
            **dataclasses.asdict(engine),
        }
        if direction == "minimize":
            record.settings["direction"] = direction
        record.command = command
        with made._claimed() as claim:
            record = made._log_dir.reread(problem, record)
            os.close(claim.replace(SPACE_FILE, lambda fd: _write_all(fd, space.encode())))
            with contextlib.closing(Journal(claim, made._clock)) as journal:
                journal.begin(record)
                made._results(claim, record).close()
                journal.sync()
        return made

    def status(self) -> Status:
        """Return how the search stands; see :func:`.read_status`."""
        return read_status(self._log_dir.path, self._clock)

    def ask(self, n_points: int = 1) -> list[Asked]:
        """Return points to evaluate; the model knows of them from now on.

        Args:
            n_points: how many points; there may be fewer in a finite space.

        Raises:
            SpaceExhausted: if none is left.
            DirectoryInUse: if others have the directory for longer than was to be waited.
            ResultsError: if it holds no search to ask, or can't be read or written.
            SettingsError: if the number is below 1.
        """
        n_points = whole("n_points", n_points, 1)
        require_search(self._log_dir)
        problem = self._problem()
        # All that takes long and can be done before anyone else has to wait.
        session = read_last_session(self._log_dir.path, problem.validate)
        self._engine(session.record).create(problem)
        with self._session(session, problem) as (claim, journal, session):
            record = session.record
            evaluations = []
            for proposal in self._proposals(problem, record, n_points, claim):
                evaluations.append(Evaluation.of(Job(record.next_id, proposal.point), proposal))
                record.add(evaluations[-1])
            with journal.together():
                for evaluation in evaluations:
                    journal.submitted(evaluation)
            journal.sync()
        return [Asked(each.job.id, each.job.point) for each in evaluations]

    def tell(
        self,
        id: str | int,
        objective: float | str | Failure,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Say what came of a point that was asked for.

        Args:
            id: of the point.
            objective: a finite number; or for a failure ``"F_reason"`` or a Failure.
            metrics: further numbers by name.

        Raises:
            ResultsError: if no such point was asked for, or it was told before, or the directory
                can't be read or written.
            DirectoryInUse: if others have the directory for longer than was to be waited.
            SettingsError: if the objective or a metric is neither of these.
        """
        id_ = str(id)
        observed, read_metrics = read_told(objective, metrics or {})
        require_search(self._log_dir)
        session = read_last_session(self._log_dir.path)
        self._untold(session.record, id_)
        with self._session(session, None) as (claim, journal, session):
            record = session.record
            job = self._untold(record, id_)
            now = self._clock.now()
            if id_ not in session.submitted:  # but in a session before
                journal.submitted(Evaluation(job, predicted=record.evaluations[id_].predicted))
            failure = observed if isinstance(observed, Failure) else None
            outcome = Outcome(
                job,
                "finished" if failure is None else "failed",
                None if isinstance(observed, Failure) else observed,
                failure,
                session.submitted.get(id_),
                now,
                _WORKER,
                metrics=read_metrics,
            )
            # Before the evaluation is in the record, so that what is there is known to be our own.
            with contextlib.closing(self._results(claim, record)) as results:
                journal.outcome(outcome)
                journal.sync()
                evaluation = record.end(outcome)
                results.extend([evaluation])
            with log_to(self._log_dir.log):
                log_outcome(evaluation)

    # -- the directory ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[Claim]:
        """Claim the directory, when the others that have it have left; as a context manager."""
        until = time.monotonic() + self._wait
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    claim = stack.enter_context(self._log_dir.claim(self._notify))
                    break
                except DirectoryInUse as error:
                    if time.monotonic() >= until:
                        raise self._in_use() from error
                    time.sleep(random.uniform(*_POLL))
            yield claim

    def _in_use(self) -> DirectoryInUse:
        holder = read_holder(self._log_dir.path)
        who = ""
        if holder is not None:
            who = f" by process {holder.pid or '?'} on {holder.host or 'another host'}"
        return DirectoryInUse(
            f"'{self._log_dir.path}' is in use{who}, after {self._wait:g} s still; try it again "
            f"when that has ended, or with a longer {argument('wait')}"
        )

    @contextlib.contextmanager
    def _session(
        self, seen: LastSession, problem: BaseProblem | None
    ) -> Iterator[tuple[Claim, Journal, LastSession]]:
        """Claim the directory and open its journal, in a session of asking and telling.

        Args:
            seen: the search before it was claimed.
            problem: whose points those of the journal have to be; None for any.
        """
        path = self._log_dir.path
        with (
            self._claimed() as claim,
            contextlib.closing(Journal(claim, self._clock)) as journal,
        ):
            session = seen
            if self._log_dir.journal.stat().st_size != seen.record.size:
                session = read_last_session(path, None if problem is None else problem.validate)
            record = session.record
            if problem is not None:
                self._log_dir.check_fits(record, problem)
            if not (session.is_open and is_ask_tell(record.settings)):
                record.settings = record.settings | {"search": ASK_TELL}
                record.max_evals = record.max_steps = record.timeout = None
                journal.begin(record)
                session = LastSession(record, True, {})
            yield claim, journal, session

    def _results(self, claim: Claim, record: Record) -> ResultsWriter:
        """Write the results of a search; return what adds further ones, to be closed."""
        names = list(record.space["hyperparameters"])
        return ResultsWriter(
            claim, names, record, lambda aside: self._notify(set_aside_notice(aside))
        )

    # -- the search -------------------------------------------------------------------------------

    def _problem(self) -> BaseProblem:
        """Return the search space, as the directory has it."""
        from deephyper.space_file import read_space

        path = self._log_dir.path / SPACE_FILE
        if not os.path.lexists(path):
            raise ResultsError(
                f"'{self._log_dir.path}' holds no {SPACE_FILE}, so it was not made for asking: "
                "continue its search with deephyper hps --resume, or make another directory with "
                "deephyper init"
            )
        return read_space(path).problem

    def _engine(self, record: Record) -> Settings:
        """Return the settings of the optimizer that the journal names."""
        from deephyper.registry import OPTIMIZERS

        name = record.settings.get("optimizer")
        if not isinstance(name, str) or name not in OPTIMIZERS:
            raise SettingsError(
                f"the search in '{self._log_dir.path}' has the optimizer {show(name)}, which is "
                f"not one of {', '.join(OPTIMIZERS.names)}; install the package that brings it"
            )
        kind: type[Settings] = OPTIMIZERS.load(name)
        fields = {field.name for field in dataclasses.fields(kind)}
        return kind(**{k: value for k, value in record.settings.items() if k in fields})

    def _proposals(
        self, problem: BaseProblem, record: Record, n_points: int, claim: Claim
    ) -> list[Proposal]:
        """Propose points by what the journal tells; leave to the next ask what was fitted."""
        settings = self._engine(record)
        engine = settings.create(problem, record.settings.get("seed"))
        optimizer: Proposer = engine
        if record.direction == "minimize":
            from deephyper.optimizer.minimized import Minimized

            optimizer = Minimized(engine)
        optimizer.tell_known([*record.known, *record.evaluations.observed()])
        pending = [each.job.point for each in record.evaluations.unfinished]
        if pending:
            optimizer.tell_pending(pending)
        engine.take_turns(len(record.evaluations))
        saved = read_model(claim.log_dir, settings.name)
        if saved is not None:
            engine.take_fitted(saved)
        proposals = optimizer.ask(n_points)
        fitted = engine.fitted()
        if fitted is not None and fitted != saved:
            save_model(claim, settings.name, fitted)
        return proposals

    def _untold(self, record: Record, id_: str) -> Job:
        """Return the job of an evaluation that can be told.

        Raises:
            ResultsError: if it can't.
        """
        evaluation = record.evaluations.find(id_)
        where = f"in '{self._log_dir.path}'"
        if evaluation is None:
            raise ResultsError(
                f"no evaluation {where} has the id {show(id_)}; give one that ask has printed"
            )
        outcome = evaluation.outcome
        if outcome is not None:
            what: str = outcome.status
            if outcome.objective is not None:
                what += f", objective {outcome.objective!r}"
            raise ResultsError(
                f"evaluation {id_} {where} has ended before ({what}); each is told once"
            )
        if id_ in record.paused:
            raise ResultsError(
                f"evaluation {id_} {where} is paused by a search; that one continues it, with "
                "deephyper hps --resume"
            )
        return evaluation.job


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _ignore(what: object) -> None:
    """Take no notice of what happens."""
