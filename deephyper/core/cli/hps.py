"""``deephyper hps``: hyperparameter search with the options of the command line."""

from __future__ import annotations

import contextlib
import importlib
import math
import shlex
import signal
from itertools import chain
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
    given_options,
    names_of,
    with_options,
)

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.search.journal import Record
    from deephyper.search.result import SearchResult
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
    from deephyper.optimizer.settings import AmbsSettings

    settings = AmbsSettings(
        surrogate_model=surrogate_model,
        acq_func=acq_func,
        liar_strategy=liar_strategy,
        kappa=kappa,
        xi=xi,
        n_jobs=n_jobs,
    )
    notice = _unused_settings()
    return _search("deephyper.search.hps.ambs:AMBS", options, notice, settings=settings)


@hps.command("random", cls=GroupedCommand)
@with_options(ANY_SEARCH)
def random(**options: Any) -> int:
    """Random search: points are drawn independently; the yardstick for any other search."""
    return _search("deephyper.search.hps.random:RandomSearch", options)


def _search(
    search_class: str, options: dict[str, Any], notice: str | None = None, **arguments: Any
) -> int:
    """Make problem, evaluator and search from the options, run, and say what came of it."""
    from deephyper.core.cli.progress import Progress
    from deephyper.core.cli.summary import exit_status, summary
    from deephyper.loading import load_object
    from deephyper.problem.problem import require_problem
    from deephyper.search.beginning import look_into

    log_dir = _log_dir(options)
    eval_timeout = _eval_timeout(options)
    _refuse_what_cannot_be_meant(options)
    problem: Any = require_problem(load_object(options["problem"], "Problem"), options["problem"])
    module, _, name = search_class.partition(":")
    search_type: type[Search] = getattr(importlib.import_module(module), name)
    # Before an evaluator is made, which may start a cluster.
    record = look_into(Path(log_dir).absolute(), problem, options["resume"] is not None)
    with (
        _evaluator(options, eval_timeout, log_dir) as evaluator,
        Progress(*_begun(options, record)) as progress,
    ):
        if notice:
            progress.notice(notice)
        search = search_type(
            problem,
            evaluator,
            log_dir=log_dir,
            seed=options["seed"],
            resume=record or False,
            warm_start=options["warm_start"],
            max_failures=options["max_failures"],
            retries=options["retries"],
            cache_key=options["cache_key"],
            grace=options["grace"],
            sigterm_grace=options["sigterm_grace"],
            on_outcome=progress.show,
            on_notice=progress.notice,
            **arguments,
        )
        result = search.search(max_evals=options["max_evals"], timeout=options["timeout"])
        if result.signal is not None:
            _ignore_repeated_signals(options["batch"])
    limit = options["timeout"] if record is None else options["timeout"] or record.timeout
    with contextlib.suppress(BrokenPipeError):
        for line in summary(result, _resume_command(result, limit, options["resume_command"])):
            click.echo(line)
    return exit_status(result)


def _ignore_repeated_signals(batch: bool) -> None:
    """Let a search that has ended say so, though a scheduler sends SIGTERM several times.

    Ctrl-C comes from a person, and ends what is left; not so in a batch job.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if batch:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _resume_command(result: SearchResult, timeout: float | None, command: str | None) -> str:
    """Return how to resume, with ``{}`` where the log directory belongs."""
    longer: dict[str, str] = {}
    if result.reason == "timeout" and timeout is not None:
        # More than was used, the grace included; else it would end again at once.
        longer["--timeout"] = str(math.ceil(timeout + max(timeout, result.seconds)))
    if command is not None:
        words = " ".join([command, *chain(*longer.items())])
        return words.replace("{", "{{").replace("}", "}}")
    context = click.get_current_context()
    given = given_options(context, context.command.params) | longer
    for name in ("--log-dir", "--resume", "--warm-start"):
        given.pop(name, None)
    if "--ray-password" in given:
        given["--ray-password"] = "PASSWORD"
    words = shlex.join(chain(*given.items()))
    return f"{context.command_path} --resume {{}} {words.replace('{', '{{').replace('}', '}}')}"


def _unused_settings() -> str | None:
    """A line on settings of scikit-optimize that were given where it isn't used."""
    context = click.get_current_context()
    given = given_options(context, context.command.params)
    own = {f"--{name.replace('_', '-')}" for name in names_of(OPTIMIZER)}
    unused = [name for name in given if name in own and name != "--surrogate-model"]
    if not unused or "--surrogate-model" in given:
        return None
    return f"without --surrogate-model nothing comes of {', '.join(unused)}"


def _refuse_what_cannot_be_meant(options: dict[str, Any]) -> None:
    for name in ("problem", "run"):
        if options[name].partition("::")[0].endswith(".ipynb"):
            raise click.UsageError(
                f"--{name} can't name a notebook; save its code in a .py file and name that"
            )
    for method, group in (("ray", RAY), ("balsam", BALSAM)):
        for name in names_of(group):
            if options[name] is not None and options["evaluator"] != method:
                raise click.UsageError(
                    f"--{name.replace('_', '-')} is an option of {method}; use --evaluator {method}"
                )


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


def _begun(options: dict[str, Any], record: Record | None) -> tuple[int | None, int, float | None]:
    """What progress counts to and from: evaluations in all, those made before, their best."""
    from deephyper.search.budget import DEFAULT_MAX_EVALS

    max_evals: int | None = options["max_evals"]
    if record is None:
        if max_evals is None and options["timeout"] is None:
            max_evals = DEFAULT_MAX_EVALS
        return max_evals, 0, None
    outcomes = [evaluation.outcome for evaluation in record.ended]
    objectives = [o.objective for o in outcomes if o is not None and o.objective is not None]
    max_evals = record.max_evals if max_evals is None else max_evals
    return max_evals, len(outcomes), max(objectives, default=None)
