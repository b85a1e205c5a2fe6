"""The jobs of a Balsam workflow over time: states, utilization, failures.

Balsam records in which states a job was and when. How it ended, the search knows better, where it
has recorded that: a job that a canceled launcher cut off looks to Balsam like one that failed.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

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
# Lines that launchers of ranks print after a program has failed.
_LAUNCHER_LINES = ("srun:", "slurmstepd:", "srun-error:")


@dataclass(frozen=True)
class Change:
    """A job enters a state.

    Attributes:
        time: when, in UTC.
        state: Balsam's name of the state.
        message: Balsam's remark on it.
        ended: how the job ended, as the search knows it; None if it doesn't.
    """

    time: datetime
    state: str
    message: str
    ended: str | None = None

    @property
    def phase(self) -> str:
        """One of :data:`PHASES`."""
        phase = _PHASES.get(self.state, "waiting")
        return phase if self.ended is None or phase in ("waiting", "running") else self.ended

    @property
    def label(self) -> str:
        """The state, or the phase where the search knows better than the state."""
        return self.state if self.phase == _PHASES.get(self.state, "waiting") else self.phase


@dataclass(frozen=True)
class Workflow:
    """The jobs of a workflow.

    Attributes:
        jobs: each job's changes in the order of time, by the job's name.
        reasons: why jobs failed, as the search knows it.
        gaps: start and end of the times between the search's sessions, in which nothing could run.
        in_run: the seconds that jobs spent in ``run``, as the search knows it.
    """

    jobs: dict[str, list[Change]]
    reasons: dict[str, str] = field(default_factory=dict)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    in_run: dict[str, float] = field(default_factory=dict)

    @property
    def states(self) -> Counter[str]:
        """Number of jobs by their last state; by how they ended where the search knows better."""
        return Counter(changes[-1].label for changes in self.jobs.values())

    @property
    def failures(self) -> dict[str, str]:
        """Reasons of failed jobs by name: the search's own, else the last line that one printed."""
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
                own = [line for line in lines if line and not line.startswith(_LAUNCHER_LINES)]
                found[name] = own[-1] if own else changes[-1].state
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
        """Return the number of jobs in each phase from each change on."""
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
        """The largest number of jobs that ran at once."""
        return max((counts["running"] for _, counts in self.timeline()), default=0)

    @property
    def utilization(self) -> float:
        """Mean number of running jobs, divided by ``peak``; 0 if none has ended.

        It is taken from the first start to the last end, without the pauses between sessions. A job
        runs from the start of its program on, imports included.
        """
        busy = sum(self.runs)
        return self._share(busy) if busy else 0.0

    @property
    def utilization_in_run(self) -> float | None:
        """The same for the time that jobs were in ``run``; None where that is unknown."""
        return self._share(sum(self.in_run.values())) if self.in_run and self.runs else None

    def _share(self, busy: float) -> float:
        """Return a share of the seconds that all workers had together."""
        spans = self._spans()
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        pauses = (min(end, last) - max(start, first) for start, end in self.gaps)
        total = last - first - sum((max(p, timedelta()) for p in pauses), timedelta())
        return busy / (total.total_seconds() * self.peak) if total else 1.0

    def _spans(self) -> list[tuple[datetime, datetime]]:
        """Return start and end of each run that has ended."""
        spans = []
        for changes in self.jobs.values():
            for one, other in itertools.pairwise(changes):
                if one.phase == "running" and other.phase != "running":
                    # A job that was cut off is often marked only by the next session.
                    cut = [start for start, _ in self.gaps if one.time < start < other.time]
                    spans.append((one.time, min([other.time, *cut])))
        return spans


def parse_workflow(
    histories: Mapping[str, str],
    ends: Mapping[str, tuple[str, str]] | None = None,
    sessions: Sequence[tuple[float, float]] = (),
    in_run: Mapping[str, float] | None = None,
) -> Workflow:
    """Parse Balsam's state histories.

    Args:
        histories: text by the job's name.
        ends: how jobs ended as the search knows it: "finished", "failed" or "stopped", and the
            reason.
        sessions: when each session of the search began and ended, in seconds since the epoch.
        in_run: the seconds that jobs spent in ``run``, as the search knows it.

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
    ordered = dict(sorted(jobs.items(), key=lambda item: item[1][0].time))
    known = {name: seconds for name, seconds in (in_run or {}).items() if name in jobs}
    return Workflow(ordered, reasons, gaps, known)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)  # as Balsam writes it


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
