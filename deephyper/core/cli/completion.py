"""``deephyper completion``: what a shell needs to complete command lines."""

from __future__ import annotations

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import Choice

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script with which a shell completes what is typed after deephyper.

    SHELL is bash, zsh or fish.
    One of these lines installs it, for deephyper-analytics too, from the next shell on:

    \b
    deephyper completion bash >> ~/.bashrc
    deephyper completion zsh >> ~/.zshrc
    deephyper completion fish >> ~/.config/fish/config.fish
    """
    from deephyper.core.cli.groups import deephyper, deephyper_analytics
    from deephyper.core.cli.shell_completion import script

    programs = {each.name or "": each for each in (deephyper, deephyper_analytics)}
    print_result(script(shell, programs))
