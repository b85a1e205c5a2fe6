"""Peers that ask for a point at a number of steps, and know no evaluations."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from benchmarks.curves.method import Method
from benchmarks.curves.space import Point

_REPEATS = 100
"""Requests in a row that are answered by what is known already; the next one is evaluated again."""


@dataclass
class Request:
    """What a peer wants to know.

    Attributes:
        point: to evaluate.
        step: after how many steps.
        origin: what the peer itself calls the request.
    """

    point: Point
    step: int
    origin: Any


class Fidelities(Method):
    """A peer that asks for a point at a number of steps.

    An evaluation of the same point that was paused before continues where it was; a request whose
    answer was reported before is answered at once, and takes no steps.
    """

    def __init__(self) -> None:
        self._next: Request | None = None
        self._requests: dict[str, Request] = {}
        self._paused: dict[str, str] = {}  # points -> evaluations
        self._curves: dict[str, dict[int, float]] = {}  # points -> what they reported

    @abstractmethod
    def request(self) -> Request:
        """Return what the peer wants to know next."""

    @abstractmethod
    def answer(self, request: Request, value: float) -> None:
        """Tell the peer what it wanted to know."""

    def next_steps(self) -> int:
        request = self._upcoming()
        id_ = self._continued(request)
        return request.step - (0 if id_ is None else self._requests[id_].step)

    def take_up(self, may_begin: bool) -> str | None:
        request = self._upcoming()
        id_ = self._continued(request)
        if id_ is not None:
            del self._paused[repr(request.point)]
            self._requests[id_] = request
            self._next = None
        return id_

    def ask(self, id: str) -> Point:
        self._requests[id] = self._upcoming()
        self._next = None
        return self._requests[id].point

    def report(self, id: str, step: int, value: float) -> bool:
        request = self._requests[id]
        self._curves.setdefault(repr(request.point), {})[step] = value
        return step == request.step

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        request = self._requests[id]
        if pruned:
            self._paused[repr(request.point)] = id
        self.answer(request, value)

    def _continued(self, request: Request) -> str | None:
        """Return the paused evaluation that comes to what is requested, None if there is none."""
        id_ = self._paused.get(repr(request.point))
        return id_ if id_ is not None and self._requests[id_].step < request.step else None

    def _upcoming(self) -> Request:
        for _ in range(_REPEATS):
            if self._next is not None:
                return self._next
            request = self.request()
            value = self._curves.get(repr(request.point), {}).get(request.step)
            if value is None:
                self._next = request
            else:
                self.answer(request, value)
        if self._next is None:
            self._next = self.request()
        return self._next
