"""The importance of hyperparameters as a table for people, and as rows for a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deephyper.analytics.fanova.importance import EffectShare, Importance
from deephyper.objective import format_objective
from deephyper.printable import printable

_WIDEST = 60
"""Characters of a name that are shown."""


def as_rows(found: Importance, k: int | None = None) -> list[dict[str, Any]]:
    """Return the k largest main effects and then the k largest pairs, each under its titles.

    The second one of a pair is under "with".
    """
    effects = [*found.hyperparameters[:k], *found.pairs[:k]]
    return [
        {**dict(zip(("name", "with"), effect.names, strict=False)), **effect.as_row}
        for effect in effects
    ]


def as_text(found: Importance, k: int | None = None) -> str:
    """Return the k largest main effects and the k largest pairs as a table."""
    rows = [_row(effect) for effect in found.hyperparameters[:k]]
    if len(found.hyperparameters) > 1:
        rows.append(("all of them, each alone", *_numbers(found.main_effects)))
    pairs = [_row(effect) for effect in found.pairs[:k]]
    titles = ("share", "error", "95% interval")
    table = [("Hyperparameter", *titles), *rows]
    if pairs:
        table += [("", "", "", ""), ("Pair, beyond the two alone", *titles), *pairs]
    width = max(len(row[0]) for row in table)
    lines = [
        f"{name:<{width}}  {share:>7}  {error:>6}  {interval}".rstrip()
        for name, share, error, interval in table
    ]
    return "\n".join([*lines, "", *story(found)]) + "\n"


def _row(effect: EffectShare) -> tuple[str, str, str, str]:
    return " x ".join(_short(name) for name in effect.names), *_numbers(effect)


def _short(name: str) -> str:
    """Return a name as it is shown."""
    text = printable(name)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _numbers(effect: EffectShare) -> tuple[str, str, str]:
    if effect.share is None or effect.low is None or effect.high is None:
        return "?", "?", "?"
    return (
        _percent(effect.share),
        _percent(effect.standard_error or 0.0),
        f"{_percent(effect.low)} to {_percent(effect.high)}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def story(found: Importance) -> list[str]:
    """Return the sentences below the table: what it was made from, and how sure it is."""
    told = f"From {found.num_finished} finished evaluations"
    if 0 < found.num_used < found.num_finished:
        told += f", of which {found.num_used} far enough apart are used"
    if found.num_read < found.num_rows:
        told += f", in {found.num_read} rows drawn at random from {found.num_rows}"
    left_out = [
        f"{count} {what}"
        for count, what in ((found.num_failed, "failed"), (found.num_pruned, "ended early"))
        if count
    ]
    lines = [told + (f"; {_listed(left_out)}, left out." if left_out else ".")]
    if found.explained is not None:
        lines.append(
            f"The model explains {max(found.explained, 0):.1%} of the variance of evaluations that "
            "it has not seen."
        )
    if found.threshold is not None and found.best is not None:
        worse = "above" if found.direction == "minimize" else "below"
        lines.append(
            f"Objectives {worse} {format_objective(found.threshold)} count as equal to it: all but "
            f"the best {100 * found.best:g}% of the space."
        )
    if found.constants:
        lines.append(f"Of one value only: {_listed([*map(_short, found.constants)])}.")
    return lines


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
