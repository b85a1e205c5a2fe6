"""The search that evaluates given points again and again: the loop without an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from deephyper.checks import whole
from deephyper.confirmation import DEFAULT_REPEATS
from deephyper.confirmation.candidates import Candidate, key_of
from deephyper.confirmation.ranking import Confirmed, ranked
from deephyper.errors import ProblemError, ResultsError, SettingsError
from deephyper.job import Estimate, Outcome, Proposal
from deephyper.objective import Direction, Failure, Objective
from deephyper.optimizer.proposer import Proposer
from deephyper.problem import BaseProblem
from deephyper.problem.point import Point, show
from deephyper.search.budget import DEFAULT_GRACE
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Record, StartCommand
from deephyper.search.search import Search
from deephyper.search.search_result import SearchResult

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator, RunFunction

_FIRST_SEED = 2**32
"""Added to the seed, so that no evaluation has one that it had in the search."""


class Confirmation(Search):
    """Evaluates each of some points several times; all of them once before any of them again.

    Args:
        candidates: the points.
        evaluator: where they are evaluated, or the run function, see
            :class:`~deephyper.search.search.Search`, as for what isn't explained here.
        repeats: how often each of them is evaluated.
        direction: says which objectives are better.
        num_workers: concurrent evaluations, where ``evaluator`` is a run function.
        log_dir: directory of its files, which is none of a search's; None keeps them in memory.
        seed: from which those of evaluations follow.
        resume: continue what is in ``log_dir``.
        retries: how often an evaluation is tried again whose worker died.
        grace: seconds that running evaluations get when the time limit is reached.
        on_start: called when a session has begun.
        on_outcome: called with each outcome.
        on_notice: called with a line for the user.
        command: the command line that starts it.
        progress: whether to show how it comes on.

    Raises:
        SettingsError: if an argument is out of its range or of a wrong type.
        ProblemError: if a hyperparameter has the name of a column of the results.
        RunFunctionError: if ``evaluator`` is neither an evaluator nor a run function.
    """

    name = "confirm"
    default_optimizer = "random"

    def __init__(
        self,
        candidates: Sequence[Candidate],
        evaluator: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
        repeats: int = DEFAULT_REPEATS,
        *,
        direction: Direction = "maximize",
        num_workers: int | None = None,
        log_dir: str | Path | None = ".",
        seed: int | None = None,
        resume: bool | Record = False,
        retries: int = 0,
        grace: float = DEFAULT_GRACE,
        on_start: Callable[[str], None] | None = None,
        on_outcome: Callable[[Outcome], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        command: StartCommand | None = None,
        progress: bool | Literal["auto"] = "auto",
    ) -> None:
        self.candidates = tuple(candidates)
        self.repeats = whole("n", repeats, 1)
        super().__init__(
            GivenPoints(self.candidates),
            evaluator,
            num_workers=num_workers,
            log_dir=log_dir,
            seed=seed,
            resume=resume,
            direction=direction,
            retries=retries,
            grace=grace,
            on_start=on_start,
            on_outcome=on_outcome,
            on_notice=on_notice,
            command=command,
            progress=progress,
        )

    @property
    def num_evaluations(self) -> int:
        """Number of evaluations in all."""
        return len(self.candidates) * self.repeats

    def confirm(self, timeout: float | str | None = None) -> tuple[SearchResult, list[Confirmed]]:
        """Evaluate what is left; return why it ended, and the points as they are ranked then.

        Args:
            timeout: seconds in all, or a text such as "30s", "10m", "2h".

        Raises:
            DeepHyperError: as :meth:`search`.
        """
        result = self.search(self.num_evaluations, timeout)
        return result, ranked(self.candidates, result.outcomes, self._direction)

    def _create_optimizer(self, record: Record) -> Proposer:
        return _Rounds([candidate.point for candidate in self.candidates])

    def _validate(self, point: dict[str, Any]) -> dict[str, Any]:
        raise SettingsError("this is a confirmation of given points, and takes no others")

    @property
    def _evaluation_seed(self) -> int:
        return _FIRST_SEED + super()._evaluation_seed

    @property
    def _settings(self) -> dict[str, Any]:
        settings = {"seed": self._seed, "search": self.name, "repeats": self.repeats}
        if self._direction == "minimize":
            settings["direction"] = self._direction
        return settings | {"candidates": [msgspec.to_builtins(each) for each in self.candidates]}


class GivenPoints(BaseProblem):
    """A problem of a few points, whose space is these alone.

    Args:
        candidates: the points.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        super().__init__()
        self._points = {key_of(each.point): each.point for each in candidates}

    @property
    def hyperparameter_names(self) -> list[str]:
        return list(dict.fromkeys(name for point in self._points.values() for name in point))

    def validate(self, point: Any, complete: bool = False) -> Point:
        if key_of(point) not in self._points:
            raise ProblemError(f"{show(point)} is none of the points to confirm")
        return dict(point)

    def describe(self) -> dict[str, Any]:
        given = {name: {"type": "given"} for name in self.hyperparameter_names}
        return {"hyperparameters": given, "conditions": [], "forbiddens": []}


class _Rounds:
    """Proposes points in turn: always the one that was evaluated least.

    Args:
        points: the points.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = {key_of(point): point for point in points}
        self._counts = dict.fromkeys(self._points, 0)

    @property
    def description(self) -> str:
        """One line for the log."""
        return f"{len(self._points)} points in turn"

    def ask(self, n_points: int) -> list[Proposal]:
        """Propose those that come next."""
        proposals = []
        for _ in range(n_points):
            key = min(self._counts, key=self._counts.__getitem__)
            self._counts[key] += 1
            proposals.append(Proposal(dict(self._points[key])))
        return proposals

    def tell(self, x: Sequence[Point], y: Sequence[Objective | Failure]) -> None:
        """Take no notice: they were counted when they were asked for."""

    def tell_known(self, known: Sequence[tuple[Point, Objective | Failure]]) -> None:
        """Count evaluations of earlier sessions."""
        self.tell_pending([point for point, _ in known])

    def tell_pending(self, points: Sequence[Point]) -> None:
        """Count evaluations that are being made and were not asked for."""
        for point in points:
            self._counts[key_of(point)] += 1

    def tell_partial(self, points: Sequence[Point], estimates: Sequence[Estimate]) -> None:
        """Do nothing: a confirmation has no stopper."""

    def forget(self, points: Sequence[Point]) -> None:
        """Count points no longer of which nothing will come."""
        for point in points:
            self._counts[key_of(point)] -= 1


class _Candidate(Struct, forbid_unknown_fields=True):
    point: dict[str, bool | int | float | str | None]
    objective: float
    id: int | str | None


class _Settings(Struct):
    """The settings of a confirmation, as its journal holds them."""

    search: Literal["confirm"]
    repeats: Annotated[int, Meta(ge=1)]
    candidates: Annotated[list[_Candidate], Meta(min_length=1)]
    direction: Direction = "maximize"
    seed: Annotated[int, Meta(ge=0)] | None = None


@dataclass(frozen=True)
class Earlier:
    """The earlier sessions of a confirmation, as far as they decide what the next one does.

    Attributes:
        candidates: the points.
        repeats: how often each of them is evaluated.
        direction: says which objectives are better.
        seed: from which those of evaluations follow.
    """

    candidates: list[Candidate]
    repeats: int
    direction: Direction
    seed: int | None


def earlier(log_dir: LogDir) -> Earlier:
    """Return what the journal in a directory says of a confirmation.

    Raises:
        ResultsError: if there is none, or it can't be read.
    """
    from deephyper.search.replay import read_journal

    settings = read_journal(log_dir.path).settings
    if settings.get("search") != Confirmation.name:
        raise ResultsError(
            f"'{log_dir.path}' holds a search and no confirmation; give its results to be "
            "confirmed, or the directory of a confirmation"
        )
    try:
        found = msgspec.convert(settings, _Settings)
    except msgspec.ValidationError as error:
        raise ResultsError(
            f"'{log_dir.journal}' is damaged: its settings are not those of a confirmation "
            f"({error}); restore it from a copy"
        ) from error
    candidates = [Candidate(each.point, each.objective, each.id) for each in found.candidates]
    return Earlier(candidates, found.repeats, found.direction, found.seed)
