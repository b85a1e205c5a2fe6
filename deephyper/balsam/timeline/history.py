"""The histories of a workflow's evaluations, from its database and from the search's journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deephyper.balsam.database import SEARCH_MODULE, connect
from deephyper.errors import HpcError
from deephyper.search import events
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events

_FAILED_STATES = ("RUN_ERROR", "FAILED")


@dataclass(frozen=True)
class Histories:
    """The evaluations of a workflow.

    Attributes:
        states: Balsam's state history of each, by the name of its job.
        ends: how they ended, where the search knows it: "finished", "pruned", "failed" or
            "stopped", and the reason.
        sessions: when each session of the search began and ended, in seconds since the epoch.
        in_run: the seconds that each spent in ``run``, without start-up and imports.
    """

    states: dict[str, str]
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    sessions: list[tuple[float, float]] = field(default_factory=list)
    in_run: dict[str, float] = field(default_factory=dict)


def read_histories(workflow: str) -> Histories:
    """Read a workflow's database and journal.

    Raises:
        HpcError: if there is no such workflow, or it has no evaluations.
        EvaluatorError: if no database is active, or it doesn't answer.
        MissingExtra: if Balsam isn't installed.
        ResultsError: if the journal is damaged.
    """
    models = connect()
    jobs = models.BalsamJob.objects.filter(workflow=workflow)
    if not jobs.exists():
        names = models.BalsamJob.objects.values_list("workflow", flat=True).distinct()
        known = ", ".join(sorted(filter(None, names))[:10]) or "none"
        raise HpcError(f"there is no workflow '{workflow}' in this database; it has {known}")
    searches = jobs.filter(application__startswith=SEARCH_MODULE)
    evaluations = jobs.exclude(application__startswith=SEARCH_MODULE)
    states = dict(evaluations.values_list("name", "state_history"))
    search = searches.first()
    if not states:
        raise _no_evaluations(workflow, search)
    directory = None if search is None else Path(search.working_directory)
    if directory is None or not LogDir(directory).holds_search:
        return Histories(states)
    return _with_journal(workflow, states, directory)


def _no_evaluations(workflow: str, search: Any) -> HpcError:
    if search is not None and search.state in _FAILED_STATES:
        output = Path(search.working_directory, f"{workflow}.out")
        return HpcError(
            f"the search '{workflow}' failed before its first evaluation; '{output}' says why"
        )
    return HpcError(f"the workflow '{workflow}' has no evaluations yet; look again later")


def _with_journal(workflow: str, states: dict[str, str], directory: Path) -> Histories:
    histories = Histories(states)
    sessions = histories.sessions
    for event in read_events(directory):
        if isinstance(event, events.Session):
            sessions.append((event.time, event.time))
        elif sessions:
            sessions[-1] = (sessions[-1][0], event.time)
        if isinstance(event, events.Finished | events.Failure | events.Stopped):
            name = f"{workflow}.{event.id}.{event.attempt}"
            histories.ends[name] = _end(event)
            if not isinstance(event, events.Stopped) and event.start is not None:
                histories.in_run[name] = event.end - event.start
    return histories


def _end(event: events.Finished | events.Failure | events.Stopped) -> tuple[str, str]:
    """Return the status that an attempt ended with, and the reason of a failure."""
    if isinstance(event, events.Failure):
        return "failed", f"{event.kind}: {event.message}"
    if isinstance(event, events.Stopped):
        return "stopped", ""
    early = isinstance(event, events.Pruned | events.Paused)
    return ("pruned" if early else "finished"), ""
