"""Simulated Raft clusters: what clients ask, and what must be so after each step."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from quorate_impl.core import Core, Message
from quorate_impl.raft import Client, Options, Raft, messages, protocol
from quorate_impl.raft.client import Unknown
from quorate_impl.raft.core import Role
from quorate_impl.raft.messages import AddServer, Entry, RemoveServer, Transfer
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan

from tests.impl import registers

NODES = ("n1", "n2", "n3")
MANY = ("n1", "n2", "n3", "n4", "n5")
OPTIONS = Options(
    election_ticks_min=20,
    election_ticks_max=40,
    snapshot_after=60,
    entries_kept=10,
    entries_max=8,
    window=4,
    piece_bytes=200,
)


class Registers(registers.Registers):
    """In Raft's words."""

    words = messages
    in_doubt = (Unknown,)


class Changes(Registers):
    """The client `admin` adds and removes servers, and has the leadership handed over."""

    def ask(self, client: str, random: Random) -> Message:
        if client != "admin":
            return super().ask(client, random)
        name = random.choice(MANY)
        return random.choice((AddServer(0, name, name), RemoveServer(0, name), Transfer(0, name)))


class Promises:
    """Figure 3 of the paper, looked at after each step: one leader in a term, the same committed entries everywhere."""

    def __init__(self) -> None:
        self._leaders: dict[int, str] = {}
        self._committed: dict[int, Entry] = {}
        self._seen: dict[Core, int] = {}

    def __call__(self, name: str, core: Core) -> str | None:
        assert isinstance(core, Raft)
        if core.role is Role.LEADER and self._leaders.setdefault(core.term, name) != name:
            return f"election safety: {self._leaders[core.term]} and {name} lead term {core.term}"
        begin = max(self._seen.get(core, 0), core.log.base)
        for index in range(begin + 1, core.commit_index + 1):
            entry = core.log.entry(index)
            if self._committed.setdefault(index, entry) != entry:
                return f"state machine safety: {name} has another entry committed at {index} than was committed before"
        self._seen[core] = core.commit_index
        return None


BUSY = Conditions(busy_ms=4_000, think_ms=20)


def run(
    seed: int,
    plan: Plan | None = None,
    core: type[Raft] = Raft,
    conditions: Conditions = BUSY,
    options: Options = OPTIONS,
    nodes: Sequence[str] = NODES,
) -> Outcome:
    """A run of three servers, or of more that an administrator adds and removes, with four clients."""
    members = {name: name for name in NODES}
    drawn = draw_plan(seed, nodes, conditions.busy_ms, faults_max=12)
    clients = ("c0", "c1", "c2", "c3") if nodes == NODES else ("admin", "c0", "c1", "c2")
    return Simulation(
        protocol(members, options, core),
        nodes,
        {name: lambda name=name: Client(name, members) for name in clients},  # type: ignore[misc]
        Registers() if nodes == NODES else Changes(),
        seed,
        drawn if plan is None else plan,
        conditions,
        Promises(),
    ).run()
