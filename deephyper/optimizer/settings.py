"""Settings of the Bayesian optimizer and their defaults.

The command line, the Python classes and the documentation read them from here. Nothing heavy is
imported, so that asking for help stays quick.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

from deephyper.checks import real, whole_or_none
from deephyper.errors import SettingsError

SURROGATE_MODELS = ("RF", "ET", "GP", "GBRT", "DUMMY")
ACQ_FUNCS = ("LCB", "EI", "PI", "gp_hedge")
LIAR_STRATEGIES = ("cl_min", "cl_mean", "cl_max")


@dataclass(frozen=True)
class AmbsSettings:
    """What decides the next point of an asynchronous model-based search.

    Attributes:
        surrogate_model: one of :data:`SURROGATE_MODELS` for scikit-optimize's optimizer, or None
            for deephyper's own Gaussian process.
        acq_func: acquisition function of scikit-optimize.
        liar_strategy: the objective that scikit-optimize assumes for pending points; stated for
            the objective that it minimises, the negative of ours.
        kappa: weight of the deviation in LCB; larger explores more.
        xi: improvement that EI and PI ask for.
        n_jobs: threads that fit a surrogate; -1 is all cores.
        n_initial_points: points that are proposed before a model is used; None leaves it to the
            engine.

    Raises:
        SettingsError: if one of them is none of its values, or of a wrong type.
    """

    surrogate_model: str | None = None
    acq_func: str = "gp_hedge"
    liar_strategy: str = "cl_min"
    kappa: float = 1.96
    xi: float = 0.001
    n_jobs: int = 1
    n_initial_points: int | None = None

    def __post_init__(self) -> None:
        _one_of("surrogate model", self.surrogate_model, (None, *SURROGATE_MODELS))
        _one_of("acquisition function", self.acq_func, ACQ_FUNCS)
        _one_of("liar strategy", self.liar_strategy, LIAR_STRATEGIES)
        # As plain numbers, since they are written to the journal.
        for name in ("kappa", "xi"):
            object.__setattr__(self, name, real(name, getattr(self, name), finite=True))
        object.__setattr__(self, "n_jobs", _n_jobs(self.n_jobs))
        n_initial_points = whole_or_none("n_initial_points", self.n_initial_points, 1)
        object.__setattr__(self, "n_initial_points", n_initial_points)


def _n_jobs(value: Any) -> int:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if whole and (value == -1 or value >= 1):
        return int(value)
    raise SettingsError(f"n_jobs is {value!r}; give 1 or more, or -1 for all cores")


def _one_of(what: str, value: Any, known: tuple[str | None, ...]) -> None:
    if not isinstance(value, str | None) or value not in known:
        names = ", ".join(name for name in known if name is not None)
        raise SettingsError(f"unknown {what} {value!r}; choose one of {names}")
