"""Findings about a search and its space, in words."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deephyper.analytics.fanova.importance import Importance, importance
from deephyper.analytics.points import Column, Points, columns_of, points_of
from deephyper.analytics.trajectory import Trajectory, trajectory_of
from deephyper.objective import format_objective
from deephyper.printable import one_printable_line
from deephyper.search.results import Row, read_table

if TYPE_CHECKING:
    from deephyper.search.results import Table

Kind = Literal["progress", "ties", "bound", "no_effect", "failures", "failing_region"]
"""progress: whether the best still gets better; ties: how many are as good as the best but for
noise; bound: the best lie at an end of a range; no_effect: a hyperparameter makes no difference;
failures: how many failed, of what; failing_region: where."""

FEWEST = 20
"""Finished evaluations that it takes to speak of bounds and progress."""
TOO_LITTLE = "There is too little to tell; look again after more evaluations."
_TOP_SHARE, _TOP_MOST = 0.1, 50
_END, _NEAR_END = 0.05, 0.15
"""Shares of a range: the best point lies in the first, half of the best ones in the second."""
_MOST_NUMBERS = 20
"""Of so many ints at most each is looked at on its own."""
_FEWEST_NUMBERS = 4
"""Of fewer numbers the best one often is the first or the last."""
_NO_SHARE = 0.02
_UNDERSTOOD = 0.5
"""The share of the variance that a model explains of which no effect of a hyperparameter says that
it has none."""
_SIGNIFICANT = 0.01
_LONGEST = 100
_log = logging.getLogger("deephyper.analytics")


@dataclass(frozen=True)
class Finding:
    """Something to know about a search.

    Attributes:
        kind: see :data:`Kind`.
        text: a sentence or two.
        hyperparameter: that it is about; None for none.
        values: its numbers by name.
    """

    kind: Kind
    text: str
    hyperparameter: str | None
    values: dict[str, Any]


def insight(
    results: str | Path, *, seed: int = 0, on_notice: Callable[[str], None] = _log.warning
) -> list[Finding]:
    """Return what the evaluations of a search say about its space and its course.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        seed: of what is drawn at random to tell effects.
        on_notice: called with one line for what had to be left out or guessed.

    Returns:
        The findings; none where there is too little to tell.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if an argument can't be used.
    """
    table = read_table(results)
    points = points_of(table, results, on_notice)
    effects = None
    if len(points.objectives) >= FEWEST:
        effects = importance(results, seed=seed, on_notice=lambda _: None)
    return findings_of(table, results, points, effects)


def findings_of(
    table: Table, results: str | Path, points: Points | None, effects: Importance | None
) -> list[Finding]:
    """Return what a table says about the space and the course of its search.

    Args:
        table: the results.
        results: where they are from.
        points: its finished evaluations; None if there are none.
        effects: the importance of the hyperparameters; None if it isn't known.
    """
    found: list[Finding] = []
    if points is not None:
        found += _progress(trajectory_of(table, results))
        if len(points.objectives) >= FEWEST:
            found += _ties(points)
            found += _bounds(points)
            found += [] if effects is None else _no_effects(effects)
    found += _failures(table)
    found += _failing_regions(table, results)
    return found


def _progress(search: Trajectory) -> Iterator[Finding]:
    n = search.num_evaluations
    if n < FEWEST:
        return
    best = float(search.best[-1])
    at = next(i for i, value in enumerate(search.best) if value == best) + 1
    idle = n - at
    values = {"evaluations": n, "best_at": at, "best": best}
    shown = f"The best objective, {format_objective(best)}, came at evaluation {at} of {n}"
    if idle >= max(10, n / 3):
        text = (
            f"{shown}, and the {idle} since then were no better. More of the same will hardly "
            "help: confirm the best, or change the space."
        )
    else:
        before = search.best_after(n - max(1, n // 4))
        if math.isnan(before):
            gained = ""
        elif before == best:
            gained = "; a quarter ago it was the same"
        else:
            gained = f"; a quarter ago it was {format_objective(before)}"
        text = f"{shown}{gained}. More evaluations may find a better one."
    yield Finding("progress", text, None, values)


def _ties(points: Points) -> Iterator[Finding]:
    from deephyper.analytics.ties import ties

    found = ties(points)
    if found is None:
        return
    noise = f"{found.noise:.2g}"
    text = (
        f"{found.equal} of {len(points.objectives)} evaluations are statistically tied "
        f"with the best: their objectives are within the noise, whose standard "
        f"deviation is about {noise} there. "
        "Evaluate the best ones again to choose among them: deephyper-analytics confirm."
    )
    yield Finding("ties", text, None, {"noise": found.noise, "equal": found.equal})


def _bounds(points: Points) -> Iterator[Finding]:
    import numpy as np

    n = len(points.objectives)
    sign = -1.0 if points.direction == "minimize" else 1.0
    top = np.argsort(-sign * points.objectives, kind="stable")
    top = top[: min(max(5, math.ceil(_TOP_SHARE * n)), _TOP_MOST)]
    for k, column in enumerate(points.columns):
        ends = _ends(column)
        if ends is None:
            continue
        places = points.places[top, k]
        if math.isnan(places[0]):
            continue
        shown = places[~np.isnan(places)]
        for side, end, number in zip(("lower", "upper"), (0.0, 1.0), ends, strict=True):
            # The outermost int of a few lies further in than that.
            slack = abs(end - column.place(number))
            near = int((abs(shown - end) <= max(_NEAR_END, slack + 1e-9)).sum())
            if abs(places[0] - end) <= max(_END, slack + 1e-9) and 2 * near >= len(shown) >= 5:
                wider = "a higher upper end" if side == "upper" else "a lower lower end"
                wider += ", if there is one" if column.kind == "int" else ""
                text = (
                    f"{near} of the best {len(shown)} evaluations have '{_name(column)}' near the "
                    f"{side} end of its range, {number:g}. Try {wider}."
                )
                yield Finding(
                    "bound",
                    text,
                    column.name,
                    {"end": number, "side": side, "near": near, "of": len(shown)},
                )


def _ends(column: Column) -> tuple[float, float] | None:
    """Return the ends of a range, also of a few numbers in an order; None for what has none."""
    if column.kind == "category" or column.size < _FEWEST_NUMBERS:
        return None
    if not column.values:
        return column.lower, column.upper
    first, last = column.values[0], column.values[-1]
    numbers = isinstance(first, int | float) and isinstance(last, int | float)
    return (first, last) if numbers else None


def _no_effects(found: Importance) -> Iterator[Finding]:
    if found.explained is None or found.explained < _UNDERSTOOD:
        return
    for effect in found.hyperparameters:
        (name,) = effect.names
        pairs = [pair for pair in found.pairs if name in pair.names]
        highs = [each.high for each in (effect, *pairs)]
        if all(high is not None and high < _NO_SHARE for high in highs):
            text = (
                f"'{one_printable_line(name, _LONGEST)}' makes hardly any difference: less than "
                f"{_NO_SHARE:.0%} of the variance is due to it. Leave it at its default."
            )
            yield Finding("no_effect", text, name, {"high": effect.high})


def _failures(table: Table) -> Iterator[Finding]:
    failed = [row for row in table.rows if row.status == "failed"]
    if not failed:
        return
    total = sum(row.status in ("finished", "failed", "pruned") for row in table.rows)
    reasons = Counter(_reason(row) for row in failed)
    reason, count = reasons.most_common(1)[0]
    said = f": {reason}" if count == len(failed) else f"; {count} of them: {reason}"
    text = f"{len(failed)} of {total} evaluations failed{said if reason else '.'}"
    values = {"failed": len(failed), "evaluations": total, "reasons": dict(reasons.most_common(10))}
    yield Finding("failures", text, None, values)


def _reason(row: Row) -> str:
    return one_printable_line(str(row.columns.get("failure") or ""), _LONGEST)


def _failing_regions(table: Table, results: str | Path) -> Iterator[Finding]:
    from scipy.stats import fisher_exact

    failed = [row for row in table.rows if row.status == "failed"]
    others = [row for row in table.rows if row.status in ("finished", "pruned")]
    if len(failed) < 3 or not others:
        return
    # Values that always failed are values too.
    columns, _ = columns_of(table, results, [*failed, *others], lambda _: None)
    regions = [(c, *region) for c in columns if c.size > 1 for region in _regions(c)]
    # One after another: what the first has explained is no sign of the next.
    while True:
        best: tuple[float, Column, str, Callable[[Any], bool], list[list[int]]] | None = None
        for column, phrase, holds in regions:
            bad = sum(holds(row.point.get(column.name)) for row in failed)
            good = sum(holds(row.point.get(column.name)) for row in others)
            if bad < 3 or bad / (bad + good) < 2 * len(failed) / (len(failed) + len(others)):
                continue
            cells = [[bad, good], [len(failed) - bad, len(others) - good]]
            p = float(fisher_exact(cells, alternative="greater").pvalue) * len(regions)
            if p < (_SIGNIFICANT if best is None else best[0]):
                best = p, column, phrase, holds, cells
        if best is None:
            return
        p, column, phrase, holds, ((bad, good), (bad_elsewhere, good_elsewhere)) = best
        text = (
            f"{bad} of {bad + good} evaluations with '{_name(column)}' {phrase} failed, and "
            f"{bad_elsewhere} of {bad_elsewhere + good_elsewhere} others. Leave that out of the "
            "space, or fix it."
        )
        values = {"failed": bad, "evaluations": bad + good, "where": phrase, "p_value": p}
        yield Finding("failing_region", text, column.name, values)
        failed = [row for row in failed if not holds(row.point.get(column.name))]
        others = [row for row in others if not holds(row.point.get(column.name))]
        if len(failed) < 3 or not others:
            return


def _regions(column: Column) -> Iterator[tuple[str, Callable[[Any], bool]]]:
    """Yield parts of a hyperparameter's values: a phrase, and whether a value is in it."""
    if column.values or (column.kind == "int" and column.size <= _MOST_NUMBERS):
        values = column.values or range(int(column.lower), int(column.upper) + 1)
        for value in values[:_TOP_MOST]:
            place = column.place(value)
            yield f"= {one_printable_line(str(value), _LONGEST)}", _is_at(column, place, place)
    if column.values:
        return
    if column.kind == "int":
        numbers = _thirds(column)
        if numbers is None:
            return
        low, high = numbers
        at_low, at_high = column.place(low), column.place(high)
        yield f"at most {low}", _is_at(column, -1.0, at_low)
        yield f"of {high} or more", _is_at(column, at_high, 2.0)
        if low + 1 < high:
            between = column.place(low + 1), column.place(high - 1)
            yield f"from {low + 1} to {high - 1}", _is_at(column, *between)
        return
    third, two = column.value_at(1 / 3), column.value_at(2 / 3)
    yield f"below {third:.3g}", _is_at(column, -1.0, 1 / 3)
    yield f"above {two:.3g}", _is_at(column, 2 / 3, 2.0)
    yield f"between {third:.3g} and {two:.3g}", _is_at(column, 1 / 3, 2 / 3)


def _thirds(column: Column) -> tuple[int, int] | None:
    """Return the last int of the first third of a range, and the first of the last third."""
    low, high = int(column.value_at(1 / 3)), int(column.value_at(2 / 3))
    low -= column.place(low) > 1 / 3 and low > column.lower
    high += column.place(high) < 2 / 3 and high < column.upper
    return (low, high) if low < high else None


def _is_at(column: Column, low: float, high: float) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        return value is not None and low <= column.place(value) <= high

    return holds


def _name(column: Column) -> str:
    return one_printable_line(column.name, _LONGEST)


def as_text(findings: Sequence[Finding], width: int) -> str:
    """Return findings as paragraphs of at most so many characters a line."""
    import textwrap

    if not findings:
        return f"{TOO_LITTLE}\n"
    return "".join(
        textwrap.fill(
            each.text, width, initial_indent="- ", subsequent_indent="  ", break_long_words=False
        )
        + "\n"
        for each in findings
    )
