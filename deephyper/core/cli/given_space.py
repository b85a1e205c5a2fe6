"""The search space of a command line: a problem in Python, a file, or definitions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.option_groups import GroupedOption
from deephyper.errors import DeepHyperError, ProblemError
from deephyper.loading import PROGRAM
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.objective import Direction
    from deephyper.problem import BaseProblem

SPACE_FLAGS = ("--space", "--param")
"""The options that stand in place of --problem."""


class ProblemOption(GroupedOption):
    """The option --problem, which may be left out where --space or --param is given."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        # Options that are given are processed before those that are not.
        missing = self.value_is_missing(value) and not has_space(ctx.params)
        if missing and not ctx.resilient_parsing:
            raise click.MissingParameter(
                "Give it, or --space FILE, or -P NAME=DOMAIN", ctx=ctx, param=self
            )
        return super().process_value(ctx, value)


class RunOption(GroupedOption):
    """The option --run, which may be left out where the file of --space may name a program."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        # What click holds in place of options that are not given yet is not None.
        missing = self.value_is_missing(value) and not isinstance(ctx.params.get("space"), Path)
        if missing and not ctx.resilient_parsing:
            raise click.MissingParameter("Give it, or a program after --", ctx=ctx, param=self)
        return super().process_value(ctx, value)


@dataclass(frozen=True)
class GivenSpace:
    """A search space, and what else its file says.

    Attributes:
        problem: the space.
        direction: of the search, if the file says it.
        notices: lines for the user on what the file says and this search doesn't do.
        program: what the file has evaluated, as the value of --run; empty if it doesn't say it.
        no_program: why that can't be done, although the file says it.
        file: the file; empty without one.
    """

    problem: BaseProblem
    direction: Direction | None = None
    notices: tuple[str, ...] = ()
    program: str = ""
    no_program: str = ""
    file: str = ""


def has_space(options: Mapping[str, Any]) -> bool:
    """Return whether a space is given by a file or by definitions."""
    return options.get("space") is not None or bool(options.get("param"))


def given_space(options: Mapping[str, Any]) -> GivenSpace:
    """Return the search space of a command line.

    Raises:
        LoadError: if the problem isn't there, or importing it fails.
        ProblemError: if it is something else, or the file can't be used.
        click.UsageError: if it is given twice.
    """
    if not has_space(options):
        return GivenSpace(load_problem(options["problem"]))
    check_given_once(options)
    from deephyper.space_file import read_space

    read = read_space(options["space"], options["param"])
    command = "" if read.command is None else PROGRAM + shlex.join(read.command)
    return GivenSpace(
        read.problem,
        read.direction,
        read.notices,
        command,
        read.no_command,
        str(options["space"] or ""),
    )


def program_of(space: GivenSpace) -> str:
    """Return the program that a file has evaluated, as the value of --run.

    Raises:
        ProblemError: if what it says can't be done.
        click.UsageError: if it says none.
    """
    if space.no_program:
        raise ProblemError(space.no_program)
    if not space.program:
        raise click.UsageError(
            f"the file of the space, '{printable(space.file)}', names no program; give --run, or a "
            "program after --"
        )
    return space.program


def check_given_once(options: Mapping[str, Any]) -> None:
    """Check that a problem is not given beside a file or definitions.

    Raises:
        click.UsageError: if it is.
    """
    if options.get("problem") is not None and has_space(options):
        flag = "--param" if options.get("space") is None else "--space"
        raise click.UsageError(f"--problem and {flag} both give the search space; give one of them")


def load_problem(where: str) -> BaseProblem:
    """Return the problem that a command line names.

    Raises:
        LoadError: if it isn't there, or importing it fails.
        ProblemError: if it is something else.
    """
    from deephyper.loading import load_object
    from deephyper.problem.problem import require_problem

    try:
        return require_problem(load_object(where, "Problem"), where)
    except DeepHyperError as error:
        if where.lower().endswith((".yaml", ".yml", ".json", ".toml")):
            raise ProblemError(
                f"'{where}' is not a Python file; give a file of a search space by --space"
            ) from error
        raise
