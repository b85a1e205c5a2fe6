"""The events of a journal, typed: one class for each kind of line, and the one decoder of a line.

A journal comes from a disk that others can write to, so nothing about a line is taken for granted:
fields have exactly these names and types, numbers are finite, and length and nesting are bounded.
A new kind of event, or a new field, is declared here; :mod:`deephyper.search.replay` decides what
it means for the record.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta, Struct

from deephyper.objective import FailureKind
from deephyper.search.budget import MOST, Reason
from deephyper.search.journal import LONGEST_LINE

ASK_TELL = "ask_tell"
"""The name, among the settings of a session, of a search whose points are asked for and told by
whoever evaluates them. It has no budget, and no end of its own."""
MAX_DEPTH = 64
"""Of objects and arrays in one another."""

_MAX_FLOAT = 1.7976931348623157e308
_CENTURIES = 1e11  # seconds; what is beyond was never measured
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

Finite = Annotated[float, Meta(ge=-_MAX_FLOAT, le=_MAX_FLOAT)]
Time = Annotated[float, Meta(ge=-_CENTURIES, le=_CENTURIES)]
Seconds = Annotated[float, Meta(ge=0, le=_CENTURIES)]
Count = Annotated[int, Meta(ge=1, le=MOST)]
Step = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# It becomes part of the names of files, and a number in results.csv.
Id = Annotated[str, Meta(pattern=r"\A(0|[1-9][0-9]{0,17})\Z")]
Failed = Annotated[str, Meta(pattern=r"\AF(_|\Z)")]
Point = dict[str, Any]
Metrics = dict[str, Finite]


class Space(TypedDict):
    """The description of a search space, see :mod:`deephyper.problem.description`."""

    hyperparameters: dict[str, dict[str, Any]]
    conditions: list[Any]
    forbiddens: list[Any]


class Event(Struct, tag_field="event", kw_only=True, forbid_unknown_fields=True):
    """The parts of every event: the time since the epoch, and the seconds since its session began.

    Early journals of version 1 have no seconds.
    """

    time: Time
    seconds: Seconds | None = None


class Command(Struct, forbid_unknown_fields=True):
    """A command line, see :class:`deephyper.search.record.StartCommand`."""

    directory: str
    options: dict[str, str]


class Session(Event):
    """The beginning of a session."""

    settings: dict[str, Any]
    max_evals: Count | None
    timeout: Annotated[float, Meta(gt=0, le=_MAX_FLOAT)] | None
    max_steps: Count | None = None
    command: Command | None = None


class SearchBegan(Session, tag="search", kw_only=True):
    """A search begins, and its first session."""

    version: int
    space: Space


class Resumed(Session, tag="resumed", kw_only=True):
    """A further session begins. Version 1 did not repeat the version."""

    version: int = 1


class Known(Event, tag="known"):
    """A result from elsewhere."""

    point: Point
    objective: Finite | Failed


class Attempt(Event):
    """Something about one attempt at an evaluation."""

    id: Id
    attempt: Count


class Submitted(Attempt, tag="submitted"):
    """An evaluation is about to be submitted."""

    point: Point
    predicted: Finite | None = None
    predicted_std: Finite | None = None


class Started(Attempt, tag="started"):
    """A worker has started an evaluation."""

    worker: str


class Reported(Attempt, tag="reported"):
    """A running evaluation has reported how it is doing."""

    step: Step
    objective: Finite
    metrics: Metrics = {}


class Ended(Attempt):
    """The end of an attempt."""

    worker: str
    start: Time | None
    end: Time
    output: str | None


class Finished(Ended, tag="finished"):
    """An evaluation has come to an objective."""

    objective: Finite
    metrics: Metrics = {}


class Pruned(Finished, tag="pruned", kw_only=True):
    """An evaluation was ended early, at a step."""

    step: Step


class Paused(Finished, tag="paused", kw_only=True):
    """An evaluation was ended early, at a step, and may be taken up again."""

    step: Step


class Failure(Ended, tag="failed"):
    """An attempt has failed; ``retry``: another follows."""

    kind: FailureKind
    message: str
    text: str
    retry: bool = False
    metrics: Metrics = {}


class Stopped(Attempt, tag="stopped"):
    """An evaluation was interrupted from outside, and runs again on a resume."""


class Controlled(Event, tag="controlled"):
    """A request of its user is carried out, see :mod:`deephyper.control`."""

    request: Annotated[str, Meta(max_length=100)]
    action: Annotated[str, Meta(max_length=100)]
    max_evals: Count | None = None
    workers: Count | None = None
    id: Id | None = None
    point: Point | None = None


class Written(Struct, forbid_unknown_fields=True):
    """The results file that a session has left, see :class:`deephyper.search.record.Written`."""

    size: Annotated[int, Meta(ge=0, le=MOST)]
    digest: str


class SessionEnded(Event, tag="ended"):
    """A session has ended."""

    reason: Reason
    results: Written | None = None


AnyEvent = (
    SearchBegan
    | Resumed
    | Known
    | Submitted
    | Started
    | Reported
    | Finished
    | Pruned
    | Paused
    | Failure
    | Stopped
    | Controlled
    | SessionEnded
)


class Damaged(ValueError):
    """A line that is not an event; the message says why.

    Attributes:
        is_json: False where the line is not even JSON, which is what a torn line looks like.
    """

    def __init__(self, reason: str, is_json: bool = True) -> None:
        super().__init__(reason)
        self.is_json = is_json


class _Header(Struct):
    event: Any = None
    version: Any = None


_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_HEADER_DECODER = msgspec.json.Decoder(_Header)


def decode(line: bytes) -> AnyEvent:
    """Return the event of a line.

    Raises:
        Damaged: if it is not one.
    """
    if len(line) > LONGEST_LINE:
        raise Damaged(f"it has more than {LONGEST_LINE >> 20} MiB")
    # Nearly every line has so few brackets that it need not be looked at closely.
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and _is_deep(line):
        raise Damaged(f"it is nested more than {MAX_DEPTH} deep")
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise Damaged(_reason(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_with_json(line)


def version_of(line: bytes) -> int | None:
    """Return the version that the first line of a session states; None if it states none."""
    try:
        header = _HEADER_DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    begins = header.event in ("search", "resumed")
    return header.version if begins and type(header.version) is int else None


def _decode_with_json(line: bytes) -> AnyEvent:
    """Decode what Python's own module writes and msgspec doesn't read.

    This is half of a surrogate pair, as in a message that quotes a file name which is not UTF-8;
    and NaN, which no number of an event may be.
    """
    constants: list[str] = []

    def constant(name: str) -> float:
        constants.append(name)
        return float(name)

    try:
        value = json.loads(line.decode(), parse_constant=constant)
    except ValueError as error:
        raise Damaged("it is not JSON", is_json=False) from error
    try:
        event: AnyEvent = msgspec.convert(value, AnyEvent)
    except msgspec.ValidationError as error:
        also = f" ({constants[0]} is not a finite number)" if constants else ""
        raise Damaged(_reason(error) + also) from error
    except UnicodeEncodeError as error:
        raise Damaged("one of its names holds half a surrogate pair") from error
    return event


def _reason(error: msgspec.ValidationError) -> str:
    """Return what is wrong with a line, as msgspec says it, on one line without its marks."""
    what, _, where = str(error).partition(" - at `$")
    field = where.strip("`.[]")
    text = what[:1].lower() + what[1:].replace("`", "")
    text = f"its {field}: {text}" if field else text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:300]


def _is_deep(line: bytes) -> bool:
    depth = 0
    for match in _BRACKET.finditer(line):
        found = match[0]
        if found in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif found in b"]}":
            depth -= 1
    return False
