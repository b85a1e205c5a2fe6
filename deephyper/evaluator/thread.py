"""Evaluations in threads of this process: light, for functions that wait or release the GIL.

A thread can't be killed. One that runs past its time limit is left behind, its slot gets a new
thread, and since all are daemon threads none keeps the program from ending.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.evaluator import LOAD_SECONDS, Evaluator
from deephyper.evaluator.run_function import Function, RunFunction, evaluate
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.job import Job, Objective

_Jobs = queue.SimpleQueue[Job | None]
"""The queue that a thread takes its jobs from; None ends it. It also identifies the thread."""
_Said = queue.SimpleQueue[tuple[_Jobs, JobMessage]]


class ThreadEvaluator(Evaluator):
    """Evaluates in daemon threads. See :class:`~deephyper.evaluator.Evaluator`.

    What an evaluation prints can't be separated from the rest, so ``output_dir`` has no effect.
    """

    method = "thread"
    can_kill = False

    def __init__(
        self,
        run: str | Function | RunFunction,
        num_workers: int = 1,
        *,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            run,
            num_workers,
            timeout=timeout,
            num_cpus_per_task=num_cpus_per_task,
            num_gpus_per_task=num_gpus_per_task,
            clock=clock,
        )
        if self.num_gpus_per_task:
            raise EvaluatorError(
                "threads share one CUDA_VISIBLE_DEVICES, so they can't be given GPUs; "
                "use the process evaluator"
            )
        self._function: Function | None = None
        self._said: _Said = queue.SimpleQueue()
        self._threads: dict[int, _Jobs] = {}  # by slot

    def _check(self, limit: float) -> None:
        self._function = self.run_function.load()

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        if self._function is None:
            self._check(LOAD_SECONDS)
        assert self._function is not None
        if slot not in self._threads:
            self._threads[slot] = queue.SimpleQueue()
            threading.Thread(
                target=_serve,
                args=(self._function, self._threads[slot], self._said, self.clock.now),
                name=f"deephyper-worker-{slot}",
                daemon=True,
            ).start()
        self._threads[slot].put(job)
        return f"{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        said = []
        try:
            said.append(self._said.get(block=timeout > 0, timeout=timeout))
            while True:
                said.append(self._said.get_nowait())
        except queue.Empty:
            # A thread that was left behind may still send messages of its job.
            current = {id(jobs) for jobs in self._threads.values()}
            return [message for jobs, message in said if id(jobs) in current]

    def _stop(self, job_id: str, slot: int) -> None:
        # The thread ends after its job, which it can't leave; the slot's next job gets a new one.
        self._threads.pop(slot).put(None)

    def _close(self) -> None:
        for jobs in self._threads.values():
            jobs.put(None)
        self._threads.clear()


def _serve(function: Function, jobs: _Jobs, said: _Said, now: Callable[[], float]) -> None:
    while (job := jobs.get()) is not None:
        start = now()
        said.put((jobs, JobStarted(job.id, start)))
        result = evaluate(function, job.point, partial(_report, jobs, said, now, job.id))
        said.put((jobs, JobEnded(job.id, result, start, now())))


def _report(
    jobs: _Jobs,
    said: _Said,
    now: Callable[[], float],
    job_id: str,
    step: int,
    objective: Objective,
    metrics: Mapping[str, float],
) -> None:
    said.put((jobs, JobReported(job_id, step, objective, now(), metrics)))
