"""Run functions that break what they can reach, each by a name, and all of them by hand."""

from tests.evaluator.hostile import descriptors, interpreter, values

__all__ = ["descriptors", "interpreter", "values"]
