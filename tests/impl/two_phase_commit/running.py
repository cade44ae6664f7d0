"""Simulated purchases: what clients ask, what must be so after each step, and what must be so at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate_impl.shop.resources import ORDERS, Inventory
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan
from quorate_impl.two_phase_commit import COORDINATOR, Coordinator, Options, Participant, client, protocol

from tests.impl.shopping import Promises, Purchases, misinformed

NODES = (COORDINATOR, ORDERS, "east", "west")
CLIENTS = ("c1", "c2", "c3", "c4")
OPTIONS = Options(repeat_ticks=10, vote_ticks=40, checkpoint_after=30)
SHORT = Conditions(busy_ms=2_000, think_ms=40, rest=6)


@dataclass(frozen=True)
class Program:
    """The two kinds of nodes, and the data of an inventory."""

    coordinator: type[Coordinator] = Coordinator
    participant: type[Participant] = Participant
    inventory: type[Inventory] = Inventory


RIGHT = Program()


def audit(outcome: Outcome, promises: Promises, machines: Mapping[str, Any]) -> str | None:
    """What clients were told is so at the end; and nobody is prepared for a purchase that is long over."""
    coordinator = machines[COORDINATOR].core
    assert isinstance(coordinator, Coordinator)
    bought = promises.bought | {place.key for place in coordinator.committed.values()}
    wrong = misinformed(outcome, CLIENTS, bought)
    if wrong is not None:
        return wrong
    recent = coordinator.start, coordinator.count - 2 * len(CLIENTS)
    for name in NODES[1:]:
        core = machines[name].core
        assert isinstance(core, Participant)
        for transaction in core.prepared:
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
    promises = Promises(stock, lambda core: core.concluded)
    simulation = Simulation(
        protocol(stock, options, program.coordinator, program.participant, program.inventory),
        NODES,
        {name: lambda name=name: client(name) for name in CLIENTS},  # type: ignore[misc]
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
