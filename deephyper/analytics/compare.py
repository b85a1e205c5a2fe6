"""Several searches side by side: how good they were when, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deephyper.analytics.trajectory import Trajectory
from deephyper.errors import SettingsError
from deephyper.objective import Direction

_SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Band:
    """The middle of several searches, and where half of them lie.

    A search without a finished evaluation counts as worse than any other. None is what such ones
    leave unknown.

    Attributes:
        median: of the searches.
        low, high: the quartiles; with two searches the two of them, with one the same.
    """

    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Reached:
    """Evaluations and time that the searches of a group took to reach the target.

    Attributes:
        num_searches: that reached it.
        evaluations: median number over all searches of the group, those that never reached it
            counting as endless; None if that is endless.
        seconds: the same of the seconds from the first start; None also where a file has no times.
    """

    num_searches: int
    evaluations: float | None
    seconds: float | None


@dataclass(frozen=True)
class Difference:
    """A group against the first one, by the best objectives after the last number of evaluations.

    Attributes:
        share_better: of all pairs of a search of this group and one of the first, those in which
            this one is better, equal ones being half.
        p_value: of the two-sided test of Mann and Whitney (1947); None with a single search on
            either side.
        least_p_value: that these numbers of searches could show at most.
    """

    share_better: float
    p_value: float | None
    least_p_value: float


@dataclass(frozen=True)
class Group:
    """The searches of one name.

    Attributes:
        name: as it was given.
        num_searches: how many.
        num_evaluations: the lowest and the highest number of evaluations.
        best: the best objective after each number of evaluations that is compared.
        reached: when the target was reached.
        difference: to the first group; None for that one.
    """

    name: str
    num_searches: int
    num_evaluations: tuple[int, int]
    best: tuple[Band, ...]
    reached: Reached
    difference: Difference | None


@dataclass(frozen=True)
class Comparison:
    """Several groups of searches.

    Attributes:
        direction: says which objectives are better.
        at: the numbers of evaluations after which they are compared. A search with fewer of them
            keeps its best.
        target: the objective to reach.
        groups: in the order in which they were given.
    """

    direction: Direction
    at: tuple[int, ...]
    target: float
    groups: tuple[Group, ...]


def compare(
    searches: Mapping[str, Sequence[Trajectory]],
    *,
    at: Sequence[int] = (),
    target: float | None = None,
) -> Comparison:
    """Compare groups of searches, the searches of a group being repetitions with other seeds.

    Args:
        searches: those of each group by its name; the others are compared with the first.
        at: numbers of evaluations; by default a quarter, half and all of those of the shortest
            search.
        target: the objective whose reaching is timed; None for the one that at least half of the
            searches of the first group have reached after the last number of evaluations.

    Raises:
        SettingsError: if there is no search, if not all have the same direction, a number is below
            1, or the target isn't finite.
    """
    everything = [each for group in searches.values() for each in group]
    if not everything or not all(searches.values()):
        raise SettingsError("there is nothing to compare; give at least one search in each group")
    direction = everything[0].direction
    for each in everything:
        if each.direction != direction:
            raise SettingsError(
                f"the search of '{each.path}' is to {each.direction}, and that of "
                f"'{everything[0].path}' to {direction}; compare searches of the same objective"
            )
    if any(n < 1 for n in at):
        raise SettingsError("searches are compared after at least 1 evaluation")
    shortest = min(each.num_evaluations for each in everything)
    numbers = tuple(sorted({*at} or {max(1, round(share * shortest)) for share in _SHARES}))
    # Of higher is better: an objective that isn't there yet is below all others.
    sign = -1.0 if direction == "minimize" else 1.0
    scores = {
        name: np.array([_scores(each, numbers, sign) for each in group])
        for name, group in searches.items()
    }
    reference = next(iter(scores.values()))[:, -1]
    if target is None:
        # Of two middle searches the worse, so that at least half of them reach it.
        target = _finite(sign * float(np.sort(reference)[(len(reference) - 1) // 2]))
        if target is None:
            raise SettingsError(
                f"half of the searches of '{next(iter(searches))}' have no finished evaluation "
                f"after {numbers[-1]}; say which objective is to be reached"
            )
    elif not math.isfinite(target):
        raise SettingsError(f"the target is {target}; give a finite number")
    groups: list[Group] = []
    for name, group in searches.items():
        counts = [each.num_evaluations for each in group]
        groups.append(
            Group(
                name,
                len(group),
                (min(counts), max(counts)),
                tuple(_band(column, sign) for column in scores[name].T),
                _reached(group, target),
                _difference(scores[name][:, -1], reference) if groups else None,
            )
        )
    return Comparison(direction, numbers, target, tuple(groups))


def _scores(search: Trajectory, numbers: Sequence[int], sign: float) -> list[float]:
    values = [sign * search.best_after(n) for n in numbers]
    return [-math.inf if math.isnan(value) else value for value in values]


def _band(scores: NDArray[np.float64], sign: float) -> Band:
    """Return where the searches of a group lie, shape (number of searches,)."""
    ordered = np.sort(scores)
    # Quartiles are values that were found; between -inf and another value there is none.
    low = ordered[(len(ordered) - 1) // 4]
    high = ordered[len(ordered) - 1 - (len(ordered) - 1) // 4]
    ends = sorted([sign * float(low), sign * float(high)])
    return Band(_finite(sign * _median(scores)), _finite(ends[0]), _finite(ends[1]))


def _median(values: NDArray[np.float64]) -> float:
    """Return the median; of two middle ones of which one is infinite, the lower."""
    ordered = np.sort(values)
    low, high = float(ordered[(len(values) - 1) // 2]), float(ordered[len(values) // 2])
    return 0.5 * (low + high) if math.isfinite(low) else low


def _reached(group: Sequence[Trajectory], target: float) -> Reached:
    times = [each.reaches(target) for each in group]
    known = [each for each in times if each is not None]
    missing = [math.inf] * (len(group) - len(known))
    # Of two middle ones the later, so that one that never reached it is not left out.
    evaluations = -_median(-np.array([n for n, _ in known] + missing, dtype=float))
    seconds = -_median(-np.array([seconds for _, seconds in known] + missing, dtype=float))
    return Reached(len(known), _finite(evaluations), _finite(seconds))


def _difference(scores: NDArray[np.float64], reference: NDArray[np.float64]) -> Difference:
    better = scores[:, None] > reference[None, :]
    equal = scores[:, None] == reference[None, :]
    pairs = math.comb(len(scores) + len(reference), len(scores))
    return Difference(
        float(np.mean(better + 0.5 * equal)),
        _p_value(scores, reference) if min(len(scores), len(reference)) > 1 else None,
        min(1.0, 2.0 / pairs),
    )


def _p_value(scores: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    from scipy.stats import mannwhitneyu, rankdata

    # Ranks, since values may be infinite.
    ranks = rankdata(np.concatenate([scores, reference]))
    n = len(scores)
    if len(np.unique(ranks)) == 1:
        return 1.0
    return float(mannwhitneyu(ranks[:n], ranks[n:], alternative="two-sided").pvalue)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
