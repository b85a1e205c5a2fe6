"""Texts that a shell, a path or YAML would take for more stay texts, all the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deephyper.core.cli import analytics
from tests.cli.command_line import Run

VALUES = [
    "$(touch escaped)",
    "`touch escaped`",
    "; touch escaped",
    "x' || touch escaped #",
    "../../escaped",
    "!!python/object/apply:os.system ['touch escaped']",
    "__import__('os').system('touch escaped')",
    "{{ 7 * 7 }}",
    "%(x)s %d {x}",
    "=HYPERLINK(1)",
    "a,b\n\"c\"\t'd'",
    "--resume",
]
PROBLEM = f"""
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter({VALUES!r}, "value")
"""
RUN = f"""
VALUES = {VALUES!r}
def run(point):
    (value,) = point.values()
    print(value)
    if value == VALUES[0]:
        raise ValueError(value)
    return VALUES.index(value)
"""


def test_values_of_hyperparameters_are_texts_and_nothing_else(
    deephyper: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hostile_problem.py").write_text(PROBLEM)
    (tmp_path / "hostile_run.py").write_text(RUN)
    task = ("-p", "hostile_problem.py", "-r", "hostile_run.py", "--log-dir", "log")
    ended = deephyper("hps", "random", *task, "--max-evals", "12", "--evaluator", "subprocess")
    assert ended.status == 0, ended.err
    for form, load in ((".yaml", yaml.safe_load), (".json", json.loads)):
        status = analytics.main(["topk", "log/results.csv", "-k", "99", "-o", f"best{form}"])
        assert status == 0
        best = load((tmp_path / f"best{form}").read_text())
        found = [best[str(rank)]["value"] for rank in range(len(best))]
        assert found == VALUES[:0:-1]
    assert not list(tmp_path.rglob("escaped*"))
    assert not (tmp_path.parent / "escaped").exists()
