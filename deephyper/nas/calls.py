"""Functions of a user with the arguments that they are to be called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem.point import show


@dataclass(frozen=True)
class Call:
    """A function and its keyword arguments.

    Attributes:
        function: the function.
        kwargs: by name.
    """

    function: Callable[..., Any]
    kwargs: Mapping[str, Any]

    @classmethod
    def of(
        cls, what: str, function: object, kwargs: Mapping[str, object], num_positional: int = 0
    ) -> Call:
        """Return the call of a function that a user gives.

        Args:
            what: the method that it is given to, for messages.
            function: the function.
            kwargs: its keyword arguments.
            num_positional: how many positional arguments it gets besides.

        Raises:
            ProblemError: it isn't a function, or doesn't take the arguments.
        """
        if not callable(function):
            raise ProblemError(
                f"{what}() is given {show(function)} ({type(function).__name__}): give a function"
                " and its keyword arguments"
            )
        try:
            inspect.signature(function).bind(*[None] * num_positional, **kwargs)
        except TypeError as error:
            raise ProblemError(f"{what}(): {_name(function)} can't be called: {error}") from None
        except ValueError:  # its parameters are unknown, as those of some that are written in C
            pass
        return cls(function, dict(kwargs))

    def __call__(self, *args: Any) -> Any:
        """Return what the function returns."""
        return self.function(*args, **self.kwargs)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={show(value)}" for name, value in self.kwargs.items())
        return f"{_name(self.function)}({arguments})" if arguments else _name(self.function)


def _name(function: object) -> str:
    name = getattr(function, "__qualname__", show(function))
    module = getattr(function, "__module__", None)
    return name if module in (None, "__main__", "builtins") else f"{module}.{name}"
