"""Programs are evaluated as functions are by the process evaluator, without its workers."""

from __future__ import annotations

import os
import pty
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.command import Command
from deephyper.command.evaluator import ProgramEvaluator
from deephyper.errors import EvaluatorError
from deephyper.evaluator import Ended, Evaluator, Event, Job, Reported, Started
from deephyper.evaluator.process import ProcessEvaluator
from deephyper.evaluator.subprocess import SubprocessEvaluator
from tests.command.test_command import is_gone

# A program whose child has left its group and its session, and its parent.
DAEMON = """
import os, subprocess, sys, time
daemon = "import os, sys, time; os.fork() and os._exit(0); os.setsid(); "
daemon += "print(os.getpid(), file=open(sys.argv[1] + '~', 'w'), flush=True); "
daemon += "os.rename(sys.argv[1] + '~', sys.argv[1]); time.sleep(600)"
subprocess.run([sys.executable, "-c", daemon, sys.argv[1]])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
print(1.5, flush=True)
time.sleep(float(sys.argv[2]))
"""


def sh(script: str, *arguments: str, names: Sequence[str] = ("x",)) -> Command:
    return Command(["sh", "-c", script, "sh", *arguments], names)


def daemon(file: Path, seconds: float) -> Command:
    return Command([sys.executable, "-c", DAEMON, str(file), str(seconds)], ["x"])


def evaluator_of(command: Command, workers: int = 1, **options: Any) -> Evaluator:
    evaluator = Evaluator.create(command, "process", workers, **options)
    assert type(evaluator) is ProgramEvaluator
    return evaluator


def pid_in(file: Path) -> int:
    """Return the process id in a file that is there soon."""
    while not file.exists():
        time.sleep(0.01)
    return int(file.read_text())


def test_where_a_program_needs_no_worker_process() -> None:
    command = sh("echo 1")
    for method, backend, name in (
        ("process", ProgramEvaluator, "process"),
        ("thread", ProgramEvaluator, "process"),  # it can be killed, which threads can't
        ("subprocess", SubprocessEvaluator, "subprocess"),
    ):
        with Evaluator.create(command, method) as evaluator:
            assert type(evaluator) is backend
            assert evaluator.method == name
    with Evaluator.create(abs, "process") as evaluator:  # type: ignore[arg-type]
        assert type(evaluator) is ProcessEvaluator


@pytest.mark.parametrize("how", ["finished", "timeout", "cancel", "close"])
def test_nothing_is_left_running(tmp_path: Path, how: str) -> None:
    file = tmp_path / "daemon"
    command = daemon(file, 0 if how == "finished" else 600)
    with evaluator_of(command, timeout=5 if how == "timeout" else None) as evaluator:
        evaluator.submit([{"x": 0}])
        if how in ("finished", "timeout"):
            (outcome,) = evaluator.gather_all()
            if how == "finished":
                assert outcome.objective == 1.5
            else:
                assert outcome.failure is not None
                assert outcome.failure.kind == "timeout"
                assert not outcome.left_behind
        if how == "timeout" and not file.exists():
            return  # it was killed before it got there
        pid = pid_in(file)
        if how == "cancel":
            (outcome,) = evaluator.cancel()
            assert outcome.status == "stopped"
        if how in ("cancel", "timeout"):
            is_gone(pid)
    is_gone(pid)


def test_a_worker_is_free_at_once_after_a_timeout() -> None:
    command = sh("trap '' TERM; while [ $1 = 1 ]; do sleep 0.1; done; echo 2", "{x}")
    with evaluator_of(command, timeout=2) as evaluator:
        evaluator.submit([{"x": 1}, {"x": 0}])
        outcomes = evaluator.gather_all()
    assert [outcome.objective for outcome in outcomes] == [None, 2.0]


def test_programs_end_with_a_killed_search(tmp_path: Path) -> None:
    file = tmp_path / "daemon"
    search = (
        "import sys; from deephyper.command import Command; from deephyper import Evaluator; "
        "evaluator = Evaluator.create(Command(sys.argv[1:], ['x']), 'process'); "
        "evaluator.submit([{'x': 0}]); evaluator.gather_all()"
    )
    words = [sys.executable, "-c", DAEMON, str(file), "600"]
    process = subprocess.Popen([sys.executable, "-c", search, *words])
    pid = pid_in(file)
    process.kill()
    process.wait()
    is_gone(pid)


def test_what_it_prints_is_in_its_output_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = sh('printf "$1"; [ -z "$1" ] || printf \'e\\377\\n\' >&2; exit 3', "{x}")
    with evaluator_of(command, output_dir=tmp_path / "output") as evaluator:
        evaluator.submit([{"x": "1\n2\n"}, {"x": ""}])
        first, second = evaluator.gather_all()
    assert first.output == str(tmp_path / "output" / "0.1.log")
    assert sorted(Path(first.output).read_bytes().splitlines()) == [b"1", b"2", b"e\xff"]
    assert second.output is not None
    assert Path(second.output).read_bytes() == b""
    assert capfd.readouterr() == ("", "")


def test_output_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "0.1.log").symlink_to(tmp_path / "elsewhere")
    with evaluator_of(sh("echo 1; sleep 600"), output_dir=tmp_path) as evaluator:
        evaluator.submit([{"x": 1}])
        (outcome,) = evaluator.gather_all()
    assert outcome.failure is not None
    assert "0.1.log" in outcome.failure.message
    assert not (tmp_path / "elsewhere").exists()


def test_gpus_and_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = 'sleep 0.2; echo "DH-OUTPUT: $1 same=$CUDA_VISIBLE_DEVICES threads=$OMP_NUM_THREADS"'
    command = sh(script, "{gpu}")
    with evaluator_of(command, 2, num_gpus_per_task=1, num_cpus_per_task=64) as evaluator:
        evaluator.submit([{"x": i} for i in range(4)])
        outcomes = evaluator.gather_all()
    assert {outcome.objective for outcome in outcomes} == {3.0, 5.0}
    for outcome in outcomes:
        assert outcome.metrics == {"same": outcome.objective, "threads": 64.0}
    with pytest.raises(EvaluatorError, match="there are 3"):
        evaluator_of(command, 2, num_gpus_per_task=2)


def test_more_workers_than_files_may_be_open_are_refused() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 5_000_000:
        pytest.skip("there is no limit")
    with pytest.raises(EvaluatorError, match="ulimit -n"):
        evaluator_of(sh("echo 1"), hard)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


def test_events_come_in_their_order(tmp_path: Path) -> None:
    command = Command(["{x}", "-c", "echo DH-REPORT: 1 0.5; echo 2"], ["x"])
    events: list[Event] = []
    with evaluator_of(command) as evaluator:
        evaluator.submit([{"x": "sh"}, {"x": "no-such-program"}])
        while evaluator.num_unfinished:
            events += evaluator.gather()
    assert [type(e) for e in events] == [Started, Reported, Ended, Started, Ended]
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome.failure is not None
    assert "can't be started" in events[-1].outcome.failure.message


def test_a_request_to_stop_ends_it_gently() -> None:
    command = sh("trap 'exit 0' TERM; echo DH-REPORT: 1 0.5; while :; do sleep 0.05; done")
    with evaluator_of(command) as evaluator:
        (job,) = evaluator.submit([{"x": 1}])
        events: list[Event] = []
        while not any(isinstance(event, Reported) for event in events):
            events += evaluator.gather()
        evaluator.request_stop([job.id])
        (outcome,) = evaluator.gather_all()
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.5, 1)


def test_reports_count_until_it_has_ended_and_no_part_of_one() -> None:
    last = "echo DH-REPORT: 2 0.75; printf 'DH-REPORT: 3 0.'; exit 0"
    command = sh(f'trap "{last}" TERM; echo DH-REPORT: 1 0.5; while :; do sleep 0.05; done')
    with evaluator_of(command) as evaluator:
        (job,) = evaluator.submit([{"x": 1}])
        events: list[Event] = []
        while not any(isinstance(event, Reported) for event in events):
            events += evaluator.gather()
        evaluator.request_stop([job.id])
        while evaluator.num_unfinished:
            events += evaluator.gather()
    assert [event.step for event in events if isinstance(event, Reported)] == [1, 2]
    assert isinstance(events[-1], Ended)
    outcome = events[-1].outcome
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.75, 2)


def test_directories_are_there_and_only_those_with_something_stay(tmp_path: Path) -> None:
    script = 'ls -A "$DEEPHYPER_DIR"; cd "$DEEPHYPER_DIR" || exit 1; [ $1 = 2 ] && : > kept; echo 1'
    jobs = [Job(str(i), {"x": i}, directory=str(tmp_path / str(i))) for i in range(5)]
    with evaluator_of(sh(script, "{x}"), 2) as evaluator:
        evaluator.submit(jobs)
        assert all(outcome.objective == 1.0 for outcome in evaluator.gather_all())
        # The same evaluation again finds what it has left.
        evaluator.submit([Job("2", {"x": 3}, 2, directory=str(tmp_path / "2"))])
        evaluator.gather_all()
    assert os.listdir(tmp_path) == ["2"]
    assert os.listdir(tmp_path / "2") == ["kept"]


def test_no_terminal_stops_a_program(tmp_path: Path) -> None:
    search = (
        "import sys; from deephyper.command import Command; from deephyper import Evaluator\n"
        "command = Command(['sh', '-c', '(: < /dev/tty) && echo 1 || echo 2'], ['x'])\n"
        "with Evaluator.create(command, 'process') as evaluator, open('/dev/tty'):\n"
        "    evaluator.submit([{'x': 0}])\n"
        "    open(sys.argv[1], 'w').write(str(evaluator.gather_all()[0].objective))\n"
    )
    file = tmp_path / "objective"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", search, str(file)])
    os.waitpid(pid, 0)
    os.close(terminal)
    assert file.read_text() == "2.0"


def test_programs_go_on_and_their_ends_are_noted_while_nobody_waits(tmp_path: Path) -> None:
    script = 'echo $$ > "$1~"; mv "$1~" "$1"; head -c 3000000 /dev/zero; echo; echo 7'
    command = sh(script, str(tmp_path / "pid"))
    with evaluator_of(command, output_dir=tmp_path / "output") as evaluator:
        evaluator.submit([{"x": 0}])
        pid = pid_in(tmp_path / "pid")
        while psutil.pid_exists(pid):  # as a zombie too
            time.sleep(0.01)
        assert isinstance(evaluator, ProgramEvaluator)
        with evaluator._lock:
            ended = evaluator.clock.now()
        (outcome,) = evaluator.gather_all()
    assert outcome.objective == 7.0
    assert outcome.end <= ended + 1e-3  # of two clocks
    assert outcome.output is not None
    assert os.path.getsize(outcome.output) == 3_000_003


def test_what_has_ended_in_the_meantime_is_not_ended_early(tmp_path: Path) -> None:
    command = sh('echo $$ > "$1~"; mv "$1~" "$1"; echo 7', str(tmp_path / "pid"))
    for end in (Evaluator.request_stop, Evaluator.prune, Evaluator.cancel):
        with evaluator_of(command) as evaluator:
            (job,) = evaluator.submit([{"x": 0}])
            is_gone(pid_in(tmp_path / "pid"))
            end(evaluator, [job.id])
            (outcome,) = evaluator.gather_all()
        assert (outcome.status, outcome.objective) == ("finished", 7.0)
        (tmp_path / "pid").unlink()


def test_the_same_job_again_after_it_was_canceled(tmp_path: Path) -> None:
    command = sh('[ $1 = 2 ] && echo 5 && exit; : > "$2"; sleep 600', "{x}", str(tmp_path / "is"))
    with evaluator_of(command) as evaluator:
        evaluator.submit([Job("a", {"x": 1})])
        while not (tmp_path / "is").exists():
            time.sleep(0.01)
        (canceled,) = evaluator.cancel()
        evaluator.submit([Job("a", {"x": 2}, 2)])
        (outcome,) = evaluator.gather_all()
    assert canceled.status == "stopped"
    assert (outcome.status, outcome.objective, outcome.job.attempt) == ("finished", 5.0, 2)


def test_what_it_printed_last_is_in_the_failure_of_a_timeout(tmp_path: Path) -> None:
    command = sh("echo almost; sleep 600")
    with evaluator_of(command, timeout=0.5, output_dir=tmp_path) as evaluator:
        evaluator.submit([{"x": 0}])
        while True:
            (outcome,) = evaluator.gather_all()
            assert outcome.failure is not None
            assert outcome.output is not None
            if Path(outcome.output).read_text():  # it got as far
                assert outcome.failure.text == "almost\n"
                return
            evaluator.submit([{"x": 0}])


def test_a_point_that_is_no_json_is_a_failure_of_its_evaluation() -> None:
    with evaluator_of(sh("echo 1")) as evaluator:
        evaluator.submit([{"x": object()}, {"x": 1}])
        first, second = evaluator.gather_all()
    assert first.failure is not None
    assert first.failure.kind == "exception"
    assert "JSON" in first.failure.message
    assert second.objective == 1.0


def test_a_directory_that_cannot_be_made_is_a_failure_of_its_evaluation(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with evaluator_of(sh("echo 1")) as evaluator:
        evaluator.submit([Job("0", {"x": 1}, directory=str(tmp_path / "file" / "0"))])
        (outcome,) = evaluator.gather_all()
    assert outcome.failure is not None
    assert "Not a directory" in outcome.failure.message


def test_those_that_print_without_an_end_keep_none_from_ending(tmp_path: Path) -> None:
    command = sh("[ $1 = 0 ] && exec yes 0123456789; echo 1", "{x}")
    with evaluator_of(command, 16, output_dir=tmp_path, timeout=600) as evaluator:
        evaluator.submit([{"x": 0}] * 15)
        short = evaluator.submit([{"x": 1}] * 20)
        outcomes = evaluator.gather_outcomes(at_least=20)
        assert {outcome.job.id for outcome in outcomes} == {job.id for job in short}
        assert {outcome.objective for outcome in outcomes} == {1.0}
        assert len(evaluator.cancel()) == 15
