"""A search from outside: how it stands, and points for a loop that someone else runs.

``SearchDirectory("search").status()`` says how the search in a log directory stands, and changes
nothing. With :meth:`.SearchDirectory.create`, ``ask`` and ``tell`` points are evaluated by whoever
asks for them: other programs, people, several of them at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.ask_tell.search_directory import Asked, SearchDirectory
    from deephyper.ask_tell.status import Status, read_status

__all__ = ["Asked", "SearchDirectory", "Status", "read_status"]


__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Asked": "deephyper.ask_tell.search_directory",
        "SearchDirectory": "deephyper.ask_tell.search_directory",
        "Status": "deephyper.ask_tell.status",
        "read_status": "deephyper.ask_tell.status",
    },
)
