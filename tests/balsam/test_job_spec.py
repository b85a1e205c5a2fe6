"""Run functions that specify jobs, and how they are told from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from deephyper.balsam.job_spec import BalsamJobSpec, balsamjob_spec, read_objective_file
from deephyper.balsam.run_check import specifies_jobs
from deephyper.errors import RunFunctionError
from deephyper.evaluator import RunFunction

FUNCTIONS = """
import os
from deephyper.evaluator.balsam_job import balsamjob_spec


@balsamjob_spec
def specifies(point):
    return {"application": "train"}


def evaluates(point):
    return 1.0
"""


@balsamjob_spec
def plain(point: dict[str, Any]) -> dict[str, Any]:
    """Train."""
    return {"application": "train", "num_nodes": point["nodes"]}


@balsamjob_spec(reads_objective=lambda directory: 7.0)
def with_reader(point: dict[str, Any]) -> Any:
    return Row()


class Row:
    """A BalsamJob, as far as it matters."""

    def to_dict(self) -> dict[str, Any]:
        return {"application": "train"}


def test_a_decorated_function_makes_fields_and_reads_objectives(tmp_path: Path) -> None:
    assert isinstance(plain, BalsamJobSpec)
    assert plain.make({"nodes": 2}) == {"application": "train", "num_nodes": 2}
    assert plain({"nodes": 2}) == {"application": "train", "num_nodes": 2}
    assert plain.__doc__ == "Train."
    (tmp_path / "objective").write_text("0.5\n")
    assert plain.read(tmp_path) == 0.5


def test_an_unsaved_job_will_do_and_so_will_a_reader(tmp_path: Path) -> None:
    assert with_reader.make({}) == {"application": "train"}
    assert with_reader.read(tmp_path) == 7.0


def test_the_objective_file_may_name_a_failure(tmp_path: Path) -> None:
    (tmp_path / "objective").write_text("F_diverged\n")
    assert read_objective_file(tmp_path) == "F_diverged"
    with pytest.raises(OSError, match="objective"):
        read_objective_file(tmp_path / "elsewhere")


def test_a_decorated_function_can_be_sent_to_another_process() -> None:
    sent = cloudpickle.loads(cloudpickle.dumps(plain))
    assert sent.make({"nodes": 3})["num_nodes"] == 3


@pytest.mark.parametrize(("name", "expected"), [("specifies", True), ("evaluates", False)])
def test_they_are_told_apart_without_importing_them_here(
    tmp_path: Path, name: str, expected: bool
) -> None:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    assert specifies_jobs(RunFunction.of(f"{tmp_path / 'functions.py'}::{name}")) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nosuch_module", "nosuch_module"),
        ("import os; os._exit(5)", "ended with status 5"),
        ("import time; time.sleep(60)", "could not be loaded within 3 s"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "functions.py").write_text(text)
    with pytest.raises(RunFunctionError, match=reason):
        specifies_jobs(RunFunction.of(f"{tmp_path / 'functions.py'}::run"), limit=3)
