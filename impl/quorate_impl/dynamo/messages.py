"""What the quorum store's nodes, clients and disks say to each other."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
"""Numbers of writes, times. What comes over the wire with another number is no message."""

Vector = dict[str, Count]
"""A version vector: for each actor, how many of the writes of a key that it coordinated were seen; none if it is not there.

An *actor* is a node with its disk: one that comes back with an empty disk is another actor.
"""

Level = Literal["one", "quorum", "all"] | Annotated[int, msgspec.Meta(ge=1)]
"""How many replicas a request waits for."""

Id = tuple[Count, Count]
"""The number of something that a node has begun: which start of the node, and which since then. No two are the same."""


# What is stored


class Stamp(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A hybrid time: a wall clock's, in milliseconds, and a count that tells events of one time apart."""

    time: Count
    count: Count


class Version(msgspec.Struct, frozen=True, array_like=True):
    """A value with its dot: the actor that coordinated the write, and the number of the write there.

    Where the last write wins there are no dots (the number is 0), stamps decide, and None is the value of a deleted key.
    """

    actor: str
    number: Count
    value: str | None
    stamp: Stamp


class Siblings(msgspec.Struct, frozen=True, array_like=True):
    """What a replica has of a key: versions, in the order of their dots, and a vector that covers all dots it has seen.

    A dot that is covered and has no version was replaced.
    """

    versions: tuple[Version, ...]
    covers: Vector


# What clients are told


class Values(Message, frozen=True):
    """What a key holds: several values where clients wrote without knowing of each other, none if there is nothing.

    `context` is what the next write of the client replaces; `stamp` is the latest time of what it was shown.
    """

    values: tuple[str, ...]
    context: Vector
    stamp: Stamp


class Done(Message, frozen=True):
    """The write is at as many nodes as it was to be. The rest is what its coordinator has of the key now, as in `Values`."""

    values: tuple[str, ...]
    context: Vector
    stamp: Stamp


class NotHome(Message, frozen=True):
    """This node may not coordinate writes of the key, and has done nothing: these may, each with its address."""

    homes: dict[str, str]


class Refused(Message, frozen=True):
    """Nothing was done, because of this."""

    reason: str


class Facts(Message, frozen=True):
    """What a node knows of itself and of the cluster."""

    facts: dict[str, str | int | float | bool | None]
    members: dict[str, str]


Result = Values | Done | NotHome | Refused | Facts


# Requests of clients


class Query(Message, frozen=True):
    """Read a key. Any node coordinates it."""

    id: int
    key: str
    level: Level


class Write(Message, frozen=True):
    """Put a value (None: take it away) in the place of what is in the context, with a stamp that is later than `seen`.

    One session has one write of a key open at a time, and its numbers go up: so a coordinator knows it when it is asked again.
    """

    id: int
    session: Count
    number: Count
    key: str
    value: str | None
    context: Vector
    seen: Stamp
    level: Level


class Status(Message, frozen=True):
    """What does this node know? Any node answers."""

    id: int


Request = Query | Write | Status


class Response(Message, frozen=True):
    """The answer to the request with this id."""

    id: int
    result: Result


# Between nodes


class Replicate(Message, frozen=True):
    """A coordinator's replica of a key after a write. `target` is the home that the receiver stands in for, if it is none."""

    id: Id
    key: str
    siblings: Siblings
    target: str | None


class Confirmed(Message, frozen=True):
    """I have on my disk what came with this number."""

    id: Id


class Read(Message, frozen=True):
    """What do you have of this key?"""

    id: Id
    key: str


class Found(Message, frozen=True):
    """I have this."""

    id: Id
    siblings: Siblings


class Repair(Message, frozen=True):
    """A read has shown that you are behind."""

    key: str
    siblings: Siblings


class HandOver(Message, frozen=True):
    """I stood in for you: this is yours."""

    id: Id
    key: str
    siblings: Siblings


Path = tuple[Count, ...]
"""A node of a Merkle tree: the range of the ring, then which child, level by level."""


class Compare(Message, frozen=True):
    """These are my sums at these nodes of the trees of ranges that both of us have."""

    sums: tuple[tuple[Path, Count], ...]


class Offer(Message, frozen=True):
    """I have this, of some keys under a leaf at which we differ. An answer is not answered."""

    path: Path
    entries: tuple[tuple[str, Siblings], ...]
    is_answer: bool


PeerMessage = Replicate | Confirmed | Read | Found | Repair | HandOver | Compare | Offer


# On the disk


class Began(Record, frozen=True):
    """The number of the node's start, counted on from a random one, and which actor it is."""

    start: Count
    actor: str


class Kept(Record, frozen=True):
    """What the node has of a key now, and the homes that it keeps it for if it is none."""

    key: str
    siblings: Siblings
    owes: tuple[str, ...]


class Executed(Record, frozen=True):
    """The last write of a key that a session has had executed here, or refused, and why: it is not executed when it comes again."""

    session: Count
    key: str
    number: Count
    refusal: str | None


StoreRecord = Began | Kept | Executed
