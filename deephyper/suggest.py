"""The end of a message on an unknown name: the known one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_SIMILAR = 0.6
"""The share of two names that has to be common, as :mod:`difflib` counts it."""
_MOST_SHOWN = 12


def nearest(name: object, known: Iterable[str], *, similar: float = _SIMILAR) -> str | None:
    """Return the known name that is most like another; None if none is.

    Upper and lower case make no difference.

    Args:
        name: what was typed.
        known: what there is.
        similar: how much has to be common, from 0 to 1.
    """
    if not isinstance(name, str):
        return None
    import difflib

    by_lower_case: dict[str, str] = {}
    for each in known:
        by_lower_case.setdefault(each.lower(), each)
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=similar)
    return by_lower_case[near[0]] if near else None


def did_you_mean(name: object, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return the question that goes with an unknown name: ``did you mean 'units'?``

    Args:
        name: what was typed.
        known: what there is.
        otherwise: what to say where no name is near; None names all that there are.
    """
    names = list(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if otherwise is not None:
        return otherwise
    if not names:
        return "there are none yet"
    some = ", ".join(names[:_MOST_SHOWN]) + (", ..." if len(names) > _MOST_SHOWN else "")
    return f"choose from {some}"


def with_suggestion(message: str, name: object, known: Iterable[str]) -> str:
    """Return a message on an unknown name, with the nearest known one if there is one."""
    question = did_you_mean(name, known, otherwise="")
    return f"{message}; {question}" if question else message
