"""The published DeepHyper of the package registry, in an environment of its own.

It has the import name of ours, so that no process can have both: the peer starts
`published_worker.py` with the interpreter that PUBLISHED_DEEPHYPER_PYTHON names, and speaks with it
through a pipe.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any

from benchmarks.optimizer.task import Point
from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem.translation import translate

VARIABLE = "PUBLISHED_DEEPHYPER_PYTHON"
WORKER = Path(__file__).with_name("published_worker.py")
HOW = "make its environment as benchmarks/optimizer/README.md says"


class Published:
    """CBO with its defaults through its own ask and tell, in another process.

    Attributes:
        version: of the published package.
        refused: how many proposals the problem forbids; they were told as failed.
    """

    def __init__(self, problem: HpProblem, seed: int, interpreter: str) -> None:
        self.refused = 0
        self._problem = problem
        self._asked: dict[str, list[int]] = {}
        self._noise = tempfile.TemporaryFile("w+")  # noqa: SIM115
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        # -I: neither PYTHONPATH nor this directory may bring our own deephyper in.
        self._process = subprocess.Popen(
            [interpreter, "-I", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            text=True,
            env={**os.environ, **dict.fromkeys(threads, "1")},
        )
        weakref.finalize(self, _end, self._process, self._noise)
        space = problem.space.to_serialized_dict()
        self.version: str = self._exchange({"space": space, "seed": seed})["version"]

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
        """The proposal without inactive hyperparameters, which it gives their lowest values."""
        space = self._problem.space
        conditions = {c.child.name: translate(c) for c in space.conditions}
        point: Point = {}
        for name in space:  # parents come first
            if name not in conditions or conditions[name].satisfied_by(point):
                point[name] = proposal[name]
        return point

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
            raise RuntimeError(f"published DeepHyper: {answer['error']}\n{self._noise.read()}")
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


def interpreter() -> str:
    """The interpreter that has the published package; exits with what to do when it isn't there."""
    path = os.environ.get(VARIABLE)
    if not path:
        sys.exit(f"the peer published needs {VARIABLE}, the interpreter to run it: {HOW}")
    look = (
        "from importlib import metadata, util;"
        "print(metadata.version('deephyper'), util.find_spec('deephyper.hpo') is not None)"
    )
    try:
        found = subprocess.run([path, "-I", "-c", look], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"{VARIABLE}={path} can't be run ({error.strerror}): {HOW}")
    if found.returncode != 0 or not found.stdout.strip().endswith("True"):
        sys.exit(f"{VARIABLE}={path} has no published deephyper (deephyper.hpo): {HOW}")
    return path
