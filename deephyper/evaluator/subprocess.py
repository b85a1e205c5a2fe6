"""A process of its own for each evaluation: nothing is left over from one to the next.

The point goes to the process as JSON over a socket; no shell is involved. It costs the start of an
interpreter, and of what the run function imports, each time.
"""

from __future__ import annotations

from deephyper.evaluator.process import ProcessEvaluator


class SubprocessEvaluator(ProcessEvaluator):
    """Evaluates each point in a fresh process. See :class:`~deephyper.evaluator.Evaluator`."""

    method = "subprocess"
    fresh = True
