"""The reference of the command line: a page for each command, made of its own help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from _site import GENERATED
from deephyper.core.cli.groups import deephyper, deephyper_analytics

PROGRAMS = (deephyper, deephyper_analytics)


def page_names() -> list[str]:
    return [name for name, _, _ in pages()]


def pages() -> Iterator[tuple[str, click.Context, click.Command]]:
    """Yield the name of a page, and the command that it is about with the program's context."""
    for program in PROGRAMS:
        context = click.Context(program, info_name=program.name)
        for name in program.list_commands(context):
            command = program.get_command(context, name)
            assert command is not None
            yield f"{program.name}-{name}", context, command


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, options in it as code."""
    parts = re.split(r"((?<![\w-])(?:--?[a-zA-Z][\w-]*|--(?![\w-])))", text)
    parts[::2] = [re.sub(r"([\\`*_{}\[\]<>|~$#&!])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"`{part}`" for part in parts[1::2]]
    return "".join(parts)


def paragraphs(text: str) -> str:
    """Return a help text as Markdown; what click leaves as it is becomes a block of text."""
    parts = []
    for part in inspect.cleandoc(text).partition("\f")[0].split("\n\n"):
        if part.startswith("\b"):
            parts.append(f"```text\n{part.removeprefix(chr(8)).strip(chr(10))}\n```")
        else:
            parts.append(escaped(" ".join(part.split())))
    return "\n\n".join(parts)


def options(command: click.Command, context: click.Context) -> str:
    """Return the options under their headings, each as the help has it."""
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not isinstance(parameter, click.Option):
            continue
        group = getattr(parameter, "group", "Other" if parameter.name == "help" else "Options")
        name, text = record
        groups.setdefault(group, []).append(f"`{name}`\n: {escaped(' '.join(text.split()))}\n")
    return "\n".join(f"**{escaped(title)}**\n\n" + "\n".join(of) for title, of in groups.items())


def section(command: click.Command, parent: click.Context, level: int) -> str:
    """Return what a command and those below it say of themselves."""
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"{'#' * level} {context.command_path}", f"```text\n{usage}\n```"]
    parts.append(paragraphs(command.help or ""))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            parts.append(section(below, context, level + 1))
    else:
        parts.append(options(command, context))
    return "\n\n".join(part for part in parts if part)


def write(app: Any) -> None:
    directory = Path(app.srcdir) / GENERATED / "commands"
    directory.mkdir(parents=True, exist_ok=True)
    for name, context, command in pages():
        text = section(command, context, 1) + "\n"
        file = directory / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    app.connect("config-inited", lambda app, config: write(app))
