"""All that a journal alone tells: the state, settings, reports, and texts of failures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deephyper.analytics.curves import Curves
from deephyper.analytics.report.columns import FailureGroups, failure_text
from deephyper.analytics.report.times import SessionTimes
from deephyper.ask_tell.status import SeenEvents, Status
from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.holder import read_holder
from deephyper.safe_files import last_lines
from deephyper.search import events
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events

_EXAMPLES = 3
"""Failures of a group whose texts are shown: the first ones."""
_MOST_GROUPS = 100
_TEXT_LINES, _OUTPUT_LINES = 40, 20
_LONGEST = 8_000
"""Characters of an excerpt."""


@dataclass(frozen=True)
class FailureExample:
    """A failure with its texts.

    Attributes:
        id: of the evaluation.
        message: its reason, as in a results file.
        text: the end of its traceback; may be empty.
        output: the end of what it printed; may be empty.
    """

    id: str
    message: str
    text: str
    output: str


class SearchJournal:
    """A journal that was read.

    Args:
        directory: the log directory, which holds a search.
        clock: what the time is read from.

    Attributes:
        status: how the search stands.
        curves: what its evaluations have reported.
        began: the event that it begins with.
        session: that of its last session.
        num_sessions: how many there were.
        times: those of its sessions and attempts.

    Raises:
        ResultsError: if the journal can't be read or is damaged.
    """

    def __init__(self, directory: LogDir, clock: Clock | None = None) -> None:
        self._outputs = directory.outputs
        self._failures: dict[int, list[events.Failure]] = {}
        self._groups = FailureGroups()
        self.curves = Curves()
        self.began: events.SearchBegan | None = None
        self.session: events.Session | None = None
        self.num_sessions = 0
        self.times = SessionTimes()
        seen = SeenEvents()
        try:
            for event in read_events(directory.path):
                seen.take((event,))
                self.curves.take(event)
                self.times.take(event)
                self._take(event)
        except KeyError as error:
            raise ResultsError(
                f"'{directory.journal}' is damaged: it tells of evaluation {error.args[0]}, which "
                "was not submitted before; restore it from a copy"
            ) from error
        holder = read_holder(directory.path)
        now = (clock or Clock()).now()
        self.status: Status = seen.status(directory.path, holder, now)
        self.times.end(now if self.status.state == "running" else None)

    def _take(self, event: events.AnyEvent) -> None:
        match event:
            case events.SearchBegan() | events.Resumed():
                if isinstance(event, events.SearchBegan):
                    self.began = event
                self.session = event
                self.num_sessions += 1
            case events.Failure() if not event.retry:
                number = self._groups.add(failure_text(event.kind, event.message))
                kept = self._failures.setdefault(number, [])
                if len(kept) < _EXAMPLES and number < _MOST_GROUPS:
                    kept.append(event)

    def examples(self, title: str) -> list[FailureExample]:
        """Return failures of the group that one belongs to, with their texts.

        Outputs are read in the log directory alone, wherever the journal says that they are: it
        may have been moved, and a report may be passed on.
        """
        number = self._groups.of(title)
        found = self._failures.get(number, []) if number is not None else []
        return [
            FailureExample(
                each.id,
                failure_text(each.kind, each.message),
                _end("\n".join(each.text.rstrip().splitlines()[-_TEXT_LINES:])),
                _end("\n".join(self._output(each))),
            )
            for each in found
        ]

    def _output(self, failure: events.Failure) -> list[str]:
        if failure.output is None:
            return []
        return last_lines(self._outputs / Path(failure.output).name, _OUTPUT_LINES)


def _end(text: str) -> str:
    return text if len(text) <= _LONGEST else f"…{text[-_LONGEST:]}"
