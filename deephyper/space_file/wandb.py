"""The files of W&B sweeps, as https://docs.wandb.ai describes them."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem.point import show
from deephyper.space_file.document import Document
from deephyper.space_file.foreign import Converted, bounds, multiples, number
from deephyper.space_file.yaml_text import Path
from deephyper.suggest import did_you_mean

_DEVIATIONS = 4
"""Standard deviations around the mean of a normal distribution that are searched."""
_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
"""W&B's own command, where a file has none."""
_MACROS = {
    "env": "/usr/bin/env",
    "args": "{args=}",
    "args_no_boolean_flags": "{flags=}",
    "args_no_hyphens": "{overrides}",
    "args_json": "{point}",
    "args_json_file": "{point_file}",
}
"""What a command's macros are in a command line of ours."""
_INTERPRETER = "interpreter"
_MACRO = re.compile(r"\$\{([^{}]*)\}")
_ENVIRONMENT = "envvar:"
_SILENT = ("name", "description", "project", "entity", "method", "parameters", "controller")
_READ = ("metric", "program", "command", "early_terminate", "run_cap")
_SWEEP_KEYS = ("method", "metric", "program", "early_terminate")


def is_sweep(tree: Mapping[str, Any]) -> bool:
    """Return whether a file holds a sweep of W&B's."""
    parameters = tree.get("parameters")
    return isinstance(parameters, dict) and (
        any(key in tree for key in _SWEEP_KEYS)
        or all(isinstance(each, dict) for each in parameters.values())
    )


def converted_sweep(document: Document) -> Converted:
    """Return a sweep in our own form.

    Raises:
        ProblemError: a parameter has a distribution that W&B hasn't, or lacks what it needs.
    """
    tree = document.value
    found = Converted(document, "wandb")
    _parameters(found, tree["parameters"], ("parameters",), "")
    _metric(found, tree)
    _program(found, tree)
    _ending(found, tree)
    for key in tree:
        if key not in (*_SILENT, *_READ):
            found.further_notices.append(f"{key} of the sweep has no effect here")
    return found


def _parameters(found: Converted, tree: Mapping[str, Any], path: Path, prefix: str) -> None:
    for key, parameter in tree.items():
        name, place = f"{prefix}{key}", (*path, key)
        if not isinstance(parameter, dict):
            raise found.document.error(
                f"the parameter {name!r} is {show(parameter)}: give it value, values, or min and "
                "max",
                place,
            )
        if isinstance(parameter.get("parameters"), dict):
            _parameters(found, parameter["parameters"], (*place, "parameters"), f"{name}.")
            continue
        try:
            domain = _domain(found, name, parameter)
        except ProblemError as error:
            raise found.document.error(str(error), place) from None
        found.add(name, domain, place)


def _domain(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    kind = parameter.get("distribution", _implied(parameter))
    if kind is None:
        raise ProblemError(f"{name!r} has no value, values, or min and max: give it one of them")
    if not isinstance(kind, str) or kind not in _DISTRIBUTIONS:
        raise ProblemError(
            f"{name!r} has the unknown distribution {show(kind)}: "
            f"{did_you_mean(kind, _DISTRIBUTIONS)}"
        )
    return _DISTRIBUTIONS[kind](found, name, parameter)


def _implied(parameter: Mapping[str, Any]) -> str | None:
    """Return the distribution of a parameter that names none."""
    if "values" in parameter:
        return "categorical"
    if "value" in parameter:
        return "constant"
    if "min" in parameter and "max" in parameter:
        whole = all(type(parameter[key]) is int for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    return "normal" if {"mu", "sigma"} & parameter.keys() else None


def _constant(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    if "value" not in parameter:
        raise ProblemError(f"{name!r} is constant, and its value is not given: give it")
    return {"constant": parameter["value"]}


def _categorical(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    values = parameter.get("values")
    if not isinstance(values, list):
        raise ProblemError(f"{name!r} has the values {show(values)}: give a list")
    if parameter.get("probabilities") is None:
        return values
    return {"values": values, "weights": parameter["probabilities"]}


def _int_uniform(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    low, high = _ends(name, parameter)
    if not (float(low).is_integer() and float(high).is_integer()):
        raise ProblemError(f"{name!r} is of integers from {low} to {high}: give whole bounds")
    return bounds(int(low), int(high))


def _continuous(
    log: bool, ends: Callable[[float, float], tuple[float, float]]
) -> Callable[[Converted, str, Mapping[str, Any]], Any]:
    """Return the reader of a range of floats; ``ends`` makes its bounds of min and max."""

    def read(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
        return bounds(*map(float, _called(name, ends, *_ends(name, parameter))), log=log)

    return read


def _in_steps(
    log: bool, ends: Callable[[float, float], tuple[float, float]]
) -> Callable[[Converted, str, Mapping[str, Any]], Any]:
    """Return the same for multiples of q."""

    def read(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
        low, high = _called(name, ends, *_ends(name, parameter))
        return _stepped(found, name, parameter, low, high, log)

    return read


def _stepped(
    found: Converted, name: str, parameter: Mapping[str, Any], low: float, high: float, log: bool
) -> Any:
    """Return the multiples of q nearest to a range."""
    q = number(name, parameter, "q", 1)
    if q <= 0:
        raise ProblemError(f"{name!r}: its q is {q}: give a number above 0")
    first, last = round(low / q), round(high / q)
    if q == 1 and not (log and first < 1):
        return bounds(first, last, log=log)
    q = int(q) if float(q).is_integer() else q
    values = multiples(first * q, last * q, q)
    if values is None:
        found.notice(name, f"its values are searched without steps of {q}, which are too many")
        return bounds(float(low), float(high), log=log)
    if log:
        found.notice(name, f"its {len(values)} values in steps of {q} are equally likely here")
    return values


def _normal(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    mu, sigma = _mu_and_sigma(name, parameter)
    low, high = mu - _DEVIATIONS * sigma, mu + _DEVIATIONS * sigma
    if parameter.get("distribution") == "q_normal":
        if number(name, parameter, "q", 1) != 1:
            found.notice(name, f"its multiples from {low:g} to {high:g} are equally likely here")
            return _stepped(found, name, parameter, low, high, log=False)
        low, high = math.floor(low), math.ceil(high)
    found.notice(
        name,
        f"normal, and so without bounds: searched from {low:g} to {high:g}, {_DEVIATIONS} "
        "standard deviations around its mean",
    )
    ends = (low, high) if type(low) is int else (float(low), float(high))
    return bounds(*ends, distribution="normal", mu=mu, sigma=sigma)


def _log_normal(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    mu, sigma = _mu_and_sigma(name, parameter)
    low, high = _called(name, _exp, mu - 2 * sigma, mu + 2 * sigma)
    found.notice(
        name,
        f"log-normal: its logarithm is searched uniformly, from {low:g} to {high:g}, 2 standard "
        "deviations around its mean",
    )
    if parameter.get("distribution") == "q_log_normal":
        return _stepped(found, name, parameter, low, high, log=True)
    return bounds(low, high, log=True)


def _beta(found: Converted, name: str, parameter: Mapping[str, Any]) -> Any:
    a, b = number(name, parameter, "a", 1), number(name, parameter, "b", 1)
    if parameter.get("distribution") == "q_beta":
        found.notice(name, "the values of its beta distribution are equally likely here")
        return _stepped(found, name, {"q": 1, **parameter}, 0.0, 1.0, log=False)
    if a < 1 or b < 1:
        found.notice(name, f"its beta distribution with a={a:g}, b={b:g} is searched uniformly")
        return bounds(0.0, 1.0)
    return bounds(0.0, 1.0, distribution="beta", alpha=a, beta=b)


def _ends(name: str, parameter: Mapping[str, Any]) -> tuple[float, float]:
    return number(name, parameter, "min", 0), number(name, parameter, "max", 1)


def _mu_and_sigma(name: str, parameter: Mapping[str, Any]) -> tuple[float, float]:
    mu, sigma = number(name, parameter, "mu", 0), number(name, parameter, "sigma", 1)
    if sigma <= 0:
        raise ProblemError(f"{name!r}: its sigma is {sigma}: give a number above 0")
    return mu, sigma


def _called(
    name: str, ends: Callable[[float, float], tuple[float, float]], low: float, high: float
) -> tuple[float, float]:
    try:
        return ends(low, high)
    except OverflowError:
        raise ProblemError(
            f"{name!r}: its min and max, {low} and {high}, are exponents of e here: give smaller "
            "ones, or a distribution that ends in _values"
        ) from None


def _as_given(low: float, high: float) -> tuple[float, float]:
    return low, high


def _exp(low: float, high: float) -> tuple[float, float]:
    return math.exp(low), math.exp(high)


def _inverse_exp(low: float, high: float) -> tuple[float, float]:
    return math.exp(-high), math.exp(-low)


_DISTRIBUTIONS: dict[str, Callable[[Converted, str, Mapping[str, Any]], Any]] = {
    "constant": _constant,
    "categorical": _categorical,
    "categorical_w_probabilities": _categorical,
    "int_uniform": _int_uniform,
    "uniform": _continuous(False, _as_given),
    "q_uniform": _in_steps(False, _as_given),
    "log_uniform": _continuous(True, _exp),
    "log_uniform_values": _continuous(True, _as_given),
    "q_log_uniform": _in_steps(True, _exp),
    "q_log_uniform_values": _in_steps(True, _as_given),
    "inv_log_uniform": _continuous(True, _inverse_exp),
    "inv_log_uniform_values": _continuous(True, _as_given),
    "normal": _normal,
    "q_normal": _normal,
    "log_normal": _log_normal,
    "q_log_normal": _log_normal,
    "beta": _beta,
    "q_beta": _beta,
}


# -- what isn't a parameter ----------------------------------------------------------------------


def _metric(found: Converted, tree: Mapping[str, Any]) -> None:
    metric = tree.get("metric")
    if metric is None:
        return
    goal = metric.get("goal", "minimize") if isinstance(metric, dict) else None
    if goal not in ("minimize", "maximize"):
        raise found.document.error(
            f"the metric is {show(metric)}: give it name, and goal: minimize or maximize",
            ("metric",),
        )
    found.direction = "minimize" if goal == "minimize" else "maximize"
    if isinstance(metric.get("name"), str):
        found.metric = metric["name"]
    if metric.get("target") is not None:
        found.further_notices.append(
            f"the target of the metric has no effect here: give --target {metric['target']}"
        )


def _program(found: Converted, tree: Mapping[str, Any]) -> None:
    program, command = tree.get("program"), tree.get("command")
    if isinstance(program, str):
        found.program = program
    if command is None and found.program is None:
        return
    words = list(_COMMAND) if command is None else command
    if not isinstance(words, list) or not all(isinstance(word, (str, int)) for word in words):
        raise found.document.error(
            f"the command is {show(command)}: give its words as a list", ("command",)
        )
    try:
        found.command = tuple(
            _MACRO.sub(lambda macro: _expanded(found, macro[1]), str(word)) for word in words
        )
    except ProblemError as error:  # which matters only where nothing else is run
        found.no_command = str(found.document.error(str(error), ("command",)))


def _expanded(found: Converted, macro: str) -> str:
    """Return what a macro in a command is in a command line of ours.

    Raises:
        ProblemError: it stands for nothing.
    """
    if macro in _MACROS:
        return _MACROS[macro]
    if macro == _INTERPRETER:  # it need not be found where no environment is activated
        return "python" if shutil.which("python") else sys.executable
    if macro == "program" and found.program is not None:
        return found.program
    if macro in found.hyperparameters:
        return f"{{{macro}}}"
    name = macro.removeprefix(_ENVIRONMENT)
    if name != macro and name in os.environ:
        return os.environ[name]
    if macro == "program":
        hint = "name the program by program:"
    elif name != macro:
        hint = "set that variable of the environment, or leave the macro out"
    else:
        hint = did_you_mean(macro, [*_MACROS, _INTERPRETER, "program", *found.hyperparameters])
    raise ProblemError(f"the command has ${{{macro}}}, which stands for nothing: {hint}")


def _ending(found: Converted, tree: Mapping[str, Any]) -> None:
    """Name the options that do what a sweep's way of ending does."""
    rule = tree.get("early_terminate")
    if isinstance(rule, dict):
        found.early_terminate = rule
        found.further_notices.append(
            f"early_terminate: {show(rule.get('type'))} has no effect here: give {_stopper(rule)}, "
            "and have the run report its steps"
        )
    cap = tree.get("run_cap")
    if cap is not None:
        found.further_notices.append(f"run_cap has no effect here: give --max-evals {show(cap)}")
    if tree.get("method") == "grid":
        found.further_notices.append(
            "method: grid has no effect here: with a large --max-evals, a search of a finite space "
            "ends when every point is evaluated"
        )


def _stopper(rule: Mapping[str, Any]) -> str:
    """Return the options for the rule that is like Hyperband."""
    eta = rule.get("eta", 3)
    steps = rule.get("min_iter")
    whole = all(type(rule.get(key)) is int for key in ("max_iter", "s")) and type(eta) is int
    if steps is None and whole and eta > 1 and 0 <= rule["s"] < 64:
        steps = max(1, rule["max_iter"] // eta ** rule["s"])
    options = "--stopper asha"
    if type(steps) is int:
        options += f" --min-steps {steps}"
    return options + (f" --reduction-factor {eta}" if type(eta) in (int, float) else "")
