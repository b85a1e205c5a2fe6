"""``deephyper-analytics confirm``: the best points of a search, evaluated again and ranked anew."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from deephyper.confirmation import DEFAULT_K, DEFAULT_LOG_DIR, DEFAULT_REPEATS
from deephyper.core.cli import offers
from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.given_space import SPACE_FLAGS, check_given_once, given_space, has_space
from deephyper.core.cli.kept_networks import keep_models_option, only_best
from deephyper.core.cli.option_groups import GroupedOption, UserPath
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS
from deephyper.core.cli.program import run_of
from deephyper.core.cli.resumed_command import NOTICE, ResumableCommand, start_command
from deephyper.core.cli.search_command import (
    check_no_notebook,
    detail_of,
    eval_timeout_of,
    ignore_repeated_signals,
    longer_limits,
    make_evaluator,
    options_given,
    resume_command,
)
from deephyper.core.cli.search_file import DIRECTORY, config_option
from deephyper.core.cli.search_options import (
    EVALUATION,
    NOT_NEGATIVE,
    POSITIVE,
    PROGRAM,
    SHOWN,
    TIME,
    Options,
    space_options,
    with_options,
)
from deephyper.loading import names_program
from deephyper.nas.run_function import Training
from deephyper.printable import one_printable_line, printable
from deephyper.standard_streams import Output

if TYPE_CHECKING:
    from deephyper.confirmation.candidates import Unread
    from deephyper.confirmation.confirmation import Earlier
    from deephyper.evaluator import Evaluator
    from deephyper.job import Outcome
    from deephyper.search.log_dir import LogDir

_OF_A_START = {
    "results": "RESULTS",
    "k": "-k",
    "fixed": "--set",
    "problem": "--problem",
    "space": "--space",
    "param": "--param",
}


class ConfirmCommand(ResumableCommand):
    """Takes from the journal of the search what is left out."""

    required = ("--run",)

    def left_out(self, ctx: click.Context, given: Mapping[str, Any]) -> list[str]:
        from deephyper.checks import user_path
        from deephyper.search.log_dir import LogDir

        if given.get("help"):
            return []
        check_given_once(given)
        results = given.get("results")
        if isinstance(given.get("resume"), str) or not isinstance(results, str):
            return super().left_out(ctx, given)
        path = user_path("the results file", results)
        log_dir = LogDir(path if os.path.isdir(path) else path.parent)
        if log_dir.holds_search:
            return self.journalled(ctx, log_dir, given, "confirming")
        if given.get("run") is None:
            raise click.UsageError(
                f"give --run, because there is no journal beside '{results}' that names it", ctx
            )
        return []

    def still_meant(self, stored: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
        found = super().still_meant(stored, given)
        # The seed was the search's; the points of a confirmation were checked when it was started.
        resumed = isinstance(given.get("resume"), str)
        for flag in ("--problem", *SPACE_FLAGS) if resumed else ("--seed",):
            found.pop(flag, None)
        if given.get("run") is not None:
            found.pop("--keep-models", None)
        return found


def _option(group: str, *names: str, **attributes: Any) -> Any:
    return click.option(*names, cls=GroupedOption, group=group, **attributes)


_WHAT: Options = [
    config_option("What to confirm"),
    _option(
        "What to confirm",
        "-k",
        type=POSITIVE,
        default=DEFAULT_K,
        show_default=True,
        metavar="K",
        help="How many of the best points.",
    ),
    _option(
        "What to confirm",
        "-n",
        type=POSITIVE,
        default=DEFAULT_REPEATS,
        show_default=True,
        metavar="N",
        help="How often each of them is evaluated.",
    ),
    _option(
        "What to confirm",
        "--set",
        "fixed",
        multiple=True,
        metavar="NAME=VALUE",
        help="A value that a hyperparameter has instead, as epochs=200; may be repeated.",
    ),
    _option(
        "What to confirm",
        "--problem",
        "-p",
        metavar="WHERE",
        shell_complete=offers.where,
        help="The search space, by which points are checked and typed; by default that of the "
        "search, where its journal is beside RESULTS.",
    ),
    *space_options("What to confirm"),
    _option(
        "What to confirm",
        "--run",
        "-r",
        metavar="WHERE",
        shell_complete=offers.where,
        help="The function to call; by default that of the search.",
    ),
    keep_models_option("What to confirm"),
]
_RECORDS: Options = [
    _option(
        "Records",
        "--log-dir",
        type=UserPath(directory=True),
        metavar="DIR",
        default=DEFAULT_LOG_DIR,
        show_default=True,
        help="Directory for its own results.csv, deephyper.log and journal.",
    ),
    _option(
        "Records",
        "--resume",
        type=UserPath(directory=True),
        metavar="LOG_DIR",
        help="Resume the confirmation in this directory; what isn't given is as it was.",
    ),
    _option(
        "Records",
        "--seed",
        type=NOT_NEGATIVE,
        metavar="N",
        help="Number from which the seeds of the evaluations follow.",
    ),
    _option(
        "Records",
        "--output",
        "-o",
        type=UserPath(),
        metavar="FILE",
        help="Save the ranks in this file instead: .json, .yaml or .csv.",
    ),
    _option("Records", "--force", is_flag=True, help="Replace the file if it is there."),
]


@click.command("confirm", cls=ConfirmCommand)
@click.argument("results", metavar="RESULTS", type=UserPath(), required=False)
@with_options([*_WHAT, *PROGRAM, *TIME, *EVALUATION, *_RECORDS, *SHOWN])
def confirm(**options: Any) -> int:
    """Evaluate the best points again, several times, and rank them by their means, as YAML.

    RESULTS is the results.csv of a search, or its log directory. Evaluations have other seeds than
    in the search, which run finds as evaluation.seed. Nothing of the search is changed.
    """
    return _run(options)


confirm.params.extend(EVALUATOR_OPTIONS.parameters)


def _run(options: Mapping[str, Any]) -> int:
    from deephyper.analytics.ranked import as_yaml, check_target, save
    from deephyper.confirmation.confirmation import Confirmation, GivenPoints
    from deephyper.core.cli.summary import (
        HeldDirectory,
        Place,
        confirmation_summary,
        exit_status,
    )
    from deephyper.progress.progress import Progress
    from deephyper.search.log_dir import LogDir

    errors = Output(sys.stderr, own=True)
    context = click.get_current_context()
    _check_resume(options)
    detail = detail_of(options)
    log_dir = LogDir(options["resume"] or options["log_dir"])
    place = Place()
    timeout = eval_timeout_of(options)
    check_no_notebook(options)
    own = EVALUATOR_OPTIONS.given(options["evaluator"], options)
    if options["output"] is not None:
        check_target(options["output"], force=options["force"])
    wanted = _wanted(options, log_dir, lambda line: errors.print(printable(f"deephyper: {line}")))
    points = GivenPoints(wanted.candidates)
    names = [*points.hyperparameter_names, *_names_of_problem(options)]
    run = run_of(options, names, direction=wanted.direction)
    if isinstance(run, Training):
        for candidate in wanted.candidates:
            run.check(candidate.point)
    # Before an evaluator is made, which may start a cluster.
    record = log_dir.inspect(points, options["resume"] is not None)
    limit = options["timeout"] or record.timeout
    with (
        make_evaluator(run, options, timeout, log_dir, own) as evaluator,
        HeldDirectory() as held,
        Progress(
            len(wanted.candidates) * wanted.repeats,
            len(record.ended),
            None if record.best is None else record.best.objective,
            failed_before=record.num_failed,
            pruned_before=record.num_pruned,
            seconds_before=record.busy,
            num_workers=evaluator.num_workers,
            seconds_left=None if limit is None else limit - record.seconds,
            best_point_before=None if record.best is None else record.best.job.point,
            direction=wanted.direction,
            stream=errors,
            detail=detail,
        ) as progress,
    ):

        def begin(description: str) -> None:
            held.hold(log_dir.path)
            if kept is not None:
                kept.clean(record.outcomes)
            progress.begin(_start_line(options, wanted, evaluator, place.short(log_dir.path)))

        kept = only_best(options, log_dir, wanted.direction, record)

        def show(outcome: Outcome) -> None:
            if kept is not None:
                kept(outcome)
            progress.show(outcome)

        if context.meta.get(NOTICE):
            progress.notice(context.meta[NOTICE])
        confirmation = Confirmation(
            wanted.candidates,
            evaluator,
            wanted.repeats,
            direction=wanted.direction,
            log_dir=log_dir.path,
            seed=wanted.seed,
            resume=record if record.resumed else False,
            retries=options["retries"],
            grace=options["grace"],
            command=start_command(options_given(), context.meta.get(DIRECTORY)),
            on_start=begin,
            on_outcome=show,
            on_notice=progress.notice,
            progress=False,
        )
        progress.follow(evaluator, confirmation.standing)
        result, confirmed = confirmation.confirm(options["timeout"])
        if result.signal is not None:
            ignore_repeated_signals(batch=False)
        found = held.path(log_dir.path)
    rows = [each.as_row() for each in confirmed]
    if options["output"] is not None:
        save(rows, place.found(options["output"]) or options["output"], force=options["force"])
    elif result.best is not None:
        print_result(as_yaml(rows, encoding=sys.stdout.encoding))
    again = resume_command(options, log_dir, longer_limits(result, limit))
    for line in confirmation_summary(result, wanted.repeats, again, place, found):
        errors.print(line)
    return exit_status(result)


def _check_resume(options: Mapping[str, Any]) -> None:
    """Check that a confirmation is started or resumed.

    Raises:
        click.UsageError: if options of both are given, or none.
    """
    context = click.get_current_context()
    if options["resume"] is None:
        if options["results"] is None:
            raise click.UsageError(
                "give RESULTS, the results.csv of a search, or --resume LOG_DIR", context
            )
        return
    command_line = ParameterSource.COMMANDLINE
    given = [
        flag
        for name, flag in {**_OF_A_START, "log_dir": "--log-dir"}.items()
        if context.get_parameter_source(name) is command_line
    ]
    if given:
        raise click.UsageError(
            f"--resume continues with the points that the journal in '{options['resume']}' names; "
            f"leave out {', '.join(given)}",
            context,
        )


def _wanted(
    options: Mapping[str, Any], log_dir: LogDir, on_notice: Callable[[str], None]
) -> Earlier:
    """Return the points to confirm, and how often, from the results or from the journal."""
    from deephyper.confirmation.candidates import best_candidates
    from deephyper.confirmation.confirmation import Earlier, earlier

    if options["resume"] is not None:
        before = earlier(log_dir)
        given = click.get_current_context().get_parameter_source("n") is ParameterSource.COMMANDLINE
        repeats = options["n"] if given else before.repeats
        return Earlier(before.candidates, repeats, before.direction, before.seed)
    named = options["problem"] is not None or has_space(options)
    problem = given_space(options).problem if named else None
    candidates, direction = best_candidates(
        options["results"],
        options["k"],
        fixed=_fixed(options["fixed"]),
        problem=problem,
        on_notice=on_notice,
    )
    return Earlier(candidates, options["n"], direction, options["seed"])


def _names_of_problem(options: Mapping[str, Any]) -> list[str]:
    """Return the names of all hyperparameters, also those that no point has; empty if unknown."""
    named = options["problem"] is not None or has_space(options)
    if not (named and names_program(options["run"])):
        return []
    return given_space(options).problem.hyperparameter_names


def _fixed(given: tuple[str, ...]) -> dict[str, Unread]:
    """Return the values of ``--set`` by name.

    Raises:
        click.UsageError: if one isn't NAME=VALUE, or a name is given twice.
    """
    from deephyper.confirmation.candidates import Unread

    fixed: dict[str, Unread] = {}
    for each in given:
        name, separator, text = each.partition("=")
        if not (separator and name.strip() and text.strip()):
            raise click.UsageError(f"--set {each}: give NAME=VALUE, as in --set epochs=200")
        if name.strip() in fixed:
            raise click.UsageError(f"--set gives '{name.strip()}' twice; leave out one of them")
        fixed[name.strip()] = Unread(text.strip())
    return fixed


def _start_line(
    options: Mapping[str, Any], wanted: Earlier, evaluator: Evaluator, log_dir: str
) -> str:
    """Return what is evaluated, how often and where."""

    def counted(number: int, thing: str) -> str:
        return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

    what = "starting" if options["resume"] is None else "resuming"
    points = counted(len(wanted.candidates), "point")
    times = "once each" if wanted.repeats == 1 else f"{wanted.repeats} times each"
    workers = counted(evaluator.num_workers, f"{evaluator.method} worker")
    return one_printable_line(
        f"{what} a confirmation of {points}, {times}, with "
        f"{options['run'].removeprefix('-- ')}: {workers}, files in "
        f"{log_dir}"
    )
