"""Asynchronous model-based search (AMBS): the loop with a Bayesian optimizer.

``python -m deephyper.search.hps.ambs`` is ``deephyper hps ambs``.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from deephyper.errors import SettingsError
from deephyper.optimizer.settings import AmbsSettings
from deephyper.search.search import Search

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.problem import HpProblem
    from deephyper.search.proposer import Proposer


class AMBS(Search):
    """Searches with a Bayesian optimizer that takes the running evaluations into account.

    Args:
        problem: the space to search.
        evaluator: where points are evaluated.
        seed: makes the proposals reproducible where one worker is used.
        settings: of the optimizer; None for the defaults.
        optimizer: an object with ``ask`` and ``tell`` of your own to use instead.
        options: see :class:`deephyper.search.search.Search`.

    Raises:
        SettingsError: if the settings are no AmbsSettings, or the optimizer lacks one of its
            methods; further as there.
    """

    def __init__(
        self,
        problem: HpProblem,
        evaluator: Evaluator,
        *,
        seed: int | None = None,
        settings: AmbsSettings | None = None,
        optimizer: Any = None,
        **options: Any,
    ) -> None:
        from deephyper.optimizer import ForeignOptimizer, create_optimizer

        if optimizer is not None:
            _check_optimizer(optimizer)
        chosen = AmbsSettings() if settings is None else settings
        if not isinstance(chosen, AmbsSettings):
            raise SettingsError(
                f"settings is of type {type(chosen).__name__}; give an AmbsSettings, as in: "
                "AmbsSettings(surrogate_model='RF')"
            )

        def make(seed: int | None) -> Proposer:
            if optimizer is not None:
                return ForeignOptimizer(problem, optimizer, seed=seed)
            return create_optimizer(problem, chosen, seed=seed)

        super().__init__(
            problem,
            evaluator,
            make,
            seed=seed,
            settings={"search": "ambs", **dataclasses.asdict(chosen)},
            **options,
        )

    def _describe_optimizer(self) -> str:
        from deephyper.optimizer import describe_engine

        return describe_engine(self._optimizer)  # type: ignore[arg-type]


def _check_optimizer(optimizer: Any) -> None:
    if isinstance(optimizer, type):
        raise SettingsError(
            f"optimizer is the class {optimizer.__name__}; give an object of it, as in: "
            f"{optimizer.__name__}()"
        )
    for name in ("ask", "tell"):
        if not callable(getattr(optimizer, name, None)):
            raise SettingsError(
                f"the optimizer, of type {type(optimizer).__name__}, has no method '{name}'; give "
                "an object with ask() and tell(point, objective)"
            )


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "ambs", *sys.argv[1:]]))
