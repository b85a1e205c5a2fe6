"""The words and paths that a shell is offered where an option or argument takes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Offers = list[CompletionItem[str]]

_JSON = "json:"


def paths(incomplete: str, directories: bool = False) -> Offers:
    """Return what has a shell offer paths.

    Args:
        incomplete: what was typed of one.
        directories: whether directories are meant alone.
    """
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir" if directories else "file")]


def words(incomplete: str, known: Iterable[str], helps: Mapping[str, str] | None = None) -> Offers:
    """Return what has a shell offer words.

    Args:
        incomplete: what was typed of one.
        known: all words.
        helps: word -> a line about it.
    """
    from click.shell_completion import CompletionItem

    helps = helps or {}
    return [CompletionItem(w, help=helps.get(w)) for w in known if w.startswith(incomplete)]


def where(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Offer the files among what ``WHERE`` may be."""
    return paths(incomplete)


def objective(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Offer the kinds of sources of an objective."""
    if incomplete.startswith(_JSON):
        return paths(incomplete.removeprefix(_JSON))
    from deephyper.command import LAST

    return words(incomplete, [LAST, "regex:", _JSON])


def workdir(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Offer the names of places where a program may run, and directories."""
    from deephyper.command import OWN, START

    return words(incomplete, [START, OWN]) or paths(incomplete, directories=True)


def cache_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Offer the names of keys, and files that may hold a function."""
    return words(incomplete, ["uuid", "to_dict"]) or paths(incomplete)
