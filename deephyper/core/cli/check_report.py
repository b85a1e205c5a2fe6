"""The findings of a check, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deephyper.core.cli.status import duration_text
from deephyper.objective import format_objective
from deephyper.printable import one_printable_line, printable
from deephyper.progress.text import format_point

if TYPE_CHECKING:
    from deephyper.core.cli.given_space import GivenSpace
    from deephyper.preflight.checked import Checked, Trial

_LINES_OF_SPACE = 40
_LINES_OF_FAILURE = 15
_LONGEST_POINT = 1000
"""Characters of the point that are shown."""
_SHORT = 0.0995
"""Seconds below which a time is told in milliseconds."""


def report(found: Checked, space: GivenSpace) -> str:
    """Return what was found, for people.

    Args:
        found: by the check.
        space: the search space.
    """
    lines = [
        f"Search space: {found.size}",
        *_space(space),
        f"Starting points: {_starting_points(found)}",
        f"Workers: {_counted(found.num_workers, f'{found.evaluator} worker')}, the first of which "
        f"was ready after {_time(found.load_sec)}",
        f"Point: {one_printable_line(format_point(found.point), _LONGEST_POINT)}",
        *(line for number, trial in enumerate(found.trials) for line in _trial(number, trial)),
    ]
    if found.succeeded:
        lines += [
            f"Noise: {_noise(found)}",
            f"Reports: {_reports(found.trials[0])}",
            f"Metrics: {_metrics(found.trials[0])}",
            f"Output: {_output(found.trials[0])}",
        ]
    lines += _environment(found)
    if found.search_sec is not None:
        lines.append(
            f"A search of {_counted(found.max_evals, 'evaluation')} with "
            f"{_counted(found.num_workers, 'worker')} takes {_time(found.search_sec)} if "
            "all points take as long as this one."
        )
    else:
        lines.append("No search should begin before this evaluation succeeds.")
    return "".join(f"{printable(line, lines=True)}\n" for line in lines)


def as_json(found: Checked, space: GivenSpace) -> str:
    """Return the same as one JSON object; the arguments are those of :func:`report`."""
    from deephyper.errors import ProblemError
    from deephyper.space_file.writing import as_tree

    try:
        tree: dict[str, Any] | None = as_tree(space.problem, space.direction)
    except ProblemError:  # it has something that our form can't say
        tree = None
    environment = found.environment
    return (
        json.dumps(
            {
                "ok": found.succeeded,
                "space": {
                    "num_hyperparameters": found.size.num_hyperparameters,
                    "num_points": found.size.num_points,
                    "exact": found.size.exact,
                    "num_starting_points": found.num_starting_points,
                    "definition": tree,
                },
                "evaluator": found.evaluator,
                "num_workers": found.num_workers,
                "load_sec": round(found.load_sec, 3),
                "point": found.point,
                "evaluations": [_trial_tree(trial) for trial in found.trials],
                "noise": found.noise,
                "search": {
                    "max_evals": found.max_evals,
                    "seconds": None if found.search_sec is None else round(found.search_sec, 3),
                },
                "environment": {
                    "python": environment.python,
                    "deephyper": environment.deephyper,
                    "cpus": environment.cpus,
                    "packages": dict(environment.packages),
                    "programs": dict(environment.programs),
                    "gpus": list(environment.gpus),
                },
                "notices": list(found.notices),
            },
            default=_plain,
        )
        + "\n"
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else list(value)


def _trial_tree(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    return {
        "seed": outcome.job.seed,
        "status": outcome.status,
        "objective": outcome.objective,
        "metrics": dict(outcome.metrics),
        "elapsed_sec": round(outcome.elapsed_sec, 3),
        "seconds": round(trial.seconds, 3),
        "reports": {
            "number": trial.num_reports,
            "first_step": trial.first_step,
            "last_step": trial.last_step,
        },
        "output": None
        if trial.printed is None
        else {"num_bytes": trial.printed.num_bytes, "tail": trial.printed.tail},
        "failure": None
        if outcome.failure is None
        else {
            "kind": outcome.failure.kind,
            "message": outcome.failure.message,
            "text": outcome.failure.text,
        },
    }


def _space(space: GivenSpace) -> list[str]:
    """Return the space in our own form, indented; of a large one its beginning."""
    from deephyper.errors import ProblemError
    from deephyper.space_file import as_yaml

    try:
        lines = as_yaml(space.problem, space.direction).splitlines()
    except ProblemError:  # it has something that our form can't say
        domains = space.problem.domains
        lines = [f"{name}: {domain}" for name, domain in domains.items()]
    more = len(lines) - _LINES_OF_SPACE
    if more > 0:
        lines[_LINES_OF_SPACE:] = [f"... and {_counted(more, 'more line')}"]
    return [f"    {line}" for line in lines]


def _starting_points(found: Checked) -> str:
    number = found.num_starting_points
    if number == 0:
        return "none, so the point of all defaults was evaluated"
    return "1, which is valid" if number == 1 else f"{number}, which are valid"


_NAMES = ("Evaluation", "Again, same seed", "Again, another seed")


def _trial(number: int, trial: Trial) -> list[str]:
    outcome = trial.outcome
    took = _time(outcome.elapsed_sec)
    if outcome.objective is not None and trial.succeeded:
        objective = format_objective(outcome.objective)
        return [f"{_NAMES[number]}: objective {objective} in {took}"]
    failure = outcome.failure
    message = outcome.status if failure is None else one_printable_line(failure.message)
    lines = [f"{_NAMES[number]}: failed after {took}: {message}"]
    texts = {
        "": "" if failure is None else failure.text,
        "its output:": "" if trial.printed is None else trial.printed.tail,
    }
    shown: list[str] = []
    for title, text in texts.items():
        kept = text.rstrip().splitlines()[-_LINES_OF_FAILURE:]
        if kept and kept != shown:
            lines += [f"  {title}"] * bool(title) + [f"  | {line}" for line in kept]
            shown = kept
    return lines


def _noise(found: Checked) -> str:
    objectives = found.objectives
    spread = f"{max(objectives) - min(objectives):.3g}"
    match found.noise:
        case "unknown":
            return "unknown, as there was one evaluation"
        case "unseeded":
            return (
                f"the same point with the same seed gives objectives that differ by {spread}; seed "
                "random numbers by evaluation.seed, a program's by {seed}, or confirm the best by "
                "deephyper-analytics confirm"
            )
        case "seeded":
            return (
                "the same seed gives the same objective, and another seed one that differs by "
                f"{spread}"
            )
        case _:
            if len(objectives) == 2:
                return "none with the same seed; another seed wasn't tried"
            return "none, with the same seed and with another one"


def _reports(trial: Trial) -> str:
    if not trial.num_reports:
        return "none, so no evaluation can be ended early"
    steps = (
        f"of step {trial.first_step}"
        if trial.num_reports == 1
        else f"of steps {trial.first_step} to {trial.last_step}"
    )
    return f"{trial.num_reports}, {steps}; early stopping can make a search shorter"


def _metrics(trial: Trial) -> str:
    return format_point(dict(trial.outcome.metrics)) or "none beside the objective"


def _output(trial: Trial) -> str:
    if trial.printed is None:
        return "not known: this evaluator doesn't keep what an evaluation prints apart"
    if not trial.printed.num_bytes:
        return "nothing is printed"
    lines = trial.printed.tail.rstrip().splitlines()
    last = one_printable_line(lines[-1].strip(), 200) if lines else ""
    return f"{trial.printed.num_bytes:,} bytes, the last line: {last}"


def _environment(found: Checked) -> list[str]:
    environment = found.environment
    there = {**environment.packages, **environment.programs}
    installed = [
        f"{name} {told}" if name in environment.packages else f"{name} ({told})"
        for name, told in there.items()
        if told is not None
    ]
    missing = [name for name, told in there.items() if told is None]
    gpus = ", ".join(environment.gpus)
    return [
        f"This machine: deephyper {environment.deephyper}, Python {environment.python}, "
        f"{_counted(environment.cpus, 'core')}, {f'GPUs {gpus}' if gpus else 'no GPU'}",
        f"Installed: {', '.join(installed) or 'nothing optional'}",
        f"Not installed: {', '.join(missing) or 'nothing that is looked for'}",
    ]


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms" if seconds < _SHORT else duration_text(seconds)
