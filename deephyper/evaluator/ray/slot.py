"""The evaluator's view of the actor of one worker."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from deephyper.job import Failure


@dataclass(frozen=True)
class Unreachable:
    """The state of an actor that can't be reached, whose node may have died.

    Attributes:
        failure: of its job, if the node lives.
        until: when its node is taken to be alive, by ``clock.monotonic()``.
    """

    failure: Failure
    until: float


@dataclass
class Slot:
    """The actor of one worker.

    Attributes:
        actor: its handle.
        job_id: the last job that it was given.
        call: the future of what it says next of that job; None when it is through with it.
        node_id: Ray's id of the node where it has its place; None as long as it has none.
        unreachable: set while it can't be reached.
    """

    actor: Any
    job_id: str = ""
    call: Future[bytes] | None = None
    node_id: str | None = None
    unreachable: Unreachable | None = None

    @property
    def answers(self) -> bool:
        """True if it can be asked to close."""
        return self.node_id is not None and self.unreachable is None
