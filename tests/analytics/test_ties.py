from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import AMBS, HpProblem, RandomSearch
from deephyper.analytics.insight import insight
from deephyper.analytics.points import Points, read_points
from deephyper.analytics.ties import ties
from deephyper.evaluator import Evaluator


def searched(
    path: Path, noise: float, *, number: int = 200, kind: Any = AMBS, sign: float = 1.0
) -> Points:
    problem = HpProblem()
    for i in range(3):
        problem.add_hyperparameter((0.0, 1.0), f"x{i}")
    problem.add_hyperparameter(["a", "b", "c"], "kind")
    problem.add_hyperparameter((1, 64, "log-uniform"), "units")
    rng = np.random.default_rng(0)

    def run(point: dict[str, Any]) -> float:
        value = -sum((point[f"x{i}"] - 0.3 - 0.1 * i) ** 2 for i in range(3))
        value -= 0.05 * (math.log(point["units"]) - 2) ** 2 + 0.2 * (point["kind"] == "a")
        return sign * (float(value) + noise * float(rng.standard_normal()))

    direction = "maximize" if sign > 0 else "minimize"
    with Evaluator.create(run, "thread", 1) as evaluator:
        search = kind(problem, evaluator, log_dir=path, seed=1, direction=direction)
        search.search(max_evals=number)
    return read_points(path)


@pytest.mark.parametrize("noise", [1e-3, 1e-2, 1e-1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_noise_is_told_with_its_size(tmp_path: Path, noise: float, sign: float) -> None:
    points = searched(tmp_path, noise, sign=sign)
    found = ties(points)
    assert found is not None
    assert noise / 2 < found.noise < 2 * noise
    scores = sign * points.objectives
    within = scores >= scores.max() - 2 * math.sqrt(2) * found.noise
    assert found.equal == within.sum() > 5


@pytest.mark.parametrize("number", [25, 60, 200])
def test_without_noise_nothing_is_said(tmp_path: Path, number: int) -> None:
    assert ties(searched(tmp_path, 0.0, number=number)) is None


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_points_that_are_far_apart_say_nothing_of_noise(tmp_path: Path, noise: float) -> None:
    assert ties(searched(tmp_path, noise, kind=RandomSearch)) is None


def test_equal_objectives_are_no_noise(tmp_path: Path) -> None:
    text = "".join(f"{0.5 + i * 1e-4},1.0\n" for i in range(100))
    (tmp_path / "results.csv").write_text("x,objective\n" + text)
    assert ties(read_points(tmp_path)) is None


def test_insight_says_it_in_words(tmp_path: Path) -> None:
    points = searched(tmp_path, 0.01)
    found = ties(points)
    assert found is not None
    (finding,) = [each for each in insight(tmp_path) if each.kind == "ties"]
    assert f"{found.equal} of 200 evaluations are statistically tied" in finding.text
    assert finding.values == {"noise": found.noise, "equal": found.equal}
