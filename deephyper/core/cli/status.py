"""``deephyper status``: how a search stands."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath
from deephyper.printable import one_printable_line, printable

if TYPE_CHECKING:
    from deephyper.ask_tell.status import Status

_SHOWN = 10
"""Evaluations without an end that are shown."""


@click.command("status")
@click.argument("log_dir", metavar="DIR", type=UserPath(directory=True))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def status(log_dir: Path, as_json: bool) -> None:
    """Say how the search in a log directory stands: it may be running, or have ended.

    Files are read alone, so nothing disturbs a search that runs.
    """
    from deephyper.ask_tell.status import read_status

    found = read_status(log_dir)
    if as_json:
        print_result(f"{json.dumps(dataclasses.asdict(found))}\n")
    else:
        print_result("".join(f"{line}\n" for line in status_lines(found)))


def status_lines(status: Status) -> list[str]:
    """Return a status for people: one line with all that matters, and indented ones."""
    from deephyper.ask_tell.status import state_text

    return [
        f"{state_text(status)}: {_counts(status)}; {_best(status)}",
        *(f"    {line}" for line in _details(status)),
    ]


def duration_text(seconds: float) -> str:
    """Return a number of seconds for people, with its two largest units: ``2 h 5 min``."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    large = next(i for i, (_, size) in enumerate(units) if whole >= size)
    (name, size), (smaller, small) = units[large], units[large + 1]
    rest = whole % size // small
    return f"{whole // size} {name}" + (f" {rest} {smaller}" if rest else "")


def _counts(status: Status) -> str:
    budget = "" if status.max_evals is None else f" of {status.max_evals}"
    kinds = [
        (status.num_failed, "failed"),
        (status.num_pruned, "ended early"),
        (status.num_paused, "paused"),
        (status.num_running, "asked for" if status.state == "open" else "running"),
        (status.num_unfinished - status.num_running, "to run again"),
    ]
    more = "".join(f", {number} {what}" for number, what in kinds if number)
    plural = "" if status.num_evaluations == 1 and not budget else "s"
    return f"{status.num_evaluations}{budget} evaluation{plural}{more}"


def _best(status: Status) -> str:
    if status.best is None or status.since_improvement_sec is None:
        return "none has an objective"
    ago = duration_text(status.since_improvement_sec)
    return f"best objective {status.best.objective:.6g} (id {status.best.id}, {ago} ago)"


def _details(status: Status) -> list[str]:
    lines: list[str] = []
    owner = status.owner
    if owner is not None:
        sign = "" if owner.alive else ", which is gone"
        host = one_printable_line(owner.host or "another host", 200)
        lines.append(f"process {owner.pid or '?'} on {host}{sign}")
    for each in status.unfinished[:_SHOWN]:
        what = f"evaluation {each.id}"
        if status.state == "open":
            what += " was asked for"
        elif each.worker is None or status.state != "running":
            what += " runs again" if status.state == "running" else " runs again on a resume"
        else:
            what += f" runs on worker {one_printable_line(each.worker, 80)}"
        what += f", {duration_text(each.age_sec)} ago" if status.state == "open" else ""
        what += f" for {duration_text(each.age_sec)}" if status.state == "running" else ""
        what += "" if each.step is None else f", at step {each.step}"
        lines.append(what)
    if len(status.unfinished) > _SHOWN:
        lines.append(f"and {len(status.unfinished) - _SHOWN} more")
    failure = status.last_failure
    if failure is not None:
        ago = duration_text(max(0.0, status.time - failure.time))
        message = one_printable_line(failure.message, 200)
        lines.append(f"last failure: evaluation {failure.id}, {ago} ago: {failure.kind}: {message}")
        if failure.output is not None:
            lines.append(f"    its output: {printable(failure.output)}")
    return lines
