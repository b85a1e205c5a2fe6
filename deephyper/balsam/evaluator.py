"""Evaluations as jobs of a Balsam workflow, from inside a Balsam launcher.

Each evaluation is a BalsamJob with a folder of its own in the search's folder. The point goes there
as a file, never through a shell, and the result comes back as one; the database says which jobs
wait, run and have ended. New jobs are inserted together and all running ones are asked after
together, so the number of queries depends on how long a search lasts, not on how many jobs it has.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from deephyper.balsam.database import close_orphans, connect, evaluation_app, kill, query
from deephyper.balsam.evaluation import (
    EVALUATION_FILE,
    RESULT_FILE,
    STARTED_FILE,
    STOP_FILE,
    makes_jobs,
)
from deephyper.balsam.layout import Layout
from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.evaluator import LOAD_SECONDS, Evaluator
from deephyper.evaluator.output import tail
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted
from deephyper.job import MACHINE_FAULTS, Failure, Job
from deephyper.objective import read_objective
from deephyper.option import Option

POLL_SECONDS = 1.0
LOST_SECONDS = 30.0
"""How long after its time limit an evaluation that has said nothing counts as lost."""
DEATH_SECONDS = 10.0
"""How long the death of an evaluation is held back: a scheduler that ends the whole job ends
evaluations before the search, which then hears of its own end first."""
FILE_SECONDS = 30.0
"""How long the file of a job that has ended may take to be seen on another node."""
EVALUATIONS = "evaluations"

_WENT_WELL = ("RUN_DONE", "POSTPROCESSED", "JOB_FINISHED")
_WENT_WRONG = ("RUN_ERROR", "FAILED", "USER_KILLED")
_log = logging.getLogger(__name__)


@dataclass
class _Evaluation:
    job: Job
    folder: Path
    key: Any  # of the BalsamJob
    started: bool = False
    start: float | None = None
    ended_since: float | None = None  # by time.monotonic()
    death: tuple[float, dict[str, Any]] | None = None  # when it was first seen, and its result


class BalsamEvaluator(Evaluator):
    """Evaluates in a Balsam launcher. See :class:`~deephyper.evaluator.Evaluator`.

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
        EvaluatorError: if there is no launcher, or it has no room for what is asked.
        MissingExtra: if Balsam isn't installed.
    """

    method = "balsam"
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
        models = connect()
        search = _search_job(models)
        mode = os.environ.get("BALSAM_JOB_MODE", "mpi")
        nodes = int(os.environ.get("BALSAM_LAUNCHER_NODES", "1"))
        layout = Layout(mode, nodes, num_nodes_per_eval, num_ranks_per_node, num_evals_per_node)
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
                "Balsam's launcher hands out the GPUs (balsam launcher --gpus-per-node); leave "
                "num_gpus_per_task out"
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
        self._models = models
        self._workflow = search.workflow
        self._limit = self.timeout
        self._folder = Path(search.working_directory, EVALUATIONS)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._app = evaluation_app(models)
        self._run_file = self._folder / "run.json"
        self._run_file.write_text(self.run_function.dumps())
        self._makes_job: Callable[[dict[str, Any]], Any] | None = None
        self._apps: set[str] = set()
        self._checked = False
        self._evaluations: dict[str, _Evaluation] = {}
        self._new: list[Any] = []  # BalsamJobs to insert
        self._killed: list[Any] = []  # keys of jobs to mark so
        self._next_poll = 0.0
        self._end_leftovers()

    def _check(self, limit: float) -> None:
        if makes_jobs(self._run_file.read_text(), limit):
            self._makes_job = self.run_function.load()
        elif self.timeout is not None and not self._checked:
            # The evaluation's own process sees to its limit; this is for one that was lost.
            self.timeout += LOST_SECONDS
        self._checked = True

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        if not self._checked:
            self._check(LOAD_SECONDS)
        balsam_job = self._models.BalsamJob()
        folder = self._folder / f"{job.id}.{job.attempt}_{str(balsam_job.pk)[:8]}"
        try:
            folder.mkdir()
            fields = self._write_files(job, folder, output)
        except OSError as error:
            raise EvaluatorError(
                f"the folder '{folder}' can't be written ({error.strerror or error}); make room or "
                "mend the permissions, then go on with: deephyper balsam-submit --resume"
            ) from error
        self._evaluations[job.id] = _Evaluation(job, folder, balsam_job.pk)
        fields |= {
            "workflow": self._workflow,
            "name": f"{self._workflow}.{job.id}.{job.attempt}",
            "user_workdir": str(folder),
            "data": {"id": job.id, "attempt": job.attempt, "point": job.point},
        }
        for name, value in fields.items():
            setattr(balsam_job, name, value)
        self._new.append(balsam_job)
        return f"{slot}"

    def _write_files(self, job: Job, folder: Path, output: str | None) -> dict[str, Any]:
        """Leave the point in the folder; the fields of the BalsamJob that will find it there."""
        if self._makes_job is not None:
            (folder / "point.json").write_text(json.dumps(job.point))
            return self._specified(job, folder)
        spec = {
            "id": job.id,
            "attempt": job.attempt,
            "point": job.point,
            "output": output,
            "run": str(self._run_file),
            "timeout": self._limit,
            "ranks": self._fields["num_nodes"] * self._fields["ranks_per_node"],
            "threads": self._fields["threads_per_rank"],
        }
        (folder / EVALUATION_FILE).write_text(json.dumps(spec))
        # Nothing is left to prepare, so the job need not pass the states before this one.
        ready = {
            "state": "PREPROCESSED",
            "state_history": self._models.history_line("PREPROCESSED", "Made by the search"),
        }
        return {"application": self._app, "cpu_affinity": "depth", **self._fields, **ready}

    def _specified(self, job: Job, folder: Path) -> dict[str, Any]:
        """The fields that the run function gives; if it fails, those of a job that never runs."""
        assert self._makes_job is not None
        try:
            spec = self._makes_job(dict(job.point))
            fields = dict(spec) if isinstance(spec, dict) else spec.to_dict()
            # A launcher that meets a job without an app comes to an end itself.
            app = fields.get("application", "")
            if app not in self._apps:
                apps = self._models.ApplicationDefinition.objects.filter(name=app)
                if not query(apps.exists):
                    raise LookupError(f"the Balsam database has no application '{app}'")
                self._apps.add(app)
        except Exception as error:
            _log.exception("no job can be made for evaluation %s", job.id)
            failure = Failure("exception", f"{type(error).__name__}: {error}")
            message = {"start": None, "end": time.time(), "failure": vars(failure)}
            (folder / RESULT_FILE).write_text(json.dumps(message))
            return {"state": "JOB_FINISHED"}
        own = ("job_id", "lock", "tick", "state", "state_history")
        return {name: value for name, value in fields.items() if name not in own}

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        until = time.monotonic() + timeout
        self._flush()
        while True:
            now = time.monotonic()
            if now >= self._next_poll:
                events = self._poll()
                self._next_poll = time.monotonic() + POLL_SECONDS
                if events:
                    return events
            if now >= until:
                return []
            time.sleep(max(0.0, min(self._next_poll, until) - time.monotonic()))

    def _poll(self) -> list[JobMessage]:
        keys = [evaluation.key for evaluation in self._evaluations.values()]
        jobs = self._models.BalsamJob.objects.filter(pk__in=keys)
        states = dict(query(lambda: list(jobs.values_list("pk", "state"))))
        events: list[JobMessage] = []
        for evaluation in list(self._evaluations.values()):
            events += self._look(evaluation, states.get(evaluation.key, "deleted"))
        return events

    def _look(self, evaluation: _Evaluation, state: str) -> list[JobMessage]:
        ended = state in _WENT_WELL or state in _WENT_WRONG or state == "deleted"
        # In mode serial Balsam says seconds late that a job runs, so the files are looked at in
        # every state. A job that the end of a launcher has cut off waits for the next one.
        result: dict[str, Any] | None
        started: dict[str, Any] | None = None
        if self._makes_job is not None:
            if state == "RUNNING" and not evaluation.started:
                started = {"start": time.time(), "host": "balsam"}
            result = self._read_own(evaluation, state) if ended else None
        else:
            if not evaluation.started:
                started = _read(evaluation.folder / STARTED_FILE)
            result = _read(evaluation.folder / RESULT_FILE)
        events: list[JobMessage] = []
        if started is not None:
            evaluation.started, evaluation.start = True, started["start"]
            events.append(JobStarted(evaluation.job.id, started["start"], started["host"]))
        if result is None and ended:
            evaluation.ended_since = evaluation.ended_since or time.monotonic()
            if state not in _WENT_WELL or time.monotonic() > evaluation.ended_since + FILE_SECONDS:
                result = self._died(evaluation, state)
        if result is not None:
            result = self._believed(evaluation, result)
        if result is not None:
            del self._evaluations[evaluation.job.id]
            failed = result.get("failure")
            value = Failure(**failed) if failed else result["objective"]
            start = result["start"] if result["start"] is not None else evaluation.start
            events.append(JobEnded(evaluation.job.id, value, start, result["end"]))
        return events

    @staticmethod
    def _believed(evaluation: _Evaluation, result: dict[str, Any]) -> dict[str, Any] | None:
        """The result; None as long as it is a death that is held back."""
        failure = result.get("failure")
        if not failure or failure["kind"] not in MACHINE_FAULTS:
            return result
        since, death = evaluation.death = evaluation.death or (time.monotonic(), result)
        return death if time.monotonic() >= since + DEATH_SECONDS else None

    def _read_own(self, evaluation: _Evaluation, state: str) -> dict[str, Any] | None:
        """The result of a job that the run function specified."""
        written = _read(evaluation.folder / RESULT_FILE)
        if written is not None or state not in ("JOB_FINISHED", "POSTPROCESSED"):
            if state == "RUN_DONE":
                evaluation.ended_since = time.monotonic()  # its own postprocessing may yet come
            return written
        try:
            result = read_objective(self._makes_job.reads_objective(evaluation.folder))  # type: ignore[union-attr]
        except Exception as error:
            result = Failure("none", f"no objective can be read: {type(error).__name__}: {error}")
        message: dict[str, Any] = {"start": evaluation.start, "end": time.time()}
        if isinstance(result, Failure):
            return {**message, "failure": vars(result)}
        return {**message, "objective": result}

    def _died(self, evaluation: _Evaluation, state: str) -> dict[str, Any]:
        reasons = {
            "USER_KILLED": "its BalsamJob was killed",
            "deleted": "its BalsamJob was deleted",
        }
        message = reasons.get(state, f"its BalsamJob ended as {state} without a result")
        name = f"{self._workflow}.{evaluation.job.id}.{evaluation.job.attempt}.out"
        text = tail(str(evaluation.folder / name))
        failure = Failure("worker_died", message, text)
        return {"start": evaluation.start, "end": time.time(), "failure": vars(failure)}

    def _stop(self, job_id: str, slot: int) -> None:
        evaluation = self._evaluations.pop(job_id)
        # Balsam ends killed jobs only in mode mpi; the file is seen in every mode.
        with contextlib.suppress(OSError):
            (evaluation.folder / STOP_FILE).touch()
        self._killed.append(evaluation.key)

    def _close(self) -> None:
        for job_id in list(self._evaluations):
            self._stop(job_id, 0)
        from django.db import Error, connections

        with contextlib.suppress(Error):
            self._flush(wait=False)
        connections.close_all()

    # The database.

    def _flush(self, wait: bool = True) -> None:
        """Insert new jobs in one query, and mark what was stopped in another."""
        BalsamJob = self._models.BalsamJob
        killed = set(self._killed)
        new = [job for job in self._new if job.pk not in killed]
        if new:
            # Asked again after a lost answer, jobs that were inserted are left as they are.
            query(lambda: BalsamJob.objects.bulk_create(new, ignore_conflicts=True), wait)
        self._new.clear()
        if killed:
            unfinished = BalsamJob.objects.filter(pk__in=killed).exclude(
                state__in=self._models.END_STATES
            )
            query(lambda: kill(self._models, unfinished, "Stopped by the search"), wait)
        self._killed.clear()

    def _end_leftovers(self) -> None:
        """End what an earlier session of this search has left; the journal says what runs again."""
        left = self._models.BalsamJob.objects.filter(
            workflow=self._workflow, user_workdir__startswith=f"{self._folder}/"
        ).exclude(state__in=self._models.END_STATES)
        ended: dict[str, list[Any]] = {"JOB_FINISHED": [], "FAILED": []}
        for key, folder in query(lambda: list(left.values_list("pk", "user_workdir"))):
            result = _read(Path(folder, RESULT_FILE))
            if result is not None:
                ended["FAILED" if "failure" in result else "JOB_FINISHED"].append(key)
            with contextlib.suppress(OSError):
                Path(folder, STOP_FILE).touch()
        query(lambda: close_orphans(self._models, left, ended))


def _search_job(models: Any) -> Any:
    job_id = os.environ.get("BALSAM_JOB_ID")
    found = models.BalsamJob.objects.filter(pk=job_id).first() if job_id else None
    if found is None:
        raise EvaluatorError(
            "the balsam evaluator works in a job of a Balsam launcher; submit the search with: "
            "deephyper balsam-submit hps WORKFLOW -p PROBLEM -r RUN ..."
        )
    return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        message = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None
