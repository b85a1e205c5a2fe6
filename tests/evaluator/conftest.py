from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.evaluator import Evaluator, Outcome

RUNS = Path(__file__).with_name("runs.py")
# Balsam's launcher is started by tests/balsam, which then runs these tests in its job.
BALSAM = ["balsam"] if "BALSAM_JOB_ID" in os.environ else []
PROCESSES = ["process", "subprocess", pytest.param("ray", marks=pytest.mark.ray), *BALSAM]
METHODS = ["thread", *PROCESSES]

Create = Callable[..., Evaluator]


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """One ray for all tests: an evaluator uses what is there and leaves it running."""
    ray = pytest.importorskip("ray")
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("local_ray")
    return str(request.param)


@pytest.fixture
def create() -> Iterator[Create]:
    made: list[Evaluator] = []

    def make(method: str, num_workers: int = 2, **options: Any) -> Evaluator:
        if method == "balsam":
            options["num_evals_per_node"] = num_workers
        made.append(Evaluator.create(f"{RUNS}::behave", method, num_workers, **options))
        return made[-1]

    yield make
    for evaluator in made:
        evaluator.close()


def only(outcomes: list[Outcome]) -> Outcome:
    assert len(outcomes) == 1
    return outcomes[0]


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds; a zombie that init has yet to reap counts."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False
