"""The options of a search, in one place for every command that starts one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from deephyper.core.cli.option_groups import Duration, GroupedOption, Number
from deephyper.evaluator import CLASSIC_NAMES, DEFAULT_METHOD, METHODS
from deephyper.optimizer.settings import (
    ACQ_FUNCS,
    LIAR_STRATEGIES,
    SURROGATE_MODELS,
    AmbsSettings,
)
from deephyper.search.budget import DEFAULT_GRACE, DEFAULT_MAX_EVALS

Command = TypeVar("Command", bound=Callable[..., Any])
Options = list[Callable[[Any], Any]]

DEFAULTS = AmbsSettings()
POSITIVE = click.IntRange(min=1)
NOT_NEGATIVE = click.IntRange(min=0)


class EvaluatorName(click.ParamType):
    """Name of an evaluator; classic names become today's."""

    name = "evaluator"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(METHODS)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = CLASSIC_NAMES.get(value, value)
        if name not in METHODS:
            self.fail(f"'{value}' is not one of {', '.join(METHODS)}", param, ctx)
        return str(name)


class Jobs(click.ParamType):
    """A number of threads: 1 or more, or -1 for all cores."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = click.INT.convert(value, param, ctx)
        if number < -1 or number == 0:
            self.fail(f"{number} is neither 1 or more nor -1, all cores", param, ctx)
        return number


def _option(group: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    attributes.setdefault("show_default", attributes.get("default") is not None)
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


TASK: Options = [
    _option(
        "What to search",
        "--problem",
        "-p",
        required=True,
        metavar="WHERE",
        help="The search space: a dotted path (package.problem.Problem) or a file "
        "(problem.py, with Problem in it).",
    ),
    _option(
        "What to search",
        "--run",
        "-r",
        required=True,
        metavar="WHERE",
        help="The function to maximize: a dotted path (package.model_run.run) or a file "
        "(model_run.py, with run in it).",
    ),
]

BUDGET: Options = [
    _option(
        "When to stop",
        "--max-evals",
        type=POSITIVE,
        metavar="N",
        help="Stop after N evaluations, those of a resumed search included; "
        f"{DEFAULT_MAX_EVALS} where neither this nor a timeout is given.",
    ),
    _option(
        "When to stop",
        "--timeout",
        type=Duration(),
        help="Stop after this time, that of a resumed search included: seconds, or 30s, 10m, 2h.",
    ),
    _option(
        "When to stop",
        "--grace",
        type=Duration(zero=True),
        default=DEFAULT_GRACE,
        show_default=f"{DEFAULT_GRACE:g} s",
        help="How long running evaluations may go on after a timeout or SIGTERM.",
    ),
    _option(
        "When to stop",
        "--max-failures",
        type=POSITIVE,
        metavar="N",
        help="Give up after N failures in a row.",
    ),
]

EVALUATION: Options = [
    _option(
        "How to evaluate",
        "--evaluator",
        type=EvaluatorName(),
        default=DEFAULT_METHOD,
        help="Where run is called.",
    ),
    _option(
        "How to evaluate",
        "--num-workers",
        type=POSITIVE,
        metavar="N",
        help="Evaluations at a time: 1, with balsam what its launcher has room for.",
    ),
    _option(
        "How to evaluate",
        "--eval-timeout",
        type=Duration(),
        help="End an evaluation after this time: seconds, or 30s, 10m, 2h.",
    ),
    _option(
        "How to evaluate",
        "--eval-timeout-minutes",
        type=Number(min=0, min_open=True),
        metavar="MINUTES",
        help="The same in minutes.",
    ),
    _option(
        "How to evaluate",
        "--retries",
        type=NOT_NEGATIVE,
        default=0,
        metavar="N",
        help="Try a point again up to N times when its worker died.",
    ),
    _option(
        "How to evaluate",
        "--cache-key",
        metavar="KEY",
        default="uuid",
        help="Which points count as one, whose objective is then reused: uuid (none), to_dict "
        "(equal ones), or a function of the point that gives its key, by its dotted path.",
    ),
    _option(
        "How to evaluate",
        "--num-cpus-per-task",
        type=POSITIVE,
        default=1,
        metavar="N",
        help="Cores of a worker.",
    ),
    _option(
        "How to evaluate",
        "--num-gpus-per-task",
        type=Number(min=0),
        default=0,
        metavar="N",
        help="GPUs of a worker; it sees them in CUDA_VISIBLE_DEVICES.",
    ),
]

RAY: Options = [
    _option(
        "Ray",
        "--ray-address",
        metavar="ADDRESS",
        help="Address of a running Ray cluster, or auto; without it a local one is started.",
    ),
    _option("Ray", "--ray-password", metavar="PASSWORD", help="Password of its Redis."),
    _option(
        "Ray",
        "--driver-num-cpus",
        type=POSITIVE,
        metavar="N",
        help="Cores of a local Ray; by default what its workers need.",
    ),
    _option(
        "Ray",
        "--driver-num-gpus",
        type=NOT_NEGATIVE,
        metavar="N",
        help="GPUs of a local Ray; by default what its workers need.",
    ),
]

BALSAM: Options = [
    _option(
        "Balsam",
        "--num-nodes-per-eval",
        type=POSITIVE,
        metavar="N",
        help="Nodes of an evaluation, in the job mode mpi.",
    ),
    _option(
        "Balsam",
        "--num-ranks-per-node",
        type=POSITIVE,
        metavar="N",
        help="Ranks of an evaluation on each of its nodes, in the job mode mpi.",
    ),
    _option(
        "Balsam",
        "--num-evals-per-node",
        type=POSITIVE,
        metavar="N",
        help="Evaluations that share a node, in the job mode serial.",
    ),
    _option(
        "Balsam",
        "--num-threads-per-rank",
        type=POSITIVE,
        metavar="N",
        help="Threads of an evaluation, or of each of its ranks.",
    ),
    _option(
        "Balsam",
        "--num-threads-per-node",
        type=POSITIVE,
        metavar="N",
        help="Threads of a node, to be shared by its ranks and evaluations.",
    ),
]

RECORDS: Options = [
    _option(
        "Records",
        "--log-dir",
        metavar="DIR",
        default=".",
        help="Folder for results.csv, deephyper.log and the journal; made if it isn't there.",
    ),
    _option(
        "Records",
        "--resume",
        metavar="LOG_DIR",
        help="Go on with the search in this folder instead of beginning a new one.",
    ),
    _option(
        "Records",
        "--warm-start",
        metavar="RESULTS",
        help="Begin with what another search found: its results.csv.",
    ),
    _option(
        "Records", "--seed", type=NOT_NEGATIVE, metavar="N", help="Make the search repeatable."
    ),
]

OPTIMIZER: Options = [
    _option(
        "Optimizer",
        "--surrogate-model",
        type=click.Choice(SURROGATE_MODELS),
        default=DEFAULTS.surrogate_model,
        help="Use scikit-optimize with this model instead of deephyper's own Gaussian process.",
    ),
    _option(
        "Optimizer",
        "--acq-func",
        type=click.Choice(ACQ_FUNCS),
        default=DEFAULTS.acq_func,
        help="Acquisition function of scikit-optimize.",
    ),
    _option(
        "Optimizer",
        "--liar-strategy",
        type=click.Choice(LIAR_STRATEGIES),
        default=DEFAULTS.liar_strategy,
        help="What scikit-optimize assumes of points that are being evaluated.",
    ),
    _option(
        "Optimizer",
        "--kappa",
        type=Number(min=0),
        default=DEFAULTS.kappa,
        metavar="NUMBER",
        help="Weight of the deviation in LCB; larger explores more.",
    ),
    _option(
        "Optimizer",
        "--xi",
        type=Number(min=0),
        default=DEFAULTS.xi,
        metavar="NUMBER",
        help="Improvement that EI and PI ask for.",
    ),
    _option(
        "Optimizer",
        "--n-jobs",
        type=Jobs(),
        default=DEFAULTS.n_jobs,
        metavar="N",
        help="Threads that fit scikit-optimize's model; -1 is all cores.",
    ),
]

BATCH: Options = [
    _option(
        "Batch job",
        "--sigterm-grace",
        type=Duration(zero=True),
        hidden=True,
        help="How long running evaluations may go on after SIGTERM; --grace by default.",
    ),
    _option(
        "Batch job",
        "--resume-command",
        metavar="COMMAND",
        hidden=True,
        help="The command that resumes the search, to which options can be appended.",
    ),
    _option(
        "Batch job",
        "--batch",
        is_flag=True,
        hidden=True,
        help="Nobody is at the keyboard, and signals may be sent several times.",
    ),
]
"""Options of a search in a batch job, whose command line is written by what submitted it."""

ANY_SEARCH: Options = [*TASK, *BUDGET, *EVALUATION, *RAY, *BALSAM, *RECORDS, *BATCH]


def with_options(options: Options) -> Callable[[Command], Command]:
    """A decorator that gives a command these options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def given_options(context: click.Context, parameters: Iterable[click.Parameter]) -> dict[str, str]:
    """The options that stand on the command line, each with its value."""
    given: dict[str, str] = {}
    for parameter in parameters:
        name = parameter.name or ""
        if getattr(parameter, "hidden", False):
            continue
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            value = context.params[name]
            whole = isinstance(value, float) and value.is_integer()
            given[parameter.opts[0]] = str(int(value) if whole else value)
    return given


def names_of(options: Options) -> list[str]:
    """Names of the parameters that these options give a command."""
    command = click.command("options")(with_options(options)(lambda: None))
    return [parameter.name or "" for parameter in command.params]
