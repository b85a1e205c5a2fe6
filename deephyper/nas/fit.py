"""Points of a problem from the results of a search for networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.errors import ProblemError, ResultsError
from deephyper.search.warm_start import Fit

if TYPE_CHECKING:
    from deephyper.nas.problem import NaProblem
    from deephyper.problem.point import Point
    from deephyper.search.results import Row, Table

_WHICH = "give the problem of that search"


class NetworkFit:
    """Makes points of a problem from the rows of a table.

    A choice that the table doesn't have is not filled by its default, as that of a warm start is:
    the network would be one that was never trained.

    Args:
        problem: with a space of networks.
        table: of results.

    Raises:
        ResultsError: the table is of other networks.
    """

    def __init__(self, problem: NaProblem, table: Table) -> None:
        self._fit = Fit(problem, table)
        space = problem.setup.complete().space
        for choice in space.choices:
            if choice.name in self._fit.filled:
                raise ResultsError(
                    f"the results have no column {choice.name!r}, which the networks of the problem"
                    f" need; {_WHICH}"
                )

    def point(self, row: Row) -> Point:
        """Return the point of a row.

        Raises:
            ResultsError: it isn't one of the problem.
        """
        try:
            return self._fit.point(row)
        except ProblemError as error:
            raise ResultsError(
                f"line {row.line} of the results is no point of the problem: {error}; {_WHICH}"
            ) from error
