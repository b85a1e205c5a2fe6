"""A command line option that a backend or an engine brings along.

The class that takes the value declares it, so the command line needs no knowledge of the class::

    class ToyEvaluator(Evaluator):
        options = (Option("toy_address", "Address of the toy.", metavar="HOST"),)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Option:
    """One option; ``--toy-address`` for the argument ``toy_address``.

    Attributes:
        name: the argument of the class that takes the value. Its default there is the option's.
        help: one sentence.
        kind: what a value is.
        at_least: the smallest number that is taken; None leaves it to the class.
        choices: the values of an option of kind "choice".
        metavar: what stands for the value in the help text.
        secret: whether its value must not be printed.
    """

    name: str
    help: str
    kind: Literal["text", "integer", "number", "duration", "choice"] = "text"
    at_least: int | None = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    secret: bool = False

    @property
    def flag(self) -> str:
        """The option as it is written on the command line."""
        return "--" + self.name.replace("_", "-")
