"""What nodes, the arbiter, clients and disks say to each other."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
"""Epochs, indices, sizes. What comes over the wire with another number is no message."""

Position = tuple[Count, Count]
"""The epoch and the index of an entry. No two entries ever have the same, and later ones are greater."""

START: Position = (0, 0)
"""Before all entries."""


class Scheme(Enum):
    """When an update is acknowledged: when every node has it on its disk, when a majority has, or when the primary has."""

    SYNCHRONOUS = "synchronous"
    SEMI_SYNCHRONOUS = "semi-synchronous"
    ASYNCHRONOUS = "asynchronous"


CLASSES = {
    "payment": Scheme.SYNCHRONOUS,
    "order": Scheme.SEMI_SYNCHRONOUS,
    "page-view": Scheme.ASYNCHRONOUS,
}
"""The classes of transactions of a shop, and how each is replicated: the mix of `Payments` in the specification."""


class Consistency(Enum):
    """What a read is to see: all that was acknowledged before, all that its session has seen, or what happens to be there."""

    LATEST = "latest"
    SESSION = "session"
    ANY = "any"


# The key-value store


class Put(Message, frozen=True):
    """Set the value of a key."""

    key: str
    value: str
    scheme: Scheme = Scheme.SEMI_SYNCHRONOUS


class Cas(Message, frozen=True):
    """Set the value of a key if it is `expected` now; None is the value of a key that is not there."""

    key: str
    expected: str | None
    value: str
    scheme: Scheme = Scheme.SEMI_SYNCHRONOUS


class Delete(Message, frozen=True):
    """Take a key away."""

    key: str
    scheme: Scheme = Scheme.SEMI_SYNCHRONOUS


Update = Put | Cas | Delete
"""What changes the store, and so goes through the log."""


class Get(Message, frozen=True):
    """The value of a key, at the primary (`LATEST`) or at any node. The session has seen what is at `token`, and all before."""

    key: str
    consistency: Consistency = Consistency.LATEST
    token: Position = START


# Results


class Done(Message, frozen=True):
    """It has been done, by the entry at this position: the session's token. `lost` says that what the session had seen
    before was lost in a failover.
    """

    position: Position = START
    lost: bool = False


class Mismatch(Message, frozen=True):
    """A `Cas` found this value, and changed nothing. The entry at this position says so; `lost` as in `Done`."""

    value: str | None
    position: Position = START
    lost: bool = False


class Value(Message, frozen=True):
    """The value of the key, None if it is not there, and which entry set it or took it away."""

    value: str | None
    position: Position = START


class Opened(Message, frozen=True):
    """The session is known by this position."""

    session: Position


class Expired(Message, frozen=True):
    """The session is not known (any more): whether the request was executed, nobody knows."""


class NotPrimary(Message, frozen=True):
    """The node is not the primary (any more); whether the request will be executed is open. `primary` may be it."""

    primary: str | None


class Behind(Message, frozen=True):
    """The node does not have yet what the session has seen."""


class Lost(Message, frozen=True):
    """What the session has seen was lost in a failover: the entry at this position is in no log that will be."""

    position: Position


class Refused(Message, frozen=True):
    """Nothing was done, because of this."""

    reason: str


class Facts(Message, frozen=True):
    """What a node knows of itself and of the cluster."""

    facts: dict[str, str | int | float | bool | None]


Answer = Done | Mismatch | Expired
Result = Done | Mismatch | Value | Opened | Expired | NotPrimary | Behind | Lost | Refused | Facts


# Requests of clients


class Open(Message, frozen=True):
    """Begin a session, in which each update is executed once."""

    id: int


class Execute(Message, frozen=True):
    """Execute the update with this number of the session. The client has the answers to all numbers up to `answered`, and
    has seen what is at `token`.
    """

    id: int
    session: Position
    number: Count
    answered: Count
    token: Position
    update: Update


class Query(Message, frozen=True):
    """Read."""

    id: int
    get: Get


class Status(Message, frozen=True):
    """What does this node know? Any node answers, and the arbiter."""

    id: int


class FailOver(Message, frozen=True):
    """To the arbiter: begin a new epoch. With `force` the best log among the nodes that answer is taken, although they may
    be no majority; then acknowledged updates may be lost that are not synchronous.
    """

    id: int
    force: bool


Request = Open | Execute | Query | Status | FailOver


class Response(Message, frozen=True):
    """The answer to the request with this id."""

    id: int
    result: Result


# The log


class Begin(Message, frozen=True):
    """The first entry of an epoch."""


class Session(Message, frozen=True):
    """A client begins a session, which is known by the position of the entry."""


class Command(Message, frozen=True):
    """An update of a session."""

    session: Position
    number: Count
    answered: Count
    update: Update


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What a log holds at an index: a payload, and the epoch of the primary that received it."""

    epoch: Count
    payload: Begin | Session | Command


class Office(Enum):
    """What a node believes to be."""

    BACKUP = "backup"
    PRIMARY = "primary"


# Between nodes


class Replicate(Message, frozen=True):
    """The primary of this epoch: after the entry of `prev_epoch` at `prev_index` come these. Without entries it is a
    heartbeat.

    A majority has stored all up to `safe`, and every node all up to `everywhere`. `round` is what the answer tells back, to
    confirm the primary for reads.
    """

    epoch: Count
    prev_index: Count
    prev_epoch: Count
    entries: tuple[Entry, ...]
    safe: Count
    everywhere: Count
    round: Count


class Stored(Message, frozen=True):
    """I have the log of the primary of this epoch up to `length`, on my disk."""

    epoch: Count
    length: Count
    round: Count


class Unfit(Message, frozen=True):
    """I lack the entry at `prev_index`, or have another one. Try after `hint`; if it is None, send me a snapshot."""

    epoch: Count
    prev_index: Count
    hint: Count | None
    round: Count


class Piece(Message, frozen=True):
    """A piece of the primary's snapshot, from byte `offset` on."""

    epoch: Count
    last_index: Count
    offset: Count
    data: bytes
    is_last: bool


class PieceStored(Message, frozen=True):
    """Of the snapshot up to `last_index` I have `offset` bytes."""

    epoch: Count
    last_index: Count
    offset: Count


# Nodes and the arbiter


class Report(Message, frozen=True):
    """I am up, have promised myself to this epoch, and believe to be this in it."""

    epoch: Count
    office: Office


class Fence(Message, frozen=True):
    """An epoch begins: obey no older primary."""

    epoch: Count


class Fenced(Message, frozen=True):
    """I obey no primary older than this epoch. My log ends at `last`."""

    epoch: Count
    last: Position


class Promote(Message, frozen=True):
    """You are the primary of this epoch."""

    epoch: Count


NodeMessage = Replicate | Stored | Unfit | Piece | PieceStored | Report | Fence | Fenced | Promote


# On the disk


class HardState(Record, frozen=True):
    """The epoch to which the node has promised itself, and its office in it."""

    epoch: Count
    office: Office


class Append(Record, frozen=True):
    """From `index` on the log holds these entries, whatever it held there before."""

    index: Count
    entries: tuple[Entry, ...]


class Snapshot(Record, frozen=True):
    """What the log up to `last_index` has led to, and where each of its epochs begins."""

    last_index: Count
    epochs: tuple[tuple[Count, Count], ...]
    state: bytes


class Reign(Record, frozen=True):
    """The arbiter has begun this epoch, and appointed this primary; none yet, if it is None."""

    epoch: Count
    primary: str | None


LogRecord = HardState | Append | Snapshot | Reign
