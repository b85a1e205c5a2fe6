"""The jobs of a Balsam workflow over time: states, utilisation, failures.

Balsam says in which states a job was and when. How it ended is better known by the search, where
that has said so: a job that a cancelled launcher cut off looks to Balsam like one that failed.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deephyper.errors import ResultsError

_CHANGE = re.compile(r"^\s*\[(\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\.\d+)\s+(\w+)\s*\]", re.MULTILINE)
_PHASES = {
    "RUNNING": "running",
    "RUN_DONE": "finished",
    "POSTPROCESSED": "finished",
    "JOB_FINISHED": "finished",
    "RUN_ERROR": "failed",
    "FAILED": "failed",
    "USER_KILLED": "stopped",
}  # every other state is "waiting"
PHASES = ("waiting", "running", "finished", "failed", "stopped")
# What launchers of ranks print after a program has failed.
_NO_REASON = ("srun:", "slurmstepd:", "srun-error:")


@dataclass(frozen=True)
class Change:
    """A job comes into a state, with what Balsam says of it."""

    time: datetime
    state: str
    message: str
    ended: str | None = None  # how, as the search knows it

    @property
    def phase(self) -> str:
        phase = _PHASES.get(self.state, "waiting")
        return phase if self.ended is None or phase in ("waiting", "running") else self.ended

    @property
    def told(self) -> str:
        """The state, or the phase where that is another than the state's own."""
        return self.state if self.phase == _PHASES.get(self.state, "waiting") else self.phase


@dataclass(frozen=True)
class Workflow:
    """What the jobs of a workflow did.

    Attributes:
        jobs: each job's changes in the order of time, by the job's name.
        reasons: why jobs failed, as the search knows it.
        gaps: the times between the sessions of the search, in which nothing could run.
    """

    jobs: dict[str, list[Change]]
    reasons: dict[str, str] = field(default_factory=dict)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def states(self) -> Counter[str]:
        """How many jobs are in each state now; where the search knows of another end, that."""
        return Counter(changes[-1].told for changes in self.jobs.values())

    @property
    def failures(self) -> dict[str, str]:
        """Why each failed job failed: as the search says, else the last line that it printed."""
        found: dict[str, str] = {}
        for name, changes in self.jobs.items():
            if name in self.reasons:
                found[name] = self.reasons[name]
            elif changes[-1].phase == "failed":
                lines = [
                    line.strip()
                    for change in changes
                    if change.phase == "failed"
                    for line in change.message.splitlines()
                ]
                telling = [line for line in lines if line and not line.startswith(_NO_REASON)]
                found[name] = telling[-1] if telling else changes[-1].state
        return found

    @property
    def waits(self) -> list[float]:
        """Seconds from a job's creation to its first start, of those that started."""
        return [
            (start - changes[0].time).total_seconds()
            for changes in self.jobs.values()
            for start in [next((c.time for c in changes if c.phase == "running"), None)]
            if start is not None
        ]

    @property
    def runs(self) -> list[float]:
        """Seconds of each run that has ended."""
        return [(end - start).total_seconds() for start, end in self._spans()]

    def timeline(self) -> list[tuple[datetime, dict[str, int]]]:
        """How many jobs are in each phase from each change on."""
        changes = sorted(
            (change.time, name, number)
            for name, job in self.jobs.items()
            for number, change in enumerate(job)
        )
        counts = dict.fromkeys(PHASES, 0)
        line: list[tuple[datetime, dict[str, int]]] = []
        for time, name, number in changes:
            job = self.jobs[name]
            if number:
                counts[job[number - 1].phase] -= 1
            counts[job[number].phase] += 1
            if line and line[-1][0] == time:
                line.pop()
            line.append((time, dict(counts)))
        return line

    @property
    def peak(self) -> int:
        """The most jobs that ever ran at a time."""
        return max((counts["running"] for _, counts in self.timeline()), default=0)

    @property
    def utilisation(self) -> float:
        """Share of the time from the first start to the last end, without the pauses between
        sessions, in which jobs ran, where ``peak`` of them at every moment is 1; 0 if none has
        ended."""
        spans = self._spans()
        if not spans:
            return 0.0
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        pauses = (min(end, last) - max(start, first) for start, end in self.gaps)
        total = last - first - sum((max(p, timedelta()) for p in pauses), timedelta())
        busy = sum((end - start for start, end in spans), timedelta())
        return busy / (total * self.peak) if total else 1.0

    def _spans(self) -> list[tuple[datetime, datetime]]:
        spans = []
        for changes in self.jobs.values():
            for one, other in itertools.pairwise(changes):
                if one.phase == "running" and other.phase != "running":
                    # A job that was cut off is often marked only by the next session.
                    cut = [start for start, _ in self.gaps if one.time < start < other.time]
                    spans.append((one.time, min([other.time, *cut])))
        return spans


def read_workflow(
    histories: Mapping[str, str],
    ends: Mapping[str, tuple[str, str]] | None = None,
    sessions: Sequence[tuple[float, float]] = (),
) -> Workflow:
    """Make sense of Balsam's state histories.

    Args:
        histories: text by the job's name.
        ends: how jobs ended as the search knows it: "finished", "failed" or "stopped", and why.
        sessions: when each session of the search began and ended, in seconds since the epoch.

    Raises:
        ResultsError: if a history can't be read.
    """
    ends = ends or {}
    jobs = {
        name: _changes(name, text, ends.get(name, (None, ""))[0])
        for name, text in histories.items()
    }
    reasons = {name: why for name, (how, why) in ends.items() if how == "failed" and name in jobs}
    gaps = [(_utc(end), _utc(begin)) for (_, end), (begin, _) in itertools.pairwise(sessions)]
    return Workflow(dict(sorted(jobs.items(), key=lambda item: item[1][0].time)), reasons, gaps)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)  # as Balsam tells it


def _changes(name: str, text: str, ended: str | None) -> list[Change]:
    found = list(_CHANGE.finditer(text))
    if not found:
        raise ResultsError(f"the state history of the job '{name}' can't be read: {text[:80]!r}")
    ends = [*(match.start() for match in found[1:]), len(text)]
    changes = [
        Change(
            datetime.strptime(match[1], "%m-%d-%Y %H:%M:%S.%f"),
            match[2],
            text[match.end() : end].strip(),
            ended,
        )
        for match, end in zip(found, ends, strict=True)
    ]
    return sorted(changes, key=lambda change: change.time)


def as_table(workflow: Workflow, most: int = 10) -> str:
    """A table for a terminal.

    Args:
        most: how many failures are listed.
    """
    times = workflow.timeline()
    lines = [
        f"evaluations   {len(workflow.jobs)}",
        f"from          {times[0][0]:%Y-%m-%d %H:%M:%S} UTC",
        f"to            {times[-1][0]:%Y-%m-%d %H:%M:%S} UTC",
        f"most at once  {workflow.peak}",
        f"utilisation   {workflow.utilisation:.0%} of that",
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
    return f"{values[0]:.1f} s at least, {values[len(values) // 2]:.1f} s median, " + (
        f"{values[-1]:.1f} s at most"
    )


def plot(workflow: Workflow, path: Path) -> None:
    """Draw how many jobs waited, ran and had ended at each time.

    Args:
        path: the file to write; its suffix says in which format.

    Raises:
        ResultsError: if it can't be written, or matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ResultsError("plots need matplotlib; get it with: pip install matplotlib") from error
    line = workflow.timeline()
    minutes = [(time - line[0][0]).total_seconds() / 60 for time, _ in line]
    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.step(minutes, [c["running"] for _, c in line], where="post", label="running")
    above.step(minutes, [c["waiting"] for _, c in line], where="post", label="waiting", alpha=0.6)
    above.set_ylabel("evaluations")
    above.set_title(f"utilisation {workflow.utilisation:.0%} of {workflow.peak} at once")
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
