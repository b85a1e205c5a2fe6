"""Random search, on the same loop: the baseline that any optimizer has to beat.

Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13 (2012).
"""

from __future__ import annotations

from deephyper.search.search import Search


class RandomSearch(Search):
    """Searches by sampling the space.

    See :class:`deephyper.search.search.Search` for the arguments.
    """

    name = "random"
    default_optimizer = "random"


if __name__ == "__main__":
    import sys

    from deephyper.core.cli.main import main

    sys.exit(main(["hps", "random", *sys.argv[1:]]))
