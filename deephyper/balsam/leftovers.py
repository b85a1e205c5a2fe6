"""What an earlier session of a search has left in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deephyper.balsam.database import settle_left
from deephyper.search.journal import holds_search, read_events

_STATES = {"finished": "JOB_FINISHED", "failed": "FAILED"}


def settle_leftovers(models: Any, jobs: Any, folder: Path) -> None:
    """Bring a search's evaluations to an end that no launcher has brought to one.

    Balsam is some seconds behind the search, and a launcher that is killed says nothing more; what
    became of an evaluation stands in the journal. What the journal does not know is killed.

    Args:
        jobs: Django's query for its evaluations.
        folder: the search's.
    """
    left = jobs.exclude(state__in=models.END_STATES)
    became = {
        (str(event["id"]), int(event["attempt"])): _STATES[event["event"]]
        for event in (read_events(folder) if holds_search(folder) else ())
        if event["event"] in _STATES
    }
    keys: dict[str, list[Any]] = {state: [] for state in _STATES.values()}
    for job in left.only("job_id", "data"):
        state = became.get((str(job.data.get("id")), int(job.data.get("attempt", 0))))
        if state is not None:
            keys[state].append(job.pk)
    settle_left(models, left, keys)
