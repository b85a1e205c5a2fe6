"""Options under headings, so that a long help text can be read; and types of their values."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.types import OptionHelpExtra

from deephyper.checks import DURATION_FORMS, duration, user_path
from deephyper.core.cli.offers import paths
from deephyper.errors import SettingsError
from deephyper.suggest import with_suggestion

if TYPE_CHECKING:
    from deephyper.core.cli.offers import Offers


class GroupedOption(click.Option):
    """An option that is shown under a heading.

    Args:
        group: the heading.
        default_text: the default as the help shows it, where click doesn't know it or would show
            it otherwise.
        stands_for: another option with its value, of which a flag is the short form.
    """

    def __init__(
        self,
        *args: Any,
        group: str,
        default_text: str | None = None,
        stands_for: tuple[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.stands_for = stands_for
        self._default_text = default_text

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        extra = super().get_help_extra(ctx)
        if self._default_text is not None:
            extra["default"] = self._default_text
        return extra


class PassedOver(click.Option):
    """An option of another command that is taken as it is there, and has no effect.

    Args:
        option: the other command's.
    """

    def __init__(self, option: click.Option) -> None:
        super().__init__(
            [*option.opts, option.name or ""],
            type=option.type,
            is_flag=option.is_flag,
            flag_value=option.flag_value,
            multiple=option.multiple,
            hidden=True,
        )


class GroupedCommand(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(getattr(parameter, "group", "Other"), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


class Duration(click.ParamType[float]):
    """Seconds, or a number with a unit: 30, 30s, 10m, 2h, 1d. Becomes seconds."""

    name = "duration"

    def __init__(self, zero: bool = False) -> None:
        self.zero = zero

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        try:
            return duration("it", value, zero=self.zero)
        except SettingsError:
            above = "" if self.zero else " above 0"
            self.fail(f"'{value}' is not a duration{above}; give {DURATION_FORMS}", param, ctx)


class Whole(click.IntRange):
    """A whole number of at least ``min``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            int(value)
        except (ValueError, OverflowError):
            wanted = "a whole number"
            if self.min is not None:
                wanted += f" of at least {self.min:g}"
            with contextlib.suppress(ValueError, OverflowError):
                number = float(value)  # written as 1e2 or 10.0
                if number.is_integer() and (self.min is None or number >= self.min):
                    wanted += f", such as {int(number)}"
            self.fail(f"'{value}' is not a valid integer; give {wanted}", param, ctx)
        return int(super().convert(value, param, ctx))


class Number(click.FloatRange):
    """A finite number of at least ``min``."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"'{value}' is not a finite number", param, ctx)
        return number

    def _describe_range(self) -> str:
        """Return the limits for the help; click says x<=None where there are none."""
        return "" if self.min is self.max is None else super()._describe_range()


class Choice(click.Choice[str]):
    """One of some texts; a wrong one is told which is nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            message = with_suggestion(error.message.rstrip("."), value, self.choices)
            raise click.BadParameter(message, ctx, param) from None


class UserPath(click.ParamType[Path]):
    """A path, in which ``~`` is the home directory.

    Args:
        directory: whether it is one of a directory, as shells are to complete it.
    """

    name = "path"

    def __init__(self, directory: bool = False) -> None:
        self.directory = directory

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        name = param.opts[0] if isinstance(param, click.Option) else "the file"
        return user_path(name, value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
        return paths(incomplete, directories=self.directory)
