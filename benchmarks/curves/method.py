"""The interface of what is compared."""

from __future__ import annotations

from abc import ABC, abstractmethod

from benchmarks.curves.space import Point


class Method(ABC):
    """A method, made for a problem, a seed and the steps of a whole evaluation; it maximizes.

    Evaluations are known by their ids, since a method may ask for the same point twice.
    """

    @abstractmethod
    def ask(self, id: str) -> Point:
        """Propose the point of a new evaluation."""

    def report(self, id: str, step: int, value: float) -> bool:
        """Take what a running evaluation has reached; return whether it ends now.

        At its last step an evaluation is whole, whatever is returned.
        """
        return False

    @abstractmethod
    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        """Take what an evaluation came to, with the value and step of its last report.

        Of a method that pauses, one that ended early may be continued later.
        """

    def next_steps(self) -> int | None:
        """Return how many steps what comes next makes before it pauses, None for all that are left.

        It is what :meth:`take_up` or else :meth:`ask` returns. Only so many steps of the budget are
        set aside for it, and it begins or continues only if they are left; then it pauses.
        """
        return None

    def take_up(self, may_begin: bool) -> str | None:
        """Return a paused evaluation to continue where it was, None for none.

        Args:
            may_begin: whether a new one begins if there is none.
        """
        return None
