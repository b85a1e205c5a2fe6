"""Evaluations in processes of this machine that live on from one evaluation to the next.

A worker is a fresh interpreter, never a fork, so a run function that imports TensorFlow or starts
threads is safe, and what it imports is imported once per worker. It has a process group of its
own: a Ctrl-C in the terminal does not reach it, and it is ended with all that it started.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any, ClassVar

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator.evaluator import Ended, Evaluator, Started
from deephyper.evaluator.worker.process import Reaper, WorkerProcess, tail
from deephyper.job import Failure, Job

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


class ProcessEvaluator(Evaluator):
    """Evaluates in worker processes. See :class:`~deephyper.evaluator.Evaluator`.

    Each worker's numerical libraries are told to use its share of the cores, unless the
    environment already says how many threads they may use.
    """

    method = "process"
    fresh: ClassVar[bool] = False
    """Whether each evaluation gets a process of its own."""

    def __init__(self, run: Any, num_workers: int = 1, **options: Any) -> None:
        super().__init__(run, num_workers, **options)
        self._gpus = (
            share_gpus(visible_gpus(), num_workers, self.num_gpus_per_task)
            if self.num_gpus_per_task
            else None
        )
        self._run_text = self.run_function.dumps()
        self._workers: dict[int, WorkerProcess] = {}
        self._jobs: dict[int, str] = {}
        self._starts: dict[int, float] = {}
        self._outputs: dict[int, str | None] = {}
        self._spares: dict[int, WorkerProcess] = {}
        self._reaper: Reaper | None = None

    def _check(self, limit: float) -> None:
        until = time.monotonic() + limit
        worker = self._worker(0)
        worker.load()
        while not worker.loaded:
            wait(worker.waitables, timeout=0.1)
            if time.monotonic() >= until:
                self._discard(0)
                raise RunFunctionError(
                    f"run could not be loaded within {limit:g} s; see what its file does while "
                    "it is imported"
                )
            for message in worker.receive():
                if "load_error" in message:
                    self._discard(0)
                    raise RunFunctionError(message["load_error"])
                if "died" in message:
                    self._discard(0)
                    raise RunFunctionError(
                        f"the worker process ended while it loaded run: {message['died'].message}"
                    )

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        self._worker(slot).start(job, output)
        self._jobs[slot] = job.id
        self._outputs[slot] = output
        if self.fresh and slot not in self._spares:
            # The next evaluation's interpreter starts while this one runs.
            self._spares[slot] = self._new_worker(slot)
        return f"{slot}"

    def _wait(self, timeout: float | None) -> Sequence[Started | Ended]:
        fds = [fd for slot in self._jobs for fd in self._workers[slot].waitables]
        # Where the system doesn't tell of a death it is seen only by asking.
        most = None if all(self._workers[slot].tells_its_end for slot in self._jobs) else 0.1
        wait(fds, timeout=most if timeout is None else min(timeout, most or timeout))
        events: list[Started | Ended] = []
        for slot in list(self._jobs):
            for message in self._workers[slot].receive():
                event = self._event(slot, message)
                if event is not None:
                    events.append(event)
        return events

    def _event(self, slot: int, message: dict[str, Any]) -> Started | Ended | None:
        job_id = self._jobs.get(slot)
        if job_id is None or "loaded" in message or message.get("id", job_id) != job_id:
            return None
        if "died" in message or "load_error" in message:
            failure: Failure = message.get("died") or Failure("exception", message["load_error"])
            start, output = self._starts.get(slot), self._outputs[slot]
            self._discard(slot)
            failure = Failure(failure.kind, failure.message, tail(output))
            return Ended(job_id, failure, start, time.time())
        if "end" not in message:
            self._starts[slot] = message["start"]
            return Started(job_id, f"{slot}", message["start"])
        del self._jobs[slot]
        self._starts.pop(slot, None)
        if self.fresh:
            self._discard(slot)
        result = Failure(**message["failure"]) if "failure" in message else message["objective"]
        return Ended(job_id, result, message["start"], message["end"])

    def _stop(self, job_id: str, slot: int) -> None:
        self._discard(slot)

    def _close(self) -> None:
        for slot in list(self._workers):
            self._discard(slot)
        for spare in self._spares.values():
            spare.kill()
        self._spares.clear()
        if self._reaper is not None:
            self._reaper.close()

    def _worker(self, slot: int) -> WorkerProcess:
        if slot in self._workers and not self._workers[slot].alive:
            self._discard(slot)  # it died while idle, which is no evaluation's fault
        if slot not in self._workers:
            spare = self._spares.pop(slot, None)
            if spare is not None and not spare.alive:
                spare.kill()
                spare = None
            self._workers[slot] = spare or self._new_worker(slot)
        return self._workers[slot]

    def _new_worker(self, slot: int) -> WorkerProcess:
        try:
            if self._reaper is None:
                self._reaper = Reaper()
            return WorkerProcess(self._run_text, self._reaper, self._environment(slot))
        except OSError as error:
            raise EvaluatorError(
                f"worker process {slot} can't be started ({error.strerror or error}); use fewer "
                "workers, or raise the limits that 'ulimit -a' shows"
            ) from error

    def _discard(self, slot: int) -> None:
        self._workers.pop(slot).kill()
        self._jobs.pop(slot, None)
        self._starts.pop(slot, None)

    def _environment(self, slot: int) -> dict[str, str]:
        share = max(self.num_cpus_per_task, (os.cpu_count() or 1) // self.num_workers)
        variables = thread_variables(share)
        if self._gpus is not None:
            variables["CUDA_VISIBLE_DEVICES"] = self._gpus[slot]
        return variables


def thread_variables(cores: int) -> dict[str, str]:
    """Tell numerical libraries how many threads to use, where the environment doesn't already."""
    return {name: str(cores) for name in _THREAD_VARIABLES if name not in os.environ}


def visible_gpus() -> list[str]:
    """GPUs of this machine that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    variable = os.environ.get("CUDA_VISIBLE_DEVICES")
    if variable is not None:
        return [name.strip() for name in variable.split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(i) for i, line in enumerate(listed.splitlines()) if line.startswith("GPU")]


def share_gpus(gpus: Sequence[str], num_workers: int, per_worker: float) -> list[str]:
    """CUDA_VISIBLE_DEVICES for each worker.

    Args:
        gpus: names of the GPUs.
        num_workers: how many workers share them.
        per_worker: GPUs for each: a whole number, or a fraction such as 0.5, where several
            workers share one.

    Raises:
        EvaluatorError: if there are too few.
    """
    if per_worker < 1:
        workers_per_gpu = int(1 / per_worker + 1e-9)
        needed, groups = (
            -(-num_workers // workers_per_gpu),
            [[worker // workers_per_gpu] for worker in range(num_workers)],
        )
    elif per_worker == int(per_worker):
        count = int(per_worker)
        needed = num_workers * count
        groups = [list(range(w * count, (w + 1) * count)) for w in range(num_workers)]
    else:
        raise EvaluatorError(
            f"num_gpus_per_task is {per_worker}; give a whole number or a fraction below 1"
        )
    if needed > len(gpus):
        raise EvaluatorError(
            f"num_workers={num_workers} with num_gpus_per_task={per_worker:g} needs GPUs: "
            f"{needed}, and there are {len(gpus)}; use fewer workers, or set CUDA_VISIBLE_DEVICES"
        )
    return [",".join(gpus[i] for i in group) for group in groups]
