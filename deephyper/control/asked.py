"""The requests of users that outlast a session, as the journal keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field

from deephyper.problem.point import Point


@dataclass
class Asked:
    """The requests that a search has carried out, and what is left of them.

    Attributes:
        points: those that users want to have evaluated and that haven't begun, in their order.
        done: ids of the requests that were carried out, none of which is carried out twice.
    """

    points: list[Point] = field(default_factory=list)
    done: dict[str, None] = field(default_factory=dict)

    def take(self, request: str, point: Point | None = None) -> None:
        """Take note of a request that is carried out, and of the point that it asks for."""
        self.done[request] = None
        if point is not None:
            self.points.append(point)

    def begin(self, point: Point) -> None:
        """Take note that a point is evaluated, which need not be one of these."""
        if self.points and point in self.points:
            self.points.remove(point)
