"""The reports of evaluations, as their journal tells of them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from deephyper.objective import Direction, Objective, is_better
from deephyper.search import events


@dataclass
class Curve:
    """The reports of an evaluation, in the order in which they came.

    Attributes:
        steps: of each report.
        objectives: likewise.
    """

    steps: array[int] = field(default_factory=lambda: array("q"))
    objectives: array[float] = field(default_factory=lambda: array("d"))

    def by_step(self) -> tuple[list[int], list[float]]:
        """Return the steps in their order, and the objectives; of a step reported again the last.

        A second attempt begins anew, or continues from a checkpoint.
        """
        last = dict(zip(self.steps, self.objectives, strict=True))
        steps = sorted(last)
        return steps, [last[step] for step in steps]


class Curves:
    """The reports of all evaluations, by id.

    Attributes:
        reports: id -> its curve.
        ended: id -> what came of the evaluation.
        best: id of the best finished one; None without one.
        direction: says which objectives are better.
    """

    def __init__(self) -> None:
        self.reports: dict[str, Curve] = {}
        self.ended: dict[str, str] = {}
        self.best: str | None = None
        self.direction: Direction = "maximize"
        self._best_objective: Objective | None = None

    def take(self, event: events.AnyEvent) -> None:
        """Take the next event of a journal."""
        match event:
            case events.Reported():
                curve = self.reports.get(event.id)
                if curve is None:
                    curve = self.reports[event.id] = Curve()
                curve.steps.append(event.step)
                curve.objectives.append(event.objective)
            # Before what these are kinds of.
            case events.Pruned() | events.Paused():
                self.ended[event.id] = "ended early"
            case events.Finished():
                self.ended[event.id] = "finished"
                if is_better(event.objective, self._best_objective, self.direction):
                    self.best, self._best_objective = event.id, event.objective
            case events.Failure():
                self.ended[event.id] = "failed"
            case events.SearchBegan() | events.Resumed():
                if event.settings.get("direction") == "minimize":
                    self.direction = "minimize"


def spread(ids: list[str], most: int) -> list[str]:
    """Return so many of the ids at most, spread over the search."""
    if len(ids) <= most:
        return ids
    return [ids[round(i * (len(ids) - 1) / (most - 1))] for i in range(most)]
