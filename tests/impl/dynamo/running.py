"""Simulated clusters of the quorum store: what clients ask, what must be so after each step, and what must be so at the end.

Every value is written once, so that a value is the write of it. For each write the workload knows which ones its client had
seen (`past`, as in the specification `dynamo`): all that it was shown, and what these had seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from quorate_impl.core import Core, Message
from quorate_impl.dynamo import Client, Dynamo, Options, protocol
from quorate_impl.dynamo.client import Delete, Get, Put, Unknown
from quorate_impl.dynamo.messages import Done, Level, Refused, Siblings, Stamp, Values
from quorate_impl.dynamo.siblings import NOTHING, values
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan

NODES = ("n1", "n2", "n3", "n4", "n5")
KEYS = ("a", "b", "c", "d")
MANY_KEYS = tuple(f"k{i}" for i in range(100))
"""So many that reads do not repair what anti-entropy has to."""
SLOPPY = Options(hand_over_ticks=10, anti_entropy_ticks=10, virtual_nodes=4, checkpoint_after=40)
STRICT = replace(SLOPPY, is_sloppy=False)
LAST_WRITE_WINS = replace(SLOPPY, policy="last-write-wins")
STRICT_LAST_WRITE_WINS = replace(LAST_WRITE_WINS, is_sloppy=False)
LIMITED = replace(LAST_WRITE_WINS, skew_ms=500)
SETTLE_TICKS = 100
"""Within so many ticks after the last answer, all homes of a key have the same, and no hint is left."""
SHORT = Conditions(busy_ms=2_000, think_ms=20, rest=3, settle_ms=SETTLE_TICKS * 10)
HURRIED = replace(SHORT, think_ms=0, busy_ms=1_000)


@dataclass(frozen=True)
class Asked:
    """What a client is waiting for, what it had been shown before, and what a read of a strict quorum must show."""

    request: Get | Put | Delete
    past: frozenset[str]
    must: frozenset[str]


class Clients:
    """The workload, and what it has seen: it judges each answer when it comes."""

    def __init__(
        self, options: Options, levels: Sequence[Level], keys: Sequence[str], is_one_writer_per_key: bool
    ) -> None:
        self.keys = keys
        self._is_one_writer_per_key = is_one_writer_per_key
        self._is_strict = not options.is_sloppy and "one" not in levels
        self._has_siblings = options.policy == "siblings"
        self._may_refuse = options.skew_ms is not None
        self._levels = levels
        self._values = 0
        self._asked: dict[str, Asked] = {}
        self.shown: defaultdict[tuple[str, str], frozenset[str]] = defaultdict(frozenset)
        self.past: dict[str, frozenset[str]] = {}
        self.acknowledged: dict[str, set[str]] = {key: set() for key in keys}
        self.replaced: dict[str, set[str]] = {key: set() for key in keys}
        """What acknowledged writes and deletions have replaced, by key."""
        self.deleted: dict[str, set[str]] = {key: set() for key in keys}
        """What some deletion has perhaps replaced."""
        self.failure: str | None = None
        self.stamps: dict[str, tuple[Stamp, str]] = {}
        """Of all values that were seen at a node: not of what was overwritten in the step in which it was written."""

    def ask(self, client: str, random: Random) -> Message:
        key, draw, level = random.choice(self.keys), random.random(), random.choice(self._levels)
        self._values += 1
        past = self.shown[client, key]
        request: Get | Put | Delete
        if draw < 0.45 or (self._is_one_writer_per_key and client != f"c{self.keys.index(key) + 1}"):
            request = Get(key, level)
        elif draw < 0.95:
            request = Put(key, f"{client}:{self._values}", level)
            self.past[request.value] = past
        else:
            request = Delete(key, level)
            self.deleted[key] |= past
        must = self.acknowledged[key] if self._is_strict and isinstance(request, Get) else frozenset[str]()
        self._asked[client] = Asked(request, past, frozenset(must))
        return request

    def invoked(self, request: Message) -> dict[str, Any]:
        match request:
            case Get(key):
                return {"f": "read", "key": key}
            case Put(key, value):
                return {"f": "write", "key": key, "value": value}
            case Delete(key):
                return {"f": "write", "key": key, "value": None}
        raise AssertionError(request)

    def returned(self, request: Message, response: Message) -> tuple[str, dict[str, Any]]:
        fields = self.invoked(request)
        if isinstance(response, Unknown):
            return "info", fields
        if isinstance(response, Refused) and self._may_refuse:
            return "fail", fields
        assert isinstance(response, Values | Done), response
        (client,) = (name for name, asked in self._asked.items() if asked.request is request)
        self._learn(client, self._asked[client], response)
        if isinstance(request, Get):
            fields["value"] = response.values[0] if len(response.values) == 1 else list(response.values) or None
        return "ok", fields

    def _learn(self, client: str, asked: Asked, response: Values | Done) -> None:
        key = asked.request.key
        seen = self.with_pasts(response.values)
        if isinstance(asked.request, Get):
            if self._has_siblings:
                missed = asked.must - seen - self.deleted[key]
            else:
                missed = {value for value in asked.must & self.stamps.keys() if self.stamps[value][0] > response.stamp}
            if missed:
                self.failure = f"a read of {key} by {client} has missed {sorted(missed)}, and found {response.values}"
        else:
            self.replaced[key] |= asked.past
            if isinstance(asked.request, Put):
                self.acknowledged[key].add(asked.request.value)
        self.shown[client, key] |= seen

    def with_pasts(self, shown: Sequence[str]) -> frozenset[str]:
        """The values, and all that their clients had seen."""
        return frozenset(shown).union(*(self.past[value] for value in shown))


class Promises:
    """The invariants of `dynamo`, looked at when a node has something else than before."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._had: dict[tuple[str, str], Siblings] = {}

    def __call__(self, name: str, core: Core) -> str | None:
        assert isinstance(core, Dynamo)
        for key, siblings in core.stored.items():
            if self._had.get((name, key)) is not siblings:
                self._had[name, key] = siblings
                self._clients.stamps |= {v.value: (v.stamp, v.actor) for v in siblings.versions if v.value is not None}
                found = values(siblings)
                for value in found:
                    older = self._clients.past[value].intersection(found)
                    if older:
                        return f"siblings_are_concurrent: {name} has {value} beside {older}, which its client had seen"
        return self._clients.failure


def audit(clients: Clients, machines: Mapping[str, Any]) -> str | None:
    """What must be so when everything has settled."""
    cores = {name: machine.core for name, machine in machines.items() if machine.core is not None}
    for name, core in cores.items():
        owed = sorted(key for key, targets in core.owes.items() if targets & cores.keys())
        if owed:
            return f"replicas_converge: {name} still has hints of {owed}"
    for key in clients.keys:
        any_core: Dynamo = next(iter(cores.values()))
        homes = [name for name in any_core.homes(key) if name in cores]
        found = {name: cores[name].stored.get(key, NOTHING) for name in homes}
        if any(each != found[homes[0]] for each in found.values()):
            return f"replicas_converge: of {key} there is {found}"
        final = values(found[homes[0]])
        if any_core.options.policy == "siblings":
            wrong = lost_or_back(clients, key, final)
        else:
            wrong = _back(clients, key, final) or _not_the_last(clients, key, final)
        if wrong is not None:
            return wrong
    return None


def lost_or_back(clients: Clients, key: str, final: Sequence[str]) -> str | None:
    """What an acknowledged write has replaced is gone, and what nothing has replaced is there."""
    lost = clients.acknowledged[key] - clients.with_pasts(final) - clients.deleted[key]
    if lost:
        return f"no_acknowledged_update_is_lost: {sorted(lost)} of {key}, where there is {sorted(final)}"
    return _back(clients, key, final)


def _back(clients: Clients, key: str, final: Sequence[str]) -> str | None:
    again = clients.replaced[key].intersection(final)
    return f"resurrected: {sorted(again)} of {key}, which clients have replaced" if again else None


def _not_the_last(clients: Clients, key: str, final: Sequence[str]) -> str | None:
    """With the last write winning, what has a later stamp than what is there was not acknowledged."""
    stamps = clients.stamps
    told = clients.acknowledged[key].intersection(stamps) if final else set[str]()
    later = sorted(value for value in told if stamps[value] > stamps[final[0]])
    return f"the last write has not won: {final} of {key}, and {later} are later" if later else None


def run(
    seed: int,
    plan: Plan | None = None,
    core: type[Dynamo] = Dynamo,
    conditions: Conditions = SHORT,
    options: Options = SLOPPY,
    levels: Sequence[Level] = ("one", "quorum", 2, "all"),
    keys: Sequence[str] = KEYS,
    nodes: Sequence[str] = NODES,
    clients: int = 4,
    give_up_ticks: int | None = None,
    is_one_writer_per_key: bool = False,
) -> Outcome:
    """A run of five nodes, of which three are homes of a key."""
    members = {name: name for name in nodes}
    workload = Clients(options, levels, keys, is_one_writer_per_key)
    names = [f"c{i + 1}" for i in range(clients)]
    simulation = Simulation(
        protocol(members, options, core),
        nodes,
        {name: lambda name=name: Client(name, members, 20, give_up_ticks) for name in names},  # type: ignore[misc]
        workload,
        seed,
        draw_plan(seed, nodes, conditions.busy_ms, faults_max=12) if plan is None else plan,
        conditions,
        Promises(workload),
    )
    outcome = simulation.run()
    if outcome.failure is None:
        outcome.failure = audit(workload, simulation.machines)
    return outcome
