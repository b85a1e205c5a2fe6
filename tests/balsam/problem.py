"""The search space of the tests through Balsam."""

from __future__ import annotations

from deephyper.problem import HpProblem

Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")
Problem.add_hyperparameter((0, 99999), "n")
Problem.add_hyperparameter(["plain", "a 'quoted' \"$HOME\" `word`; rm -rf x"], "text")
