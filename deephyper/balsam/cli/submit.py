"""``deephyper balsam-submit``: a search as a job of a batch scheduler."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.command import LAST, START
from deephyper.core.cli import offers
from deephyper.core.cli.given_space import SPACE_FLAGS, check_given_once, given_space, has_space
from deephyper.core.cli.hps import hps
from deephyper.core.cli.nas import nas
from deephyper.core.cli.option_groups import GroupedOption, Whole
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS
from deephyper.core.cli.program_words import ProgramCommand
from deephyper.core.cli.search_file import DIRECTORY
from deephyper.core.cli.search_options import given_options
from deephyper.core.cli.searches import searches_of
from deephyper.loading import names_program
from deephyper.nas.run_function import RUN, complete_setup

if TYPE_CHECKING:
    from deephyper.balsam.submission.request import Launch
    from deephyper.balsam.submission.submission import Submission
    from deephyper.hpc.spec import SearchSpec
    from deephyper.problem import BaseProblem

SEARCHES = {"hps": searches_of(hps), "nas": searches_of(nas)}
"""The searches that can be submitted, by their names, of each command of ``deephyper``."""
_DEFAULT_RUNS = {"nas": RUN}
"""The run functions of those that need not be given one."""
DEFAULT_SEARCH = "ambs"

# Options of a search that balsam-submit has in a form of its own, or that don't suit Balsam.
_OWN = (
    *("config", "problem", "run", "evaluator", "log_dir", "resume", "num_gpus_per_task"),
    *("quiet", "verbose"),
)
_OTHERS = {n for n in EVALUATOR_OPTIONS.names if "balsam" not in EVALUATOR_OPTIONS.owners(n)}
_EVAL_TIMEOUTS = ("--eval-timeout", "--eval-timeout-minutes")
_REQUIRED = {
    "minutes": "-t MINUTES",
    "queue": "-q QUEUE",
    "nodes": "-n NODES",
    "job_mode": "-j MODE",
}


def _option(group: str, *names: str, **attributes: Any) -> click.Option:
    return GroupedOption(list(names), group=group, **attributes)


def _parameters() -> list[click.Parameter]:
    task, launch = "What to search", "The scheduler's job"
    config = next(each for each in hps.commands["random"].params if each.name == "config")
    where = {"metavar": "WHERE", "shell_complete": offers.where}
    own: list[click.Parameter] = [
        click.Argument(["mode"], type=click.Choice(list(SEARCHES))),
        click.Argument(["workflow"]),
        click.Argument(["search"], required=False),
        config,
        _option(task, "--problem", "-p", help="The search space.", **where),
        _option(task, "--run", "-r", help="The function to maximize.", **where),
        _option(
            launch,
            "--time-minutes",
            "-t",
            "minutes",
            type=Whole(min=1),
            metavar="MINUTES",
            help="Wall time.",
        ),
        _option(launch, "--queue", "-q", metavar="QUEUE", help="Queue, or partition."),
        _option(
            launch,
            "--nodes",
            "-n",
            type=Whole(min=1),
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
            "evaluations have one rank, and several can share a node.",
        ),
        _option(
            launch,
            "--resume",
            is_flag=True,
            help="Resume the search; options that aren't given stay as they were.",
        ),
        _option(
            launch, "--dry-run", is_flag=True, help="Only show what would be made and submitted."
        ),
    ]
    shared = {option.name: option for option in _search_options()}
    return [*own, *shared.values()]


def _search_options() -> list[click.Option]:
    """Return the options of the searches that are passed on to them as they are."""
    left_out = {*_OWN, *_OTHERS}
    return [
        option
        for searches in SEARCHES.values()
        for command in searches.values()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and option.name not in left_out
    ]


def _submit(
    mode: str, workflow: str, search: str | None, resume: bool, dry_run: bool, **values: Any
) -> None:
    """Submit a search to a batch scheduler through Balsam.

    MODE is hps or nas. WORKFLOW is a unique name for the search. SEARCH is ambs, the default,
    regevo or random; it may come before WORKFLOW. A Balsam database must be active. The options of
    "deephyper MODE SEARCH" are passed on.
    """
    workflow, search = in_order(mode, workflow, search)
    from deephyper.balsam.submission.request import check_request
    from deephyper.balsam.submission.submission import Submission

    submission = Submission(workflow, resume)
    if resume:
        spec, launch = _resumed(submission, mode, search, values)
    else:
        spec, launch = _new(workflow, (mode, search or DEFAULT_SEARCH), values)
    _check_options(spec)
    check_request(spec, launch)
    if resume:
        submission.require_unfinished(spec)
    else:
        _check_files(spec)
    with _step("Validating Problem"):
        problem = _problem(spec)
    with _step("Validating run"):
        _check_run(spec, problem)
    if dry_run:
        click.echo(submission.plan(spec, launch))
        click.echo("Nothing was made or submitted.")
        return
    with contextlib.ExitStack() as kept:
        kept.enter_context(submission.transaction())
        with _step("Bootstrapping apps"):
            submission.bootstrap_apps()
        with _step(f"Creating {mode.upper()}({spec.command[-1].upper()}) BalsamJob"):
            directory = kept.enter_context(submission.search_job(spec, launch))
        click.echo("Performing job submission...")
        description = submission.submit(launch)
    click.echo(f"Submit OK: {description}")
    banner = f"Success. The search will run at: {directory}"
    for line in ("*" * len(banner), banner, "*" * len(banner)):
        click.echo(line)


balsam_submit = ProgramCommand(
    "balsam-submit", params=_parameters(), callback=_submit, help=_submit.__doc__
)


def in_order(mode: str, first: str, second: str | None) -> tuple[str, str | None]:
    """Return workflow and search, in whichever order they were given."""
    searches = list(SEARCHES[mode])
    words = (first, second)
    if first in searches and second is not None:
        words = (second, first)
    workflow, search = words
    if workflow in searches:
        raise click.UsageError(
            f"'{workflow}' is a search; give a name for the workflow too: {mode} {first} WORKFLOW"
        )
    if search is not None and search not in searches:
        raise click.UsageError(f"'{search}' is not one of {', '.join(searches)}")
    return str(workflow), search


def _new(
    workflow: str, command: tuple[str, ...], values: dict[str, Any]
) -> tuple[SearchSpec, Launch]:
    """Return what the command line asks for."""
    from deephyper.balsam.submission.request import Launch
    from deephyper.hpc.spec import SearchSpec

    check_given_once(values)
    values["run"] = values["run"] or _DEFAULT_RUNS.get(command[0])
    task = ("run",) if has_space(values) else ("problem", "run")
    missing = [f"-{name[0]} {name.upper()}" for name in task if not values[name]]
    missing += [hint for name, hint in _REQUIRED.items() if values[name] is None]
    if missing:
        raise click.UsageError(f"give {', '.join(missing)} too")
    spec = SearchSpec(
        workflow,
        command,
        _absolute(values["problem"] or ""),
        _absolute(values["run"]),
        options=_with_workdir(_options(), values["run"]),
        directory=_directory(),
    )
    launch = Launch(**{name: values[name] for name in _REQUIRED}, project=values["project"] or "")
    return spec, launch


def _resumed(
    submission: Submission, mode: str, search: str | None, values: dict[str, Any]
) -> tuple[SearchSpec, Launch]:
    """Return what was asked for before, with the changes that the command line asks for."""
    spec, launch = submission.previous()
    command = (mode, search or spec.command[-1])
    if command != spec.command:
        raise click.UsageError(
            f"the workflow's search is {' '.join(spec.command)}; leave out SEARCH"
        )
    options = _options()
    if "--warm-start" in options:
        raise click.UsageError(
            "--resume continues a search and --warm-start begins a new one; give one of them"
        )
    check_given_once(values)
    before, problem = dict(spec.options), spec.problem
    if values["problem"]:
        problem = _absolute(values["problem"])
        for name in SPACE_FLAGS:
            before.pop(name, None)
    elif has_space(values):
        problem = ""
    if options.keys() & _EVAL_TIMEOUTS:
        for name in _EVAL_TIMEOUTS:
            before.pop(name, None)
    spec = dataclasses.replace(
        spec,
        problem=problem,
        run=_absolute(values["run"]) if values["run"] else spec.run,
        options=before | options,
    )
    given = {name: values[name] for name in (*_REQUIRED, "project") if values[name] is not None}
    return spec, dataclasses.replace(launch, **given)


def _options() -> dict[str, str]:
    """Return the options of the search that were given, each with its value."""
    options = given_options(click.get_current_context(), _search_options())
    if "--warm-start" in options:
        options["--warm-start"] = str(Path(options["--warm-start"]).absolute())
    if "--space" in options:
        options["--space"] = str(Path(options["--space"]).absolute())
    if "--cache-key" in options:
        options["--cache-key"] = _absolute(options["--cache-key"])
    if len(options.keys() & _EVAL_TIMEOUTS) > 1:
        raise click.UsageError(
            f"{' and '.join(_EVAL_TIMEOUTS)} are the same limit; give one of them"
        )
    return options


def _with_workdir(options: dict[str, str], run: str) -> dict[str, str]:
    """Return options with the directory for a program, as the search starts in another one."""
    if names_program(run) and options.get("--workdir", START) == START:
        return {**options, "--workdir": _directory()}
    return options


def _directory() -> str:
    """Return where modules and programs are found that the command line names."""
    directory: str = click.get_current_context().meta.get(DIRECTORY) or os.getcwd()
    return directory


def _check_options(spec: SearchSpec) -> None:
    """Check the options as the search's own command will."""
    words = [word for option in spec.options.items() for word in option]
    if spec.problem:
        words += ["--problem", spec.problem]
    words += ["--run", spec.run]
    group, name = spec.command
    with SEARCHES[group][name].make_context(f"deephyper {group} {name}", words):
        pass


def _absolute(where: str) -> str:
    """Return a file as a path that holds in any directory; a dotted path or a program as it is."""
    if names_program(where):
        return where
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
    """Check files that the search would otherwise only miss once it has its nodes."""
    from deephyper.evaluator.cache import Cache
    from deephyper.search.results import read_results

    if "--warm-start" in spec.options:
        read_results(Path(spec.options["--warm-start"]))
    Cache(spec.options.get("--cache-key", "uuid"))


def _problem(spec: SearchSpec) -> BaseProblem:
    definitions = spec.options.get("--param")
    given = given_space(
        {
            "problem": spec.problem or None,
            "space": spec.options.get("--space"),
            "param": () if definitions is None else (definitions,),
        }
    )
    return given.problem


def _check_run(spec: SearchSpec, problem: BaseProblem) -> None:
    from deephyper.balsam.run_check import specifies_jobs
    from deephyper.core.cli.program import read_command
    from deephyper.evaluator import RunFunction

    if names_program(spec.run):
        options = spec.options
        read_command(
            spec.run,
            problem.hyperparameter_names,
            options.get("--objective", LAST),
            options.get("--workdir", START),
        ).check_program()
        return
    if spec.run == RUN:
        complete_setup(problem)
    specifies_jobs(RunFunction.of(spec.run))
