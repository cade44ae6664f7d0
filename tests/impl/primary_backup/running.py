"""Simulated primary/backup clusters: what clients ask, what must be so after each step, and how histories are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from quorate.consistency import Satisfied, find_model, judge, read_history
from quorate_impl.core import Core, Message
from quorate_impl.primary_backup import ARBITER, Arbiter, Client, Options, PrimaryBackup, messages, protocol
from quorate_impl.primary_backup.client import Unknown
from quorate_impl.primary_backup.messages import (
    Cas,
    Consistency,
    Done,
    Entry,
    FailOver,
    Get,
    Lost,
    Put,
    Scheme,
)
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan

from tests.impl import registers
from tests.impl.histories import written

NODES = ("n1", "n2", "n3")
ALL = (*NODES, ARBITER)
OPTIONS = Options(
    heartbeat_ticks=3,
    suspect_ticks=15,
    grace_ticks=3,
    entries_max=8,
    window=32,
    snapshot_after=50,
    entries_kept=10,
    piece_bytes=200,
)
BUSY = Conditions(busy_ms=2_000, think_ms=20)
CLIENTS = ("c0", "c1", "c2", "c3")
SCHEMES = {"p": Scheme.SYNCHRONOUS, "o": Scheme.SEMI_SYNCHRONOUS, "v": Scheme.ASYNCHRONOUS}
"""Of keys, by their first letter: payments, orders, page views."""


class Mix(registers.Registers):
    """Payments, orders and page views, each on keys of its own; values are written once. Reads go to the primary.

    The client `c0` only reads.
    """

    words = messages
    in_doubt = (Unknown, Lost)

    def __init__(self, keys: Sequence[str] = ("p1", "p2", "o1", "o2", "v1")) -> None:
        super().__init__(keys)

    def ask(self, client: str, random: Random) -> Message:
        key, draw = random.choice(self._keys), random.random()
        scheme = SCHEMES[key[0]]
        self._values += 1
        value = str(self._values)
        if draw < 0.4 or client == "c0":
            return Get(key)
        if draw < 0.7 or scheme is Scheme.ASYNCHRONOUS:
            return Put(key, value, scheme)
        return Cas(key, self.recent(random), value, scheme)


class Forced(Mix):
    """The client `c0` is an operator, who now and then has a failover done without a majority."""

    def ask(self, client: str, random: Random) -> Message:
        if client == "c0" and random.random() < 0.1:
            return FailOver(0, force=True)
        return super().ask(client, random)


class Sessions(Mix):
    """Updates of all classes, and reads at any node; a session ends when it is told that its past is lost."""

    def __init__(self, consistency: Consistency) -> None:
        super().__init__()
        self._consistency = consistency

    def ask(self, client: str, random: Random) -> Message:
        key = random.choice(("p1", "o1", "v1"))
        if random.random() < 0.6:
            return Get(key, self._consistency)
        self._values += 1
        return Put(key, str(self._values), SCHEMES[key[0]])

    def returned(self, request: Message, response: Message) -> tuple[str, dict[str, Any]]:
        kind, fields = super().returned(request, response)
        return ("info" if isinstance(response, Done) and response.lost else kind), fields


class Promises:
    """Looked at after each step: one primary in an epoch, and what a majority or all have stored is replaced by nothing."""

    def __init__(self, is_forced: bool) -> None:
        self._is_forced = is_forced
        self._primaries: dict[int, str] = {}
        self._safe: dict[int, Entry] = {}
        self._everywhere: dict[int, Entry] = {}
        self._seen: dict[Core, tuple[int, int]] = {}

    def __call__(self, name: str, core: Core) -> str | None:
        if isinstance(core, Arbiter):
            return None
        assert isinstance(core, PrimaryBackup)
        if core.in_office() and self._primaries.setdefault(core.epoch, name) != name:
            return f"one_primary_per_epoch: {self._primaries[core.epoch]} and {name} are primary in epoch {core.epoch}"
        safe, everywhere = self._seen.get(core, (0, 0))
        self._seen[core] = core.safe, core.everywhere
        return self._kept(core, everywhere, core.everywhere, self._everywhere, "all") or (
            None if self._is_forced else self._kept(core, safe, core.safe, self._safe, "a majority")
        )

    @staticmethod
    def _kept(core: PrimaryBackup, begin: int, end: int, known: dict[int, Entry], by: str) -> str | None:
        if end > core.log.last_index:
            return f"{core.name} takes more for stored than it has"
        for index in range(max(begin, core.log.base) + 1, end + 1):
            entry = core.log.entry(index)
            if known.setdefault(index, entry) != entry:
                return f"acknowledged_survives: {core.name} has another entry at {index} than {by} had stored"
        return None


@dataclass(frozen=True)
class Program:
    """Nodes and arbiter."""

    core: type[PrimaryBackup] = PrimaryBackup
    arbiter: type[Arbiter] = Arbiter


RIGHT = Program()


def run(
    seed: int,
    plan: Plan | None = None,
    program: Program = RIGHT,
    conditions: Conditions = BUSY,
    workload: Callable[[], Mix] = Mix,
    options: Options = OPTIONS,
) -> Outcome:
    """A run of three nodes and their arbiter, with four clients."""
    members = {name: name for name in ALL}
    asked = workload()
    simulation = Simulation(
        protocol(members, options, program.core, program.arbiter),
        ALL,
        {name: lambda name=name: Client(name, members) for name in CLIENTS},  # type: ignore[misc]
        asked,
        seed,
        draw_plan(seed, ALL, conditions.busy_ms, faults_max=12) if plan is None else plan,
        conditions,
        Promises(isinstance(asked, Forced)),
    )
    outcome = simulation.run()
    outcome.failure = outcome.failure or audit(machine.core for machine in simulation.machines.values())
    return outcome


def audit(cores: Iterable[Core | None]) -> str | None:
    """At the end nodes with the same log have the same state."""
    found: dict[tuple[int, int], tuple[str, dict[str, str]]] = {}
    for core in cores:
        if isinstance(core, PrimaryBackup):
            values = {key: each.value for key, each in core.store._state.versions.items() if each.value is not None}
            name, others = found.setdefault(core.log.last, (core.name, values))
            if values != others:
                return f"{name} and {core.name} have the same log, and not the same state"
    return None


def of_class(history: Sequence[Mapping[str, Any]], letter: str) -> list[dict[str, Any]]:
    """The part of a history that is about keys of this class."""
    return [dict(event) for event in history if event["key"][0] == letter]


def satisfies(history: Sequence[dict[str, Any]], level: str, folder: Path, model: str = "cas-register") -> bool:
    """Whether the history certainly satisfies the level."""
    return isinstance(judge(read_history(written(history, folder)), level, find_model(model).starting(None)), Satisfied)


def broken(outcome: Outcome, folder: Path, letters: str = "po") -> str | None:
    """What is wrong with a run: a promise, an answer that did not come, a class whose history is not linearizable."""
    if outcome.failure is not None:
        return outcome.failure
    for letter in letters:
        history = of_class(outcome.history, letter)
        if history and not satisfies(history, "linearizable", folder):
            return f"the history of the class {SCHEMES[letter].value} is not linearizable"
    return None
