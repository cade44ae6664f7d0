"""What coordinator, participants and disks say to each other; clients speak as in `shop.messages`."""

from __future__ import annotations

from quorate_impl.core import Message, Record
from quorate_impl.shop.messages import Count, Order, Place, Rows, Shelf

Transaction = tuple[Count, Count]
"""The number of a transaction: which start of the coordinator, and which transaction since then. No two are the same,
and later ones are greater."""


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


LogRecord = Began | Committed | Ended | Told | Promised | Concluded | Kept | Shelf | Rows
