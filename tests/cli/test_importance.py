"""``deephyper-analytics importance``: the table, the forms, and what is said of too little."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from deephyper.analytics import importance
from tests.analytics.known_functions import write_function, write_results
from tests.cli.command_line import Run


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).random((60, 3))
    return write_function(tmp_path / "results.csv", X, 4 * X[:, 0] + X[:, 1] * X[:, 2])


def test_a_table_says_what_matters(deephyper_analytics: Run, results: Path) -> None:
    ended = deephyper_analytics("importance", results)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["Hyperparameter", "share", "error", "95%", "interval"]
    assert lines[1].split()[0] == "x0"
    assert lines[4].startswith("all of them, each alone")
    assert lines[6].startswith("Pair, beyond the two alone")
    assert lines[7].startswith("x1 x x2")
    assert lines[11].startswith("From 60 finished evaluations")
    assert lines[12].startswith("The model explains ")
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)


def test_json_holds_all_of_it(deephyper_analytics: Run, results: Path) -> None:
    ended = deephyper_analytics("importance", results, "--json", "-k", 2)
    found = json.loads(ended.out)
    whole = importance(results)
    assert found == json.loads(json.dumps(whole.to_dict(2)))
    assert found["hyperparameters"][0]["name"] == "x0"
    assert (len(found["hyperparameters"]), len(found["pairs"])) == (2, 2)
    assert found["num_finished"] == 60
    assert found["main_effects"]["share"] == pytest.approx(0.99, abs=0.02)


def test_a_file_holds_the_rows(deephyper_analytics: Run, results: Path) -> None:
    for form in ("json", "yaml", "csv"):
        ended = deephyper_analytics("importance", results, "-o", f"found.{form}")
        assert (ended.status, ended.err) == (0, "")
        assert ended.out == f"Saved the importance of {results} in found.{form}.\n"
    saved = [*json.loads(Path("found.json").read_text()).values()]
    assert [*yaml.safe_load(Path("found.yaml").read_text()).values()] == saved
    assert saved[0]["name"] == "x0"
    assert {*saved[0]} == {"name", "share", "standard_error", "low", "high"}
    assert (saved[3]["name"], saved[3]["with"]) == ("x1", "x2")
    with Path("found.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [float(row["share"]) for row in rows] == [row["share"] for row in saved]
    assert deephyper_analytics("importance", results, "-o", "found.csv").status == 2
    assert deephyper_analytics("importance", results, "-o", "found.csv", "--force").status == 0


def test_options_reach_the_analysis(deephyper_analytics: Run, results: Path) -> None:
    ended = deephyper_analytics("importance", results, "--no-pairs", "-k", 1, "--best", "0.25")
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["Hyperparameter", "x0", "all"]
    assert lines[-1].endswith("all but the best 25% of the space.")
    assert "Pair" not in ended.out
    one, other = (
        deephyper_analytics("importance", results, "--json", "--seed", seed).out for seed in (1, 2)
    )
    assert one != other


def test_too_little_is_said_and_is_no_error(deephyper_analytics: Run, tmp_path: Path) -> None:
    path = write_results(tmp_path / "r.csv", [({"x": n / 5}, float(n)) for n in range(5)])
    ended = deephyper_analytics("importance", path)
    assert ended.status == 0
    assert ended.err == (
        "deephyper: too little to tell: 5 finished evaluations, and it takes 10 at least\n"
    )
    assert ended.out.splitlines()[1].split() == ["x", "?", "?", "?"]
    assert json.loads(deephyper_analytics("importance", path, "--json").out)["explained"] is None


def test_what_was_left_out_is_said(deephyper_analytics: Run, tmp_path: Path) -> None:
    rows: list[tuple[dict[str, float | str], float | str]] = [
        ({"x": n / 20, "kind": "a"}, float(n)) for n in range(20)
    ]
    rows += [({"x": 0.1, "kind": "a"}, "failed"), ({"x": 0.2, "kind": "a"}, "pruned")]
    ended = deephyper_analytics("importance", write_results(tmp_path / "r.csv", rows))
    assert "From 20 finished evaluations; 1 failed and 1 ended early, left out." in ended.out
    assert ended.out.endswith("Of one value only: kind.\n")


def test_names_that_are_long_or_not_printable_are_shown(
    deephyper_analytics: Run, tmp_path: Path
) -> None:
    names = ("a" * 200, "b\x1b[31m")
    X = np.random.default_rng(0).random((20, 2))
    rows = [(dict(zip(names, row, strict=True)), sum(row)) for row in X.tolist()]
    ended = deephyper_analytics("importance", write_results(tmp_path / "r.csv", rows))
    assert ended.status == 0
    assert "\x1b" not in ended.out
    assert r"b\x1b[31m" in ended.out
    assert f"{'a' * 57}..." in ended.out
