"""``deephyper.log``: what a search did and why, for people."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from deephyper.errors import ResultsError, argument
from deephyper.search.record import Evaluation

FILE_NAME = "deephyper.log"
_log = logging.getLogger("deephyper.search")


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send the log to a file.

    Raises:
        ResultsError: if the file can't be made.
    """
    logger = logging.getLogger("deephyper")
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be written ({error.strerror or error}); choose another "
            f"{argument('log_dir')}"
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    # The journal and the results say what matters; a log that can't be written is no reason
    # to print tracebacks.
    handler.handleError = lambda record: None  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        with contextlib.suppress(OSError):
            handler.close()


def log_outcome(evaluation: Evaluation) -> None:
    """Write a line on an evaluation that has ended; failures with their text."""
    outcome = evaluation.outcome
    assert outcome is not None
    expected = ""
    if evaluation.predicted is not None:
        mean, std = evaluation.predicted
        expected = f", expected {mean:.6g} ± {std:.3g}"
    if outcome.failure is None:
        _log.info(
            "evaluation %s: objective %.10g%s, %.3f s on worker %s, point %s",
            outcome.job.id,
            outcome.objective,
            expected,
            outcome.elapsed_sec,
            outcome.worker,
            outcome.job.point,
        )
    else:
        _log.warning(
            "evaluation %s failed (%s: %s) after %.3f s on worker %s, point %s%s",
            outcome.job.id,
            outcome.failure.kind,
            outcome.failure.message,
            outcome.elapsed_sec,
            outcome.worker,
            outcome.job.point,
            f"\n{outcome.failure.text.rstrip()}" if outcome.failure.text else "",
        )
