"""Which engine runs, what it needs, and how another package adds one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import DeepHyperError, ProblemError, SettingsError
from deephyper.optimizer import (
    BayesianOptimizer,
    BayesianSettings,
    ExternalOptimizer,
    Optimizer,
    RandomOptimizer,
    RandomSettings,
    SkoptOptimizer,
    SkoptSettings,
    create_optimizer,
)
from deephyper.optimizer.settings import Settings
from deephyper.problem import HpProblem
from deephyper.registry import OPTIMIZERS, Registry
from tests.optimizer.bowl import cube


class Own:
    """Somebody's optimizer."""

    def ask(self) -> dict[str, float]:
        return {"x0": 0.5}

    def tell(self, x: dict[str, float], y: float) -> None: ...


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        ("bayesian", BayesianOptimizer),
        ("skopt", SkoptOptimizer),
        ("random", RandomOptimizer),
        (BayesianSettings(), BayesianOptimizer),
        (SkoptSettings(), SkoptOptimizer),
        (RandomSettings(), RandomOptimizer),
        (Own(), ExternalOptimizer),
    ],
)
def test_names_settings_and_objects_make_optimizers(chosen: Any, kind: type[Optimizer]) -> None:
    assert type(create_optimizer(cube(), chosen, seed=1)) is kind


def test_the_gaussian_process_is_the_default() -> None:
    assert type(create_optimizer(cube())) is BayesianOptimizer


def test_an_optimizer_of_the_problem_is_taken_as_it_is() -> None:
    problem = cube()
    optimizer = RandomOptimizer(problem)
    assert create_optimizer(problem, optimizer) is optimizer


def test_the_engine_gets_its_settings_and_its_seed() -> None:
    settings = SkoptSettings(surrogate_model="GP", kappa=3.0)
    optimizer = create_optimizer(cube(), settings, seed=5)
    assert isinstance(optimizer, SkoptOptimizer)
    assert optimizer.settings == settings
    assert optimizer.ask() == create_optimizer(cube(), settings, seed=5).ask()


@pytest.mark.parametrize(
    ("chosen", "description"),
    [
        ("bayesian", "deephyper's Gaussian process, the default"),
        ("random", "random sampling"),
        (
            SkoptSettings(surrogate_model="ET", acq_func="EI", liar_strategy="cl_max"),
            "scikit-optimize with surrogate model ET, acquisition function EI, liar strategy "
            "cl_max",
        ),
        (
            SkoptSettings(surrogate_model="DUMMY"),
            "random sampling, as scikit-optimize's surrogate model DUMMY",
        ),
        (Own(), f"{__name__}.Own, passed by the caller"),
    ],
)
def test_an_optimizer_describes_itself(chosen: Any, description: str) -> None:
    assert create_optimizer(cube(), chosen).description == description


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("tpe", "unknown optimizer 'tpe'; choose one of bayesian, skopt, random"),
        ("", "unknown optimizer ''"),
        (Own, r"is the class Own; give an object of it, as in: Own\(\)"),
        (SkoptSettings, "is the class SkoptSettings"),
        (None, "of type NoneType, has no method 'ask'"),
        ({"kappa": 1.0}, "of type dict, has no method 'ask'"),
        (type("Asks", (), {"ask": Own.ask})(), "of type Asks, has no method 'tell'"),
        (type("Holds", (), {"ask": 3, "tell": 3})(), "no method 'ask'"),
    ],
)
def test_what_is_not_an_optimizer_is_refused(chosen: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        create_optimizer(cube(), chosen)


@pytest.mark.parametrize("problem", [None, "problem.py", HpProblem])
def test_what_is_not_a_problem_is_refused(problem: Any) -> None:
    with pytest.raises(SettingsError, match="give an HpProblem"):
        create_optimizer(problem)


@pytest.mark.parametrize("chosen", [*OPTIMIZERS.names, Own()])
def test_an_empty_space_is_refused(chosen: Any) -> None:
    with pytest.raises(ProblemError, match="the search space is empty"):
        create_optimizer(HpProblem(), chosen)


def test_the_default_needs_neither_scikit_optimize_nor_scikit_learn() -> None:
    code = (
        "import sys\n"
        "from deephyper.problem import HpProblem\n"
        "from deephyper.optimizer import create_optimizer\n"
        "p = HpProblem(); p.add_dim('x', (0.0, 1.0)); p.add_dim('c', ['a', 'b'])\n"
        "o = create_optimizer(p, seed=0)\n"
        "for i in range(12): o.tell(o.ask(), float(i))\n"
        "heavy = {'skopt', 'sklearn', 'pandas', 'ray', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Engines of other packages.

ENGINE = """
from dataclasses import dataclass
from typing import ClassVar

from deephyper.optimizer import RandomOptimizer, Settings


@dataclass(frozen=True)
class ToySettings(Settings):
    name: ClassVar[str] = "toy"
    size: int = 3

    def create(self, problem, seed=None):
        return ToyOptimizer(problem, seed)


class ToyOptimizer(RandomOptimizer):
    pass


not_settings = 3
"""


def _install(directory: Path, monkeypatch: pytest.MonkeyPatch, entry_point: str) -> None:
    """Install a package of the name toy_engine whose optimizer `toy` is this entry point."""
    (directory / "toy_engine.py").write_text(ENGINE)
    info = directory / "toy_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[deephyper.optimizers]\ntoy = {entry_point}\n")
    monkeypatch.syspath_prepend(directory)
    monkeypatch.delitem(sys.modules, "toy_engine", raising=False)
    # A registry looks for other packages once.
    fresh = Registry(OPTIMIZERS.group, dict.fromkeys(OPTIMIZERS.names, ""), "")
    monkeypatch.setattr(OPTIMIZERS, "_others", fresh._others, raising=False)


def test_another_package_adds_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch, "toy_engine:ToySettings")
    optimizer = create_optimizer(cube(), "toy", seed=2)
    assert type(optimizer).__name__ == "ToyOptimizer"
    assert optimizer.description == "random sampling"
    assert optimizer.ask() == create_optimizer(cube(), "random", seed=2).ask()
    with pytest.raises(SettingsError, match="bayesian, skopt, random, evolution, toy"):
        create_optimizer(cube(), "tyo")


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("toy_engine:not_settings", "not a subclass of deephyper.optimizer.settings.Settings"),
        ("toy_engine:ToyOptimizer", "not a subclass"),
        ("toy_engine:Missing", "package toy-engine can't be imported"),
        ("missing_engine:ToySettings", "package toy-engine can't be imported"),
    ],
)
def test_a_broken_engine_of_another_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry_point: str, message: str
) -> None:
    _install(tmp_path, monkeypatch, entry_point)
    with pytest.raises(DeepHyperError, match=message):
        create_optimizer(cube(), "toy")


def test_settings_without_an_engine_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Settings()  # type: ignore[abstract]
