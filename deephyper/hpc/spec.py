"""The specification of a batch search: one that jobs of a batch scheduler run, and resume."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SearchSpec:
    """A search, as it is written to a file for the batch job that runs it.

    Attributes:
        name: its unique name.
        command: the words that start such a search on the command line, after ``deephyper``.
        problem: a dotted path or file; empty where the options give the search space.
        run: a dotted path or file.
        options: further options of that command, each with its value.
        directory: where it was submitted from.
    """

    name: str
    command: tuple[str, ...]
    problem: str
    run: str
    options: dict[str, str]
    directory: str

    def to_json(self) -> dict[str, Any]:
        """Return the specification as plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> SearchSpec:
        """Return the specification that :meth:`to_json` gave.

        Raises:
            ValueError: if it isn't one.
        """
        try:
            return cls(**{**values, "command": tuple(values["command"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"not the specification of a search: {error}") from error


def command_line(
    spec: SearchSpec, *, evaluator: str, resume: bool, grace: float, resume_command: str
) -> list[str]:
    """Return the command that runs a search in the current directory, for a batch job.

    Args:
        spec: the search.
        evaluator: name of the evaluator.
        resume: whether the directory holds the search already.
        grace: seconds that running evaluations get at the end, where the specification gives none.
        resume_command: what continues the search, for its last line.
    """
    options = {
        **({"--problem": spec.problem} if spec.problem else {}),
        "--run": spec.run,
        "--evaluator": evaluator,
        "--resume" if resume else "--log-dir": ".",
        "--grace": f"{grace:g}",
        # A batch job that gets SIGTERM is being canceled, its evaluations too.
        "--sigterm-grace": "0",
        "--resume-command": resume_command,
        **spec.options,
    }
    if resume:
        options.pop("--warm-start", None)
    words = [word for item in options.items() for word in item]
    return [sys.executable, "-m", "deephyper.core.cli.main", *spec.command, *words, "--batch"]


def environment(spec: SearchSpec, variables: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables with which modules beside the place of submission are found."""
    path = filter(None, [variables.get("PYTHONPATH"), spec.directory])
    return {**variables, "PYTHONPATH": os.pathsep.join(path)}
