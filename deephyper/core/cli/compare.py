"""``deephyper-analytics compare``: several searches side by side."""

from __future__ import annotations

import dataclasses
import glob
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath, Whole
from deephyper.core.cli.status import duration_text
from deephyper.printable import one_printable_line, printable

if TYPE_CHECKING:
    from deephyper.analytics.compare import Band, Comparison, Group
    from deephyper.analytics.trajectory import Trajectory

_SURE = 0.05
_LONGEST_NAME = 30


@click.command("compare")
@click.argument("searches", metavar="[NAME=]RESULTS...", nargs=-1, required=True)
@click.option(
    "--at",
    "at",
    type=Whole(min=1),
    multiple=True,
    metavar="N",
    help="Compare after so many evaluations; may be repeated. By default after a quarter, half and "
    "all of those of the shortest search.",
)
@click.option(
    "--target",
    type=float,
    metavar="VALUE",
    help="The objective whose reaching is timed; by default one that half of the searches of the "
    "first name come to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Save that object in this file instead: .json.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def compare(
    searches: tuple[str, ...],
    at: tuple[int, ...],
    target: float | None,
    as_json: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Compare searches: their best objectives after so many evaluations, and the time to a target.

    RESULTS is the results.csv of a search, or its log directory; *, ? and [] in it stand for
    several. Those of the same NAME are repetitions with other seeds; without one each search stands
    for itself. All are compared with the first.
    """
    if as_json and output is not None:
        raise click.UsageError("--json prints it and --output saves it; give one of them")
    if output is not None:
        from deephyper.safe_files import new_file, save_whole

        output = new_file(output, (".json",), named=".json", force=force)
    from deephyper.analytics.compare import compare as compare_groups

    found = compare_groups(_groups(searches), at=at, target=target)
    text = f"{json.dumps(dataclasses.asdict(found), indent=4)}\n"
    if output is not None:
        save_whole(output, text.encode(), force=force)
        click.echo(printable(f"Saved the comparison in {output}."))
    elif as_json:
        print_result(text)
    else:
        print_result("".join(f"{line}\n" for line in _lines(found)))


def _groups(searches: tuple[str, ...]) -> dict[str, list[Trajectory]]:
    from deephyper.analytics.trajectory import read_trajectory
    from deephyper.search.results_file import FILE_NAME

    groups: dict[str, list[Trajectory]] = {}
    read = set()
    for given in searches:
        name, paths = _named(given)
        for path in paths:
            title = name or _title(path, groups)
            real = os.path.realpath(os.path.join(path, FILE_NAME) if os.path.isdir(path) else path)
            if (name, real) in read:
                twice = f" for '{name}'" if name else ""
                raise click.UsageError(f"'{path}' is given twice{twice}; give each search once")
            read.add((name, real))
            groups.setdefault(title, []).append(read_trajectory(path, _notice))
    return groups


def _named(given: str) -> tuple[str, list[str]]:
    """Return the name in front of paths, empty if there is none, and the paths."""
    name, sign, path = given.partition("=")
    if not sign or os.path.exists(given):
        name, path = "", given
    elif not name or not path:
        raise click.UsageError(f"'{given}' should be NAME=RESULTS")
    if os.path.exists(path) or not glob.has_magic(path):
        return name, [path]
    paths = sorted(glob.glob(path))
    if not paths:
        raise click.UsageError(f"nothing is there that '{path}' stands for; look at the path")
    return name, paths


def _title(path: str, taken: dict[str, list[Trajectory]]) -> str:
    """Return what a search without a name is called: its directory, or its file."""
    real = os.path.realpath(path)
    short = os.path.basename(real)
    if os.path.isfile(real):
        short = os.path.basename(os.path.dirname(real)) or short
    return short if short not in taken else path


def _lines(found: Comparison) -> list[str]:
    way = "lower" if found.direction == "minimize" else "higher"
    repeated = any(group.num_searches > 1 for group in found.groups)
    bands = ", median of the searches and quartiles" if repeated else ""
    best = [["", *(f"after {n}" for n in found.at)]]
    best += [[_name(g), *(_band_text(band) for band in g.best)] for g in found.groups]
    reached = [["", "searches", "evaluations", "time", "better than the first", "p"]]
    reached += [_reached_cells(group) for group in found.groups]
    if len(found.groups) == 1:
        reached = [row[:4] for row in reached]
    return [
        f"Best objective ({way} is better){bands}:",
        *_aligned(best),
        "",
        f"To reach {found.target:.6g}:",
        *_aligned(reached),
        *_doubts(found),
    ]


def _name(group: Group) -> str:
    return one_printable_line(group.name, _LONGEST_NAME)


def _band_text(band: Band) -> str:
    if band.median is None:
        return "none"
    text = f"{band.median:.6g}"
    if band.low == band.high == band.median:
        return text
    ends = ["none" if end is None else f"{end:.4g}" for end in (band.low, band.high)]
    return f"{text} ({ends[0]} to {ends[1]})"


def _reached_cells(group: Group) -> list[str]:
    reached, difference = group.reached, group.difference
    cells = [
        _name(group),
        f"{reached.num_searches} of {group.num_searches}",
        "" if reached.evaluations is None else f"{reached.evaluations:g}",
        "" if reached.seconds is None else duration_text(reached.seconds),
    ]
    if difference is None:
        return [*cells, "", ""]
    p = "" if difference.p_value is None else f"{difference.p_value:.2g}"
    return [*cells, f"{100 * difference.share_better:.0f} % of pairs", p]


def _doubts(found: Comparison) -> list[str]:
    """Return lines that say what the numbers can't tell."""
    lines = []
    differences = [group.difference for group in found.groups if group.difference is not None]
    if any(each.least_p_value > _SURE for each in differences):
        lines.append(
            "So few searches can't show a difference that might not be chance (p below "
            f"{_SURE}); repeat them with other seeds, at least four of each."
        )
    shortest = min(group.num_evaluations[0] for group in found.groups)
    if found.at[-1] > shortest:
        lines.append(
            f"The shortest search has {shortest} evaluations; those with fewer keep their best."
        )
    return ["", *lines] if lines else []


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of cells as lines, with the cells of a column below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "    " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
