"""The timeline of a workflow as a table and as a plot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deephyper.balsam.timeline.workflow import Workflow
from deephyper.errors import MissingExtra, ResultsError


def as_table(workflow: Workflow, most: int = 10) -> str:
    """Return a table for a terminal.

    Args:
        workflow: its jobs.
        most: how many failures are listed.
    """
    times = workflow.timeline()
    in_run = workflow.utilization_in_run
    lines = [
        f"evaluations   {len(workflow.jobs)}",
        f"from          {times[0][0]:%Y-%m-%d %H:%M:%S} UTC",
        f"to            {times[-1][0]:%Y-%m-%d %H:%M:%S} UTC",
        f"most at once  {workflow.peak}",
        f"utilization   {workflow.utilization:.0%} of that, start-up and imports included",
        *([] if in_run is None else [f"in run        {in_run:.0%} of that"]),
        f"waited        {_spread(workflow.waits)}",
        f"ran           {_spread(workflow.runs)}",
        "",
        "state          jobs",
        *(f"{state:<14} {count:>4}" for state, count in workflow.states.most_common()),
    ]
    failures = workflow.failures
    if failures:
        lines += ["", f"failed: {len(failures)}"]
        lines += [f"  {name}: {reason[:100]}" for name, reason in list(failures.items())[:most]]
        if len(failures) > most:
            lines.append(f"  and {len(failures) - most} more")
    return "\n".join(lines)


def _spread(seconds: Iterable[float]) -> str:
    values = sorted(seconds)
    if not values:
        return "-"
    low, median, high = values[0], values[len(values) // 2], values[-1]
    return f"{low:.1f} s at least, {median:.1f} s median, {high:.1f} s at most"


def plot(workflow: Workflow, path: Path) -> None:
    """Plot how many jobs waited, ran and had ended at each time.

    Args:
        workflow: its jobs.
        path: the file to write; its suffix decides on the format.

    Raises:
        ResultsError: if it can't be written.
        MissingExtra: if matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "plot") from error
    line = workflow.timeline()
    minutes = [(time - line[0][0]).total_seconds() / 60 for time, _ in line]
    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.step(minutes, [c["running"] for _, c in line], where="post", label="running")
    above.step(minutes, [c["waiting"] for _, c in line], where="post", label="waiting", alpha=0.6)
    above.set_ylabel("evaluations")
    in_run = workflow.utilization_in_run
    also = "" if in_run is None else f", {in_run:.0%} in run"
    above.set_title(f"utilization {workflow.utilization:.0%} of {workflow.peak} at once{also}")
    for phase in ("finished", "failed", "stopped"):
        below.step(minutes, [c[phase] for _, c in line], where="post", label=phase)
    below.set_ylabel("evaluations so far")
    below.set_xlabel("minutes")
    for axes in (above, below):
        axes.legend(loc="upper left")
        axes.set_ylim(bottom=0)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ResultsError(f"'{path}' can't be written: {' '.join(str(error).split())}") from error
