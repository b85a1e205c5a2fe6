"""The job of a batch scheduler that this process runs in, if it does."""

from __future__ import annotations

import os
import sys

_CANCEL = {
    "SLURM_JOB_ID": "scancel",
    "PBS_JOBID": "qdel",
    "COBALT_JOBID": "qdel",
    "LSB_JOBID": "bkill",
}
"""The command that cancels a job, by the variable that holds its id."""


def cancel_command() -> str | None:
    """Return the command that cancels the batch job; None outside of one.

    A job in which somebody sits at a terminal (``salloc``, ``srun --pty``) is not a batch job.
    """
    if sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
        return None
    for variable, command in _CANCEL.items():
        job = os.environ.get(variable)
        if job:
            return f"{command} {job}"
    return None
