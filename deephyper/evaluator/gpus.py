"""The GPUs of this machine, and how workers share them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from deephyper.errors import EvaluatorError


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    variable = os.environ.get("CUDA_VISIBLE_DEVICES")
    if variable is not None:
        return [name.strip() for name in variable.split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(i) for i, line in enumerate(listed.splitlines()) if line.startswith("GPU")]


def share_gpus(gpus: Sequence[str], num_workers: int, per_worker: float) -> list[str]:
    """Return CUDA_VISIBLE_DEVICES for each worker.

    Args:
        gpus: names of the GPUs.
        num_workers: how many workers share them.
        per_worker: GPUs for each: a whole number, or a fraction such as 0.5, where several
            workers share one.

    Raises:
        EvaluatorError: if there are too few.
    """
    if per_worker < 1:
        workers_per_gpu = int(1 / per_worker + 1e-9)
        needed = -(-num_workers // workers_per_gpu)
        groups = [[worker // workers_per_gpu] for worker in range(num_workers)]
    elif per_worker == int(per_worker):
        count = int(per_worker)
        needed = num_workers * count
        groups = [list(range(w * count, (w + 1) * count)) for w in range(num_workers)]
    else:
        raise EvaluatorError(
            f"num_gpus_per_task is {per_worker}; give a whole number or a fraction below 1"
        )
    if needed > len(gpus):
        raise EvaluatorError(
            f"num_workers={num_workers} with num_gpus_per_task={per_worker:g} needs {needed} GPUs, "
            f"and there are {len(gpus)}; use fewer workers, or set CUDA_VISIBLE_DEVICES"
        )
    return [",".join(gpus[i] for i in group) for group in groups]
