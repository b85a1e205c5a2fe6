"""Evaluations as jobs of a Balsam workflow, from inside a Balsam launcher.

Each evaluation is a BalsamJob with a directory of its own in the search's directory. The point goes
there as a file, never through a shell, and messages come back as files; the database knows which
jobs wait, run and have ended.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from deephyper.balsam.evaluation_directory import EvaluationDirectory, EvaluationSpec
from deephyper.balsam.job_spec import BalsamJobSpec
from deephyper.balsam.jobs import WorkflowJobs, require_launcher
from deephyper.balsam.layout import Layout
from deephyper.balsam.run_check import specifies_jobs
from deephyper.balsam.running import OtherProgram, OwnProgram, RunningEvaluation, Source
from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.bookkeeping import LOAD_SECONDS
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.worker.messages import JobEnded, JobMessage
from deephyper.job import Failure, Job
from deephyper.objective import one_line
from deephyper.option import Option

POLL_SECONDS = 1.0
LOST_SECONDS = 30.0
"""The time after its limit at which an evaluation that has said nothing counts as lost."""

_log = logging.getLogger(__name__)


class BalsamEvaluator(Evaluator):
    """Evaluates in a Balsam launcher. See :class:`~deephyper.evaluator.Evaluator`.

    The database is connected to when the evaluator is first used.

    Args:
        num_workers: None for as many as the launcher has room for.
        num_nodes_per_eval: nodes of an evaluation (job mode mpi).
        num_ranks_per_node: ranks that each evaluation has on a node (job mode mpi); the value that
            ``run`` returns on rank 0 counts.
        num_evals_per_node: evaluations that share a node (job mode serial).
        num_threads_per_rank: threads of each; None for its share of ``num_threads_per_node``, or
            ``num_cpus_per_task``.
        num_threads_per_node: threads of a node.

    Raises:
        EvaluatorError: if there is no launcher, or it has no room for what is asked; if there is
            no database, when it is used.
        MissingExtra: if Balsam isn't installed, when it is used.
    """

    method = "balsam"
    packages = ("balsam-flow",)
    on_this_machine = False
    keeps_records = True
    startup_allowance = float("inf")  # a job may have to wait for a node
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "num_nodes_per_eval",
            "Nodes of an evaluation, in the job mode mpi.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "num_ranks_per_node",
            "Ranks of an evaluation on each of its nodes, in the job mode mpi.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "num_evals_per_node",
            "Evaluations that share a node, in the job mode serial.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "num_threads_per_rank",
            "Threads of an evaluation, or of each of its ranks.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "num_threads_per_node",
            "Threads of a node, to be shared by its ranks and evaluations.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
    )

    def __init__(
        self,
        run: str | Function | RunFunction,
        num_workers: int | None = None,
        *,
        num_nodes_per_eval: int = 1,
        num_ranks_per_node: int = 1,
        num_evals_per_node: int = 1,
        num_threads_per_rank: int | None = None,
        num_threads_per_node: int | None = None,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
        clock: Clock | None = None,
    ) -> None:
        require_launcher()
        layout = Layout(
            os.environ.get("BALSAM_JOB_MODE", "mpi"),
            int(os.environ.get("BALSAM_LAUNCHER_NODES", "1")),
            num_nodes_per_eval,
            num_ranks_per_node,
            num_evals_per_node,
        )
        super().__init__(
            run,
            layout.num_workers(num_workers),
            timeout=timeout,
            output_dir=output_dir,
            num_cpus_per_task=num_cpus_per_task,
            num_gpus_per_task=num_gpus_per_task,
            clock=clock,
        )
        if self.num_gpus_per_task:
            raise EvaluatorError(
                "Balsam's launcher assigns the GPUs (balsam launcher --gpus-per-node); leave out "
                "num_gpus_per_task"
            )
        threads = num_threads_per_rank
        if threads is None and num_threads_per_node is not None:
            threads = max(1, num_threads_per_node // (num_ranks_per_node * num_evals_per_node))
        self._fields = {
            "num_nodes": num_nodes_per_eval,
            "ranks_per_node": num_ranks_per_node,
            "node_packing_count": num_evals_per_node,
            "threads_per_rank": threads or self.num_cpus_per_task,
        }
        # Programs that mpirun or srun has started end with all of their processes.
        self._keeps_workers = layout.mode == "serial"
        self._opened: _Opened | None = None
        self._evaluations: dict[str, RunningEvaluation] = {}
        self._failed: list[JobMessage] = []  # of jobs that could not be made
        self._next_poll = 0.0

    @property
    def overrun_allowance(self) -> float:
        """An evaluation's process ends it at its limit; jobs of other programs are ended here."""
        specified = self._opened is not None and self._opened.job_spec is not None
        return 0.0 if specified else LOST_SECONDS

    def _open(self, limit: float = LOAD_SECONDS) -> _Opened:
        if self._opened is None:
            self._opened = _Opened(self.run_function, limit)
        return self._opened

    def _check(self, limit: float) -> None:
        self._open(limit)

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        opened = self._open()
        row = opened.jobs.new()
        directory = self._make_directory(opened, job, output, str(row.pk))
        if opened.job_spec is None:
            source: Source = OwnProgram(directory, self.clock)
            fields = {**self._fields, **opened.jobs.ready()}
        else:
            specified = _specified_fields(opened.job_spec, job, opened.jobs)
            if isinstance(specified, Failure):
                self._failed.append(JobEnded(job.id, specified, None, self.clock.now()))
                return f"{slot}"
            source = OtherProgram(job.id, opened.job_spec, directory.path, self.clock)
            fields = specified
        name = f"{opened.jobs.workflow}.{job.id}.{job.attempt}"
        fields |= {
            "name": name,
            "user_workdir": str(directory.path),
            "data": {"id": job.id, "attempt": job.attempt, "point": job.point},
        }
        opened.jobs.add(row, fields)
        printed = directory.path / f"{name}.out"
        self._evaluations[job.id] = RunningEvaluation(
            job.id, directory, row.pk, printed, source, self.clock
        )
        return f"{slot}"

    def _make_directory(
        self, opened: _Opened, job: Job, output: str | None, key: str
    ) -> EvaluationDirectory:
        path = opened.jobs.directory / f"{job.id}.{job.attempt}_{key[:8]}"
        directory = EvaluationDirectory(path)
        try:
            path.mkdir()
            if opened.job_spec is None:
                directory.write_spec(self._spec(job, output, opened.run_file))
            else:
                directory.write_point(job.point)
        except OSError as error:
            raise EvaluatorError(
                f"the directory '{path}' can't be written ({error.strerror or error}); make room "
                "or fix the permissions, then resume with: deephyper balsam-submit --resume"
            ) from error
        return directory

    def _spec(self, job: Job, output: str | None, run_file: Path) -> EvaluationSpec:
        return EvaluationSpec(
            id=job.id,
            point=job.point,
            attempt=job.attempt,
            output=output,
            run_file=str(run_file),
            timeout=self.timeout,
            ranks=self._fields["num_nodes"] * self._fields["ranks_per_node"],
            threads=self._fields["threads_per_rank"],
            keeps_worker=self._keeps_workers,
            seed=job.seed,
            directory=job.directory,
        )

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        until = time.monotonic() + timeout
        jobs = self._open().jobs
        jobs.flush()
        while True:
            if self._failed:
                messages, self._failed = self._failed, []
                return messages
            now = time.monotonic()
            if now >= self._next_poll:
                messages = self._poll(jobs)
                self._next_poll = time.monotonic() + POLL_SECONDS
                if messages:
                    return messages
            if now >= until:
                return []
            time.sleep(max(0.0, min(self._next_poll, until) - time.monotonic()))

    def _poll(self, jobs: WorkflowJobs) -> list[JobMessage]:
        evaluations = list(self._evaluations.values())
        states = jobs.states(evaluation.key for evaluation in evaluations)
        messages: list[JobMessage] = []
        for evaluation in evaluations:
            said = evaluation.messages(states[evaluation.key])
            if said and isinstance(said[-1], JobEnded):
                del self._evaluations[evaluation.job_id]
            messages += said
        return messages

    def _request_stop(self, job_id: str, slot: int) -> None:
        self._evaluations[job_id].directory.request_prune()

    def _stop(self, job_id: str, slot: int) -> None:
        evaluation = self._evaluations.pop(job_id, None)
        if evaluation is not None:
            # Balsam ends killed jobs only in mode mpi; the file is seen in every mode.
            evaluation.directory.request_stop()
            self._open().jobs.kill(evaluation.key)

    def _close(self) -> None:
        for job_id in list(self._evaluations):
            self._stop(job_id, 0)
        if self._opened is not None:
            self._opened.jobs.close()


class _Opened:
    """The parts of an evaluator that exist once it is used.

    Attributes:
        jobs: of the search, in the database.
        run_file: file that holds the run function.
        job_spec: the run function, if it specifies jobs of other programs.
    """

    def __init__(self, run: RunFunction, limit: float) -> None:
        self.jobs = WorkflowJobs()
        self.job_spec: BalsamJobSpec | None = None
        if specifies_jobs(run, limit):
            function = run.load()
            assert isinstance(function, BalsamJobSpec)
            self.job_spec = function
        self.run_file = self.jobs.directory / "run.json"
        self.run_file.write_text(run.dumps())
        self.jobs.close_orphans()


def _specified_fields(
    spec: BalsamJobSpec, job: Job, jobs: WorkflowJobs
) -> dict[str, Any] | Failure:
    """Return the fields that a run function gives to the BalsamJob of an evaluation."""
    try:
        fields = spec.make(job.point)
    except Exception as error:
        _log.exception("no job can be made for evaluation %s", job.id)
        return Failure("exception", one_line(error))
    app = fields.get("application", "")
    if not jobs.has_app(app):
        # A launcher that meets a job without an app comes to an end itself.
        return Failure("exception", f"the Balsam database has no application '{app}'")
    own = ("job_id", "lock", "tick", "state", "state_history")
    return {name: value for name, value in fields.items() if name not in own}
