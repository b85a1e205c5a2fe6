"""Evaluations in threads of this process: light, for functions that wait or release the GIL.

A thread can't be killed. One that runs past its time limit, or is to end early and doesn't, is left
behind: it ends when it next reports, or asks. Its slot gets a new thread, and since all are daemon
threads none keeps the program from ending. Threads share the
directory, the streams and the environment of this process; what an evaluation changes is set back.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Mapping, Sequence

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.bookkeeping import LOAD_SECONDS
from deephyper.evaluator.current import Context
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.run_function import Function, RunFunction, call
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
        self._jobs: _Jobs = queue.SimpleQueue()
        self._said: _Said = queue.SimpleQueue()
        self._handed: dict[int, _Handed] = {}  # by slot, the last one of each
        self._threads: set[_Thread] = set()  # without those that were left behind
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
        if len(self._threads) <= len(self._running):
            number = len(self._threads)
            try:
                thread = _Thread(self._function, self._jobs, self._said, self.clock, number)
            except (RuntimeError, MemoryError) as error:
                raise EvaluatorError(
                    f"thread {number} can't be started ({error or 'no memory'}); use fewer "
                    "workers, or raise the limits that 'ulimit -a' shows"
                ) from error
            self._threads.add(thread)
        self._handed[slot] = handed = _Handed(job, f"{slot}")
        self._jobs.put(handed)
        return f"{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        said = self._said
        try:
            heard = [said.get(block=timeout > 0, timeout=timeout)]
        except queue.Empty:
            return []
        heard += [said.get() for _ in range(said.qsize())]
        # A thread that was left behind may still send messages of its job.
        messages = [message for handed, message in heard if not handed.left]
        ended = [message for message in messages if isinstance(message, JobEnded)]
        if ended and self._surroundings is not None:
            self._surroundings.restore(idle=len(ended) >= len(self._running))
        return messages

    def _resize(self, num_workers: int) -> None:
        pass  # threads begin when they are needed, and an idle one costs nothing

    def _request_stop(self, job_id: str, slot: int) -> None:
        self._handed[slot].stop_requested = True

    def _stop(self, job_id: str, slot: int) -> None:
        handed = self._handed.pop(slot)
        handed.left = True
        if not handed.claim():
            # The thread ends after its job, which it can't leave; another one takes its place.
            assert handed.thread is not None
            handed.stop_requested = True
            handed.thread.left = True
            self._threads.discard(handed.thread)

    def _close(self) -> None:
        for handed in self._handed.values():
            handed.left = True
            handed.claim()
        self._jobs.put(None)
        if self._surroundings is not None:
            self._surroundings.close()
            self._surroundings = None


class _Handed:
    """A job that was handed over, to whichever thread is free first.

    Args:
        job: the job.
        worker: name of the worker.

    Attributes:
        stop_requested: True if it is to end early.
        thread: the thread that has claimed it, or has tried to; None as long as none has.
        left: True if nothing more is to be heard of it.
    """

    __slots__ = ("_claimed", "job", "left", "stop_requested", "thread", "worker")

    def __init__(self, job: Job, worker: str) -> None:
        self.job = job
        self.worker = worker
        self.stop_requested = False
        self.thread: _Thread | None = None
        self.left = False
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Return whether this is the first to claim it: a thread, or the evaluator for good."""
        return self._claimed.acquire(blocking=False)


class _Thread:
    """A daemon thread that serves one job after another.

    Any free one takes the next job: to wake a certain one costs more than a short evaluation.

    Args:
        function: ``run``.
        jobs: gives it its jobs; None ends it, and the others.
        said: takes what happens.
        clock: what times are read from.
        number: a part of its name.

    Attributes:
        left: True to end it after the job that it has.
    """

    def __init__(
        self, function: Function, jobs: _Jobs, said: _Said, clock: Clock, number: int
    ) -> None:
        self.left = False
        self._function = function
        self._jobs = jobs
        self._said = said
        self._clock = clock
        threading.Thread(target=self._serve, name=f"deephyper-worker-{number}", daemon=True).start()

    def _serve(self) -> None:
        while (handed := self._jobs.get()) is not None:
            handed.thread = self
            if handed.claim():
                self._evaluate(handed)
            if self.left:
                return
        self._jobs.put(None)

    def _evaluate(self, handed: _Handed) -> None:
        now = self._clock.steady()
        job_id, start = handed.job.id, now()
        said = self._said

        def report(step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
            said.put((handed, JobReported(job_id, step, objective, now(), metrics)))

        said.put((handed, JobStarted(job_id, start)))
        job = handed.job
        context = Context(
            job_id,
            job.attempt,
            job.seed,
            handed.worker,
            job.directory,
            send=report,
            stop_requested=lambda: handed.stop_requested,
        )
        try:
            result = call(self._function, job.point, context)
        except BaseException as error:  # user code has replaced what is needed to tell more
            result = Result(Failure("exception", type(error).__name__))
        ended = JobEnded(job_id, result.value, start, now(), result.metrics, result.pruned)
        said.put((handed, ended))


_Jobs = queue.SimpleQueue[_Handed | None]
_Said = queue.SimpleQueue[tuple[_Handed, JobMessage]]
