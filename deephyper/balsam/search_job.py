"""What Balsam runs for a search: the command line ``deephyper hps``, in the search's folder.

``search.json`` there says what to search; see :class:`deephyper.balsam.request.SearchSpec`. Started
again, by a resubmission or by Balsam itself, the search goes on. Shortly before the launcher ends
its jobs, the search is asked to end by itself, so that running evaluations are stopped in order and
the results are whole.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from deephyper.balsam.slurm import LAUNCH_END
from deephyper.search.budget import DEFAULT_GRACE

SPEC_FILE = "search.json"
WORKFLOW = "DEEPHYPER_WORKFLOW"
"""Variable that names its workflow to the search, which then says how to go on with that."""
_JOURNAL = "journal.jsonl"
_REST_SECONDS = 15.0
"""How long the search itself may take to end, its evaluations having ended."""
_LARGEST_SHARE = 0.25  # of the time that is left, where that is short


def main() -> int:
    """Run the search in the current folder; its exit status, 0 if its time was over."""
    spec = json.loads(Path(SPEC_FILE).read_text())["search"]
    now = time.time()
    left = max(0.0, float(os.environ.get(LAUNCH_END, "inf")) - now)
    margin, grace = last_seconds(left, float(spec["options"].get("--grace", DEFAULT_GRACE)))
    command = command_line(spec, resume=_has_begun(), grace=grace)
    search = subprocess.Popen(command, env=_environment(spec), stdin=subprocess.DEVNULL)

    def forward(number: int, frame: FrameType | None) -> None:
        search.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    status = _wait(search, left - margin)
    if status is not None:
        return status
    print(
        f"The launcher's time is nearly over: running evaluations have {grace:g} s to end.",
        flush=True,
    )
    # Not SIGTERM, which a search in a batch job takes for the end of the job.
    for seconds in (grace, float("inf")):
        search.send_signal(signal.SIGINT)
        if _wait(search, seconds) is not None:
            break
    return 0


def last_seconds(left: float, grace: float) -> tuple[float, float]:
    """How the end is shared out.

    Args:
        left: seconds until the launcher ends.
        grace: seconds that running evaluations are to have.

    Returns:
        How long before the launcher's end the search is asked to end, and how much of that running
        evaluations have.
    """
    margin = min(grace + _REST_SECONDS, _LARGEST_SHARE * left)
    return margin, min(grace, max(1.0, margin - _REST_SECONDS))


def command_line(spec: dict[str, Any], resume: bool, grace: float) -> list[str]:
    """The command that searches.

    Args:
        spec: the search, as ``search.json`` holds it.
        resume: whether the folder holds a search already.
        grace: seconds that running evaluations get at the end, where the spec gives none.
    """
    options = {
        "--problem": spec["problem"],
        "--run": spec["run"],
        "--evaluator": "balsam",
        "--resume" if resume else "--log-dir": ".",
        "--grace": f"{grace:g}",
        **spec["options"],
    }
    if resume:
        options.pop("--warm-start", None)
    words = [word for item in options.items() for word in item]
    return [sys.executable, "-m", "deephyper.core.cli.main", "hps", spec["search"], *words]


def _has_begun() -> bool:
    journal = Path(_JOURNAL)
    if not journal.exists():
        return False
    with journal.open("rb") as file:
        begun = file.readline().endswith(b"\n")
    if not begun:
        # Ended before it could write a line: nothing is known of it.
        journal.unlink()
        Path("results.csv").unlink(missing_ok=True)
    return begun


def _environment(spec: dict[str, Any]) -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        # Modules beside the place of the submission are found here too.
        "PYTHONPATH": os.pathsep.join(filter(None, [path, spec["folder"]])),
        WORKFLOW: spec["workflow"],
    }


def _wait(search: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return search.wait(timeout=None if seconds == float("inf") else max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return None


if __name__ == "__main__":
    sys.exit(main())
