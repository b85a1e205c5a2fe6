"""Peers in an environment of their own.

The published DeepHyper has the import name of ours, and the other libraries want versions that
exclude each other. Such a peer is a room of `workers/`, run by the interpreter that an environment
variable names, and spoken with through a pipe.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.optimizer.dimensions import active, decoded, described
from benchmarks.optimizer.task import Point
from deephyper.errors import ProblemError
from deephyper.problem import HpProblem

WORKERS = Path(__file__).with_name("workers")
HOW = "make its environment as benchmarks/optimizer/README.md says"


@dataclass(frozen=True)
class Environment:
    """A peer's own environment.

    Attributes:
        name: of the peer and of its room in `workers/`.
        variable: the environment variable that names its interpreter.
        package: what that interpreter must be able to import.
        takes_configspace: whether the peer takes ConfigSpace's own description of a space.
    """

    name: str
    variable: str
    package: str
    takes_configspace: bool = False

    def interpreter(self) -> str:
        """The interpreter that has the package; exits with what to do when it isn't there."""
        path = os.environ.get(self.variable)
        if not path:
            sys.exit(
                f"the peer {self.name} needs {self.variable}, the interpreter to run it: {HOW}"
            )
        look = f"from importlib import util; print(util.find_spec('{self.package}') is not None)"
        try:
            found = subprocess.run([path, "-I", "-c", look], capture_output=True, text=True)
        except OSError as error:
            sys.exit(f"{self.variable}={path} can't be run ({error.strerror}): {HOW}")
        if found.returncode != 0 or found.stdout.strip() != "True":
            sys.exit(f"{self.variable}={path} has no package {self.package}: {HOW}")
        return path


ENVIRONMENTS = [
    Environment("published", "PUBLISHED_DEEPHYPER_PYTHON", "deephyper.hpo", takes_configspace=True),
    Environment("ax", "AX_PYTHON", "ax.api"),
    Environment("hebo", "HEBO_PYTHON", "hebo"),
    Environment("vizier", "VIZIER_PYTHON", "vizier"),
]


class Remote:
    """An optimizer with its defaults through its own ask and tell, in another process.

    Attributes:
        version: of the peer's package.
        refused: how many proposals the problem forbids; they were told as failed.
    """

    def __init__(self, problem: HpProblem, seed: int, environment: Environment) -> None:
        self.refused = 0
        self._problem = problem
        self._environment = environment
        self._asked: dict[str, list[int]] = {}
        interpreter = environment.interpreter()
        self._noise = tempfile.TemporaryFile("w+")  # noqa: SIM115
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        # -I: neither PYTHONPATH nor this directory may bring our own deephyper in.
        self._process = subprocess.Popen(
            [interpreter, "-I", str(WORKERS / "run.py"), environment.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            text=True,
            env={**os.environ, **dict.fromkeys(threads, "1")},
        )
        weakref.finalize(self, _end, self._process, self._noise)
        space = problem.space
        told = space.to_serialized_dict() if environment.takes_configspace else described(space)
        self.version: str = self._exchange({"space": told, "seed": seed})["version"]

    def ask(self) -> Point:
        for _ in range(1000):
            answer = self._exchange({"ask": True})
            point = self._point(answer["point"])
            try:
                self._problem.check_configuration(point)
            except ProblemError:
                self.refused += 1
                self._exchange({"tell": answer["id"], "objective": "F_forbidden"})
                continue
            self._asked.setdefault(repr(point), []).append(answer["id"])
            return point
        raise RuntimeError("no valid proposal in 1000")

    def tell(self, point: Point, objective: float | str) -> None:
        asked = self._asked[repr(point)].pop(0)
        # float: a numpy scalar isn't JSON
        told = objective if isinstance(objective, str) else float(objective)
        self._exchange({"tell": asked, "objective": told})

    def _point(self, proposal: dict[str, Any]) -> Point:
        space = self._problem.space
        if not self._environment.takes_configspace:
            proposal = decoded(space, proposal)
        return active(space, proposal)

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": "its process ended"}
        if "error" in answer:
            process.wait()
            self._noise.seek(0)
            name = self._environment.name
            raise RuntimeError(f"the peer {name}: {answer['error']}\n{self._noise.read()}")
        return answer


def _end(process: subprocess.Popen[str], noise: IO[str]) -> None:
    """The child ends when its input does; what it still computes isn't waited for long."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    noise.close()
