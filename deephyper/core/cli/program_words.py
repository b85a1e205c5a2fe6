"""Command lines that end in a program: ``deephyper hps ambs ... -- PROGRAM ARGUMENT...``.

To everything behind the command line it is the value of ``--run``, so that it is kept, resumed and
submitted as a run function is.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.offers import paths
from deephyper.core.cli.option_groups import GroupedCommand
from deephyper.loading import PROGRAM, names_program
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.core.cli.offers import Offers

_SEPARATOR = "--"
_IN_PROGRAM = f"{__name__}.in_program"
"""Key of a click context's ``meta``: whether what is completed belongs to a program."""


class ProgramCommand(GroupedCommand):
    """A command that takes a program in place of ``--run``."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- PROGRAM ARGUMENT...]"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # for a shell that completes it; nothing is looked up
            ctx.meta[_IN_PROGRAM] = _SEPARATOR in args
            return super().parse_args(ctx, args)
        args = with_program(args)
        given, left, _ = self.make_parser(ctx).parse_args(list(args))
        if left and given.get("run") is None:
            raise click.UsageError(
                f"the argument '{printable(left[0])}' is unexpected; a program is written at the "
                f"end, after --: -- {printable(shlex.join(left))}",
                ctx,
            )
        if given.get("config") is not None and not given.get("help"):
            from deephyper.core.cli.search_file import words_of_file

            args = [*words_of_file(ctx, given), *args]
            given, _, _ = self.make_parser(ctx).parse_args(list(args))
        return super().parse_args(ctx, [*self.left_out(ctx, given), *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Offers:
        if ctx.meta.get(_IN_PROGRAM):
            return paths(incomplete)
        return super().shell_complete(ctx, incomplete)

    def left_out(self, ctx: click.Context, given: Mapping[str, Any]) -> list[str]:
        """Return options that are added to those given, by parameter."""
        return []


def with_program(args: list[str]) -> list[str]:
    """Return a command line with the program as the value of ``--run``.

    Raises:
        click.UsageError: if nothing stands behind the separator, or a run function is named too.
    """
    if _SEPARATOR not in args:
        return args
    place = args.index(_SEPARATOR)
    options, words = args[:place], args[place + 1 :]
    if not words:
        raise click.UsageError("no program stands after --; write it there, and what it is given")
    if any(word in ("-r", "--run") or word.startswith("--run=") for word in options):
        raise click.UsageError("--run names a function, and a program stands after --; give one")
    return [*options, "--run", PROGRAM + shlex.join(words)]


def shown(words: Sequence[str]) -> str:
    """Return the words of a command line for a shell, the program at the end."""
    options, programs = list(words), [word for word in words if names_program(word)]
    for program in programs:
        place = options.index(program)
        del options[place - 1 : place + 1]
    return " ".join([shlex.join(options), *programs]).strip()
