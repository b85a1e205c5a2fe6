"""``deephyper-analytics export``: a search in the forms of other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from deephyper.core.cli.option_groups import UserPath
from deephyper.printable import printable

_NAME = click.option(
    "--name", metavar="NAME", help="What it is called there; by default as the log directory."
)
_FORCE = click.option("--force", is_flag=True, help="Replace the file if it is there.")


@click.group("export")
def export() -> None:
    """Give a search to another tool, written by that tool's own library.

    RESULTS is the results.csv of a search, or its log directory. What evaluations have reported
    comes along where there is a log directory.
    """


def _form(
    name: str, default: str, what: str, summary: str
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of what exports, with the argument and the option that all of them have."""

    def decorate(write: Callable[..., None]) -> click.Command:
        def command(results: Path, output: Path, **options: Any) -> None:
            write(results, output, **options)
            click.echo(printable(f"Saved the search in {output}."))

        command.__doc__ = write.__doc__
        made: Any = click.argument("results", metavar="RESULTS", type=UserPath())(command)
        made = click.option(
            "--output",
            "-o",
            type=UserPath(),
            default=default,
            metavar="PATH",
            show_default=True,
            help=what,
        )(made)
        made.__click_params__ += getattr(write, "__click_params__", [])
        return export.command(name, short_help=summary)(made)

    return decorate


@_form(
    "parquet",
    "results.parquet",
    "The file to save in: .parquet.",
    "A table for pandas, Polars, DuckDB.",
)
@_FORCE
def _parquet(results: Path, output: Path, force: bool) -> None:
    """Write a Parquet file with the columns of results.csv and their types."""
    from deephyper.analytics.export import to_parquet

    to_parquet(results, output, force=force, on_notice=_notice)


@_form(
    "optuna",
    "study.db",
    "The storage to save in: .db for SQLite, .log for a journal, which is faster.",
    "A study for Optuna and optuna-dashboard.",
)
@_NAME
@_FORCE
def _optuna(results: Path, output: Path, name: str | None, force: bool) -> None:
    """Write a study in a storage of Optuna's, with what was reported as intermediate values.

    Look at it with: optuna-dashboard sqlite:///study.db
    """
    from deephyper.analytics.export import to_optuna

    to_optuna(results, output, name=name, force=force, on_notice=_notice)


@_form("mlflow", "mlflow.db", "The SQLite database to save in: .db.", "An experiment for MLflow.")
@_NAME
@_FORCE
def _mlflow(results: Path, output: Path, name: str | None, force: bool) -> None:
    """Write an experiment of MLflow's, with a run for each evaluation.

    Look at it with: mlflow ui --backend-store-uri sqlite:///mlflow.db
    """
    from deephyper.analytics.export import to_mlflow

    to_mlflow(results, output, name=name, force=force, on_notice=_notice)


@_form(
    "tensorboard",
    "tensorboard",
    "The new directory to save in.",
    "HParams and curves for TensorBoard.",
)
def _tensorboard(results: Path, output: Path) -> None:
    """Write log files for TensorBoard: HParams, and what was reported as curves.

    Look at them with: tensorboard --logdir tensorboard
    """
    from deephyper.analytics.export import to_tensorboard

    to_tensorboard(results, output, on_notice=_notice)


@_form("wandb", "wandb-runs", "The new directory to save in.", "Offline runs for W&B.")
@_NAME
def _wandb(results: Path, output: Path, name: str | None) -> None:
    """Write offline runs of Weights & Biases, half a second each. Nothing is sent.

    Upload them from the new directory with: wandb sync --sync-all
    """
    from deephyper.analytics.export import to_wandb

    to_wandb(results, output, name=name, on_notice=_notice)


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
