"""The evaluated side of a command line: a run function, a program behind ``--``, or a training."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from deephyper.core.cli.given_space import load_problem
from deephyper.core.cli.search_file import DIRECTORY
from deephyper.errors import MissingPackage
from deephyper.loading import PROGRAM, names_program
from deephyper.nas.run_function import RUN, Training, complete_setup
from deephyper.objective import Direction
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.command import Command
    from deephyper.problem import BaseProblem

_HERE = ("process", "thread", "subprocess")
"""Evaluators whose programs run on this machine, so that they can be looked for."""


def run_of(
    options: Mapping[str, Any],
    names: Collection[str],
    examples: Mapping[str, Iterable[Any]] | None = None,
    direction: Direction = "maximize",
) -> str | Command | Training:
    """Return what is evaluated: the run function that is named, the program, or the training.

    Args:
        options: of the command line.
        names: of the hyperparameters.
        examples: values of them, which the program's command line has to show; None for any.
        direction: of the search.

    Raises:
        SettingsError: if the program isn't there, or its command line can't be used.
        ProblemError: if networks are to be trained and the problem has none, or isn't complete.
        MissingPackage: if they are to be trained here, and Keras isn't installed.
        click.UsageError: if options of a program are given without one.
    """
    run: str = options["run"]
    context = click.get_current_context()
    if not names_program(run):
        for name in ("objective", "workdir"):
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(
                    f"--{name} is for a program, and {run} is a function; write the program at "
                    "the end, after --"
                )
        kept = options.get("keep_models")
        if run == RUN:
            _check_training(options["problem"], here=options["evaluator"] in _HERE)
            return Training(options["problem"], kept != "none", direction == "minimize")
        if kept is not None:
            raise click.UsageError(f"--keep-models is for {RUN}, and {run} keeps what it wants")
        return run
    directory = context.meta.get(DIRECTORY)
    command = read_command(run, names, options["objective"], options["workdir"], directory)
    command.check_formats(examples or {})
    num_workers = options["num_workers"] or 1
    if command.shared_file and num_workers > 1:
        raise click.UsageError(
            f"--objective {printable(options['objective'])} is one file for all evaluations, of "
            f"which {num_workers} run at the same time; give each its own, as in "
            f"'json:{{dir}}/{printable(os.path.basename(command.shared_file))}'"
        )
    if options["evaluator"] in _HERE:
        command.check_program()
    return command


def _check_training(problem: str | None, *, here: bool) -> None:
    """Check that a problem has networks that can be trained; workers load it by its name.

    Args:
        problem: where it is.
        here: whether workers have the packages of this machine.
    """
    if problem is None:
        raise click.UsageError(
            f"{RUN} trains the networks of an NaProblem; give --problem, or another --run"
        )
    complete_setup(load_problem(problem))
    if here and find_spec("keras") is None:
        raise MissingPackage("Keras", "tensorflow")


def read_command(
    run: str,
    names: Collection[str],
    objective: str,
    workdir: str,
    directory: str | None = None,
) -> Command:
    """Return the program that a command line names; see :class:`.Command`.

    Raises:
        SettingsError: if its command line can't be used.
    """
    from deephyper.command import Command

    words = shlex.split(run.removeprefix(PROGRAM))
    return Command(words, names, objective=objective, workdir=workdir, directory=directory)


def examples_of(problem: BaseProblem) -> dict[str, Sequence[Any]]:
    """Return all values of each hyperparameter that has a list of them, and one of the others."""
    from deephyper.problem.domain import Choices

    return {
        name: domain.values if isinstance(domain, Choices) else [domain.accept(domain.lower)]
        for name, domain in problem.domains.items()
    }


def notice_of_unused(run: str | Command | Training) -> str | None:
    """Return a line for the user on hyperparameters that the command line doesn't have."""
    unused = [] if isinstance(run, (str, Training)) else run.unused
    if not unused:
        return None
    few = ", ".join(f"{{{name}}}" for name in unused[:8]) + (", ..." if len(unused) > 8 else "")
    return (
        f"the command doesn't have {few}, which the program finds in DEEPHYPER_POINT alone; "
        "{args} stands for all hyperparameters"
    )
