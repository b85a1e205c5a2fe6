"""Evaluations that need not be made, because an equal point was evaluated already."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from typing import Any

from deephyper.errors import DeepHyperError, SettingsError, argument
from deephyper.job import Job, Outcome
from deephyper.loading import load_object

Key = Callable[[dict[str, Any]], Any]


class Cache:
    """Finds the finished evaluation of a point with the same key.

    Args:
        key: "uuid": no two points have the same key; "to_dict": equal points have; or a function
            of the point, or its dotted path.

    Raises:
        SettingsError: if the key is none of these.
    """

    def __init__(self, key: str | Key) -> None:
        self._key: Key | None = None
        self._known: dict[str, Outcome] = {}
        if callable(key):
            self._key = key
        elif key == "to_dict":
            self._key = dict
        elif not isinstance(key, str):
            raise SettingsError(f"cache key {key!r} is neither a text nor a function")
        elif key != "uuid":
            try:
                found = load_object(key, "cache_key")
            except DeepHyperError as error:
                raise SettingsError(
                    f"cache key '{key}' is neither 'uuid' nor 'to_dict' nor a function: {error}"
                ) from error
            if not callable(found):
                raise SettingsError(f"cache key '{key}' is not a function; give one of the point")
            self._key = found

    def outcome_for(self, job: Job, now: float) -> Outcome | None:
        """Return the known outcome of a job's point, which takes no time; None if it is unknown.

        Args:
            job: the job.
            now: in seconds since the epoch.
        """
        known = None if self._key is None else self._known.get(self._text(job.point))
        if known is None:
            return None
        return dataclasses.replace(known, job=job, start=now, end=now, worker="cache")

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; the first finished one of a key counts."""
        if self._key is not None and outcome.status == "finished":
            self._known.setdefault(self._text(outcome.job.point), outcome)

    def add_all(self, outcomes: Iterable[Outcome]) -> None:
        """Take the outcomes of earlier evaluations; look at none if no key is ever the same."""
        if self._key is not None:
            for outcome in outcomes:
                self.add(outcome)

    def _text(self, point: dict[str, Any]) -> str:
        assert self._key is not None
        try:
            return json.dumps(self._key(dict(point)), sort_keys=True, default=repr)
        except Exception as error:
            raise SettingsError(
                f"the cache key function failed for {point}: {type(error).__name__}: {error}; fix "
                f"it, or leave out {argument('cache_key')}"
            ) from error
