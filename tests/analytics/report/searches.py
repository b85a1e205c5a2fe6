"""Searches to report on, and what a report holds."""

from __future__ import annotations

import base64
import csv
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from deephyper import AMBS, HpProblem, RandomSearch, evaluation
from deephyper.evaluator import Evaluator
from deephyper.job import Failure
from tests.search.paused_trainings import Pausing, Trainings

SCRIPT = "</script><script>document.title='taken over'</script>"
HOSTILE_NAMES = (
    SCRIPT,
    'the "quoted", one',
    "größe ∈ 日本",
    "<!-- <img src=x onerror=alert(1)>",
    "a" * 300,
    "=1+1",
    "__proto__",
)
HOSTILE_TEXTS = (SCRIPT, '"', "a,b\nc", "\u202egnp.exe", "{{values}}", "\ud7ff'\\", "-->")


def run(point: dict[str, Any]) -> float:
    """Fail where x is large, and report five steps elsewhere."""
    if point["x"] > 0.8:
        print("the output of", point["x"])
        raise ValueError(f"x is too large: {point['x']}")
    value = 0.0
    for step in range(1, 6):
        value = (1.0 - (point["x"] - 0.3) ** 2) * (1.0 - 0.5**step)
        evaluation.report(value, step=step)
    return value


def conditional_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    model = problem.add_hyperparameter(["linear", "tree"], "model")
    depth = problem.add_hyperparameter((1, 12), "depth")
    problem.add_hyperparameter((1e-5, 1.0, "log-uniform"), "rate")
    problem.add_condition(_equals(depth, model, "tree"))
    problem.add_starting_point(x=0.95, model="linear", rate=0.1)
    return problem


def _equals(child: Any, parent: Any, value: Any) -> Any:
    from ConfigSpace import EqualsCondition

    return EqualsCondition(child, parent, value)


def searched(log_dir: Path, number: int, **settings: Any) -> Path:
    """Run a search with failures, reports and conditions; return its log directory."""
    with Evaluator.create(run, "thread", 3, output_dir=log_dir / "output") as evaluator:
        search = AMBS(
            conditional_problem(), evaluator, log_dir=log_dir, seed=1, stopper="median", **settings
        )
        search.search(max_evals=number)
    return log_dir


def _beyond_three(_: object, ids: list[str]) -> str | None:
    """Take up what is paused once there are more than three."""
    return ids[0] if len(ids) > 3 else None


def in_two_sessions(log_dir: Path) -> Trainings:
    """Run a search that leaves evaluations paused, in two sessions with 210 s between them.

    Returns:
        The search. Its time is virtual, and each training takes 10 s.
    """
    trainings = Trainings(log_dir, workers=2)
    trainings.fails = lambda job: Failure("exception", "no") if job.id == "2" else None
    trainings.session(6)
    trainings.clock.sleep(210.0)
    trainings.session(14, stopper=Pausing(take_up=_beyond_three))
    return trainings


def all_failed(log_dir: Path) -> Path:
    """Run a search of which nothing comes; return its log directory."""
    problem = HpProblem()
    problem.add_hyperparameter((0.9, 1.0), "x")
    with Evaluator.create(run, "thread", 2) as evaluator:
        RandomSearch(problem, evaluator, log_dir=log_dir, seed=1).search(max_evals=8)
    return log_dir


def write_rows(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def hostile(path: Path) -> Path:
    """Write results whose names, values, failures and metrics are as bad as they can be."""
    header = [
        *HOSTILE_NAMES,
        *("objective", "id", "elapsed_sec", "status", "worker", "start", "end", "failure"),
        *("predicted", "predicted_std", SCRIPT.upper(), "loss"),
    ]
    rows: list[list[Any]] = []
    for i in range(40):
        text = HOSTILE_TEXTS[i % len(HOSTILE_TEXTS)]
        failed = i % 4 == 3
        values = [text, i, i / 7, text, text, f"={i}", 1e300 * (i - 20)]
        failure = f"exception: {SCRIPT} {i}" if failed else ""
        end = [i, 1.0, "failed" if failed else "finished", text, 100 + i, 101 + i, failure, "", ""]
        metric = ("inf", "-inf", "nan", "1e999", "")[i % 5]
        rows.append([*values, "" if failed else i * 0.5, *end, metric, metric])
    return write_rows(path, header, rows)


def many(path: Path, number: int) -> Path:
    """Write results with so many rows, of a space with numbers, categories and inactive ones."""
    rng = np.random.default_rng(0)
    rates, units = 10 ** rng.uniform(-5, 0, number), rng.integers(8, 1024, number)
    objectives = rng.normal(size=number) - (np.log10(rates) + 3) ** 2
    rows: list[list[Any]] = []
    for i in range(number):
        kind = ("sgd", "adam", "rmsprop")[i % 3]
        failed, pruned = i % 50 == 7, i % 10 == 3
        status = "failed" if failed else "pruned" if pruned else "finished"
        failure = f"exception: ValueError: step {i} diverged" if failed else ""
        objective: Any = "" if failed else float(objectives[i])
        momentum: Any = float(rng.random()) if kind == "sgd" else ""
        point = [float(rates[i]), int(units[i]), kind, momentum, float(rng.random())]
        rows.append(
            [*point, objective, i, 1.5, status, i % 16, i / 10, i / 10 + 1.5, failure, "", ""]
        )
    header = ["rate", "units", "kind", "momentum", "dropout", "objective", "id", "elapsed_sec"]
    header += ["status", "worker", "start", "end", "failure", "predicted", "predicted_std"]
    return write_rows(path, header, rows)


def values_in(page: Path) -> dict[str, Any]:
    """Return the content of a report, with its arrays."""
    text = page.read_text(encoding="utf-8")
    scripts = re.findall(r'<script type="[^"]*" id="(values|arrays)">(.*?)</script>', text, re.S)
    parts = dict(scripts)
    assert len(scripts) == 2
    found: dict[str, Any] = json.loads(parts["values"])
    block = zlib.decompress(base64.b64decode(parts["arrays"]))
    for column in found["columns"]:
        column["data"] = array_at(block, column["data"])
    for curve in found["curves"]:
        for name in ("steps", "objectives"):
            curve[name] = array_at(block, curve[name])
    return found


def array_at(block: bytes, place: dict[str, Any]) -> list[float]:
    found: list[float] = np.frombuffer(
        block, f"<{place['type']}", place["length"], place["at"]
    ).tolist()
    return found


def column(values: dict[str, Any], title: str) -> list[Any]:
    """Return a column of a report as plain values; None where there is none."""
    each = next(each for each in values["columns"] if each["title"] == title)
    if each["type"] == "text":
        return [None if code < 0 else each["texts"][int(code)] for code in each["data"]]
    missing = {i for i, number in enumerate(each["data"]) if number != number} - {*each["nans"]}
    return [None if i in missing else number for i, number in enumerate(each["data"])]
