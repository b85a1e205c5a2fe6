"""Checking from Python, on simulated workers in virtual time where that does."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from deephyper import (
    Checked,
    EvaluatorError,
    HpProblem,
    ProblemError,
    RandomSearch,
    SettingsError,
    VirtualEvaluator,
    check,
)
from deephyper.evaluator import Evaluator
from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.job import Failure, Job, evaluation_seed
from deephyper.preflight.checked import search_seconds
from deephyper.preflight.environment import look_around


@pytest.fixture
def problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, 9), "x")
    return problem


def lasting(*seconds: float, num_workers: int = 1) -> VirtualEvaluator:
    """Simulated workers whose evaluations last so long, the last one as any further."""
    left = list(seconds)
    return VirtualEvaluator(
        lambda point: 1.0,
        num_workers,
        duration=lambda job: left.pop(0) if len(left) > 1 else left[0],
    )


@pytest.mark.parametrize("num_workers", [1, 3, 4])
def test_the_time_of_a_search_is_what_it_will_take(num_workers: int, problem: HpProblem) -> None:
    checked = check(problem, lasting(7.0, num_workers=num_workers), max_evals=9)
    evaluator = lasting(7.0, num_workers=num_workers)
    search = RandomSearch(problem, evaluator, log_dir=None, clock=evaluator.clock)
    search.search(max_evals=9)
    assert checked.search_sec == pytest.approx(evaluator.clock.seconds)


@pytest.mark.parametrize(
    ("tried", "max_evals", "num_workers", "expected"),
    [
        ([10.0], 100, 1, 1000.0),
        ([10.0, 1.0], 100, 1, 109.0),
        ([10.0, 1.0, 3.0], 100, 10, 10.0 + 9 * 2.0),
        ([10.0, 1.0], 5, 10, 10.0),
        ([10.0, 1.0], 11, 10, 11.0),
    ],
)
def test_the_first_evaluation_of_a_worker_may_be_longer(
    tried: list[float], max_evals: int, num_workers: int, expected: float
) -> None:
    assert search_seconds(tried, max_evals, num_workers) == pytest.approx(expected)


def test_the_first_starting_point_is_evaluated_else_the_defaults(problem: HpProblem) -> None:
    assert check(problem, lasting(1.0)).point == problem.default_configuration
    problem.add_starting_point(x=7)
    problem.add_starting_point(x=3)
    checked = check(problem, lasting(1.0))
    assert (checked.point, checked.num_starting_points) == ({"x": 7}, 2)


def test_seeds_follow_from_that_of_the_search(problem: HpProblem) -> None:
    evaluator = lasting(1.0)
    check(problem, evaluator, seed=5)
    assert [job.seed for job in evaluator.submitted] == [
        evaluation_seed(5, "0"),
        evaluation_seed(5, "0"),
        evaluation_seed(5, "1"),
    ]
    # A directory of their own: none continues from what another has left.
    assert len({job.directory for job in evaluator.submitted}) == 3


def of_jobs(*objectives: float | Failure) -> Checked:
    """What is found of evaluations that come to these."""
    problem, left = HpProblem(), list(objectives)
    problem.add_hyperparameter((1, 9), "x")

    def run(job: Job) -> float | Failure:
        return left.pop(0)

    return check(problem, VirtualEvaluator(run_job=run))


def test_noise() -> None:
    assert of_jobs(1.0, 1.0, 1.0).noise == "none"
    assert of_jobs(1.0, 1.0, 2.0).noise == "seeded"
    assert of_jobs(1.0, 1.5).noise == "unseeded"
    assert of_jobs(1.0, Failure("exception", "no")).noise == "unknown"


def test_nothing_is_evaluated_after_a_failure() -> None:
    checked = of_jobs(1.0, Failure("exception", "no"))
    assert [trial.succeeded for trial in checked.trials] == [True, False]
    assert (checked.succeeded, checked.search_sec) == (False, None)


def test_reports_are_counted(problem: HpProblem) -> None:
    evaluator = VirtualEvaluator(
        lambda point: 1.0, reports=lambda job: [(0.1, 3, 0.5), (0.2, 4, 0.6), (0.3, 9, 0.7)]
    )
    trial = check(problem, evaluator, runs=1).trials[0]
    assert (trial.num_reports, trial.first_step, trial.last_step) == (3, 3, 9)


def test_a_finite_space_ends_a_search() -> None:
    problem = HpProblem()
    problem.add_hyperparameter(["a", "b"], "kind")
    notices: list[str] = []
    checked = check(problem, lasting(1.0), max_evals=50, on_notice=notices.append)
    assert checked.max_evals == 2
    assert notices == ["the space is exhausted after 2 of the 50 evaluations"]


def test_a_run_function_is_evaluated_in_a_process_and_leaves_nothing(
    problem: HpProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    checked = check(problem, printing, num_workers=2, runs=1)
    printed = checked.trials[0].printed
    assert printed is not None
    assert (printed.num_bytes, printed.tail) == (4, "yes\n")
    assert (checked.evaluator, checked.num_workers) == ("process", 2)
    assert os.listdir(tmp_path) == []


def printing(point: dict[str, Any]) -> float:
    from deephyper import evaluation

    print("yes")
    (evaluation.directory / "model").write_text("weights")
    return 1.0


def test_a_given_evaluator_stays_open_for_the_search(problem: HpProblem) -> None:
    with Evaluator.create(lambda point: 1.0, "thread") as evaluator:
        check(problem, evaluator, runs=1)
        assert evaluator.idle
        assert RandomSearch(problem, evaluator, log_dir=None).search(3).num_evaluations == 3


def test_bad_arguments(problem: HpProblem) -> None:
    for arguments in ({"runs": 4}, {"runs": 0}, {"max_evals": 0}, {"seed": -1}):
        with pytest.raises(SettingsError, match=next(iter(arguments))):
            check(problem, lasting(1.0), **arguments)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="num_workers is given and so is an evaluator"):
        check(problem, lasting(1.0), num_workers=2)
    with pytest.raises(ProblemError, match="the search space is empty"):
        check(HpProblem(), lasting(1.0))
    with VirtualEvaluator(lambda point: 1.0) as busy:
        busy.submit([{"x": 1}])
        with pytest.raises(EvaluatorError, match="the evaluator has evaluations already"):
            check(problem, busy)


def test_no_trial_gets_into_the_records_of_an_evaluator(problem: HpProblem) -> None:
    class Keeping(ThreadEvaluator):
        method = "keeping"
        keeps_records = True

    with (
        Keeping(lambda point: 1.0) as evaluator,
        pytest.raises(EvaluatorError, match="the keeping evaluator keeps records"),
    ):
        check(problem, evaluator)


def test_versions_are_told_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho slurm 24.05.1\n")
    (tmp_path / "qsub").write_text("#!/bin/sh\nexit 2\n")
    for program in ("sbatch", "qsub"):
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    environment = look_around()
    assert environment.programs["sbatch"] == "slurm 24.05.1"
    assert environment.programs["qsub"] == str(tmp_path / "qsub")
    assert environment.gpus == ("0", "3")
    assert {"ray", "tensorflow", "torch", "jax", "dask", "mpi4py"} <= environment.packages.keys()
    for name, told in environment.packages.items():
        if told is not None and name != "tensorflow":  # which has several distributions
            assert told == version(name)
