"""``results.csv``: one row per evaluation, derived from the journal.

Columns are the hyperparameters, then :data:`COLUMNS`, then, where there are some, ``direction`` (of
a search that minimizes), ``step`` (of evaluations that were pruned) and the metrics in the order in
which they came up; a metric with the name of another column is called ``m:NAME``. A cell reads back
as the value that was written: an inactive hyperparameter is an empty cell, None is ``None``,
booleans are ``True`` and ``False``, numbers are numbers, and a text that would read as one of these
is in JSON's quotes. Files are read in :mod:`deephyper.search.results`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from deephyper.cell import format_cell
from deephyper.objective import Direction, objective_to_cell

if TYPE_CHECKING:
    from deephyper.search.record import Evaluation

FILE_NAME = "results.csv"
COLUMNS = (
    "objective",
    "id",
    "elapsed_sec",
    "status",
    "worker",
    "start",
    "end",
    "failure",
    "predicted",
    "predicted_std",
)
"""objective: empty where the evaluation failed; elapsed_sec: seconds from start to end; start, end:
seconds since the epoch; failure: kind and message; predicted, predicted_std: what the optimizer's
model expected of the point when it proposed it."""


DIRECTION = "direction"
"""The column after those that says "minimize" in every row of a search that does."""

MISSING: Any = object()
"""In place of a value that an evaluation doesn't have."""


@dataclass(frozen=True)
class Columns:
    """The columns of a results file.

    Attributes:
        names: the hyperparameters.
        step: whether there is a column for the step of pruned evaluations.
        metrics: the metrics.
        direction: says which objectives are better. One for it is in files of searches that
            minimize, so that whoever reads them knows.
    """

    names: tuple[str, ...]
    step: bool = False
    metrics: tuple[str, ...] = ()
    direction: Direction = "maximize"

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        evaluations: Iterable[Evaluation],
        direction: Direction = "maximize",
    ) -> Columns:
        """Return the columns that these evaluations need."""
        step, metrics = False, dict[str, None]()
        for evaluation in evaluations:
            outcome = evaluation.outcome
            if outcome is not None:
                step = step or outcome.step is not None
                if outcome.metrics:
                    metrics |= dict.fromkeys(outcome.metrics)
        return cls(tuple(names), step, tuple(metrics), direction)

    def fits(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation has a cell for everything that it came to."""
        outcome = evaluation.outcome
        assert outcome is not None
        if outcome.step is not None and not self.step:
            return False
        return not outcome.metrics or set(outcome.metrics) <= {*self.metrics}

    @cached_property
    def header(self) -> list[str]:
        """Titles, in their order."""
        own = [*self.names, *COLUMNS]
        if self.direction == "minimize":
            own.append(DIRECTION)
        if self.step:
            own.append("m:step" if "step" in self.names else "step")
        taken = {*own}
        return [*own, *(f"m:{name}" if name in taken else name for name in self.metrics)]

    def row(self, evaluation: Evaluation) -> list[Any]:
        """Return the values of an evaluation under their titles; :data:`MISSING` for none."""
        row, first = self._values(evaluation), len(self.names)
        for i, name in enumerate(COLUMNS, first):
            if name in _DECIMALS and row[i] is not MISSING:
                row[i] = round(row[i], _DECIMALS[name])
        row[first + COLUMNS.index("id")] = int(evaluation.job.id)
        return row

    def cells(self, evaluation: Evaluation) -> list[str]:
        """Return the cells of an evaluation."""
        values, first = self._values(evaluation), len(self.names)
        others = first + len(COLUMNS)
        own = zip(_FORMATS, values[first:others], strict=True)
        return [
            *map(_cell, values[:first]),
            *["" if v is MISSING else f(v) for f, v in own],
            *map(_cell, values[others:]),
        ]

    def _values(self, evaluation: Evaluation) -> list[Any]:
        """Return what there is to say of an evaluation, in the order of the titles."""
        outcome, value_of = evaluation.outcome, evaluation.job.point.get
        assert outcome is not None
        failure, start = outcome.failure, outcome.start
        predicted, predicted_std = evaluation.predicted or (MISSING, MISSING)
        values = [value_of(name, MISSING) for name in self.names]
        values += (
            MISSING if outcome.objective is None else outcome.objective,
            outcome.job.id,
            outcome.elapsed_sec,
            outcome.status,
            outcome.worker,
            MISSING if start is None else start,
            outcome.end,
            MISSING if failure is None else f"{failure.kind}: {failure.message}",
            predicted,
            predicted_std,
        )
        if self.direction == "minimize":
            values.append(self.direction)
        if self.step:
            values.append(MISSING if outcome.step is None else outcome.step)
        if self.metrics:
            values += [outcome.metrics.get(name, MISSING) for name in self.metrics]
        return values

    def write(self, file: IO[str], evaluations: Iterable[Evaluation]) -> None:
        """Write a whole results file."""
        rows = csv.writer(file)
        rows.writerow(self.header)
        commas = len(self.header) - 1
        for evaluation in evaluations:
            cells = self.cells(evaluation)
            line = ",".join(cells)
            needs_quotes = '"' in line or "\n" in line or "\r" in line or line.count(",") != commas
            if not needs_quotes:
                file.write(f"{line}\r\n")  # as a csv.writer does, which takes much longer
            else:
                rows.writerow(cells)


def _cell(value: Any) -> str:
    """Return the cell of a hyperparameter or a metric."""
    if type(value) is float:  # as nearly all are
        return repr(value)
    return "" if value is MISSING else format_cell(value)


_DECIMALS = {"elapsed_sec": 6, "start": 3, "end": 3}
# In the order of COLUMNS.
_FORMATS: tuple[Callable[[Any], str], ...] = tuple(
    f"{{:.{_DECIMALS[name]}f}}".format
    if name in _DECIMALS
    else "{:.6g}".format
    if name.startswith("predicted")
    else objective_to_cell
    if name == "objective"
    else str
    for name in COLUMNS
)
