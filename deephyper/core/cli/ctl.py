"""``deephyper ctl``: control of a search that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deephyper.core.cli.exit_status import DONE, GAVE_UP, print_result
from deephyper.core.cli.option_groups import Duration, UserPath, Whole
from deephyper.errors import ProblemError
from deephyper.printable import one_printable_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from deephyper.ask_tell.search_control import SearchControl


Command = TypeVar("Command", bound="Callable[..., Any]")


def _with_timeout(command: Command) -> Command:
    # The default is that of deephyper.ask_tell, which takes longer to import than help may.
    option: Callable[[Command], Command] = click.option(
        "--timeout", type=Duration(), default=30.0, help="How long to wait for an answer (30 s)."
    )
    return option(command)


@click.group("ctl")
@click.argument("log_dir", metavar="DIR", type=UserPath(directory=True))
@click.pass_context
def ctl(ctx: click.Context, log_dir: Path) -> None:
    """Control the search that runs in DIR, from this machine or another that sees its files.

    The search answers, usually within a second, and what it has done is printed. The exit status is
    1 where it doesn't answer in time, and 2 where it refuses or no search runs.
    """
    ctx.obj = log_dir


@ctl.command("pause")
@_with_timeout
@click.pass_obj
def pause(log_dir: Path, timeout: float) -> int:
    """Begin no new evaluations; those that run go on."""
    return _asked(log_dir, timeout, lambda control: control.pause())


@ctl.command("resume")
@_with_timeout
@click.pass_obj
def resume(log_dir: Path, timeout: float) -> int:
    """Begin evaluations again."""
    return _asked(log_dir, timeout, lambda control: control.resume())


@ctl.command("stop")
@click.option("--now", is_flag=True, help="End what runs too, as a second Ctrl-C does.")
@_with_timeout
@click.pass_obj
def stop(log_dir: Path, now: bool, timeout: float) -> int:
    """End the search as Ctrl-C does: what runs is waited for."""
    return _asked(log_dir, timeout, lambda control: control.stop(at_once=now))


@ctl.command("max-evals")
@click.argument("number", metavar="N", type=Whole(min=1))
@_with_timeout
@click.pass_obj
def max_evals(log_dir: Path, number: int, timeout: float) -> int:
    """Make N evaluations in all, those that have ended included."""
    return _asked(log_dir, timeout, lambda control: control.set_max_evals(number))


@ctl.command("workers")
@click.argument("number", metavar="N", type=Whole(min=1))
@_with_timeout
@click.pass_obj
def workers(log_dir: Path, number: int, timeout: float) -> int:
    """Have N workers: more begin at once, those that are too many end with their evaluations."""
    return _asked(log_dir, timeout, lambda control: control.set_num_workers(number))


@ctl.command("stop-evaluation")
@click.argument("id_", metavar="ID")
@click.option(
    "--grace",
    type=Duration(zero=True),
    help="How long it may continue; by default the --stop-grace of the search.",
)
@_with_timeout
@click.pass_obj
def stop_evaluation(log_dir: Path, id_: str, grace: float | None, timeout: float) -> int:
    """End one evaluation; what it has reported counts, and without a report it has failed."""
    return _asked(log_dir, timeout, lambda control: control.stop_evaluation(id_, grace=grace))


@ctl.command("enqueue")
@click.argument("point", metavar="POINT...", nargs=-1, required=True)
@_with_timeout
@click.pass_obj
def enqueue(log_dir: Path, point: tuple[str, ...], timeout: float) -> int:
    """Evaluate a point before those that the optimizer proposes.

    POINT is a JSON object, as '{"lr": 0.01, "units": 10}', or words NAME=VALUE, as lr=0.01
    units=10. Hyperparameters that are not named have their defaults.
    """
    values = read_point(point)
    return _asked(log_dir, timeout, lambda control: control.enqueue(values))


def read_point(words: tuple[str, ...]) -> dict[str, Any]:
    """Return the point that words of a command line give.

    Raises:
        ProblemError: if they give none.
    """
    from deephyper.cell import parse_cell

    if len(words) == 1 and words[0].lstrip().startswith("{"):
        try:
            point = json.loads(words[0])
        except (ValueError, RecursionError) as error:
            raise ProblemError(
                f"the point '{one_printable_line(words[0], 80)}' is not JSON ({error}); give "
                "'{\"lr\": 0.01}' or lr=0.01"
            ) from error
        return dict(point)
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (name and equals and text):
            shown = one_printable_line(word, 80)
            raise ProblemError(
                f"'{shown}' is not NAME=VALUE, such as lr=0.01, and not a JSON object"
            )
        if name in values:
            raise ProblemError(f"'{one_printable_line(name, 80)}' is given twice; leave out one")
        values[name] = parse_cell(text)
    return values


def _asked(log_dir: Path, timeout: float, ask: Callable[[SearchControl], str]) -> int:
    """Ask the search, and print what it has done; return the exit status."""
    from deephyper.core.cli.light_imports import import_lightly

    import_lightly()
    from deephyper.ask_tell.search_control import NoAnswer, SearchControl

    try:
        text = ask(SearchControl(log_dir, timeout=timeout))
    except NoAnswer as error:
        click.echo(printable(f"deephyper: {error.on_command_line()}"), err=True)
        return GAVE_UP
    print_result(f"{printable(text)}\n")
    return DONE
