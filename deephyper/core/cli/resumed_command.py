"""``--resume DIR`` alone: what the command line leaves out is in the journal of the search."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.option_groups import GroupedCommand
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, OPTIMIZER_OPTIONS, STOPPER_OPTIONS

if TYPE_CHECKING:
    from deephyper.search.record import StartCommand

NOTICE = f"{__name__}.notice"
"""Key of a click context's ``meta``: a line that says what a resume takes from the journal."""
DIRECTORY = f"{__name__}.directory"
"""The same for the directory in which the modules are found that the command line names."""
_NAMED = ("--problem", "--run")
# The budget is in the journal by itself; the others are of one session.
_BATCH = ("--sigterm-grace", "--resume-command", "--batch")
_OF_A_SESSION = {"--max-evals", "--timeout", "--log-dir", "--resume", "--warm-start", *_BATCH}


class ResumableCommand(GroupedCommand):
    """A search command that takes from the journal what is left out on a resume."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        resume = given.get("resume")
        if isinstance(resume, str) and not (given.get("help") or given.get("batch")):
            journalled = self._journalled(ctx, resume, given)
            if journalled:
                ctx.meta[NOTICE] = f"resuming with {shlex.join(journalled)}"
            args = [*journalled, *args]
        return super().parse_args(ctx, args)

    def _journalled(self, ctx: click.Context, resume: str, given: Mapping[str, Any]) -> list[str]:
        """Return the options of the last session that those given now don't replace."""
        from deephyper.checks import user_path
        from deephyper.errors import argument
        from deephyper.loading import split_spec
        from deephyper.search.log_dir import LogDir
        from deephyper.search.replay import read_journal

        missing = [flag for flag in _NAMED if given.get(_name(flag)) is None]
        log_dir = LogDir(user_path(argument("resume"), resume))
        if not log_dir.holds_search:
            if missing:
                read_journal(log_dir.path)  # says that there is no search
            return []
        untrusted = log_dir.why_not_trusted()
        command = log_dir.start_command() if untrusted is None else None
        if command is None:
            if not missing:
                return []
            why = untrusted or f"the search in '{log_dir.path}' was started without naming them"
            raise click.UsageError(f"give {' and '.join(missing)}, because {why}")
        for flag in missing:
            file = split_spec(command.options.get(flag, ""), "")[1]
            if file is not None and not os.path.lexists(file):
                raise click.UsageError(
                    f"give {flag}, because '{file}', which the search was started with, is not "
                    "there any more"
                )
        ctx.meta[DIRECTORY] = _find_modules(command, missing, given)
        return list(chain(*self._still_meant(command.options, given).items()))

    def _still_meant(self, stored: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
        known = {flag for parameter in self.params for flag in parameter.opts}
        replaced = {name for name, value in given.items() if value is not None}
        limits = {"eval_timeout", "eval_timeout_minutes"}
        if replaced & limits:
            replaced |= limits
        if "evaluator" in replaced:
            replaced |= EVALUATOR_OPTIONS.names
        if replaced & {"optimizer", *OPTIMIZER_OPTIONS.names}:
            replaced |= {"optimizer", *OPTIMIZER_OPTIONS.names}
        if "stopper" in replaced:
            replaced |= STOPPER_OPTIONS.names
        return {
            flag: value
            for flag, value in stored.items()
            if flag in known and _name(flag) not in replaced
        }


def start_command(given: Mapping[str, str], directory: str | None = None) -> StartCommand:
    """Return what the journal keeps of a command line.

    Args:
        given: the options on it, each with its value.
        directory: where its modules are found; None takes the current one.
    """
    from deephyper.loading import absolute, current_directory, split_spec
    from deephyper.search.record import StartCommand

    secrets = EVALUATOR_OPTIONS.secrets | OPTIMIZER_OPTIONS.secrets
    options = {
        flag: value
        for flag, value in given.items()
        if flag not in _OF_A_SESSION and flag not in secrets
    }
    for flag in _NAMED:
        _, file, attribute = split_spec(options[flag], "")
        if file is not None:
            suffix = f"::{attribute}" if attribute else ""
            options[flag] = f"{absolute(file)}{suffix}"
    return StartCommand(directory or current_directory() or "", options)


def _find_modules(
    command: StartCommand, missing: Sequence[str], given: Mapping[str, Any]
) -> str | None:
    """Have modules found where they were named; return the directory that is not the current one.

    Args:
        command: of the last session.
        missing: the options that are taken from it.
        given: those of this session.

    Raises:
        click.UsageError: if modules are named in both directories.
    """
    from deephyper.loading import current_directory, split_spec

    def names_module(spec: str | None) -> bool:
        return spec is not None and split_spec(spec, "")[1] is None

    here = current_directory()
    if not command.directory or command.directory == here:
        return None
    kept = any(names_module(command.options.get(flag)) for flag in missing)
    named = [flag for flag in _NAMED if names_module(given.get(_name(flag)))]
    if kept and named:
        raise click.UsageError(
            f"give {' and '.join(missing)} too, or a file for {' and '.join(named)}: the search "
            f"was started in '{command.directory}', and modules can be named in one directory"
        )
    for directory in (command.directory,) if kept else (here, command.directory):
        if directory is not None and directory not in sys.path:
            sys.path.append(directory)
    return command.directory if kept else None


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
