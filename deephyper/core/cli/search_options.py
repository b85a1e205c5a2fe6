"""The options of a search, in one place for every command that starts one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.core import ParameterSource

from deephyper.command import LAST, OWN, START
from deephyper.core.cli import offers
from deephyper.core.cli.given_space import ProblemOption, RunOption
from deephyper.core.cli.option_groups import (
    Choice,
    Duration,
    GroupedOption,
    Number,
    UserPath,
    Whole,
)
from deephyper.core.cli.search_file import config_option
from deephyper.evaluator import CLASSIC_NAMES, DEFAULT_METHOD
from deephyper.objective import Direction
from deephyper.optimizer.create import DEFAULT_OPTIMIZER
from deephyper.registry import EVALUATORS, OPTIMIZERS, STOPPERS, Registry
from deephyper.search.budget import (
    DEFAULT_GRACE,
    DEFAULT_MAX_EVALS,
    DEFAULT_STOP_GRACE,
    DEFAULT_WORTH,
)
from deephyper.suggest import with_suggestion

if TYPE_CHECKING:
    from deephyper.core.cli.offers import Offers

Command = TypeVar("Command", bound=Callable[..., Any])
Options = list[Callable[[Any], Any]]

POSITIVE = Whole(min=1)
NOT_NEGATIVE = Whole(min=0)


class RegisteredName(click.ParamType[str]):
    """Name of something registered; classic names become today's."""

    name = "name"

    def __init__(self, registry: Registry, classic: Mapping[str, str] | None = None) -> None:
        self._registry = registry
        self._classic = classic or {}

    @property
    def known(self) -> list[str]:
        """All that is taken, today's names first."""
        return [*self._registry.names, *self._classic]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(self._registry.names)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
        return offers.words(incomplete, self._registry.names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = self._classic.get(value, value)
        if name not in self._registry:
            known = ", ".join(self._registry.names)
            message = f"'{value}' is not one of {known}"
            self.fail(with_suggestion(message, value, self.known), param, ctx)
        return str(name)


def _option(group: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    attributes.setdefault("show_default", attributes.get("default") is not None)
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


def space_options(group: str) -> Options:
    """Return the options that give a space in place of --problem, under a heading."""
    return [
        _option(
            group,
            "--space",
            type=UserPath(),
            metavar="FILE",
            help="The search space in a file of YAML, TOML or JSON, in place of --problem.",
        ),
        _option(
            group,
            "--param",
            "-P",
            multiple=True,
            metavar="NAME=DOMAIN",
            help="A hyperparameter, as 'lr=(1e-4, 1.0, log-uniform)' or 'opt=[adam, sgd]', in "
            "place of --problem or beside --space; may be repeated.",
        ),
    ]


SPACE: Options = [
    click.option(
        "--problem",
        "-p",
        cls=ProblemOption,
        group="What to search",
        metavar="WHERE",
        shell_complete=offers.where,
        help="The search space: a dotted path (package.problem.Problem) or a file "
        "(problem.py, with Problem in it).",
    ),
    *space_options("What to search"),
]

RUN: Options = [
    click.option(
        "--run",
        "-r",
        cls=RunOption,
        group="What to search",
        metavar="WHERE",
        shell_complete=offers.where,
        help="The function to maximize: a dotted path (package.model_run.run) or a file "
        "(model_run.py, with run in it). A program is written at the end instead, after --.",
    ),
]

DIRECTION: Options = [
    _option(
        "What to search",
        "--direction",
        type=Choice(get_args(Direction)),
        default="maximize",
        help="Which objectives are better.",
    ),
    _option(
        "What to search",
        "--minimize",
        is_flag=True,
        stands_for=("--direction", "minimize"),
        help="The same as --direction minimize.",
    ),
]


PROGRAM: Options = [
    _option(
        "A program after --, its words with placeholders such as {NAME}, {args}, {dir}",
        "--objective",
        default=LAST,
        metavar="SOURCE",
        shell_complete=offers.objective,
        help="Where its objective is: last (the last number that it prints), regex:PATTERN, or "
        "json:FILE[:KEY]. A line DH-OUTPUT: VALUE counts in any case.",
    ),
    _option(
        "A program after --, its words with placeholders such as {NAME}, {args}, {dir}",
        "--workdir",
        default=START,
        metavar="DIR",
        shell_complete=offers.workdir,
        help=f"Where it runs: {START} (where the search was started), {OWN} (each in a directory "
        "of its own), or a directory.",
    ),
]

TIME: Options = [
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
        default_text=f"{DEFAULT_GRACE:g} s",
        help="How long running evaluations may continue after a timeout or SIGTERM.",
    ),
]

BUDGET: Options = [
    _option(
        "When to stop",
        "--max-evals",
        type=POSITIVE,
        metavar="N",
        help="Stop after N evaluations, those of a resumed search included; "
        f"{DEFAULT_MAX_EVALS} where neither this nor another limit is given.",
    ),
    _option(
        "When to stop",
        "--max-steps",
        type=POSITIVE,
        metavar="N",
        help="Stop after N steps (epochs, say) in all evaluations, as they report them; none is "
        "cut in its middle by it.",
    ),
    *TIME,
    _option(
        "When to stop",
        "--max-failures",
        type=POSITIVE,
        metavar="N",
        help="Give up after N failures in a row.",
    ),
    _option(
        "When to stop",
        "--target",
        type=Number(),
        metavar="VALUE",
        help="Stop when an objective is as good as this.",
    ),
    _option(
        "When to stop",
        "--patience",
        type=POSITIVE,
        metavar="N",
        help="Stop after N evaluations in a row without an improvement.",
    ),
    _option(
        "When to stop",
        "--min-delta",
        type=Number(min=0),
        default=0.0,
        show_default=False,
        metavar="VALUE",
        help="Improvements of no more than this are none.",
    ),
    _option(
        "When to stop",
        "--stop-when-done",
        type=Number(min=0, min_open=True),
        is_flag=False,
        flag_value=DEFAULT_WORTH,
        metavar="[SHARE]",
        help="Stop when the model expects of no evaluation any more an improvement of more than "
        f"this share of what was gained ({DEFAULT_WORTH}).",
    ),
]

EVALUATION: Options = [
    _option(
        "How to evaluate",
        "--evaluator",
        "--backend",
        "evaluator",
        type=RegisteredName(EVALUATORS, CLASSIC_NAMES),
        default=DEFAULT_METHOD,
        help="Where run is called.",
    ),
    _option(
        "How to evaluate",
        "--num-workers",
        type=POSITIVE,
        metavar="N",
        help="Concurrent evaluations; 1 where the evaluator has no number of its own.",
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
        "--num-cpus-per-task",
        type=POSITIVE,
        default=1,
        metavar="N",
        help="CPU cores of a worker.",
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

CACHE: Options = [
    _option(
        "How to evaluate",
        "--cache-key",
        metavar="KEY",
        shell_complete=offers.cache_key,
        default="uuid",
        help="Which points count as one, whose objective is then reused: uuid (none), to_dict "
        "(equal ones), or a function of the point that gives its key, by its dotted path.",
    ),
]

STOPPING: Options = [
    _option(
        "Early stopping",
        "--stopper",
        type=RegisteredName(STOPPERS),
        default_text="curve with the default optimizer, else none",
        help="The rule that ends evaluations early by what they report.",
    ),
    _option(
        "Early stopping",
        "--stop-grace",
        type=Duration(zero=True),
        default=DEFAULT_STOP_GRACE,
        default_text=f"{DEFAULT_STOP_GRACE:g} s",
        help="How long an evaluation may continue that was asked to end early.",
    ),
]

SEED: Options = [
    _option(
        "Records", "--seed", type=NOT_NEGATIVE, metavar="N", help="Make the search repeatable."
    ),
]

RECORDS: Options = [
    _option(
        "Records",
        "--log-dir",
        type=UserPath(directory=True),
        metavar="DIR",
        default=".",
        help="Directory for results.csv, deephyper.log and the journal; made if it isn't there.",
    ),
    _option(
        "Records",
        "--resume",
        type=UserPath(directory=True),
        metavar="LOG_DIR",
        help="Resume the search in this directory; what isn't given is as it was.",
    ),
    _option(
        "Records",
        "--warm-start",
        type=UserPath(),
        metavar="RESULTS",
        help="Start with what another search found: its results.csv.",
    ),
    *SEED,
]

SUMMARY: Options = [
    _option(
        "Records",
        "--json",
        "as_json",
        is_flag=True,
        help="Print the summary as one JSON object; progress is on standard error as always.",
    ),
]

SHOWN: Options = [
    _option(
        "What is shown",
        "--quiet",
        "-q",
        is_flag=True,
        help="Show nothing but errors while it runs; the summary is printed as always.",
    ),
    _option(
        "What is shown",
        "--verbose",
        "-v",
        is_flag=True,
        help="Show a line for each evaluation, with its point, however many there are.",
    ),
]

OPTIMIZER: Options = [
    _option(
        "Optimizer",
        "--optimizer",
        type=RegisteredName(OPTIMIZERS),
        default_text=DEFAULT_OPTIMIZER,
        help="The engine that proposes points.",
    ),
]

BATCH: Options = [
    click.option("--sigterm-grace", type=Duration(zero=True), hidden=True),
    click.option("--resume-command", hidden=True),
    click.option("--batch", is_flag=True, hidden=True),
]
"""Hidden options of a search in a batch job: the time that evaluations get at SIGTERM, the command
that resumes it, and that nobody sits at a terminal."""


def any_search(run: Options) -> Options:
    """Return the options of every search.

    Args:
        run: those that say what is evaluated.
    """
    task = [config_option("What to search"), *SPACE, *run, *DIRECTION]
    return [*task, *PROGRAM, *BUDGET, *EVALUATION, *CACHE, *STOPPING, *RECORDS, *BATCH]


def with_options(options: Options) -> Callable[[Command], Command]:
    """A decorator that gives a command these options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def given_options(context: click.Context, parameters: Iterable[click.Parameter]) -> dict[str, str]:
    """The options that stand on the command line, each with its value.

    The values of one that is repeated are one value, in which ``;`` separates them.
    """
    given: dict[str, str] = {}
    for parameter in parameters:
        name = parameter.name or ""
        if not isinstance(parameter, click.Option):
            continue
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            if isinstance(parameter, GroupedOption) and parameter.stands_for is not None:
                given.update([parameter.stands_for])
                continue
            value = context.params[name]
            if parameter.multiple:
                value = "; ".join(value)
            whole = isinstance(value, float) and value.is_integer()
            given[parameter.opts[0]] = str(int(value) if whole else value)
    return given
