"""The two kinds of participants of a purchase: the order service, and the inventories."""

from __future__ import annotations

from collections.abc import Sequence

from quorate_impl.core import Record
from quorate_impl.two_phase_commit.messages import Place, Rows, Shelf
from quorate_impl.two_phase_commit.options import Options
from quorate_impl.two_phase_commit.participant import Participant


class Orders(Participant):
    """The table of confirmed orders, by client and number. A pending order is a promise to confirm it."""

    def __init__(self, name: str, records: Sequence[Record], options: Options) -> None:
        self.rows: dict[tuple[str, int], Place] = {}
        super().__init__(name, records, options)

    def _is_locked(self, place: Place) -> bool:
        """An earlier attempt at the same purchase is in doubt: the coordinator has crashed in between."""
        return any(key_of(each) == key_of(place) for each in self.prepared.values())

    def _covers(self, place: Place) -> bool:
        """`insert_order`: there is one row for a key."""
        return key_of(place) not in self.rows

    def _execute(self, place: Place) -> None:
        """`close_order`: it is confirmed."""
        self.rows[key_of(place)] = place

    def _data(self) -> Record:
        return Rows(tuple(self.rows.values()))

    def _restore(self, data: Record) -> None:
        assert isinstance(data, Rows)
        self.rows = {key_of(place): place for place in data.places}

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {**super().status(), "role": "orders", "confirmed": len(self.rows)}


class Inventory(Participant):
    """The units of one product. `available` are on the shelf, and some of them promised."""

    def __init__(self, name: str, records: Sequence[Record], stock: int, options: Options) -> None:
        self.available = stock
        super().__init__(name, records, options)

    def reserved(self) -> int:
        """The units that are promised."""
        return sum(place.lines[self.name] for place in self.prepared.values())

    def _is_locked(self, place: Place) -> bool:
        """Units are counted, so that promises of others leave the rest to be promised."""
        return False

    def _covers(self, place: Place) -> bool:
        """`covers`: what others have been promised is not there."""
        return self.available - self.reserved() >= place.lines[self.name]

    def _execute(self, place: Place) -> None:
        """`sell`."""
        self.available -= place.lines[self.name]

    def _data(self) -> Record:
        return Shelf(self.available)

    def _restore(self, data: Record) -> None:
        assert isinstance(data, Shelf)
        self.available = data.available

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {**super().status(), "role": "inventory", "available": self.available, "reserved": self.reserved()}


def key_of(place: Place) -> tuple[str, int]:
    """The idempotency key."""
    return place.client, place.number
