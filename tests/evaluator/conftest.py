from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest

from deephyper.evaluator import Evaluator, Event, Job, Notice, Outcome, VirtualEvaluator
from tests.evaluator import runs

RUNS = Path(__file__).with_name("runs.py")
BEHAVE = f"{RUNS}::behave"
# Balsam's launcher is started by tests/balsam, which then runs these tests in its job.
BALSAM = ["balsam"] if "BALSAM_JOB_ID" in os.environ else []
RAY = pytest.param("ray", marks=pytest.mark.ray)
IN_THIS_PROCESS = ["thread", "virtual"]
PROCESSES = ["process", "subprocess", RAY, *BALSAM]
METHODS = [*IN_THIS_PROCESS, *PROCESSES]


class Create(Protocol):
    """Makes an evaluator of a backend that is closed after the test."""

    def __call__(
        self,
        method: str,
        num_workers: int = 2,
        *,
        run: str | Callable[[dict[str, Any]], Any] = BEHAVE,
        **options: Any,
    ) -> Evaluator: ...


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """One Ray for all tests: an evaluator uses what is there and leaves it running."""
    ray = pytest.importorskip("ray")
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def with_its_service(request: pytest.FixtureRequest) -> str:
    """Return the name of a backend; Ray runs then."""
    if request.param == "ray":
        request.getfixturevalue("local_ray")
    return str(request.param)


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """Each backend."""
    return with_its_service(request)


@pytest.fixture(params=PROCESSES)
def process_method(request: pytest.FixtureRequest) -> str:
    """Each backend whose evaluations run in processes of their own."""
    return with_its_service(request)


@pytest.fixture(params=["thread", "process", "subprocess", RAY, *BALSAM])
def calling_method(request: pytest.FixtureRequest) -> str:
    """Each backend on which run itself reports."""
    return with_its_service(request)


@pytest.fixture
def create() -> Iterator[Create]:
    made: list[Evaluator] = []

    def make(
        method: str,
        num_workers: int = 2,
        *,
        run: str | Callable[[dict[str, Any]], Any] = BEHAVE,
        **options: Any,
    ) -> Evaluator:
        if method == "virtual":
            made.append(_virtual(run, num_workers, **options))
        else:
            if method == "balsam":
                options["num_evals_per_node"] = num_workers
            made.append(Evaluator.create(run, method, num_workers, **options))
        return made[-1]

    yield make
    for evaluator in made:
        evaluator.close()


def _virtual(
    run: str | Callable[[dict[str, Any]], Any], num_workers: int, **options: Any
) -> VirtualEvaluator:
    return VirtualEvaluator(
        f"{RUNS}::behave_at_once" if run == BEHAVE else run,
        num_workers,
        duration=lambda job: runs.duration(job.point),
        reports=lambda job: runs.reports(job.point),
        **options,
    )


def only(outcomes: list[Outcome]) -> Outcome:
    assert len(outcomes) == 1
    return outcomes[0]


def events_of(evaluator: Evaluator, jobs: list[Job]) -> list[list[Event]]:
    """Gather everything; return the events of each of these jobs."""
    events: list[Event] = []
    while not evaluator.idle:
        events += evaluator.gather()
    told = [event for event in events if not isinstance(event, Notice)]
    return [[event for event in told if event.job == job] for job in jobs]


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Return whether a process ends in time; a zombie that init has yet to reap counts."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def points(n: int) -> list[dict[str, Any]]:
    return [{"do": "double", "x": x} for x in range(n)]


def by_id(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.job.id: outcome for outcome in outcomes}
