"""Purchases under faults, whatever the protocol that commits them: what clients ask, and what must be so after each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from quorate_impl.core import Core, Message
from quorate_impl.shop.manager import ResourceManager
from quorate_impl.shop.messages import Answer, Order, Place
from quorate_impl.shop.resources import Inventory, Orders
from quorate_impl.simulation import Outcome


class Purchases:
    """Some units of one product or of both."""

    def __init__(self, products: tuple[str, str] = ("east", "west")) -> None:
        self._products = products

    def ask(self, client: str, random: Random) -> Message:
        one, other = self._products
        products = random.choice(((one,), (other,), self._products, self._products))
        return Place(client, 0, {product: random.randint(1, 3) for product in products})

    def invoked(self, request: Message) -> dict[str, Any]:
        assert isinstance(request, Place)
        return {"f": "buy", "value": request.lines}

    def returned(self, request: Message, response: Message) -> tuple[str, dict[str, Any]]:
        assert isinstance(response, Answer)
        return "ok", {"f": "buy", "value": [response.number, response.order.value]}


class Promises:
    """The invariants of `two_phase_commit` and `order_inventory`, looked at after each step.

    A transaction counts as committed from when the first participant has committed it. From then on each of its
    participants has its part, as a promise or for good: so the shelf of an inventory can be computed. `concluded` says which
    transactions a participant knows to be over, and whether they were committed. That it has aborted counts from when that is on its
    disk: a vote that nobody has heard is forgotten in a crash, and may be another one when it is asked again.
    """

    def __init__(self, stock: Mapping[str, int], concluded: Callable[[Any], Mapping[Any, bool]]) -> None:
        self._stock = stock
        self._concluded = concluded
        self._places: dict[Any, Place] = {}
        self._outcomes: dict[Any, tuple[bool, str]] = {}
        self._aborting: dict[str, tuple[Core, dict[Any, int]]] = {}
        self._seen: dict[str, tuple[Core, int, int, int]] = {}
        self._sold = dict.fromkeys(stock, 0)
        self.bought: set[tuple[str, int]] = set()

    def __call__(self, name: str, core: Core) -> str | None:
        if not isinstance(core, ResourceManager) or self.is_as_before(name, core, len(core.prepared)):
            return None
        self._places.update(core.prepared)
        concluded = self._concluded(core)
        for transaction in [
            *(each for each, commit in concluded.items() if commit),
            *self._aborted(name, core, concluded),
        ]:
            wrong = self._conclude(name, transaction, concluded.get(transaction, False))
            if wrong is not None:
                return wrong
        return self._counted(core)

    def _aborted(self, name: str, core: Core, concluded: Mapping[Any, bool]) -> list[Any]:
        """What a participant has aborted, from when it is durable."""
        before, noted = self._aborting.get(name, (core, {}))
        if before is not core:
            noted = {}
        for transaction, commit in concluded.items():
            if not commit:
                noted.setdefault(transaction, core.written)
        durable = [transaction for transaction, number in noted.items() if number <= core.durable]
        left = {transaction: number for transaction, number in noted.items() if number > core.durable}
        self._aborting[name] = core, left
        return durable

    def is_as_before(self, name: str, core: Core, more: int = 0) -> bool:
        """Whether on the node's disk nothing has changed since it was looked at, and this number is the same: there is nothing to see."""
        seen = core, core.written, core.durable, more
        before, self._seen[name] = self._seen.get(name), seen
        return before is not None and before[0] is core and before == seen

    def _conclude(self, name: str, transaction: Any, commit: bool) -> str | None:
        if transaction in self._outcomes:
            before, by = self._outcomes[transaction]
            return (
                None if before == commit else f"atomicity: {transaction} is committed {commit} at {name}, not at {by}"
            )
        self._outcomes[transaction] = commit, name
        if commit:
            place = self._places[transaction]
            if place.key in self.bought:
                return f"bought_once: {place.key} is bought again by {transaction}"
            self.bought.add(place.key)
            for inventory, quantity in place.lines.items():
                self._sold[inventory] += quantity
        return None

    def _counted(self, core: ResourceManager[Any]) -> str | None:
        promised = [
            place for transaction, place in core.prepared.items() if self._outcomes.get(transaction, (False, ""))[0]
        ]
        data = core.resource
        if isinstance(data, Orders):
            if len(data.rows) + len(promised) != len(self.bought):
                return (
                    f"confirmed orders: {len(self.bought)}, in the table {len(data.rows)} and promised {len(promised)}"
                )
            return None
        assert isinstance(data, Inventory)
        reserved = data.reserved(core.prepared.values())
        if not 0 <= reserved <= data.available:
            return f"never_oversold: {core.name} has {data.available}, and promises {reserved}"
        sold = self._sold[core.name] - sum(place.lines[core.name] for place in promised)
        if data.available + sold != self._stock[core.name]:
            return f"units_are_counted: {core.name} has {data.available}, and has sold {sold}"
        return None


def misinformed(outcome: Outcome, clients: Sequence[str], bought: set[tuple[str, int]]) -> str | None:
    """The first client that was told "confirmed" of what is not bought at the end, or something else of what is."""
    for event in outcome.history:
        if event["type"] == "ok":
            number, order = event["value"]
            key = clients[event["process"]], number
            if (key in bought) != (order == Order.CONFIRMED.value):
                return f"durability: {key} was told {order}"
    return None
