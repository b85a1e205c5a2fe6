"""The worker processes of this machine: what not every evaluator has to do."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator import Evaluator
from deephyper.evaluator.process import ProcessEvaluator
from deephyper.evaluator.worker import worker_process
from deephyper.evaluator.worker.messages import JobMessage
from tests.evaluator.conftest import RUNS, Create, is_gone, only


def test_libraries_are_told_their_share_of_the_cores(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    evaluator = create("process", 64, num_cpus_per_task=3)
    evaluator.submit(
        [
            {"do": "environment", "name": "OMP_NUM_THREADS", "value": "3"},
            {"do": "environment", "name": "MKL_NUM_THREADS", "value": "7"},
        ]
    )
    assert [o.objective for o in evaluator.gather_all()] == [1.0, 1.0]


def test_without_a_number_of_cores_workers_share_the_machine(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    evaluator = create("process", 2)
    evaluator.submit([{"do": "environment", "name": "OMP_NUM_THREADS", "value": "4"}])
    assert only(evaluator.gather_all()).objective == 1.0


def test_siblings_of_a_file_can_be_imported_in_workers(tmp_path: Path) -> None:
    (tmp_path / "sibling.py").write_text("VALUE = 7\n")
    (tmp_path / "model.py").write_text(
        "from sibling import VALUE\ndef run(point):\n    return VALUE\n"
    )
    for method in ("process", "subprocess"):
        with Evaluator.create(str(tmp_path / "model.py"), method, 1) as evaluator:
            evaluator.submit([{}])
            assert only(evaluator.gather_all()).objective == 7


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        "from deephyper.evaluator import Evaluator\n"
        f"evaluator = Evaluator.create({str(RUNS) + '::behave'!r}, 'process', 2)\n"
        "evaluator.submit([{'do': 'spin'}, "
        f"{{'do': 'start_child', 'file': {str(child)!r}, 'wait': True}}])\n"
        "evaluator.gather_all()\n"
    )
    with subprocess.Popen([sys.executable, script]) as parent:
        while not (child.exists() and child.read_text()):
            assert parent.poll() is None
            time.sleep(0.05)
        # Two workers, their supervisors, and the child of one.
        while len(descendants := psutil.Process(parent.pid).children(recursive=True)) < 5:
            assert parent.poll() is None
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    assert len(descendants) == 5
    assert all(is_gone(process.pid) for process in descendants)


def reapers_of(parent: int) -> list[psutil.Process]:
    """Return a process's reapers, which are not its children, but have their input from it."""
    inputs = {os.readlink(descriptor) for descriptor in Path(f"/proc/{parent}/fd").iterdir()}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if any(word.endswith("reaper.py") for word in process.cmdline()) and (
                os.readlink(f"/proc/{process.pid}/fd/0") in inputs
            ):
                found.append(process)
    return found


def test_nothing_is_left_when_parent_and_reaper_are_killed(tmp_path: Path) -> None:
    """Not even of a worker that is in the middle of run, and has started others."""
    pids = tmp_path / "pids"
    (tmp_path / "run.py").write_text(
        "import os, subprocess, time\n"
        "def run(point):\n"
        "    child = subprocess.Popen(['sleep', '1000'], start_new_session=True, env={})\n"
        f"    with open({str(pids)!r}, 'a') as file:\n"
        "        file.write(f'{os.getpid()}\\n{child.pid}\\n')\n"
        "    while True: pass\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(
        "from deephyper.evaluator import Evaluator\n"
        f"evaluator = Evaluator.create({str(tmp_path / 'run.py')!r}, 'process', 2)\n"
        "evaluator.submit([{}, {}])\n"
        "evaluator.gather_all()\n"
    )
    with subprocess.Popen([sys.executable, script]) as parent:
        while not (pids.exists() and pids.read_text().count("\n") == 4):
            assert parent.poll() is None
            time.sleep(0.05)
        reapers = reapers_of(parent.pid)
        assert len(reapers) == 1
        for process in (*reapers, psutil.Process(parent.pid)):
            process.kill()
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_a_point_of_a_megabyte_keeps_nobody_waiting(create: Create, tmp_path: Path) -> None:
    """A worker that is still loading reads nothing."""
    (tmp_path / "run.py").write_text("import time\ntime.sleep(1000)\ndef run(point): return 1.0\n")
    evaluator = create("process", 2, run=str(tmp_path / "run.py"))
    evaluator.submit([{"text": "x" * 1_000_000}] * 4)
    assert evaluator.gather(timeout=0.1) == []
    assert [outcome.status for outcome in evaluator.cancel()] == ["stopped"] * 4


def test_large_points_arrive_whole(create: Create) -> None:
    evaluator = create("process", 1, run=lambda point: len(point["text"]))
    evaluator.submit([{"text": "é" * size} for size in (0, 1, 1_000_000)])
    assert [o.objective for o in evaluator.gather_all()] == [0, 1, 1_000_000]


FORKED = """\
import multiprocessing, sys, time
from deephyper.evaluator import Evaluator
evaluator = Evaluator.create({runs!r}, "process", 1)
evaluator.submit([{{"do": "double", "x": 1}}])
assert evaluator.gather_all()[0].objective == 2
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
child.start()
print(child.pid, flush=True)
if sys.argv[1] == "close":
    evaluator.close()
    print("closed", flush=True)
    child.kill()
else:
    evaluator.submit([{{"do": "spin"}}])
    evaluator.gather_all()
"""


@pytest.mark.parametrize("how", ["close", "kill"])
def test_workers_end_although_a_child_of_their_parent_lives_on(tmp_path: Path, how: str) -> None:
    script = tmp_path / "forked.py"
    script.write_text(FORKED.format(runs=f"{RUNS}::behave"))
    command = [sys.executable, str(script), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if how == "close":
            assert parent.stdout.readline() == "closed\n"
            assert parent.wait(timeout=30) == 0
            return
        started = psutil.Process(parent.pid).children(recursive=True)
        workers = [p for p in started if p.pid != child]
        parent.send_signal(signal.SIGKILL)
        try:
            assert workers
            assert all(is_gone(worker.pid) for worker in workers)
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_of_the_parent_closes_nothing(create: Create) -> None:
    evaluator = create("process", 1)
    evaluator.submit([{"do": "process_id"}])
    worker = only(evaluator.gather_all()).objective
    child = os.fork()
    if child == 0:
        evaluator.close()
        os._exit(0)
    os.waitpid(child, 0)
    evaluator.submit([{"do": "process_id"}])
    assert only(evaluator.gather_all()).objective == worker


def test_a_large_closure_reaches_its_worker_soon() -> None:
    data = os.urandom(30_000_000)
    with Evaluator.create(lambda point: len(data), "process", 1) as evaluator:
        evaluator.check(60.0)
        evaluator.submit([{}])
        assert only(evaluator.gather_all()).objective == 30_000_000


@pytest.mark.parametrize("fault", ["sigkill", "die_before_a_child"])
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_deaths_are_seen_on_kernels_without_process_descriptors(
    create: Create, monkeypatch: pytest.MonkeyPatch, error: str, fault: str
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(getattr(errno, error), error)

    monkeypatch.setattr(os, "pidfd_open", refuse)
    evaluator = create("process", 1)
    evaluator.submit([{"do": fault}, {"do": "double", "x": 3}])
    first, second = evaluator.gather_all()
    assert first.failure is not None
    assert first.failure.kind == "worker_died"
    assert second.objective == 6


def test_a_death_just_after_a_look_is_seen_by_the_next(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = create("process", 1)
    evaluator.submit([{"do": "sigkill"}])
    assert isinstance(evaluator, ProcessEvaluator)
    worker = evaluator._slots[0].worker
    assert worker is not None
    events = worker.events

    def look_before_it_dies(timeout: float = 0.0) -> list[JobMessage]:
        monkeypatch.setattr(worker, "events", events)
        while worker.usable:
            time.sleep(0.01)
        return []

    monkeypatch.setattr(worker, "events", look_before_it_dies)
    outcome = only(evaluator.gather_outcomes(timeout=60.0))
    assert outcome.failure is not None
    assert outcome.failure.kind == "worker_died"


def test_a_worker_that_dies_while_idle_is_replaced(create: Create) -> None:
    evaluator = create("process", 2)
    evaluator.submit([{"do": "sleep", "seconds": 100.0}, {"do": "process_id"}])
    idle = only(evaluator.gather_outcomes(timeout=60.0)).objective
    assert idle is not None
    os.kill(int(idle), signal.SIGKILL)
    assert is_gone(int(idle))
    # Its death neither ends a wait nor the evaluation that comes next.
    assert evaluator.gather_outcomes(timeout=0.2) == []
    evaluator.submit([{"do": "process_id"}])
    assert only(evaluator.gather_outcomes(timeout=60.0)).objective not in (None, idle)


def test_a_job_waits_for_another_worker_if_an_earlier_one_has_killed_its_own(
    create: Create,
) -> None:
    evaluator = create("process", 1)
    evaluator.submit([{"do": "process_id"}])
    first = only(evaluator.gather_outcomes(timeout=60.0)).objective
    assert first is not None
    os.kill(int(first), signal.SIGSTOP)
    evaluator.submit([{"do": "process_id"}])  # it can't begin there
    os.kill(int(first), signal.SIGKILL)
    assert only(evaluator.gather_outcomes(timeout=60.0)).objective not in (None, first)


def test_a_kill_for_lack_of_memory_is_told_apart(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's counter is all that can be seen of it."""
    counter = iter([3, 4])
    monkeypatch.setattr(worker_process, "_out_of_memory_kills", lambda: next(counter))
    evaluator = create("process", 1)
    evaluator.submit([{"do": "sigkill"}])
    failure = only(evaluator.gather_all()).failure
    assert failure is not None
    assert failure.kind == "out_of_memory"


def test_a_spare_process_that_has_died_is_replaced(create: Create) -> None:
    evaluator = create("subprocess", 1)
    evaluator.submit([{"do": "process_id"}])
    evaluator.gather_all()
    assert isinstance(evaluator, ProcessEvaluator)
    spare = evaluator._slots[0].spare
    assert spare is not None
    os.kill(spare.pid, signal.SIGKILL)
    assert is_gone(spare.pid)
    evaluator.submit([{"do": "double", "x": 3}])
    assert only(evaluator.gather_all()).objective == 6


def test_paths_that_are_no_text_are_passed_over(
    create: Create, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    evaluator = create("process", 1)
    evaluator.submit([{"do": "double", "x": 3}])
    assert only(evaluator.gather_all()).objective == 6


def test_too_many_workers_for_the_machine_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(
        "from deephyper.problem import HpProblem\n"
        'Problem = HpProblem()\nProblem.add_hyperparameter((1, 1000), "x")\n'
        'def run(point): return point["x"]\n'
    )
    program = 'ulimit -n 40; exec "$0" -m deephyper hps random -p task.py -r task.py'
    done = subprocess.run(
        ["bash", "-c", f"{program} --num-workers 40 --max-evals 80", sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "use fewer workers" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_search_needs_no_standard_streams(tmp_path: Path, closed: str) -> None:
    (tmp_path / "task.py").write_text(
        "from deephyper.problem import HpProblem\n"
        'Problem = HpProblem()\nProblem.add_hyperparameter((1, 1000), "x")\n'
        'def run(point):\n    print("here")\n    return point["x"]\n'
    )
    program = 'exec "$0" -m deephyper hps random -p task.py -r task.py --max-evals 3 --log-dir log'
    done = subprocess.run(["bash", "-c", f"{program} {closed}", sys.executable], cwd=tmp_path)
    assert done.returncode == 0
    assert len((tmp_path / "log" / "results.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("path", ["./run.py", "sub/../run.py", ".//run.py", "./run.py::run"])
def test_a_file_may_be_named_by_any_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "run.py").write_text("def run(point):\n    return 5\n")
    monkeypatch.chdir(tmp_path)
    with Evaluator.create(path, "process", 1) as evaluator:
        evaluator.submit([{}])
        assert only(evaluator.gather_all()).objective == 5


def test_loading_is_limited_in_time(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("import time\ntime.sleep(60)\n")
    with (
        Evaluator.create(str(tmp_path / "run.py"), "process", 1) as evaluator,
        pytest.raises(RunFunctionError, match=r"could not be loaded within 0\.5 s"),
    ):
        evaluator.check(limit=0.5)


def test_a_closed_evaluator_is_not_checked(create: Create) -> None:
    evaluator = create("process", 1)
    evaluator.close()
    with pytest.raises(EvaluatorError, match="closed"):
        evaluator.check()


def test_an_output_folder_that_is_a_file_is_refused(create: Create, tmp_path: Path) -> None:
    (tmp_path / "output").touch()
    evaluator = create("process", 1, output_dir=tmp_path / "output")
    with pytest.raises(EvaluatorError, match="can't be made"):
        evaluator.check()


def test_modules_in_the_current_folder_do_not_reach_a_worker_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError\n")
    monkeypatch.chdir(tmp_path)
    with Evaluator.create(f"{RUNS}::behave", "process", 1) as evaluator:
        evaluator.submit([{"do": "double", "x": 1}])
        assert only(evaluator.gather_all()).objective == 2


def test_a_child_in_a_session_of_its_own_is_ended_too(create: Create, tmp_path: Path) -> None:
    file = tmp_path / "child"
    evaluator = create("process", 1)
    evaluator.submit([{"do": "start_daemon", "file": str(file)}])
    evaluator.gather_all()
    evaluator.close()
    assert is_gone(int(file.read_text()))
