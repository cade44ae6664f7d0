"""What coordinator, participants, clients and disks say to each other."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
Quantity = Annotated[int, msgspec.Meta(gt=0)]
Transaction = tuple[Count, Count]
"""The number of a transaction: which start of the coordinator, and which transaction since then. No two are the same,
and later ones are greater."""


class Order(Enum):
    """How a purchase ended: confirmed, refused by a participant, or given up because somebody did not vote in time."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


# Clients and the coordinator


class Place(Message, frozen=True):
    """A client asks for so many units of each inventory. Client and number are the idempotency key.

    The numbers of one client go up, and it asks for one purchase at a time.
    """

    client: str
    number: Count
    lines: dict[str, Quantity]


class Answer(Message, frozen=True):
    """How the purchase with this number has ended, for good."""

    number: Count
    order: Order


class Status(Message, frozen=True):
    """What does this node know? Any node answers."""


class Facts(Message, frozen=True):
    """What a node knows of itself."""

    facts: dict[str, str | int | float | bool | None]


# The coordinator to participants


class Prepare(Message, frozen=True):
    """Vote on this. All transactions before `over` have ended, so that participants can forget them."""

    transaction: Transaction
    over: Transaction
    place: Place


class Conclude(Message, frozen=True):
    """The decision: commit, or else abort."""

    transaction: Transaction
    commit: bool


# Participants to the coordinator


class Prepared(Message, frozen=True):
    """The vote to commit, which is a promise."""

    transaction: Transaction


class Refused(Message, frozen=True):
    """The vote to abort."""

    transaction: Transaction


class Inquire(Message, frozen=True):
    """A prepared participant asks for the decision."""

    transaction: Transaction


class Acknowledged(Message, frozen=True):
    """The participant has committed, and will not ask again."""

    transaction: Transaction


NodeMessage = Prepare | Conclude | Prepared | Refused | Inquire | Acknowledged

# The coordinator's log


class Began(Record, frozen=True):
    """The coordinator has started this many times."""

    start: Count


class Committed(Record, frozen=True):
    """The decision to commit. There is no record of a decision to abort: what is not here is aborted (presumed abort)."""

    transaction: Transaction
    place: Place


class Ended(Record, frozen=True):
    """All participants have acknowledged: the decision can be forgotten."""

    transaction: Transaction


class Told(Record, frozen=True):
    """What a client was last told. Participants do not need it; a purchase that is asked for again does."""

    client: str
    number: Count
    order: Order


# The participants' log


class Promised(Record, frozen=True):
    """The participant is prepared."""

    transaction: Transaction
    place: Place


class Concluded(Record, frozen=True):
    """The participant has committed, or aborted what it was prepared for."""

    transaction: Transaction
    commit: bool


class Kept(Record, frozen=True):
    """What a checkpoint has of transactions that are over here: those before `over`, and these, committed or not."""

    over: Transaction
    concluded: tuple[tuple[Transaction, bool], ...]


class Shelf(Record, frozen=True):
    """The units that an inventory has."""

    available: Count


class Rows(Record, frozen=True):
    """The table of confirmed orders."""

    places: tuple[Place, ...]


LogRecord = Began | Committed | Ended | Told | Promised | Concluded | Kept | Shelf | Rows
