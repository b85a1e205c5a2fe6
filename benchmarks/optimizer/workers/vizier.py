"""OSS Vizier through suggest and update of the designer that its service has as the default.

That is the Gaussian process bandit with pure exploration, which takes points that are being
evaluated into account. It knows no conditions. The number of results is padded to multiples of ten,
which its constructor offers to save compilations. Floats have 64 bits, as its service sets them:
with 32, it proposes nan on a quadratic.
"""

from __future__ import annotations

import os
from typing import Any

DISTRIBUTION = "google-vizier"


class Search:
    def __init__(self, space: dict[str, Any], seed: int, directory: str) -> None:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )
        import jax
        from vizier import pyvizier
        from vizier.algorithms import designers
        from vizier.pyvizier.converters.padding import PaddingSchedule, PaddingType

        jax.config.update("jax_enable_x64", True)
        problem = pyvizier.ProblemStatement()
        for dimension in space["dimensions"]:
            _add(problem.search_space.root, dimension)
        problem.metric_information.append(
            pyvizier.MetricInformation(name="objective", goal=pyvizier.ObjectiveMetricGoal.MAXIMIZE)
        )
        self._designer = designers.VizierGPUCBPEBandit(
            problem,
            rng=jax.random.PRNGKey(seed),
            padding_schedule=PaddingSchedule(num_trials=PaddingType.MULTIPLES_OF_10),
        )
        self._asked = 0
        self._active: dict[int, Any] = {}

    def ask(self) -> dict[str, Any]:
        trial = self._designer.suggest(1)[0].to_trial(self._asked + 1)
        self._active[self._asked] = trial
        self._asked += 1
        self._update([])
        point: dict[str, Any] = trial.parameters.as_dict()
        return point

    def tell(self, number: int, objective: float | str) -> None:
        from vizier.pyvizier import Measurement

        trial = self._active.pop(number)
        if isinstance(objective, str):
            trial.complete(Measurement(), infeasibility_reason=objective)
        else:
            trial.complete(Measurement(metrics={"objective": objective}))
        self._update([trial])

    def _update(self, completed: list[Any]) -> None:
        from vizier.algorithms import ActiveTrials, CompletedTrials

        self._designer.update(CompletedTrials(completed), ActiveTrials(list(self._active.values())))


def _add(root: Any, dimension: dict[str, Any]) -> None:
    from vizier.pyvizier import ScaleType

    if dimension["type"] == "category":
        root.add_categorical_param(dimension["name"], dimension["values"])
        return
    add = root.add_int_param if dimension["type"] == "int" else root.add_float_param
    scale = ScaleType.LOG if dimension["log"] else ScaleType.LINEAR
    add(dimension["name"], dimension["low"], dimension["high"], scale_type=scale)
