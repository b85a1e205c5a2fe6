"""Times of jobs, against a plain dictionary."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from deephyper.evaluator.timetable import Timetable

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "pop"]),
        st.sampled_from("abcdef"),
        st.one_of(st.integers(0, 5).map(float), st.just(math.inf)),
    ),
    max_size=400,
)


@given(steps=STEPS)
def test_it_does_what_a_dictionary_does(steps: list[tuple[str, str, float]]) -> None:
    timetable = Timetable()
    expected: dict[str, float] = {}
    for step, job_id, time in steps:
        if step == "set":
            timetable.set(job_id, time)
            expected.pop(job_id, None)  # to the end of those with its time
            if time < math.inf:
                expected[job_id] = time
        elif step == "drop":
            timetable.drop(job_id)
            expected.pop(job_id, None)
        elif time < math.inf:
            due = sorted((i for i, at in expected.items() if at <= time), key=expected.__getitem__)
            assert timetable.pop_until(time) == due
            for each in due:
                del expected[each]
        assert timetable.next == min(expected.values(), default=math.inf)


def test_it_does_not_grow_with_what_was_set_before() -> None:
    timetable = Timetable()
    for time in range(10_000):
        timetable.set("one", 10_000.0 - time)
        assert len(timetable._heap) < 200
    assert timetable.pop_until(math.inf) == ["one"]
