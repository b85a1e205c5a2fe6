"""SMAC by its ask and tell."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from pathlib import Path

from benchmarks.curves.peers.fidelities import Fidelities, Request
from deephyper.problem import HpProblem

_WHOLE = 100
"""Whole evaluations, for whose steps SMAC is told to plan its initial design."""

_SPARE = 10
"""So many times more trials may follow, since those that continue take fewer steps than planned."""

_RETRIES = 1000
"""Points in a row that SMAC may have seen before; with its default, 16, it gives up in a space of a
few thousand points."""


class Smac(Fidelities):
    """SMAC's (2.3) multi-fidelity facade with its defaults, from 1 step on."""

    def __init__(self, problem: HpProblem, seed: int, steps: int) -> None:
        from smac import MultiFidelityFacade, Scenario
        from smac.intensifier.hyperband_utils import get_n_trials_for_hyperband_multifidelity

        super().__init__()
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        self._problem = problem
        self._directory = tempfile.TemporaryDirectory()
        space = copy.deepcopy(problem.space)
        space.seed(seed)
        planned = get_n_trials_for_hyperband_multifidelity(
            total_budget=_WHOLE * steps,
            min_budget=1,
            max_budget=steps,
            eta=3,
            print_summary=False,
        )
        scenario = Scenario(
            space,
            deterministic=True,
            n_trials=_SPARE * planned,
            min_budget=1,
            max_budget=steps,
            seed=seed,
            output_directory=Path(self._directory.name),
        )
        self._smac = MultiFidelityFacade(
            scenario,
            lambda config, seed=0, budget=0.0: 0.0,
            initial_design=MultiFidelityFacade.get_initial_design(
                scenario, max_ratio=0.25 / _SPARE
            ),
            config_selector=MultiFidelityFacade.get_config_selector(scenario, retries=_RETRIES),
            overwrite=True,
            logging_level=False,
        )

    def request(self) -> Request:
        info = self._smac.ask()
        return Request(self._problem.point(info.config), max(1, round(info.budget)), info)

    def answer(self, request: Request, value: float) -> None:
        from smac.runhistory import TrialValue

        self._smac.tell(request.origin, TrialValue(cost=-value), save=False)
