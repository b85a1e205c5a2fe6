"""``deephyper-analytics plot``: pictures of a search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from deephyper.core.cli.option_groups import Number, UserPath
from deephyper.printable import printable


@click.group("plot")
def plot() -> None:
    """Plot a search: a picture as a .png, .svg or .pdf file.

    RESULTS is the results.csv of a search, or its log directory; the search may still be running.
    """


def _kind(name: str, summary: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of what plots, with the options that all of them have."""

    def decorate(make: Callable[..., Any]) -> click.Command:
        def command(results: Path, output: Path | None, force: bool, **options: Any) -> None:
            from deephyper.analytics.plots.figure import check_target, save

            target = check_target(output or f"{name}.png", force=force)
            save(make(results, **options), target, force=force)
            click.echo(printable(f"Saved the plot in {target}."))

        command.__doc__ = make.__doc__
        made: Any = click.argument("results", metavar="RESULTS", type=UserPath())(command)
        made = click.option(
            "--output",
            "-o",
            type=UserPath(),
            metavar="FILE",
            help=f"The file to save in: .png, .svg or .pdf ({name}.png).",
        )(made)
        made = click.option("--force", is_flag=True, help="Replace the file if it is there.")(made)
        made.__click_params__ += getattr(make, "__click_params__", [])
        return plot.command(name, short_help=summary)(made)

    return decorate


@_kind("history", "The objective of each evaluation, and the best so far.")
@click.option(
    "--by",
    type=click.Choice(["evaluations", "time"]),
    default="evaluations",
    show_default=True,
    help="Over the number of evaluations, or over time.",
)
def _history(results: Path, by: Any) -> Any:
    """Plot the objective of each evaluation, and the best so far."""
    from deephyper.analytics.plots.objectives import history

    return history(results, by=by)


@_kind("curves", "Learning curves: what each evaluation has reported.")
def _curves(results: Path) -> Any:
    """Plot learning curves: what each evaluation has reported, step by step."""
    from deephyper.analytics.plots.reports import curves

    return curves(results)


@_kind("timeline", "The workers over time, and their utilization.")
def _timeline(results: Path) -> Any:
    """Plot what the workers did when, and how many of them were busy."""
    from deephyper.analytics.plots.workers import timeline

    return timeline(results)


@_kind("predicted", "What the model expected, against what was found.")
def _predicted(results: Path) -> Any:
    """Plot what the optimizer's model expected of each point, against what was found."""
    from deephyper.analytics.plots.predictions import predicted

    return predicted(results)


@_kind("slices", "The objective against each hyperparameter.")
def _slices(results: Path) -> Any:
    """Plot the objective against each hyperparameter."""
    from deephyper.analytics.plots.hyperparameters import slices

    return slices(results, on_notice=_notice)


@_kind("parallel", "Each evaluation as a line through its values.")
def _parallel(results: Path) -> Any:
    """Plot each evaluation as a line through its values, the better ones on top."""
    from deephyper.analytics.plots.hyperparameters import parallel

    return parallel(results, on_notice=_notice)


@_kind("dependence", "How the objective depends on one or two hyperparameters.")
@click.option(
    "--hyperparameter",
    "-H",
    "names",
    multiple=True,
    metavar="NAME",
    help="One for a plot of its own, two for a map; without, a panel for each.",
)
def _dependence(results: Path, names: tuple[str, ...]) -> Any:
    """Plot how the objective depends on hyperparameters, on average over all others.

    That is what a model of all evaluations expects, with its doubt.
    """
    from deephyper.analytics.plots.effects import dependence

    return dependence(results, names, on_notice=_notice)


@_kind("importance", "Which hyperparameters matter, and which pairs.")
@click.option(
    "--pairs/--no-pairs", default=True, show_default=True, help="Look at interactions of two."
)
@click.option(
    "--best",
    type=Number(min=0, min_open=True, max=1),
    metavar="SHARE",
    help="Within the best share of the space, such as 0.1; all else counts as equally bad.",
)
def _importance(results: Path, pairs: bool, best: float | None) -> Any:
    """Plot which hyperparameters matter, and which pairs, with intervals of 95 %."""
    from deephyper.analytics.plots.effects import importance

    return importance(results, pairs=pairs, best=best, on_notice=_notice)


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
