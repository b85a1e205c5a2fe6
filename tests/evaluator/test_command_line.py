"""The command line that user code sees: its own file alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deephyper.errors import RunFunctionError
from deephyper.evaluator import Evaluator
from tests.evaluator.conftest import Create, only

PARSING = """\
import argparse, sys
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=2.0)
    return parser.parse_args()
AT_IMPORT = parse()
def run(point):
    assert sys.argv == [__file__], sys.argv
    return parse().scale * AT_IMPORT.scale
"""
REQUIRED = """\
import argparse
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, required=True)
    return parser.parse_args()
"""
METHODS = ["thread", "process", "subprocess"]


@pytest.fixture(autouse=True)
def own_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["deephyper", "--num-workers", "4"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("spec", ["{}/parsing_run.py", "parsing_package.module.run"])
def test_user_code_parses_a_command_line_of_its_own(
    create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, spec: str
) -> None:
    package = tmp_path / "parsing_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(PARSING)
    (tmp_path / "parsing_run.py").write_text(PARSING)
    monkeypatch.syspath_prepend(str(tmp_path))
    evaluator = create(method, 1, run=spec.format(tmp_path))
    evaluator.check()
    evaluator.submit([{}, {}])
    assert [o.objective for o in evaluator.gather_all()] == [4.0, 4.0]
    evaluator.close()
    assert sys.argv == ["deephyper", "--num-workers", "4"]


def test_what_one_evaluation_makes_of_it_no_other_sees(create: Create, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import sys\ndef run(point):\n    sys.argv.append('--x')\n    return len(sys.argv)\n"
    )
    evaluator = create("process", 1, run=str(tmp_path / "run.py"))
    evaluator.submit([{}, {}])
    assert [o.objective for o in evaluator.gather_all()] == [2.0, 2.0]


@pytest.mark.parametrize("method", METHODS)
def test_an_exit_at_import_is_explained_at_the_users_line(tmp_path: Path, method: str) -> None:
    file = tmp_path / "exits_at_import.py"
    file.write_text(REQUIRED + "parse()\ndef run(point): return 1.0\n")
    with (
        Evaluator.create(str(file), method, 1) as evaluator,
        pytest.raises(RunFunctionError, match="give the options defaults") as raised,
    ):
        evaluator.check()
    assert f"{file}, line 5" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("method", METHODS)
def test_an_exit_in_run_is_explained_at_the_users_line(
    create: Create, tmp_path: Path, method: str
) -> None:
    file = tmp_path / "exits_in_run.py"
    file.write_text(REQUIRED + "def run(point):\n    return parse().scale\n")
    evaluator = create(method, 1, run=str(file))
    evaluator.submit([{}])
    failure = only(evaluator.gather_all()).failure
    assert failure is not None
    assert failure.kind == "exception"
    assert "SystemExit: 2" in failure.message
    assert "give the options defaults" in failure.message
    assert f"{file}, line 5" in failure.message


def test_an_exit_without_a_parser_is_told_as_such(create: Create, tmp_path: Path) -> None:
    file = tmp_path / "exits.py"
    file.write_text("import sys\ndef run(point):\n    sys.exit(3)\n")
    evaluator = create("process", 1, run=str(file))
    evaluator.submit([{}])
    failure = only(evaluator.gather_all()).failure
    assert failure is not None
    assert "SystemExit: 3: run ends the program" in failure.message
    assert f"{file}, line 3" in failure.message
