"""Evaluations of a program on this machine, without a worker process around each.

A program is a process of its own already: it has its own group, streams and environment, and is
killed with all that it has started. A worker process would add the way to it and back, which takes
as long as a short program. So threads of this process start the programs and read what they print.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource

from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.gpus import share_gpus, visible_gpus
from deephyper.evaluator.program_run import ProgramRun
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.surroundings import MARK, marks
from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.job import Job

_FILES = 4
"""Files that are open for a program, one of them while it starts or ends."""
_FILES_BESIDE = 128


class ProgramEvaluator(ThreadEvaluator):
    """Evaluates a :class:`.Command` as the process evaluator does, without its worker processes.

    The programs end with this process, however it ends.
    """

    method = "process"
    can_kill = True
    separates = True

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
        _allow_files(_FILES_BESIDE + _FILES * self.num_workers)
        self._gpus = (
            share_gpus(visible_gpus(), self.num_workers, self.num_gpus_per_task)
            if self.num_gpus_per_task
            else None
        )
        share = max(self.num_cpus_per_task, (os.cpu_count() or 1) // self.num_workers)
        self._environment = {**os.environb, **_encoded(thread_variables(share))}
        self._mark = os.urandom(16).hex()
        self._numbers = itertools.count()
        self._reaper: Reaper | None = None
        self._spares: set[str] = set()  # that may be there

    def _program_run(self, slot: int, output: str | None) -> ProgramRun:
        if self._reaper is None:
            try:
                self._reaper = Reaper()
            except OSError as error:
                raise EvaluatorError(
                    f"no process can be started ({error.strerror or error}); raise the limits that "
                    "'ulimit -a' shows"
                ) from error
            self._reaper.guard_marked(self._mark)
        mark = f"{self._mark}.{next(self._numbers)}."
        variables = {MARK: marks(mark)}
        gpus = None if self._gpus is None else self._gpus[slot]
        if gpus is not None:
            variables["CUDA_VISIBLE_DEVICES"] = gpus
        environment = {**self._environment, **_encoded(variables)}
        return ProgramRun(environment, output, gpus, mark, _spare(slot))

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        if job.directory is not None:
            self._spares.add(os.path.join(os.path.dirname(job.directory), _spare(slot)))
        return super()._start(job, slot, output)

    def _stop(self, job_id: str, slot: int) -> None:
        program = self._handed[slot].program
        super()._stop(job_id, slot)
        if program is not None:  # what it has started may have left its group
            reaper.kill_marked([program.mark])

    def _close(self) -> None:
        super()._close()
        if self._reaper is not None:
            reaper.kill_marked([self._mark])
            self._reaper.release_marked(self._mark)
            self._reaper.close()
        for spare in self._spares:
            with contextlib.suppress(OSError):
                os.rmdir(spare)


def _allow_files(number: int) -> None:
    """Raise this process's limit of open files, if it is lower.

    Raises:
        EvaluatorError: if it can't be that high.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= number:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    except (OSError, ValueError) as error:
        raise EvaluatorError(
            f"so many programs at a time need {number} open files, and {hard} are allowed; use "
            "fewer workers, or raise the limit (ulimit -n)"
        ) from error


def _spare(slot: int) -> str:
    return f".spare-{slot}"


def _encoded(variables: dict[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}
