"""``deephyper new-problem``: a package with the tutorial's sample code."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.new_files import write_new_directory
from deephyper.core.cli.option_groups import Choice
from deephyper.core.cli.package_name import check_package_name
from deephyper.core.cli.problem_templates import (
    FALLBACK,
    NAS_TEMPLATE,
    PREFERRED,
    PROBLEM_TEMPLATES,
    Template,
)
from deephyper.errors import MissingExtra


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

    MODE is hps, hyperparameter search, or nas, neural architecture search. NAME becomes a package
    with __init__.py, load_data.py, model_run.py (nas: search_space.py) and problem.py: a regression
    with a small neural network, ready to be searched and to be changed into your own. With the
    template command, run calls a program: program.py.
    """
    check_package_name(name, "problem")
    chosen, notice = _template(mode, template)
    chosen.require()
    write_new_directory(Path(name), chosen.files)
    if notice:
        click.echo(notice)
    click.echo(f"Made {name}/ with {', '.join(chosen.files)}.")
    package = _package_here()
    where = {"problem": f"{name}/problem.py", "run": f"{name}/model_run.py"}
    if package:
        where["problem"] = f"{package}.{name}.problem.Problem"
        where["run"] = f"{package}.{name}.model_run.run"
    if mode == "nas":
        where.pop("run")
    words = " ".join(f"--{option} {value}" for option, value in where.items())
    click.echo(f"Search it with: deephyper {mode} ambs {words} --max-evals 20")


def _template(mode: str, name: str | None) -> tuple[Template, str]:
    """Return the sample code to write, and a notice for the user where it isn't the preferred one.

    Raises:
        click.UsageError: if the mode doesn't have it.
    """
    if mode == "nas":
        if name not in (None, NAS_TEMPLATE.name):
            raise click.UsageError(
                f"the networks of nas are those of Keras; leave --template {name} out"
            )
        return NAS_TEMPLATE, ""
    chosen = PROBLEM_TEMPLATES[name or PREFERRED]
    if name is not None or chosen.is_usable:
        return chosen, ""
    notice = f"{MissingExtra(chosen.what, chosen.extra)}; the sample code uses "
    chosen = PROBLEM_TEMPLATES[FALLBACK]
    return chosen, f"{notice}{chosen.what} instead."


def _package_here() -> str:
    """Dotted name of the package that the current directory is; empty if it is none."""
    directory = Path.cwd()
    parts: list[str] = []
    while (directory / "__init__.py").is_file() and directory.name.isidentifier():
        parts.insert(0, directory.name)
        directory = directory.parent
    return ".".join(parts)
