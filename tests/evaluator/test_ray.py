"""Ray by itself: local or a cluster, found or missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.errors import EvaluatorError, MissingExtra
from deephyper.evaluator import Evaluator
from tests.evaluator.conftest import BEHAVE, RUNS, is_gone

CLUSTER = """
import glob, os, threading, time
import psutil
from ray.cluster_utils import Cluster
from deephyper import HpProblem, RandomSearch
from deephyper.errors import EvaluatorError
from deephyper.evaluator import Evaluator

def start_cluster(num_cpus):
    # That a node is dead would be found out after 15 s.
    faster = {"health_check_period_ms": 500, "health_check_initial_delay_ms": 1000}
    return Cluster(
        initialize_head=True, head_node_args={"num_cpus": num_cpus, "_system_config": faster}
    )

def kill_node(node):
    pids = [process.process.pid for each in node.all_processes.values() for process in each]
    everything = [psutil.Process(pid) for pid in pids]
    everything += [child for process in everything for child in process.children(recursive=True)]
    for process in everything:
        process.kill()

def problem():
    space = HpProblem()
    space.add_hyperparameter((0.0, 1.0), "x")
    return space
"""


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


@pytest.mark.long
@pytest.mark.ray
def test_a_local_ray_listens_on_loopback_alone_and_asks_for_its_token(tmp_path: Path) -> None:
    """Twice, as Ray keeps the token of the first one in mind."""
    script = tmp_path / "search.py"
    script.write_text(
        "import os, subprocess, sys\n"
        "import psutil, ray\n"
        "from deephyper.evaluator import Evaluator\n"
        "def listening():\n"
        "    me = psutil.Process()\n"
        "    found = [c for p in (me, *me.children(True)) for c in p.net_connections('inet')]\n"
        "    return {c.laddr.ip for c in found if not c.raddr}\n"
        "visit = ('import sys; from ray._raylet import GcsClient; '\n"
        "         'print(GcsClient(address=sys.argv[1]).internal_kv_keys(b\"\", None, 5))')\n"
        "for _ in range(2):\n"
        f"    with Evaluator.create({str(RUNS) + '::behave'!r}, 'ray', 1) as evaluator:\n"
        "        evaluator.submit([{'do': 'double', 'x': 2}])\n"
        "        assert evaluator.gather_all()[0].objective == 4\n"
        "        assert listening() <= {'127.0.0.1', '::ffff:127.0.0.1', '::1'}, listening()\n"
        "        head = ray.get_runtime_context().gcs_address\n"
        "        for mode in ('disabled', 'token'):\n"
        "            visitor = subprocess.run(\n"
        "                [sys.executable, '-c', visit, head], capture_output=True, text=True,\n"
        "                env={**os.environ, 'RAY_AUTH_MODE': mode, 'RAY_AUTH_TOKEN': 64 * 'f'})\n"
        "            assert visitor.returncode == 1, visitor.stdout\n"
        "            assert 'uthentica' in visitor.stderr, visitor.stderr\n"
    )
    run_script(script)


@pytest.mark.ray
def test_nothing_of_a_local_ray_outlives_a_search_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        "import psutil\n"
        "from deephyper.evaluator import Evaluator\n"
        f"evaluator = Evaluator.create({BEHAVE!r}, 'ray', 1)\n"
        "evaluator.check()\n"
        "print(*(p.pid for p in psutil.Process().children(True)), flush=True)\n"
        "input()\n"
    )
    search = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert search.stdout is not None
    pids = [int(word) for word in search.stdout.readline().split()]
    search.kill()
    search.communicate(timeout=60)
    assert len(pids) > 3
    assert all(is_gone(pid, 30.0) for pid in pids)


@pytest.mark.long
@pytest.mark.ray
def test_a_local_ray_that_dies_ends_the_search_with_one_line(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        "import psutil\n"
        "from deephyper.errors import EvaluatorError\n"
        "from deephyper.evaluator import Evaluator\n"
        "try:\n"
        f"    with Evaluator.create({BEHAVE!r}, 'ray', 1) as evaluator:\n"
        "        evaluator.submit([{'do': 'sleep', 'seconds': 600}])\n"
        "        evaluator.gather()\n"
        "        processes = psutil.Process().children(True)\n"
        "        next(p for p in processes if p.cmdline()[0].endswith('gcs_server')).kill()\n"
        "        evaluator.gather()\n"
        "except EvaluatorError as error:\n"
        "    print(error)\n"
        "gone, alive = psutil.wait_procs(processes, timeout=20)\n"
        "assert not alive, alive\n"
    )
    line = "the local Ray has died, perhaps for lack of memory; resume the search\n"
    assert run_script(script) == line


@pytest.mark.long
@pytest.mark.ray
def test_a_search_continues_without_a_node_that_dies_and_with_one_that_joins(
    tmp_path: Path,
) -> None:
    """Two evaluations wait for each other; the second gets its place from the node that joins."""
    script = tmp_path / "search.py"
    script.write_text(
        CLUSTER
        + f"""
cluster = start_cluster(num_cpus=1)
nodes = [cluster.add_node(num_cpus=1)]
gate = {str(tmp_path / "gate")!r}
both = {str(tmp_path / "both")!r}

def notice(text):
    print(text, flush=True)
    if "is gone: " in text:
        nodes.append(cluster.add_node(num_cpus=1))
    if "has joined" in text:
        open(gate, "w").close()

def run(point):
    import os, time
    mine = f"{{both}}.{{os.getpid()}}"
    open(mine, "w").close()
    while not os.path.exists(gate):
        time.sleep(0.05)
    return 1.0

def kill_when_both_run():
    while len(glob.glob(both + ".*")) < 2:
        time.sleep(0.05)
    kill_node(nodes.pop())

threading.Thread(target=kill_when_both_run, daemon=True).start()
with Evaluator.create(run, "ray", 2, ray_address=cluster.address) as evaluator:
    search = RandomSearch(problem(), evaluator, log_dir=None, on_notice=notice)
    result = search.search(max_evals=5)
assert [o.status for o in result.outcomes] == ["finished"] * 5, result.outcomes
assert sorted(o.job.attempt for o in result.outcomes) == [1, 1, 1, 1, 2]
cluster.shutdown()
"""
    )
    printed = run_script(script).splitlines()
    assert "asks nobody for a token" in printed[0]
    name = r"Ray node [\d.]+"
    expected = [
        f"{name} is gone: 1 of 2 workers are left",
        rf"evaluation \d runs again: its {name} is gone",
        f"{name} has joined: 2 of 2 workers are there",
    ]
    assert len(printed) == 4
    assert all(map(re.fullmatch, expected, printed[1:])), printed


@pytest.mark.long
@pytest.mark.ray
def test_a_search_waits_for_nodes_to_join_and_ends_when_all_are_gone(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        CLUSTER
        + f"""
cluster = start_cluster(num_cpus=0)
nodes = []

def notice(text):
    print(text, flush=True)
    if "waiting for 1 workers" in text:
        nodes.append(cluster.add_node(num_cpus=1))

def outcome(outcome):
    if nodes:
        kill_node(nodes.pop())

def search(num_workers, ray_wait):
    with Evaluator.create({BEHAVE!r}, "ray", num_workers, ray_address=cluster.address,
                          ray_wait=ray_wait) as evaluator:
        space = HpProblem()
        space.add_hyperparameter(["double"], "do")
        space.add_hyperparameter((1, 10**6), "x")
        RandomSearch(
            space, evaluator, log_dir=None, on_notice=notice, on_outcome=outcome
        ).search(max_evals=3)

for num_workers in (1, 2):
    try:
        search(num_workers, ray_wait="2s")
    except EvaluatorError as error:
        print(error)
cluster.shutdown()
"""
    )
    printed = [line for line in run_script(script).splitlines() if "token" not in line]
    gone = next(line for line in printed if "is gone: " in line)
    assert gone.endswith(" is gone: 0 of 1 workers are left")
    assert printed[0] == "waiting for 1 workers, 0 there, for 2 s"
    assert "no Ray node is left with room for a worker; waiting 2 s for one to join" in printed
    assert printed[-3:] == [
        "no Ray node is left with room for a worker, and none has joined for 2 s; start nodes, "
        "then resume the search",
        "waiting for 2 workers, 0 there, for 2 s",
        "the Ray cluster has room for 0 workers with 1 CPUs each, and num_workers is 2; ask for "
        "fewer workers, or less for each",
    ]


@pytest.mark.long
@pytest.mark.ray
def test_a_cluster_with_a_token_lets_in_who_has_it_and_is_not_warned_of(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(
        # Ray reads them once.
        "import os; os.environ.update(RAY_AUTH_MODE='token', RAY_AUTH_TOKEN=64 * 'a')\n"
        + CLUSTER
        + f"""
cluster = start_cluster(num_cpus=1)
del os.environ["RAY_AUTH_MODE"]
for token in ("a", "b"):
    os.environ["RAY_AUTH_TOKEN"] = 64 * token
    try:
        with Evaluator.create({BEHAVE!r}, "ray", ray_address=cluster.address) as evaluator:
            print(*evaluator.wait_for_workers())
            evaluator.submit([{{"do": "double", "x": 2}}])
            print(*[outcome.objective for outcome in evaluator.gather_all()])
    except EvaluatorError as error:
        print(error)
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=64 * "a")
cluster.shutdown()
"""
    )
    printed = run_script(script).splitlines()
    assert printed[:2] == ["", "4.0"]
    assert "asks for its token; set RAY_AUTH_TOKEN" in printed[2]
    assert len(printed) == 3


@pytest.mark.ray
def test_a_ray_without_tokens_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions before 2.52."""
    ray = pytest.importorskip("ray")
    monkeypatch.delattr(ray._raylet, "AuthenticationTokenLoader")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(EvaluatorError, match="lets everyone in who reaches its ports"):
        Evaluator.create(BEHAVE, "ray")


def run_script(script: Path) -> str:
    """Run a program that must succeed and print nothing on standard error; return its output."""
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
