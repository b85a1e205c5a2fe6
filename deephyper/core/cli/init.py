"""``deephyper init``: a directory for a search whose points are asked for and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.given_space import SPACE_FLAGS, given_space
from deephyper.core.cli.option_groups import GroupedCommand, UserPath
from deephyper.core.cli.plugin_options import OPTIMIZER_OPTIONS
from deephyper.core.cli.resumed_command import start_command
from deephyper.core.cli.search_command import asked_direction, options_given
from deephyper.core.cli.search_options import (
    DIRECTION,
    OPTIMIZER,
    SEED,
    SPACE,
    with_options,
)
from deephyper.core.cli.searches import optimizer_of
from deephyper.loading import absolute
from deephyper.optimizer.create import DEFAULT_OPTIMIZER
from deephyper.printable import printable, shell_word


@click.command("init", cls=GroupedCommand)
@click.argument("log_dir", metavar="DIR", type=UserPath(directory=True))
@with_options([*SPACE, *DIRECTION, *SEED, *OPTIMIZER])
def init(log_dir: Path, **options: Any) -> None:
    """Make a directory for a search whose points are asked for and told by a loop of your own.

    deephyper ask DIR then prints points, and deephyper tell DIR ID OBJECTIVE takes what came of
    them, from any number of shells at the same time.
    """
    from deephyper.ask_tell.search_directory import SPACE_FILE, SearchDirectory

    optimizer, notice = optimizer_of(options)
    space = given_space(options)
    for line in (notice, *space.notices):
        if line:
            _tell(line)
    # A search that is resumed here has the space from where asking has it.
    given = {
        flag: value
        for flag, value in options_given().items()
        if flag not in (*SPACE_FLAGS, "--problem")
    }
    SearchDirectory.create(
        log_dir,
        space.problem,
        optimizer or DEFAULT_OPTIMIZER,
        direction=asked_direction(options) or space.direction or "maximize",
        seed=options["seed"],
        notify=_tell,
        command=start_command({"--space": str(absolute(log_dir) / SPACE_FILE), **given}),
    )
    count = len(space.problem.hyperparameter_names)
    counted = "1 hyperparameter" if count == 1 else f"{count} hyperparameters"
    print_result(
        f"Made a search of {counted} in {printable(str(log_dir))}. Its first point: "
        f"deephyper ask {shell_word(str(log_dir))}\n"
    )


init.params.extend(OPTIMIZER_OPTIONS.parameters)


def _tell(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
