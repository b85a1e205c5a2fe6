"""What Balsam runs for a search: the command line ``deephyper hps``, in the search's folder.

``search.json`` there says what to search; see :class:`deephyper.hpc.request.SearchSpec`. Started
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
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from deephyper.hpc.slurm import LAUNCH_END

SPEC_FILE = "search.json"
WORKFLOW = "DEEPHYPER_WORKFLOW"
"""Variable that names its workflow to the search, which then says how to go on with that."""
_JOURNAL = "journal.jsonl"
_MARGIN_SECONDS = 45.0
"""How long before the launcher's end the search is asked to end."""
_CANCEL_SECONDS = 2.0
"""How long after a SIGTERM from outside running evaluations are stopped."""
_LARGEST_SHARE = 0.25  # of the time that is left, where that is short


def main() -> int:
    """Run the search in the current folder; its exit status, 0 if its time was over."""
    spec = json.loads(Path(SPEC_FILE).read_text())["search"]
    now = time.time()
    launch_end = float(os.environ.get(LAUNCH_END, "inf"))
    margin = min(_MARGIN_SECONDS, _LARGEST_SHARE * max(0.0, launch_end - now))
    command = command_line(spec, resume=_has_begun(), grace=max(1.0, margin - 15.0))
    search = subprocess.Popen(command, env=_environment(spec), stdin=subprocess.DEVNULL)
    cancelled = threading.Event()

    def forward(number: int, frame: FrameType | None) -> None:
        search.send_signal(number)
        if number == signal.SIGTERM and not cancelled.is_set():
            # The evaluations are ended too, and all is killed soon: nothing is left to wait for.
            cancelled.set()
            hurry = threading.Timer(_CANCEL_SECONDS, search.send_signal, [signal.SIGINT])
            hurry.daemon = True
            hurry.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    status = _wait(search, launch_end - margin - now)
    if status is None:
        print("The launcher's time is nearly over: the search ends.", flush=True)
        search.send_signal(signal.SIGTERM)
        search.wait()
        return 0
    return status


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
