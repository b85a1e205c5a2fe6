"""A group of commands that imports none of them before it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.offers import words
from deephyper.errors import DeepHyperError
from deephyper.registry import Registry

if TYPE_CHECKING:
    from deephyper.core.cli.offers import Offers


class LazyGroup(click.Group):
    """A group whose subcommands are registered.

    Args:
        registry: names and summaries of the commands.
    """

    def __init__(self, *args: Any, registry: Registry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._registry = registry

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._registry.names

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._registry:
            return None
        command: click.Command = self._registry.load(cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            today = self._registry.renamed.get(error.command_name)
            if today is not None:
                now = f"{ctx.command_path} {today}"
                raise click.UsageError(
                    f"'{error.command_name}' has another name today: {now}", ctx=ctx
                ) from None
            known = self.list_commands(ctx)
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=known, ctx=ctx
            ) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Offers:
        # Before click does, which imports each command for its line of help.
        names = words(incomplete, self._registry.names, self._registry.summaries)
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summary(name)) for name in self._registry.names])

    def _summary(self, name: str) -> str:
        if name in self._registry.summaries:
            return self._registry.summaries[name]
        try:
            return str(self._registry.load(name).get_short_help_str(limit=70))
        except DeepHyperError as error:
            return str(error)
