"""Evaluations in processes of this machine, each of which serves one evaluation after another.

A worker is a fresh interpreter, never a fork, so a run function that imports TensorFlow or starts
threads is safe, and what it imports is imported once per worker. It has a process group of its
own: a Ctrl-C in the terminal does not reach it, and it is ended with all that it started.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.gpus import share_gpus, visible_gpus
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, LoadFailed
from deephyper.evaluator.worker.watch import Watch
from deephyper.evaluator.worker.worker_process import WorkerProcess
from deephyper.job import Job

_BEGIN_SECONDS = 15.0
"""The seconds beyond the time limit in which a worker that is loaded has to begin."""


@dataclass
class _Slot:
    """The processes of one worker.

    Attributes:
        worker: the one that evaluates.
        spare: the one that takes its place; only where each evaluation gets a fresh process.
    """

    worker: WorkerProcess | None = None
    spare: WorkerProcess | None = None


class ProcessEvaluator(Evaluator):
    """Evaluates in worker processes. See :class:`~deephyper.evaluator.Evaluator`.

    Each worker's numerical libraries get its share of the cores as their number of threads, unless
    the environment already sets that.
    """

    method = "process"
    fresh: ClassVar[bool] = False
    """True if each evaluation gets a process of its own."""

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
            output_dir=output_dir,
            num_cpus_per_task=num_cpus_per_task,
            num_gpus_per_task=num_gpus_per_task,
            clock=clock,
        )
        self._gpus: list[str] | None = None
        self._share_gpus()
        self._run_text = self.run_function.dumps()
        self._slots: dict[int, _Slot] = {}
        self._watch = Watch()
        self._reaper: Reaper | None = None

    def _check(self, limit: float) -> None:
        answer = self._worker(0).load(limit)
        if isinstance(answer, LoadFailed):
            self._discard(0)
            raise RunFunctionError(answer.message)

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        worker = self._worker(slot)
        worker.start(job, output, worker=f"{slot}")
        self._watch.add(slot, worker)
        if self.fresh and self._slots[slot].spare is None and slot < self.num_workers:
            # The next evaluation's interpreter starts while this one runs.
            self._slots[slot].spare = self._new_worker(slot)
        return f"{slot}"

    def _allowance(self, slot: int) -> float:
        worker = self._slots[slot].worker
        loaded = worker is not None and worker.loaded
        return _BEGIN_SECONDS if loaded else self.startup_allowance

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        messages: list[JobMessage] = []
        for number in self._watch.wait(timeout):
            worker = self._slots[number].worker
            assert worker is not None
            said = worker.events()
            messages += self._not_its_own_fault(said) if worker.served else said
            # One that has said something, and has died since, is ready next time too.
            done = worker.retired or (self.fresh if said else not worker.usable)
            done = done or number >= self.num_workers  # there are fewer since
            if done and not worker.busy:
                self._discard(number)
            else:
                self._watch.add(number, worker)
        return messages

    def _not_its_own_fault(self, said: list[JobMessage]) -> list[JobMessage]:
        """Let a job wait again that ended before it began: an earlier one has killed its worker."""
        kept: list[JobMessage] = []
        for message in said:
            if isinstance(message, JobEnded) and message.start is None:
                self._take_back(message.job_id)
            else:
                kept.append(message)
        return kept

    def _resize(self, num_workers: int) -> None:
        self._share_gpus()
        for number, slot in self._slots.items():
            if number < num_workers:
                continue
            if slot.worker is None or not slot.worker.busy:
                self._discard(number)
            if slot.spare is not None:
                slot.spare.kill()
                slot.spare = None

    def _share_gpus(self) -> None:
        """Give each worker its GPUs; those that there are keep theirs."""
        if self.num_gpus_per_task:
            self._gpus = share_gpus(visible_gpus(), self.num_workers, self.num_gpus_per_task)

    def _request_stop(self, job_id: str, slot: int) -> None:
        worker = self._slots[slot].worker
        if worker is not None:
            worker.request_stop(job_id)

    def _stop(self, job_id: str, slot: int) -> None:
        self._discard(slot)

    def _close(self) -> None:
        for number, slot in self._slots.items():
            self._discard(number)
            if slot.spare is not None:
                slot.spare.kill()
                slot.spare = None
        self._watch.close()
        if self._reaper is not None:
            self._reaper.close()

    def _worker(self, number: int) -> WorkerProcess:
        """Return the process of a slot, a new one if need be."""
        slot = self._slots.setdefault(number, _Slot())
        if slot.worker is not None and not slot.worker.usable:
            self._discard(number)  # it died while idle, which is no evaluation's fault
        if slot.worker is None:
            if slot.spare is not None and not slot.spare.usable:
                slot.spare.kill()
                slot.spare = None
            slot.worker = slot.spare or self._new_worker(number)
            slot.spare = None
            self._watch.add(number, slot.worker)
        return slot.worker

    def _new_worker(self, slot: int) -> WorkerProcess:
        try:
            if self._reaper is None:
                self._reaper = Reaper()
            return WorkerProcess(
                self._run_text, self._reaper, self._environment(slot), self._label(slot)
            )
        except OSError as error:
            raise EvaluatorError(
                f"worker process {slot} can't be started ({error.strerror or error}); use fewer "
                "workers, or raise the limits that 'ulimit -a' shows"
            ) from error

    def _discard(self, number: int) -> None:
        slot = self._slots[number]
        if slot.worker is not None:
            self._watch.remove(number)
            slot.worker.kill()
            slot.worker = None

    def _environment(self, slot: int) -> dict[str, str]:
        share = max(self.num_cpus_per_task, (os.cpu_count() or 1) // self.num_workers)
        variables = thread_variables(share)
        if self._gpus is not None:
            variables["CUDA_VISIBLE_DEVICES"] = self._gpus[slot]
        return variables
