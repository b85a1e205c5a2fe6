"""A request to a search, and the answer: the files that travel, and what is in them."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

DIRECTORY = ".deephyper-control"
"""The directory of requests and answers, in the log directory of a search that runs."""
REQUEST, ANSWER = ".request", ".answer"
"""The ends of their names, after the id of the request."""
LONGEST = 1 << 20
"""Bytes of a request, or an answer."""
NAME = re.compile(r"(\d{20}-[0-9a-f]{16})\.request")

Action = Literal[
    "pause", "resume", "stop", "max-evals", "workers", "stop-evaluation", "enqueue", "ping"
]
ACTIONS: tuple[Action, ...] = get_args(Action)
_OF_A_SESSION = ("pause", "resume", "stop", "workers", "stop-evaluation", "ping")

Count = Annotated[int, Meta(ge=1, le=10**15)]


class Request(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A request, as its file holds it.

    Attributes:
        action: what is to be done.
        session: the session that it was made to.
        number: of evaluations, or of workers.
        evaluation: the id of one.
        grace: seconds that this one gets; None for as many as early stopping gives.
        at_once: whether what runs is ended too.
        point: to be evaluated.
    """

    action: Action
    session: Annotated[str, Meta(max_length=100)] = ""
    number: Count | None = None
    evaluation: Annotated[str, Meta(pattern=r"\A(0|[1-9][0-9]{0,17})\Z")] | None = None
    grace: Annotated[float, Meta(ge=0, le=1e11)] | None = None
    at_once: bool = False
    point: dict[str, Any] | None = None

    @property
    def outlasts_its_session(self) -> bool:
        """True if a later session may carry it out."""
        return self.action not in _OF_A_SESSION


class Answer(Struct, forbid_unknown_fields=True):
    """An answer to a request.

    Attributes:
        done: whether it was carried out.
        text: what was done, or why it wasn't; one line.
    """

    done: bool
    text: str


class DamagedRequest(ValueError):
    """A file that holds no request; the message says why."""


def new_id() -> str:
    """Return the id of a new request; those that are made later come later in their order."""
    return f"{time.time_ns():020d}-{secrets.token_hex(8)}"


def encode(message: Request | Answer) -> bytes:
    """Return a request or an answer as its file holds it."""
    return json.dumps(msgspec.to_builtins(message)).encode()


def decode_request(data: bytes) -> Request:
    """Return the request of a file.

    Raises:
        DamagedRequest: if it holds none.
    """
    try:
        if len(data) > LONGEST:
            raise DamagedRequest("it is too long")
        return msgspec.convert(json.loads(data), Request)
    except DamagedRequest:
        raise
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DamagedRequest(f"it is damaged ({reason})") from error


def decode_answer(data: bytes) -> Answer:
    """Return the answer of a file.

    Raises:
        ValueError: if it holds none.
    """
    return msgspec.json.decode(data, type=Answer)
