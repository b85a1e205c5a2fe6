"""``deephyper tell``: what came of a point that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from deephyper.core.cli.option_groups import UserPath
from deephyper.core.cli.wait import with_wait
from deephyper.errors import SettingsError
from deephyper.printable import printable


# A negative objective begins as an option does.
@click.command("tell", context_settings={"ignore_unknown_options": True})
@click.argument("log_dir", metavar="DIR", type=UserPath(directory=True))
@click.argument("id_", metavar="ID")
@click.argument("objective", metavar="[OBJECTIVE]", required=False)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME=VALUE",
    help="A further number; may be repeated.",
)
@click.option("--failed", metavar="REASON", help="It failed; in place of OBJECTIVE.")
@with_wait
def tell(
    log_dir: Path,
    id_: str,
    objective: str | None,
    metrics: tuple[str, ...],
    failed: str | None,
    wait: float | None,
) -> None:
    """Say what came of a point that deephyper ask has printed: its objective, or that it failed."""
    if (objective is None) == (failed is None):
        given = "give OBJECTIVE or --failed REASON" + ("" if failed is None else ", not both")
        raise click.UsageError(given, click.get_current_context())
    read = {name: _number(f"the metric '{name}'", v) for name, v in _pairs(metrics)}
    told: float | str = f"F_{failed}" if objective is None else _number("the objective", objective)
    from deephyper.ask_tell.search_directory import SearchDirectory

    SearchDirectory(log_dir, notify=_tell, wait=wait).tell(id_, told, read)


def _pairs(metrics: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [metric.partition("=") for metric in metrics]
    for (name, equals, _), metric in zip(pairs, metrics, strict=True):
        if not (name and equals):
            raise SettingsError(f"--metric '{metric}' is not NAME=VALUE, such as loss=0.25")
    return [(name, value) for name, _, value in pairs]


def _number(what: str, text: str) -> float:
    """Return the number that a text is.

    Raises:
        SettingsError: if it isn't a finite one.
    """
    import math

    try:
        number = float(text.replace("_", " "))  # which Python alone would read as a part of it
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SettingsError(
            f"{what} is '{text}', not a finite number; give one, or --failed REASON for a failed "
            "evaluation"
        )
    return number


def _tell(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
