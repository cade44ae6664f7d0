"""The data of the two kinds of participants: the table of orders, and the shelf of a product.

To be read beside the specification `order_inventory`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

from quorate_impl.core import Record
from quorate_impl.shop.messages import Place, Rows, Shelf

ORDERS = "orders"
"""The node that has the table of orders."""

Status = dict[str, str | int | float | bool | None]


def participants(place: Place) -> tuple[str, ...]:
    """Who has a part in a purchase, always in the same order."""
    return (ORDERS, *place.lines)


class Resource(ABC):
    """What a participant can promise, and what a commit changes. `promised` are the purchases for which it is prepared."""

    role: ClassVar[str]

    def is_locked(self, place: Place, promised: Collection[Place]) -> bool:
        """Whether a promise stands in the way, so that a vote has to wait until it is concluded."""
        return False

    @abstractmethod
    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        """Whether it can be promised, after all that is promised already."""

    @abstractmethod
    def execute(self, place: Place) -> None:
        """What a commit changes."""

    @abstractmethod
    def record(self) -> Record:
        """All data, for a checkpoint."""

    @abstractmethod
    def restore(self, record: Record) -> None:
        """The data of a checkpoint."""

    @abstractmethod
    def status(self, promised: Collection[Place]) -> Status:
        """What an operator wants to see."""


class Orders(Resource):
    """The table of confirmed orders, by client and number. A pending order is a promise to confirm it."""

    role = "orders"

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Place] = {}

    def is_locked(self, place: Place, promised: Collection[Place]) -> bool:
        """An earlier attempt at the same purchase is in doubt."""
        return any(each.key == place.key for each in promised)

    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        """`insert_order`: there is one row for a key."""
        return place.key not in self.rows

    def execute(self, place: Place) -> None:
        """`close_order`: it is confirmed."""
        self.rows[place.key] = place

    def record(self) -> Record:
        return Rows(tuple(self.rows.values()))

    def restore(self, record: Record) -> None:
        assert isinstance(record, Rows)
        self.rows = {place.key: place for place in record.places}

    def status(self, promised: Collection[Place]) -> Status:
        return {"confirmed": len(self.rows)}


class Inventory(Resource):
    """The units of one product. `available` are on the shelf, and some of them promised.

    Units are counted, so that promises of others leave the rest to be promised: nothing is ever locked.
    """

    role = "inventory"

    def __init__(self, name: str, stock: int) -> None:
        self.name = name
        self.available = stock

    def reserved(self, promised: Collection[Place]) -> int:
        """The units that are promised."""
        return sum(place.lines[self.name] for place in promised)

    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        """`covers`: what others have been promised is not there."""
        return self.available - self.reserved(promised) >= place.lines[self.name]

    def execute(self, place: Place) -> None:
        """`sell`."""
        self.available -= place.lines[self.name]

    def record(self) -> Record:
        return Shelf(self.available)

    def restore(self, record: Record) -> None:
        assert isinstance(record, Shelf)
        self.available = record.available

    def status(self, promised: Collection[Place]) -> Status:
        return {"available": self.available, "reserved": self.reserved(promised)}
