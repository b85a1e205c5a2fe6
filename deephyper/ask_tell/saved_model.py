"""The file in which one ask leaves to the next ones what it has fitted.

Fitting takes longer than proposing, and is due again when there are a fifth more results. The file
is a copy of what can be fitted again: one that is missing, damaged or another search's is passed
over.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from deephyper.claim import Claim
from deephyper.errors import ResultsError
from deephyper.optimizer.fitted import Fitted
from deephyper.safe_files import open_to_read

FILE_NAME = "model.json"
_LONGEST = 1 << 24  # bytes


def read_model(log_dir: Path, optimizer: str) -> Fitted | None:
    """Return what an engine has fitted to results of a directory; None if unknown.

    Args:
        log_dir: the directory.
        optimizer: the name of the engine.
    """
    try:
        with os.fdopen(open_to_read(log_dir / FILE_NAME), "rb") as file:
            read = json.loads(file.read(_LONGEST))
    except (OSError, ResultsError, ValueError, RecursionError):
        return None
    if not (isinstance(read, dict) and read.get("optimizer") == optimizer):
        return None
    n_results, values = read.get("results"), read.get("values")
    if type(n_results) is not int or not isinstance(values, dict):
        return None
    return Fitted(n_results, values)


def save_model(claim: Claim, optimizer: str, fitted: Fitted) -> None:
    """Leave what an engine has fitted to the next ask.

    Args:
        claim: to the directory.
        optimizer: the name of the engine.
        fitted: what it has fitted.

    Raises:
        ResultsError: if the claim is gone.
    """
    text = json.dumps(
        {"optimizer": optimizer, "results": fitted.n_results, "values": dict(fitted.values)}
    )

    def write(fd: int) -> None:
        with os.fdopen(fd, "wb", closefd=False) as file:
            file.write(text.encode())

    # Where it can't be written, the next ask fits again.
    with contextlib.suppress(OSError):
        os.close(claim.replace(FILE_NAME, write))
