"""Evaluations that are paused over sessions of a search, and what its optimizer is told of them."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from deephyper.job import Estimate, Prediction, Proposal
from deephyper.search.replay import read_journal
from deephyper.stopper import Stopper
from tests.search.paused_trainings import (
    STEPS,
    Listening,
    Pausing,
    Trainings,
    at_the_end,
)
from tests.search.virtual_search import raise_signal_at


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "search")


# Interruptions.


def test_an_interrupted_search_leaves_it_paused_and_a_resumed_one_takes_it_up(
    trainings: Trainings,
) -> None:
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    result = trainings.session(4, stopper=Pausing())
    assert (result.reason, result.num_evaluations) == ("interrupted", 3)
    assert [(o.status, o.step) for o in result.outcomes] == [("pruned", 4)] * 3
    paused = "3 evaluations are paused, and may continue when the search is resumed"
    assert trainings.notices[-1] == paused
    record = read_journal(trainings.log_dir)
    assert [*record.paused] == ["0", "1", "2"]
    assert record.unfinished == []
    rule = Pausing(take_up=at_the_end)
    result = trainings.session(4, stopper=rule)
    # Nothing but new ones, until it is taken up.
    assert [(j.id, j.attempt) for j in trainings.submitted] == [
        ("3", 1), ("0", 2), ("1", 2), ("2", 2), ("3", 2),
    ]  # fmt: skip
    assert trainings.submitted[1].directory == str(trainings.log_dir / "evaluations" / "0")
    assert [o.status for o in result.outcomes] == ["finished"] * 4
    assert {o.elapsed_sec for o in result.outcomes} == {9.5}
    assert rule.reports["0"] == [(s, rule.reports["0"][s - 1][1]) for s in range(1, STEPS + 1)]


def test_a_rule_is_told_of_what_earlier_sessions_have_paused(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    trainings.session(4, stopper=Pausing())
    rule = Pausing()
    trainings.session(3, stopper=rule)
    assert rule.paused == ["0", "1", "2"]
    assert [len(rule.reports[id_]) for id_ in "012"] == [4, 4, 4]


def test_one_that_was_stopped_after_it_was_taken_up_runs_again(trainings: Trainings) -> None:
    # The first is paused at 3.5, taken up at once, and stopped at its eighth step.
    raise_signal_at(trainings.clock, (7.2, signal.SIGINT), (7.3, signal.SIGINT))
    first = Pausing(take_up=lambda proposal, paused: paused[0] if paused else None)
    trainings.session(1, stopper=first)
    record = read_journal(trainings.log_dir)
    assert [(e.job.id, e.job.attempt) for e in record.unfinished] == [("0", 2)]
    result = trainings.session(1, stopper=Pausing(take_up=at_the_end))
    assert [(j.id, j.attempt) for j in trainings.submitted] == [("0", 2)]
    assert [o.status for o in result.outcomes] == ["finished"]
    # What it did until it was stopped has no end, and so no time.
    assert result.outcomes[0].elapsed_sec == 9.5
    assert read_journal(trainings.log_dir).reports.steps > STEPS


def test_without_a_rule_it_stays_paused_until_the_end(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    trainings.session(4, stopper=Pausing())
    result = trainings.session(4)
    assert [(j.id, j.attempt) for j in trainings.submitted] == [("3", 1)]
    assert sorted((o.job.id, o.status) for o in result.outcomes) == [
        ("0", "pruned"), ("1", "pruned"), ("2", "pruned"), ("3", "finished"),
    ]  # fmt: skip


def test_the_rule_of_the_documentation_works(trainings: Trainings) -> None:
    page = Path(__file__).parents[2] / "docs" / "evaluations.md"
    (code,) = re.findall(
        r"```python\n(from deephyper.stopper import.*?)```", page.read_text(), re.S
    )
    names: dict[str, Any] = {}
    exec(code, names)
    trainings._made = 6
    result = trainings.session(12, stopper=names["LaterPerhaps"]())
    assert [o.status for o in result.outcomes] == ["finished"] * 12
    assert 1 < len([job for job in trainings.submitted if job.attempt == 2]) < 12


# The optimizer.


def test_the_optimizer_is_told_what_is_expected(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    trainings.session(4, stopper=Pausing(std=0.5))
    told = Listening.last
    paused = read_journal(trainings.log_dir).paused
    points = {id_: outcome.job.point["x"] for id_, outcome in paused.items()}
    # By the report at which it was asked to end, whenever it has noticed.
    assert told.partial[0] == (points["0"], Estimate(points["0"] * 3 / STEPS, 0.5))
    assert told.observations == []
    trainings.session(4, stopper=Pausing(std=0.25))
    told = Listening.last
    assert told.partial[:3] == [
        (o.job.point["x"], Estimate(o.objective, 0.25)) for o in paused.values() if o.objective
    ]
    assert {point["x"] for point in told.pending} >= set(points.values())
    assert told.observations == []


def test_without_an_estimate_it_is_pending(trainings: Trainings) -> None:
    trainings.session(3, stopper=Pausing())
    assert Listening.last.partial == []
    assert Listening.last.observations == []
    assert len(Listening.last.pending) == 3
    # Pruned since, it is known by its last report, as of a rule that does not pause.
    trainings.session(4)
    assert len(Listening.last.observations) >= 3


class Expecting(Stopper):
    """Prunes everything at its third step, and says what it expects."""

    def report(self, id: str, step: int, objective: float) -> bool:
        return step == 3

    def estimate(self, id: str) -> Estimate | None:
        return Estimate(0.5 + int(id), 0.25)


def test_of_pruned_ones_it_learns_the_estimate_in_this_session_and_the_next(
    trainings: Trainings,
) -> None:
    first = trainings.session(3, stopper=Expecting())
    expected = [(o.job.point["x"], Estimate(0.5 + i, 0.25)) for i, o in enumerate(first.outcomes)]
    assert Listening.last.partial == expected
    assert Listening.last.observations == []
    trainings.session(5, stopper=Expecting())
    assert Listening.last.partial[:3] == expected
    assert Listening.last.observations == []


def test_a_search_that_minimizes_turns_the_signs_for_the_rule_alone(trainings: Trainings) -> None:
    class Predicting(Listening):
        def _predict(self, key: Any, point: Any) -> Prediction:
            return Prediction(0.25, 0.125, 0.0)

    trainings.make_optimizer = Predicting
    rule = Pausing(std=0.5, take_up=at_the_end, at_most=9.0)
    result = trainings.session(2, stopper=rule, direction="minimize")
    assert [o.status for o in result.outcomes] == ["finished"] * 2
    assert all(y < 0 for told in rule.reports.values() for _, y in told)
    # Both maximize, so they speak of the same.
    (x, estimate), *_ = Listening.last.partial
    assert estimate == Estimate(-x * 3 / STEPS, 0.5)
    (proposal,) = [p for p in rule.proposals if p is not None]
    assert isinstance(proposal, Proposal)
    assert proposal.prediction == Prediction(0.25, 0.125, 0.0)
    assert rule.ended[0] == ("0", -result.outcomes[0].job.point["x"], False)
