"""What clients ask, what they are told, and what the data of participants are on the disk."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
Quantity = Annotated[int, msgspec.Meta(gt=0)]


class Order(Enum):
    """How a purchase ended: confirmed, refused by a participant, or given up because somebody did not vote in time."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Place(Message, frozen=True):
    """A client asks for so many units of each inventory. Client and number are the idempotency key.

    The numbers of one client go up, and it asks for one purchase at a time.
    """

    client: str
    number: Count
    lines: dict[str, Quantity]

    @property
    def key(self) -> tuple[str, int]:
        """The idempotency key."""
        return self.client, self.number


class Answer(Message, frozen=True):
    """How this client's purchase with this number has ended, for good."""

    client: str
    number: Count
    order: Order


class Status(Message, frozen=True):
    """What does this node know? Any node answers."""


class Facts(Message, frozen=True):
    """What a node knows of itself."""

    facts: dict[str, str | int | float | bool | None]


class Shelf(Record, frozen=True):
    """The units that an inventory has."""

    available: Count


class Rows(Record, frozen=True):
    """The table of confirmed orders."""

    places: tuple[Place, ...]
