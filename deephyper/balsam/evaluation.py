"""What Balsam runs for one evaluation; it knows files, not the database.

It is started in the evaluation's own folder, where the evaluator has left ``evaluation.json``:
``{"id", "attempt", "point", "output", "run", "timeout", "ranks", "threads"}``. It writes
``started.json`` ``{"start", "host"}`` when ``run`` begins, and ``result.json`` ``{"start", "end",
"objective" | "failure"}`` at the end, each whole or not at all. The file ``stop`` in the folder
asks it to end without a result; so does SIGTERM, which the launcher sends when its time is over.

On one rank ``run`` is called in a process of its own, so that time limits, output and causes of
death are those of every other evaluator. On several ranks it is called in the rank's own process,
which MPI needs; the value that rank 0 returns counts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from deephyper.errors import DeepHyperError, RunFunctionError
from deephyper.evaluator.evaluator import LOAD_SECONDS
from deephyper.evaluator.output import tail
from deephyper.evaluator.run_function import RunFunction, evaluate
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobStarted
from deephyper.evaluator.worker.process import WorkerProcess, not_loaded_within
from deephyper.job import Failure, Job

EVALUATION_FILE = "evaluation.json"
STARTED_FILE = "started.json"
RESULT_FILE = "result.json"
STOP_FILE = "stop"

_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "ALPS_APP_PE", "SLURM_PROCID")
_LOOK_SECONDS = 0.5  # how soon a request to stop is noticed
_SIGNAL_SECONDS = 0.5
"""How long a failure is held back: SIGTERM goes to all programs of a job in any order, and what a
program says because another one was ended is no result."""
_FAILED = 3  # not 1 or 255, which Balsam would try again
_ENDED_BY_SIGNAL = 128 + signal.SIGTERM


def main() -> int:
    """Run the evaluation in the current folder; the exit status for Balsam."""
    if sys.argv[1:] == ["--check"]:
        return _check()
    spec = json.loads(Path(EVALUATION_FILE).read_text())
    for file in (STARTED_FILE, RESULT_FILE):  # left by a launcher that ended in the midst of it
        if _rank() == 0:
            Path(file).unlink(missing_ok=True)
    if spec["ranks"] > 1:
        # An exception would be taken for one of the run function's, which is called here.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(_ENDED_BY_SIGNAL))
        return _run_on_this_rank(spec)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED_BY_SIGNAL))
    return _run_in_a_process(spec)


def makes_jobs(run: str, limit: float = LOAD_SECONDS) -> bool:
    """Load a run function in a process of its own; whether it specifies BalsamJobs itself.

    Args:
        run: the function as :meth:`RunFunction.dumps` gives it.
        limit: seconds that it may take.

    Raises:
        RunFunctionError: if it can't be loaded.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "deephyper.balsam.evaluation", "--check"],
            input=run,
            capture_output=True,
            text=True,
            timeout=min(limit, LOAD_SECONDS),
        )
    except subprocess.TimeoutExpired as error:
        raise RunFunctionError(not_loaded_within(error.timeout)) from None
    lines = done.stdout.strip().splitlines()
    try:
        reply = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise RunFunctionError(
            f"the process that loaded run ended with status {done.returncode}"
        ) from None
    if "load_error" in reply:
        raise RunFunctionError(reply["load_error"])
    return bool(reply["makes_jobs"])


def _check() -> int:
    """Load the run function whose text comes on standard input, and say what it is."""
    reply: dict[str, Any]
    try:
        run = RunFunction.loads(sys.stdin.read()).load()
    except DeepHyperError as error:
        reply = {"load_error": str(error)}
    except BaseException as error:
        reply = {"load_error": f"run can't be loaded: {type(error).__name__}: {error}"}
    else:
        reply = {"makes_jobs": hasattr(run, "reads_objective")}
    print(f"\n{json.dumps(reply)}", flush=True)
    return 0


def _run_in_a_process(spec: dict[str, Any]) -> int:
    run = Path(spec["run"]).read_text()
    reaper = Reaper()
    process = WorkerProcess(run, reaper, thread_variables(spec["threads"]))
    try:
        process.start(Job(spec["id"], spec["point"], spec["attempt"]), spec["output"])
        outcome = _follow(process, spec)
    finally:
        process.kill()
        reaper.close()
    if outcome is None:
        return 0
    if "failure" in outcome:
        time.sleep(_SIGNAL_SECONDS)
    _write(RESULT_FILE, outcome)
    if "failure" not in outcome:
        return 0
    # Balsam takes the last lines of what is printed as the reason.
    print(f"{outcome['failure']['kind']}: {outcome['failure']['message']}", flush=True)
    return _FAILED


def _follow(process: WorkerProcess, spec: dict[str, Any]) -> dict[str, Any] | None:
    """What to write as the result; None if the evaluation was to stop."""
    start: float | None = None
    limit = math.inf if spec["timeout"] is None else float(spec["timeout"])
    deadline = time.monotonic() + LOAD_SECONDS
    while True:
        left = max(0.0, deadline - time.monotonic())
        for message in process.events(min(_LOOK_SECONDS, left)):
            if isinstance(message, JobStarted):
                start = message.time
                deadline = time.monotonic() + limit
                _write(STARTED_FILE, {"start": start, "host": socket.gethostname()})
            elif isinstance(message, JobEnded):
                return _result(message)
        if Path(STOP_FILE).exists():
            return None
        if time.monotonic() >= deadline:
            return _failed(start, _overdue(start, limit, tail(spec["output"])))


def _run_on_this_rank(spec: dict[str, Any]) -> int:
    for name, value in thread_variables(spec["threads"]).items():
        os.environ.setdefault(name, value)
    if spec["output"] is not None:
        with contextlib.suppress(OSError):
            file = os.open(spec["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.dup2(file, 1)
            os.dup2(file, 2)
    rank = _rank()
    threading.Thread(target=_watch, args=(spec, rank), daemon=True).start()
    try:
        run = RunFunction.loads(Path(spec["run"]).read_text()).load()
    except DeepHyperError as error:
        return _end_rank(rank, None, Failure("exception", str(error)))
    start = time.time()
    if rank == 0:
        _write(STARTED_FILE, {"start": start, "host": socket.gethostname()})
    return _end_rank(rank, start, evaluate(run, spec["point"]))


def _end_rank(rank: int, start: float | None, result: float | Failure) -> int:
    """Write what rank 0 returned, or the first failure of any rank."""
    if isinstance(result, Failure):
        time.sleep(_SIGNAL_SECONDS)
        # Another rank's None is no failure: only rank 0 has to return the objective.
        if rank != 0 and result.kind not in ("exception", "out_of_memory"):
            return 0
        if rank != 0:
            result = dataclasses.replace(result, message=f"rank {rank}: {result.message}")
        if not Path(RESULT_FILE).exists():
            _write(RESULT_FILE, _failed(start, result))
        # The other ranks may be waiting for this one; the launcher of the ranks ends them.
        os._exit(_FAILED)
    if rank == 0:
        _write(RESULT_FILE, {"start": start, "end": time.time(), "objective": result})
    return 0


def _watch(spec: dict[str, Any], rank: int) -> None:
    limit = math.inf if spec["timeout"] is None else float(spec["timeout"])
    begin = time.time()
    start: float | None = None
    while True:
        time.sleep(_LOOK_SECONDS)
        if start is None and Path(STARTED_FILE).exists():
            with contextlib.suppress(OSError, ValueError):
                start = float(json.loads(Path(STARTED_FILE).read_text())["start"])
        if Path(STOP_FILE).exists():
            os._exit(0)
        end = begin + LOAD_SECONDS if start is None else start + limit
        if time.time() >= end:
            if rank == 0:
                failure = _overdue(start, limit, tail(spec["output"]))
                _write(RESULT_FILE, _failed(start, failure))
            os._exit(_FAILED)


def _overdue(start: float | None, limit: float, text: str) -> Failure:
    if start is None:
        message = not_loaded_within(LOAD_SECONDS)
    else:
        message = f"it ran past its limit of {limit:g} s"
    return Failure("timeout", message, text)


def _result(ended: JobEnded) -> dict[str, Any]:
    if isinstance(ended.result, Failure):
        return {**_failed(ended.start, ended.result), "end": ended.end}
    return {"start": ended.start, "end": ended.end, "objective": ended.result}


def _failed(start: float | None, failure: Failure) -> dict[str, Any]:
    return {"start": start, "end": time.time(), "failure": dataclasses.asdict(failure)}


def _rank() -> int:
    for name in _RANK_VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def _write(name: str, message: dict[str, Any]) -> None:
    """Write a file that nobody can see half-written."""
    draft = Path(f".{name}.{_rank()}")
    draft.write_text(json.dumps(message))
    draft.replace(name)


if __name__ == "__main__":
    sys.exit(main())
