"""Simulated purchases by Paxos Commit: what must be so after each step, and what must be so at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate_impl.core import Core
from quorate_impl.paxos_commit import Acceptor, Leader, Options, Participant, client, protocol
from quorate_impl.paxos_commit.messages import Ballot, Phase2b, Transaction, Vote
from quorate_impl.paxos_commit.participant import RM
from quorate_impl.shop.resources import ORDERS, Inventory
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan

from tests.impl.shopping import Promises, Purchases, misinformed

OPTIONS = Options(
    repeat_ticks=10, vote_ticks=40, ballot_ticks=20, doubt_ticks=60, finish_ticks=60, checkpoint_after=100
)
IMPATIENT = Options(repeat_ticks=2, vote_ticks=4, ballot_ticks=4, doubt_ticks=6, finish_ticks=60, checkpoint_after=100)
"""So that leaders get in each other's way."""
NODES = (*OPTIONS.leaders, *OPTIONS.acceptors, ORDERS, "east", "west")
CLIENTS = ("c1", "c2", "c3", "c4")
SHORT = Conditions(busy_ms=1_500, think_ms=5, rest=6, settle_ms=1_500)


@dataclass(frozen=True)
class Program:
    """The three kinds of nodes, and the data of an inventory."""

    leader: type[Leader] = Leader
    acceptor: type[Acceptor] = Acceptor
    participant: type[Participant] = Participant
    inventory: type[Inventory] = Inventory


RIGHT = Program()


def concluded(core: Participant) -> dict[Transaction, bool]:
    """The last transactions of clients, as far as they are over at a participant."""
    return {
        (client, part.number): part.state is RM.COMMITTED
        for client, part in core.rm.items()
        if part.state is not RM.PREPARED
    }


class OneVote(Promises):
    """And in each ballot of an instance one vote is accepted, whichever acceptors remember it; and nobody is in doubt for longer than
    so many ticks.
    """

    def __init__(self, stock: Mapping[str, int], doubt_max: int | None) -> None:
        super().__init__(stock, concluded)
        self._doubt_max = doubt_max
        self._votes: dict[tuple[Transaction, str, Ballot], Vote] = {}
        self._wrong: str | None = None

    def __call__(self, name: str, core: Core) -> str | None:
        if isinstance(core, Participant) and self._doubt_max is not None:
            blocked = [key for key, waited in core.doubts.items() if waited > self._doubt_max]
            if blocked:
                return f"not_blocked: {name} has waited for {blocked}"
        return self._wrong or super().__call__(name, core)

    def observing(self, acceptor: type[Acceptor]) -> type[Acceptor]:
        """The acceptors' program, looked at whenever it confirms a vote."""

        class Observed(acceptor):  # type: ignore[misc, valid-type]
            def _confirm(core, leader: str, m: Phase2b) -> None:
                first = self._votes.setdefault((m.transaction, m.instance, m.ballot), m.vote)
                if first is not m.vote:
                    self._wrong = f"one_vote: {core.name} accepts {m}, and {first.value} was accepted in that ballot"
                super()._confirm(leader, m)

        return Observed


def audit(outcome: Outcome, promises: Promises, machines: Mapping[str, Any]) -> str | None:
    """What clients were told is so at the end, nobody is prepared any more, and acceptors keep nothing that no leader can end.

    A late message brings back what was forgotten, until a leader is asked about it: so that one question is allowed.
    """
    wrong = misinformed(outcome, CLIENTS, promises.bought)
    if wrong is not None:
        return wrong
    for name in NODES:
        core = machines[name].core
        if isinstance(core, Participant) and core.prepared:
            return f"everyone_decides: {name} is still prepared for {', '.join(map(str, core.prepared))}"
        if isinstance(core, Acceptor):
            kept = [key for key, entry in core.entries.items() if not entry.is_over and entry.asked > 1]
            if kept:
                return f"everything_ends: {name} has asked in vain about {', '.join(map(str, kept))}"
    return None


def run(
    seed: int,
    plan: Plan | None = None,
    program: Program = RIGHT,
    conditions: Conditions = SHORT,
    options: Options = OPTIONS,
    doubt_max: int | None = None,
) -> Outcome:
    """Four clients buy from two inventories; in every other run these are sold out soon."""
    stock = dict.fromkeys(("east", "west"), 1_000 if seed % 2 else 25)
    promises = OneVote(stock, doubt_max)
    simulation = Simulation(
        protocol(
            stock, options, program.leader, promises.observing(program.acceptor), program.participant, program.inventory
        ),
        NODES,
        {name: lambda name=name: client(name, options=options) for name in CLIENTS},  # type: ignore[misc]
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
