"""The file that an evaluation prints into."""

from __future__ import annotations

import os
from pathlib import Path

from deephyper.errors import EvaluatorError
from deephyper.job import Job
from deephyper.standard_streams import open_apart

_TAIL_BYTES = 4000


def output_file(directory: Path, job: Job) -> str:
    """Return the file for what a job prints, in a directory that exists then.

    Raises:
        EvaluatorError: if the directory can't be made.
    """
    make_directory(directory)
    return str(directory / f"{job.id}.{job.attempt}.log")


def make_directory(directory: Path) -> None:
    """Make the directory for what evaluations print.

    Raises:
        EvaluatorError: if it can't be made.
    """
    if os.path.isdir(directory):
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluatorError(
            f"the directory '{directory}' for what evaluations print can't be made "
            f"({error.strerror or error}); move away what is there, or choose another"
        ) from error


def open_output(path: str) -> int:
    """Return a descriptor that appends to the file; what is there already stays.

    Raises:
        OSError: if it can't be written, or is a link, which somebody else may have put there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return open_apart(path, flags, 0o666)


def tail(path: str | os.PathLike[str] | None) -> str:
    """Return the last lines of a file; empty if there is none or it can't be read."""
    if path is None:
        return ""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text if size <= _TAIL_BYTES else text.partition("\n")[2]
