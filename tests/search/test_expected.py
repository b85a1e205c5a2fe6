"""What an optimizer learns of evaluations that still run."""

from __future__ import annotations

import math
import signal
from pathlib import Path

import pytest

from deephyper.job import Estimate, Proposal
from deephyper.search.replay import read_journal
from deephyper.stopper import Stopper, early_stopping
from tests.search.paused_trainings import STEPS, Listening, Trainings
from tests.search.virtual_search import raise_signal_at


class Foreseeing(Stopper):
    """Ends nothing early, and expects evaluations to end as they were at their last report."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}

    def report(self, id: str, step: int, objective: float) -> bool:
        self.last[id] = objective
        return False

    def estimate(self, id: str) -> Estimate | None:
        return Estimate(self.last[id], 0.25)


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    """Of which the first is the shortest, on two workers."""
    trainings = Trainings(tmp_path / "log", workers=2)
    trainings.steps_of = lambda job: 4 if job.id == "0" else STEPS
    trainings.value = lambda job: 10.0 + int(job.id)
    return trainings


def test_before_a_proposal_it_learns_what_is_expected_of_those_that_run(
    trainings: Trainings,
) -> None:
    result = trainings.session(3, stopper=Foreseeing())
    (second,) = [o for o in result.outcomes if o.job.id == "1"]
    # At 4 s the first ends, and the second has made 4 of its 10 steps.
    assert Listening.last.partial == [(second.job.point["x"], Estimate(11.0 * 4 / STEPS, 0.25))]
    assert len(Listening.last.observations) == 3
    assert Listening.last.pending == []


def test_only_those_that_have_reported_since_are_looked_at(trainings: Trainings) -> None:
    silent = Foreseeing()
    trainings.steps_of = lambda job: STEPS if job.id == "1" else 2
    trainings.session(6, stopper=silent)
    xs = [x for x, _ in Listening.last.partial]
    means = [estimate.mean for _, estimate in Listening.last.partial]
    assert set(xs) == {xs[0]}
    assert means == sorted(means)
    assert len(set(means)) == len(means) == 4


def test_a_search_that_minimizes_tells_the_optimizer_what_it_maximizes(
    trainings: Trainings,
) -> None:
    trainings.session(3, stopper=Foreseeing(), direction="minimize")
    ((_, estimate),) = Listening.last.partial
    assert estimate == Estimate(-11.0 * 4 / STEPS, 0.25)


def test_of_a_crowd_nothing_is_told(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_stopping, "_MOST_RUNNING", 0)
    trainings.session(3, stopper=Foreseeing())
    assert Listening.last.partial == []


def test_a_resumed_search_knows_what_was_running(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (4.2, signal.SIGINT), (4.2, signal.SIGINT))
    trainings.session(4, stopper=Foreseeing())
    second = trainings.submitted[1]
    assert read_journal(trainings.log_dir).unfinished[0].job.id == second.id == "1"
    trainings.workers = 3  # so that the session begins with a proposal
    trainings.session(4, stopper=Foreseeing())
    assert Listening.last.partial[0] == (second.point["x"], Estimate(11.0 * 4 / STEPS, 0.25))


class Late(Stopper):
    """Ends everything at its second step; keeps what it is told."""

    pauses = True

    def __init__(self) -> None:
        self.told: dict[str, list[int]] = {}
        self.paused: list[str] = []

    def report(self, id: str, step: int, objective: float) -> bool:
        self.told.setdefault(id, []).append(step)
        return step == 2

    def pause(self, id: str) -> None:
        self.paused.append(id)
        assert self.told[id] == [1, 2]

    def take_up(self, proposal: Proposal | None) -> str | None:
        return self.paused.pop(0) if self.paused and proposal is None else None


def test_what_comes_after_the_decision_is_told_when_the_evaluation_continues(
    tmp_path: Path,
) -> None:
    """So proposals don't depend on how long it takes to notice."""
    trainings = Trainings(tmp_path / "log", paused_at=2)
    rule = Late()
    trainings.session(2, stopper=rule)
    assert rule.told == {"0": [*range(1, STEPS + 1)], "1": [*range(1, STEPS + 1)]}


def test_estimates_that_are_no_numbers_are_left_out(trainings: Trainings) -> None:
    class Lost(Foreseeing):
        def estimate(self, id: str) -> Estimate | None:
            return Estimate(math.nan, math.inf)

    trainings.session(3, stopper=Lost())
    assert Listening.last.partial == []
