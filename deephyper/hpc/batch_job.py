"""Running a search inside a batch job, and ending it in good time."""

from __future__ import annotations

import math
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

REST_SECONDS = 15.0
"""The time that the search itself may take to end, once its evaluations have ended."""
LARGEST_SHARE = 0.25
"""Share of the remaining time that the end may take, where that time is short."""


def split_grace(left: float, grace: float) -> tuple[float, float]:
    """Divide the end of a batch job between its evaluations and the search itself.

    Args:
        left: seconds until the job ends.
        grace: seconds that running evaluations should have to end.

    Returns:
        Seconds before the job's end at which the search is asked to end, and the part of them that
        running evaluations have.
    """
    margin = min(grace + REST_SECONDS, LARGEST_SHARE * left)
    return margin, min(grace, max(1.0, margin - REST_SECONDS))


def run_search(
    command: Sequence[str], variables: Mapping[str, str], *, seconds: float, grace: float
) -> int:
    """Run a search, pass signals on to it, and ask it to end after a time.

    Args:
        command: of the search.
        variables: its environment.
        seconds: when it is asked to end; infinity for never.
        grace: seconds that running evaluations have from then on.

    Returns:
        The exit status of the search; 0 if its time was over.
    """
    search = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL)

    def forward(number: int, frame: FrameType | None) -> None:
        search.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    status = _wait(search, seconds)
    if status is not None:
        return status
    print(
        f"The batch job's time is nearly over: running evaluations have {grace:g} s to end.",
        flush=True,
    )
    # Not SIGTERM, which a search in a batch job takes for the end of the job.
    for limit in (grace, math.inf):
        search.send_signal(signal.SIGINT)
        if _wait(search, limit) is not None:
            break
    return 0


def _wait(search: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return search.wait(timeout=None if math.isinf(seconds) else max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return None
