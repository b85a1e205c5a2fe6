"""``deephyper hps``: hyperparameter search with the options of the command line."""

from __future__ import annotations

import contextlib
import importlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from deephyper.core.cli.option_groups import GroupedCommand
from deephyper.core.cli.search_options import (
    ANY_SEARCH,
    BALSAM,
    OPTIMIZER,
    RAY,
    names_of,
    with_options,
)
from deephyper.errors import ProblemError

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.problem import HpProblem
    from deephyper.search.search import Search


@click.group("hps", no_args_is_help=False)
def hps() -> None:
    """Search for the hyperparameters that maximize a run function."""


@hps.command("ambs", cls=GroupedCommand)
@with_options([*ANY_SEARCH, *OPTIMIZER])
def ambs(
    surrogate_model: str | None,
    acq_func: str,
    liar_strategy: str,
    kappa: float,
    xi: float,
    n_jobs: int,
    **options: Any,
) -> int:
    """Asynchronous model-based search: each finished evaluation improves the next point."""
    from deephyper.search.hps.settings import AmbsSettings

    settings = AmbsSettings(
        surrogate_model=surrogate_model,
        acq_func=acq_func,
        liar_strategy=liar_strategy,
        kappa=kappa,
        xi=xi,
        n_jobs=n_jobs,
    )
    return _search("deephyper.search.hps.ambs:AMBS", options, settings=settings)


@hps.command("random", cls=GroupedCommand)
@with_options(ANY_SEARCH)
def random(**options: Any) -> int:
    """Random search: points are drawn independently; the yardstick for any other search."""
    return _search("deephyper.search.hps.random:RandomSearch", options)


def _search(search_class: str, options: dict[str, Any], **arguments: Any) -> int:
    """Make problem, evaluator and search from the options, run, and say what came of it."""
    from deephyper.core.cli.progress import Progress
    from deephyper.core.cli.summary import exit_status, summary
    from deephyper.evaluator import load_object

    log_dir = _log_dir(options)
    eval_timeout = _eval_timeout(options)
    problem = _as_problem(load_object(options["problem"], "Problem"), options["problem"])
    module, _, name = search_class.partition(":")
    search_type: type[Search] = getattr(importlib.import_module(module), name)
    with (
        _evaluator(options, eval_timeout, log_dir) as evaluator,
        Progress(*_begun(options, log_dir)) as progress,
    ):
        search = search_type(
            problem,
            evaluator,
            log_dir=log_dir,
            seed=options["seed"],
            resume=options["resume"] is not None,
            warm_start=options["warm_start"],
            max_failures=options["max_failures"],
            retries=options["retries"],
            cache_key=options["cache_key"],
            grace=options["grace"],
            on_outcome=progress.show,
            on_notice=progress.notice,
            **arguments,
        )
        result = search.search(max_evals=options["max_evals"], timeout=options["timeout"])
    command = f"{click.get_current_context().command_path} --resume {{}}"
    again = shlex.join(["--problem", options["problem"], "--run", options["run"]])
    with contextlib.suppress(BrokenPipeError):
        for line in summary(result, f"{command} {again}"):
            click.echo(line)
    return exit_status(result)


def _log_dir(options: dict[str, Any]) -> str:
    if options["resume"] is None:
        return str(options["log_dir"])
    if options["warm_start"] is not None:
        raise click.UsageError(
            "--resume goes on with a search and --warm-start begins a new one; give one of them"
        )
    given = click.get_current_context().get_parameter_source("log_dir")
    if given is ParameterSource.COMMANDLINE and not _same(options["log_dir"], options["resume"]):
        raise click.UsageError(
            "--resume names the log directory itself; leave --log-dir out, or use --warm-start "
            "to begin a new search from old results"
        )
    return str(options["resume"])


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _eval_timeout(options: dict[str, Any]) -> float | None:
    seconds, minutes = options["eval_timeout"], options["eval_timeout_minutes"]
    if seconds is not None and minutes is not None:
        raise click.UsageError(
            "--eval-timeout and --eval-timeout-minutes say the same; give one of them"
        )
    return seconds if minutes is None else 60 * minutes


def _as_problem(found: Any, where: str) -> HpProblem:
    from deephyper.problem import HpProblem

    if isinstance(found, HpProblem):
        return found
    what = f"the class {found.__name__}" if isinstance(found, type) else f"a {_type_name(found)}"
    raise ProblemError(
        f"'{where}' is {what}, not a problem; name an HpProblem, as in: Problem = HpProblem()"
    )


def _type_name(value: Any) -> str:
    return type(value).__name__


def _evaluator(options: dict[str, Any], timeout: float | None, log_dir: str) -> Evaluator:
    from deephyper.evaluator import Evaluator
    from deephyper.search.search import OUTPUT_NAME

    # Only what was given: an evaluator refuses options that aren't its own.
    own = {n: options[n] for n in names_of([*RAY, *BALSAM]) if options[n] is not None}
    return Evaluator.create(
        options["run"],
        method=options["evaluator"],
        num_workers=options["num_workers"],
        num_cpus_per_task=options["num_cpus_per_task"],
        num_gpus_per_task=options["num_gpus_per_task"],
        timeout=timeout,
        output_dir=Path(log_dir, OUTPUT_NAME),
        **own,
    )


def _begun(options: dict[str, Any], log_dir: str) -> tuple[int | None, int, float | None]:
    """What progress counts to and from: evaluations in all, those made before, their best."""
    from deephyper.search.budget import DEFAULT_MAX_EVALS
    from deephyper.search.journal import read_journal

    max_evals: int | None = options["max_evals"]
    if options["resume"] is None:
        if max_evals is None and options["timeout"] is None:
            max_evals = DEFAULT_MAX_EVALS
        return max_evals, 0, None
    record = read_journal(Path(log_dir))
    outcomes = [evaluation.outcome for evaluation in record.ended]
    objectives = [o.objective for o in outcomes if o is not None and o.objective is not None]
    max_evals = record.max_evals if max_evals is None else max_evals
    return max_evals, len(outcomes), max(objectives, default=None)
