"""A program as a run function."""

from __future__ import annotations

import json
import os
import pickle
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.command import Command
from deephyper.errors import SettingsError
from deephyper.evaluator import EvaluationPruned, Evaluator
from deephyper.evaluator.current import Context
from deephyper.job import Ended, Job, Outcome, Reported

NAMES = ("x", "y")


def sh(script: str, *words: str, **options: Any) -> Command:
    return Command(["sh", "-c", script, "sh", *words], NAMES, **options)


def in_search(
    command: Command, point: dict[str, Any], directory: Path, stop: Callable[[], bool] = bool
) -> tuple[Any, list[tuple[int, float, dict[str, float]]]]:
    """What it returns and reports as an evaluation."""
    reports: list[tuple[int, float, dict[str, float]]] = []
    context = Context(
        "7",
        seed=99,
        directory=str(directory),
        send=lambda step, objective, metrics: reports.append((step, objective, dict(metrics))),
        stop_requested=stop,
    )
    with context:
        return command(point), reports


def test_the_last_number_is_the_objective() -> None:
    assert sh('echo "x is $1"; echo "score $2"', "{x}", "{y}")({"x": 1, "y": 0.25}) == 0.25


def test_a_line_counts_wherever_it_stands() -> None:
    assert sh("echo DH-OUTPUT: 0.5; echo 7")({}) == 0.5
    assert sh("echo 'DH-OUTPUT: 0.5 acc=1'; echo 7")({}) == {
        "objective": 0.5,
        "metrics": {"acc": 1.0},
    }
    assert sh("echo DH-OUTPUT: F_unstable; echo 7")({}) == "F_unstable"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo one >&2; echo two >&2; exit 3", "the program ended with status 3: one two"),
        ("echo only; exit 1", "the program ended with status 1: only"),
        ("kill -9 $$", "the program was ended by SIGKILL"),
        ("echo nothing", "the program printed no number, and no line DH-OUTPUT: VALUE"),
        ("exit 0", "the program printed no number"),
    ],
)
def test_why_an_evaluation_fails(script: str, reason: str) -> None:
    assert " ".join(str(sh(script)({})).split()).startswith(f"F_{reason}")


def test_a_program_that_is_not_there_when_it_is_needed(tmp_path: Path) -> None:
    assert "can't be started: No such file" in Command([str(tmp_path / "no")], NAMES)({})
    long = Command(["true", "{x}"], NAMES)({"x": "a" * 10_000_000})
    assert "can't be started: Argument list too long" in long
    assert "null byte" in Command(["true", "{x}"], NAMES)({"x": "a\0b"})
    assert "can't show the value 'a'" in Command(["true", "{x:d}"], NAMES)({"x": "a"})


def test_the_environment_and_the_values_of_the_evaluation(tmp_path: Path) -> None:
    command = sh(
        'printf "%s\\n" "$DEEPHYPER_POINT" "$DEEPHYPER_ID" "$DEEPHYPER_DIR" "$@" > "$2/seen"; '
        "echo 1",
        "{id}",
        "{dir}",
        "{seed}",
    )
    point = {"x": "é\n'", "y": True}
    in_search(command, point, tmp_path / "own")
    text = (tmp_path / "own" / "seen").read_text()
    assert text.splitlines() == [
        json.dumps(point),
        "7",
        str(tmp_path / "own"),
        "7",
        str(tmp_path / "own"),
        "99",
    ]


def test_the_point_as_json_and_in_a_file(tmp_path: Path) -> None:
    point = {"x": "a 'b' ü", "y": True}
    script = 'printf %s "$1" > a; cat "$2" > b; echo 1'
    command = sh(script, "{point}", "{point_file}", workdir="evaluation")
    assert in_search(command, point, tmp_path / "7")[0] == 1
    assert command.unused == []
    for name in ("a", "b", "point.json"):
        assert json.loads((tmp_path / "7" / name).read_text(encoding="utf-8")) == point


@pytest.mark.parametrize(
    ("objective", "workdir", "shared"),
    [
        ("last", "start", ""),
        ("json:out.json:a", "start", "out.json"),
        ("json:out.json", "/tmp", "out.json"),
        ("json:out.json", "evaluation", ""),
        ("json:/log/out.json", "evaluation", "/log/out.json"),
        ("json:{dir}/out.json", "start", ""),
        ("json:{id}.json", "start", ""),
    ],
)
def test_which_files_of_objectives_are_shared(objective: str, workdir: str, shared: str) -> None:
    assert Command(["true"], NAMES, objective=objective, workdir=workdir).shared_file == shared


def test_formats_are_checked_with_values_before_anything_runs() -> None:
    command = Command(["true", "{x:.2f}", "{args}", "{id}"], NAMES, objective="json:{y:03d}.json")
    command.check_formats({"x": [0.5, 1], "y": [3]})
    for examples, shown in (({"x": [1, "a"]}, "{x:.2f}"), ({"y": ["a"]}, "{y:03d}")):
        with pytest.raises(
            SettingsError, match=f"{re.escape(shown)} can't show the value 'a' .*; "
        ):
            command.check_formats(examples)


def test_an_empty_directory_is_not_left_behind(tmp_path: Path) -> None:
    in_search(sh("test -d $DEEPHYPER_DIR && echo 1"), {}, tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_where_a_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.sh").write_text("#!/bin/sh\npwd > $1/where; echo 1\n")
    (tmp_path / "here.sh").chmod(0o755)
    at_start = Command(["./here.sh", "{dir}"], NAMES)
    in_own = Command(["./here.sh", "{dir}"], NAMES, workdir="evaluation")
    monkeypatch.chdir("/")
    for command, place in ((at_start, tmp_path), (in_own, tmp_path / "own")):
        assert in_search(command, {}, tmp_path / "own")[0] == 1
        assert (tmp_path / "own" / "where").read_text().strip() == str(place)


def test_an_objective_in_a_file_of_the_evaluation(tmp_path: Path) -> None:
    command = sh('echo "{{\\"a\\": [1, $1]}}" > "$2/out.json"', "{x}", "{dir}")
    command = Command(
        ["sh", "-c", 'printf %s "[1, $1]" > "$2/out.json"', "sh", "{x}", "{dir}"],
        NAMES,
        objective="json:{dir}/out.json:-1",
    )
    assert in_search(command, {"x": 5}, tmp_path)[0] == 5
    assert in_search(command, {"x": 6}, tmp_path)[0] == 6


def test_reports(tmp_path: Path) -> None:
    command = sh("for i in 1 2 3; do echo DH-REPORT: $i 0.$i loss=$i; done; echo done")
    result, reports = in_search(command, {}, tmp_path)
    assert reports == [(i, i / 10, {"loss": float(i)}) for i in (1, 2, 3)]
    assert result == 0.3  # the last one, where nothing else is said


@pytest.mark.parametrize("line", ["DH-REPORT: 1", "DH-REPORT: x 1", "DH-REPORT: 1 x", "DH-REPORT:"])
def test_a_report_that_cannot_be_read(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a report is DH-REPORT: STEP VALUE"):
        in_search(sh(f"echo {line}; sleep 60"), {}, tmp_path)
    with pytest.raises(SettingsError, match="step"):
        in_search(sh("echo DH-REPORT: 2 1; echo DH-REPORT: 1 1; sleep 60"), {}, tmp_path)


def test_a_report_ends_what_is_to_end_with_all_that_it_has_started(tmp_path: Path) -> None:
    script = "sleep 600 & echo $! > pid; echo DH-REPORT: 1 0.5; wait"
    command = sh(script, directory=str(tmp_path))
    with pytest.raises(EvaluationPruned):
        in_search(command, {}, tmp_path, stop=lambda: True)
    is_gone(int((tmp_path / "pid").read_text()))


def test_a_silent_program_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    script = f"trap 'echo saved > {tmp_path}/saved; exit 0' TERM; echo $$ > pid; sleep 600 & wait"
    command = sh(script, directory=str(tmp_path))
    pid = tmp_path / "pid"
    result, _ = in_search(command, {}, tmp_path / "own", stop=pid.exists)
    assert result is None
    assert (tmp_path / "saved").read_text() == "saved\n"  # it had the time to
    is_gone(int(pid.read_text()))


def test_what_it_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    command = sh("sleep 600 & echo $! > pid; echo 1", directory=str(tmp_path))
    assert command({}) == 1
    is_gone(int((tmp_path / "pid").read_text()))


def test_much_output_and_no_line_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    size = 3_000_000
    program = (
        f"import sys; sys.stdout.write('x' * {size}); sys.stderr.write('e' * {size}); print(5)"
    )
    assert Command([sys.executable, "-c", program], NAMES)({}) is not None
    shown = capfd.readouterr()
    assert shown.out.count("x") == shown.err.count("e") == size


def test_a_metric_may_have_the_name_of_anything(tmp_path: Path) -> None:
    _, reports = in_search(sh("echo DH-REPORT: 1 0.5 step=2 objective=3"), {}, tmp_path)
    assert reports == [(1, 0.5, {"step": 2.0, "objective": 3.0})]


def test_no_directory_but_that_of_an_evaluation_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert sh("echo 1")({}) == 1
    assert (tmp_path / "empty").exists()


def test_progress_bars_and_broken_text() -> None:
    assert sh("printf '1%%\\r2%%\\r\\377 0.5\\r'")({}) == 0.5


def test_characters_of_several_bytes_may_come_in_parts(capfd: pytest.CaptureFixture[str]) -> None:
    script = r"printf '\303'; sleep 0.1; printf '\274=2\n\303'; sleep 0.1; printf '\274: 3\303'"
    assert sh(script, objective="regex:^ü=(.)")({}) == 2.0
    assert "ü=2\nü: 3\ufffd" in capfd.readouterr().out


def test_the_marks_in_a_traceback_are_no_lines_of_the_reason(tmp_path: Path) -> None:
    script = "def f():\n    return 1 / (0 + 0)\n\nf()\n"
    (tmp_path / "train.py").write_text(script)
    reason = Command([sys.executable, str(tmp_path / "train.py")], NAMES)({})
    assert "return 1 / (0 + 0)\nZeroDivisionError" in reason
    assert "^" not in reason


def test_it_can_be_sent_to_another_process() -> None:
    command = sh("echo $1", "{x}", objective="regex:(.*)")
    assert pickle.loads(pickle.dumps(command))({"x": 3}) == 3


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        ([], {}, "the command is empty"),
        ([""], {}, "the command is empty"),
        (["true", "{z}"], {}, r"unknown placeholder \{z\}"),
        (["true"], {"objective": "json:{z}/out.json"}, r"unknown placeholder \{z\}"),
        (["true"], {"objective": "first"}, "--objective is 'first'"),
    ],
)
def test_what_is_no_command(words: list[str], options: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Command(words, NAMES, **options)


def test_the_program_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.sh").write_text("echo 1\n")
    (tmp_path / "text").write_text("echo 1\n")
    (tmp_path / "script").write_text("#!/no/where/sh -e\necho 1\n")
    (tmp_path / "directory").mkdir()
    for name in ("text", "script"):
        (tmp_path / name).chmod(0o755)
    for word, message in (
        ("no-such-program", "is not in the directories of PATH; install it, or give its path$"),
        ("train.sh", r"is not in the directories of PATH.* its path: ./train.sh"),
        ("./no.sh", "the program './no.sh' is not there; correct its path"),
        ("./train.sh", r"is not executable; make it so \(chmod \+x ./train.sh\)"),
        ("./directory", "the program './directory' is a directory; name a program in it"),
        ("./text", "the program './text' is a text without a first line such as #!/bin/sh"),
        ("./script", "the program './script' names '/no/where/sh' in its first line, which is not"),
    ):
        with pytest.raises(SettingsError, match=message):
            Command([word], NAMES).check_program()
    Command(["sh"], NAMES).check_program()
    Command(["{x}"], NAMES).check_program()


@pytest.mark.parametrize("method", ["thread", "process", "subprocess", "ray"])
def test_every_evaluator(method: str, tmp_path: Path) -> None:
    if method == "ray":
        pytest.importorskip("ray")
    command = sh("echo DH-REPORT: 1 0.5; echo $1 $2; echo err >&2", "{x}", "{y}")
    outcomes: list[Outcome] = []
    reports: list[Reported] = []
    with Evaluator.create(command, method=method, num_workers=2) as evaluator:
        evaluator.submit([Job(str(i), {"x": "a b", "y": i}) for i in range(4)])
        while evaluator.num_unfinished:
            for event in evaluator.gather():
                if isinstance(event, Ended):
                    outcomes.append(event.outcome)
                elif isinstance(event, Reported):
                    reports.append(event)
    assert {o.job.id: o.objective for o in outcomes} == {str(i): float(i) for i in range(4)}
    assert sorted(r.job.id for r in reports) == ["0", "1", "2", "3"]


def is_gone(pid: int) -> None:
    """Wait until a process has ended; the test's own time limit ends it otherwise."""
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert os.getpid() != pid
