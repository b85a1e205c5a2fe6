"""The file that an evaluation prints into."""

from __future__ import annotations

import os
from pathlib import Path

_TAIL_BYTES = 4000


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
