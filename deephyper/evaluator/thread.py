"""Evaluations in threads of this process: light, for functions that wait or release the GIL.

A thread can't be killed. One that runs past its time limit is left behind, its slot gets a new
thread, and since all are daemon threads none keeps the program from ending.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

from deephyper.errors import EvaluatorError
from deephyper.evaluator.evaluator import Ended, Evaluator, Started
from deephyper.evaluator.run_function import Function, evaluate
from deephyper.job import Job

_Jobs = queue.SimpleQueue[Job | None]
_Events = queue.SimpleQueue[tuple[_Jobs, Started | Ended]]


class ThreadEvaluator(Evaluator):
    """Evaluates in daemon threads. See :class:`~deephyper.evaluator.Evaluator`.

    What an evaluation prints can't be told apart from the rest, so ``output_dir`` has no effect.
    """

    method = "thread"
    can_kill = False

    def __init__(self, run: Any, num_workers: int = 1, **options: Any) -> None:
        options["output_dir"] = None
        super().__init__(run, num_workers, **options)
        if self.num_gpus_per_task:
            raise EvaluatorError(
                "threads share one CUDA_VISIBLE_DEVICES, so they can't be given GPUs; "
                "use the process evaluator"
            )
        self._function: Function | None = None
        self._events: _Events = queue.SimpleQueue()
        self._jobs: dict[int, _Jobs] = {}

    def _check(self, limit: float) -> None:
        self._function = self.run_function.load()

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        if self._function is None:
            self._check(math.inf)
        assert self._function is not None
        if slot not in self._jobs:
            self._jobs[slot] = queue.SimpleQueue()
            threading.Thread(
                target=_serve,
                args=(self._function, f"{slot}", self._jobs[slot], self._events),
                name=f"deephyper-worker-{slot}",
                daemon=True,
            ).start()
        self._jobs[slot].put(job)
        return f"{slot}"

    def _wait(self, timeout: float | None) -> Sequence[Started | Ended]:
        events = []
        try:
            events.append(self._events.get(block=timeout != 0, timeout=timeout or None))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            # A thread that was left behind may still report the job that it was on.
            current = {id(jobs) for jobs in self._jobs.values()}
            return [event for jobs, event in events if id(jobs) in current]

    def _stop(self, job_id: str, slot: int) -> None:
        # The thread ends after the job that it can't leave; the slot's next job gets a new one.
        self._jobs.pop(slot).put(None)

    def _close(self) -> None:
        for jobs in self._jobs.values():
            jobs.put(None)
        self._jobs.clear()


def _serve(function: Function, name: str, jobs: _Jobs, events: _Events) -> None:
    while (job := jobs.get()) is not None:
        start = time.time()
        events.put((jobs, Started(job.id, name, start)))
        result = evaluate(function, job.point)
        events.put((jobs, Ended(job.id, result, start, time.time())))
