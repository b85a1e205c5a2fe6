"""Times of jobs, against a plain dictionary."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from deephyper.evaluator.due_times import DueTimes

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
    due = DueTimes()
    expected: dict[str, float] = {}
    for step, job_id, time in steps:
        if step == "set":
            due.set(job_id, time)
            expected.pop(job_id, None)  # to the end of those with its time
            if time < math.inf:
                expected[job_id] = time
        elif step == "drop":
            due.drop(job_id)
            expected.pop(job_id, None)
        elif time < math.inf:
            past = sorted((i for i, at in expected.items() if at <= time), key=expected.__getitem__)
            assert due.pop_until(time) == past
            for each in past:
                del expected[each]
        assert due.next == min(expected.values(), default=math.inf)


def test_it_does_not_grow_with_what_was_set_before() -> None:
    due = DueTimes()
    for time in range(10_000):
        due.set("one", 10_000.0 - time)
        assert len(due._heap) < 200
    assert due.pop_until(math.inf) == ["one"]
