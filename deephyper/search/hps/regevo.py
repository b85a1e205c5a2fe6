"""Search by regularized evolution, on the same loop.

``python -m deephyper.search.hps.regevo`` is ``deephyper hps regevo``.
"""

from __future__ import annotations

from deephyper.search.search import Search


class RegularizedEvolution(Search):
    """Searches by changing good recent points.

    See :class:`deephyper.search.search.Search` for the arguments, and
    :class:`deephyper.optimizer.EvolutionSettings` for the size of the population.
    """

    name = "regevo"
    default_optimizer = "evolution"


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "regevo", *sys.argv[1:]]))
