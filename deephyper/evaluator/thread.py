"""Evaluations in threads of this process: light, for functions that wait or release the GIL.

A thread can't be killed. One that runs past its time limit is left behind, its slot gets a new
thread, and since all are daemon threads none keeps the program from ending. Threads share the
directory, the streams and the environment of this process; what an evaluation changes is set back.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Mapping, Sequence

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.evaluator import LOAD_SECONDS, Evaluator
from deephyper.evaluator.run_function import Function, RunFunction, evaluate
from deephyper.evaluator.surroundings import Surroundings
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.job import Failure, Job, Objective
from deephyper.objective import Result


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
        self._threads: dict[int, _Thread] = {}  # by slot
        self._current: set[_Thread] = set()  # the same; others were left behind
        self._surroundings: Surroundings | None = None  # as the first evaluation found them

    def _check(self, limit: float) -> None:
        self._function = self.run_function.load()

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        if self._function is None:
            self._check(LOAD_SECONDS)
        assert self._function is not None
        if self._surroundings is None:
            # A function that a program hands over sees the program's own command line.
            argv = None if self.run_function.spec is None else self.run_function.argv()
            self._surroundings = Surroundings(argv)
        if slot not in self._threads:
            try:
                thread = _Thread(self._function, self._said, self.clock, slot)
            except (RuntimeError, MemoryError) as error:
                raise EvaluatorError(
                    f"thread {slot} can't be started ({error or 'no memory'}); use fewer workers, "
                    "or raise the limits that 'ulimit -a' shows"
                ) from error
            self._threads[slot] = thread
            self._current.add(thread)
        self._threads[slot].jobs.put(job)
        return f"{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        said = []
        try:
            said.append(self._said.get(block=timeout > 0, timeout=timeout))
            while True:
                said.append(self._said.get_nowait())
        except queue.Empty:
            pass
        # A thread that was left behind may still send messages of its job.
        messages = [message for thread, message in said if thread in self._current]
        ended = sum(isinstance(message, JobEnded) for message in messages)
        if ended and self._surroundings is not None:
            self._surroundings.restore(idle=ended >= len(self._running))
        return messages

    def _stop(self, job_id: str, slot: int) -> None:
        # The thread ends after its job, which it can't leave; the slot's next job gets a new one.
        thread = self._threads.pop(slot)
        self._current.remove(thread)
        thread.jobs.put(None)

    def _close(self) -> None:
        for slot in list(self._threads):
            self._stop("", slot)
        if self._surroundings is not None:
            self._surroundings.close()
            self._surroundings = None


class _Thread:
    """A daemon thread that serves one job after another.

    Args:
        function: ``run``.
        said: takes what happens.
        clock: what times are read from.
        slot: number of the worker.

    Attributes:
        jobs: takes its jobs; None ends it.
    """

    def __init__(self, function: Function, said: _Said, clock: Clock, slot: int) -> None:
        self.jobs = queue.SimpleQueue[Job | None]()
        self._function = function
        self._said = said
        self._clock = clock
        self._now = clock.steady()
        self._job_id = ""
        threading.Thread(target=self._serve, name=f"deephyper-worker-{slot}", daemon=True).start()

    def _serve(self) -> None:
        while (job := self.jobs.get()) is not None:
            self._now = self._clock.steady()
            self._job_id, start = job.id, self._now()
            self._said.put((self, JobStarted(job.id, start)))
            try:
                result = evaluate(self._function, job.point, self._report)
            except BaseException as error:  # user code has replaced what is needed to tell more
                result = Result(Failure("exception", type(error).__name__))
            ended = JobEnded(job.id, result.value, start, self._now(), result.metrics)
            self._said.put((self, ended))

    def _report(self, step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
        message = JobReported(self._job_id, step, objective, self._now(), metrics)
        self._said.put((self, message))


_Said = queue.SimpleQueue[tuple[_Thread, JobMessage]]
