"""Errors that a user can cause and fix.

Every message is one line that says what is wrong and what to do about it. The command line turns
exactly this family into exit status 2; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import re

from deephyper.printable import printable

_ARGUMENT = re.compile("\ue000(\\w+)\ue001([^\ue002]*)\ue002([^\ue003]*)\ue003")


def argument(name: str, python: str = "", option: str = "") -> str:
    """Return how the message of an error names an argument.

    In Python it reads ``log_dir`` or, with a value, ``resume=True``; on the command line
    ``--log-dir`` or ``--resume DIR``.

    Args:
        name: Python's name of the argument.
        python: its value in Python.
        option: its value on the command line.
    """
    return f"\ue000{name}\ue001{python}\ue002{option}\ue003"


def write_remedy(error: OSError) -> str:
    """Return what to do where something can't be written."""
    if error.errno == errno.EFBIG:
        return "raise the limit on the size of files (ulimit -f)"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "fix the permissions"
    return "free some space or fix the permissions"


class DeepHyperError(Exception):
    """Base of all errors that a user can cause."""

    def __str__(self) -> str:
        def named(match: re.Match[str]) -> str:
            return f"{match[1]}={match[2]}" if match[2] else match[1]

        return printable(_ARGUMENT.sub(named, super().__str__()), lines=True)

    def on_command_line(self) -> str:
        """Return the message for a reader who typed options."""

        def named(match: re.Match[str]) -> str:
            flag = "--" + match[1].replace("_", "-")
            return f"{flag} {match[3]}" if match[3] else flag

        return _ARGUMENT.sub(named, super().__str__())


class ProblemError(DeepHyperError, ValueError):
    """A search space or a point that can't be used."""


class ArchitectureError(ProblemError):
    """An architecture that can't be built, or a space of architectures that isn't complete."""


class LoadError(DeepHyperError, ValueError):
    """An object, named by a dotted path or a file, that can't be found or imported."""


class RunFunctionError(LoadError):
    """A run function that can't be found, imported, sent to a worker or called."""


class EvaluatorError(DeepHyperError, ValueError):
    """An evaluator that can't be made or used as asked."""


class OptimizerError(DeepHyperError, ValueError):
    """An optimizer that is asked or told something it can't be, or proposes what is not a point."""


class SettingsError(DeepHyperError, ValueError):
    """A setting of a search that is out of its range or doesn't fit the others."""


class ResultsError(DeepHyperError, ValueError):
    """A results file or log directory that can't be read, or must not be written."""


class DirectoryInUse(ResultsError):
    """A log directory that a running search has, or another process that asks or tells."""


class OutputError(DeepHyperError):
    """A standard output that can't be written, where nothing else was asked for."""


class WorkspaceError(DeepHyperError):
    """A project or problem directory that can't be made."""


class HpcError(DeepHyperError):
    """A batch scheduler, or what submits to it, that refuses what is asked or isn't there."""


class SpaceExhausted(DeepHyperError):
    """Every distinct point of a finite space has been proposed."""


class MissingExtra(DeepHyperError, ImportError):
    """An optional package that isn't installed.

    Args:
        what: what needs the package, as the user would name it.
        extra: the extra of deephyper that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        # By the name deephyper a registry has another project.
        super().__init__(
            f"{what} isn't installed; get it with: pip install '.[{extra}]' "
            "in the clone of deephyper"
        )


class MissingPackage(DeepHyperError, ImportError):
    """A package that deephyper doesn't bring, and that isn't installed.

    Args:
        what: what the package is called.
        pip: what pip installs.
    """

    def __init__(self, what: str, pip: str) -> None:
        super().__init__(f"{what} isn't installed; get it with: pip install {pip}")
