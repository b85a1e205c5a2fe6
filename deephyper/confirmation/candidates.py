"""The points of a results file that are to be confirmed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.analytics.topk import best_rows
from deephyper.cell import parse_cell
from deephyper.checks import whole
from deephyper.errors import ProblemError, ResultsError, SettingsError
from deephyper.objective import Direction, Objective
from deephyper.problem.point import Point, is_plain, plain, show
from deephyper.search.results import Row, Table
from deephyper.search.warm_start import Fit
from deephyper.sheet import quoted
from deephyper.suggest import with_suggestion

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


@dataclass(frozen=True)
class Candidate:
    """A point that is to be confirmed.

    Attributes:
        point: what ``run`` will be given.
        objective: the best that the search has got from it.
        id: of the evaluation in the search; None where its file has none.
    """

    point: Point
    objective: Objective
    id: int | str | None = None


def key_of(point: Point) -> str:
    """Return a text that points have in common which are one: 1, 1.0 and True are three values."""
    return json.dumps(point, sort_keys=True)


def best_candidates(
    results: str | Path,
    k: int,
    *,
    fixed: Mapping[str, Any] | None = None,
    problem: BaseProblem | None = None,
    on_notice: Callable[[str], None],
) -> tuple[list[Candidate], Direction]:
    """Return the k best distinct points of a results file, best first, and its direction.

    Args:
        results: the file, or the log directory that holds it.
        k: how many.
        fixed: values that hyperparameters have instead of those of the file, where they are
            active; others are added to all points. A :class:`Unread` is read as a value of its
            hyperparameter.
        problem: the space that they are from, which says of which types they are and which
            columns are hyperparameters; None takes them as the file has them.
        on_notice: called with a line for the user.

    Raises:
        ResultsError: if the file can't be read or has fewer points.
        ProblemError: if a point isn't one of the problem.
        SettingsError: if ``k`` is below 1, or a fixed value can't be used.
    """
    k = whole("k", k, 1)
    rows, table = best_rows(results, k, on_notice)
    found = _distinct(rows, table, fixed or {}, problem)
    if len(found) < k == len(rows):  # some of these are the same
        rows, table = best_rows(results, None, _ignore)
        found = _distinct(rows, table, fixed or {}, problem)
    if len(found) < k:
        points = "1 point" if len(found) == 1 else f"{len(found)} different points"
        raise ResultsError(
            f"'{results}' has {points} with an objective, and k is {k}; ask for no more than there "
            "are"
        )
    if problem is not None:
        filled = Fit(problem, table).filled
        if filled:
            values = ", ".join(f"{name} = {show(value)}" for name, value in filled.items())
            on_notice(f"not in '{results}' and so at the default: {values}")
    known = [*table.header] if problem is None else problem.hyperparameter_names
    for name in fixed or {}:
        if name not in known:
            on_notice(
                with_suggestion(
                    f"{quoted(name)} is not a hyperparameter of the search; run is given it too",
                    name,
                    known,
                )
            )
    return found[:k], table.direction


@dataclass(frozen=True)
class Unread:
    """A value as a text, which is yet to be read.

    Attributes:
        text: as a cell of a results file has it; a text without quotes may be its own.
    """

    text: str


def _distinct(
    rows: Sequence[Row],
    table: Table,
    fixed: Mapping[str, Any],
    problem: BaseProblem | None,
) -> list[Candidate]:
    fit = None if problem is None else Fit(problem, table)
    candidates: list[Candidate] = []
    for row in rows:
        assert row.objective is not None
        try:
            point = dict(row.point) if fit is None else fit.point(row)
        except ProblemError as error:
            raise ProblemError(
                f"line {row.line} of the results is no point of the problem: {error}; give the "
                "problem of that search"
            ) from error
        candidates.append(Candidate(point, row.objective, row.columns.get("id")))
    if fixed:
        candidates = _with_fixed(candidates, fixed, problem)
    distinct: dict[str, Candidate] = {}
    for candidate in candidates:
        distinct.setdefault(key_of(candidate.point), candidate)
    return list(distinct.values())


def _with_fixed(
    candidates: Sequence[Candidate], fixed: Mapping[str, Any], problem: BaseProblem | None
) -> list[Candidate]:
    """Return candidates with fixed values."""
    names = dict.fromkeys(name for each in candidates for name in each.point)
    values: Point = {}
    for name, value in fixed.items():
        if problem is not None and name in problem.domains and name not in names:
            raise SettingsError(
                f"{name} can't be fixed, because none of these points has it: its condition is not "
                "met; leave it out"
            )
        values[name] = _value(name, value, _examples(name, candidates, problem))
    found = []
    for each in candidates:
        own = {name: v for name, v in values.items() if name in each.point or name not in names}
        found.append(replace(each, point=each.point | own))
    if problem is not None:
        domains = problem.domains
        if all(name in domains and domains[name].holds(value) for name, value in values.items()):
            for each in found:
                problem.validate(each.point)  # others may depend on what was fixed
    return found


def _examples(
    name: str, candidates: Sequence[Candidate], problem: BaseProblem | None
) -> Sequence[Any]:
    """Return values of a hyperparameter, which show of which types its values are."""
    from deephyper.problem.domain import Choices

    domain = None if problem is None else problem.domains.get(name)
    if isinstance(domain, Choices):
        return domain.values
    return [each.point[name] for each in candidates if name in each.point]


def _value(name: str, given: Any, examples: Sequence[Any]) -> Any:
    """Return the value to fix a hyperparameter at.

    Raises:
        SettingsError: if it isn't one that points hold, or not of the type of the others.
    """
    value = plain(given)
    kinds = {type(example) for example in examples}
    if isinstance(given, Unread):
        is_text = kinds == {str} or given.text in (e for e in examples if isinstance(e, str))
        value = given.text if is_text else parse_cell(given.text)
    if not is_plain(value) or (isinstance(value, float) and not math.isfinite(value)):
        raise SettingsError(
            f"{name} is {show(value)}; give a finite number, a text, True, False or None"
        )
    if kinds == {float} and type(value) is int:
        return float(value)
    if kinds == {int} and type(value) is float and value.is_integer():
        return int(value)
    if kinds and type(value) not in kinds and kinds <= {int, float, bool}:
        wanted = {int: "a whole number", float: "a number", bool: "True or False"}
        named = " or ".join(text for kind, text in wanted.items() if kind in kinds)
        raise SettingsError(f"{name} is {show(value)}; give {named}, as in the results")
    return value


def _ignore(text: str) -> None:
    """Say nothing a second time."""
