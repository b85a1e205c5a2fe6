"""The number of points that a model holds, and how often new candidates are looked for."""

from __future__ import annotations

from dataclasses import dataclass

CROWD = 200
"""With so many points pending, a model learns no results: the next one will. One result says little
then, and thousands of workers leave no time to look at each at once."""


@dataclass(frozen=True)
class Pace:
    """Effort spent on a model and its proposals.

    Attributes:
        finished, failed, estimated, pending: points in the model, at most: the newest of those that
            failed, or ended early, or are running.
        room: points that can be appended at least before a new model is made.
        refresh: one of so many proposals looks for new candidates.
    """

    finished: int
    failed: int
    estimated: int
    pending: int
    room: int
    refresh: int


USUAL_PACE = Pace(finished=300, failed=100, estimated=150, pending=CROWD, room=48, refresh=4)
"""Of several points asked for at once; a single one always looks for new candidates."""
CROWD_PACE = Pace(finished=200, failed=60, estimated=60, pending=64, room=64, refresh=8)
