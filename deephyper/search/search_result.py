"""The result of a search."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.cell import parse_cell
from deephyper.job import Outcome
from deephyper.objective import Direction, best_few, best_of, format_objective
from deephyper.printable import printable
from deephyper.search.budget import Reason
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Evaluation
from deephyper.search.results_file import FILE_NAME, MISSING, Columns

if TYPE_CHECKING:
    import pandas as pd

    from deephyper.analytics.fanova.importance import Importance
    from deephyper.analytics.plots.of_result import ResultPlots

REASONS: dict[Reason, str] = {
    "max_evals": "the evaluation budget is used up",
    "max_steps": "the budget of steps is used up",
    "timeout": "the time limit was reached",
    "exhausted": "every point of the space was evaluated",
    "max_failures": "too many evaluations failed in a row",
    "target": "the target was reached",
    "patience": "too many evaluations in a row were no improvement",
    "done": "the model expects no improvement that is worth further evaluations",
    "interrupted": "it was interrupted",
}
"""Why a search ended, in words."""

_ROWS_SHOWN = 10


@dataclass(frozen=True, repr=False)
class SearchResult:
    """The result of a search.

    Attributes:
        reason: why it ended, see :data:`deephyper.search.budget.Reason`.
        evaluations: all that have ended, in the order in which they did, earlier sessions
            included.
        hyperparameter_names: those of the space.
        log_dir: where its files are; None if it was kept in memory.
        signal: the signal that interrupted it.
        seconds: how long it has lasted, earlier sessions included.
        direction: says which objectives are better.
    """

    reason: Reason
    evaluations: Sequence[Evaluation]
    hyperparameter_names: tuple[str, ...]
    log_dir: Path | None = None
    signal: int | None = None
    seconds: float = 0.0
    direction: Direction = "maximize"

    @property
    def best(self) -> Outcome | None:
        """The finished evaluation with the best objective, the first of equals."""
        return self._summary[0]

    @property
    def best_point(self) -> dict[str, Any] | None:
        """The hyperparameters of the best evaluation."""
        return None if self.best is None else dict(self.best.job.point)

    @property
    def best_objective(self) -> float | None:
        """The best objective."""
        return None if self.best is None else self.best.objective

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of the evaluations, in the order in which they ended."""
        return list(self._outcomes)

    @property
    def num_evaluations(self) -> int:
        """Number of evaluations that have ended."""
        return len(self.evaluations)

    @property
    def num_failures(self) -> int:
        """Number of evaluations that failed."""
        return self._summary[1]

    @property
    def num_pruned(self) -> int:
        """Number of evaluations that were ended early."""
        return self._summary[2]

    @property
    def results_path(self) -> Path | None:
        """The results file; None if the search was kept in memory."""
        return None if self.log_dir is None else LogDir(self.log_dir).results

    def to_dataframe(self) -> pd.DataFrame:
        """Return a pandas DataFrame with one row per evaluation, and the columns of results.csv.

        A column of numbers is one of pandas's numbers, with NaN where a hyperparameter is inactive
        or an evaluation failed; one of booleans is of booleans where none is missing; any other
        holds Python's objects, NaN being what is missing.
        """
        import pandas as pd

        layout = Columns.of(self.hyperparameter_names, self.evaluations, self.direction)
        columns: dict[str, list[Any]] = {name: [] for name in layout.header}
        for evaluation in self.evaluations:
            for values, value in zip(columns.values(), layout.row(evaluation), strict=True):
                values.append(math.nan if value is MISSING else value)
        # As it is read from results.csv.
        columns["worker"] = [parse_cell(str(worker)) for worker in columns["worker"]]
        return pd.DataFrame({n: pd.Series(v, dtype=_dtype(v)) for n, v in columns.items()})

    @property
    def plot(self) -> ResultPlots:
        """Plots of the search: ``result.plot.history()``. They need matplotlib."""
        from deephyper.analytics.plots.of_result import ResultPlots

        return ResultPlots(self._files, has_journal=self.log_dir is not None)

    def importance(
        self, *, pairs: bool = True, best: float | None = None, seed: int = 0
    ) -> Importance:
        """Return which hyperparameters matter; see :func:`deephyper.analytics.importance`.

        Args:
            pairs: whether to look at interactions of two hyperparameters.
            best: the importance within this best share of the space; None for the whole of it.
            seed: of the random numbers.

        Raises:
            ResultsError: if no evaluation has finished, or the files are gone.
            SettingsError: if an argument is out of its range.
        """
        from deephyper.analytics.fanova.importance import importance

        with self._files() as path:
            return importance(path, pairs=pairs, best=best, seed=seed)

    @contextmanager
    def _files(self) -> Iterator[Path]:
        """Give the log directory, or the results in a file that is there for the moment."""
        if self.log_dir is not None:
            yield self.log_dir
            return
        with tempfile.TemporaryDirectory(prefix="deephyper-") as directory:
            path = Path(directory, FILE_NAME)
            columns = Columns.of(self.hyperparameter_names, self.evaluations, self.direction)
            with open(path, "w", encoding="utf-8", newline="") as file:
                columns.write(file, self.evaluations)
            yield path

    def __repr__(self) -> str:
        count = (
            "1 evaluation" if self.num_evaluations == 1 else f"{self.num_evaluations} evaluations"
        )
        failed = f", {self.num_failures} failed" if self.num_failures else ""
        pruned = f", {self.num_pruned} pruned" if self.num_pruned else ""
        lines = [f"SearchResult: {count}{failed}{pruned}; {REASONS[self.reason]}"]
        if self.best is not None:
            lines.append(f"best objective: {format_objective(self.best.objective)}")
            point = self.best.job.point
            lines += [f"    {printable(f'{name}: {value}')}" for name, value in point.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the best evaluations as a table, for notebooks."""
        best = best_few(
            _ROWS_SHOWN, self._finished, lambda outcome: outcome.objective, self.direction
        )
        titles = ["objective", *self.hyperparameter_names, "elapsed_sec"]
        head = "".join(f"<th>{escape(title)}</th>" for title in titles)
        rows = []
        for outcome in best:
            point = outcome.job.point
            cells = [
                format_objective(outcome.objective),
                *(str(point.get(name, "")) for name in self.hyperparameter_names),
                f"{outcome.elapsed_sec:.3g}",
            ]
            rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        summary = escape(repr(self).partition("\n")[0])
        return f"<p>{summary}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    @property
    def _outcomes(self) -> Iterator[Outcome]:
        return (e.outcome for e in self.evaluations if e.outcome is not None)

    @property
    def _finished(self) -> Iterator[Outcome]:
        return (outcome for outcome in self._outcomes if outcome.status == "finished")

    @cached_property
    def _summary(self) -> tuple[Outcome | None, int, int]:
        """The best evaluation, and the numbers of failed and pruned ones.

        Each costs a look at all of them.
        """
        failures = pruned = 0

        def finished() -> Iterator[Outcome]:
            nonlocal failures, pruned
            for outcome in self._outcomes:
                failures += outcome.status == "failed"
                pruned += outcome.status == "pruned"
                if outcome.status == "finished":
                    yield outcome

        best = best_of(finished(), lambda outcome: outcome.objective, self.direction)
        return best, failures, pruned


def _dtype(values: list[Any]) -> type | None:
    """Return the dtype of a pandas column; None leaves it to pandas."""
    kinds = {type(value) for value in values}
    return None if kinds and (kinds <= {int, float} or kinds == {bool}) else object
