"""A search as it stands: its evaluations, its budget, its sessions. Held here and nowhere else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deephyper.job import Job, Outcome, Proposal
from deephyper.objective import Failure, Objective, best_of


@dataclass
class Evaluation:
    """One evaluation of a search.

    Attributes:
        job: id, point, attempt and directory.
        outcome: None while it is unfinished.
        predicted: the objective that the optimizer's model expected, and its standard deviation.
    """

    job: Job
    outcome: Outcome | None = None
    predicted: tuple[float, float] | None = None

    @classmethod
    def of(cls, job: Job, proposal: Proposal) -> Evaluation:
        """Return the evaluation of a proposal; a prediction that isn't finite is none."""
        expected = proposal.prediction
        if expected is None or not (math.isfinite(expected.mean) and math.isfinite(expected.std)):
            return cls(job)
        return cls(job, predicted=(expected.mean, expected.std))


@dataclass(frozen=True)
class StartCommand:
    """The command line that a session was started with.

    Attributes:
        directory: the working directory, absolute; empty where it could not be determined.
        options: those that were given, each with its value; files are absolute.
    """

    directory: str
    options: dict[str, str]


@dataclass
class Record:
    """A search as its journal tells it, or as it is in memory.

    Attributes:
        space: description of the search space.
        settings: those of the last session.
        command: that the last session was started with; None for a search from Python.
        max_evals, timeout: budget of the last session.
        evaluations: by id, in the order of submission.
        order: ids in the order in which they ended.
        known: points from elsewhere (a warm start) with what came of them.
        seconds: how long its earlier sessions have lasted together.
        resumed: whether there were earlier sessions.
        size: bytes of the journal that it was read from.
        next_number: the number that is the id of the next evaluation.
    """

    space: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    command: StartCommand | None = None
    max_evals: int | None = None
    timeout: float | None = None
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    known: list[tuple[dict[str, Any], Objective | Failure]] = field(default_factory=list)
    seconds: float = 0.0
    resumed: bool = False
    size: int = field(default=0, compare=False)
    next_number: int = field(default=0, init=False)

    @property
    def ended(self) -> list[Evaluation]:
        """Evaluations with an outcome, in the order in which they ended."""
        return [self.evaluations[id_] for id_ in self.order]

    @property
    def best(self) -> Outcome | None:
        """The finished evaluation with the best objective, the first of equals."""
        return best_finished(e.outcome for e in self.ended if e.outcome is not None)

    @property
    def unfinished(self) -> list[Evaluation]:
        """Evaluations without an outcome, in the order of submission."""
        return [e for e in self.evaluations.values() if e.outcome is None]

    @property
    def next_id(self) -> str:
        """Id of the next evaluation: one that no evaluation has had, wherever ids are missing."""
        return str(self.next_number)

    def add(self, evaluation: Evaluation) -> None:
        """Take an evaluation that is submitted, for the first time or again."""
        self.evaluations[evaluation.job.id] = evaluation
        self.next_number = max(self.next_number, int(evaluation.job.id) + 1)

    def end(self, outcome: Outcome) -> Evaluation:
        """Take the outcome that an evaluation has ended with; return the evaluation."""
        evaluation = self.evaluations[outcome.job.id]
        if evaluation.outcome is None:
            self.order.append(outcome.job.id)
        evaluation.outcome = outcome
        return evaluation

    def retry(self, job: Job) -> Job:
        """Take note that an attempt has failed and another follows; return the job of that one."""
        again = dataclasses.replace(job, attempt=job.attempt + 1)
        self.evaluations[job.id].job = again
        return again


def best_finished(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the finished one with the best objective, the first of equals; pruned ones are not."""
    finished = (outcome for outcome in outcomes if outcome.status == "finished")
    return best_of(finished, lambda outcome: outcome.objective)
