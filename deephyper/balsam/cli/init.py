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
    help="Also tell Balsam that the scheduler is Slurm: write its settings and a job template.",
)
def balsam_init(path: Path, loopback: bool, slurm: bool) -> None:
    """Make a Balsam database that only you can reach.

    PATH is the folder to make. The database asks for a password, which is kept in that folder,
    readable by you alone. Balsam's own "balsam init" lets in everybody who reaches its port.
    """
    from deephyper.balsam.create_database import create_database
    from deephyper.balsam.slurm import use_slurm

    written = use_slurm() if slurm else None
    create_database(path, loopback)
    if written is not None:
        did = "Wrote" if written else "Left as they are, for Slurm already,"
        click.echo(f"{did} Balsam's settings in {Path.home() / '.balsam' / 'settings.json'}.")
    click.echo(f"Made the Balsam database {path}. Use it with: source balsamactivate {path}")
