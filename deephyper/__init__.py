"""Asynchronous hyperparameter search, from a laptop to a supercomputer."""

from deephyper.version import __version__

__all__ = ["__version__"]
