"""Loading a run function in a process of its own, to see whether it can be and what kind it is.

The search's process must not import what a run function imports.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from deephyper.balsam.job_spec import BalsamJobSpec
from deephyper.errors import DeepHyperError, RunFunctionError
from deephyper.evaluator.bookkeeping import LOAD_SECONDS
from deephyper.evaluator.run_function import RunFunction
from deephyper.evaluator.worker.worker_process import not_loaded_within


def specifies_jobs(run: RunFunction, limit: float = LOAD_SECONDS) -> bool:
    """Return whether a run function is a :class:`BalsamJobSpec`.

    Args:
        run: the run function.
        limit: seconds that loading it may take.

    Raises:
        RunFunctionError: if it can't be loaded.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "deephyper.balsam.run_check"],
            input=run.dumps(),
            capture_output=True,
            text=True,
            timeout=min(limit, LOAD_SECONDS),
        )
    except subprocess.TimeoutExpired as error:
        raise RunFunctionError(not_loaded_within(error.timeout)) from None
    lines = done.stdout.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise RunFunctionError(
            f"the process that loaded run ended with status {done.returncode}"
        ) from None
    if "error" in answer:
        raise RunFunctionError(answer["error"])
    return bool(answer["specifies_jobs"])


def main() -> int:
    """Load the run function whose text comes on standard input, and print what it is."""
    answer: dict[str, Any]
    try:
        run = RunFunction.loads(sys.stdin.read()).load()
    except DeepHyperError as error:
        answer = {"error": str(error)}
    except BaseException as error:
        answer = {"error": f"run can't be loaded: {type(error).__name__}: {error}"}
    else:
        answer = {"specifies_jobs": isinstance(run, BalsamJobSpec)}
    print(f"\n{json.dumps(answer)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
