"""``deephyper new-problem``: a package with the tutorial's sample code."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.new_files import TEMPLATES, write_new_directory
from deephyper.core.cli.option_groups import Choice
from deephyper.core.cli.package_name import check_package_name
from deephyper.errors import WorkspaceError

FILES = ("__init__.py", "load_data.py", "model_run.py", "problem.py")


@click.command("new-problem")
@click.argument("mode", metavar="MODE", type=Choice(["hps", "nas"]))
@click.argument("name")
def new_problem(mode: str, name: str) -> None:
    """Make a problem with sample code in the current directory.

    MODE is hps, hyperparameter search. NAME becomes a package with __init__.py, load_data.py,
    model_run.py and problem.py: a regression with a small neural network, ready to be searched and
    to be changed into your own. It needs Keras: pip install '.[tensorflow]' in the clone of
    deephyper.
    """
    if mode == "nas":
        raise WorkspaceError(
            "neural architecture search is not available yet; make a hyperparameter search with: "
            "deephyper new-problem hps NAME"
        )
    check_package_name(name, "problem")
    templates = TEMPLATES / mode
    write_new_directory(Path(name), {file: (templates / file).read_text("utf-8") for file in FILES})
    package = _package_here()
    problem, run = f"{name}/problem.py", f"{name}/model_run.py"
    if package:
        problem, run = f"{package}.{name}.problem.Problem", f"{package}.{name}.model_run.run"
    click.echo(f"Made {name}/ with {', '.join(FILES)}.")
    click.echo(f"Search it with: deephyper hps ambs --problem {problem} --run {run} --max-evals 20")


def _package_here() -> str:
    """Dotted name of the package that the current directory is; empty if it is none."""
    directory = Path.cwd()
    parts: list[str] = []
    while (directory / "__init__.py").is_file() and directory.name.isidentifier():
        parts.insert(0, directory.name)
        directory = directory.parent
    return ".".join(parts)
