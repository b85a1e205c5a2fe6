"""The slots of an evaluator's workers: which are free, which are in use, which can't be used."""

from __future__ import annotations

from collections.abc import Set


class Slots:
    """The slots 0 to ``number - 1``; the lowest free one is taken first.

    A slot is withdrawn while there is no place for its worker, on a cluster whose nodes come and
    go. A withdrawn slot isn't free, whatever ends in it.

    Args:
        number: how many there are.
    """

    def __init__(self, number: int) -> None:
        self._free = list(reversed(range(number)))
        self._taken: set[int] = set()
        self._withdrawn: set[int] = set()

    @property
    def num_free(self) -> int:
        """The number of slots that can be taken."""
        return len(self._free)

    @property
    def none_usable(self) -> bool:
        """True if every slot is withdrawn and none is still in use."""
        return not self._free and not self._taken

    def take(self) -> int | None:
        """Take a free slot, and return it; None if there is none."""
        if not self._free:
            return None
        slot = self._free.pop()
        self._taken.add(slot)
        return slot

    def give_back(self, slot: int) -> None:
        """End the use of a slot."""
        self._taken.remove(slot)
        if slot not in self._withdrawn:
            self._free.append(slot)

    def withdraw_all_but(self, usable: Set[int]) -> None:
        """Withdraw every slot but these, which become usable again."""
        known = {*self._free, *self._taken, *self._withdrawn}
        self._withdrawn = known - usable
        kept = [slot for slot in self._free if slot in usable]
        new = sorted(usable - self._taken - set(kept), reverse=True)
        self._free = [*new, *kept]
