"""Checking from Python, in one call, that a search could begin."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.checks import whole, whole_or_none
from deephyper.errors import EvaluatorError, SettingsError
from deephyper.evaluator.cores import num_cpus
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.output import tail
from deephyper.job import Ended, Job, Notice, Reported, evaluation_seed
from deephyper.optimizer.create import create_optimizer
from deephyper.preflight import MOST_RUNS
from deephyper.preflight.checked import Checked, Printed, Trial
from deephyper.preflight.environment import look_around
from deephyper.problem.size import SpaceSize, size_of
from deephyper.search.budget import DEFAULT_MAX_EVALS
from deephyper.search.log_dir import LogDir
from deephyper.search.search import check_names

if TYPE_CHECKING:
    from deephyper.evaluator import RunFunction
    from deephyper.problem import BaseProblem

_log = logging.getLogger("deephyper.preflight")


def check(
    problem: BaseProblem,
    run: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
    *,
    num_workers: int | None = None,
    max_evals: int = DEFAULT_MAX_EVALS,
    runs: int = MOST_RUNS,
    seed: int | None = None,
    directory: str | Path | None = None,
    on_notice: Callable[[str], None] = _log.warning,
    on_step: Callable[[str], None] = _log.info,
) -> Checked:
    """Evaluate one point up to three times, and say what a search will need and take.

    The point is the first starting point, or that of all defaults. It is evaluated with the seed
    that the first evaluation of a search has, with that seed again, and, if the objectives are
    equal, with another one. After a failure there is no further evaluation. Nothing is written but
    into a temporary directory, which is removed at the end.

    Args:
        problem: the space to search, and its starting points.
        run: the run function, where to find it, or an evaluator.
        num_workers: concurrent evaluations of the search, where ``run`` is no evaluator; None for
            1.
        max_evals: evaluations of the search.
        runs: evaluations to make at most, 1 to 3.
        seed: of the search; None for 0.
        directory: where evaluations have their directories; None for a temporary one.
        on_notice: called with a line for the user; by default it is logged.
        on_step: called with a line on what is done next.

    Raises:
        SettingsError: if an argument is out of its range.
        ProblemError: if the space can't be searched.
        EvaluatorError: if the evaluator has evaluations or keeps records of them, or there is no
            place for its workers.
        RunFunctionError: if the run function can't be loaded.
    """
    runs = whole("runs", runs, 1, MOST_RUNS)
    max_evals = whole("max_evals", max_evals, 1)
    seed = whole_or_none("seed", seed, 0) or 0
    check_names(problem)
    create_optimizer(problem, "random")  # it knows which spaces can't be searched
    starting_points = problem.starting_points
    point = starting_points[0] if starting_points else problem.default_configuration
    with (
        _place(directory) as place,
        _opened(run, num_workers, place) as evaluator,
    ):
        if evaluator.keeps_records:
            raise EvaluatorError(
                f"the {evaluator.method} evaluator keeps records of all evaluations, so none can "
                "be made on trial; check with another evaluator, on a node of the same kind"
            )
        clock = evaluator.clock
        size = size_of(problem)
        notices = _notices(evaluator, max_evals, size)
        for line in notices:
            on_notice(line)
        for line in evaluator.wait_for_workers():
            on_notice(line)
        on_step("loading the run function")
        began = clock.monotonic()
        evaluator.check()
        load_sec = clock.monotonic() - began
        trials: list[Trial] = []
        while len(trials) < runs and _is_worth_another(trials):
            number = len(trials)
            on_step(f"evaluating {_WHICH[number]}")
            job = Job(
                str(number),
                dict(point),
                directory=os.path.join(place.evaluations, str(number)),
                seed=evaluation_seed(seed, "0" if number < 2 else "1"),
            )
            trials.append(_tried(evaluator, job, on_notice))
        return Checked(
            size,
            len(starting_points),
            point,
            evaluator.method,
            evaluator.num_workers,
            load_sec,
            tuple(trials),
            _num_evals(max_evals, size),
            look_around(),
            tuple(notices),
        )


_WHICH = (
    "the point",
    "it again, with the same seed",
    "it once more, with another seed",
)


@contextlib.contextmanager
def _place(directory: str | Path | None) -> Iterator[LogDir]:
    """Give a directory for what evaluations write."""
    if directory is not None:
        yield LogDir(directory)
        return
    with tempfile.TemporaryDirectory(
        prefix="deephyper-check-", ignore_cleanup_errors=True
    ) as temporary:
        yield LogDir(temporary)


@contextlib.contextmanager
def _opened(
    run: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
    num_workers: int | None,
    place: LogDir,
) -> Iterator[Evaluator]:
    """Give the evaluator, which is closed at the end if it was made here."""
    if not isinstance(run, Evaluator):
        with Evaluator.create(run, num_workers=num_workers, output_dir=place.outputs) as evaluator:
            yield evaluator
        return
    if num_workers is not None:
        raise SettingsError(
            "num_workers is given and so is an evaluator, which has its own; leave out num_workers"
        )
    if not run.idle:
        raise EvaluatorError(
            "the evaluator has evaluations already; gather() or cancel() them first, or make "
            "another evaluator"
        )
    try:
        yield run
    finally:
        run.cancel()


def _is_worth_another(trials: list[Trial]) -> bool:
    """Return whether a further evaluation tells anything."""
    if not trials:
        return True
    if not trials[-1].succeeded:
        return False
    return len({trial.outcome.objective for trial in trials}) == 1


def _tried(evaluator: Evaluator, job: Job, on_notice: Callable[[str], None]) -> Trial:
    """Evaluate a point, and return all that came of it."""
    began = evaluator.clock.monotonic()
    evaluator.submit([job])
    steps: list[int] = []
    while True:
        for event in evaluator.gather():
            if isinstance(event, Reported):
                steps.append(event.step)
            elif isinstance(event, Notice):
                on_notice(event.text)
            elif isinstance(event, Ended):
                return Trial(
                    event.outcome,
                    evaluator.clock.monotonic() - began,
                    len(steps),
                    steps[0] if steps else None,
                    steps[-1] if steps else None,
                    _printed(event.outcome.output),
                )


def _printed(output: str | None) -> Printed | None:
    """Return what is in the file of an evaluation; None if it has none here."""
    if output is None:
        return None
    try:
        return Printed(os.path.getsize(output), tail(output))
    except OSError:
        return None


def _num_evals(max_evals: int, size: SpaceSize) -> int:
    """Return how many evaluations a search makes: no more than there are points."""
    if size.num_points is None or not size.exact:
        return max_evals
    return min(max_evals, size.num_points)


def _notices(evaluator: Evaluator, max_evals: int, size: SpaceSize) -> list[str]:
    """Return lines on a small space, and on workers that are idle or in each other's way."""
    lines = []
    workers, cores = evaluator.num_workers, num_cpus()
    evals = _num_evals(max_evals, size)
    if evals < max_evals:
        lines.append(f"the space is exhausted after {evals} of the {max_evals} evaluations")
    if workers > evals:
        lines.append(f"{workers} workers are more than the {evals} evaluations of the search")
    wanted = workers * evaluator.num_cpus_per_task
    if evaluator.on_this_machine and wanted > cores:
        lines.append(
            f"{workers} workers want {wanted} cores, and there are {cores}: evaluations that "
            "compute will take longer side by side than they do here"
        )
    return lines
