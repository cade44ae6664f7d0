"""Simulated purchases: what clients ask, what must be so after each step, and what must be so at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from quorate_impl.core import Core, Message
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan
from quorate_impl.two_phase_commit import COORDINATOR, ORDERS, Client, Coordinator, Inventory, Options, Orders, protocol
from quorate_impl.two_phase_commit.coordinator import participants
from quorate_impl.two_phase_commit.messages import Answer, Order, Place, Transaction
from quorate_impl.two_phase_commit.participant import Participant
from quorate_impl.two_phase_commit.services import key_of

NODES = (COORDINATOR, ORDERS, "east", "west")
CLIENTS = ("c1", "c2", "c3", "c4")
OPTIONS = Options(repeat_ticks=10, vote_ticks=40, checkpoint_after=30)
SHORT = Conditions(busy_ms=2_000, think_ms=40, rest=6)


@dataclass(frozen=True)
class Program:
    """The three kinds of nodes."""

    coordinator: type[Coordinator] = Coordinator
    orders: type[Orders] = Orders
    inventory: type[Inventory] = Inventory


RIGHT = Program()


class Purchases:
    """Some units of one product or of both."""

    def ask(self, client: str, random: Random) -> Message:
        products = random.choice((("east",), ("west",), ("east", "west"), ("east", "west")))
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
    participants has its part, as a promise or for good: so the shelf of an inventory can be computed.
    """

    def __init__(self, stock: Mapping[str, int]) -> None:
        self._stock = stock
        self._places: dict[Transaction, Place] = {}
        self._outcomes: dict[Transaction, tuple[bool, str]] = {}
        self._sold = dict.fromkeys(stock, 0)
        self.bought: set[tuple[str, int]] = set()

    def __call__(self, name: str, core: Core) -> str | None:
        if isinstance(core, Coordinator):
            for transaction, voting in core.voting.items():
                self._places[transaction] = voting.place
            return None
        assert isinstance(core, Participant)
        for transaction, commit in core.concluded.items():
            wrong = self._conclude(name, transaction, commit)
            if wrong is not None:
                return wrong
        return self._counted(core)

    def _conclude(self, name: str, transaction: Transaction, commit: bool) -> str | None:
        if transaction in self._outcomes:
            before, by = self._outcomes[transaction]
            return (
                None if before == commit else f"atomicity: {transaction} is committed {commit} at {name}, not at {by}"
            )
        self._outcomes[transaction] = commit, name
        if commit:
            place = self._places[transaction]
            if key_of(place) in self.bought:
                return f"bought_once: {key_of(place)} is bought again by {transaction}"
            self.bought.add(key_of(place))
            for inventory, quantity in place.lines.items():
                self._sold[inventory] += quantity
        return None

    def _counted(self, core: Participant) -> str | None:
        promised = [
            place for transaction, place in core.prepared.items() if self._outcomes.get(transaction, (False, ""))[0]
        ]
        if isinstance(core, Orders):
            if len(core.rows) + len(promised) != len(self.bought):
                return (
                    f"confirmed orders: {len(self.bought)}, in the table {len(core.rows)} and promised {len(promised)}"
                )
            return None
        assert isinstance(core, Inventory)
        if not 0 <= core.reserved() <= core.available:
            return f"never_oversold: {core.name} has {core.available}, and promises {core.reserved()}"
        sold = self._sold[core.name] - sum(place.lines[core.name] for place in promised)
        if core.available + sold != self._stock[core.name]:
            return f"units_are_counted: {core.name} has {core.available}, and has sold {sold}"
        return None


def audit(outcome: Outcome, promises: Promises, machines: Mapping[str, Any]) -> str | None:
    """What clients were told is so at the end; and nobody is prepared for a purchase that is long over."""
    coordinator = machines[COORDINATOR].core
    assert isinstance(coordinator, Coordinator)
    bought = promises.bought | {key_of(place) for place in coordinator.committed.values()}
    for event in outcome.history:
        if event["type"] == "ok":
            number, order = event["value"]
            key = CLIENTS[event["process"]], number
            if (key in bought) != (order == Order.CONFIRMED.value):
                return f"durability: {key} was told {order}"
    recent = coordinator.start, coordinator.count - 2 * len(CLIENTS)
    for name in NODES[1:]:
        core = machines[name].core
        assert isinstance(core, Participant)
        for transaction, place in core.prepared.items():
            assert core.name in participants(place)
            if transaction < recent:
                return f"everyone_decides: {name} is still prepared for {transaction}"
    return None


def run(
    seed: int,
    plan: Plan | None = None,
    program: Program = RIGHT,
    conditions: Conditions = SHORT,
    options: Options = OPTIONS,
) -> Outcome:
    """Four clients buy from two inventories; in every other run these are sold out soon."""
    stock = dict.fromkeys(("east", "west"), 1_000 if seed % 2 else 25)
    promises = Promises(stock)
    simulation = Simulation(
        protocol(stock, options, program.coordinator, program.orders, program.inventory),
        NODES,
        {name: lambda name=name: Client(name) for name in CLIENTS},  # type: ignore[misc]
        Purchases(),
        seed,
        draw_plan(seed, NODES, conditions.busy_ms, faults_max=12) if plan is None else plan,
        conditions,
        promises,
    )
    outcome = simulation.run()
    if outcome.failure is None:
        outcome.failure = audit(outcome, promises, simulation.machines)
    return outcome
