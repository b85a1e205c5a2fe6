"""Names of evaluators, optimizers, stoppers and commands, and what they stand for.

Another package adds its own through an entry point of the same group, without a change here::

    [project.entry-points."deephyper.evaluators"]
    toy = "toy.evaluator:ToyEvaluator"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from deephyper.errors import DeepHyperError


class Registry:
    """Names and what they stand for, which is imported only when it is needed.

    Args:
        group: the entry points' group.
        built_in: name -> ``module:attribute``.
        kind: ``module:attribute`` of the class that all of them are subclasses of.
        instances: True if they are instances of ``kind`` instead.
        summaries: name -> one line for people, where a list is to show it without an import.
        renamed: a classic name that nothing has any more -> what to use in its place.
    """

    def __init__(
        self,
        group: str,
        built_in: Mapping[str, str],
        kind: str,
        *,
        instances: bool = False,
        summaries: Mapping[str, str] | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.group = group
        self.renamed = dict(renamed or {})
        self.summaries = dict(summaries or {})
        self._built_in = dict(built_in)
        self._kind = kind
        self._instances = instances

    @cached_property
    def _others(self) -> dict[str, EntryPoint]:
        found = entry_points(group=self.group)
        return {each.name: each for each in found if each.name not in self._built_in}

    @property
    def names(self) -> list[str]:
        """Every name, ours first."""
        return [*self._built_in, *sorted(self._others)]

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._others

    def load(self, name: str) -> Any:
        """Return what a name stands for.

        Raises:
            KeyError: if nothing has the name.
            DeepHyperError: if another package's can't be imported or is something else. What one
                of ours lacks is raised as it is.
        """
        if name in self._built_in:
            return _imported(self._built_in[name])
        entry = self._others[name]
        package = entry.dist.name if entry.dist is not None else entry.value
        try:
            found = entry.load()
        except Exception as error:
            raise DeepHyperError(
                f"'{name}' of the package {package} can't be imported "
                f"({type(error).__name__}: {error}); repair or uninstall that package"
            ) from error
        if not self._is_proper(found):
            kind = self._kind.replace(":", ".")
            proper = "an instance" if self._instances else "a subclass"
            raise DeepHyperError(
                f"'{name}' of the package {package} is {found!r}, not {proper} of {kind}; repair "
                "or uninstall that package"
            )
        return found

    def _is_proper(self, found: Any) -> bool:
        kind = _imported(self._kind)
        if self._instances:
            return isinstance(found, kind)
        return isinstance(found, type) and issubclass(found, kind)


def _imported(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return getattr(import_module(module), attribute)


EVALUATORS = Registry(
    "deephyper.evaluators",
    {
        "thread": "deephyper.evaluator.thread:ThreadEvaluator",
        "process": "deephyper.evaluator.process:ProcessEvaluator",
        "subprocess": "deephyper.evaluator.subprocess:SubprocessEvaluator",
        "ray": "deephyper.evaluator.ray:RayEvaluator",
        "balsam": "deephyper.balsam.evaluator:BalsamEvaluator",
    },
    "deephyper.evaluator:Evaluator",
)
"""Subclasses of :class:`deephyper.evaluator.Evaluator`."""

OPTIMIZERS = Registry(
    "deephyper.optimizers",
    {
        "bayesian": "deephyper.optimizer.settings:BayesianSettings",
        "skopt": "deephyper.optimizer.settings:SkoptSettings",
        "random": "deephyper.optimizer.settings:RandomSettings",
        "evolution": "deephyper.optimizer.settings:EvolutionSettings",
    },
    "deephyper.optimizer.settings:Settings",
)
"""Settings of the engines, see :class:`deephyper.optimizer.settings.Settings`."""

STOPPERS = Registry(
    "deephyper.stoppers",
    {
        "none": "deephyper.stopper.settings:NoSettings",
        "curve": "deephyper.stopper.settings:CurveSettings",
        "asha": "deephyper.stopper.settings:AshaSettings",
        "median": "deephyper.stopper.settings:MedianSettings",
    },
    "deephyper.stopper.settings:StopperSettings",
)
"""Settings of the rules that end evaluations early, see :mod:`deephyper.stopper.settings`."""

COMMANDS = Registry(
    "deephyper.commands",
    {
        "start-project": "deephyper.core.cli.start_project:start_project",
        "new-problem": "deephyper.core.cli.new_problem:new_problem",
        "hps": "deephyper.core.cli.hps:hps",
        "nas": "deephyper.core.cli.nas:nas",
        "space": "deephyper.core.cli.space:space",
        "config": "deephyper.core.cli.config:config",
        "check": "deephyper.core.cli.check:check",
        "status": "deephyper.core.cli.status:status",
        "watch": "deephyper.core.cli.watch:watch",
        "ctl": "deephyper.core.cli.ctl:ctl",
        "init": "deephyper.core.cli.init:init",
        "ask": "deephyper.core.cli.ask:ask",
        "tell": "deephyper.core.cli.tell:tell",
        "completion": "deephyper.core.cli.completion:completion",
        "balsam-init": "deephyper.balsam.cli.init:balsam_init",
        "balsam-submit": "deephyper.balsam.cli.submit:balsam_submit",
    },
    "click:Command",
    instances=True,
    summaries={
        "start-project": "Make a project directory and install it.",
        "new-problem": "Make a problem with sample code in the current directory.",
        "hps": "Search for the hyperparameters that maximize a run function.",
        "nas": "Search for the network that maximizes the objective of its training.",
        "space": "Look at a search space in a file, check it, and convert it.",
        "config": "Describe the files of options that --config takes.",
        "check": "Evaluate one point, and say what a search will need and take.",
        "status": "Say how a search stands, while it runs and after.",
        "watch": "Watch a search in the terminal, while it runs and after.",
        "ctl": "Control a search that runs: pause, stop, more evaluations, workers, points.",
        "init": "Make a directory for a search whose points are asked for and told.",
        "ask": "Print points to evaluate, for a loop of your own.",
        "tell": "Say what came of a point that was asked for.",
        "completion": "Print what bash, zsh or fish needs to complete commands and options.",
        "balsam-init": "Make a Balsam database that only you can reach.",
        "balsam-submit": "Submit a search to a batch scheduler through Balsam.",
    },
)
"""Commands of ``deephyper``."""

ANALYTICS = Registry(
    "deephyper.analytics",
    {
        "topk": "deephyper.core.cli.topk:topk",
        "importance": "deephyper.core.cli.importance:importance",
        "confirm": "deephyper.core.cli.confirm:confirm",
        "insight": "deephyper.core.cli.insight:insight",
        "compare": "deephyper.core.cli.compare:compare",
        "plot": "deephyper.core.cli.plot:plot",
        "export": "deephyper.core.cli.export:export",
        "notebook": "deephyper.core.cli.notebook:notebook",
        "report": "deephyper.core.cli.report:report",
        "balsam": "deephyper.balsam.cli.timeline:balsam",
    },
    "click:Command",
    instances=True,
    summaries={
        "topk": "Print the best points of a search.",
        "importance": "Say which hyperparameters matter, and which pairs.",
        "confirm": "Evaluate the best points again, several times, and rank them anew.",
        "insight": "Say in words what a search tells of its space.",
        "compare": "Compare searches: their best objectives, and the time to a target.",
        "plot": "Plot a search: a picture as a .png, .svg or .pdf file.",
        "notebook": "Write a Jupyter notebook that looks at a search.",
        "export": "Give a search to Optuna, MLflow, TensorBoard, W&B, or as a Parquet file.",
        "report": "Save a search as one interactive HTML page.",
        "balsam": "Show the evaluations of a Balsam workflow over time.",
    },
    renamed={
        "quickplot": "plot history RESULTS",
        "single": "notebook RESULTS",
        "multi": "compare RESULTS RESULTS",
        "parse": "topk RESULTS, as a search writes results.csv itself",
    },
)
"""Commands of ``deephyper-analytics``."""
