"""Asynchronous hyperparameter search, from a laptop to a supercomputer.

>>> from deephyper import AMBS, HpProblem
>>> problem = HpProblem()
>>> _ = problem.add_hyperparameter((-5.0, 5.0), "x")
>>> result = AMBS(problem, lambda point: -point["x"] ** 2, log_dir=None).search(max_evals=20)
>>> result.num_evaluations
20

The packages:

- ``problem``: what may be searched
- ``evaluator``: where points are evaluated
- ``command``: any program in place of a run function
- ``callbacks``: trainings of other libraries that report as they run
- ``nas``: architectures of neural networks as points
- ``optimizer``: what proposes points, by ask and tell
- ``stopper``: what ends evaluations early, by their reports
- ``control``: what its user asks of a search while it runs
- ``progress``: what is shown of a search while it runs
- ``search``: the loop that brings all of it together, and its files
- ``ask_tell``: a search from outside, for loops that others run
- ``analytics``: answers from results
- ``confirmation``: the best points of a search, evaluated again
- ``preflight``: what a search will need and take, found out before it begins
- ``hpc``, ``balsam``: searches as jobs of a batch scheduler
- ``core.cli``: the programs ``deephyper`` and ``deephyper-analytics``

What travels between them is in ``job`` and ``objective``; what goes by a name is in ``registry``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names
from deephyper.version import __version__

if TYPE_CHECKING:
    from deephyper.analytics.topk import best_point
    from deephyper.ask_tell.search_control import SearchControl
    from deephyper.ask_tell.search_directory import SearchDirectory
    from deephyper.clock import VirtualClock
    from deephyper.confirmation.confirm import confirm, resume_confirmation
    from deephyper.errors import (
        ArchitectureError,
        DeepHyperError,
        EvaluatorError,
        HpcError,
        LoadError,
        MissingExtra,
        ProblemError,
        ResultsError,
        RunFunctionError,
        SettingsError,
        SpaceExhausted,
    )
    from deephyper.evaluator import EvaluationPruned, Evaluator, VirtualEvaluator, evaluation
    from deephyper.job import Job, Outcome, Prediction, Proposal
    from deephyper.nas.problem import NaProblem
    from deephyper.objective import Failure
    from deephyper.optimizer import (
        BayesianSettings,
        EvolutionSettings,
        Optimizer,
        RandomSettings,
        SkoptSettings,
        create_optimizer,
    )
    from deephyper.preflight.check import check
    from deephyper.preflight.checked import Checked
    from deephyper.problem import BaseProblem, HpProblem
    from deephyper.problem.point import filter_parameters
    from deephyper.search.hps.ambs import AMBS
    from deephyper.search.hps.random import RandomSearch
    from deephyper.search.hps.regevo import RegularizedEvolution
    from deephyper.search.search import Search
    from deephyper.search.search_result import SearchResult

_HOMES = {
    "AMBS": "deephyper.search.hps.ambs",
    "ArchitectureError": "deephyper.errors",
    "BaseProblem": "deephyper.problem.problem",
    "BayesianSettings": "deephyper.optimizer.settings",
    "DeepHyperError": "deephyper.errors",
    "EvaluationPruned": "deephyper.evaluator.current",
    "Evaluator": "deephyper.evaluator.evaluator",
    "EvaluatorError": "deephyper.errors",
    "EvolutionSettings": "deephyper.optimizer.settings",
    "Failure": "deephyper.objective",
    "HpProblem": "deephyper.problem.problem",
    "HpcError": "deephyper.errors",
    "Job": "deephyper.job",
    "LoadError": "deephyper.errors",
    "MissingExtra": "deephyper.errors",
    "NaProblem": "deephyper.nas.problem",
    "Optimizer": "deephyper.optimizer.optimizer",
    "Outcome": "deephyper.job",
    "Prediction": "deephyper.job",
    "ProblemError": "deephyper.errors",
    "Proposal": "deephyper.job",
    "RandomSearch": "deephyper.search.hps.random",
    "RandomSettings": "deephyper.optimizer.settings",
    "RegularizedEvolution": "deephyper.search.hps.regevo",
    "ResultsError": "deephyper.errors",
    "RunFunctionError": "deephyper.errors",
    "Search": "deephyper.search.search",
    "SearchControl": "deephyper.ask_tell.search_control",
    "SearchDirectory": "deephyper.ask_tell.search_directory",
    "SearchResult": "deephyper.search.search_result",
    "SettingsError": "deephyper.errors",
    "SkoptSettings": "deephyper.optimizer.settings",
    "SpaceExhausted": "deephyper.errors",
    "VirtualClock": "deephyper.clock",
    "VirtualEvaluator": "deephyper.evaluator.virtual",
    "best_point": "deephyper.analytics.topk",
    "Checked": "deephyper.preflight.checked",
    "check": "deephyper.preflight.check",
    "confirm": "deephyper.confirmation.confirm",
    "create_optimizer": "deephyper.optimizer.create",
    "evaluation": "deephyper.evaluator.current",
    "filter_parameters": "deephyper.problem.point",
    "resume_confirmation": "deephyper.confirmation.confirm",
}

__all__ = [
    "AMBS",
    "ArchitectureError",
    "BaseProblem",
    "BayesianSettings",
    "Checked",
    "DeepHyperError",
    "EvaluationPruned",
    "Evaluator",
    "EvaluatorError",
    "EvolutionSettings",
    "Failure",
    "HpProblem",
    "HpcError",
    "Job",
    "LoadError",
    "MissingExtra",
    "NaProblem",
    "Optimizer",
    "Outcome",
    "Prediction",
    "ProblemError",
    "Proposal",
    "RandomSearch",
    "RandomSettings",
    "RegularizedEvolution",
    "ResultsError",
    "RunFunctionError",
    "Search",
    "SearchControl",
    "SearchDirectory",
    "SearchResult",
    "SettingsError",
    "SkoptSettings",
    "SpaceExhausted",
    "VirtualClock",
    "VirtualEvaluator",
    "__version__",
    "best_point",
    "check",
    "confirm",
    "create_optimizer",
    "evaluation",
    "filter_parameters",
    "resume_confirmation",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
