"""``deephyper nas show`` and ``ensemble``: the networks that a search has found."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from deephyper.core.cli import offers
from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath, Whole
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.nas import NaProblem
    from deephyper.nas.ensemble.ensemble import Ensemble
    from deephyper.problem.point import Point
    from deephyper.search.log_dir import LogDir
    from deephyper.search.results import Row, Table

_PROBLEM = click.option(
    "--problem",
    "-p",
    metavar="WHERE",
    shell_complete=offers.where,
    help="The problem; by default the one that the search was started with.",
)
_FORCE = click.option("--force", is_flag=True, help="Replace what is there.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("show")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option("-k", type=Whole(min=1), default=1, show_default=True, metavar="K", help="How many.")
@_PROBLEM
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Save a drawing in this file: .svg. With several networks their ranks are added to it.",
)
@_FORCE
@_JSON
def show(
    results: Path,
    k: int,
    problem: str | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show the best networks of a search, best first: their nodes, and what leads to each.

    RESULTS is the results.csv of a search, or its log directory.
    """
    if output is not None and output.suffix.lower() != ".svg":
        raise click.UsageError(f"'{output}' should be a name that ends in .svg")
    from deephyper.analytics.topk import best_rows
    from deephyper.nas.listing import listing
    from deephyper.safe_files import exists_already, save_whole

    rows, table = best_rows(
        results, k, _notice
    )  # first, so that results that aren't there are said
    found = _problem(problem, results)
    space = found.setup.complete().space
    networks = _networks(found, rows, table)
    files: list[Path | None] = [None] * len(networks)
    if output is not None:
        files = list(_files(output, len(networks)))
        for path in files:
            if path is not None and path.exists() and not force:
                raise exists_already(path)
    told = []
    for network, path in zip(networks, files, strict=True):
        nodes = [each._asdict() for each in listing(space, network.point)]
        told.append({**network._asdict(), "nodes": nodes})
        if path is not None:
            save_whole(path, str(space.plot(network.point)).encode(), force=force)
    if as_json:
        print_result(f"{json.dumps(told, indent=4)}\n")
    else:
        print_result("\n".join(_told(each) for each in told))
    for path in files:
        if path is not None:
            click.echo(printable(f"Saved a drawing in {path}."), err=as_json)


@click.command("ensemble")
@click.argument("log_dir", metavar="LOG_DIR", type=UserPath(directory=True))
@click.option(
    "-k",
    type=Whole(min=1),
    default=5,
    show_default=True,
    metavar="K",
    help="Different networks, at most.",
)
@_PROBLEM
@click.option(
    "--output",
    "-o",
    type=UserPath(directory=True),
    metavar="DIR",
    help="Where its files go; by default LOG_DIR/ensemble.",
)
@_FORCE
@_JSON
def ensemble(
    log_dir: Path, k: int, problem: str | None, output: Path | None, force: bool, as_json: bool
) -> None:
    """Combine the best networks that a search has kept, and average what they predict.

    LOG_DIR is the log directory of a search whose evaluations have kept their models, or the
    results.csv in it. Networks are added greedily, so that the mean of their predictions has the
    lowest loss on the validation data. The ensemble is a Keras model of its own, beside a
    description of it, and its predictions for the validation data with their uncertainty.
    """
    from deephyper.analytics.topk import best_rows
    from deephyper.nas.ensemble.files import ENSEMBLE, check_directory

    best_rows(log_dir, 1, _notice)  # says if there are none
    log_dir = log_dir.parent if log_dir.is_file() else log_dir
    found = _problem(problem, log_dir)
    target = log_dir / ENSEMBLE if output is None else output
    check_directory(target, force=force)
    # Before Keras is imported: no banners.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deephyper.nas.ensemble.ensemble import build_ensemble

    made = build_ensemble(found, log_dir, k, on_notice=_notice)
    made.save(target, force=force)
    if as_json:
        print_result(f"{json.dumps({**made.described(), 'directory': str(target)}, indent=4)}\n")
    else:
        print_result(_described(made))
        click.echo(printable(f"Saved it in {target}."))


class _Ranked(NamedTuple):
    """A network of a search."""

    id: str
    objective: float
    point: Point
    metrics: dict[str, Any]


def _networks(problem: NaProblem, rows: Sequence[Row], table: Table) -> list[_Ranked]:
    from deephyper.nas.fit import NetworkFit

    fit = NetworkFit(problem, table)
    return [
        _Ranked(str(row.columns.get("id", "")), row.objective, fit.point(row), row.metrics)
        for row in rows
        if row.objective is not None
    ]


def _problem(given: str | None, results: Path) -> NaProblem:
    """Return the problem of a search, by the command line or by the journal of the search."""
    from deephyper.loading import load_object
    from deephyper.nas.run_function import require_na_problem
    from deephyper.search.log_dir import LogDir

    if given is None:
        given = _journalled(LogDir(results if results.is_dir() else results.parent))
    return require_na_problem(load_object(given, "Problem"))


def _journalled(log_dir: LogDir) -> str:
    untrusted = log_dir.why_not_trusted() if log_dir.holds_search else "there is no journal of it"
    command = log_dir.start_command() if untrusted is None else None
    where = None if command is None else command.options.get("--problem")
    if command is None or where is None:
        why = untrusted or "the search was started without naming it"
        raise click.UsageError(f"give --problem, because {why} ('{log_dir.path}')")
    if command.directory and command.directory not in sys.path:
        sys.path.append(command.directory)
    return where


def _files(output: Path, number: int) -> list[Path]:
    if number == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{rank}") for rank in range(number)]


def _told(network: dict[str, Any]) -> str:
    """Return a network as lines of text."""
    lines = [f"objective {network['objective']:.6g}, evaluation {network['id']}"]
    nodes = network["nodes"]
    width = max(len(each["node"]) for each in nodes)
    middle = max(len(each["operation"]) for each in nodes)
    for each in nodes:
        sources = f"  <- {', '.join(each['sources'])}" if each["sources"] else ""
        lines.append(f"    {each['node']:{width}}  {each['operation']:{middle}}{sources}".rstrip())
    for name, value in network["metrics"].items():
        lines.append(f"    {name}: {_shown(value)}")
    return printable("\n".join(lines), lines=True) + "\n"


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"


def _described(made: Ensemble) -> str:
    single = made.best_single
    lines = [
        f"{len(made.members)} of {made.num_candidates} networks: loss {made.loss:.6g}, the best of "
        f"them alone {single.loss:.6g} (evaluation {single.id})",
        *(
            f"    {member.weight:5.1%}  evaluation {member.id}, objective {member.objective:.6g}"
            for member in made.members
        ),
        *(f"{name}: {value:.6g}" for name, value in made.metrics.items()),
        *(
            f"{name} uncertainty, mean: {value:.6g}"
            for name, value in made.uncertainty.means.items()
        ),
    ]
    return printable("\n".join(lines), lines=True) + "\n"


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
