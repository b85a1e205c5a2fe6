"""Any program as a run function: its command line, filled in with a point, and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.command.command import OWN, START, Command
    from deephyper.command.source import FORMS, LAST

__all__ = ["FORMS", "LAST", "OWN", "START", "Command"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Command": "deephyper.command.command",
        "FORMS": "deephyper.command.source",
        "LAST": "deephyper.command.source",
        "OWN": "deephyper.command.command",
        "START": "deephyper.command.command",
    },
)
