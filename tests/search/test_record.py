"""The record holds very many evaluations, in little memory, and gives each as it was."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deephyper.job import Job, Outcome
from deephyper.objective import Failure
from deephyper.search.record import Evaluation, Evaluations, Record

texts = st.text(st.characters())  # half surrogate pairs, too
numbers = st.floats(allow_nan=False)
values = st.none() | st.booleans() | st.integers() | numbers | texts


@st.composite
def finished_or_failed(draw: st.DrawFn, id_: str) -> Evaluation:
    directory = draw(st.none() | st.sampled_from([f"/a/{id_}/b/{id_}", "/elsewhere", id_]))
    job = Job(id_, draw(st.dictionaries(texts, values)), draw(st.integers(1, 9)), directory)
    failed = draw(st.booleans())
    outcome = Outcome(
        job,
        "failed" if failed else draw(st.sampled_from(["finished", "pruned"])),
        None if failed else draw(numbers),
        Failure("exception", draw(texts), draw(texts)) if failed else None,
        draw(st.none() | numbers),
        draw(numbers),
        draw(texts),
        draw(st.none() | texts | st.just(f"/logs/{id_}.1.log")),
        draw(st.none() | st.integers()),
        draw(st.dictionaries(texts, numbers)),
        draw(st.floats(0, 1e9)),
    )
    return Evaluation(job, outcome, draw(st.none() | st.tuples(numbers, numbers)))


@given(st.data())
def test_each_evaluation_is_given_as_it_was(data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(0, 10**18).map(str), unique=True, max_size=5))
    held, expected = Evaluations(), {}
    for id_ in ids:
        one = expected[id_] = data.draw(finished_or_failed(id_))
        held.add(Evaluation(one.job, predicted=one.predicted))
    assert list(held) == ids
    assert [each.job.id for each in held.unfinished] == ids
    order = data.draw(st.permutations(ids))
    for id_ in order:
        outcome = expected[id_].outcome
        assert outcome is not None
        assert held.end(outcome) == expected[id_]
    assert held.unfinished == []
    assert dict(held) == expected
    assert held.ended == [expected[id_] for id_ in order]
    assert [type(v) for e in held.ended for v in e.job.point.values()] == [
        type(v) for id_ in order for v in expected[id_].job.point.values()
    ]
    observed = [e.outcome.objective if e.outcome else None for e in held.ended]
    assert [None if isinstance(y, Failure) else y for _, y in held.observed()] == observed
    assert [point for point, _ in held.observed()] == [e.job.point for e in held.ended]


def finish(record: Record, number: int, **fields: Any) -> None:
    job = Job(str(number), {"x": number, "name": "some"}, directory=f"/evaluations/{number}")
    record.add(Evaluation(job))
    known: dict[str, Any] = {"status": "finished", "objective": 1.0, "failure": None}
    record.end(Outcome(job, start=1.0, end=3.0, worker="0", **(known | fields)))


def test_evaluations_that_have_ended_are_no_work_for_the_garbage_collector() -> None:
    record = Record()
    finish(record, 0)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1, 1000):
        finish(record, number)
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_what_has_ended_by_now_stays_what_it_was() -> None:
    record = Record()
    finish(record, 0)
    ended = record.ended
    finish(record, 1)
    assert [e.job.id for e in ended] == ["0"]
    assert [e.job.id for e in record.ended[:5]] == ["0", "1"]
    assert record.ended[-1].job.point == {"x": 1, "name": "some"}
    with pytest.raises(IndexError):
        ended[1]


def test_observations_are_given_without_some() -> None:
    record = Record()
    for number in range(3):
        finish(record, number, objective=float(number))
    assert [y for _, y in record.evaluations.observed(without={"1"})] == [0.0, 2.0]


@pytest.mark.parametrize("id_", ["1", "00", "-1", "\u0660", "", "x"])
def test_an_id_that_no_evaluation_has_is_not_found(id_: str) -> None:
    record = Record()
    finish(record, 0)
    assert "0" in record.evaluations
    assert id_ not in record.evaluations
    with pytest.raises(KeyError):
        record.evaluations[id_]


def test_the_record_knows_best_time_metrics_and_steps_without_looking_back() -> None:
    record = Record()
    finish(record, 0, objective=2.0, metrics={"b": 1.0})
    finish(record, 1, objective=2.0, metrics={"a": 1.0, "b": 1.0})
    finish(record, 2, status="failed", objective=None, failure=Failure("nan", "NaN"))
    assert not record.has_steps
    finish(record, 3, status="pruned", objective=9.0, step=4)
    assert record.best is not None
    assert record.best.job.id == "0"
    assert record.busy == 8.0
    assert list(record.metrics) == ["b", "a"]
    assert record.has_steps
