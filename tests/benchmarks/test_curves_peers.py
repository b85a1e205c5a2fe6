"""Peers in the benchmark of early stopping, where their packages can be imported."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from benchmarks.curves.method import Method
from benchmarks.curves.methods import METHODS
from benchmarks.curves.peers.fidelities import Fidelities, Request
from benchmarks.curves.simulate import simulate
from benchmarks.curves.space import Point
from benchmarks.curves.suite import TASKS

TASK = TASKS["boosting-diabetes"]
PEERS = {
    "optuna-hyperband": "optuna",
    "optuna-gp-median": "optuna",
    "syne-tune-asha": "syne_tune",
    "syne-tune-asha-promotion": "syne_tune",
    "syne-tune-mobster": "syne_tune",
    "syne-tune-dyhpo": "syne_tune",
    "smac": "smac",
    "dehb": "dehb",
}
"""Methods and their packages."""


def _made(name: str) -> Method:
    """Return a peer; skip if its package, in the version it needs, isn't here."""
    pytest.importorskip(PEERS[name])
    if name.startswith("syne-tune"):
        stops = name == "syne-tune-asha"
        if (version("syne-tune") >= "0.16") != stops:
            pytest.skip("it needs another version of Syne Tune")
    if name.startswith("optuna-gp"):
        pytest.importorskip("torch")
    return METHODS[name](TASK.space.problem(), 0, TASK.steps)


class _Recorded(Method):
    """A method, and the steps that its evaluations made."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.steps: dict[str, list[int]] = {}

    def ask(self, id: str) -> Point:
        self.steps[id] = []
        return self._method.ask(id)

    def report(self, id: str, step: int, value: float) -> bool:
        self.steps[id].append(step)
        return self._method.report(id, step, value)

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        self._method.tell(id, value, step, pruned)

    def next_steps(self) -> int | None:
        return self._method.next_steps()

    def take_up(self, may_begin: bool) -> str | None:
        return self._method.take_up(may_begin)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_searches_within_the_budget(name: str) -> None:
    evaluations = 2 if name == "syne-tune-dyhpo" else 8
    method = _Recorded(_made(name))
    run = simulate(TASK, method, seed=0, workers=2, evaluations=evaluations)
    assert 0 < run.steps == sum(map(len, method.steps.values())) <= evaluations * TASK.steps
    assert run.pruned > 0
    for steps in method.steps.values():
        assert steps == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("name", ["syne-tune-asha-promotion", "smac", "dehb"])
def test_what_a_peer_promotes_continues(name: str) -> None:
    method = _Recorded(_made(name))
    run = simulate(TASK, method, seed=0, workers=2, evaluations=8)
    counts = set(map(len, method.steps.values()))
    assert run.whole == sum(len(steps) == TASK.steps for steps in method.steps.values()) > 0
    # A few levels, each a third of the next one: whatever is paused there had a level to reach.
    assert len(counts) <= 5
    assert min(counts) <= 3


class _Wishes(Fidelities):
    """Asks for what is on a list."""

    def __init__(self, points: list[Point], wishes: list[tuple[int, int]]) -> None:
        super().__init__()
        self._points, self._wishes = points, wishes
        self.answers: list[tuple[int, int, float]] = []

    def request(self) -> Request:
        number, step = self._wishes.pop(0) if self._wishes else (len(self._points) - 1, TASK.steps)
        return Request(self._points[number], step, number)

    def answer(self, request: Request, value: float) -> None:
        self.answers.append((request.origin, request.step, value))


def test_a_request_continues_what_was_paused_and_is_answered_if_it_was_reported() -> None:
    points = list(TASK.space.points())[:3]
    wishes = [(0, 4), (1, 4), (0, 2), (0, 9), (1, 4), (1, TASK.steps)]
    fidelities = _Wishes(points, list(wishes))
    method = _Recorded(fidelities)
    run = simulate(TASK, method, seed=0, workers=1, evaluations=2)
    # The budget: 9 steps of the first point, all of the second, and none of the third, whose whole
    # evaluation it doesn't suffice for.
    assert {id_: len(steps) for id_, steps in method.steps.items()} == {"0": 9, "1": TASK.steps}
    assert (run.whole, run.pruned, run.steps) == (1, 1, 9 + TASK.steps)
    expected = [(n, step, float(TASK.curve(points[n])[step - 1])) for n, step in wishes]
    assert fidelities.answers == expected


@pytest.mark.parametrize("step", [4, TASK.steps])
def test_repeats_without_end_are_evaluated_again(step: int) -> None:
    fidelities = _Wishes(list(TASK.space.points())[:1], 10_000 * [(0, step)])
    method = _Recorded(fidelities)
    run = simulate(TASK, method, seed=0, workers=1, evaluations=3)
    begun = 3 * TASK.steps // step
    assert [len(steps) for steps in method.steps.values()] == begun * [step]
    assert run.steps == 3 * TASK.steps
