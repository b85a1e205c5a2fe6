"""Submitting a search to a batch scheduler through Balsam.

A search is one BalsamJob, whose evaluations become jobs of the same workflow; a launch, which the
scheduler starts, runs the workflow's jobs. All rows are written in one transaction that is kept
only once the scheduler has taken the launch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deephyper.balsam.database import (
    app_of,
    connect,
    evaluation_app,
    quietly_importing,
)
from deephyper.balsam.leftovers import settle_leftovers
from deephyper.balsam.request import Launch, SearchSpec, places
from deephyper.balsam.scheduler import jobs_named, living_launches
from deephyper.balsam.search_job import SPEC_FILE
from deephyper.errors import HpcError
from deephyper.search.journal import holds_search, read_journal

_SEARCH_MODULE = "deephyper.balsam.search_job"
# Balsam lets a search share a node with evaluations that fill it if it takes next to nothing.
_SEARCH_PACKING = 2000


class Submission:
    """One submission, from the first look at the database to the scheduler's answer.

    Args:
        workflow: the name of the search.
        resume: whether it is to go on.

    Raises:
        HpcError, EvaluatorError: without a usable database; if a workflow of that name exists, or
            doesn't but is to go on; if the scheduler can't be asked.
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
            self._refuse_clash()

    def previous(self) -> tuple[SearchSpec, Launch]:
        """What the search was submitted with before; only where it is to go on."""
        path = Path(self._job.working_directory, SPEC_FILE)
        try:
            message = json.loads(path.read_text())
            return SearchSpec(**message["search"]), Launch(**message["launch"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HpcError(f"'{path}' can't be read ({error}); begin a new workflow") from error

    def refuse_finished(self, spec: SearchSpec) -> None:
        """Refuse to go on with a search that has nothing left to do.

        Raises:
            HpcError: if it has made all its evaluations, or used up its time limit.
            ResultsError: if its journal can't be read.
        """
        folder = Path(self._folder)
        if not holds_search(folder):
            return
        record = read_journal(folder)
        max_evals = int(spec.options.get("--max-evals", record.max_evals or 0))
        made = len(record.ended)
        if max_evals and made >= max_evals:
            counted = "1 evaluation is" if made == 1 else f"all {made} evaluations are"
            raise HpcError(
                f"{counted} made of the search '{self.workflow}'; give a larger --max-evals"
            )
        timeout = float(spec.options.get("--timeout", record.timeout or 0))
        if timeout and record.seconds >= timeout:
            raise HpcError(
                f"the search '{self.workflow}' has used up its time limit of {timeout:g} s; give a "
                "longer --timeout"
            )

    def plan(self, spec: SearchSpec, launch: Launch) -> str:
        """What :meth:`submit` would make, for a person to read."""
        folder = self._new_job().working_directory if self._job is None else self._folder
        lines = [
            f"{'BalsamJob' if self._job is None else 'BalsamJob, to be started again'}: "
            f"{self.workflow}",
            f"  runs: deephyper hps {spec.search} --problem {spec.problem} --run {spec.run}"
            + "".join(f" {name} {value}" for name, value in spec.options.items()),
            f"  in: {re.sub('_[0-9a-f]{8}$', '_........', folder) if not self._job else folder}",
            f"  evaluations at a time: {places(spec, launch)}",
            "Batch script:",
        ]
        script = self._service.script_template.render(self._new_launch(launch))
        return "\n".join([*lines, *(f"  {line}".rstrip() for line in script.splitlines())])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is made inside only if all of it succeeds."""
        from django.db import Error, connection, transaction

        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    # The database as a whole may lose its last second; a submission is to stay.
                    cursor.execute("SET LOCAL synchronous_commit = on")
                    # Two submissions of one name at once: the second sees the first.
                    cursor.execute(
                        "SELECT pg_advisory_xact_lock(hashtext(%s))", [f"deephyper {self.workflow}"]
                    )
                if self._job is None:
                    self._refuse_clash()
                yield
        except Error as error:
            raise HpcError(
                f"the Balsam database refused ({' '.join(str(error).split())[:200]}); nothing was "
                "submitted"
            ) from error

    def bootstrap_apps(self) -> None:
        """Make the apps of searches and evaluations, where they aren't there."""
        self._app = app_of(self._models, _SEARCH_MODULE, "A search of deephyper.")
        evaluation_app(self._models)

    @contextlib.contextmanager
    def search_job(self, spec: SearchSpec, launch: Launch) -> Iterator[str]:
        """Make the search's BalsamJob and its folder, or have them started again; the folder.

        If what follows inside fails, the folder is as it was before.
        """
        text = json.dumps(
            {"search": dataclasses.asdict(spec), "launch": dataclasses.asdict(launch)}, indent=1
        )
        if self._job is None:
            job = self._new_job()
            job.application = self._app
            job.save(force_insert=True)
            folder = Path(job.working_directory)
            before = None
            folder.mkdir(parents=True)
        else:
            self._start_again(launch)
            folder = Path(self._folder)
            before = (folder / SPEC_FILE).read_text()
        aside = _set_aside(folder / f"{self.workflow}.out")
        try:
            (folder / SPEC_FILE).write_text(text)
            yield str(folder)
        except BaseException:
            if before is None:
                shutil.rmtree(folder, ignore_errors=True)
                with contextlib.suppress(OSError):
                    folder.parent.rmdir()
            else:
                (folder / SPEC_FILE).write_text(before)
                if aside is not None:
                    aside.replace(folder / f"{self.workflow}.out")
            raise

    def submit(self, launch: Launch) -> str:
        """Hand the launch to the scheduler; Balsam's description of it.

        Raises:
            HpcError: if the scheduler refuses it.
        """
        from django.conf import settings

        row = self._new_launch(launch)
        row.save()
        script = Path(settings.SERVICE_PATH, f"qlaunch{row.pk}.sh")
        try:
            with jobs_named(self.workflow):
                self._service.submit_qlaunch(row)
        except Exception as error:
            script.unlink(missing_ok=True)
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise HpcError(
                f"the scheduler did not take the job ({reason}); nothing was submitted"
            ) from error
        except BaseException:
            script.unlink(missing_ok=True)
            raise
        return str(row)

    @property
    def _folder(self) -> str:
        return str(self._job.working_directory)

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
        jobs = self._models.BalsamJob.objects.filter(workflow=self.workflow)
        job = jobs.filter(application__startswith=_SEARCH_MODULE).first()
        if job is None:
            raise HpcError(
                f"there is no search '{self.workflow}' in this database to go on with; leave "
                "--resume out, or activate the database that holds it"
            )
        for launch in living_launches(self._models, self.workflow):
            raise HpcError(
                f"the search '{self.workflow}' is queued or running still, in the scheduler's job "
                f"{launch.scheduler_id}; wait for its end, or cancel that job"
            )
        return job

    def _refuse_clash(self) -> None:
        jobs = self._models.BalsamJob.objects
        if jobs.filter(workflow=self.workflow).exists():
            raise HpcError(
                f"the workflow '{self.workflow}' exists already; choose another name, or go on "
                "with it by --resume"
            )
        unfinished = jobs.exclude(state__in=self._models.END_STATES)
        for other in unfinished.values_list("workflow", flat=True).distinct():
            if other and (other in self.workflow or self.workflow in other):
                raise HpcError(
                    f"Balsam can't tell '{self.workflow}' from the unfinished workflow '{other}', "
                    "since it looks for part of the name; choose one that shares less"
                )

    def _start_again(self, launch: Launch) -> None:
        """Make the search runnable, whatever became of it and of its launcher."""
        objects = self._models.BalsamJob.objects
        others = objects.filter(workflow=self.workflow).exclude(pk=self._job.pk)
        settle_leftovers(self._models, others, Path(self._folder))
        job = objects.select_for_update().get(pk=self._job.pk)
        job.application = self._app
        job.lock = ""
        job.state = "RESTART_READY"
        job.state_history += self._models.history_line("RESTART_READY", "Resubmitted by deephyper")
        job.save(update_fields=["application", "lock", "state", "state_history"])


def _set_aside(output: Path) -> Path | None:
    """Keep what an earlier session has printed, which Balsam would overwrite; where it is now."""
    if not output.exists():
        return None
    numbers = itertools.count(1)
    aside = next(p for n in numbers if not (p := output.with_suffix(f".{n}.out")).exists())
    return output.replace(aside)


def _service() -> Any:
    """Balsam's module that submits launches."""
    if shutil.which("pg_ctl") is None:
        raise HpcError(
            "PostgreSQL's pg_ctl can't be found, which the launch needs; add its folder to PATH"
        )
    from jinja2 import TemplateError

    try:
        with quietly_importing():
            from balsam.service import service
    except TemplateError as error:
        raise HpcError(
            f"Balsam's job template can't be used ({type(error).__name__}: {error}); mend "
            "JOB_TEMPLATE in ~/.balsam/settings.json"
        ) from error
    return service
