"""``deephyper space``: look at a search space, check it, and write it in another form."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import Choice, UserPath
from deephyper.printable import printable

if TYPE_CHECKING:
    from deephyper.space_file import SpaceFile

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("space")
def space() -> None:
    """Look at a search space in a file, check it, and write it in another form."""


def _of_a_space(command: Command) -> Command:
    command = click.option(
        "--param",
        "-P",
        multiple=True,
        metavar="NAME=DOMAIN",
        help="A hyperparameter to add or to replace, as 'lr=(1e-4, 1.0, log-uniform)'.",
    )(command)
    return click.argument("file", metavar="[FILE]", type=UserPath(), required=False)(command)


@space.command("show")
@_of_a_space
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the size and the notices.")
def show(file: Path | None, param: tuple[str, ...], as_json: bool) -> None:
    """Print a space in our own form, with the number of its points, as YAML."""
    read = _read(file, param)
    from deephyper.problem.size import size_of
    from deephyper.space_file import as_yaml

    if as_json:
        print_result(_report(read))
        return
    _tell_notices(read)
    print_result(f"# {size_of(read.problem)}\n{_encodable(as_yaml(read.problem, read.direction))}")


@space.command("check")
@_of_a_space
def check(file: Path | None, param: tuple[str, ...]) -> None:
    """Check that a space can be searched; the exit status is 2 if it can't."""
    read = _read(file, param)
    _tell_notices(read)
    from deephyper.problem.size import size_of

    print_result(f"OK: {size_of(read.problem)}\n")


@space.command("convert")
@_of_a_space
@click.option(
    "--to",
    "form",
    type=Choice(["deephyper", "configspace"]),
    default="deephyper",
    show_default=True,
    help="The form to write.",
)
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Save it in this file, .yaml or .json, instead of printing it.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def convert(
    file: Path | None, param: tuple[str, ...], form: str, output: Path | None, force: bool
) -> None:
    """Write a space in our own form or in ConfigSpace's."""
    from deephyper.errors import ProblemError
    from deephyper.safe_files import save_whole
    from deephyper.space_file import as_config_space, as_json, as_yaml

    # ConfigSpace's files are JSON in the first place, ours are YAML.
    ending = {"deephyper": ".yaml", "configspace": ".json"}[form]
    if output is not None:
        ending = output.suffix.lower().replace(".yml", ".yaml")
        if ending not in (".yaml", ".json"):
            raise ProblemError(f"'{output}' should be a name that ends in .yaml or .json")
    read = _read(file, param)
    _tell_notices(read)
    if form == "configspace":
        left_out = [
            what
            for what, there in (
                ("its starting points", read.problem.starting_points),
                ("its direction", read.direction),
            )
            if there
        ]
        if left_out:
            _tell(f"ConfigSpace's form leaves out {' and '.join(left_out)}")
        text = as_config_space(read.problem, ending)
    else:
        text = (as_json if ending == ".json" else as_yaml)(read.problem, read.direction)
    if output is None:
        print_result(text if ending == ".json" else _encodable(text))
    else:
        save_whole(output, text.encode(), force=force)
        click.echo(printable(f"Saved the space in {output}."))


@space.command("schema")
def schema() -> None:
    """Print the JSON Schema of our own form, by which editors complete and check it."""
    from deephyper.space_file import schema

    print_result(schema())


def _read(file: Path | None, param: tuple[str, ...]) -> SpaceFile:
    """Return the space of a command line, which a search would take.

    Raises:
        ProblemError: if none would.
        click.UsageError: if none is given.
    """
    if file is None and not param:
        raise click.UsageError("give FILE, or -P NAME=DOMAIN", click.get_current_context())
    from deephyper.search.search import check_names
    from deephyper.space_file import read_space

    read = read_space(file, param)
    check_names(read.problem)
    return read


def _report(read: SpaceFile) -> str:
    import json

    from deephyper.problem.size import size_of
    from deephyper.space_file.writing import as_tree

    size = size_of(read.problem)
    report = {
        "form": read.form,
        "num_points": size.num_points,
        "exact": size.exact,
        "notices": list(read.notices),
        "space": as_tree(read.problem, read.direction),
    }
    return json.dumps(report, indent=2) + "\n"


def _encodable(text: str) -> str:
    """Return YAML with escapes for what standard output can't encode."""
    from deephyper.space_file import yaml_text

    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        tree, _ = yaml_text.load(text)
        return yaml_text.dump(tree, depth=2, allow_unicode=False)
    return text


def _tell_notices(read: SpaceFile) -> None:
    for notice in read.notices:
        _tell(notice)


def _tell(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
