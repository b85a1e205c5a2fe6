"""Files of other tools are read as they are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import ProblemError
from deephyper.problem import config_space as cs
from deephyper.space_file import SpaceFile, read_space
from deephyper.space_file.writing import as_tree

SWEEP = """\
program: train.py
name: a sweep
method: bayes
metric:
  name: val_loss
  goal: minimize
parameters:
  learning_rate: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
  batch_size: {values: [16, 32, 64]}
  epochs: {value: 10}
  layers: {min: 1, max: 4}
  dropout: {min: 0.0, max: 0.5}
  optimizer:
    parameters:
      name: {values: [adam, sgd]}
      momentum: {distribution: uniform, min: 0.1, max: 0.9}
early_terminate: {type: hyperband, min_iter: 3}
command: ["${env}", python3, "${program}", "${args}", --verbose]
run_cap: 50
"""


def read(tmp_path: Path, text: str, name: str = "file.yaml", *definitions: str) -> SpaceFile:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_space(path, definitions)


def domains(read: SpaceFile) -> dict[str, Any]:
    return dict(as_tree(read.problem)["hyperparameters"])


def test_a_sweep_of_wandb(tmp_path: Path) -> None:
    sweep = read(tmp_path, SWEEP)
    assert domains(sweep) == {
        "learning_rate": "(1e-05, 0.1, log-uniform)",
        "batch_size": [16, 32, 64],
        "epochs": {"constant": 10},
        "layers": "(1, 4)",
        "dropout": "(0.0, 0.5)",
        "optimizer.name": ["adam", "sgd"],
        "optimizer.momentum": "(0.1, 0.9)",
    }
    assert (sweep.form, sweep.direction, sweep.metric) == ("wandb", "minimize", "val_loss")
    assert sweep.program == "train.py"
    assert sweep.command == ("/usr/bin/env", "python3", "train.py", "{args=}", "--verbose")
    assert sweep.early_terminate == {"type": "hyperband", "min_iter": 3}
    assert sweep.notices == (
        "early_terminate: 'hyperband' has no effect here: give --stopper asha --min-steps 3 "
        "--reduction-factor 3, and have the run report its steps",
        "run_cap has no effect here: give --max-evals 50",
    )


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("${args}", "{args=}"),
        ("${args_no_boolean_flags}", "{flags=}"),
        ("${args_no_hyphens}", "{overrides}"),
        ("${args_json}", "{point}"),
        ("--file=${args_json_file}", "--file={point_file}"),
        ("--lr=${learning_rate}", "--lr={learning_rate}"),
        ("${optimizer.name}-${layers}", "{optimizer.name}-{layers}"),
        ("${envvar:OF_A_TEST}/data", "/scratch/data"),
        ("$HOME", "$HOME"),
    ],
)
def test_the_macros_of_a_sweep(
    word: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_A_TEST", "/scratch")
    sweep = read(tmp_path, SWEEP.replace("--verbose", f"'{word}'"))
    assert sweep.command is not None
    assert sweep.command[-1] == expected


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("${arg}", "did you mean 'args'"),
        ("--lr=${lr}", "choose from env"),
        ("${envvar:NOT_OF_A_TEST}", "set that variable of the environment"),
    ],
)
def test_a_macro_that_stands_for_nothing(word: str, hint: str, tmp_path: Path) -> None:
    sweep = read(tmp_path, SWEEP.replace("--verbose", f"'{word}'"))
    assert sweep.command is None
    assert "line 18, column 1: the command has ${" in sweep.no_command
    assert hint in sweep.no_command


@pytest.mark.parametrize(
    ("parameter", "domain"),
    [
        ("{value: adam}", {"constant": "adam"}),
        ("{distribution: constant, value: null}", {"constant": None}),
        ("{values: [on, off, 1e-4]}", ["on", "off", 1e-4]),
        (
            "{values: [a, b], probabilities: [0.25, 0.75]}",
            {"values": ["a", "b"], "ordered": False, "weights": [0.25, 0.75]},
        ),
        ("{distribution: int_uniform, min: 2, max: 9}", "(2, 9)"),
        ("{distribution: uniform, min: 1, max: 9}", "(1.0, 9.0)"),
        ("{min: 3, max: 3}", {"constant": 3}),
        ("{distribution: q_uniform, min: 0, max: 10}", "(0, 10)"),
        ("{distribution: q_uniform, min: 0, max: 100, q: 25}", [0, 25, 50, 75, 100]),
        ("{distribution: q_uniform, min: 0, max: 0.5, q: 0.1}", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ("{distribution: log_uniform, min: 0, max: 1}", f"(1.0, {round(math.e, 13)}, log-uniform)"),
        ("{distribution: inv_log_uniform_values, min: 0.1, max: 1}", "(0.1, 1.0, log-uniform)"),
        ("{distribution: q_log_uniform_values, min: 1, max: 256}", "(1, 256, log-uniform)"),
        ("{distribution: q_log_uniform, min: 0, max: 5}", "(1, 148, log-uniform)"),
        (
            "{distribution: beta, a: 2, b: 3}",
            {"range": [0.0, 1.0], "distribution": "beta", "alpha": 2.0, "beta": 3.0},
        ),
    ],
)
def test_a_parameter_that_is_kept_exactly(tmp_path: Path, parameter: str, domain: Any) -> None:
    sweep = read(tmp_path, f"method: random\nparameters:\n  x: {parameter}\n")
    assert domains(sweep) == {"x": domain}
    assert sweep.notices == ()


@pytest.mark.parametrize(
    ("parameter", "domain", "notice"),
    [
        (
            "{distribution: normal, mu: 2, sigma: 0.5}",
            {"range": [0.0, 4.0], "distribution": "normal", "mu": 2.0, "sigma": 0.5},
            "x: normal, and so without bounds: searched from 0 to 4, 4 standard deviations",
        ),
        (
            "{distribution: q_normal, mu: 10, sigma: 2}",
            {"range": [2, 18], "distribution": "normal", "mu": 10, "sigma": 2},
            "searched from 2 to 18",
        ),
        (
            "{distribution: log_normal, mu: 0, sigma: 1}",
            "(0.1353352832366, 7.3890560989306, log-uniform)",
            "x: log-normal: its logarithm is searched uniformly",
        ),
        (
            "{distribution: q_log_uniform_values, min: 8, max: 32, q: 8}",
            [8, 16, 24, 32],
            "x: its 4 values in steps of 8 are equally likely here",
        ),
        (
            "{distribution: q_uniform, min: 0, max: 1, q: 1e-6}",
            "(0.0, 1.0)",
            "x: its values are searched without steps of 1e-06, which are too many",
        ),
        ("{distribution: beta, a: 0.5, b: 1}", "(0.0, 1.0)", "is searched uniformly"),
    ],
)
def test_a_parameter_that_is_not_kept_exactly_is_told(
    tmp_path: Path, parameter: str, domain: Any, notice: str
) -> None:
    sweep = read(tmp_path, f"method: random\nparameters:\n  x: {parameter}\n")
    (tree,) = domains(sweep).values()
    if isinstance(tree, dict) and tree["distribution"] == "normal":
        tree = {key: tree[key] for key in domain}
    assert tree == domain
    (told,) = sweep.notices
    assert notice in told
    replaced = read(tmp_path, f"method: random\nparameters:\n  x: {parameter}\n", "f.yaml", "x=[1]")
    assert replaced.notices == ()


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("method: grid\n", "method: grid has no effect here"),
        ("early_terminate: {type: hyperband, s: 2, eta: 3, max_iter: 27}\n", "--min-steps 3 "),
        ("metric: {name: a, target: 0.5}\n", "give --target 0.5"),
        ("imageuri: x\n", "imageuri of the sweep has no effect here"),
    ],
)
def test_what_a_search_does_not_do_is_told(tmp_path: Path, text: str, notice: str) -> None:
    (told,) = read(tmp_path, f"{text}parameters: {{x: {{values: [1, 2]}}}}\n").notices
    assert notice in told


@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_a_hydra_sweep(tmp_path: Path, ending: str) -> None:
    text = """\
# @package _global_
defaults:
  - override /hydra/sweeper: optuna
hydra:
  sweeper:
    direction: maximize
    n_trials: 20
    params:
      model.lr: tag(log, interval(1e-4, 1e-1))
      model.layers: range(1, 5)
      batch: choice(16, 32)
      db: mysql,postgresql
      dropout: interval(0, 0.5)
      seed: 3
      name: tiny
    search_space:
      old: {type: float, low: -5.5, high: 5.5, step: 0.5}
      kind: {type: categorical, choices: [a, b]}
"""
    if ending == ".json":
        from deephyper.space_file.yaml_text import load

        text = json.dumps(load(text)[0])
    found = read(tmp_path, text, f"file{ending}")
    assert domains(found) == {
        "model.lr": "(0.0001, 0.1, log-uniform)",
        "model.layers": "(1, 4)",
        "batch": [16, 32],
        "db": ["mysql", "postgresql"],
        "dropout": "(0.0, 0.5)",
        "seed": {"constant": 3},
        "name": {"constant": "tiny"},
        "old": [-5.5 + 0.5 * i for i in range(23)],
        "kind": ["a", "b"],
    }
    assert (found.form, found.direction) == ("hydra", "maximize")
    assert found.notices == ("n_trials has no effect here: give --max-evals 20",)


@pytest.mark.parametrize(
    ("direction", "notice"),
    [
        ("", "no direction is named: minimized, as by Hydra's sweepers; else give --direction max"),
        ("direction: null", "no direction is named: minimized"),
        ("direction: [minimize, maximize]", "['minimize', 'maximize'] has no effect here: minim"),
        ("direction: '${mode}imize'", "'${mode}imize' has no effect here: minimized"),
    ],
)
def test_hydra_minimizes_where_no_direction_is_named(
    direction: str, notice: str, tmp_path: Path
) -> None:
    found = read(
        tmp_path, f"hydra:\n  sweeper:\n    {direction}\n    params: {{x: 'range(1, 9)'}}\n"
    )
    assert found.direction == "minimize"
    assert notice in found.notices[0]


def test_distributions_of_optuna(tmp_path: Path) -> None:
    def written(kind: str, **attributes: Any) -> dict[str, Any]:
        return {"name": f"{kind}Distribution", "attributes": attributes}

    found = read(
        tmp_path,
        json.dumps(
            {
                "lr": written("Float", step=None, low=1e-4, high=1.0, log=True),
                "x": json.dumps(written("Float", step=0.25, low=0.0, high=1.0, log=False)),
                "n": written("Int", step=1, low=1, high=9, log=False),
                "m": written("Int", step=4, low=4, high=16, log=False),
                "opt": written("Categorical", choices=["adam", None]),
                "old": written("LogUniform", low=0.1, high=1.0),
                "one": written("Int", step=1, low=1, high=1, log=False),
            }
        ),
        "file.json",
    )
    assert domains(found) == {
        "lr": "(0.0001, 1.0, log-uniform)",
        "x": [0.0, 0.25, 0.5, 0.75, 1.0],
        "n": "(1, 9)",
        "m": [4, 8, 12, 16],
        "opt": ["adam", None],
        "old": "(0.1, 1.0, log-uniform)",
        "one": {"constant": 1},
    }
    assert found.form == "optuna"


@pytest.mark.parametrize("ending", [".json", ".yaml"])
def test_a_space_that_config_space_wrote(tmp_path: Path, ending: str) -> None:
    space = cs.ConfigurationSpace(
        {"layers": (1, 4), "lr": (1e-4, 1.0), "optimizer": ["adam", "sgd"], "momentum": (0.0, 0.9)}
    )
    space.add(cs.EqualsCondition(space["momentum"], space["optimizer"], "sgd"))
    space.add(
        cs.ForbiddenAndConjunction(
            cs.ForbiddenEqualsClause(space["layers"], 4),
            cs.ForbiddenGreaterThanClause(space["lr"], 0.75),
        ),
        # Its values are a tuple, which is a tag of Python's in YAML.
        cs.ForbiddenAndConjunction(
            cs.ForbiddenEqualsClause(space["optimizer"], "sgd"),
            cs.ForbiddenInClause(space["layers"], [2, 4]),
        ),
    )
    path = tmp_path / f"space{ending}"
    write = space.to_json if ending == ".json" else space.to_yaml
    write(path)
    found = read_space(path)
    assert found.form == "configspace"
    assert found.problem.space == space
    changed = read_space(path, ["layers=[2, 4]"]).problem
    assert changed.validate({"layers": 4, "lr": 0.5, "optimizer": "adam"})
    with pytest.raises(ProblemError, match="is forbidden"):
        changed.validate({"layers": 4, "lr": 0.8, "optimizer": "adam"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("method: x\nparameters:\n  a: 3\n", "line 3, column 3: the parameter 'a' is 3"),
        ("method: x\nparameters:\n  a: {}\n", "line 3, column 3: 'a' has no value, values"),
        (
            "parameters:\n  a: {distribution: q_unifrom}\n",
            "line 2, column 3: 'a' has the unknown distribution 'q_unifrom': did you mean",
        ),
        ("parameters:\n  a: {min: 1, max: x}\n", "'a': its max is 'x': give a finite number"),
        ("parameters:\n  a: {min: 5, max: 1}\n", "line 2, column 3: 'a' has reversed bounds"),
        (
            "parameters:\n  a: {distribution: log_uniform, min: 1, max: 1000}\n",
            "are exponents of e here",
        ),
        ("parameters:\n  a: {distribution: log_uniform_values, min: 0}\n", "log-uniform from 0"),
        ("parameters:\n  a: {values: [[1, 2]]}\n", "line 2, column 3: 'a' has the choice [1, 2]"),
        ("parameters:\n  a: {distribution: normal, sigma: 0}\n", "its sigma is 0: give a number"),
        ("parameters: {a: {value: 1}}\nmetric: {goal: max}\n", "goal: minimize or maximize"),
        ("parameters: {a: {value: 1}}\ncommand: python\n", "give its words as a list"),
        (
            "parameters: {a.b: {value: 1}, a: {parameters: {b: {value: 1}}}}\n",
            "there are two hyperparameters 'a.b': rename one",
        ),
        ("method: x\nparameters: {}\n", "there are no hyperparameters"),
        ("hydra: {sweeper: {params: {a: interval(1)}}}\n", "'a': the domain 'interval(1)': give"),
        ("hydra: {sweeper: {params: {a: {type: flaot}}}}\n", "did you mean 'float'?"),
        ("a: {name: NormalDistribution, attributes: {}}\n", "of the unknown kind"),
        ("a: {name: IntDistribution, attributes: {low: 1}}\n", "'a': its high is not given"),
        ("hyperparameters: []\njson_format_version: 0.4\nconditions: []\n", "ConfigSpace 0 wrote"),
        ("hyperparameters: [{name: x}]\nconditions: []\n", "has no type: correct it"),
        ("hyperparameters: [{type: unifrom_int}]\nconditions: []\n", "the type 'unifrom_int'"),
        (
            "conditions: []\nhyperparameters:\n  - {type: uniform_int, name: x, lower: 3}\n",
            "line 3, column 5: ConfigSpace can't read",
        ),
        (
            "hyperparameters: [{type: constant, name: x, value: 1}]\n"
            "conditions: [{type: EQ, child: y, parent: x, value: 1}]\n",
            "line 2, column 14: ConfigSpace can't read",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ProblemError) as error:
        read(tmp_path, text)
    message = str(error.value)
    assert reason in message
    assert "\n" not in message
