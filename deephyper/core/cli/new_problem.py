"""``deephyper new-problem``: a package with the tutorial's sample code."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.new_files import write_new_directory
from deephyper.core.cli.option_groups import Choice
from deephyper.core.cli.package_name import check_package_name
from deephyper.core.cli.problem_templates import FALLBACK, PREFERRED, PROBLEM_TEMPLATES
from deephyper.errors import MissingExtra, WorkspaceError


@click.command("new-problem")
@click.argument("mode", metavar="MODE", type=Choice(["hps", "nas"]))
@click.argument("name")
@click.option(
    "--template",
    type=Choice(list(PROBLEM_TEMPLATES)),
    help=f"What the sample code uses; {PREFERRED} where none is given, or {FALLBACK} where that "
    "isn't installed.",
)
def new_problem(mode: str, name: str, template: str | None) -> None:
    """Make a problem with sample code in the current directory.

    MODE is hps, hyperparameter search. NAME becomes a package with __init__.py, load_data.py,
    model_run.py and problem.py: a regression with a small neural network, ready to be searched and
    to be changed into your own. With the template command, run calls a program: program.py.
    """
    if mode == "nas":
        raise WorkspaceError(
            "neural architecture search is not available yet; make a hyperparameter search with: "
            "deephyper new-problem hps NAME"
        )
    check_package_name(name, "problem")
    chosen = PROBLEM_TEMPLATES[template or PREFERRED]
    notice = ""
    if template is None and not chosen.is_usable:
        notice = f"{MissingExtra(chosen.what, chosen.extra)}; the sample code uses "
        chosen = PROBLEM_TEMPLATES[FALLBACK]
        notice += f"{chosen.what} instead."
    chosen.require()
    write_new_directory(Path(name), chosen.files)
    package = _package_here()
    problem, run = f"{name}/problem.py", f"{name}/model_run.py"
    if package:
        problem, run = f"{package}.{name}.problem.Problem", f"{package}.{name}.model_run.run"
    if notice:
        click.echo(notice)
    click.echo(f"Made {name}/ with {', '.join(chosen.files)}.")
    click.echo(f"Search it with: deephyper hps ambs --problem {problem} --run {run} --max-evals 20")


def _package_here() -> str:
    """Dotted name of the package that the current directory is; empty if it is none."""
    directory = Path.cwd()
    parts: list[str] = []
    while (directory / "__init__.py").is_file() and directory.name.isidentifier():
        parts.insert(0, directory.name)
        directory = directory.parent
    return ".".join(parts)
