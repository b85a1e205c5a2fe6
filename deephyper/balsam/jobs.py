"""The evaluations of one search as rows of the Balsam database.

New jobs are inserted together and all running ones are asked after together, so that the number of
queries depends on how long a search lasts, not on how many jobs it has.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deephyper.balsam.database import close_orphans, connect, evaluation_app, kill, query
from deephyper.balsam.evaluation_directory import EvaluationDirectory
from deephyper.errors import EvaluatorError
from deephyper.job import Failure

EVALUATIONS = "evaluations"
"""Name of the directory that holds those of the evaluations, in the search's."""

SUCCEEDED = ("RUN_DONE", "POSTPROCESSED", "JOB_FINISHED")
"""States of a job that has ended well, in their order."""
DELETED = "deleted"
"""Stands for the state of a job that isn't in the database any more."""
ENDED = (*SUCCEEDED, "RUN_ERROR", "FAILED", "USER_KILLED", DELETED)
"""States of a job that has ended."""


class WorkflowJobs:
    """The jobs of the workflow that this process's own job is the search of.

    Attributes:
        workflow: its name.
        directory: of the evaluations.

    Raises:
        EvaluatorError: if no database is active or it doesn't answer, or this process doesn't run
            in a launcher.
        MissingExtra: if Balsam isn't installed.
    """

    def __init__(self) -> None:
        self._models = connect()
        search = _search_job(self._models)
        self.workflow = str(search.workflow)
        self.directory = Path(search.working_directory, EVALUATIONS)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._app = evaluation_app(self._models)
        self._apps: set[str] = set()  # known to exist
        self._new: list[Any] = []  # BalsamJobs to insert
        self._killed: set[Any] = set()  # keys of jobs to mark so

    def new(self) -> Any:
        """Return a BalsamJob that isn't in the database yet."""
        return self._models.BalsamJob()

    def ready(self) -> dict[str, Any]:
        """Return the fields of the job of an evaluation for which nothing is left to prepare."""
        return {
            "application": self._app,
            "cpu_affinity": "depth",
            # So it need not pass the states before this one.
            "state": "PREPROCESSED",
            "state_history": self._models.history_line("PREPROCESSED", "Made by the search"),
        }

    def has_app(self, name: str) -> bool:
        """Return whether the database has an app."""
        if name not in self._apps:
            apps = self._models.ApplicationDefinition.objects.filter(name=name)
            if not query(apps.exists):
                return False
            self._apps.add(name)
        return True

    def add(self, job: Any, fields: dict[str, Any]) -> None:
        """Give a new job its fields, and have it inserted by :meth:`flush`."""
        for name, value in fields.items():
            setattr(job, name, value)
        job.workflow = self.workflow
        self._new.append(job)

    def kill(self, key: Any) -> None:
        """Have a job marked as killed by :meth:`flush`."""
        self._killed.add(key)

    def flush(self, wait: bool = True) -> None:
        """Insert new jobs in one query, and mark what was killed in another.

        Args:
            wait: False does not wait for a database that doesn't answer.

        Raises:
            EvaluatorError: if the database has not answered for a long time.
            django.db.Error: if it fails in another way.
        """
        BalsamJob = self._models.BalsamJob
        new = [job for job in self._new if job.pk not in self._killed]
        if new:
            # Asked again after a lost answer, jobs that were inserted are left as they are.
            query(lambda: BalsamJob.objects.bulk_create(new, ignore_conflicts=True), wait)
        self._new.clear()
        if self._killed:
            unfinished = BalsamJob.objects.filter(pk__in=self._killed).exclude(
                state__in=self._models.END_STATES
            )
            query(lambda: kill(self._models, unfinished, "Stopped by the search"), wait)
        self._killed.clear()

    def states(self, keys: Iterable[Any]) -> dict[Any, str]:
        """Return the states of jobs by their keys, with one query."""
        keys = list(keys)
        jobs = self._models.BalsamJob.objects.filter(pk__in=keys)
        found = dict(query(lambda: list(jobs.values_list("pk", "state"))))
        return {key: found.get(key, DELETED) for key in keys}

    def close_orphans(self) -> None:
        """End what an earlier session has left; the search's journal knows what runs again."""
        orphans = self._models.BalsamJob.objects.filter(
            workflow=self.workflow, user_workdir__startswith=f"{self.directory}/"
        ).exclude(state__in=self._models.END_STATES)
        ended: dict[str, list[Any]] = {"JOB_FINISHED": [], "FAILED": []}
        for key, path in query(lambda: list(orphans.values_list("pk", "user_workdir"))):
            directory = EvaluationDirectory(Path(path))
            message = directory.ended()
            if message is not None:
                failed = isinstance(message.result, Failure)
                ended["FAILED" if failed else "JOB_FINISHED"].append(key)
            directory.request_stop()
        query(lambda: close_orphans(self._models, orphans, ended))

    def close(self) -> None:
        """Write what is left to write, if the database answers, and leave it."""
        from django.db import Error, connections

        with contextlib.suppress(Error):
            self.flush(wait=False)
        connections.close_all()


def require_launcher() -> str:
    """Return the id of the job that this process is, in a Balsam launcher.

    Raises:
        EvaluatorError: if it isn't in one.
    """
    job_id = os.environ.get("BALSAM_JOB_ID")
    if not job_id:
        raise _no_launcher()
    return job_id


def _search_job(models: Any) -> Any:
    found = models.BalsamJob.objects.filter(pk=require_launcher()).first()
    if found is None:
        raise _no_launcher()
    return found


def _no_launcher() -> EvaluatorError:
    return EvaluatorError(
        "the balsam evaluator works only in a job of a Balsam launcher; submit the search with: "
        "deephyper balsam-submit hps WORKFLOW -p PROBLEM -r RUN ..."
    )
