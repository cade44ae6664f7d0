"""What becomes of concurrent writes: two policies, of which a cluster has one.

`KeepsSiblings` is the specification's `reconciled`, dotted version vectors with one vector for the set of dots. With
`LastWriteWins` the version with the latest stamp stays, and of two clients that write at a time one has written nothing;
stamps are hybrid times, so that what a client has seen never wins over what it writes then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from quorate_impl.dynamo.messages import Siblings, Stamp, Vector, Version

NOTHING = Siblings((), {})
ZERO = Stamp(0, 0)


def covered(version: Version, by: Vector) -> bool:
    """`covered`: whether a vector has the dot of a version."""
    return version.number <= by.get(version.actor, 0)


def joined(a: Vector, b: Vector) -> Vector:
    """The vector that has seen what either has seen."""
    if a == b:
        return a
    return {actor: max(a.get(actor, 0), b.get(actor, 0)) for actor in sorted(a.keys() | b.keys())}


def latest(siblings: Siblings) -> Stamp:
    """The latest of the stamps."""
    return max((version.stamp for version in siblings.versions), default=ZERO)


def values(siblings: Siblings) -> tuple[str, ...]:
    """The values, without those that say that there is none."""
    return tuple(version.value for version in siblings.versions if version.value is not None)


def _dot(version: Version) -> tuple[str, int]:
    return version.actor, version.number


def _ordered(versions: Iterable[Version]) -> tuple[Version, ...]:
    """The same set is the same tuple."""
    return tuple(sorted(versions, key=_dot))


class Policy(ABC):
    """What a write and a merge make of the siblings of a key."""

    is_by_stamps = False
    """Whether stamps decide what stays."""

    @abstractmethod
    def written(self, own: Siblings, context: Vector, actor: str, value: str | None, stamp: Stamp) -> Siblings:
        """What a coordinator has after a write by a client that has seen the context."""

    @abstractmethod
    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        """What a replica makes of its siblings and those of another one; it returns `own` itself if that has all."""


class KeepsSiblings(Policy):
    """Values of clients that did not know of each other are kept side by side."""

    def written(self, own: Siblings, context: Vector, actor: str, value: str | None, stamp: Stamp) -> Siblings:
        """To delete is to replace what the client has seen by nothing. That needs no dot of its own: it is covered."""
        versions, covers = self.kept(own, context, actor), joined(own.covers, context)
        if value is None:
            return Siblings(versions, covers)
        number = own.covers.get(actor, 0) + 1
        return Siblings(_ordered((*versions, Version(actor, number, value, stamp))), {**covers, actor: number})

    def kept(self, own: Siblings, context: Vector, actor: str) -> tuple[Version, ...]:
        """`kept`: which siblings stay beside a new value, those that the client has not seen."""
        return tuple(version for version in own.versions if not covered(version, context))

    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        """`reconciled`: what both have, and what one has that the other has not seen. The rest was replaced."""
        if own == received:
            return own
        dots = {_dot(version) for version in received.versions}
        known = {_dot(version) for version in own.versions}
        versions = _ordered(
            (
                *(v for v in own.versions if _dot(v) in dots or not covered(v, received.covers)),
                *(v for v in received.versions if _dot(v) not in known and not covered(v, own.covers)),
            )
        )
        merged = Siblings(versions, joined(own.covers, received.covers))
        return own if merged == own else merged


class LastWriteWins(Policy):
    """The version with the latest stamp stays; of two with the same, that of the actor whose name comes later."""

    is_by_stamps = True

    def written(self, own: Siblings, context: Vector, actor: str, value: str | None, stamp: Stamp) -> Siblings:
        return self.merge(own, Siblings((Version(actor, 0, value, stamp),), {}))

    def merge(self, own: Siblings, received: Siblings) -> Siblings:
        found = (*own.versions, *received.versions)
        last = max(found, key=lambda version: (version.stamp, version.actor), default=None)
        if last is None or own.versions == (last,):
            return own
        return Siblings((last,), {})


POLICIES: Mapping[str, type[Policy]] = {"siblings": KeepsSiblings, "last-write-wins": LastWriteWins}
"""The policies, by their names."""
