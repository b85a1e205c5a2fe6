"""Balsam's settings and job template for the scheduler Slurm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deephyper.balsam.database import quietly_importing
from deephyper.errors import HpcError

TEMPLATE_NAME = "job-templates/deephyper.slurm.tmpl"
LAUNCH_END = "DEEPHYPER_LAUNCH_END"
"""Variable with the time (seconds since the epoch) at which the launcher ends its jobs."""

# The launcher ends its jobs two minutes before the batch job's own end, three in mode serial; a
# short job gets by with less.
TEMPLATE = r"""#!/bin/bash
{% if project %}#SBATCH --account={{ project }}
{% endif %}{% if queue %}#SBATCH --partition={{ queue }}
{% endif %}#SBATCH --nodes={{ nodes }}
#SBATCH --time={{ time_minutes }}
#SBATCH --exclusive
#SBATCH --signal=B:TERM@30
{% if sched_flags %}#SBATCH {{ sched_flags }}
{% endif %}
export PATH="{{ balsam_bin }}:{{ pg_bin }}:$PATH"
export SLURM_HOSTS=$(scontrol show hostnames)
# A step of one task may use all cores of its node.
scontrol show config | grep -q '^TaskPlugin .*none' || export SLURM_CPU_BIND=none

minutes=$(( {{ time_minutes }} > 2 ? {{ time_minutes }} - 2 : 1 ))
seconds=$(( 60 * minutes ))
if [ "{{ job_mode }}" = serial ]; then
    seconds=$(( minutes > 1 ? seconds - 60 : 6 ))
fi
export DEEPHYPER_LAUNCH_END=$(( $(date +%s) + seconds ))

source balsamactivate "{{ balsam_db_path }}"

python3 -m deephyper.balsam.site.launcher --{{ wf_filter }} --job-mode={{ job_mode }} \
    --time-limit-minutes=$minutes &
child=$!
trap 'kill -TERM $child; wait $child' TERM
trap 'kill -INT $child; wait $child' INT
wait $child

source balsamdeactivate
"""


def use_slurm(home: Path | None = None) -> bool:
    """Write Balsam's settings and a job template for Slurm.

    Args:
        home: Balsam's directory of settings; None for ``~/.balsam``.

    Returns:
        False if they are for Slurm already, and unchanged.

    Raises:
        HpcError: if Slurm isn't installed, or the settings were edited for another scheduler.
    """
    home = Path.home() / ".balsam" if home is None else home
    sbatch, squeue = shutil.which("sbatch"), shutil.which("squeue")
    if sbatch is None or squeue is None:
        raise HpcError("Slurm's sbatch and squeue can't be found; leave out --slurm")
    default = _default_settings()
    settings = home / "settings.json"
    if settings.exists():
        try:
            present = json.loads(settings.read_text())
        except ValueError:
            present = None
        if isinstance(present, dict) and present.get("SCHEDULER_CLASS") == "SlurmScheduler":
            return False
        if present != default:
            raise HpcError(
                f"'{settings}' has settings of your own for another scheduler; edit them by hand, "
                "or move the file away"
            )
    template = home / TEMPLATE_NAME
    template.parent.mkdir(parents=True, exist_ok=True)
    _copy_templates(template.parent)
    template.write_text(TEMPLATE)
    slurm = {
        "SCHEDULER_CLASS": "SlurmScheduler",
        "SCHEDULER_SUBMIT_EXE": sbatch,
        "SCHEDULER_STATUS_EXE": squeue,
        "MPI_RUN_TEMPLATE": "SlurmMPICommand",
        "WORKER_DETECTION_TYPE": "SLURM",
        "DEFAULT_PROJECT": "",
        "SERIAL_CORES_PER_NODE": _cores_per_node(),
        "JOB_TEMPLATE": TEMPLATE_NAME,
    }
    settings.write_text(json.dumps({**default, **slurm}, indent=1))
    return True


def _default_settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((_config() / "default_settings.json").read_text())
    return settings


def _copy_templates(directory: Path) -> None:
    for file in (_config() / "job-templates").iterdir():
        if not (directory / file.name).exists():
            shutil.copy(file, directory)


def _config() -> Path:
    with quietly_importing():
        import balsam
    return Path(str(balsam.__file__)).parent / "django_config"


def _cores_per_node() -> int:
    """Return the cores of the smallest node; Balsam binds evaluations to cores that must exist."""
    try:
        output = subprocess.run(
            ["sinfo", "-h", "-o", "%c"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        return min(int(word.rstrip("+")) for word in output.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return os.cpu_count() or 1
