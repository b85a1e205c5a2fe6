"""Names of worker processes, as ps shows them."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path

import psutil
import pytest

from deephyper import HpProblem, RandomSearch
from deephyper.evaluator import Evaluator
from tests.evaluator.conftest import RAY, Create, with_its_service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are Linux's")
FILE = Path(__file__)


def tell(point: dict[str, str]) -> float:
    """Tell the names of this process, in a file."""
    me = Path("/proc/self")
    title = me.joinpath("cmdline").read_bytes().rstrip(b"\0").decode()
    parent = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().rstrip(b"\0").decode()
    short = me.joinpath("comm").read_text().strip()
    Path(point["file"]).write_text("\n".join([title, parent, short, sys.executable, *sys.argv]))
    return 1.0


def names_below() -> list[str]:
    """Return the first words of this process's descendants, of those that live."""
    names = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # which a zombie is as well
            names += process.cmdline()[:1]
    return names


@pytest.fixture(params=["process", "subprocess", RAY])
def named_method(request: pytest.FixtureRequest) -> str:
    return with_its_service(request)


def test_a_worker_bears_its_name_its_search_and_its_parent(
    named_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(named_method, 1, run=f"{FILE}::tell")
    evaluator.search_name = "results"
    file = tmp_path / "names"
    evaluator.submit([{"file": str(file)}])
    assert [outcome.failure for outcome in evaluator.gather_all()] == [None]
    title, parent, short, executable, *argv = file.read_text().splitlines()
    whose = "" if named_method != "ray" else rf" for process {os.getpid()} on \S+"
    assert re.fullmatch(rf"deephyper worker 0 of results{whose} \(pid \d+\)", title)
    assert parent == title.replace("deephyper ", "deephyper supervisor of ", 1)
    if named_method != "ray":
        assert title.endswith(f"(pid {os.getpid()})")
    assert short == "deephyper-work"
    assert executable == sys.executable
    assert argv == [str(FILE)]


def test_a_search_names_its_workers_by_its_log_directory(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter([str(tmp_path / "names")], "file")
    with Evaluator.create(f"{FILE}::tell", num_workers=1) as evaluator:
        RandomSearch(problem, evaluator, log_dir=tmp_path / "my search").search(max_evals=1)
        title = (tmp_path / "names").read_text().splitlines()[0]
        assert title == f"deephyper worker 0 of my search (pid {os.getpid()})"
        assert title in names_below()


def test_a_long_or_strange_name_is_cut_and_printable(create: Create, tmp_path: Path) -> None:
    evaluator = create("process", 1, run=f"{FILE}::tell")
    evaluator.search_name = "x\x1b[2J\n" + "long" * 10_000
    file = tmp_path / "names"
    evaluator.submit([{"file": str(file)}])
    evaluator.gather_all()
    title = file.read_text().splitlines()[0]
    assert title.isprintable()
    assert len(title) < 150
    assert title.endswith(f"... (pid {os.getpid()})")
