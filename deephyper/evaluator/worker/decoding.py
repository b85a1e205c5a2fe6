"""Messages of workers, read by the types of their fields: whatever else comes is no message.

This is the parent's side alone: workers send messages, and start faster without the library.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from deephyper.evaluator.worker.messages import SENT, JobEnded, JobReported, Message


class _Kind(msgspec.Struct):
    """The name of a message's class, which comes among its fields."""

    says: str


_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in SENT}
_decoders = {kind.__name__.encode(): msgspec.json.Decoder(kind) for kind in SENT}


def decode(data: bytes) -> Message:
    """Return the message that a worker has sent.

    Raises:
        ValueError: if it is none.
    """
    try:
        kind = data.split(b'"', 4)[3]  # the class comes first, see to_text()
        return _decoders[kind].decode(data)  # whose numbers are finite, unlike those of ``json``
    except (msgspec.MsgspecError, LookupError, RecursionError, UnicodeError) as error:
        raise ValueError("not a message of a worker") from error


def convert(values: object) -> Message:
    """Return the message that a dictionary stands for.

    Raises:
        ValueError: if it is none.
    """
    try:
        kind = _KINDS[msgspec.convert(values, _Kind).says]
        message: Any = msgspec.convert(values, kind)
        return _checked(message)
    except (msgspec.MsgspecError, KeyError, RecursionError) as error:
        raise ValueError("not a message of a worker") from error


def _checked(message: Message) -> Message:
    """Return a message whose numbers are finite, as JSON's always are, and Python's JSON's not."""
    numbers: list[object] = list(vars(message).values())
    if isinstance(message, JobReported | JobEnded):
        numbers += message.metrics.values()
    if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
        raise ValueError("a number that isn't finite")
    return message
