"""Runs in the interpreter of the published DeepHyper: its CBO, asked and told through a pipe.

Nothing of ours is imported here; `published.py` starts this file and speaks with it in JSON, one
object a line, each answered by one:

    {"space": ConfigSpace's serialized dictionary, "seed": 1}   -> {"version": "0.13.2"}
    {"ask": true}                                               -> {"id": 0, "point": {...}}
    {"tell": 0, "objective": 1.5 or "F_reason"}                 -> {"told": 0}

What goes wrong is answered by {"error": "..."}; the end of the input ends the process.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata
from typing import Any, TextIO

# ConfigSpace rounds floats to so many decimals.
DECIMALS = 13


def main() -> None:
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as directory:
        conversation = _converse(sys.stdin, directory)
        while True:
            try:
                answer = next(conversation)
            except StopIteration:
                return
            except Exception as error:
                _send(answers, {"error": f"{type(error).__name__}: {error}"})
                raise
            _send(answers, answer)


def _converse(lines: TextIO, directory: str) -> Iterator[dict[str, Any]]:
    first = json.loads(lines.readline())
    search = _search(first["space"], first["seed"], directory)
    yield {"version": metadata.version("deephyper")}
    # A result is told with the proposal as it was made, inactive hyperparameters included.
    proposals: list[dict[str, Any]] = []
    for line in lines:
        message = json.loads(line)
        if "ask" in message:
            proposals.append(search.ask(1)[0])
            yield {"id": len(proposals) - 1, "point": proposals[-1]}
        else:
            search.tell([(proposals[message["tell"]], message["objective"])])
            yield {"told": message["tell"]}


def _search(space: dict[str, Any], seed: int, directory: str) -> Any:
    """CBO with its defaults: only the seed and where it may write are set."""
    from ConfigSpace import ConfigurationSpace

    # The published package; the checkout's of the same name isn't on this interpreter's path.
    from deephyper.hpo import CBO, HpProblem  # type: ignore[import-not-found]

    for hyperparameter in space["hyperparameters"]:
        if hyperparameter["type"] == "uniform_float" and hyperparameter["log"]:
            _steady(hyperparameter)
    problem = HpProblem(config_space=ConfigurationSpace.from_serialized_dict(space))
    return CBO(problem, random_state=seed, log_dir=directory, verbose=0)


def _steady(hyperparameter: dict[str, Any]) -> None:
    """Move the bounds of a log float inwards until they survive log10 and its inverse.

    CBO maps its candidates so and back, and fails on a bound that comes out beyond itself by a
    rounding error, as 1e-5 does. That takes a few steps of ConfigSpace's last decimal.
    """
    low, high = hyperparameter["lower"], hyperparameter["upper"]
    while _there_and_back(low) < low:
        low = round(low + max(10.0**-DECIMALS, math.ulp(low)), DECIMALS)
    while _there_and_back(high) > high:
        high = round(high - max(10.0**-DECIMALS, math.ulp(high)), DECIMALS)
    default = min(max(hyperparameter["default_value"], low), high)
    hyperparameter.update(lower=low, upper=high, default_value=default)


def _there_and_back(value: float) -> float:
    import numpy as np

    return float(np.power(10.0, np.log10(np.array([value])))[0])


def _send(answers: TextIO, answer: dict[str, Any]) -> None:
    # numpy's scalars have item()
    answers.write(json.dumps(answer, default=lambda value: value.item()) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
