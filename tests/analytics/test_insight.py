from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import HpProblem, RandomSearch
from deephyper.analytics.insight import Finding, as_text, insight
from deephyper.core.cli import analytics
from deephyper.errors import ResultsError
from deephyper.evaluator import Evaluator
from deephyper.objective import Direction

KIND = "failing_region"
Rows = Iterable[tuple[Mapping[str, Any], float | None]]


def write(path: Path, rows: Rows, *, minimize: bool = False) -> Path:
    """Write a results file; None is a failure, whose message is its kind."""
    listed = list(rows)
    names = [*listed[0][0]]
    more = ["predicted", "predicted_std", "direction"] if minimize else []
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, "objective", "id", "status", "failure", *more])
        for i, (point, objective) in enumerate(listed):
            end = ["failed", "exception: ValueError: no"] if objective is None else ["finished", ""]
            cells = ["" if objective is None else objective, i, *end]
            row = [*point.values(), *cells]
            table.writerow([*row, *(["", "", "minimize"] if minimize else [])])
    return path


def drawn(
    number: int, value: Callable[[Mapping[str, Any]], float | None], seed: int = 0
) -> list[tuple[dict[str, Any], float | None]]:
    generator = np.random.default_rng(seed)
    rows: list[tuple[dict[str, Any], float | None]] = []
    for _ in range(number):
        point = {
            "x": float(generator.random()),
            "rate": float(10 ** generator.uniform(-4, 0)),
            "layers": int(generator.integers(1, 9)),
            "kind": str(generator.choice(["a", "b", "c"])),
        }
        rows.append((point, value(point)))
    return rows


def about(found: list[Finding], kind: str) -> dict[str | None, Finding]:
    return {each.hyperparameter: each for each in found if each.kind == kind}


def quiet(path: Path) -> list[Finding]:
    return insight(path, on_notice=lambda _: None)


@pytest.mark.parametrize("minimize", [False, True])
@pytest.mark.parametrize(
    ("name", "side", "value"),
    [
        ("x", "upper", lambda p: p["x"]),
        ("x", "lower", lambda p: -p["x"]),
        ("rate", "upper", lambda p: math.log(p["rate"])),
        ("rate", "lower", lambda p: -math.log(p["rate"])),
        ("layers", "upper", lambda p: p["layers"] + 0.1 * p["x"]),
        ("layers", "lower", lambda p: -p["layers"] + 0.1 * p["x"]),
    ],
)
def test_the_best_at_an_end_of_a_range_are_told(
    tmp_path: Path, minimize: bool, name: str, side: str, value: Callable[..., float]
) -> None:
    sign = -1.0 if minimize else 1.0
    path = write(tmp_path / "results.csv", drawn(100, lambda p: sign * value(p)), minimize=minimize)
    found = about(quiet(path), "bound")
    assert found[name].values["side"] == side
    assert f"'{name}'" in found[name].text
    assert [each for each in found if each not in (name, "x")] == []


def test_the_best_in_the_middle_are_not_at_an_end(tmp_path: Path) -> None:
    told = 0
    for seed in range(20):
        rows = drawn(
            60,
            lambda p: (
                -((p["x"] - 0.5) ** 2) - (math.log10(p["rate"]) + 2) ** 2 - abs(p["layers"] - 4)
            ),
            seed,
        )
        told += len(about(quiet(write(tmp_path / f"{seed}.csv", rows)), "bound"))
    assert told == 0


def test_what_makes_no_difference_is_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "results.csv",
        drawn(120, lambda p: math.sin(3 * p["x"]) + {"a": 0, "b": 1, "c": 3}[p["kind"]]),
    )
    assert {*about(quiet(path), "no_effect")} == {"rate", "layers"}


@pytest.mark.parametrize(
    ("name", "fails", "phrase"),
    [
        ("kind", lambda p: p["kind"] == "b", "= b"),
        ("x", lambda p: p["x"] > 0.7, "above 0.66"),
        ("rate", lambda p: p["rate"] < 0.003, "below 0.00"),
    ],
)
def test_where_evaluations_fail_is_told(
    tmp_path: Path, name: str, fails: Callable[..., bool], phrase: str
) -> None:
    path = write(
        tmp_path / "results.csv", drawn(90, lambda p: None if fails(p) else p["x"] * p["layers"])
    )
    found = quiet(path)
    regions = about(found, "failing_region")
    assert phrase in regions[name].text
    assert [*regions] == [name]
    (failures,) = about(found, "failures").values()
    assert failures.values["failed"] >= 20
    assert "exception: ValueError: no" in failures.text


@pytest.mark.parametrize(
    ("fails", "phrase", "count"),
    [
        (lambda n: n == 8, "= 8", lambda n: n == 8),
        (lambda n: n >= 6, "of 6 or more", lambda n: n >= 6),
        (lambda n: n <= 3, "at most 3", lambda n: n <= 3),
    ],
)
def test_a_region_of_ints_is_what_its_words_say(
    tmp_path: Path, fails: Callable[[int], bool], phrase: str, count: Callable[[int], bool]
) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((1, 8), "layers")
    problem.add_hyperparameter((0.0, 1.0), "x")

    def run(point: dict[str, Any]) -> float:
        if fails(point["layers"]):
            raise ValueError("no")
        return float(point["x"])

    with Evaluator.create(run, "thread", 1) as evaluator:
        result = RandomSearch(problem, evaluator, log_dir=tmp_path, seed=1).search(max_evals=120)
    inside = sum(count(outcome.job.point["layers"]) for outcome in result.outcomes)
    regions = about(quiet(tmp_path), "failing_region")
    assert [*regions] == ["layers"]
    assert (
        f"{inside} of {inside} evaluations with 'layers' {phrase} failed" in regions["layers"].text
    )


def test_failures_that_one_region_explains_are_no_sign_of_another(tmp_path: Path) -> None:
    # Where kind is c, which fails, rate is low as well; and some of the rest fail for their layers.
    rows = drawn(300, lambda p: 1.0)
    rows = [({**p, "rate": 1e-4 if p["kind"] == "c" else p["rate"]}, v) for p, v in rows[:100]] + [
        (p, v) for p, v in rows[100:] if p["kind"] != "c"
    ]
    rows = [(p, None if p["kind"] == "c" or p["layers"] == 8 else p["x"]) for p, _ in rows]
    found = [each for each in quiet(write(tmp_path / "results.csv", rows)) if each.kind == KIND]
    assert [each.hyperparameter for each in found] == ["kind", "layers"]
    kinds, layers = (sum(p[n] == v for p, _ in rows) for n, v in (("kind", "c"), ("layers", 8)))
    assert found[0].values["failed"] == kinds
    assert 0 < found[1].values["failed"] < layers
    assert sum(each.values["failed"] for each in found) == sum(v is None for _, v in rows)


def test_failures_by_chance_are_in_no_region(tmp_path: Path) -> None:
    told = 0
    for seed in range(20):
        chance = np.random.default_rng(100 + seed)
        rows = drawn(80, lambda p: None if chance.random() < 0.2 else p["x"], seed)  # noqa: B023
        told += len(about(quiet(write(tmp_path / f"{seed}.csv", rows)), "failing_region"))
    assert told <= 1


def test_progress_is_told(tmp_path: Path) -> None:
    rising = write(tmp_path / "rising.csv", [({"x": i}, float(i)) for i in range(40)])
    (found,) = about(quiet(rising), "progress").values()
    assert found.values == {"evaluations": 40, "best_at": 40, "best": 39.0}
    assert "a quarter ago it was 29" in found.text
    falling = write(tmp_path / "falling.csv", [({"x": i}, -float(i)) for i in range(40)])
    (found,) = about(quiet(falling), "progress").values()
    assert "the 39 since then were no better" in found.text


def test_little_tells_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "results.csv", [({"x": i}, float(i)) for i in range(5)])
    assert quiet(path) == []
    assert analytics.main(["insight", str(path)]) == 0
    assert "too little to tell" in capsys.readouterr().out


def test_no_finished_evaluation_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "results.csv", [({"x": 1}, None), ({"x": 2}, None)])
    with pytest.raises(ResultsError, match="no finished"):
        quiet(path)


def test_lines_fit() -> None:
    found = [Finding("progress", "word " * 50, None, {})] * 2
    lines = as_text(found, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert [line[:2] for line in lines].count("- ") == 2


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_real_search_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], direction: Direction
) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter(["a", "b"], "kind")
    sign = 1.0 if direction == "maximize" else -1.0

    def run(point: dict[str, Any]) -> float:
        if point["kind"] == "b":
            raise ValueError("b")
        return sign * float(point["x"])

    with Evaluator.create(run, "thread", 1) as evaluator:
        search = RandomSearch(problem, evaluator, log_dir=tmp_path, seed=1, direction=direction)
        search.search(max_evals=60)
    assert analytics.main(["insight", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "'kind' = b failed" in " ".join(shown.split())
    assert analytics.main(["insight", str(tmp_path), "--json"]) == 0
    kinds = [each["kind"] for each in json.loads(capsys.readouterr().out)]
    assert "bound" in kinds
    assert "failing_region" in kinds


@pytest.mark.parametrize(
    ("words", "said"), [(["nowhere"], "nowhere"), ([], "Missing"), (["x", "--seed", "-1"], "seed")]
)
def test_bad_command_lines(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert analytics.main(["insight", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
