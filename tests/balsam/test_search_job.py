"""The command line that a submitted search becomes, and the batch script that carries it."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template

from deephyper.balsam.nodes import num_places, refuse_misfit
from deephyper.balsam.search_job import SPEC_FILE, command_line, last_seconds
from deephyper.balsam.serial_node import take_name
from deephyper.balsam.slurm import TEMPLATE
from deephyper.errors import EvaluatorError

REPOSITORY = Path(__file__).resolve().parents[2]


def spec(**options: str) -> dict[str, Any]:
    given = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    return {"search": "ambs", "problem": "p.Problem", "run": "p.run", "options": given}


def value_of(command: list[str], option: str) -> str:
    assert command.count(option) == 1
    return command[command.index(option) + 1]


def test_a_new_search_begins_in_its_folder() -> None:
    command = command_line(spec(max_evals="7"), resume=False, grace=12.0)
    assert command[3:5] == ["hps", "ambs"]
    assert value_of(command, "--log-dir") == "."
    assert value_of(command, "--max-evals") == "7"
    assert value_of(command, "--grace") == "12"
    assert value_of(command, "--evaluator") == "balsam"
    assert "--resume" not in command


def test_a_begun_search_goes_on_without_its_warm_start() -> None:
    command = command_line(spec(warm_start="old.csv"), resume=True, grace=12.0)
    assert value_of(command, "--resume") == "."
    assert "--warm-start" not in command
    assert "--log-dir" not in command


def test_a_given_grace_is_kept() -> None:
    assert value_of(command_line(spec(grace="3.0"), False, 12.0), "--grace") == "3.0"


@pytest.mark.parametrize(
    ("mode", "nodes", "nodes_per_eval", "evals_per_node", "places"),
    [
        ("mpi", 4, 1, 1, 3),
        ("mpi", 4, 2, 1, 1),
        ("mpi", 2, 2, 1, 0),
        ("mpi", 1, 1, 1, 0),
        ("serial", 1, 1, 1, 1),
        ("serial", 3, 1, 4, 12),
    ],
)
def test_how_many_evaluations_find_room(
    mode: str, nodes: int, nodes_per_eval: int, evals_per_node: int, places: int
) -> None:
    assert num_places(mode, nodes, nodes_per_eval, evals_per_node) == places


@pytest.mark.parametrize(
    ("mode", "layout"), [("serial", (2, 1, 1)), ("serial", (1, 2, 1)), ("mpi", (1, 1, 2))]
)
def test_layouts_that_do_not_suit_the_mode_are_refused(
    mode: str, layout: tuple[int, int, int]
) -> None:
    with pytest.raises(EvaluatorError, match="submit with -j"):
        refuse_misfit(mode, *layout)


@pytest.mark.parametrize(
    ("minutes", "mode", "seconds"),
    [
        (30, "mpi", 28 * 60),
        (30, "serial", 27 * 60),
        (3, "mpi", 60),
        (3, "serial", 6),
        (1, "mpi", 60),
    ],
)
def test_the_batch_script_says_when_the_launcher_ends(
    minutes: int, mode: str, seconds: int, tmp_path: Path
) -> None:
    values = {"nodes": 1, "queue": "q", "project": "", "time_minutes": minutes, "job_mode": mode}
    places = {
        "balsam_bin": "/b",
        "pg_bin": "/p",
        "balsam_db_path": "/d",
        "wf_filter": "wf-filter=w",
    }
    script = Template(TEMPLATE).render(values | places)
    assert "#SBATCH --account" not in script
    assert f"#SBATCH --time={minutes}\n" in script
    part = script[script.index("minutes=") : script.index("export DEEPHYPER_LAUNCH_END")]
    said = subprocess.run(
        ["bash", "-euc", f"{part}\necho $seconds"], capture_output=True, text=True, check=True
    ).stdout
    assert int(said) == seconds


TASK = """
import time
from deephyper.problem import HpProblem

Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")


def run(point):
    time.sleep(0.1)
    return point["x"]


def fails(point):
    raise ValueError("out of cheese")
"""


@pytest.mark.parametrize(
    ("run", "options", "go_on"),
    [
        ("fails", {"--max-failures": "1"}, "deephyper balsam-submit hps mine.1 --resume"),
        ("run", {"--timeout": "1"}, r"deephyper balsam-submit hps mine.1 --resume --timeout \d+"),
    ],
)
def test_a_search_says_how_to_go_on_with_its_workflow(
    tmp_path: Path, run: str, options: dict[str, str], go_on: str
) -> None:
    (tmp_path / "task.py").write_text(TASK)
    search = {
        "workflow": "mine.1",
        "search": "random",
        "problem": "task.Problem",
        "run": f"task.{run}",
        "options": {**options, "--evaluator": "thread", "--grace": "0"},
        "folder": str(tmp_path),
    }
    folder = _folder_of(tmp_path, search)
    ended = subprocess.run(
        [sys.executable, "-m", "deephyper.balsam.search_job"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    said = re.findall(r"Resume with.*", ended.stdout)
    assert len(said) == 1, ended.stderr
    assert re.fullmatch(f"Resume with: {go_on}", said[0])


def _folder_of(tmp_path: Path, search: dict[str, object]) -> Path:
    folder = tmp_path / "search"
    folder.mkdir()
    (folder / SPEC_FILE).write_text(json.dumps({"search": search}))
    return folder


def start(tmp_path: Path, **variables: str) -> tuple[subprocess.Popen[str], Path]:
    """A search whose evaluations never end, once one runs; and its journal."""
    (tmp_path / "task.py").write_text(TASK.replace("time.sleep(0.1)", "time.sleep(600)"))
    search = {
        "workflow": "mine",
        "search": "random",
        "problem": "task.Problem",
        "run": "task.run",
        "options": {"--evaluator": "process", "--grace": "600"},
        "folder": str(tmp_path),
    }
    folder = _folder_of(tmp_path, search)
    started = subprocess.Popen(
        [sys.executable, "-m", "deephyper.balsam.search_job"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    journal = folder / "journal.jsonl"
    while not journal.exists() or '"started"' not in journal.read_text():
        assert time.monotonic() < until
        time.sleep(0.1)
    return started, journal


def test_a_cancelled_search_ends_before_its_grace(tmp_path: Path) -> None:
    """The scheduler kills soon after its SIGTERM, and sends that several times."""
    started, journal = start(tmp_path)
    began = time.monotonic()
    for _ in range(3):
        started.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    said, _ = started.communicate(timeout=60)
    assert time.monotonic() < began + 10
    assert "Resume with: deephyper balsam-submit hps mine --resume" in said
    assert '"stopped"' in journal.read_text()


def test_a_search_ends_before_its_launcher(tmp_path: Path) -> None:
    end = time.time() + 12
    started, journal = start(tmp_path, DEEPHYPER_LAUNCH_END=str(end))
    said, _ = started.communicate(timeout=60)
    assert time.time() < end
    assert started.returncode == 0
    assert "time is nearly over" in said
    assert "Resume with: deephyper balsam-submit hps mine --resume" in said
    assert '"stopped"' in journal.read_text()


def test_how_the_last_seconds_are_shared_out() -> None:
    assert last_seconds(3600, 30) == (45, 30)
    assert last_seconds(3600, 120) == (135, 120)
    assert last_seconds(60, 30) == (15, 1)
    assert last_seconds(math.inf, 30) == (45, 30)
    assert last_seconds(3600, 0) == (15, 0)


def test_a_node_takes_the_name_that_slurm_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", socket.gethostname)
    words = ["serial_node.py", "--master-address", "n1:19876", "--num-workers", "2"]
    take_name(words, "n1", resolve=lambda name: "10.0.0.1")
    assert (words[2], socket.gethostname()) == ("n1:19876", "n1")
    take_name(words, "n2", resolve=lambda name: "10.0.0.1")
    assert (words[2], socket.gethostname()) == ("n1:19876", "n2")


def test_a_name_without_an_address_becomes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", socket.gethostname)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(
        "#!/bin/sh\necho 'NodeName=n1'\necho '   NodeAddr=10.0.0.7 NodeHostName=x'\n"
    )
    scontrol.chmod(0o755)

    def resolve(name: str) -> str:
        raise OSError("not known")

    words = ["serial_node.py", "--master-address", "n1:19876"]
    take_name(words, "n1", resolve)
    assert (words[2], socket.gethostname()) == ("10.0.0.7:19876", "10.0.0.7")
    words = ["serial_node.py", "--master-address", "n1:19876"]
    take_name(words, "n2", resolve)
    assert (words[2], socket.gethostname()) == ("10.0.0.7:19876", "n2")
    scontrol.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(OSError, match="no address"):
        take_name(["--master-address", "n1:19876"], "n2", resolve)
