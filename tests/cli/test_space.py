"""``deephyper space``: show, check and convert."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deephyper.problem import config_space as cs
from deephyper.space_file import as_yaml, read_space, schema
from tests.cli.command_line import Run

YAML = """\
hyperparameters:
  n: (1, 10)
  kind: [a, b, é]
  x: {values: [small, big], ordered: true}
starting_points:
- {kind: b, n: 3, x: big}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "space.yaml").write_text(YAML, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_show_prints_a_space_that_reads_back(deephyper: Run) -> None:
    ended = deephyper("space", "show", "space.yaml", "-P", "n=(1, 3)")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("# 3 hyperparameters, 18 points\nhyperparameters:\n")
    Path("shown.yaml").write_text(ended.out, encoding="utf-8")
    assert repr(read_space("shown.yaml").problem) == repr(
        read_space("space.yaml", ["n=(1,3)"]).problem
    )


@pytest.mark.parametrize(
    ("words", "size", "points", "exact"),
    [
        ("-P x=(1,3)", "1 hyperparameter, 3 points", 3, True),
        ("-P x=[a]", "1 hyperparameter, 1 point", 1, True),
        ("-P x=(0.0,1.0);y=[1]", "2 hyperparameters, infinitely many points", None, True),
        ("rule.yaml", "2 hyperparameters, at most 2,000 points", 2000, False),
    ],
)
def test_the_number_of_points(
    words: str, size: str, points: int | None, exact: bool, deephyper: Run
) -> None:
    Path("rule.yaml").write_text(
        "hyperparameters: {a: '(1, 1000)', b: [1, 2]}\nforbidden: [a == 3 and b == 2]\n"
    )
    ended = deephyper("space", "check", *words.split())
    assert (ended.status, ended.out) == (0, f"OK: {size}\n")
    report = json.loads(deephyper("space", "show", "--json", *words.split()).out)
    assert (report["num_points"], report["exact"]) == (points, exact)


def test_json_holds_the_space_in_our_form(deephyper: Run) -> None:
    report = json.loads(deephyper("space", "show", "space.yaml", "--json").out)
    assert report["form"] == "deephyper"
    Path("again.json").write_text(json.dumps(report["space"]))
    assert repr(read_space("again.json").problem) == repr(read_space("space.yaml").problem)


@pytest.mark.parametrize("name", ["config_space.json", "config_space.yaml"])
def test_config_space_reads_what_is_converted_and_it_converts_back(
    name: str, deephyper: Run
) -> None:
    ended = deephyper("space", "convert", "space.yaml", "--to", "configspace", "-o", name)
    assert (ended.status, ended.out) == (0, f"Saved the space in {name}.\n")
    assert ended.err == "deephyper: ConfigSpace's form leaves out its starting points\n"
    load = cs.ConfigurationSpace.from_json
    if name.endswith(".yaml"):
        load = cs.ConfigurationSpace.from_yaml
    problem = read_space("space.yaml").problem
    assert dict(load(name)) == dict(problem.space)
    back = deephyper("space", "convert", name)
    assert back.status == 0
    assert back.out == as_yaml(problem).partition("starting_points")[0]


def test_a_file_is_replaced_only_by_force(deephyper: Run) -> None:
    Path("there.json").write_text("{}")
    refused = deephyper("space", "convert", "space.yaml", "-o", "there.json")
    assert refused.status == 2
    assert "'there.json' exists already; choose another name, or replace it with --force" in (
        refused.err
    )
    assert Path("there.json").read_text() == "{}"
    assert deephyper("space", "convert", "space.yaml", "-o", "there.json", "--force").status == 0
    assert repr(read_space("there.json").problem) == repr(read_space("space.yaml").problem)


def test_the_schema_is_printed(deephyper: Run) -> None:
    ended = deephyper("space", "schema")
    assert (ended.status, ended.out) == (0, schema())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("show", "give FILE, or -P NAME=DOMAIN"),
        ("check nowhere.yaml", "there is no file 'nowhere.yaml'"),
        ("check space.yaml -P n=(3,1)", "'n' has reversed bounds (3, 1)"),
        ("check -P status=(1,3)", "'status' has the name of a column of results.csv; rename it"),
        ("convert space.yaml --to optuna", "'optuna' is not one of"),
        ("convert space.yaml -o space.toml", "should be a name that ends in .yaml or .json"),
        ("convert space.yaml -o no/space.yaml", "'no/space.yaml' can't be written"),
        ("shwo space.yaml", "No such command 'shwo'"),
    ],
)
def test_what_cannot_be_done_is_one_line(line: str, reason: str, deephyper: Run) -> None:
    before = sorted(Path().rglob("*"))
    ended = deephyper("space", *line.split())
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert reason in ended.err
    assert sorted(Path().rglob("*")) == before
