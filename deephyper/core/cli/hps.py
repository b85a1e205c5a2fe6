"""``deephyper hps``: hyperparameter search with the options of the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.exit_status import DONE, GAVE_UP
from deephyper.core.cli.option_groups import GroupedCommand
from deephyper.core.cli.search_options import ANY_SEARCH, OPTIMIZER, with_options

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.problem import BaseProblem
    from deephyper.search.search import SearchResult


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
    import importlib

    from deephyper.core.cli.progress import Progress
    from deephyper.evaluator import load_object

    log_dir = _log_dir(options)
    problem = _as_problem(load_object(options["problem"], "Problem"), options["problem"])
    module, _, name = search_class.partition(":")
    search_type = getattr(importlib.import_module(module), name)
    with _evaluator(options, log_dir) as evaluator, Progress(options["max_evals"]) as progress:
        optional = {} if options["grace"] is None else {"grace": options["grace"]}
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
            on_outcome=progress.show,
            **optional,
            **arguments,
        )
        result = search.search(max_evals=options["max_evals"], timeout=options["timeout"])
    _report(result)
    return _exit_status(result)


def _log_dir(options: dict[str, Any]) -> str:
    if options["resume"] is None:
        return str(options["log_dir"])
    if options["warm_start"] is not None:
        raise click.UsageError(
            "--resume goes on with a search and --warm-start begins a new one; give one of them"
        )
    context = click.get_current_context()
    given = context.get_parameter_source("log_dir") is click.core.ParameterSource.COMMANDLINE
    if given and Path(options["log_dir"]).resolve() != Path(options["resume"]).resolve():
        raise click.UsageError(
            "--resume names the log directory itself; leave --log-dir out, or use --warm-start "
            "to begin a new search from old results"
        )
    return str(options["resume"])


def _as_problem(found: Any, where: str) -> BaseProblem:
    from deephyper.errors import ProblemError
    from deephyper.problem import BaseProblem

    if isinstance(found, BaseProblem):
        return found
    if isinstance(found, type):
        what = f"the class {found.__name__}"
    else:
        what = f"a {type(found).__name__}"
    raise ProblemError(
        f"'{where}' is {what}, not a problem; name an HpProblem, as in: Problem = HpProblem()"
    )


def _evaluator(options: dict[str, Any], log_dir: str) -> Evaluator:
    from deephyper.evaluator import Evaluator

    minutes = options["eval_timeout_minutes"]
    if minutes is not None and options["eval_timeout"] is not None:
        raise click.UsageError(
            "--eval-timeout and --eval-timeout-minutes say the same; give one of them"
        )
    # Only what was given: an evaluator refuses options that aren't its own.
    names = ("ray_address", "ray_password", "driver_num_cpus", "driver_num_gpus")
    own = {name: options[name] for name in names if options[name] is not None}
    return Evaluator.create(
        options["run"],
        method=options["evaluator"],
        num_workers=options["num_workers"],
        num_cpus_per_task=options["num_cpus_per_task"],
        num_gpus_per_task=options["num_gpus_per_task"],
        timeout=options["eval_timeout"] if minutes is None else 60 * minutes,
        output_dir=os.path.join(log_dir, "output"),
        **own,
    )


def _report(result: SearchResult) -> None:
    from deephyper.core.cli.progress import format_value
    from deephyper.search.results import shell_path

    failed = f", {result.num_failures} of them failed" if result.num_failures else ""
    click.echo(f"Search ended: {result.reason}; {result.num_evaluations} evaluations{failed}.")
    if result.best is None:
        click.echo("No evaluation has succeeded yet.")
    else:
        click.echo(f"Best objective: {format_value(result.best.objective)}")
        for name, value in result.best.job.point.items():
            click.echo(f"    {name}: {format_value(value)}")


def _exit_status(result: SearchResult) -> int:
    if result.interrupted is not None:
        return 128 + result.interrupted
    return DONE
