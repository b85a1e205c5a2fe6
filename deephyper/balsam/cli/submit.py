"""``deephyper balsam-submit``: a search as a job of a batch scheduler."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.hps import hps
from deephyper.core.cli.option_groups import GroupedCommand, GroupedOption
from deephyper.core.cli.search_options import RAY, given_options, names_of

if TYPE_CHECKING:
    from deephyper.balsam.request import Launch, SearchSpec
    from deephyper.balsam.submission import Submission

# What balsam-submit says in its own way, and what the balsam evaluator does not take.
_OWN = ("problem", "run", "evaluator", "log_dir", "resume")
_LEFT_OUT = (*_OWN, "num_gpus_per_task", *names_of(RAY))
_EVAL_TIMEOUTS = ("--eval-timeout", "--eval-timeout-minutes")
_NEEDED = {"minutes": "-t MINUTES", "queue": "-q QUEUE", "nodes": "-n NODES", "job_mode": "-j MODE"}


def _option(group: str, *names: str, **attributes: Any) -> click.Option:
    return GroupedOption(list(names), group=group, **attributes)


def _parameters() -> list[click.Parameter]:
    task, launch = "What to search", "The scheduler's job"
    mine: list[click.Parameter] = [
        click.Argument(["mode"], type=click.Choice(["hps"])),
        click.Argument(["workflow"]),
        click.Argument(["search"], required=False, type=click.Choice(sorted(hps.commands))),
        _option(task, "--problem", "-p", metavar="WHERE", help="The search space."),
        _option(task, "--run", "-r", metavar="WHERE", help="The function to maximize."),
        _option(
            launch,
            "--time-minutes",
            "-t",
            "minutes",
            type=click.IntRange(min=1),
            metavar="MINUTES",
            help="Wall time.",
        ),
        _option(launch, "--queue", "-q", metavar="QUEUE", help="Queue, or partition."),
        _option(
            launch,
            "--nodes",
            "-n",
            type=click.IntRange(min=1),
            metavar="NODES",
            help="Nodes to search on.",
        ),
        _option(
            launch, "--project", "-A", metavar="PROJECT", help="Project whose allocation pays."
        ),
        _option(
            launch,
            "--job-mode",
            "-j",
            type=click.Choice(["mpi", "serial"]),
            help="mpi: each evaluation has nodes to itself, and so has the search; serial: "
            "evaluations on one rank, several to a node if need be.",
        ),
        _option(
            launch,
            "--resume",
            is_flag=True,
            help="Go on with the search; what isn't given is as it was.",
        ),
        _option(
            launch, "--dry-run", is_flag=True, help="Only show what would be made and submitted."
        ),
    ]
    shared = {p.name: p for command in hps.commands.values() for p in command.params}
    return [*mine, *(p for name, p in shared.items() if name not in _LEFT_OUT)]


def _submit(**values: Any) -> None:
    """Submit a search to a batch scheduler through Balsam.

    MODE is hps. WORKFLOW is a name for the search that no other has. SEARCH is ambs, the default,
    or random. A Balsam database has to be active. What "deephyper hps SEARCH" takes is passed on.
    """
    from deephyper.balsam.request import places
    from deephyper.balsam.submission import Submission

    submission = Submission(values["workflow"], values["resume"])
    spec, launch = _requested(submission, values)
    places(spec, launch)
    if values["resume"]:
        submission.refuse_finished(spec)
    else:
        _check_files(spec)
    with _step("Validating Problem"):
        _check_problem(spec)
    with _step("Validating run"):
        _check_run(spec)
    if values["dry_run"]:
        click.echo(submission.plan(spec, launch))
        click.echo("Nothing was made or submitted.")
        return
    with contextlib.ExitStack() as kept:
        kept.enter_context(submission.transaction())
        with _step("Bootstrapping apps"):
            submission.bootstrap_apps()
        with _step(f"Creating HPS({spec.search.upper()}) BalsamJob"):
            folder = kept.enter_context(submission.search_job(spec, launch))
        click.echo("Performing job submission...")
        description = submission.submit(launch)
    click.echo(f"Submit OK: {description}")
    banner = f"Success. The search will run at: {folder}"
    for line in ("*" * len(banner), banner, "*" * len(banner)):
        click.echo(line)


balsam_submit = GroupedCommand(
    "balsam-submit", params=_parameters(), callback=_submit, help=_submit.__doc__
)


def _requested(submission: Submission, values: dict[str, Any]) -> tuple[SearchSpec, Launch]:
    """What the command line asks for; what it leaves out of a resumed search is as it was."""
    from deephyper.balsam.request import Launch, SearchSpec

    given = {name: values[name] for name in (*_NEEDED, "project") if values[name] is not None}
    task = {n: _absolute(values[n]) for n in ("problem", "run") if values[n] is not None}
    options = _options()
    if values["resume"]:
        spec, launch = submission.previous()
        if values["search"] not in (None, spec.search):
            raise click.UsageError(f"the workflow's search is {spec.search}; leave SEARCH out")
        if "--warm-start" in options:
            raise click.UsageError(
                "--resume goes on with a search and --warm-start begins a new one; give one of them"
            )
        before = dict(spec.options)
        if options.keys() & _EVAL_TIMEOUTS:
            for name in _EVAL_TIMEOUTS:
                before.pop(name, None)
        options = before | options
        spec = dataclasses.replace(spec, options=options, **task)
        return _fitting(spec), dataclasses.replace(launch, **given)
    missing = [f"-{name[0]} {name.upper()}" for name in ("problem", "run") if name not in task]
    missing += [hint for name, hint in _NEEDED.items() if name not in given]
    if missing:
        raise click.UsageError(f"give {', '.join(missing)} too")
    search = values["search"] or "ambs"
    spec = SearchSpec(submission.workflow, search, **task, options=options, folder=os.getcwd())
    return _fitting(spec), Launch(**{"project": "", **given})


def _options() -> dict[str, str]:
    """The options of "deephyper hps" that were given, each with its value."""
    context = click.get_current_context()
    every = [p for command in hps.commands.values() for p in command.params]
    options = given_options(context, [p for p in every if p.name not in _LEFT_OUT])
    if "--warm-start" in options:
        options["--warm-start"] = str(Path(options["--warm-start"]).absolute())
    if "--cache-key" in options:
        options["--cache-key"] = _absolute(options["--cache-key"])
    if len(options.keys() & _EVAL_TIMEOUTS) > 1:
        raise click.UsageError(f"{' and '.join(_EVAL_TIMEOUTS)} say the same; give one of them")
    return options


def _fitting(spec: SearchSpec) -> SearchSpec:
    """Refuse options that the subcommand of "deephyper hps" would refuse."""
    words = [word for option in spec.options.items() for word in option]
    words += ["--problem", spec.problem, "--run", spec.run]
    command = hps.commands[spec.search]
    with command.make_context(f"deephyper hps {spec.search}", words):
        pass
    return spec


def _absolute(where: str) -> str:
    """A file by a path that holds anywhere; a dotted path as it is."""
    path, separator, attribute = where.partition(".py:")
    file = path + ".py" if separator else path
    if separator or where.endswith((".py", ".csv")) or os.sep in where:
        return str(Path(file).absolute()) + (f":{attribute}" if separator else "")
    return where


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    click.echo(f"{what}...", nl=False)
    try:
        yield
    except BaseException:
        click.echo()
        raise
    click.echo("OK")


def _check_files(spec: SearchSpec) -> None:
    """Refuse files that the search would only miss when it has its nodes."""
    from deephyper.search.cache import Cache
    from deephyper.search.results import read_results

    if "--warm-start" in spec.options:
        read_results(Path(spec.options["--warm-start"]))
    Cache(spec.options.get("--cache-key", "uuid"))


def _check_problem(spec: SearchSpec) -> None:
    from deephyper.loading import load_object
    from deephyper.problem.problem import require_problem

    require_problem(load_object(spec.problem, "Problem"), spec.problem)


def _check_run(spec: SearchSpec) -> None:
    from deephyper.balsam.evaluation import makes_jobs
    from deephyper.evaluator import RunFunction

    makes_jobs(RunFunction.of(spec.run).dumps())
