"""Plots of the result of a search that was made from Python."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deephyper.analytics.plots.objectives import By

_log = logging.getLogger("deephyper.analytics")


class ResultPlots:
    """The plots of :mod:`deephyper.analytics.plots`, as matplotlib's figures; notebooks show them.

    Args:
        files: gives the log directory, or a results file, for as long as a plot is drawn.
        has_journal: whether that is a log directory.
    """

    def __init__(
        self, files: Callable[[], AbstractContextManager[Path]], *, has_journal: bool
    ) -> None:
        self._files = files
        self._has_journal = has_journal

    def history(self, *, by: By = "evaluations") -> Figure:
        """Plot objectives; see :func:`deephyper.analytics.plots.history`."""
        from deephyper.analytics.plots.objectives import history

        with self._files() as path:
            return history(path, by=by)

    def curves(self) -> Figure:
        """Plot learning curves; see :func:`deephyper.analytics.plots.curves`.

        Raises:
            SettingsError: if the search was kept in memory.
        """
        from deephyper.analytics.plots.reports import curves

        if not self._has_journal:
            raise SettingsError(
                "the reports of a search that is kept in memory are gone when it ends; give the "
                "search a log_dir"
            )
        with self._files() as path:
            return curves(path)

    def slices(self, *, on_notice: Callable[[str], None] = _log.warning) -> Figure:
        """Plot each hyperparameter; see :func:`deephyper.analytics.plots.slices`."""
        from deephyper.analytics.plots.hyperparameters import slices

        with self._files() as path:
            return slices(path, on_notice=on_notice)

    def parallel(self, *, on_notice: Callable[[str], None] = _log.warning) -> Figure:
        """Plot parallel coordinates; see :func:`deephyper.analytics.plots.parallel`."""
        from deephyper.analytics.plots.hyperparameters import parallel

        with self._files() as path:
            return parallel(path, on_notice=on_notice)

    def timeline(self) -> Figure:
        """Plot the workers; see :func:`deephyper.analytics.plots.timeline`."""
        from deephyper.analytics.plots.workers import timeline

        with self._files() as path:
            return timeline(path)

    def predicted(self) -> Figure:
        """Plot predictions; see :func:`deephyper.analytics.plots.predicted`."""
        from deephyper.analytics.plots.predictions import predicted

        with self._files() as path:
            return predicted(path)

    def dependence(
        self, *names: str, seed: int = 0, on_notice: Callable[[str], None] = _log.warning
    ) -> Figure:
        """Plot partial dependence; see :func:`deephyper.analytics.plots.dependence`."""
        from deephyper.analytics.plots.effects import dependence

        with self._files() as path:
            return dependence(path, names, seed=seed, on_notice=on_notice)

    def importance(
        self,
        *,
        pairs: bool = True,
        best: float | None = None,
        seed: int = 0,
        on_notice: Callable[[str], None] = _log.warning,
    ) -> Figure:
        """Plot what matters; see :func:`deephyper.analytics.plots.importance`."""
        from deephyper.analytics.plots.effects import importance

        with self._files() as path:
            return importance(path, pairs=pairs, best=best, seed=seed, on_notice=on_notice)
