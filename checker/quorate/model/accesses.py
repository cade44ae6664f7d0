"""Places in the state and what is done with them; which footprints are independent, and which spoil what others read.

Two footprints are independent if neither changes what the other reads or changes, except that both may add to the
same set: then each transition means the same before and after the other, and both orders end in the same state.
The native engine saves lookups by this, and checks after a transition only what it can have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, reduce
from operator import or_

from quorate.model.abstract import Abstract, HashedOnce, all_of, equal


class Way(Enum):
    """What is done with a place."""

    READ = auto()
    ADD = auto()  # an element is put into a set or network, whether it was there or not
    WRITE = auto()  # anything else that may change it


@dataclass(frozen=True)
class Access(HashedOnce):
    """A place in the state and what is done with it.

    `keys` lead into nested maps; `element` are the members of the set or network there that are concerned, or None for
    all that is there.
    """

    way: Way
    variable: str
    keys: tuple[Abstract, ...] = ()
    element: Abstract | None = None
    __hash__ = HashedOnce.__hash__

    def overlaps(self, other: Access) -> bool:
        """Whether both may concern the same part of the state."""
        if self.variable != other.variable or not all_of(map(equal, self.keys, other.keys)).possible:
            return False
        if self.element is None or other.element is None or len(self.keys) != len(other.keys):
            return True
        return equal(self.element, other.element).possible

    def conflicts(self, other: Access) -> bool:
        """Whether the order of the two may make a difference."""
        return (self.way is not other.way or self.way is Way.WRITE) and self.overlaps(other)

    def spoils(self, other: Access) -> bool:
        """Whether this may change what the other concerns."""
        return self.way is not Way.READ and self.overlaps(other)


Footprint = frozenset[Access]
"""All that a body may do with the state."""


def independent(footprints: Sequence[Footprint]) -> list[int]:
    """For each footprint, the positions of those that it is independent of, as bits."""
    return [(1 << len(footprints)) - 1 & ~row for row in _related(footprints, footprints, Access.conflicts)]


def changed(by: Sequence[Footprint], readers: Sequence[Footprint]) -> list[int]:
    """For each of the first footprints, the positions of readers that may read what it may change, as bits."""
    return _related(by, readers, Access.spoils)


def _related(
    rows: Sequence[Footprint], columns: Sequence[Footprint], test: Callable[[Access, Access], bool]
) -> list[int]:
    """For each row, the columns that have an access to which one of the row's accesses is related.

    Footprints share most of their accesses, so accesses are compared once, and footprints by bits.
    """
    holders: dict[Access, int] = {}
    for position, footprint in enumerate(columns):
        for access in footprint:
            holders[access] = holders.get(access, 0) | 1 << position
    by_variable: dict[str, list[tuple[Access, int]]] = {}
    for access, mask in holders.items():
        by_variable.setdefault(access.variable, []).append((access, mask))

    @cache
    def related(access: Access) -> int:
        return reduce(or_, (mask for other, mask in by_variable.get(access.variable, ()) if test(access, other)), 0)

    return [reduce(or_, map(related, footprint), 0) for footprint in rows]
