"""Errors that a user can cause and mend.

Every message is one line that says what is wrong and what to do about it. The command line turns
exactly this family into exit status 2; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations


class DeepHyperError(Exception):
    """Base of all errors that a user can cause."""


class ProblemError(DeepHyperError, ValueError):
    """A search space or a point that can't be used."""


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


class WorkspaceError(DeepHyperError):
    """A project or problem folder that can't be made."""


class HpcError(DeepHyperError):
    """A batch scheduler or a Balsam database that refuses what is asked, or isn't there."""


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
