"""The settings of a search, and its space, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deephyper.analytics.points import Column
from deephyper.analytics.report.columns import text_of
from deephyper.loading import names_program
from deephyper.printable import shell_word
from deephyper.search import events

_MOST_VALUES = 50
_SIGNS = {"EQ": "=", "NEQ": "≠", "LT": "<", "GT": ">"}
_SEARCHES = ("ambs", "regevo", "random")


def command_text(session: events.Session, log_dir: Path) -> str:
    """Return the command line of a session; empty for a search that was run from Python.

    Args:
        session: its beginning.
        log_dir: that of the search, absolute; no session tells it, since it may be moved.
    """
    if session.command is None:
        return ""
    options = dict(session.command.options)
    name = str(session.settings.get("search", "ambs"))
    # Architectures have a run function of their own, and all else has to be given one.
    kind = "hps" if "--run" in options else "nas"
    words = ["deephyper", kind, name if name in _SEARCHES else "ambs"]
    run = options.get("--run", "")
    if names_program(run):
        del options["--run"]
    for flag, value in options.items():
        words += [flag, shell_word(value)]
    words += ["--log-dir", shell_word(str(log_dir))]
    budget = (("--max-evals", session.max_evals), ("--max-steps", session.max_steps))
    for flag, number in (*budget, ("--timeout", session.timeout)):
        if number is not None:
            words += [flag, f"{number:.15g}"]
    return " ".join([*words, run] if names_program(run) else words)


def setting_rows(session: events.Session, log_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings of a session: the name of each, and its value."""
    yield "log directory", str(log_dir)
    if session.command is not None and session.command.directory:
        yield "working directory", session.command.directory
    yield from _flat(session.settings, "")
    limits = {"max_evals": session.max_evals, "max_steps": session.max_steps}
    for name, value in {**limits, "timeout": session.timeout}.items():
        if value is not None:
            yield name, f"{value:.15g}" + (" s" if name == "timeout" else "")


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", text_of(value)


def described(columns: Sequence[Column], space: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the hyperparameters for the page.

    Args:
        columns: the hyperparameters.
        space: the description of the space; None where it isn't known.
    """
    conditions = {} if space is None else _conditions(space["conditions"])
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "lower": column.lower,
            "upper": column.upper,
            "log": column.log,
            "values": [text_of(value) for value in column.values[:_MOST_VALUES]],
            "numValues": len(column.values),
            "conditional": column.conditional,
            "condition": " and ".join(conditions.get(column.name, [])),
        }
        for column in columns
    ]


def _conditions(found: Sequence[Any]) -> dict[str, list[str]]:
    """Return child -> the conditions under which it is active."""
    texts: dict[str, list[str]] = {}
    for each in found:
        child = _child(each)
        if child is not None:
            texts.setdefault(child, []).append(_condition(each))
    return texts


def _child(condition: Any) -> str | None:
    if not isinstance(condition, Mapping):
        return None
    if "child" in condition:
        return str(condition["child"])
    parts = condition.get("conditions")
    return _child(parts[0]) if isinstance(parts, Sequence) and parts else None


def _condition(condition: Any) -> str:
    if not isinstance(condition, Mapping):
        return "?"
    kind = condition.get("type")
    if kind in ("AND", "OR"):
        parts = [_condition(each) for each in condition.get("conditions", ())]
        return f"({f' {str(kind).lower()} '.join(parts)})"
    parent = condition.get("parent")
    if kind == "IN":
        values = ", ".join(map(text_of, condition.get("values", ())))
        return f"{parent} in {{{values}}}"
    return f"{parent} {_SIGNS.get(str(kind), kind)} {text_of(condition.get('value'))}"
