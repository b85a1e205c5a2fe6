"""The slots of workers that come and go with the nodes of a cluster."""

from __future__ import annotations

from deephyper.evaluator import Notice, VirtualEvaluator
from deephyper.evaluator.slots import Slots


def test_a_withdrawn_slot_is_not_free_whatever_ends_in_it() -> None:
    slots = Slots(3)
    assert [slots.take(), slots.take()] == [0, 1]
    slots.withdraw_all_but({1})
    assert (slots.num_free, slots.take()) == (0, None)
    slots.give_back(0)
    assert (slots.num_free, slots.none_usable) == (0, False)
    slots.give_back(1)
    assert slots.num_free == 1
    slots.withdraw_all_but(set())
    assert (slots.num_free, slots.none_usable) == (0, True)
    slots.withdraw_all_but({0, 1, 2})
    assert [slots.take() for _ in range(3)] == [0, 1, 2]


def test_a_slot_that_is_in_use_is_not_taken_twice() -> None:
    slots = Slots(2)
    assert slots.take() == 0
    slots.withdraw_all_but({1})
    slots.withdraw_all_but({0, 1})
    assert slots.take() == 1
    assert slots.num_free == 0


class Elastic(VirtualEvaluator):
    """Has the places that it is told to have, and takes back what has none."""

    def offer(self, usable: set[int]) -> None:
        self._events.append(Notice(f"{len(usable)} places"))
        self._places.withdraw_all_but(usable)

    def take_back(self, job_id: str) -> None:
        self._stop(job_id, self._running[job_id].slot)
        self._take_back(job_id)


def test_a_job_whose_place_is_withdrawn_goes_to_another() -> None:
    evaluator = Elastic(lambda point: 1.0, 2)
    first, second = evaluator.submit([{}, {}])
    evaluator.offer({1})
    evaluator.take_back(first.id)
    assert evaluator.num_free == 0
    ended = evaluator.gather_all()
    assert [(outcome.job, outcome.worker) for outcome in ended] == [(second, "1"), (first, "1")]


def test_one_job_may_wait_where_there_is_no_place_at_all() -> None:
    evaluator = Elastic(lambda point: 1.0, 2)
    evaluator.offer(set())
    assert evaluator.num_free == 1
    (job,) = evaluator.submit([{}])
    assert evaluator.num_free == 0
    assert evaluator.gather(timeout=5.0) == [Notice("0 places")]
    assert evaluator.gather(timeout=5.0) == []
    evaluator.offer({0, 1})
    assert [outcome.job for outcome in evaluator.gather_all()] == [job]
