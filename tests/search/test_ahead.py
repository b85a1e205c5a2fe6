"""Points that are prepared before workers are free for them, by an optimizer that is slow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deephyper.clock import VirtualClock
from deephyper.job import Job, Proposal
from deephyper.optimizer import RandomOptimizer
from deephyper.problem import BaseProblem
from tests.search.virtual_search import VirtualSearch, finite_problem


class Slow(RandomOptimizer):
    """Takes virtual time for each point, and remembers what it was asked for and told."""

    def __init__(
        self, problem: BaseProblem, seed: int | None, clock: VirtualClock, seconds: float
    ) -> None:
        super().__init__(problem, seed)
        self.asked: list[int] = []
        self.told: list[int] = []
        self.most_prepared = 0
        self.submitted: Callable[[], int] = lambda: 0
        self._clock = clock
        self._seconds = seconds

    def ask(self, n_points: int | None = None) -> list[Proposal]:  # type: ignore[override]
        assert n_points is not None
        proposals = super().ask(n_points)
        self.asked.append(len(proposals))
        self._clock.seconds += len(proposals) * self._seconds
        self.most_prepared = max(self.most_prepared, sum(self.asked) - self.submitted())
        return proposals

    def tell(self, x, y) -> None:  # type: ignore[no-untyped-def]
        super().tell(x, y)
        self.told.append(len(x))


class Setting:
    """A search of so many workers by such an optimizer; evaluations last about 10 s."""

    def __init__(self, tmp_path: Path, workers: int, seconds: float = 0.0) -> None:
        def make(problem: BaseProblem, seed: int | None) -> Slow:
            self.optimizer = Slow(problem, seed, self.search.time, seconds)
            self.optimizer.submitted = lambda: len(self.search.evaluator.submitted)
            return self.optimizer

        self.search = VirtualSearch(
            tmp_path / "search",
            num_workers=workers,
            duration=lambda job: 9.0 + int(job.id) * 7919 % 1000 / 500,
            make_optimizer=make,
        )

    def run(self, max_evals: int | None = None, timeout: float | None = None) -> list[Job]:
        """Search; return what was submitted."""
        self.search.session(max_evals, timeout, seed=1)
        return self.search.evaluator.submitted


def test_the_first_workers_begin_before_the_last_ones_have_a_point(tmp_path: Path) -> None:
    setting = Setting(tmp_path, workers=100, seconds=0.01)
    setting.search.session(100, seed=1)
    starts = [e.outcome.start for e in setting.search.session(100).evaluations if e.outcome]
    assert max(setting.optimizer.asked, default=0) <= 8
    assert min(s for s in starts if s is not None) < max(s for s in starts if s is not None) - 0.8


def test_no_worker_waits_for_an_optimizer_that_is_slow_but_fast_enough(tmp_path: Path) -> None:
    # 100 workers need 10 points a second, and it makes 20.
    setting = Setting(tmp_path, workers=100, seconds=0.05)
    result = setting.search.session(1000, seed=1)
    outcomes = [e.outcome for e in result.evaluations if e.outcome is not None]
    starts = sorted(o.start for o in outcomes if o.start is not None)
    ends = sorted(o.end for o in outcomes if o.end is not None)
    # The worker of each end begins the evaluation that is 100 later.
    waits = [start - end for end, start in zip(ends, starts[100:], strict=False)]
    assert sorted(waits)[len(waits) // 2] < 0.05


@pytest.mark.parametrize(("workers", "ahead"), [(1, 0), (31, 0), (64, 2), (320, 10)])
def test_a_few_points_are_prepared_where_there_are_many_workers(
    tmp_path: Path, workers: int, ahead: int
) -> None:
    setting = Setting(tmp_path, workers)
    setting.run(3 * workers)
    first_wave = -(-workers // max(8, ahead))
    prepared = sum(setting.optimizer.asked[:first_wave]) - workers
    assert prepared <= 0
    assert setting.optimizer.most_prepared == max(ahead, min(workers, 8))


def test_the_budget_is_what_it_was_however_many_points_are_prepared(tmp_path: Path) -> None:
    setting = Setting(tmp_path, workers=320)
    assert len(setting.run(max_evals=333)) == 333
    assert sum(setting.optimizer.asked) == 333
    assert len(setting.run(max_evals=400)) == 67


def test_prepared_points_of_a_search_that_ends_are_pending_no_longer(tmp_path: Path) -> None:
    setting = Setting(tmp_path, workers=320)
    submitted = setting.run(timeout=25.0)
    assert sum(setting.optimizer.asked) > len(submitted)
    assert setting.optimizer.pending == []


def test_a_space_runs_out_with_every_point_evaluated(tmp_path: Path) -> None:
    setting = Setting(tmp_path, workers=64)
    setting.search.problem = finite_problem(200)
    points = [job.point["n"] for job in setting.run(1000)]
    assert sorted(points) == list(range(1, 201))


def test_results_are_told_together_before_the_next_points_are_asked_for(tmp_path: Path) -> None:
    setting = Setting(tmp_path, workers=320, seconds=0.03)
    setting.run(1280)
    assert sum(setting.optimizer.told) == 1280
    assert max(setting.optimizer.told) > 1
