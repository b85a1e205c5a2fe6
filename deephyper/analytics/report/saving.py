"""A report as a file, saved once, or again and again while a search runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from time import sleep

from deephyper.analytics.report.content import Content, read_content
from deephyper.analytics.report.page import MARK, check_library, page_of
from deephyper.checks import real, user_path
from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.safe_files import new_file, save_whole
from deephyper.search.log_dir import LogDir

FORMATS = (".html", ".htm")
INTERVAL = 10.0
"""Seconds between two reports of a search that runs, by default."""
_SHARE = 4.0
"""Making a report takes a fifth of the time at most, with pauses this many times as long."""
_LONGEST_PAUSE = 60.0
"""Seconds after which a report is saved again though nothing has come, so that its page knows that
it is still followed."""
_log = logging.getLogger("deephyper.analytics")


def save_report(
    results: str | os.PathLike[str], path: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Save a report of a search: one HTML page with charts, a table and all that is known.

    Args:
        results: the log directory of a search, which may still run, or a results file.
        path: of the report; ends in .html.
        force: replace a file that is there.

    Raises:
        ResultsError: if the results can't be read, or the file exists or can't be written.
        SettingsError: if an argument isn't a path.
        MissingExtra: if Bokeh isn't installed, which brings the charts.
    """
    target = check_target(path, force=force)
    check_library()
    save_whole(target, page_of(read_content(results)), force=force)


def follow_search(
    log_dir: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    seconds: float = INTERVAL,
    force: bool = False,
    clock: Clock | None = None,
    wait: Callable[[float], None] = sleep,
    on_saved: Callable[[str], None] = _log.info,
) -> None:
    """Save a report of a search again and again until it has ended; the page keeps itself fresh.

    A reader never sees half of a file, because each report is written beside the last one and then
    takes its place.

    Args:
        log_dir: the log directory of a search.
        path: of the report; ends in .html.
        seconds: between two reports; more where making one takes long.
        force: replace a file that is there at first.
        clock: what the time is read from.
        wait: called with the seconds to wait.
        on_saved: called with one line after the first report.

    Raises:
        ResultsError: if the directory holds no search or can't be read, the file exists or can't be
            written, or something else has taken the place of the report.
        SettingsError: if an argument can't be used.
        MissingExtra: if Bokeh isn't installed.
    """
    seconds = real("seconds", seconds, above=0.0, finite=True)
    target = check_target(path, force=force)
    check_library()
    directory = _searched(log_dir)
    clock = clock or Clock()
    first = True
    while True:
        began = clock.monotonic()
        seen = _change(directory)
        content = read_content(directory.path, clock)
        pause = max(seconds, _SHARE * (clock.monotonic() - began))
        if not first:
            _check_ours(target)
        page = page_of(content, pause if content.is_running else None)
        save_whole(target, page, force=force or not first)
        if first:
            on_saved(_told(target, content))
        if not content.is_running:
            return
        first = False
        waited = 0.0
        # A page that is not renewed for a while believes that nobody follows any more.
        while waited < max(pause, _LONGEST_PAUSE) and (waited == 0.0 or _change(directory) == seen):
            wait(pause)
            waited += pause


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Return the path of a file that a report can be saved in, as far as that is known before.

    Raises:
        ResultsError, SettingsError: as :func:`deephyper.safe_files.new_file`.
    """
    return new_file(path, FORMATS, named=".html", force=force)


def _searched(log_dir: str | os.PathLike[str]) -> LogDir:
    from deephyper.ask_tell.status import require_search

    path = user_path("the log directory", log_dir)
    directory = LogDir(path)
    require_search(directory)
    return directory


def _change(directory: LogDir) -> tuple[int, int, int]:
    """Return what differs after something has come to a journal."""
    try:
        found = os.stat(directory.journal)
    except OSError as error:
        raise ResultsError(
            f"'{directory.journal}' can't be read any more ({error.strerror or error}); follow a "
            "search that is there"
        ) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _check_ours(path: Path) -> None:
    """Check that what is to be replaced is a report.

    Raises:
        ResultsError: if it isn't.
    """
    try:
        with open(path, "rb") as file:
            ours = file.read(len(MARK)) == MARK
    except FileNotFoundError:
        return
    except OSError:
        ours = False
    if not ours:
        raise ResultsError(
            f"'{path}' is not a report any more, and is left as it is; follow the search into "
            "another file"
        )


def _told(target: Path, content: Content) -> str:
    if content.is_running:
        return f"Saved the report in {target}, which is kept fresh until the search has ended."
    return f"Saved the report in {target}; the search is not running."
