"""The importance of hyperparameters: the share of an objective's variance that each is behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.analytics.points import Points, read_points
from deephyper.checks import real, whole
from deephyper.errors import SettingsError
from deephyper.objective import Direction

if TYPE_CHECKING:
    from deephyper.analytics.fanova.shares import Share

FEWEST = 10
"""Finished evaluations that it takes to say anything."""
MOST_ROWS = 10_000
"""Rows of which a model is made at most."""
_EXPLAINED = 0.25
"""A model that explains less of what it has not seen has hardly understood anything."""
_log = logging.getLogger("deephyper.analytics")


@dataclass(frozen=True)
class EffectShare:
    """The share of the objective's variance that an effect has.

    Attributes:
        names: of one hyperparameter, or of the two of a pair, whose interaction it is; empty for
            several effects together.
        share: from 0 to 1; None where there is too little to tell.
        standard_error: of the share.
        low, high: the ends of an interval that holds the true share with a probability of about
            95 %.
    """

    names: tuple[str, ...]
    share: float | None = None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def as_row(self) -> dict[str, Any]:
        """The same as plain values under titles."""
        return {
            "share": self.share,
            "standard_error": self.standard_error,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True)
class Importance:
    """The importance of hyperparameters.

    Attributes:
        hyperparameters: their main effects, the largest first.
        pairs: interactions of two of them, the largest first.
        main_effects: all main effects together.
        explained: the share that the model explains of the variance of evaluations that it hasn't
            seen; negative for a model that is worse than their mean, None where there is none. The
            rest is noise, or wasn't understood.
        num_finished: how many finished evaluations were read.
        num_used: how many of these are far enough apart to tell of the space.
        num_failed, num_pruned: how many were left out because they failed or ended early.
        num_read: how many rows were read, which are drawn at random if the file has many more.
        num_rows: how many rows the file has.
        constants: names of hyperparameters that have one value.
        best: the share of the space outside which all objectives counted as equally bad, or None.
        threshold: the objective that begins this share; all worse ones counted as this one.
        direction: says which objectives are better.
    """

    hyperparameters: tuple[EffectShare, ...]
    pairs: tuple[EffectShare, ...]
    main_effects: EffectShare
    explained: float | None
    num_finished: int
    num_used: int
    num_failed: int
    num_pruned: int
    num_read: int
    num_rows: int
    constants: tuple[str, ...]
    best: float | None
    threshold: float | None
    direction: Direction

    def to_dict(self, k: int | None = None) -> dict[str, Any]:
        """Return it as plain values, with the k first hyperparameters and pairs; all for None."""
        return {
            "hyperparameters": [{"name": e.names[0], **e.as_row} for e in self.hyperparameters[:k]],
            "pairs": [{"names": [*e.names], **e.as_row} for e in self.pairs[:k]],
            "main_effects": self.main_effects.as_row,
            "explained": self.explained,
            "num_finished": self.num_finished,
            "num_used": self.num_used,
            "num_failed": self.num_failed,
            "num_pruned": self.num_pruned,
            "num_read": self.num_read,
            "num_rows": self.num_rows,
            "constants": [*self.constants],
            "best": self.best,
            "threshold": self.threshold,
            "direction": self.direction,
        }


def importance(
    results: str | Path,
    *,
    pairs: bool = True,
    best: float | None = None,
    seed: int = 0,
    on_notice: Callable[[str], None] = _log.warning,
) -> Importance:
    """Return how much of the objective's variance each hyperparameter is behind, and each pair.

    This is functional ANOVA (Hutter, Hoos and Leyton-Brown, "An efficient approach for assessing
    hyperparameter importance", 2014): the variance over the whole space, in which every value is as
    probable as in the space's own ranges and scales, is split into main effects and interactions.
    The model is a Gaussian process; see :mod:`deephyper.analytics.fanova.shares` for the errors. A
    hyperparameter that is inactive in a point has a value there that makes no difference.

    Args:
        results: a ``results.csv``, or the log directory that holds it. Of more than 10,000 rows as
            many are drawn at random.
        pairs: whether to look at interactions of two hyperparameters.
        best: the importance within this best share of the space, above 0 and at most 1: all that
            is worse counts as equally bad. The shares are those for the threshold that is found.
        seed: of the random numbers.
        on_notice: called with one line for what had to be left out, and where there is too little
            to tell; by default it is logged.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if an argument is out of its range.
    """
    seed = whole("seed", seed, 0)
    if best is not None and not 0 < real("best", best) <= 1:
        raise SettingsError(f"best is {best!r}; give a share of the space above 0 and at most 1")
    read = read_points(results, most=MOST_ROWS, seed=seed, on_notice=on_notice)
    return importance_of(read, pairs=pairs, best=best, seed=seed, on_notice=on_notice)


def importance_of(
    read: Points,
    *,
    pairs: bool = True,
    best: float | None = None,
    seed: int = 0,
    on_notice: Callable[[str], None] = _log.warning,
) -> Importance:
    """Return the importance of hyperparameters by points that were read; see :func:`importance`.

    Args:
        read: the points, of which there should be no more than :data:`MOST_ROWS`.
        pairs, best, seed, on_notice: as there.
    """
    names = [column.name for column in read.columns]
    n = len(read.objectives)
    shares, sign = None, 1 if read.direction == "maximize" else -1
    if not names:
        on_notice("no hyperparameter has more than one value, so none can be told to matter")
    elif n < FEWEST:
        on_notice(f"too little to tell: {n} finished evaluations, and it takes {FEWEST} at least")
    else:
        from deephyper.analytics.fanova.matrix import dimension_of, without_gaps
        from deephyper.analytics.fanova.shares import shares_of_variance

        dimensions = [dimension_of(column) for column in read.columns]
        places = without_gaps(dimensions, read.places, seed)
        shares = shares_of_variance(
            dimensions, places, sign * read.objectives, pairs=pairs, best=best, seed=seed
        )
        if shares is None:
            on_notice("all objectives are equal, so nothing can be told to matter")
        elif shares.explained < _EXPLAINED:
            on_notice(
                f"too little to tell: the model explains {max(shares.explained, 0):.0%} of the "
                "variance of evaluations that it has not seen; run more of them"
            )
        elif not any(share.interval[0] > 0 for share in shares.effects.values()):
            on_notice("too little to tell: every share may be 0; run more evaluations")
    found = {} if shares is None else shares.effects
    threshold = None if shares is None else shares.threshold
    effects = [_named(names, effect, share) for effect, share in found.items()]
    return Importance(
        hyperparameters=_ranked(effects, 1) or tuple(EffectShare((name,)) for name in names),
        pairs=_ranked(effects, 2),
        main_effects=EffectShare(()) if shares is None else _named(names, (), shares.alone),
        explained=None if shares is None else shares.explained,
        num_finished=n,
        num_used=0 if shares is None else shares.num_used,
        num_failed=read.left_out.get("failed", 0),
        num_pruned=read.left_out.get("pruned", 0),
        num_read=read.num_read,
        num_rows=read.total,
        constants=read.constants,
        best=best,
        threshold=None if threshold is None else sign * threshold,
        direction=read.direction,
    )


def _named(names: Sequence[str], effect: Sequence[int], share: Share) -> EffectShare:
    return EffectShare(
        tuple(names[k] for k in effect), share.value, share.standard_error, *share.interval
    )


def _ranked(effects: Sequence[EffectShare], size: int) -> tuple[EffectShare, ...]:
    of_size = [effect for effect in effects if len(effect.names) == size]
    return tuple(sorted(of_size, key=lambda effect: effect.share or 0.0, reverse=True))
