"""The batch scheduler's view of a workflow: which of its jobs it still knows, and their name."""

from __future__ import annotations

import contextlib
import getpass
import re
import subprocess
from collections.abc import Iterator
from typing import Any

from deephyper.balsam.database import quietly_importing
from deephyper.errors import HpcError

_STATUS_SECONDS = 60


def active_launches(models: Any, workflow: str) -> list[Any]:
    """Return the launches of a workflow that wait in the scheduler's queue or run.

    Raises:
        HpcError: if the scheduler can't be asked.
    """
    launches = list(models.QueuedLaunch.objects.filter(wf_filter=workflow).order_by("pk"))
    if not launches:
        return []
    known = _job_ids()
    return [launch for launch in launches if launch.scheduler_id in known]


@contextlib.contextmanager
def jobs_named(workflow: str) -> Iterator[None]:
    """Give the jobs that are submitted inside the workflow's name, for ``squeue`` and ``scancel``.

    Balsam names them after its script and has no setting for it, so this replaces the private
    method with which its scheduler puts the command together, on that one object and for as long
    as the context lasts. Balsam's version is pinned in pyproject.toml; the tests on Slurm would
    fail if the method changed.
    """
    with quietly_importing():
        from balsam.service.schedulers import scheduler

    make = scheduler._make_submit_cmd

    def make_named(script_path: str) -> str:
        return re.sub(r"--job-name \S+", f"--job-name {workflow}", str(make(script_path)))

    scheduler._make_submit_cmd = make_named
    try:
        yield
    finally:
        del scheduler._make_submit_cmd


def _job_ids() -> set[int]:
    """Return the ids of this user's jobs that wait or run."""
    with quietly_importing():
        from balsam.service.schedulers import scheduler
        from django.conf import settings

    try:
        if settings.SCHEDULER_CLASS.strip() == "SlurmScheduler":
            # Balsam asks Slurm for columns that today's squeue reads differently.
            command = [settings.SCHEDULER_STATUS_EXE, "-h", "-u", getpass.getuser(), "-o", "%A"]
            output = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_STATUS_SECONDS
            ).stdout
            return {int(word) for word in output.split()}
        return {int(job_id) for job_id in scheduler.status_dict()}
    except Exception as error:  # a scheduler of Balsam's raises what it likes
        reason = getattr(error, "stderr", None) or str(error)
        raise HpcError(
            f"the scheduler can't be asked for its jobs ({' '.join(reason.split())[:200]}); try "
            "again when it answers"
        ) from error
