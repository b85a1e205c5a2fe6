"""Evaluations of a program on this machine, without a worker process around each.

A program is a process of its own already: it has its own group, streams and environment, and is
killed with all that it has started. A worker process would add the way to it and back, which takes
as long as a short program, and so does a thread's. So whoever waits for an evaluation starts the
programs itself, and reads what they print.
"""

from __future__ import annotations

import itertools
import os
import resource
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deephyper.clock import Clock
from deephyper.command.command import OWN, Command
from deephyper.command.directories import Directories
from deephyper.command.program import Program
from deephyper.command.run import Run
from deephyper.command.watch import Watch
from deephyper.errors import EvaluatorError
from deephyper.evaluator.current import Context
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.gpus import share_gpus, visible_gpus
from deephyper.evaluator.run_function import Function, RunFunction, call, failure_of
from deephyper.evaluator.surroundings import MARK, marks
from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.job import Job, Objective

_FILES = 4
"""Files that are open for a program."""
_FILES_BESIDE = 128
_BUSY_SECONDS, _BEHIND_SECONDS = 0.05, 0.001
"""Seconds between two looks at the programs while nobody waits for them: usually, and as long as
they have printed more than was read."""


@dataclass(eq=False)
class _Evaluation:
    """An evaluation that runs.

    Attributes:
        job: the job.
        context: what holds its reports.
        run: the run of the command.
        directory: its own.
        mark: a word in the environment of its processes, and of no other ones.
        now: shows the time.
    """

    job: Job
    context: Context
    run: Run
    directory: str
    mark: str
    now: Callable[[], float]

    @property
    def program(self) -> Program:
        """The program, which could be started."""
        assert self.run.program is not None
        return self.run.program


class ProgramEvaluator(Evaluator):
    """Evaluates a :class:`.Command` as the process evaluator does, without its worker processes.

    The programs end with this process, however it ends. While nobody waits for them, the end of one
    may be noted up to 0.05 s late.
    """

    method = "process"

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
        command = self.run_function.load()
        assert isinstance(command, Command)
        _allow_files(_FILES_BESIDE + _FILES * self.num_workers)
        self._command = command
        self._gpus: list[str] = []
        self._gpus = self._shared_gpus()
        share = max(self.num_cpus_per_task, (os.cpu_count() or 1) // self.num_workers)
        self._environment = {**os.environb, **_encoded(thread_variables(share))}
        self._mark = os.urandom(16).hex()
        self._numbers = itertools.count()
        self._reaper: Reaper | None = None
        self._watch = Watch()
        self._directories = Directories()
        self._evaluations: dict[int, _Evaluation] = {}  # by slot
        self._slots: dict[Program, int] = {}
        self._said: list[JobMessage] = []
        self._lock = threading.Lock()  # of all of these
        self._closing = threading.Event()
        self._reader = threading.Thread(
            target=self._read_meanwhile, name="deephyper-reader", daemon=True
        )

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        now = self.clock.steady()
        started = JobStarted(job.id, now())
        if self._reader.ident is None:
            self._begin()
        mark = f"{self._mark}.{next(self._numbers)}."
        variables = {MARK: marks(mark)}
        if self.num_gpus_per_task:
            variables["CUDA_VISIBLE_DEVICES"] = self._gpus[slot]
        with self._lock:
            self._said.append(started)
            try:
                directory = self._directories.make(job.directory)
            except OSError as error:
                self._said.append(JobEnded(job.id, failure_of(error), None, now()))
                return f"{slot}"

            def send(step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
                self._said.append(JobReported(job.id, step, objective, now(), metrics))

            context = Context(job.id, send=send)
            run = Run(
                self._command,
                job.point,
                id=job.id,
                seed=job.seed,
                directory=directory,
                gpus=[gpu for gpu in self._gpus[slot].split(",") if gpu],
                report=context.report,
                environment={**self._environment, **_encoded(variables)},
                output=output,
            )
            evaluation = _Evaluation(job, context, run, directory, mark, now)
            if run.program is None:
                self._end(evaluation)
            else:
                self._evaluations[slot] = evaluation
                self._slots[run.program] = slot
                self._watch.add(run.program)
        return f"{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        with self._lock:
            self._read(0.0 if self._said else timeout)
            said, self._said = self._said, []
        return said

    def _resize(self, num_workers: int) -> None:
        _allow_files(_FILES_BESIDE + _FILES * num_workers)
        with self._lock:
            self._gpus = self._shared_gpus()

    def _shared_gpus(self) -> list[str]:
        """Return the GPUs of each worker; those that there are keep theirs."""
        most = max(self.num_workers, len(self._gpus))
        if self.num_gpus_per_task:
            return share_gpus(visible_gpus(), most, self.num_gpus_per_task)
        return [os.environ.get("CUDA_VISIBLE_DEVICES", "")] * most

    def _request_stop(self, job_id: str, slot: int) -> None:
        with self._lock:
            if slot in self._evaluations:
                self._watch.terminate(self._evaluations[slot].program)

    def _stop(self, job_id: str, slot: int) -> None:
        with self._lock:
            self._said = [message for message in self._said if message.job_id != job_id]
            evaluation = self._evaluations.pop(slot, None)
            if evaluation is None:
                return
            self._kill(evaluation)
        reaper.kill_marked([evaluation.mark])  # what it has started may have left its group

    def _close(self) -> None:
        self._closing.set()
        if self._reader.ident is not None:
            self._reader.join()
        for evaluation in self._evaluations.values():
            self._kill(evaluation)
        if self._reaper is not None:
            reaper.kill_marked([self._mark])
            self._reaper.release_marked(self._mark)
            self._reaper.close()
        self._watch.close()
        self._directories.close()

    def _begin(self) -> None:
        """Start what has to be there beside the programs.

        Raises:
            EvaluatorError: if it can't be started.
        """
        try:
            self._reaper = self._reaper or Reaper()
            self._reader.start()
        except (OSError, RuntimeError) as error:
            raise EvaluatorError(
                f"no process can be started ({getattr(error, 'strerror', None) or error}); raise "
                "the limits that 'ulimit -a' shows"
            ) from error
        self._reaper.guard_marked(self._mark)

    def _read(self, timeout: float) -> None:
        """Read what programs have printed, once."""
        for program in self._watch.wait(timeout):
            self._end(self._evaluations.pop(self._slots.pop(program)))

    def _read_meanwhile(self) -> None:
        """Read in the place of whoever waits for programs, as long as that one does something else.

        Otherwise programs would stop that print much, and their ends would be noted late.
        """
        pause = _BUSY_SECONDS
        while not self._closing.wait(pause):
            pause = _BUSY_SECONDS
            if self._lock.acquire(blocking=False):
                try:
                    self._read(0.0)
                    if not self._watch.idle:
                        pause = _BEHIND_SECONDS
                finally:
                    self._lock.release()

    def _end(self, evaluation: _Evaluation) -> None:
        """Say what an evaluation has come to, whose program is over."""
        job, now = evaluation.job, evaluation.now
        evaluation.context.pruned = evaluation.run.was_ended_early
        result = call(lambda point: evaluation.run.result(), job.point, evaluation.context)
        self._directories.leave(evaluation.directory, is_used=self._command.workdir == OWN)
        ended = JobEnded(job.id, result.value, None, now(), result.metrics, result.pruned)
        self._said.append(ended)

    def _kill(self, evaluation: _Evaluation) -> None:
        del self._slots[evaluation.program]
        self._watch.kill(evaluation.program)
        self._directories.leave(evaluation.directory, is_used=True)


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


def _encoded(variables: dict[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}
