"""What may be searched: hyperparameters, their ranges, and the rules that tie them together.

``from deephyper.problem import HpProblem`` imports ConfigSpace; ``import deephyper.problem`` alone
doesn't. ``deephyper.problem.config_space`` is the ConfigSpace module itself, for its conditions,
forbidden clauses and further kinds of hyperparameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deephyper.problem.point import Point

if TYPE_CHECKING:
    import ConfigSpace as config_space  # noqa: N813 (a module under our name)

    from deephyper.problem.problem import BaseProblem, HpProblem

__all__ = ["BaseProblem", "HpProblem", "Point", "config_space"]


def __getattr__(name: str) -> Any:
    if name in ("BaseProblem", "HpProblem"):
        from deephyper.problem import problem

        return getattr(problem, name)
    if name == "config_space":
        import ConfigSpace

        return ConfigSpace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
