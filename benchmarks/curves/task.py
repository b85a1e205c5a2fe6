"""A task: a finite space, and the learning curve of each of its points, looked up in a table."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves.space import Point, Space
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.sampling import Sampler

TABLES = Path(__file__).parent / "tables"
Array = NDArray[Any]


@dataclass
class Task:
    """Trainings of models of one kind on the same data; the objective is maximized.

    Attributes:
        name: the model, then the data.
        half: "design" (looked at while building) or "report".
        steps: reports of a whole training.
        metric: "accuracy", "r2" or "likelihood" (mean log likelihood in nats), on validation data.
        resolution: a table holds whole multiples of it.
        space: what is searched.
        floor: the objective of what is worse, or isn't finite.
        stacked: hyperparameters that are the same in networks that are trained together; empty for
            models that are trained one by one.
        tables: where its table is.
    """

    name: str
    half: str
    steps: int
    metric: str
    resolution: float
    space: Space
    floor: float = 0.0
    stacked: tuple[str, ...] = ()
    tables: Path = TABLES

    @property
    def path(self) -> Path:
        """The file of the table."""
        return self.tables / f"{self.name}.npz"

    @property
    def available(self) -> bool:
        """Whether the table has been made."""
        return self.path.exists()

    def curve(self, point: Point) -> Array:
        """Return the objective after each step."""
        found: Array = self.curves[self._rows[self.space.key(point)]]
        return found

    def seconds(self, point: Point) -> float:
        """Return how long a step takes."""
        return float(self._table[1][self._rows[self.space.key(point)]])

    @property
    def curves(self) -> Array:
        """The curves of all points in the order of the space, (points, steps)."""
        return self._table[0]

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        with np.load(self.path) as saved:
            planes = saved["planes"].astype(np.uint16)
            differences = (planes[0] | planes[1] << 8).view(np.int16)
            whole = np.cumsum(differences.T, axis=1, dtype=np.int64)
            return whole * self.resolution, saved["seconds"].astype(float)

    def save(self, curves: Array, seconds: Array) -> None:
        """Write the table.

        Differences from step to step are small, so high bytes, apart, take next to no space.
        """
        finite = np.nan_to_num(curves, nan=self.floor, posinf=self.floor, neginf=self.floor)
        whole = np.rint(np.maximum(finite, self.floor) / self.resolution).astype(np.int16)
        differences = np.diff(whole, axis=1, prepend=np.int16(0)).T.copy().view(np.uint16)
        planes = np.stack([differences & 255, differences >> 8]).astype(np.uint8)
        self.tables.mkdir(exist_ok=True)
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_LZMA) as archive:
            for name, array in (("planes", planes), ("seconds", seconds.astype(np.float32))):
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, array)

    @cached_property
    def _rows(self) -> dict[tuple[Any, ...], int]:
        return {self.space.key(point): row for row, point in enumerate(self.space.points())}

    @cached_property
    def scale(self) -> tuple[float, float]:
        """The best objective at the end, and the median of those of 500 random points."""
        encoding = SpaceEncoding(self.space.problem().space)
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        points = encoding.points(Sampler(encoding, rng).sample(500))
        ends = [self.curve(point)[-1] for point in points]
        return float(self.curves[:, -1].max()), float(np.median(ends))

    def regret(self, value: float) -> float:
        """Return the normalized regret: 0 at the optimum, 1 for the median random point."""
        best, typical = self.scale
        return max(best - value, 0.0) / (best - typical)
