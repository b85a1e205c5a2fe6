"""docs/equivalents.md and docs/names.md: what stands in the columns on our side is there."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import deephyper
from deephyper.core.cli.groups import deephyper as deephyper_program
from deephyper.core.cli.groups import deephyper_analytics
from deephyper.space_file.domain_text import parse_definitions

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "equivalents.md", ROOT / "docs" / "names.md"]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (?!---)", line)]
OURS = [re.split(r" (?<!\\)\| ", row.strip("| "))[-1] for row in ROWS]
SPANS = sorted({span for cell in OURS for span in re.findall(r"`([^`]+)`", cell)})
FLAGS = sorted({flag for span in SPANS for flag in re.findall(r"(?<!\S)--[a-z-]{2,}", span)})
NAMES = [
    span for span in SPANS if re.match(r"[A-Z][A-Za-z]+(?:[.(]|$)|evaluation\.|deephyper\.", span)
]
COMMANDS = [span for span in SPANS if re.match(r"deephyper(-analytics)? ", span)]


def options() -> set[str]:
    groups: list[click.Group] = [deephyper_program, deephyper_analytics]
    found: set[str] = set()
    while groups:
        group = groups.pop()
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                groups.append(command)
            found |= {flag for parameter in command.params for flag in parameter.opts}
    return found


def found(name: str) -> Any:
    """Return what a dotted name stands for: of the front door, or a module of the package."""
    parts = name.split(".")
    place: Any = deephyper
    if parts[0] == "deephyper":
        parts.pop(0)
    for i, part in enumerate(parts):
        try:
            place = getattr(place, part)
        except AttributeError:
            place = import_module(".".join(["deephyper", *parts[: i + 1]]))
    return place


def test_there_is_something_to_check() -> None:
    assert (len(ROWS) > 90, len(FLAGS) > 20, len(NAMES) > 15, len(COMMANDS) > 5) == (True,) * 4


def test_the_options_on_our_side_are_there() -> None:
    assert [flag for flag in FLAGS if flag not in options()] == []


@pytest.mark.parametrize("span", NAMES)
def test_a_python_name_on_our_side_is_there(span: str) -> None:
    tree = ast.parse(span, mode="eval").body
    if not isinstance(tree, ast.Call):
        found(ast.unparse(tree))  # raises where it isn't
        return
    parameters = inspect.signature(found(ast.unparse(tree.func))).parameters
    assert {keyword.arg for keyword in tree.keywords} <= set(parameters)


@pytest.mark.parametrize("span", COMMANDS)
def test_a_command_on_our_side_is_there(span: str) -> None:
    program, *words = span.split()
    command: click.Command = deephyper_program if program == "deephyper" else deephyper_analytics
    for word in words:
        if not isinstance(command, click.Group):
            break
        below = command.get_command(click.Context(command), word)
        assert below is not None, word
        command = below
    assert not isinstance(command, click.Group)


@pytest.mark.parametrize("span", [s[4:-1] for s in SPANS if s.startswith("-P '")])
def test_a_definition_on_our_side_can_be_read(span: str) -> None:
    assert len(parse_definitions(span)) == 1


def test_the_stoppers_and_evaluators_on_our_side_are_there() -> None:
    from deephyper.registry import EVALUATORS, STOPPERS

    chosen = re.findall(r"`--(stopper|evaluator)` with ((?:`\w+`(?:, )?)+)", " | ".join(OURS))
    registries = {"stopper": STOPPERS, "evaluator": EVALUATORS}
    assert len(chosen) > 5
    for option, names in chosen:
        assert set(re.findall(r"\w+", names)) <= set(registries[option].names)


def test_the_classic_names_are_accepted() -> None:
    from deephyper.benchmark import HpProblem

    problem = HpProblem()
    problem.add_dim(p_name="units", p_space=(1, 100))
    problem.add_starting_point(units=10)
    assert problem.starting_point_asdict == [{"units": 10}]
    assert {"--backend", "--surrogate-model", "--acq-func", "--cache-key"} <= options()


def test_the_search_that_is_in_both_runs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    exec(compile(code, "names.md", "exec"), {"__name__": "page"})
    assert re.match(r"\{'x': [-\d.e]+\} -[\d.e-]+$", capsys.readouterr().out)
