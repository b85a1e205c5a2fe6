"""``deephyper check``: one point is evaluated before a long search, to say what it will take."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from deephyper.core.cli import offers
from deephyper.core.cli.exit_status import DONE, GAVE_UP, print_result
from deephyper.core.cli.given_space import given_space, program_of
from deephyper.core.cli.nas import nas
from deephyper.core.cli.option_groups import GroupedOption, PassedOver, Whole
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS
from deephyper.core.cli.program import examples_of, notice_of_unused, run_of
from deephyper.core.cli.program_words import ProgramCommand
from deephyper.core.cli.search_command import check_no_notebook, eval_timeout_of, make_evaluator
from deephyper.core.cli.search_file import config_option
from deephyper.core.cli.search_options import (
    EVALUATION,
    NOT_NEGATIVE,
    POSITIVE,
    PROGRAM,
    SPACE,
    Options,
    with_options,
)
from deephyper.nas.run_function import RUN
from deephyper.preflight import MOST_RUNS
from deephyper.search.budget import DEFAULT_MAX_EVALS
from deephyper.standard_streams import Output

if TYPE_CHECKING:
    from deephyper.core.cli.given_space import GivenSpace
    from deephyper.preflight.checked import Checked

_WITHOUT = ("retries",)
"""Options of evaluations that have no effect where each is looked at."""
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def _option(group: str, *names: str, **attributes: Any) -> Any:
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


_WHAT: Options = [
    config_option("What to search"),
    *SPACE,
    _option(
        "What to search",
        "--run",
        "-r",
        metavar="WHERE",
        shell_complete=offers.where,
        help="The function to maximize: a dotted path (package.model_run.run) or a file "
        "(model_run.py, with run in it). A program is written at the end instead, after --.",
    ),
]
_SEARCH: Options = [
    _option(
        "What to tell",
        "--max-evals",
        type=POSITIVE,
        metavar="N",
        default=DEFAULT_MAX_EVALS,
        show_default=True,
        help="Evaluations of the search whose time is told.",
    ),
    _option(
        "What to tell",
        "--runs",
        type=Whole(min=1, max=MOST_RUNS),
        metavar="N",
        default=MOST_RUNS,
        show_default=True,
        help="Evaluations to make at most: one, one more with the same seed, and, if these agree, "
        "one with another seed.",
    ),
    _option(
        "What to tell",
        "--seed",
        type=NOT_NEGATIVE,
        metavar="N",
        help="Seed of the search, from which those of its evaluations follow.",
    ),
    _option("What to tell", "--json", "as_json", is_flag=True, help="Print one JSON object."),
]


@click.command("check", cls=ProgramCommand)
@with_options([*_WHAT, *PROGRAM, *EVALUATION, *_SEARCH])
def check(**options: Any) -> int:
    """Evaluate one point before a long search, and say what the search will need and take.

    The point is the first starting point, or that of all defaults. Nothing is written here. The
    exit status is 1 if an evaluation fails. Further options of "deephyper hps" and "nas" are taken,
    so that the command line or file of a search can be checked as it is, and have no effect.
    """
    errors = Output(sys.stderr, own=True)
    try:
        # Standard output is for what is told at the end, whatever is printed on the way.
        with contextlib.redirect_stdout(sys.stderr), _terminations(), _no_bytecode():
            space, found = _checked(options, errors)
    except _Terminated as end:
        return 128 + end.number
    from deephyper.core.cli.check_report import as_json, report

    print_result(as_json(found, space) if options["as_json"] else report(found, space))
    return DONE if found.succeeded else GAVE_UP


def _passed_over() -> Iterator[PassedOver]:
    """Give the other options of searches, whose command lines can be checked as they are."""
    own = {each.name for each in check.params}
    for option in nas.commands["ambs"].params:
        if isinstance(option, click.Option) and not option.hidden and option.name not in own:
            yield PassedOver(option)


check.params = [each for each in check.params if each.name not in _WITHOUT]
check.params.extend(EVALUATOR_OPTIONS.parameters)
check.params.extend([*_passed_over()])


def _checked(options: Mapping[str, Any], errors: Output) -> tuple[GivenSpace, Checked]:
    """Return the space of a command line, and what was found out."""
    from deephyper.preflight.check import check
    from deephyper.search.log_dir import LogDir

    def tell(line: str) -> None:
        errors.print(f"deephyper: {line}")

    timeout = eval_timeout_of(options)
    check_no_notebook(options)
    own = EVALUATOR_OPTIONS.given(options["evaluator"], options)
    space = given_space(options)
    problem = space.problem
    options = {**options, "run": _run_named(options, space)}
    run = run_of(options, problem.hyperparameter_names, examples_of(problem))
    for line in (*space.notices, notice_of_unused(run)):
        if line:
            tell(line)
    with tempfile.TemporaryDirectory(
        prefix="deephyper-check-", ignore_cleanup_errors=True
    ) as directory:
        log_dir = LogDir(directory)
        with make_evaluator(run, options, timeout, log_dir, own) as evaluator:
            return space, check(
                problem,
                evaluator,
                max_evals=options["max_evals"],
                runs=options["runs"],
                seed=options["seed"],
                directory=directory,
                on_notice=tell,
                on_step=lambda line: tell(f"{line} ..."),
            )


def _run_named(options: Mapping[str, Any], space: GivenSpace) -> str:
    """Return what is evaluated, as the value of --run.

    Raises:
        ProblemError: if the file of the space says it, and it can't be done.
        click.UsageError: if it is nowhere said.
    """
    from deephyper.nas.problem import NaProblem

    if options["run"] is not None:
        return str(options["run"])
    if isinstance(space.problem, NaProblem):
        return RUN
    if options["space"] is not None:
        return program_of(space)
    context = click.get_current_context()
    parameter = next(each for each in context.command.params if each.name == "run")
    raise click.MissingParameter("Give it, or a program after --", ctx=context, param=parameter)


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Have Python, here and in workers, write nothing beside what it imports."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    os.environ[_NO_BYTECODE] = "1"
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
        if not before:
            del os.environ[_NO_BYTECODE]


class _Terminated(BaseException):
    """A signal asks for the end.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _terminations() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end what runs here as Ctrl-C does, as a context manager."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # a scheduler sends it several times
        raise _Terminated(number)

    before: dict[signal.Signals, Any] = {}
    with contextlib.suppress(ValueError):  # outside the main thread, where no signals come
        for each in _SIGNALS:
            if signal.getsignal(each) is signal.SIG_DFL:
                before[each] = signal.signal(each, end)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
