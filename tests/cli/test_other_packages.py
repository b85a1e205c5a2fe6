"""Another package adds an evaluator, an engine and commands, and no file of ours is touched."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOY = '''
from dataclasses import dataclass
from typing import ClassVar

import click

from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.optimizer import Optimizer, Settings
from deephyper.job import Proposal
from deephyper.option import Option


class ToyEvaluator(ThreadEvaluator):
    """Threads that say where they come from."""

    method = "toy"
    options = (Option("toy_place", "Where to evaluate.", metavar="PLACE"),)

    def __init__(self, run, num_workers=1, *, toy_place="attic", timeout=None, output_dir=None,
                 num_cpus_per_task=1, num_gpus_per_task=0, clock=None):
        super().__init__(run, num_workers, timeout=timeout, num_cpus_per_task=num_cpus_per_task,
                         clock=clock)
        self.place = toy_place

    def _start(self, job, slot, output):
        super()._start(job, slot, output)
        return self.place


class Ascending(Optimizer):
    """Proposes unseen points, the smallest first."""

    def __init__(self, problem, settings, seed=None):
        super().__init__(problem, seed)
        self.settings, self.next = settings, 1

    @property
    def description(self):
        return f"ascending by {self.settings.toy_step}"

    def _propose(self, n):
        proposals = {}
        while len(proposals) < n and self.next <= 100:
            point = {"n": self.next}
            key = self._admit(point, proposals)
            if key is not None:
                proposals[key] = Proposal(point)
            self.next += self.settings.toy_step
        return proposals

    def _learn(self, keys, points, objectives):
        pass


@dataclass(frozen=True)
class AscendingSettings(Settings):
    name: ClassVar = "ascending"
    options: ClassVar = (Option("toy_step", "How far to go.", kind="integer", at_least=1),)

    toy_step: int = 1

    def create(self, problem, seed=None):
        return Ascending(problem, self, seed)


@click.command("greet")
def greet():
    """Say hello from the toy."""
    click.echo("hello")


TOYS = 3


@click.command("count")
@click.argument("results")
def count(results):
    """Count the evaluations of a search."""
    from deephyper.search.results import read_results

    click.echo(len(read_results(__import__("pathlib").Path(results))))
'''
ENTRY_POINTS = """\
[deephyper.evaluators]
toy = toy:ToyEvaluator
broken = no_such_module:Nothing
mistaken = toy:greet
[deephyper.optimizers]
ascending = toy:AscendingSettings
mistaken = toy:Ascending
[deephyper.commands]
greet = toy:greet
mistaken = toy:TOYS
[deephyper.analytics]
count = toy:count
"""
TASK = """\
from deephyper import HpProblem

Problem = HpProblem()
Problem.add_hyperparameter((1, 100), "n")


def run(point):
    return float(point["n"])
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a task, and the packages of others beside it."""
    packages = tmp_path / "packages"
    information = packages / "toy-1.0.dist-info"
    information.mkdir(parents=True)
    (packages / "toy.py").write_text(TOY)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "task.py").write_text(TASK)
    monkeypatch.setenv("PYTHONPATH", f"{packages}{os.pathsep}{REPOSITORY}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(module: str, line: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", f"deephyper.core.cli.{module}", *line.split()]
    return subprocess.run(words, capture_output=True, text=True)


def test_a_search_with_an_evaluator_and_an_engine_of_another_package(site: Path) -> None:
    done = run(
        "main",
        "hps ambs -p task.py -r task.py --max-evals 4 --evaluator toy --toy-place cellar "
        "--optimizer ascending --toy-step 3",
    )
    assert done.returncode == 0, done.stderr
    with (site / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["n"]) for row in rows] == [1, 4, 7, 10]
    assert {row["worker"] for row in rows} == {"cellar"}
    assert "optimizer: ascending by 3" in (site / "deephyper.log").read_text()
    counted = run("analytics", "count results.csv")
    assert (counted.returncode, counted.stdout.strip()) == (0, "4")


def test_what_other_packages_add_is_in_the_help(site: Path) -> None:
    search = run("main", "hps ambs --help").stdout
    assert "--toy-place PLACE" in search
    assert "[default: attic]" in search
    assert "[default: 1; x>=1]" in search.partition("--toy-step")[2]
    assert "--toy-step" in search
    assert "Say hello from the toy." in run("main", "--help").stdout
    assert "Count the evaluations of a search." in run("analytics", "--help").stdout
    assert run("main", "greet").stdout == "hello\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--evaluator toy --ray-address auto", "--ray-address is an option of ray"),
        ("--toy-place cellar", "--toy-place is an option of toy; use --evaluator toy"),
        ("--toy-step 2", "--toy-step is an option of ascending; use --optimizer ascending"),
        ("--optimizer ascending --toy-step 0", "0 is not in the range x>=1"),
        ("--evaluator broken", "'broken' of the package toy can't be imported (ModuleNotFound"),
        ("--evaluator mistaken", "not a subclass of deephyper.evaluator.Evaluator; repair or"),
        ("--optimizer mistaken", "not a subclass of deephyper.optimizer.settings.Settings; repair"),
    ],
)
def test_what_does_not_fit_is_one_line(site: Path, words: str, message: str) -> None:
    done = run("main", f"hps ambs -p task.py -r task.py --max-evals 1 {words}")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (site / "journal.jsonl").exists()


def test_a_command_that_is_not_one_is_named_and_hides_no_other(site: Path) -> None:
    message = "'mistaken' of the package toy is 3, not an instance of click.Command"
    done = run("main", "mistaken")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr
    listed = run("main", "--help")
    assert listed.returncode == 0
    assert message in " ".join(listed.stdout.split())
    assert "Say hello from the toy." in listed.stdout
