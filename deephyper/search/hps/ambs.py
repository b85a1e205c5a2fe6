"""Asynchronous model-based search (AMBS): the loop with a Bayesian optimizer.

``python -m deephyper.search.hps.ambs`` is ``deephyper hps ambs``.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from deephyper.optimizer.create import DEFAULT_OPTIMIZER, create_optimizer, read_optimizer
from deephyper.optimizer.settings import Settings
from deephyper.search.search import Search

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.optimizer import AskTell
    from deephyper.problem import HpProblem


class AMBS(Search):
    """Searches with an optimizer that takes the running evaluations into account.

    Args:
        problem: the space to search.
        evaluator: where points are evaluated.
        seed: makes the proposals reproducible where one worker is used.
        optimizer: the name of an engine, its settings, or an object of your own with ``ask`` and
            ``tell``.
        options: see :class:`deephyper.search.search.Search`.

    Raises:
        SettingsError: if the optimizer is none of these; further as there.
    """

    def __init__(
        self,
        problem: HpProblem,
        evaluator: Evaluator,
        *,
        seed: int | None = None,
        optimizer: str | Settings | AskTell = DEFAULT_OPTIMIZER,
        **options: Any,
    ) -> None:
        chosen = read_optimizer(optimizer)
        recorded: dict[str, Any] = {"search": "ambs"}
        if isinstance(chosen, Settings):
            recorded |= {"optimizer": chosen.name, **dataclasses.asdict(chosen)}
        super().__init__(
            problem,
            evaluator,
            lambda seed: create_optimizer(problem, chosen, seed=seed),
            seed=seed,
            settings=recorded,
            **options,
        )


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "ambs", *sys.argv[1:]]))
