"""An evaluation whose reports are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deephyper.evaluator.current import Context


class Recorded(Context):
    """An evaluation, as a context manager.

    Args:
        directory: its own.
        stop_after: how many reports the search lets it make; None for any number.

    Attributes:
        reports: step, objective and metrics of each.
    """

    def __init__(self, directory: Path, stop_after: int | None = None) -> None:
        self.reports: list[tuple[int, float, dict[str, float]]] = []
        super().__init__(
            "3",
            directory=str(directory),
            send=self._record,
            stop_requested=lambda: stop_after is not None and len(self.reports) >= stop_after,
        )

    @property
    def steps(self) -> list[int]:
        return [step for step, _, _ in self.reports]

    @property
    def objectives(self) -> list[float]:
        return [objective for _, objective, _ in self.reports]

    def _record(self, step: int, objective: float, metrics: Mapping[str, float]) -> None:
        self.reports.append((step, objective, dict(metrics)))
