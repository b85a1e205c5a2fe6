"""Random search, on the same loop: the baseline that any optimizer has to beat.

Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13 (2012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deephyper.search.search import Search

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.problem import HpProblem


class RandomSearch(Search):
    """Searches by sampling the space.

    Args:
        problem: the space to search.
        evaluator: where points are evaluated.
        seed: makes the proposals reproducible.
        options: see :class:`deephyper.search.search.Search`.
    """

    def __init__(
        self,
        problem: HpProblem,
        evaluator: Evaluator,
        *,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        from deephyper.optimizer import RandomOptimizer

        super().__init__(
            problem,
            evaluator,
            lambda seed: RandomOptimizer(problem, seed=seed),
            seed=seed,
            settings={"search": "random"},
            **options,
        )


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "random", *sys.argv[1:]]))
