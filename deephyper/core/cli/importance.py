"""``deephyper-analytics importance``: which hyperparameters matter."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import Number, UserPath, Whole
from deephyper.printable import printable


@click.command("importance")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option(
    "-k",
    type=Whole(min=1),
    default=10,
    show_default=True,
    metavar="K",
    help="How many hyperparameters and pairs to show.",
)
@click.option(
    "--pairs/--no-pairs", default=True, show_default=True, help="Look at interactions of two."
)
@click.option(
    "--best",
    type=Number(min=0, min_open=True, max=1),
    metavar="SHARE",
    help="Within the best share of the space, such as 0.1; all else counts as equally bad.",
)
@click.option("--seed", type=Whole(min=0), default=0, show_default=True, help="Random seed.")
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Save them in this file instead: .json, .yaml or .csv.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def importance(
    results: Path,
    k: int,
    pairs: bool,
    best: float | None,
    seed: int,
    output: Path | None,
    as_json: bool,
    force: bool,
) -> None:
    """Say which hyperparameters of a search matter, and which pairs.

    RESULTS is the results.csv of a search, or its log directory. Printed is the share of the
    objective's variance over the whole space that each hyperparameter is behind on its own, and
    each pair beyond that, with standard errors. Evaluations that failed or were ended early are
    left out. A line on standard error says where there is too little to tell.
    """
    if as_json and output is not None:
        raise click.UsageError("--json prints them and --output saves them; give one of them")
    from deephyper.analytics import importance as importance_of
    from deephyper.analytics.fanova.table import as_rows, as_text
    from deephyper.analytics.ranked import check_target, save

    if output is not None:
        check_target(output, force=force)
    found = importance_of(results, pairs=pairs, best=best, seed=seed, on_notice=_notice)
    if as_json:
        print_result(f"{json.dumps(found.to_dict(k), indent=4)}\n")
    elif output is None:
        print_result(as_text(found, k))
    else:
        save(as_rows(found, k), output, force=force)
        click.echo(printable(f"Saved the importance of {results} in {output}."))


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
