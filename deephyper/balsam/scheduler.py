"""Which launches of a workflow the batch scheduler still knows."""

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


def living_launches(models: Any, workflow: str) -> list[Any]:
    """Launches of a workflow that wait in the scheduler's queue or run.

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
    """Give the jobs that are submitted inside the workflow's name, by which ``scancel`` and
    ``squeue`` know them; Balsam would give them that of its script."""
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
    """This user's jobs that the scheduler knows and that have not ended."""
    with quietly_importing():
        from balsam.service.schedulers import scheduler
        from django.conf import settings

    try:
        if settings.SCHEDULER_CLASS.strip() == "SlurmScheduler":
            # Balsam asks Slurm for columns that today's squeue reads differently.
            command = [settings.SCHEDULER_STATUS_EXE, "-h", "-u", getpass.getuser(), "-o", "%A"]
            said = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_STATUS_SECONDS
            ).stdout
            return {int(word) for word in said.split()}
        return {int(job_id) for job_id in scheduler.status_dict()}
    except Exception as error:
        said = getattr(error, "stderr", None) or str(error)
        raise HpcError(
            f"the scheduler can't be asked for its jobs ({' '.join(said.split())[:200]}); try "
            "again when it answers"
        ) from error
