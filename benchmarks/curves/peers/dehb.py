"""DEHB by its ask and tell."""

from __future__ import annotations

import copy
import tempfile

from benchmarks.curves.peers.fidelities import Fidelities, Request
from deephyper.problem import HpProblem


class Dehb(Fidelities):
    """DEHB (0.1.2) with its defaults, from 1 step on."""

    def __init__(self, problem: HpProblem, seed: int, steps: int) -> None:
        from dehb import DEHB
        from loguru import logger

        super().__init__()
        logger.remove()
        self._problem = problem
        self._directory = tempfile.TemporaryDirectory()
        self._dehb = DEHB(
            cs=copy.deepcopy(problem.space),
            min_fidelity=1,
            max_fidelity=steps,
            seed=seed,
            n_workers=1,
            save_freq="end",
            output_path=self._directory.name,
            log_level="ERROR",
        )

    def request(self) -> Request:
        job = self._dehb.ask()
        step = max(1, round(job["fidelity"]))
        return Request(self._problem.point(job["config"]), step, job)

    def answer(self, request: Request, value: float) -> None:
        self._dehb.tell(request.origin, {"fitness": -value, "cost": float(request.step)})
