"""``deephyper balsam-init``: a Balsam database that only its owner can reach."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("balsam-init")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--loopback",
    is_flag=True,
    help="Listen on this machine's loopback addresses only, not on the network.",
)
@click.option(
    "--slurm",
    is_flag=True,
    help="Also configure Balsam for Slurm: write its settings and a job template.",
)
def balsam_init(path: Path, loopback: bool, slurm: bool) -> None:
    """Create a Balsam database that only you can reach.

    PATH is the directory to make. The database asks for a password, which is kept in that
    directory, readable by you alone. Balsam's own "balsam init" admits everyone who can reach its
    port.
    """
    from deephyper.balsam.site.create_database import create_database
    from deephyper.balsam.site.slurm import use_slurm

    written = use_slurm() if slurm else None
    create_database(path, loopback)
    if written is not None:
        settings = Path.home() / ".balsam" / "settings.json"
        did = "Wrote Balsam's settings" if written else "Balsam's settings are for Slurm already"
        click.echo(f"{did}: {settings}")
    click.echo(f"Created the Balsam database {path}. Use it with: source balsamactivate {path}")
