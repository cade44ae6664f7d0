"""What replicas, clients and disks say to each other.

What a replica is held to is a *statement*, which it signs. A certificate is the signatures of a quorum under one
statement, and shows to anybody that the quorum has said so.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
"""Views, sequence numbers, sizes. What comes over the wire with another number is no message."""

Position = tuple[Count, Count]
"""A sequence number, and a place in its batch."""

Votes = tuple[tuple[str, bytes], ...]
"""Replicas, each with its signature under one statement."""


# The key-value store


class Put(Message, frozen=True):
    """Set the value of a key."""

    key: str
    value: str


class Cas(Message, frozen=True):
    """Set the value of a key if it is `expected` now; None is the value of a key that is not there."""

    key: str
    expected: str | None
    value: str


class Delete(Message, frozen=True):
    """Take a key away."""

    key: str


class Get(Message, frozen=True):
    """The value of a key. A read goes through the order like everything else."""

    key: str


class Open(Message, frozen=True):
    """Begin a session, in which each operation is executed once."""


Operation = Put | Cas | Delete | Get


# Results


class Done(Message, frozen=True):
    """It has been done."""


class Mismatch(Message, frozen=True):
    """A `Cas` found this value, and changed nothing."""

    value: str | None


class Value(Message, frozen=True):
    """The value of the key, None if it is not there."""

    value: str | None


class Opened(Message, frozen=True):
    """The client's session is known by this position."""

    session: Position


class Expired(Message, frozen=True):
    """The session is not known (any more): whether the operation was executed, nobody knows."""


class Facts(Message, frozen=True):
    """What a replica knows of itself."""

    facts: dict[str, str | int | float | bool | None]


Answer = Done | Mismatch | Value | Opened | Expired
Result = Answer | Facts


# Requests of clients


class Order(Message, frozen=True):
    """What a client signs (section 4.1). `client` is its public key, and `number` goes up with each of its orders.

    The client has the answers to all its numbers up to `answered`.
    """

    client: bytes
    session: Position
    number: Count
    answered: Count
    operation: Open | Operation


class Execute(Message, frozen=True):
    """An order with the client's signature."""

    order: Order
    signature: bytes


class Status(Message, frozen=True):
    """What does this replica know? Only it answers, so that the answer is worth what the replica is."""

    number: Count


Request = Execute | Status


class Response(Message, frozen=True):
    """The answer of one replica to the client's request with this number. It is worth nothing until f + 1 replicas give it."""

    number: Count
    result: Result


Batch = tuple[Execute, ...]
"""What one sequence number stands for; nothing, if it fills a gap."""


# Statements


class PrePrepare(Message, frozen=True):
    """The primary of `view` gives this number to the batch with this digest."""

    view: Count
    number: Count
    digest: bytes


class Prepare(Message, frozen=True):
    """A backup has accepted the proposal. The primary's pre-prepare counts as its own prepare."""

    view: Count
    number: Count
    digest: bytes


class Commit(Message, frozen=True):
    """A replica has a certificate, on its disk: prepares of a quorum."""

    view: Count
    number: Count
    digest: bytes


class Checkpoint(Message, frozen=True):
    """A replica has executed all up to `number`, and the state that it has then, on its disk: its digest and its bytes."""

    number: Count
    digest: bytes
    size: Count


class Certificate(msgspec.Struct, frozen=True, array_like=True):
    """Prepares of a quorum in `view`, one of them perhaps the primary's pre-prepare."""

    view: Count
    number: Count
    digest: bytes
    votes: Votes


class Stable(Message, frozen=True):
    """A checkpoint, with the signatures of a quorum under it. The beginning, number 0, needs none."""

    checkpoint: Checkpoint
    votes: Votes


class ViewChange(Message, frozen=True):
    """A replica goes to `view`, and has these as its last certificates for the numbers above its stable checkpoint."""

    view: Count
    stable: Stable
    certificates: tuple[Certificate, ...]


class Reported(msgspec.Struct, frozen=True, array_like=True):
    """A view change, with the signature of its source."""

    source: str
    change: ViewChange
    signature: bytes


class NewView(Message, frozen=True):
    """The primary of `view` begins it: view changes of a quorum, and what follows from them, each a pre-prepare that it has signed."""

    view: Count
    changes: tuple[Reported, ...]
    proposals: tuple[tuple[PrePrepare, bytes], ...]


Statement = PrePrepare | Prepare | Commit | Checkpoint | ViewChange | NewView


class Signed(Message, frozen=True):
    """A statement of a replica."""

    source: str
    statement: Statement
    signature: bytes


# Between replicas, besides statements. Nobody is held to these: what matters in them is checked by signature or digest.


class Propose(Message, frozen=True):
    """A pre-prepare, and what it proposes."""

    signed: Signed
    batch: Batch


class Relay(Message, frozen=True):
    """A client has asked me this, and you are the primary."""

    request: Execute


class WantBatch(Message, frozen=True):
    """Which batch has this digest?"""

    number: Count
    digest: bytes


class TheBatch(Message, frozen=True):
    """It is this one."""

    number: Count
    batch: Batch


class Progress(Message, frozen=True):
    """How far I am: my view, whether it has begun for me, my stable checkpoint, up to which number I have what this view says,
    and up to which I have executed.
    """

    view: Count
    is_active: bool
    low: Count
    prepared: Count
    executed: Count


class WantState(Message, frozen=True):
    """The state of this checkpoint, please, from byte `offset` on."""

    number: Count
    offset: Count


class Piece(Message, frozen=True):
    """A piece of the state of a checkpoint."""

    number: Count
    offset: Count
    data: bytes


ReplicaMessage = Signed | Stable | Propose | Relay | WantBatch | TheBatch | Progress | WantState | Piece


# On the disk


class Entered(Record, frozen=True):
    """The replica has left all views before this one. The new view that begins it is None while it has not begun."""

    view: Count
    new_view: Signed | None


class Known(Record, frozen=True):
    """A batch that the records after this one name by its digest."""

    number: Count
    batch: Batch


class Accepted(Record, frozen=True):
    """The replica has accepted the proposal of a primary."""

    source: str
    proposal: PrePrepare
    signature: bytes


class Prepared(Record, frozen=True):
    """The replica has this certificate."""

    certificate: Certificate


class Committed(Record, frozen=True):
    """The replica has executed the batch with this digest at this number."""

    number: Count
    digest: bytes


class Kept(Record, frozen=True):
    """The stable checkpoint and its state, in the place of all up to its number."""

    stable: Stable
    state: bytes


LogRecord = Entered | Known | Accepted | Prepared | Committed | Kept
