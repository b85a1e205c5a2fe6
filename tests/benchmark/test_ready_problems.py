"""Ready problems: their optima, and that one line tries an installation."""

from __future__ import annotations

import csv
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper.core.cli.main import main

FUNCTIONS = ("ackley", "branin", "hartmann6", "mixed")
TRAININGS = ("digits", "polynome2")
HEAVY = ("ConfigSpace", "numpy", "sklearn")


def module(name: str) -> Any:
    return importlib.import_module(f"deephyper.benchmark.{name}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_best_point_has_the_optimum(name: str) -> None:
    ready = module(name)
    best = ready.Problem.validate(ready.BEST, complete=True)
    assert ready.run(best) == pytest.approx(ready.OPTIMUM, abs=2e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_better_than_the_optimum(name: str) -> None:
    ready = module(name)
    problem = ready.make_problem()
    problem.space.seed(1)
    points = [problem.point(each) for each in problem.space.sample_configuration(500)]
    near = [
        {
            key: value + change * (value or 1.0)
            if isinstance(value, float) and key == moved
            else value
            for key, value in ready.BEST.items()
        }
        for moved in ready.BEST
        for change in (-1e-3, 1e-3)
    ]
    assert max(ready.run(point) for point in points + near) <= ready.OPTIMUM + 2e-6


def test_the_three_optima_of_branin() -> None:
    branin = module("branin").branin
    values = [branin(-3.141593, 12.275), branin(3.141593, 2.275), branin(9.424778, 2.475)]
    assert values == pytest.approx([module("branin").OPTIMUM] * 3, abs=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_default_point_is_not_the_best(name: str) -> None:
    ready = module(name)
    gap = ready.OPTIMUM - ready.run(ready.Problem.default_configuration)
    assert gap > 0.05


@pytest.mark.parametrize(
    ("problem", "evaluations"),
    [
        *((name, 6) for name in FUNCTIONS),
        ("hps.polynome2", 1),
        pytest.param("digits", 2, marks=pytest.mark.long),
        pytest.param("polynome2", 1, marks=pytest.mark.long),
    ],
)
def test_one_line_tries_an_installation(
    problem: str,
    evaluations: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    where = f"deephyper.benchmark.{problem}"
    words = ("-p", f"{where}.Problem", "-r", f"{where}.run", "--max-evals", str(evaluations))
    assert main(["hps", "ambs", *words, "--seed", "1"]) == 0, capsys.readouterr().err
    with open("results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == evaluations
    assert {row["status"] for row in rows} <= {"finished", "pruned"}


@pytest.mark.parametrize("name", [*FUNCTIONS, *TRAININGS, "hps.polynome2"])
def test_importing_one_imports_nothing_heavy(name: str) -> None:
    program = (
        f"import sys; from deephyper.benchmark.{name} import run; "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_classic_path_names_the_same_objects() -> None:
    assert module("hps.polynome2").Problem is module("polynome2").Problem
    assert module("hps.polynome2").run is module("polynome2").run


def test_the_problem_is_made_once_and_other_names_are_not_there() -> None:
    ackley = module("ackley")
    assert ackley.Problem is ackley.Problem
    assert "Problem" in dir(ackley)
    with pytest.raises(AttributeError, match="ackley' has no attribute 'Problems'"):
        _ = ackley.Problems


def test_the_data_are_the_tutorials() -> None:
    (train_X, train_y), (valid_X, _) = module("polynome2").load_data(80, 20)
    example = Path("examples/polynome2/load_data.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "example"}
    exec(example, names)
    (X, y), (other_X, _) = names["load_data"](80, 20)
    assert (train_X == X).all()
    assert (train_y == y.ravel()).all()
    assert (valid_X == other_X).all()
