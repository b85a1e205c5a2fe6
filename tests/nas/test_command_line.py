"""``deephyper nas``, from a new problem to the best network."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.balsam.cli.submit import _new, balsam_submit
from deephyper.core.cli.groups import deephyper as program
from deephyper.core.cli.problem_templates import NAS_TEMPLATE
from deephyper.core.cli.searches import searches_of

PROBLEM = Path(__file__).with_name("small_problem.py")
REPOSITORY = Path(__file__).resolve().parents[2]


def run(line: str, directory: Path, environment: dict[str, str] | None = None) -> str:
    words = line.split()
    if environment is None:
        module = "analytics" if words[0] == "deephyper-analytics" else "main"
        words[:1] = [sys.executable, "-m", f"deephyper.core.cli.{module}"]
    done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def rows_in(results: Path) -> list[dict[str, str]]:
    with results.open() as file:
        return list(csv.DictReader(file))


def test_its_searches_have_every_option_of_hps() -> None:
    import click

    def options(group: str) -> dict[str, set[str]]:
        found = program.get_command(click.Context(program), group)
        assert isinstance(found, click.Group)
        return {
            name: {flag for parameter in command.params for flag in parameter.opts}
            for name, command in searches_of(found).items()
        }

    more = {"--keep-models"}
    assert options("nas") == {name: flags | more for name, flags in options("hps").items()}


def test_what_new_problem_writes_is_python() -> None:
    assert set(NAS_TEMPLATE.files) == {
        "__init__.py",
        "load_data.py",
        "problem.py",
        "search_space.py",
    }
    for name, text in NAS_TEMPLATE.files.items():
        compile(text, name, "exec")


def test_a_submission_needs_no_run_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = "nas mine -p problem.py -t 30 -q debug -n 2 -j serial --max-evals 7"
    words = line.split()
    with balsam_submit.make_context("balsam-submit", words) as context:
        spec, _ = _new("mine", ("nas", "ambs"), context.params)
    assert (spec.command, spec.run) == (("nas", "ambs"), "deephyper.nas.run")
    assert spec.problem == str(tmp_path / "problem.py")


def test_a_search_without_keras_does_not_begin(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['keras'] = None\n"
        "from deephyper.core.cli.main import main\n"
        f"sys.exit(main(['nas', 'random', '-p', {str(PROBLEM)!r}, '--log-dir', 'log']))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "deephyper: error: Keras isn't installed; get it with: pip install tensorflow\n"
    )
    assert not (tmp_path / "log").exists()


@pytest.mark.tensorflow
def test_a_search_trains_networks_and_is_resumed_without_options(tmp_path: Path) -> None:
    said = run(
        f"deephyper nas random -p {PROBLEM} --max-evals 3 --num-workers 1 --seed 1 --log-dir log",
        tmp_path,
    )
    assert "Best objective: " in said
    run("deephyper nas random --resume log --max-evals 4", tmp_path)
    rows = rows_in(tmp_path / "log" / "results.csv")
    assert len(rows) == 4
    for row in rows:
        if row["a"] == "Conv1D(4, 3)":
            assert "node 'a': Conv1D(4, 3) can't be built" in row["failure"]
        else:
            assert float(row["num_parameters"]) > 0
            assert float(row["training_seconds"]) > 0
    models = list((tmp_path / "log").rglob("best_model.keras"))
    assert len(models) == sum(bool(row["objective"]) for row in rows)
    run("deephyper-analytics confirm log/results.csv -k 1 -n 1 --output confirmed.csv", tmp_path)
    assert rows_in(tmp_path / "confirmed.csv")


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_from_an_empty_directory_to_the_best_network(
    environment: dict[str, str], tmp_path: Path
) -> None:
    run("deephyper start-project nas_project", tmp_path, environment)
    package = tmp_path / "nas_project" / "nas_project"
    run("deephyper new-problem nas polynome2_nas", package, environment)
    problem = package / "polynome2_nas"
    assert run("python problem.py", problem, environment).startswith("Problem is:\n")
    assert "train_X shape: (8000, 10)" in run("python load_data.py", problem, environment)
    summary = run("python search_space.py", problem, environment)
    assert summary.startswith("8,000 architectures, three of them:\n")
    assert summary.count("Total params") == 3
    said = run(
        "deephyper nas ambs --evaluator ray --num-workers 2 --max-evals 8 --seed 1"
        " --problem nas_project.polynome2_nas.problem.Problem",
        tmp_path,
        environment,
    )
    assert "(8 evaluations" in said
    run("deephyper-analytics topk results.csv -o best.json", tmp_path, environment)
    found = json.loads((tmp_path / "best.json").read_text())["0"]
    assert {"layer_1", "layer_2", "layer_3", "learning_rate"} <= set(found)
    # A linear model, the tutorial's first point, explains nothing of these data.
    assert found["objective"] > 0.9
    assert len(list(tmp_path.rglob("best_model.keras"))) == 8
