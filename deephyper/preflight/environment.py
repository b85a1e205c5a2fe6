"""The packages and programs of this machine that a search, or what it evaluates, may need.

Nothing of it is imported: the versions of packages are in their metadata.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from deephyper.errors import DeepHyperError
from deephyper.evaluator.cores import num_cpus
from deephyper.evaluator.gpus import visible_gpus
from deephyper.registry import EVALUATORS
from deephyper.version import __version__

_PACKAGES = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
    "keras": ("keras",),
    "torch": ("torch",),
    "jax": ("jax",),
    "dask": ("dask",),
    "mpi4py": ("mpi4py",),
}
"""Packages that are looked for, and the distributions that may hold each."""
_PROGRAMS = ("sbatch", "qsub", "mpirun")
"""Programs that submit to Slurm, and to Cobalt or PBS, and that start MPI."""
_SECONDS = 10.0
"""The time that a program gets to tell its version."""


@dataclass(frozen=True)
class Environment:
    """The packages, programs and devices of a machine.

    Attributes:
        python: version of Python.
        deephyper: our own version.
        cpus: processor cores that this process may use.
        packages: package -> its version; None if it isn't installed.
        programs: program -> the first line of what it tells as its version, or its path; None if it
            isn't there.
        gpus: the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.
    """

    python: str
    deephyper: str
    cpus: int
    packages: Mapping[str, str | None]
    programs: Mapping[str, str | None]
    gpus: tuple[str, ...]


def look_around() -> Environment:
    """Return what there is on this machine."""
    return Environment(
        platform.python_version(),
        __version__,
        num_cpus(),
        {**_packages_of_evaluators(), **{n: _first_version(d) for n, d in _PACKAGES.items()}},
        {program: _program(program) for program in _PROGRAMS},
        tuple(visible_gpus()),
    )


def _packages_of_evaluators() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in EVALUATORS.names:
        with contextlib.suppress(DeepHyperError):  # a broken package is reported when it is chosen
            found |= {each: _first_version((each,)) for each in EVALUATORS.load(name).packages}
    return found


def _first_version(distributions: tuple[str, ...]) -> str | None:
    for each in distributions:
        with contextlib.suppress(PackageNotFoundError):
            return version(each)
    return None


def _program(name: str) -> str | None:
    path = shutil.which(name)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return path
    told = (done.stdout or done.stderr).strip() if done.returncode == 0 else ""
    return told.splitlines()[0][:200] if told else path
