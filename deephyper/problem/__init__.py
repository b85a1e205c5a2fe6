"""Search spaces: hyperparameters, their ranges, and the rules that tie them together.

``from deephyper.problem import HpProblem`` imports ConfigSpace; ``import deephyper.problem`` alone
doesn't. ``deephyper.problem.config_space`` is the ConfigSpace module itself, for its conditions,
forbidden clauses and further kinds of hyperparameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names
from deephyper.problem.point import Point, filter_parameters

if TYPE_CHECKING:
    import ConfigSpace as config_space  # noqa: N813 (a module under our name)

    from deephyper.problem.problem import BaseProblem, HpProblem

__all__ = ["BaseProblem", "HpProblem", "Point", "config_space", "filter_parameters"]


__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BaseProblem": "deephyper.problem.problem",
        "HpProblem": "deephyper.problem.problem",
        "config_space": "ConfigSpace:",
    },
)
