"""A search as its user configures it: problem, evaluator, optimizer, and where results go."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from deephyper.checks import duration, real, user_path, whole, whole_or_none
from deephyper.clock import Clock
from deephyper.errors import DeepHyperError, EvaluatorError, ProblemError, SettingsError, argument
from deephyper.evaluator import Evaluator
from deephyper.evaluator.cache import Cache
from deephyper.interrupt import Interrupt
from deephyper.job import Outcome
from deephyper.objective import Direction
from deephyper.optimizer.create import DEFAULT_OPTIMIZER, create_optimizer, read_optimizer
from deephyper.optimizer.minimized import Minimized
from deephyper.optimizer.proposer import Proposer
from deephyper.optimizer.settings import Settings
from deephyper.registry import STOPPERS
from deephyper.search import results_file
from deephyper.search.budget import DEFAULT_GRACE, DEFAULT_STOP_GRACE, Budget, Policy
from deephyper.search.log import warm_start_notice
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Record, StartCommand
from deephyper.search.search_result import SearchResult
from deephyper.search.session import Session
from deephyper.search.store import FileStore, MemoryStore, Store
from deephyper.search.warm_start import known_results
from deephyper.stopper.create import made_stopper, read_stopper
from deephyper.stopper.early_stopping import EarlyStopping
from deephyper.stopper.settings import StopperSettings
from deephyper.stopper.stopper import Stopper

if TYPE_CHECKING:
    from deephyper.evaluator import RunFunction
    from deephyper.optimizer import AskTell
    from deephyper.problem import BaseProblem
    from deephyper.progress.progress import Progress
    from deephyper.progress.state import Standing

_log = logging.getLogger("deephyper.search")


class Search:
    """Searches a problem with an optimizer on an evaluator.

    Args:
        problem: the space to search.
        evaluator: where points are evaluated; closing it is left to the caller. Or the run function
            itself, or where to find it: then each call of :meth:`search` makes an evaluator of
            processes and closes it.
        optimizer: name of an engine ("bayesian", "skopt", "random", or one that another package
            brings), settings of one (``SkoptSettings("RF")``), or an object of your own with
            ``ask()`` and ``tell(point, objective)``; None for the default of the class.
        num_workers: concurrent evaluations, where ``evaluator`` is a run function; None for 1.
        log_dir: directory for the journal, results.csv and deephyper.log; None keeps the search in
            memory.
        seed: makes the proposals reproducible where one worker is used.
        resume: continue the search in ``log_dir``; or what :meth:`LogDir.inspect` has read of it.
        warm_start: results file of an earlier search to learn from; what doesn't fit the space any
            more is left out, and the user is told.
        max_failures: end after so many failures in a row.
        direction: "maximize" or "minimize" the objective.
        stopper: rule that ends evaluations early by what they report: its name ("curve", "asha",
            "median", "none"), its settings, or a :class:`~deephyper.stopper.Stopper` of your own,
            which must know of no evaluation yet; None for "curve" with the default optimizer,
            "none" with another, and in a resumed search that of its last session.
        stop_grace: seconds after which an evaluation is ended that was asked to end early.
        target: end when an evaluation has an objective as good as this.
        patience: end after so many evaluations in a row without an improvement.
        min_delta: an improvement exceeds the last one by more than this.
        stop_when_done: end when the model expects of no evaluation any more an improvement of more
            than a share of what was gained: this share, or True for 0.01. It takes an engine with
            a model.
        retries: how often an evaluation is tried again whose worker died.
        cache_key: "uuid" evaluates every point; "to_dict" evaluates equal points once; or a
            function that gives a key for a point (or its dotted path). A point whose key is that of
            a finished one gets its objective; nothing waits for one that is running.
        grace: seconds that running evaluations get when the time limit is reached or SIGTERM came.
        sigterm_grace: seconds that they get when SIGTERM came, if not those.
        on_start: called with the optimizer's description when a session has begun.
        on_outcome: called with the outcome of each evaluation that has ended; at the end of a
            session also of those that are paused, which count as pruned until they continue.
        on_notice: called with a line for the user.
        clock: what times are read from; None for the evaluator's own.
        command: the command line that starts it, which the journal keeps.
        progress: show how the search comes on, in the cell of a notebook or on standard error;
            "auto" does so in a notebook and where standard error is a terminal.

    Raises:
        SettingsError: if an argument is out of its range or of a wrong type.
        ProblemError: if a hyperparameter has the name of a column of the results.
        RunFunctionError: if ``evaluator`` is neither an evaluator nor a run function.
    """

    name: ClassVar[str] = "search"
    """What the journal calls this kind of search."""
    default_optimizer: ClassVar[str] = DEFAULT_OPTIMIZER

    def __init__(
        self,
        problem: BaseProblem,
        evaluator: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
        optimizer: str | Settings | AskTell | None = None,
        *,
        num_workers: int | None = None,
        log_dir: str | Path | None = ".",
        seed: int | None = None,
        resume: bool | Record = False,
        warm_start: str | Path | None = None,
        max_failures: int | None = None,
        direction: Direction = "maximize",
        stopper: str | StopperSettings | Stopper | None = None,
        stop_grace: float = DEFAULT_STOP_GRACE,
        target: float | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        stop_when_done: bool | float = False,
        retries: int = 0,
        cache_key: str | Callable[[dict[str, Any]], Any] = "uuid",
        grace: float = DEFAULT_GRACE,
        sigterm_grace: float | None = None,
        on_start: Callable[[str], None] | None = None,
        on_outcome: Callable[[Outcome], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        clock: Clock | None = None,
        command: StartCommand | None = None,
        progress: bool | Literal["auto"] = "auto",
    ) -> None:
        check_names(problem)
        _check_start(log_dir, resume, warm_start)
        self.problem = problem
        self._run_or_evaluator = _checked_evaluator(evaluator, num_workers)
        self._num_workers = whole_or_none("num_workers", num_workers, 1)
        self._optimizer = read_optimizer(self.default_optimizer if optimizer is None else optimizer)
        self._seed = whole_or_none("seed", seed, 0)
        self._resume = bool(resume)
        self._earlier = resume if isinstance(resume, Record) else None
        self._warm_start = (
            None if warm_start is None else user_path(argument("warm_start"), warm_start)
        )
        self._stopper = read_stopper(stopper)
        self._wants_reports = stopper is not None
        if direction not in get_args(Direction):
            raise SettingsError(f"direction is {direction!r}; give 'maximize' or 'minimize'")
        self._direction: Direction = direction
        self._budget = Budget(
            max_failures=max_failures,
            target=target,
            patience=patience,
            min_delta=min_delta,
            stop_when_done=stop_when_done,
        )
        if self._budget.worth is not None:
            _check_model(self._optimizer)
        grace = real("grace", grace, unit="seconds")
        self._policy = Policy(
            retries=whole("retries", retries, 0),
            grace=grace,
            sigterm_grace=(
                grace
                if sigterm_grace is None
                else real("sigterm_grace", sigterm_grace, unit="seconds")
            ),
            stop_grace=real("stop_grace", stop_grace, unit="seconds"),
        )
        self._cache_key = cache_key
        Cache(cache_key)  # so that a key that can't be used is refused now
        self._on_start = on_start
        self._on_outcome = on_outcome
        self._on_notice = on_notice
        if progress not in (True, False, "auto"):
            raise SettingsError(f"progress is {progress!r}; give True, False or 'auto'")
        self._shows_progress = progress
        self._progress: Progress | None = None
        self._session: Session | None = None
        self._command = command
        self._clock = clock or (evaluator.clock if isinstance(evaluator, Evaluator) else Clock())
        self.log_dir = None if log_dir is None else LogDir(log_dir).path
        self._store: Store = (
            MemoryStore(self._clock)
            if self.log_dir is None
            else FileStore(LogDir(self.log_dir), self._clock)
        )

    def search(
        self,
        max_evals: int | None = None,
        timeout: float | str | None = None,
        *,
        max_steps: int | None = None,
    ) -> SearchResult:
        """Search until the budget is used up; called again, continue with a larger one.

        Args:
            max_evals: evaluations in all, those of earlier sessions included. Without it,
                ``timeout`` and ``max_steps`` a new search makes 100, and a resumed one keeps its
                budget.
            timeout: seconds in all, or a text such as "30s", "10m", "2h".
            max_steps: steps (epochs, say) in all, as evaluations report them. None is cut in its
                middle: a new one begins only if the rest suffices for one as long as the longest.

        Raises:
            SettingsError: if one of them isn't a positive number, or the cache key fails.
            ResultsError: if the log directory holds another search or can't be written.
            RunFunctionError: if the run function can't be loaded.
            ProblemError: on a resume with another space.
        """
        seconds = None if timeout is None else duration("timeout", timeout)
        budget = dataclasses.replace(
            self._budget, max_evals=max_evals, timeout=seconds, max_steps=max_steps
        )
        # Before anything is written or started: what doesn't suit the space is refused here.
        record = self._begin()
        optimizer = self._create_optimizer(record)
        if self._stopper is None:
            self._stopper = _stopper_of(record, self._optimizer)
        rule = made_stopper(self._stopper, self._direction)
        stopping = EarlyStopping(rule, needs_reports=self._wants_reports)
        if stopping.pauses:
            self._store.keep_directories()
        with self._open_evaluator() as evaluator, self._shown(record, budget, evaluator):
            evaluator.search_name = "" if self.log_dir is None else self.log_dir.name
            for line in evaluator.wait_for_workers(budget.timeout):
                self._notify(line)
            evaluator.check(budget.timeout)
            with (
                Interrupt(self._clock) as interrupt,
                self._store.open(self.problem, record, self._notify) as (record, recorder),
            ):
                budget = budget.over_sessions(record)
                record.settings, record.command = self._settings, self._command
                record.max_evals, record.timeout = budget.max_evals, budget.timeout
                record.max_steps = budget.max_steps
                self._session = session = Session(
                    record,
                    budget,
                    optimizer,
                    evaluator,
                    recorder,
                    policy=self._policy,
                    cache=Cache(self._cache_key),
                    interrupt=interrupt,
                    clock=self._clock,
                    directory_of=self._store.evaluation_directory,
                    seed=self._evaluation_seed,
                    stopping=stopping,
                    validate=self._validate,
                    on_start=self._begun,
                    on_outcome=self._ended,
                    notify=self._notify,
                )
                reason = session.run()
                self._resume = True
                return SearchResult(
                    reason,
                    record.shown,
                    tuple(self.problem.hyperparameter_names),
                    self.log_dir,
                    interrupt.signal,
                    session.seconds,
                    self._direction,
                )

    def standing(self) -> Standing | None:
        """Return what only a running search knows of itself; None before it runs."""
        return None if self._session is None else self._session.standing

    def _begin(self) -> Record:
        earlier, self._earlier = self._earlier, None
        record = earlier or self._store.inspect(self.problem, self._resume)
        if record.resumed and record.direction != self._direction:
            raise SettingsError(
                f"the search was started to {record.direction} the objective, and is resumed to "
                f"{self._direction} it; give "
                f"{argument('direction', repr(record.direction), record.direction)}"
            )
        if not record.resumed and self._warm_start is not None:
            record.known, report = known_results(self._warm_start, self.problem, self._direction)
            self._notify(warm_start_notice(report))
        return record

    def _create_optimizer(self, record: Record) -> Proposer:
        # A resumed search with the seed of the first session would propose its points again.
        seed = None if self._seed is None else self._seed + len(record.evaluations)
        optimizer = create_optimizer(self.problem, self._optimizer, seed=seed)
        return Minimized(optimizer) if self._direction == "minimize" else optimizer

    def _validate(self, point: dict[str, Any]) -> dict[str, Any]:
        """Return a point of the user's in its canonical form, with defaults where values miss."""
        return self.problem.validate(point, complete=True)

    @property
    def _evaluation_seed(self) -> int:
        """The seed from which those of evaluations follow."""
        return self._seed or 0

    @property
    def _settings(self) -> dict[str, Any]:
        """The settings, as the journal holds them."""
        about: dict[str, Any] = {"seed": self._seed, "search": self.name}
        if self._direction == "minimize":
            about["direction"] = self._direction
        if isinstance(self._optimizer, Settings):
            about |= {"optimizer": self._optimizer.name, **dataclasses.asdict(self._optimizer)}
        else:
            about["optimizer"] = type(self._optimizer).__qualname__
        if isinstance(self._stopper, StopperSettings):
            about["stopper"] = {"name": self._stopper.name, **dataclasses.asdict(self._stopper)}
        elif self._stopper is not None:
            about["stopper"] = {"name": type(self._stopper).__qualname__}
        return about

    @contextlib.contextmanager
    def _open_evaluator(self) -> Iterator[Evaluator]:
        given = self._run_or_evaluator
        if not isinstance(given, Evaluator):
            with Evaluator.create(given, num_workers=self._num_workers) as evaluator:
                yield evaluator
            return
        if not given.idle:
            raise EvaluatorError(
                "the evaluator has evaluations that no search submitted; gather() or cancel() them "
                "first, or make another evaluator"
            )
        yield given

    @contextlib.contextmanager
    def _shown(self, record: Record, budget: Budget, evaluator: Evaluator) -> Iterator[None]:
        """Show how the search comes on meanwhile, where somebody looks."""
        from deephyper.progress.create import create_progress

        budget = budget.over_sessions(record)
        progress = create_progress(
            self._shows_progress,
            budget.max_evals,
            len(record.ended),
            record.best,
            failed_before=record.num_failed,
            pruned_before=record.num_pruned,
            seconds_before=record.busy,
            seconds_left=None if budget.timeout is None else budget.timeout - record.seconds,
            direction=self._direction,
            num_workers=evaluator.num_workers,
        )
        self._session = None
        if progress is None:
            yield
            return
        with progress:
            progress.follow(evaluator, self.standing)
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None

    def _begun(self, description: str) -> None:
        if self._progress is not None:
            names = len(self.problem.hyperparameter_names)
            self._progress.begin(f"searching {names} hyperparameters by {description}")
        if self._on_start is not None:
            self._on_start(description)

    def _ended(self, outcome: Outcome) -> None:
        if self._progress is not None:
            self._progress.show(outcome)
        if self._on_outcome is not None:
            self._on_outcome(outcome)

    def _notify(self, text: str) -> None:
        _log.info("%s", text)
        if self._progress is not None:
            self._progress.notice(text)
        if self._on_notice is not None:
            self._on_notice(text)


def check_names(problem: BaseProblem) -> None:
    """Check that no hyperparameter has the name of a column of the results.

    Raises:
        ProblemError: if one has.
    """
    for name in problem.hyperparameter_names:
        if name in results_file.COLUMNS:
            raise ProblemError(
                f"hyperparameter '{name}' has the name of a column of {results_file.FILE_NAME}; "
                "rename it"
            )


def _stopper_of(record: Record, optimizer: Settings | AskTell) -> StopperSettings:
    """Return the rule where none is asked for: of a resumed search, that of its last session."""
    before = dict(record.settings.get("stopper") or {"name": "none"})
    name = before.pop("name", "none")
    if record.resumed and name in STOPPERS:
        with contextlib.suppress(TypeError, DeepHyperError):  # another version has other settings
            settings: StopperSettings = STOPPERS.load(name)(**before)
            return settings
    engine = optimizer if isinstance(optimizer, Settings) else Settings
    default: StopperSettings = STOPPERS.load(engine.default_stopper)()
    return default


def _check_model(optimizer: Settings | AskTell) -> None:
    """Raise SettingsError where proposals come without predictions."""
    if isinstance(optimizer, Settings):
        name, predicts = optimizer.name, optimizer.predicts
    else:
        name, predicts = type(optimizer).__name__, hasattr(optimizer, "predict")
    if predicts:
        return
    raise SettingsError(
        f"{argument('stop_when_done')} goes by what a model expects, and {name!r} has none; "
        f"leave it out, or choose {DEFAULT_OPTIMIZER!r}"
    )


def _check_start(
    log_dir: str | Path | None, resume: bool | Record, warm_start: str | Path | None
) -> None:
    if resume and warm_start is not None:
        raise SettingsError(
            f"{argument('resume')} continues a search and {argument('warm_start')} starts a new "
            "one; leave out one of them"
        )
    if resume and log_dir is None:
        raise SettingsError("a search that is kept in memory can't be resumed; give its log_dir")


def _checked_evaluator(
    given: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
    num_workers: int | None,
) -> Evaluator | RunFunction:
    from deephyper.evaluator import RunFunction

    if not isinstance(given, Evaluator):
        return RunFunction.of(given)
    if num_workers is not None:
        raise SettingsError(
            "num_workers is given and so is an evaluator, which has its own; give the run function "
            "instead of an evaluator, or leave out num_workers"
        )
    return given
