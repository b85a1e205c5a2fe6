"""The environment variables that a worker process is given."""

from __future__ import annotations

import os

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


def thread_variables(cores: int) -> dict[str, str]:
    """Return the variables by which numerical libraries are told how many threads to use, without
    those that the environment has already."""
    return {name: str(cores) for name in _THREAD_VARIABLES if name not in os.environ}
