"""Results of another search that a new one starts with."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.cell import NOTHING, parse_cell
from deephyper.errors import ProblemError, ResultsError, argument
from deephyper.objective import Direction, Failure, Objective
from deephyper.problem.point import Point, show
from deephyper.search.results import Row, Table, read_table
from deephyper.search.results_file import COLUMNS
from deephyper.sheet import LeftOut

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem
    from deephyper.problem.domain import Domain

Known = list[tuple[Point, Objective | Failure]]
"""Points, each with what came of it."""

_PREFIX = "p:"
"""What the hyperparameters' names begin with in the files of DeepHyper's other versions."""
_TRUTH = {
    True: ("true", "t", "1", "1.0", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"),
    False: ("false", "f", "0", "0.0", "falsch", "faux", "falso", "onwaar"),
}
"""How other tools write booleans, in lower case; spreadsheets do so in the language of the user."""


@dataclass(frozen=True)
class WarmStartReport:
    """The share of a results file that a search learns from, and why not of all of it.

    Attributes:
        total: number of results in the file.
        used: how many of them fit the space.
        left_out: why the others don't, in the order of the file.
        filled: hyperparameters that the file doesn't have, each with its default.
        ignored: columns that are neither hyperparameters of the space nor ones that results have.
    """

    total: int
    used: int
    left_out: list[LeftOut] = field(default_factory=list)
    filled: Point = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def known_results(
    path: str | Path, problem: BaseProblem, direction: Direction = "maximize"
) -> tuple[Known, WarmStartReport]:
    """Return results to learn from, and what is left out, filled and ignored.

    Args:
        path: a results file, or the log directory that holds it.
        problem: the space that the points have to fit.
        direction: says which objectives are better.

    Raises:
        ResultsError: if the file can't be read, or is that of a search in the other direction.
        SettingsError: if it isn't a path.
    """
    table = read_table(path)
    if COLUMNS[-1] in table.header and table.direction != direction:
        raise ResultsError(
            f"'{path}' is of a search to {table.direction} the objective, and this one is to "
            f"{direction} it; give {argument('direction', repr(table.direction), table.direction)}"
        )
    fit = Fit(problem, table)
    known: Known = []
    left_out = table.left_out
    for row in table.rows:
        if row.status == "unreadable":
            continue
        if row.status == "stopped":
            left_out.append(LeftOut(row.line, "it was stopped"))
            continue
        try:
            point = fit.point(row)
        except ProblemError as error:
            left_out.append(LeftOut(row.line, str(error)))
            continue
        if row.status == "failed" or row.objective is None:
            known.append((point, Failure("reported", "known")))
        else:
            known.append((point, row.objective))
    left_out.sort(key=lambda each: each.line)
    report = WarmStartReport(
        table.total, len(known), left_out, fit.filled if known else {}, fit.ignored
    )
    return known, report


class _Missing(Exception):
    """A cell stands for no value, as that of an inactive hyperparameter."""


class Fit:
    """Makes points of a space from the rows of a table.

    Args:
        problem: the space.
        table: the table.

    Attributes:
        filled: hyperparameters that the table doesn't have, each with its default.
        ignored: columns that aren't used.
    """

    def __init__(self, problem: BaseProblem, table: Table) -> None:
        self._problem = problem
        self._sheet = table.sheet
        self._columns = {
            name: column
            for name in problem.hyperparameter_names
            for column in (_PREFIX + name, name)
            if column in table.header
        }
        self.filled = {
            name: domain.accept(problem.space[name].default_value)
            for name, domain in problem.domains.items()
            if name not in self._columns
        }
        used = {*self._columns.values()}
        others = {name for row in table.rows for name in row.point}
        self.ignored = [name for name in table.header if name in others and name not in used]

    def point(self, row: Row) -> Point:
        """Return the point of a row.

        Raises:
            ProblemError: if it isn't one of the space.
        """
        if not self._columns:
            raise ProblemError("it has no hyperparameter of the space")
        given: Point = {}
        for name, column in self._columns.items():
            if column in row.cells:
                with contextlib.suppress(_Missing):
                    given[name] = self._value(self._problem.domains[name], row.cells[column])
        while True:
            point = self._problem.validate(given, complete=True)
            missing = next((n for n in self._columns if n in point and n not in given), None)
            if missing is None:
                return point
            # None and a missing value are the same to some tools.
            domain = self._problem.domains[missing]
            if not _may_be_none(domain):
                cell = row.cells.get(self._columns[missing])
                raise ProblemError(
                    f"its {missing} is empty" if cell is None else _misfit(domain, parse_cell(cell))
                )
            given[missing] = None

    def _value(self, domain: Domain, cell: str) -> Any:
        """Return the value of a domain that a cell stands for.

        Raises:
            ProblemError: if it stands for another value.
            _Missing: if it stands for none.
        """
        for value in self._readings(domain, cell):
            try:
                return domain.accept(value)
            except ProblemError:
                continue
        if cell.strip().lower() in NOTHING:
            raise _Missing
        raise ProblemError(_misfit(domain, parse_cell(self._sheet.number(cell))))

    def _readings(self, domain: Domain, cell: str) -> Iterator[Any]:
        """Give the values that a cell may stand for, what a search would have written first."""
        from deephyper.problem.domain import Choices

        yield parse_cell(cell)
        yield parse_cell(self._sheet.number(cell))
        if not isinstance(domain, Choices):
            return
        yield cell  # a text that looks like a number
        word = cell.strip()
        yield word
        kinds = {type(value) for value in domain.values}
        if bool in kinds:
            yield from (value for value, words in _TRUTH.items() if word.lower() in words)
        if word.lower() in NOTHING:
            yield None


def _may_be_none(domain: Domain) -> bool:
    """Return whether an empty cell can only stand for None."""
    from deephyper.problem.domain import Choices

    if not isinstance(domain, Choices) or None not in domain.values:
        return False
    texts = (value.lower() for value in domain.values if isinstance(value, str))
    # The texts "" and "None" are in quotes in a results file.
    return not any(text in NOTHING and text not in ("", "none") for text in texts)


def _misfit(domain: Domain, value: Any) -> str:
    """Return why a value isn't one of a domain."""
    from deephyper.problem.domain import Range

    what = f"{domain.name} is {show(value)}"
    if isinstance(domain, Range) and type(value) in (int, float) and not math.isnan(value):
        if value < domain.lower:
            return f"{what}, below {domain.lower!r}"
        if value > domain.upper:
            return f"{what}, above {domain.upper!r}"
    return f"{what}, not {domain}"
