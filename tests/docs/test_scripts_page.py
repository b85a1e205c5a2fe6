"""The loops of docs/scripts.md run as they stand there, and its keys are those that are printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper import SearchDirectory
from deephyper.ask_tell import Status
from deephyper.core.cli.main import main

TEXT = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("bc")), reason="it calls jq and bc")
def test_the_loop_in_bash(tmp_path: Path) -> None:
    names = {"deephyper": "deephyper", "deephyper-analytics": "deephyper.core.cli.analytics"}
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name, module in names.items():
        (bin_dir / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (bin_dir / name).chmod(0o755)
    path = f"{bin_dir}{os.pathsep}{os.environ['PATH']}"
    (loop,) = blocks("bash")
    loop = loop.replace("seq 5", "seq 3").replace("-k 3", "-k 1")
    done = subprocess.run(
        ["bash", "-c", loop], capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    assert (done.returncode, done.stderr) == (0, "")
    status = SearchDirectory("search").status()
    assert (status.num_finished, status.num_failed, status.direction) == (3, 0, "minimize")
    start = done.stdout.index("[\n")
    (best,) = json.loads(done.stdout[start:])
    assert status.best is not None
    assert best["objective"] == status.best.objective
    assert best["objective"] == pytest.approx((status.best.point["x"] - 1) ** 2)


def test_the_example_in_python() -> None:
    (example,) = blocks("python")
    names: dict[str, Any] = {}
    exec(example, names)
    status = names["search"].status()
    assert status.num_finished == 3
    assert status.direction == "minimize"


def test_the_keys_of_a_status_are_all_there() -> None:
    table = TEXT.partition("| Key |")[2].partition("\n\n")[0]
    keys = [
        key for line in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    documented = {*keys, "num_finished", "num_failed", "num_pruned"}
    assert documented == set(Status.__dataclass_fields__)


def test_the_keys_of_a_check_are_those_that_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-P", "x=[1]", "--json", "--", "echo", "{x}"]) == 0
    printed = json.loads(capsys.readouterr().out)
    section = TEXT.partition("## Checking")[2].partition("## Results")[0]
    rows = dict(re.findall(r"^\| (`.*?`) \| (.*?) \|$", section, re.MULTILINE))
    keys = [key for names in rows for key in re.findall(r"`(\w+)`", names)]
    assert keys == [*printed]
    for name in ("space", "search", "environment"):
        assert [key for key in printed[name] if f"`{key}`" not in rows[f"`{name}`"]] == []
    (first, *_) = printed["evaluations"]
    inner = {*first, *first["reports"], *first["output"], "kind", "message", "text"}
    assert inner == set(re.findall(r"`(\w+)`", rows["`evaluations`"]))
