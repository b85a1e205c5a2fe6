"""The package ray, imported when an evaluator or one of its workers is made."""

from __future__ import annotations

import os
from typing import Any

from deephyper.errors import MissingExtra


def import_ray() -> Any:
    """Return the package.

    Raises:
        MissingExtra: if it isn't installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "ray") from error
    return ray


def first_line(error: BaseException) -> str:
    """Return the kind of an error and the first line of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
