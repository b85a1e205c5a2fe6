"""From the options of a search to its end: make the objects, search, and say what came of it."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from deephyper.batch import cancel_command
from deephyper.core.cli.given_space import given_space, program_of
from deephyper.core.cli.kept_networks import only_best
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, STOPPER_OPTIONS
from deephyper.core.cli.program import examples_of, notice_of_unused, run_of
from deephyper.core.cli.resumed_command import OF_A_START
from deephyper.core.cli.search_file import DIRECTORY
from deephyper.core.cli.search_options import given_options
from deephyper.loading import PROGRAM, absolute, names_program
from deephyper.objective import Direction
from deephyper.printable import shell_word
from deephyper.registry import OPTIMIZERS, STOPPERS
from deephyper.standard_streams import Output

if TYPE_CHECKING:
    from deephyper.command import Command
    from deephyper.evaluator import Evaluator
    from deephyper.job import Outcome
    from deephyper.nas import Training
    from deephyper.optimizer.settings import Settings
    from deephyper.progress.progress import Detail
    from deephyper.search.log_dir import LogDir
    from deephyper.search.search import Search
    from deephyper.search.search_result import SearchResult
    from deephyper.stopper.settings import StopperSettings


def run_search(
    search_class: type[Search],
    options: Mapping[str, Any],
    optimizer: str | Settings | None = None,
    notice: str | None = None,
) -> int:
    """Search as the options ask for; return the exit status.

    Args:
        search_class: the kind of search.
        options: of the command line, see :func:`.search_options.any_search`.
        optimizer: see :class:`~deephyper.search.search.Search`.
        notice: a line for the user before anything else.
    """
    from deephyper.core.cli.resumed_command import NOTICE, start_command
    from deephyper.core.cli.summary import (
        HeldDirectory,
        Place,
        exit_status,
        json_summary,
        start_line,
        summary,
    )
    from deephyper.progress.progress import Progress
    from deephyper.search.budget import Budget
    from deephyper.search.log_dir import LogDir

    # Before any code of the user is imported, which may replace or close them, and go elsewhere.
    output, errors = Output(sys.stdout, own=True), Output(sys.stderr, own=True)
    log_dir = LogDir(_log_dir(options))
    place = Place()
    asked = asked_direction(options)
    detail = detail_of(options)
    eval_timeout = eval_timeout_of(options)
    check_no_notebook(options)
    evaluator_options = EVALUATOR_OPTIONS.given(options["evaluator"], options)
    engine = search_class.default_optimizer if optimizer is None else optimizer
    stopper = _stopper(options, engine)
    space = given_space(options)
    problem = space.problem
    direction = asked or space.direction or "maximize"
    options = {**options, "run": options["run"] or program_of(space)}
    run = run_of(options, problem.hyperparameter_names, examples_of(problem), direction)
    # Before an evaluator is made, which may start a cluster.
    record = log_dir.inspect(problem, options["resume"] is not None)
    budget = Budget(options["max_evals"], options["timeout"], options["max_steps"]).over_sessions(
        record
    )
    with (
        make_evaluator(run, options, eval_timeout, log_dir, evaluator_options) as evaluator,
        Progress(
            budget.max_evals,
            len(record.ended),
            None if record.best is None else record.best.objective,
            best_point_before=None if record.best is None else record.best.job.point,
            failed_before=record.num_failed,
            pruned_before=record.num_pruned,
            seconds_before=record.busy,
            num_workers=evaluator.num_workers,
            seconds_left=None if budget.timeout is None else budget.timeout - record.seconds,
            direction=direction,
            stream=errors,
            detail=detail,
        ) as progress,
        HeldDirectory() as held,
    ):

        def begin(description: str) -> None:
            held.hold(log_dir.path)
            if kept is not None:
                kept.clean(record.outcomes)
            progress.begin(
                start_line(
                    "resuming" if record.resumed else "starting",
                    problem.hyperparameter_names,
                    options["run"].removeprefix(PROGRAM),
                    description,
                    evaluator,
                    budget,
                    place.short(log_dir.path),
                )
            )

        unused = notice_of_unused(run)
        notices = (click.get_current_context().meta.get(NOTICE), notice, *space.notices, unused)
        for line in notices:
            if line:
                progress.notice(line)
        if cancel_command() is not None:
            # What is killed can't say it any more.
            again = resume_command(options, log_dir).format(shell_word(str(log_dir.path)))
            progress.notice(f"If this batch job is killed, resume with: {again}")
        given = options_given()
        run_given = click.get_current_context().params["run"]
        if run_given is not None:
            given["--run"] = run_given  # also where it is the default of the command
        if stopper is not None:
            given["--stopper"] = stopper.name  # also where an option of it stands for it
        pauses = _pauses(stopper, engine)
        kept = only_best(options, log_dir, direction, record, pauses=pauses)

        def show(outcome: Outcome) -> None:
            if kept is not None:
                kept(outcome)
            progress.show(outcome)

        search = search_class(
            problem,
            evaluator,
            optimizer,
            log_dir=log_dir.path,
            seed=options["seed"],
            resume=record if record.resumed else False,
            warm_start=place.found(options["warm_start"]),
            max_failures=options["max_failures"],
            direction=direction,
            stopper=stopper,
            stop_grace=options["stop_grace"],
            target=options["target"],
            patience=options["patience"],
            min_delta=options["min_delta"],
            stop_when_done=options["stop_when_done"] or False,
            retries=options["retries"],
            cache_key=options["cache_key"],
            grace=options["grace"],
            sigterm_grace=options["sigterm_grace"],
            command=start_command(given, click.get_current_context().meta.get(DIRECTORY)),
            on_start=begin,
            on_outcome=show,
            on_notice=progress.notice,
            progress=False,  # which is shown here, from before the search is made
        )
        progress.follow(evaluator, search.standing)
        result = search.search(
            max_evals=options["max_evals"],
            timeout=options["timeout"],
            max_steps=options["max_steps"],
        )
        if result.signal is not None:
            ignore_repeated_signals(options["batch"])
        found = held.path(log_dir.path)
    resume = resume_command(options, log_dir, longer_limits(result, budget.timeout))
    if options.get("as_json"):
        output.print(json_summary(result, resume, place, found))
    else:
        for line in summary(result, resume, place, found):
            output.print(line)
    return exit_status(result)


def ignore_repeated_signals(batch: bool) -> None:
    """Let the search say how it ended.

    A scheduler that cancels a job sends SIGTERM several times. Ctrl-C comes from a person and ends
    what is left; in a batch job it comes from the scheduler too.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if batch:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def longer_limits(result: SearchResult, timeout: float | None) -> dict[str, str]:
    """Return the options without which a resumed search would end again at once."""
    if result.reason != "timeout" or timeout is None:
        return {}
    # More than was used, the grace included.
    return {"--timeout": str(math.ceil(timeout + max(timeout, result.seconds)))}


def resume_command(
    options: Mapping[str, Any], log_dir: LogDir, longer: Mapping[str, str] | None = None
) -> str:
    """Return how to resume, with ``{}`` where the log directory belongs.

    Args:
        options: of the command line.
        log_dir: of the search.
        longer: options to add or replace, each with its value.
    """
    longer = longer or {}
    if options.get("resume_command") is not None:
        words = [options["resume_command"], *([_words(longer)] * bool(longer))]
        return _literal(" ".join(words))
    given = options_given()
    if log_dir.why_not_trusted() is None:
        # All else is in the journal, but what must not be written anywhere.
        given = {flag: value for flag, value in given.items() if flag in EVALUATOR_OPTIONS.secrets}
    given |= longer
    for name in OF_A_START:
        given.pop(name, None)
    for name in EVALUATOR_OPTIONS.secrets & given.keys():
        given[name] = name.removeprefix("--").rpartition("-")[2].upper()
    words = [click.get_current_context().command_path, "--resume {}"]
    return " ".join([*words, *([_literal(_words(given))] * bool(given))])


def options_given() -> dict[str, str]:
    context = click.get_current_context()
    return given_options(context, context.command.params)


def _words(options: Mapping[str, str]) -> str:
    return " ".join(map(shell_word, chain(*options.items())))


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def check_no_notebook(options: Mapping[str, Any]) -> None:
    for name in ("problem", "run"):
        spec = options[name] or ""
        if spec.partition("::")[0].endswith(".ipynb") and not names_program(spec):
            raise click.UsageError(
                f"--{name} can't name a notebook; save its code in a .py file and name that"
            )


def _log_dir(options: Mapping[str, Any]) -> Path:
    log_dir: Path = options["log_dir"]
    resume: Path | None = options["resume"]
    if resume is None:
        return log_dir
    if options["warm_start"] is not None:
        raise click.UsageError(
            "--resume continues a search and --warm-start starts a new one; give one of them"
        )
    given = click.get_current_context().get_parameter_source("log_dir")
    if given is not ParameterSource.COMMANDLINE:
        return resume
    if absolute(log_dir).resolve() != absolute(resume).resolve():
        raise click.UsageError(
            "--resume names the log directory itself; leave --log-dir out, or use --warm-start "
            "to start a new search from old results"
        )
    return resume


def asked_direction(options: Mapping[str, Any]) -> Direction | None:
    """Return the direction on a command line; None where there is none.

    Raises:
        click.UsageError: if there are two.
    """
    source = click.get_current_context().get_parameter_source
    given = source("direction") is ParameterSource.COMMANDLINE
    direction: Direction = options["direction"]
    if not options["minimize"]:
        return direction if given else None
    if given and direction != "minimize":
        raise click.UsageError("--minimize and --direction maximize; give one of them")
    return "minimize"


def detail_of(options: Mapping[str, Any]) -> Detail:
    """Return how much is to be shown.

    Raises:
        click.UsageError: if everything and nothing is.
    """
    if options["quiet"] and options["verbose"]:
        raise click.UsageError("--quiet and --verbose contradict each other; give one of them")
    return "quiet" if options["quiet"] else "verbose" if options["verbose"] else "usual"


def _stopper(options: Mapping[str, Any], optimizer: str | Settings) -> StopperSettings | None:
    """Return the rule that is asked for; None for that of the optimizer, as it is."""
    engine = OPTIMIZERS.load(optimizer) if isinstance(optimizer, str) else optimizer
    asked = options["stopper"]
    name = asked or engine.default_stopper
    given = STOPPER_OPTIONS.given(name, options)
    if asked is None and not given:
        return None
    settings: StopperSettings = STOPPERS.load(name)(**given)
    return settings


def _pauses(stopper: StopperSettings | None, optimizer: str | Settings) -> bool:
    """Return whether the search pauses evaluations where others end them early for good."""
    engine = OPTIMIZERS.load(optimizer) if isinstance(optimizer, str) else optimizer
    settings: StopperSettings = stopper or STOPPERS.load(engine.default_stopper)()
    rule = settings.create()
    return rule is not None and rule.pauses


def eval_timeout_of(options: Mapping[str, Any]) -> float | None:
    seconds: float | None = options["eval_timeout"]
    minutes: float | None = options["eval_timeout_minutes"]
    if seconds is not None and minutes is not None:
        raise click.UsageError(
            "--eval-timeout and --eval-timeout-minutes mean the same; give one of them"
        )
    return seconds if minutes is None else 60 * minutes


def make_evaluator(
    run: str | Command | Training,
    options: Mapping[str, Any],
    timeout: float | None,
    log_dir: LogDir,
    own: Mapping[str, Any],
) -> Evaluator:
    from deephyper.evaluator import Evaluator

    return Evaluator.create(
        run,
        method=options["evaluator"],
        num_workers=options["num_workers"],
        num_cpus_per_task=options["num_cpus_per_task"],
        num_gpus_per_task=options["num_gpus_per_task"],
        timeout=timeout,
        output_dir=log_dir.outputs,
        **own,
    )
