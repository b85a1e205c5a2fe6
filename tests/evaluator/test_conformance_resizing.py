"""More and fewer workers while jobs run, on every evaluator."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.errors import EvaluatorError
from deephyper.evaluator import Evaluator, Started
from deephyper.evaluator.cores import num_cpus
from tests.evaluator.conftest import Create, by_id, points


def started(evaluator: Evaluator, number: int) -> None:
    """Wait until so many jobs have begun."""
    seen = 0
    while seen < number:
        seen += sum(isinstance(event, Started) for event in evaluator.gather())


def test_more_workers_begin_at_once(method: str, create: Create, tmp_path: Path) -> None:
    evaluator = create(method, 1)
    if method == "balsam":
        with pytest.raises(EvaluatorError, match="can't have more"):
            evaluator.resize(3)
        assert evaluator.num_workers == 1
        return
    gate = tmp_path / "gate"
    waiting = {"do": "wait_for", "file": str(gate)}
    evaluator.submit([waiting, waiting, waiting])
    started(evaluator, 1)
    assert (evaluator.num_running, evaluator.num_free) == (1, 0)
    evaluator.resize(3)
    assert evaluator.num_workers == 3
    started(evaluator, 2)
    assert evaluator.num_running == 3
    gate.touch()
    assert [outcome.status for outcome in evaluator.gather_all()] == ["finished"] * 3
    assert evaluator.num_free == 3


def test_workers_that_are_too_many_end_with_their_jobs(
    method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(method, 3)
    gate = tmp_path / "gate"
    waiting = {"do": "wait_for", "file": str(gate)}
    jobs = evaluator.submit([waiting, waiting, waiting, *points(4)])
    started(evaluator, 3)
    evaluator.resize(1)
    assert (evaluator.num_workers, evaluator.num_running, evaluator.num_free) == (1, 3, 0)
    assert evaluator.num_present == 3
    gate.touch()
    outcomes = []
    first = {job.id for job in jobs[:3]}
    while evaluator.num_unfinished:
        outcomes += evaluator.gather_outcomes()
        if first <= set(by_id(outcomes)):
            assert evaluator.num_running <= 1
    assert set(by_id(outcomes)) == {job.id for job in jobs}
    assert {outcome.status for outcome in outcomes} == {"finished"}
    assert (evaluator.num_free, evaluator.num_present) == (1, 1)
    evaluator.resize(3)  # as many as it had is possible everywhere
    assert evaluator.num_free == 3
    evaluator.submit(points(6))
    assert len(evaluator.gather_all()) == 6


@pytest.mark.parametrize("number", [0, -1, 10**9, 1.5, "many"])
def test_a_number_that_none_can_have_is_refused(method: str, create: Create, number: int) -> None:
    evaluator = create(method, 2)
    with pytest.raises(EvaluatorError, match="num_workers"):
        evaluator.resize(number)
    assert (evaluator.num_workers, evaluator.num_free) == (2, 2)


def test_more_workers_than_this_machine_bears_are_refused(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    if not evaluator.on_this_machine:
        return
    most = 32 * num_cpus()
    with pytest.raises(EvaluatorError, match=f"ask for at most {most} "):
        evaluator.resize(most + 1)
    assert (evaluator.num_workers, evaluator.num_free) == (1, 1)
    evaluator.resize(most)
    assert evaluator.num_workers == most


def test_as_many_workers_as_at_first_are_never_too_many() -> None:
    most = 32 * num_cpus() + 5
    with Evaluator.create(lambda point: 1.0, "thread", most) as evaluator:
        evaluator.resize(1)
        evaluator.resize(most)
        with pytest.raises(EvaluatorError, match=f"ask for at most {most} "):
            evaluator.resize(most + 1)


def test_busy_seconds_are_those_of_all_workers(method: str, create: Create) -> None:
    evaluator = create(method, 2)
    evaluator.submit([{"do": "sleep", "seconds": 0.3} for _ in range(4)])
    outcomes = evaluator.gather_all()
    least = sum(outcome.elapsed_sec for outcome in outcomes)
    assert evaluator.busy_seconds >= 0.5 * least
    before = evaluator.busy_seconds
    assert evaluator.busy_seconds == pytest.approx(before)  # nothing runs any more
