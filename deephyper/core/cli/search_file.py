"""``--config FILE``: the options of a search in a file, each by its name.

They become words of the command line before those that were typed, so that all else, the journal
and a resume by it included, is as if they had been typed too.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.option_groups import Choice, GroupedOption, PassedOver, UserPath
from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, OPTIMIZER_OPTIONS, STOPPER_OPTIONS
from deephyper.errors import DeepHyperError, ProblemError
from deephyper.evaluator import CLASSIC_NAMES
from deephyper.loading import PROGRAM, absolute, current_directory, names_program, split_spec
from deephyper.printable import printable
from deephyper.suggest import did_you_mean

if TYPE_CHECKING:
    from deephyper.space_file.document import Document

DIRECTORY = f"{__name__}.directory"
"""Key of a click context's ``meta``: the directory in which modules and programs are found, where
it isn't the current one."""
NAMED = ("problem", "run")
COMMAND = "command"
"""The key of a program, which stands behind ``--`` on a command line."""
SCHEMA = "$schema"
"""The key of the schema of a file, for editors."""
_START_OR_OWN = ("start", "evaluation")
_NO_OPTIONS = ("config", "help")
_NAMES = "the names are those of the command line's options, without the dashes"
# Options that are one setting: where one is typed, none of them is taken from the file.
_TOGETHER = (
    {"direction", "minimize"},
    {"eval_timeout", "eval_timeout_minutes"},
)
_CHOSEN = {
    "evaluator": EVALUATOR_OPTIONS,
    "optimizer": OPTIMIZER_OPTIONS,
    "stopper": STOPPER_OPTIONS,
}


def config_option(group: str) -> Callable[[Any], Any]:
    """Return the option, under a heading."""
    return click.option(
        "--config",
        cls=GroupedOption,
        group=group,
        type=UserPath(),
        metavar="FILE",
        help="The options in a file of YAML, TOML or JSON, each by its name, as max_evals: 100; "
        "those on the command line win. What is in it is meant in the file's directory.",
    )


@dataclass(frozen=True)
class _Setting:
    """An option in a file.

    Attributes:
        key: what the file calls it.
        option: of the command.
        flag: as it is typed.
        values: one, or those of an option that may be repeated; none for what is off.
    """

    key: str
    option: click.Option
    flag: str
    values: list[str]

    @property
    def name(self) -> str:
        """The option's parameter."""
        return self.option.name or ""

    @property
    def words(self) -> list[str]:
        """The words of a command line."""
        if self.option.is_flag:
            return [self.flag] * len(self.values)
        if not self.flag.startswith("--"):
            return [word for value in self.values for word in (self.flag, value)]
        return [f"{self.flag}={value}" for value in self.values]


def words_of_file(ctx: click.Context, given: Mapping[str, Any]) -> list[str]:
    """Return the options in the file of a command line as words, those typed left out.

    Args:
        ctx: the context of the command; is told where modules are found.
        given: what was typed, by parameter.

    Raises:
        ProblemError: if the file can't be read, or has an option that isn't there or can't be
            used.
        click.UsageError: if modules are named in two directories.
    """
    from deephyper.checks import user_path
    from deephyper.errors import argument
    from deephyper.space_file.document import Purpose, read_document

    path = absolute(user_path(argument("config"), given["config"]))
    document = read_document(path, Purpose("a file of options", "the search", "the options"))
    directory = Path(os.path.realpath(path.parent))
    file = _File(ctx, document, directory)
    kept = _not_replaced(file.settings(), given)
    _find_modules(ctx, directory, kept, given)
    return [word for setting in kept for word in setting.words]


def file_options(
    command: click.Command, *, passed_over: bool = False
) -> dict[str, tuple[str, click.Option]]:
    """Return what may be in a file of a command: name -> how it is typed, and the option.

    Args:
        command: the command.
        passed_over: whether those that have no effect there are meant too.
    """
    options = [
        each
        for each in command.params
        if isinstance(each, click.Option)
        and each.name not in _NO_OPTIONS
        and (not each.hidden or (passed_over and isinstance(each, PassedOver)))
    ]
    found: dict[str, tuple[str, click.Option]] = {}
    for option in options:
        long = [flag for flag in option.opts if flag.startswith("--")]
        for flag in long or option.opts:
            found[flag.lstrip("-").replace("-", "_")] = (flag, option)
    if "run" in found:
        found[COMMAND] = found["run"]
    return found


@dataclass(frozen=True)
class _File:
    """A file of options.

    Attributes:
        ctx: the context of the command whose options they are.
        document: the file's contents.
        directory: the file's.
    """

    ctx: click.Context
    document: Document
    directory: Path

    def settings(self) -> list[_Setting]:
        """Return the options of the file, checked one by one."""
        tree = self.document.value
        if not isinstance(tree, dict):
            raise self.document.error(
                f"this is {_shown(tree)}: write options by their names, as max_evals: 100"
            )
        found: dict[str, _Setting] = {}
        for key, value in tree.items():
            if key == SCHEMA:
                continue
            setting = self._setting(key, value)
            other = found.setdefault(setting.name, setting)
            if other is not setting:
                raise self._error(key, f"is the same option as {other.key}: leave out one of them")
        return list(found.values())

    def _setting(self, key: str, value: Any) -> _Setting:
        options = file_options(self.ctx.command, passed_over=True)
        name = key.replace("-", "_")
        if name not in options:
            hint = did_you_mean(name, options, otherwise=_NAMES)
            raise self.document.error(f"unknown option {_shown(key)}: {hint}", (key,))
        flag, option = options[name]
        return _Setting(key, option, flag, self._values(key, option, value))

    def _values(self, key: str, option: click.Option, value: Any) -> list[str]:
        if value is None:
            raise self._error(key, "has no value: give one, or leave it out")
        if key == COMMAND:
            return [self._program(value)]
        if option.multiple:
            return self._repeated(key, option, value)
        if option.is_flag:
            if not isinstance(value, bool):
                raise self._error(key, f"is {_shown(value)}: give true or false")
            return ["true"] * value
        if isinstance(value, bool) and isinstance(option.flag_value, float):
            return [str(option.flag_value)] * value
        text = self._text(key, option, value)
        if key == "run" and names_program(text):
            raise self._error(key, f"is {_shown(text)}: give a program by {COMMAND}:")
        try:
            option.type.convert(text, option, self.ctx)
        except click.BadParameter as error:
            raise self._error(key, error.message.rstrip(".")) from None
        except DeepHyperError as error:
            raise self._error(key, f"can't be used: {error.on_command_line()}") from None
        return [self._in_place(option, text)]

    def _text(self, key: str, option: click.Option, value: Any) -> str:
        if type(value) in (int, float) and not _is_text(option):
            return repr(value)
        if not isinstance(value, str):
            wanted = "a text" if _is_text(option) else "one value"
            raise self._error(key, f"is {_shown(value)}: give {wanted}")
        if "\0" in value:
            raise self._error(key, f"is {_shown(value)}: leave out the character NUL")
        return value

    def _program(self, value: Any) -> str:
        """Return the value of ``--run`` for a program."""
        if isinstance(value, str):
            try:
                words = shlex.split(value)
            except ValueError as error:
                raise self._error(
                    COMMAND,
                    f"can't be split into words ({error}): close them, or give a list",
                ) from None
        elif isinstance(value, list) and all(type(each) in (str, int, float) for each in value):
            words = [str(each) for each in value]
        else:
            raise self._error(
                COMMAND,
                f"is {_shown(value)}: give the words of the command line as a list, or as one text",
            )
        if not words or not words[0]:
            raise self._error(COMMAND, "is empty: write the program, and what it is given")
        return PROGRAM + shlex.join(words)

    def _repeated(self, key: str, option: click.Option, value: Any) -> list[str]:
        """Return the values of an option that may be repeated, as NAME=VALUE."""
        if isinstance(value, dict):
            as_text = self._domain if option.name == "param" else self._value
            return [f"{name}={as_text(key, name, each)}" for name, each in value.items()]
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if not isinstance(text, str) or "=" not in text:
                raise self._error(
                    key,
                    f"has {_shown(text)}: give the values by name, or a list of texts NAME=VALUE",
                )
            if option.name == "param":
                self._check_definitions(key, text)
        return texts

    def _check_definitions(self, key: str, text: str) -> None:
        from deephyper.space_file.domain_text import parse_definitions

        try:
            parse_definitions(text)
        except ProblemError as error:
            raise self._error(key, f"can't be used: {error}") from None

    def _domain(self, key: str, name: str, value: Any) -> str:
        """Return the text of a domain."""
        from deephyper.space_file.domain_text import parse_domain
        from deephyper.space_file.tokens import unquoted

        if isinstance(value, list):
            return f"[{', '.join(map(unquoted, value))}]"
        if isinstance(value, dict):
            raise self._error(
                key,
                "has more than a domain: write it into a file of its own, and give that by space:",
                name,
            )
        if not isinstance(value, str):
            raise self._error(
                key, f"is {_shown(value)}: give bounds as (low, high), or values as a list", name
            )
        try:
            parse_domain(value)
        except ProblemError as error:
            raise self._error(key, f"can't be used: {error}", name) from None
        return value

    def _value(self, key: str, name: str, value: Any) -> str:
        """Return the text of a plain value."""
        if isinstance(value, (dict, list)):
            raise self._error(key, f"is {_shown(value)}: give one value", name)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        return str(value)

    def _in_place(self, option: click.Option, text: str) -> str:
        """Return a value as it is meant in the current directory."""
        if str(self.directory) == current_directory() or text.startswith("~"):
            return text
        if isinstance(option.type, UserPath):
            return str(self.directory / text)
        if option.name == "workdir":
            return text if text in _START_OR_OWN else str(self.directory / text)
        if option.name in (*NAMED, "cache_key"):
            _, file, attribute = split_spec(text, "")
            if file is not None:
                return f"{self.directory / file}" + (f"::{attribute}" if attribute else "")
        return text

    def _error(self, key: str, reason: str, name: str | None = None) -> ProblemError:
        """Return an error about an option, or about one of the names in it."""
        what = key if name is None else f"{key}: {name}"
        return self.document.error(f"{what} {reason}", (key,) if name is None else (key, name))


def _is_text(option: click.Option) -> bool:
    return option.type is click.STRING or isinstance(option.type, (UserPath, Choice))


def _not_replaced(settings: Sequence[_Setting], given: Mapping[str, Any]) -> list[_Setting]:
    """Return the options of a file that what was typed doesn't replace."""
    typed = {name: value for name, value in given.items() if value is not None and value != []}
    replaced = {*typed} - {"param"}
    for group in _TOGETHER:
        if typed.keys() & group:
            replaced |= group
    if typed.keys() & {"problem", "space"}:
        replaced |= {"problem", "space", "param"}
    elif "param" in typed:
        replaced.add("problem")
    if "run" in typed and not names_program(typed["run"]):
        replaced |= {"objective", "workdir"}
    if "resume" in typed:
        replaced |= {"log_dir", "warm_start"}
    elif typed.keys() & {"log_dir", "warm_start"}:
        replaced.add("resume")
    for choice, options in _CHOSEN.items():
        if choice in typed:
            name = CLASSIC_NAMES.get(typed[choice], typed[choice])
            replaced |= {each for each in options.names if name not in options.owners(each)}
    return [
        _without_names(setting, typed["param"])
        if setting.name == "param" and "param" in typed
        else setting
        for setting in settings
        if setting.name not in replaced
    ]


def _without_names(setting: _Setting, typed: Sequence[str]) -> _Setting:
    """Return hyperparameters without those that were typed."""
    from deephyper.space_file.domain_text import parse_definitions

    names = {name for text in typed for name in parse_definitions(text)}
    kept = [v for v in setting.values if not names.issuperset(parse_definitions(v))]
    return _Setting(setting.key, setting.option, setting.flag, kept)


def _find_modules(
    ctx: click.Context, place: Path, kept: Sequence[_Setting], given: Mapping[str, Any]
) -> None:
    """Have modules, and programs, found in the directory of the file that names them.

    Raises:
        click.UsageError: if what was typed names some in the current directory too.
    """
    directory = str(place)
    if directory == current_directory():
        return
    theirs = [s.key for s in kept if s.name in NAMED and _is_found(s.values[0])]
    typed = [f"--{name}" for name in NAMED if _is_found(given.get(name))]
    if theirs and typed:
        raise click.UsageError(
            f"{typed[0]} is meant in the current directory, and {theirs[0]} in that of the "
            f"file, '{printable(directory)}': name a file for one of them, or change to that "
            "directory"
        )
    if directory not in sys.path:
        sys.path.append(directory)
    if not typed:
        ctx.meta[DIRECTORY] = directory


def _is_found(spec: str | None) -> bool:
    """Return whether something is named that is looked for in a directory."""
    return spec is not None and split_spec(spec, "")[1] is None


def _shown(value: Any) -> str:
    from deephyper.problem.point import show

    return show(value)
