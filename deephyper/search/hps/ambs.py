"""Asynchronous model-based search (AMBS): the loop with a Bayesian optimizer.

``python -m deephyper.search.hps.ambs`` is ``deephyper hps ambs``.
"""

from __future__ import annotations

from deephyper.search.search import Search


class AMBS(Search):
    """Searches with a Bayesian optimizer that takes the running evaluations into account.

    See :class:`deephyper.search.search.Search` for the arguments.
    """

    name = "ambs"


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "ambs", *sys.argv[1:]]))
