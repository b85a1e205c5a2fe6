"""Settings of the Bayesian optimizer and their defaults.

The command line, the Python classes and the documentation read them from here. Nothing heavy is
imported, so that asking for help stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass

from deephyper.errors import SettingsError
from deephyper.search.arguments import real, whole_or_none

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
        real("kappa", self.kappa)
        real("xi", self.xi)
        if type(self.n_jobs) is not int or self.n_jobs == 0 or self.n_jobs < -1:
            raise SettingsError(f"n_jobs is {self.n_jobs!r}; give 1 or more, or -1 for all cores")
        whole_or_none("n_initial_points", self.n_initial_points, 1)


def _one_of(what: str, value: str | None, known: tuple[str | None, ...]) -> None:
    if value not in known:
        names = ", ".join(name for name in known if name is not None)
        raise SettingsError(f"unknown {what} '{value}'; choose one of {names}")
