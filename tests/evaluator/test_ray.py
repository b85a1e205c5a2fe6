"""Ray by itself: local or a cluster, found or missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.errors import MissingExtra
from deephyper.evaluator import Evaluator
from tests.evaluator.conftest import BEHAVE, RUNS


def test_a_missing_ray_is_said_when_an_evaluator_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match="ray isn't installed"):
        Evaluator.create(BEHAVE, "ray")


@pytest.mark.ray
def test_a_local_ray_ends_with_its_evaluator(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        "from deephyper.evaluator import Evaluator\n"
        "import ray, psutil\n"
        f"with Evaluator.create({str(RUNS) + '::behave'!r}, 'ray', 2) as evaluator:\n"
        "    assert ray.cluster_resources()['CPU'] == 2\n"
        "    evaluator.submit([{'do': 'double', 'x': x} for x in range(5)])\n"
        "    assert sum(o.objective for o in evaluator.gather_all()) == 20\n"
        "    children = psutil.Process().children(recursive=True)\n"
        "assert not ray.is_initialized()\n"
        "gone, alive = psutil.wait_procs(children, timeout=20)\n"
        "assert not alive, alive\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""


@pytest.mark.ray
def test_a_cluster_is_used_and_left_running(tmp_path: Path) -> None:
    """On a cluster of two nodes, reached by its address."""
    script = tmp_path / "search.py"
    script.write_text(
        "import sys, time\n"
        "from ray.cluster_utils import Cluster\n"
        "from deephyper.evaluator import Evaluator\n"
        "cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 1})\n"
        "cluster.add_node(num_cpus=1)\n"
        "import ray\n"
        f"with Evaluator.create({str(RUNS) + '::behave'!r}, 'ray', 2,\n"
        "                      ray_address=cluster.address) as evaluator:\n"
        "    evaluator.submit([{'do': 'sleep', 'seconds': 0.5}] * 4)\n"
        "    outcomes = evaluator.gather_all()\n"
        "    assert [o.status for o in outcomes] == ['finished'] * 4, outcomes\n"
        "    assert len({o.worker for o in outcomes}) == 2\n"
        "assert not ray.is_initialized()\n"
        "ray.init(address=cluster.address, logging_level='ERROR')\n"
        "assert ray.cluster_resources()['CPU'] == 2\n"
        "ray.shutdown()\n"
        "cluster.shutdown()\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.ray
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"ray_address": "127.0.0.1:1"}, "can't be reached"),
        ({"num_cpus_per_task": 3, "driver_num_cpus": 2}, "has room for 0 workers with 3 CPUs"),
    ],
)
def test_a_ray_that_will_not_do_is_refused(
    tmp_path: Path, options: dict[str, object], reason: str
) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        "from deephyper.errors import EvaluatorError\n"
        "from deephyper.evaluator import Evaluator\n"
        "try:\n"
        f"    Evaluator.create({str(RUNS) + '::behave'!r}, 'ray', 2, **{options!r})\n"
        "except EvaluatorError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "RAY_gcs_server_request_timeout_seconds": "2"},
    )
    assert reason in done.stdout, done.stderr
