"""Submitting a search to a batch scheduler through Balsam.

A search is one BalsamJob, whose evaluations become jobs of the same workflow; a launch, which the
scheduler starts, runs the workflow's jobs. All rows are written in one transaction that is kept
only once the scheduler has taken the launch.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deephyper.balsam.database import (
    SEARCH_MODULE,
    close_orphans,
    connect,
    evaluation_app,
    quietly_importing,
    search_app,
)
from deephyper.balsam.submission.request import Launch, check_request
from deephyper.balsam.submission.scheduler import active_launches, jobs_named
from deephyper.balsam.submission.search_job import SPEC_FILE
from deephyper.errors import HpcError
from deephyper.hpc.spec import SearchSpec
from deephyper.search import events
from deephyper.search.budget import Budget, Streaks
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events, read_journal

# Balsam lets a search share a node with evaluations that fill it if it takes next to nothing.
_SEARCH_PACKING = 2000
_FINAL_STATES = ("JOB_FINISHED", "FAILED")


class Submission:
    """One submission, from the first look at the database to the scheduler's answer.

    Args:
        workflow: the name of the search.
        resume: whether the search is to be resumed.

    Raises:
        EvaluatorError: without a usable database.
        HpcError: if a workflow of that name exists, or should be resumed but doesn't exist; if the
            scheduler can't be asked.
        MissingExtra: if Balsam isn't installed.
    """

    def __init__(self, workflow: str, resume: bool) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", workflow):
            raise HpcError(
                f"'{workflow}' can't be the name of a workflow; use letters, digits, and . _ -"
            )
        self.workflow = workflow
        self._models = connect()
        self._service = _service()
        self._job: Any = self._existing() if resume else None
        if not resume:
            self._require_free_name()

    def previous(self) -> tuple[SearchSpec, Launch]:
        """Return what the search was submitted with before; only where it is to be resumed.

        Raises:
            HpcError: if that can't be read.
        """
        path = Path(self._job.working_directory, SPEC_FILE)
        try:
            message = json.loads(path.read_text())
            return SearchSpec.from_json(message["search"]), Launch.from_json(message["launch"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HpcError(f"'{path}' can't be read ({error}); begin a new workflow") from error

    def require_unfinished(self, spec: SearchSpec) -> None:
        """Check that there is something left to do for a search that is to be resumed.

        Raises:
            HpcError: if it has used up its evaluations or its time limit.
            ResultsError: if its journal can't be read.
        """
        if not LogDir(self._directory).holds_search:
            return
        record = read_journal(self._directory)
        max_evals, timeout, max_steps = map(
            spec.options.get, ("--max-evals", "--timeout", "--max-steps")
        )
        budget = Budget(
            None if max_evals is None else int(max_evals),
            None if timeout is None else float(timeout),
            None if max_steps is None else int(max_steps),
        ).over_sessions(record)
        has_steps = bool(record.unfinished) or budget.has_steps_for(record.reports)
        reason = budget.reason_to_stop(len(record.ended), record.seconds, Streaks(), has_steps)
        if reason == "max_evals":
            raise HpcError(
                f"the search '{self.workflow}' has reached its --max-evals, {budget.max_evals}; "
                "give a larger one"
            )
        if reason == "max_steps":
            raise HpcError(
                f"the search '{self.workflow}' has reached its --max-steps, {budget.max_steps}; "
                "give a larger one"
            )
        if reason == "timeout":
            raise HpcError(
                f"the search '{self.workflow}' has reached its --timeout, {budget.timeout:g} s; "
                "give a longer one"
            )

    def plan(self, spec: SearchSpec, launch: Launch) -> str:
        """Return a description of what :meth:`submit` would make, for people."""
        if self._job is None:
            what = "BalsamJob"
            # Its directory will have a random key in its name.
            directory = re.sub("_[0-9a-f]{8}$", "_........", self._new_job().working_directory)
        else:
            what, directory = "BalsamJob, to be started again", str(self._directory)
        command = " ".join(["deephyper", *spec.command])
        problem = f" --problem {spec.problem}" if spec.problem else ""
        lines = [
            f"{what}: {self.workflow}",
            f"  runs: {command}{problem} --run {spec.run}"
            + "".join(f" {name} {value}" for name, value in spec.options.items()),
            f"  in: {directory}",
            f"  concurrent evaluations: {check_request(spec, launch)}",
            "Batch script:",
        ]
        script = self._service.script_template.render(self._new_launch(launch))
        return "\n".join([*lines, *(f"  {line}".rstrip() for line in script.splitlines())])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is made inside only if all of it succeeds.

        Raises:
            HpcError: if the database fails, or the workflow's name was taken meanwhile.
        """
        from django.db import Error, connection, transaction

        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    # A crash may cost the database its last second, but never a submission.
                    cursor.execute("SET LOCAL synchronous_commit = on")
                    # Two submissions of one name at once: the second sees the first.
                    cursor.execute(
                        "SELECT pg_advisory_xact_lock(hashtext(%s))", [f"deephyper {self.workflow}"]
                    )
                if self._job is None:
                    self._require_free_name()
                yield
        except Error as error:
            raise HpcError(
                f"the Balsam database failed ({' '.join(str(error).split())[:200]}); nothing was "
                "submitted"
            ) from error

    def bootstrap_apps(self) -> None:
        """Make the apps of searches and evaluations, if they don't exist."""
        search_app(self._models)
        evaluation_app(self._models)

    @contextlib.contextmanager
    def search_job(self, spec: SearchSpec, launch: Launch) -> Iterator[str]:
        """Make the search's BalsamJob and its directory, or have them started again.

        Yields the directory. If what follows inside fails, the directory is as it was before.
        """
        text = json.dumps({"search": spec.to_json(), "launch": launch.to_json()}, indent=1)
        if self._job is None:
            files = self._make_job(text)
        else:
            self._restart_job()
            files = self._replace_spec(text)
        with files as directory:
            yield str(directory)

    def submit(self, launch: Launch) -> str:
        """Hand the launch to the scheduler; return Balsam's description of it.

        Raises:
            HpcError: if the scheduler rejects it.
        """
        from django.conf import settings

        row = self._new_launch(launch)
        row.save()
        script = Path(settings.SERVICE_PATH, f"qlaunch{row.pk}.sh")
        try:
            with jobs_named(self.workflow):
                self._service.submit_qlaunch(row)
        except BaseException as error:
            script.unlink(missing_ok=True)
            if not isinstance(error, Exception):
                raise
            # Balsam raises what it likes here.
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise HpcError(
                f"the scheduler did not take the job ({reason}); nothing was submitted"
            ) from error
        return str(row)

    # Rows.

    @property
    def _directory(self) -> Path:
        return Path(self._job.working_directory)

    def _new_job(self) -> Any:
        job = self._models.BalsamJob()
        job.name = job.workflow = self.workflow
        job.description = "A search of deephyper."
        job.node_packing_count = _SEARCH_PACKING
        job.cpu_affinity = "none"
        job.state = "PREPROCESSED"
        job.state_history = self._models.history_line("PREPROCESSED", "Submitted by deephyper")
        return job

    def _new_launch(self, launch: Launch) -> Any:
        return self._models.QueuedLaunch(
            project=launch.project,
            queue=launch.queue,
            nodes=launch.nodes,
            wall_minutes=launch.minutes,
            job_mode=launch.job_mode,
            wf_filter=self.workflow,
            prescheduled_only=False,
        )

    def _existing(self) -> Any:
        """Return the BalsamJob of a search that is to be resumed."""
        jobs = self._models.BalsamJob.objects.filter(workflow=self.workflow)
        job = jobs.filter(application__startswith=SEARCH_MODULE).first()
        if job is None:
            raise HpcError(
                f"there is no search '{self.workflow}' in this database to resume; leave out "
                "--resume, or activate the database that holds it"
            )
        for launch in active_launches(self._models, self.workflow):
            raise HpcError(
                f"the search '{self.workflow}' is still queued or running, in the scheduler's job "
                f"{launch.scheduler_id}; wait for its end, or cancel that job"
            )
        return job

    def _require_free_name(self) -> None:
        jobs = self._models.BalsamJob.objects
        if jobs.filter(workflow=self.workflow).exists():
            raise HpcError(
                f"the workflow '{self.workflow}' already exists; choose another name, or resume it "
                "with --resume"
            )
        unfinished = jobs.exclude(state__in=self._models.END_STATES)
        for other in unfinished.values_list("workflow", flat=True).distinct():
            if other and (other in self.workflow or self.workflow in other):
                raise HpcError(
                    f"Balsam can't tell '{self.workflow}' from the unfinished workflow '{other}', "
                    "because it matches parts of names; choose a name that neither contains the "
                    "other nor is contained in it"
                )

    def _restart_job(self) -> None:
        """Make the search runnable, whatever became of it and of its launcher."""
        objects = self._models.BalsamJob.objects
        evaluations = objects.filter(workflow=self.workflow).exclude(pk=self._job.pk)
        _close_evaluations(self._models, evaluations, self._directory)
        job = objects.select_for_update().get(pk=self._job.pk)
        job.application = search_app(self._models)
        job.lock = ""
        job.state = "RESTART_READY"
        job.state_history += self._models.history_line("RESTART_READY", "Resubmitted by deephyper")
        job.save(update_fields=["application", "lock", "state", "state_history"])

    # The directory.

    @contextlib.contextmanager
    def _make_job(self, spec: str) -> Iterator[Path]:
        job = self._new_job()
        job.application = search_app(self._models)
        job.save(force_insert=True)
        directory = Path(job.working_directory)
        directory.mkdir(parents=True)
        try:
            (directory / SPEC_FILE).write_text(spec)
            yield directory
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            with contextlib.suppress(OSError):
                directory.parent.rmdir()
            raise

    @contextlib.contextmanager
    def _replace_spec(self, spec: str) -> Iterator[Path]:
        file = self._directory / SPEC_FILE
        before = file.read_text()
        output = self._directory / f"{self.workflow}.out"
        kept = _set_aside(output)
        try:
            file.write_text(spec)
            yield self._directory
        except BaseException:
            file.write_text(before)
            if kept is not None:
                kept.replace(output)
            raise


def _close_evaluations(models: Any, evaluations: Any, directory: Path) -> None:
    """End a search's evaluations that no launcher has ended.

    Balsam is some seconds behind the search, and a launcher that is killed says nothing more; how
    an evaluation ended is in the journal. Those that it doesn't know are killed.

    Args:
        models: of the database.
        evaluations: Django's query for them.
        directory: the search's.
    """
    orphans = evaluations.exclude(state__in=models.END_STATES)
    known = {
        (event.id, event.attempt): _FINAL_STATES[isinstance(event, events.Failure)]
        for event in (read_events(directory) if LogDir(directory).holds_search else ())
        if isinstance(event, events.Finished | events.Failure)
    }
    ended: dict[str, list[Any]] = {state: [] for state in _FINAL_STATES}
    for job in orphans.only("job_id", "data"):
        state = known.get((str(job.data.get("id")), int(job.data.get("attempt", 0))))
        if state is not None:
            ended[state].append(job.pk)
    close_orphans(models, orphans, ended)


def _set_aside(output: Path) -> Path | None:
    """Rename an earlier session's output, which Balsam would overwrite; return its new path."""
    if not output.exists():
        return None
    numbers = itertools.count(1)
    kept = next(p for n in numbers if not (p := output.with_suffix(f".{n}.out")).exists())
    return output.replace(kept)


def _service() -> Any:
    """Return Balsam's module that submits launches."""
    if shutil.which("pg_ctl") is None:
        raise HpcError(
            "PostgreSQL's pg_ctl can't be found, which the launch needs; add its directory to PATH"
        )
    from jinja2 import TemplateError

    try:
        with quietly_importing():
            from balsam.service import service
    except TemplateError as error:
        raise HpcError(
            f"Balsam's job template can't be used ({type(error).__name__}: {error}); fix "
            "JOB_TEMPLATE in ~/.balsam/settings.json"
        ) from error
    return service
