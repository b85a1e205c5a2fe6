"""Ready problems, each a module with ``Problem`` and ``run``, to try an installation or a search.

::

    deephyper hps ambs -p deephyper.benchmark.ackley.Problem -r deephyper.benchmark.ackley.run

=============  ==================================================================================
``ackley``     a rugged function of five numbers
``branin``     a smooth function of two numbers, with three optima
``hartmann6``  a smooth function of six numbers, with six local optima
``mixed``      categories, integers and numbers, with conditions and a forbidden combination
``polynome2``  a network for a regression: the problem of the tutorial
``digits``     a network that reads handwritten digits, and reports each epoch
=============  ==================================================================================

All of them are maximized. Functions have ``OPTIMUM``, the largest value, and ``BEST``, a point that
has it. Importing a module imports neither numpy nor ConfigSpace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

__all__ = ["HpProblem"]

# A classic path of deephyper.problem.HpProblem.
__getattr__, __dir__ = lazy_names(__name__, {"HpProblem": "deephyper.problem.problem"})
