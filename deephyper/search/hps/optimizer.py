"""Classic path of :mod:`deephyper.optimizer`."""

from deephyper.optimizer import *  # noqa: F403
