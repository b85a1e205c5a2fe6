"""The options that evaluators, optimizers and stoppers bring along, as they declare them.

Nothing here knows one of them by name: what is registered is shown, and what is given is handed to
the class that declares it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from deephyper.core.cli.option_groups import Choice, Duration, GroupedOption, Number, Whole
from deephyper.errors import DeepHyperError
from deephyper.option import Option
from deephyper.registry import EVALUATORS, OPTIMIZERS, STOPPERS, Registry


@dataclass(frozen=True)
class PluginOptions:
    """The options of everything in a registry.

    Attributes:
        registry: evaluators, optimizers or stoppers.
        flag: the option that chooses among them.
    """

    registry: Registry
    flag: str

    @property
    def parameters(self) -> list[click.Option]:
        """Options for a command, under the heading of what brings them; each name once."""
        found: dict[str, click.Option] = {}
        for name, plugin in self._plugins():
            for option in plugin.options:
                found.setdefault(option.name, _parameter(name, option, _default(plugin, option)))
        return list(found.values())

    def parameters_of(self, name: str) -> list[click.Option]:
        """Options for a command that is about one of them."""
        plugin = self.registry.load(name)
        return [_parameter(name, each, _default(plugin, each)) for each in plugin.options]

    @property
    def names(self) -> set[str]:
        """Names of the parameters."""
        return {option.name for _, plugin in self._plugins() for option in plugin.options}

    @property
    def secrets(self) -> set[str]:
        """Flags whose values must not be printed."""
        plugins = self._plugins()
        return {option.flag for _, each in plugins for option in each.options if option.secret}

    def given(self, chosen: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was given of the options of a plugin.

        Raises:
            click.UsageError: if an option of another one was given.
        """
        values = {n: options[n] for n in sorted(self.names) if options.get(n) is not None}
        own = {option.name for option in self.registry.load(chosen).options}
        for name in [name for name in values if name not in own]:
            owner = self.owners(name)[0]
            raise click.UsageError(
                f"--{name.replace('_', '-')} is an option of {owner}; use {self.flag} {owner}"
            )
        return values

    def owners(self, name: str) -> list[str]:
        """Return what takes an option."""
        plugins = self._plugins()
        return [each for each, plugin in plugins if name in {o.name for o in plugin.options}]

    def _plugins(self) -> Iterator[tuple[str, Any]]:
        for name in self.registry.names:
            try:
                yield name, self.registry.load(name)
            except DeepHyperError:
                continue  # a broken package is reported when it is chosen


EVALUATOR_OPTIONS = PluginOptions(EVALUATORS, "--evaluator")
OPTIMIZER_OPTIONS = PluginOptions(OPTIMIZERS, "--optimizer")
STOPPER_OPTIONS = PluginOptions(STOPPERS, "--stopper")


def _parameter(group: str, option: Option, default: Any) -> click.Option:
    kinds: dict[str, click.ParamType[Any]] = {
        "text": click.STRING,
        "integer": Whole(min=option.at_least),
        "number": Number(min=option.at_least),
        "duration": Duration(zero=True),
        "choice": Choice(option.choices),
    }
    return GroupedOption(
        [option.flag],
        group=group.capitalize(),
        type=kinds[option.kind],
        metavar=option.metavar,
        help=option.help,
        default_text=_default_text(option, default),
    )


def _default_text(option: Option, default: Any) -> str | None:
    if default is None:
        return None
    return f"{default:g} s" if option.kind == "duration" else str(default)


def _default(plugin: Any, option: Option) -> Any:
    """Return the default of the argument that takes an option; None if there is none to show."""
    parameter = inspect.signature(plugin).parameters.get(option.name)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return None
    return parameter.default
