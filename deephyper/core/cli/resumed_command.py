"""``--resume DIR`` alone: what the command line leaves out is in the journal of the search.

The journal of a search also has what a confirmation of its results leaves out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from deephyper.core.cli.given_space import check_given_once, has_space
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, OPTIMIZER_OPTIONS, STOPPER_OPTIONS
from deephyper.core.cli.program_words import ProgramCommand, shown
from deephyper.core.cli.search_file import DIRECTORY

if TYPE_CHECKING:
    from deephyper.search.log_dir import LogDir
    from deephyper.search.record import StartCommand

NOTICE = f"{__name__}.notice"
"""Key of a click context's ``meta``: a line that says what a resume takes from the journal."""
_NAMED = ("--problem", "--run")
# The budget is in the journal by itself; the others are of one session.
_BUDGET = ("--max-evals", "--max-steps", "--timeout")
_BATCH = ("--sigterm-grace", "--resume-command", "--batch")
OF_A_START = (
    "--config",
    "--log-dir",
    "--resume",
    "--warm-start",
    "-k",
    "--set",
    "--output",
    "--force",
    "--json",
    "--quiet",
    "--verbose",
)
"""Options that a resume doesn't repeat."""
_OF_A_SESSION = {*_BUDGET, "-n", *OF_A_START, *_BATCH}


class ResumableCommand(ProgramCommand):
    """A search command that takes from the journal what is left out on a resume."""

    required: ClassVar[tuple[str, ...]] = _NAMED
    """Options that have to be given, or to be in the journal."""

    def left_out(self, ctx: click.Context, given: Mapping[str, Any]) -> list[str]:
        """Return the options that the journal adds to those given."""
        from deephyper.checks import user_path
        from deephyper.errors import argument
        from deephyper.search.log_dir import LogDir
        from deephyper.search.replay import read_journal

        if given.get("help") or given.get("batch"):
            return []
        check_given_once(given)
        resume = given.get("resume")
        if not isinstance(resume, str):
            return []
        log_dir = LogDir(user_path(argument("resume"), resume))
        if log_dir.holds_search:
            return self.journalled(ctx, log_dir, given, "resuming")
        if any(flag in self.required for flag in _missing(given)):
            read_journal(log_dir.path)  # says that there is no search
        return []

    def journalled(
        self, ctx: click.Context, log_dir: LogDir, given: Mapping[str, Any], what: str
    ) -> list[str]:
        """Return the options of the last session of a search that those given don't replace.

        Args:
            ctx: the context, which gets a notice of them.
            log_dir: of the search.
            given: by name.
            what: is done with them, for the notice.
        """
        from deephyper.loading import split_spec

        missing = _missing(given)
        required = [flag for flag in missing if flag in self.required]
        untrusted = log_dir.why_not_trusted()
        command = log_dir.start_command() if untrusted is None else None
        if command is None:
            if not required:
                return []
            why = untrusted or f"the search in '{log_dir.path}' was started without naming them"
            raise click.UsageError(f"give {' and '.join(required)}, because {why}")
        left_out = [flag for flag in (*missing, "--space") if given.get(_name(flag)) is None]
        for flag in left_out:
            file = split_spec(command.options.get(flag, ""), "")[1]
            if file is not None and not os.path.lexists(file):
                raise click.UsageError(
                    f"give {flag}, because '{file}', which the search was started with, is not "
                    "there any more"
                )
        directory = _find_modules(command, missing, given)
        if directory is not None:
            ctx.meta[DIRECTORY] = directory
        words = list(chain(*self.still_meant(command.options, given).items()))
        if words:
            ctx.meta[NOTICE] = f"{what} with {shown(words)}"
        return words

    def still_meant(self, stored: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
        """Return the stored options that this command has and that those given don't replace."""
        known = {flag for parameter in self.params for flag in parameter.opts}
        replaced = {name for name, value in given.items() if value is not None}
        if "problem" in replaced:
            replaced |= {"space", "param"}
        elif has_space(given):
            replaced.add("problem")
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
        _, file, attribute = split_spec(options.get(flag, ""), "")
        if file is not None:
            suffix = f"::{attribute}" if attribute else ""
            options[flag] = f"{absolute(file)}{suffix}"
    if "--space" in options:
        options["--space"] = str(absolute(Path(options["--space"])))
    return StartCommand(directory or current_directory() or "", options)


def _missing(given: Mapping[str, Any]) -> list[str]:
    """Return those of the problem and the run function that a command line doesn't name."""
    return [
        flag
        for flag in _NAMED
        if given.get(_name(flag)) is None and not (flag == "--problem" and has_space(given))
    ]


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
