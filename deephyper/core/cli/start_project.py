"""``deephyper start-project``: a project that is installed, so that its problems are importable."""

from __future__ import annotations

from pathlib import Path
from string import Template

import click

from deephyper.core.cli.editable_install import VERSION, install_editable
from deephyper.core.cli.new_files import TEMPLATES, write_new_directory
from deephyper.core.cli.package_name import check_package_name


@click.command("start-project")
@click.argument("name")
@click.option("--no-install", is_flag=True, help="Only make the directory.")
def start_project(name: str, no_install: bool) -> None:
    """Make a project directory and install it, so that its problems can be imported.

    NAME becomes the directory NAME with setup.py and the package NAME in it. The package is
    installed in editable mode into the environment that deephyper runs in: what you add to it is
    importable at once, in workers too. Nothing is downloaded.
    """
    check_package_name(name, "project")
    setup = Template((TEMPLATES / "project" / "setup.py.template").read_text("utf-8"))
    write_new_directory(
        Path(name),
        {
            f"{name}/__init__.py": "",
            "setup.py": setup.substitute(name=name, version=VERSION),
        },
    )
    if no_install:
        click.echo(f"Made {name}/. Install it with: pip install -e {name}")
    else:
        install_editable(name, Path(name))
        click.echo(f"Made {name}/ and installed it in editable mode.")
    click.echo(f"Continue with: cd {name}/{name} && deephyper new-problem hps NAME")
