"""A search as one HTML page that needs nothing else: charts, a table, failures, findings.

- ``content``: all that a page shows, as plain values
- ``journal``: what only a journal tells
- ``columns``: the table of evaluations, column by column
- ``settings``: the space and the settings, for people
- ``arrays``: numbers as a compressed block of text
- ``page``: the HTML
- ``saving``: the file, once or again and again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.analytics.report.saving import follow_search, save_report

__all__ = ["follow_search", "save_report"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "follow_search": "deephyper.analytics.report.saving",
        "save_report": "deephyper.analytics.report.saving",
    },
)
