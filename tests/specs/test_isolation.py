"""Isolation levels: runs by hand, what is recorded of explorations, and histories that are judged by what clients saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, combinations
from random import Random

import pytest
from quorate import Disabled, Spec, consistency
from quorate.consistency import History, Operation, judge
from quorate.consistency.verdict import Cycle
from quorate.explore import check
from quorate.outcome import Violated
from quorate_specs.transactions.isolation import (
    CommitsInTwoSteps,
    ForgetsNewerVersions,
    Isolation,
    Key,
    LostUpdate,
    NoDangerousStructureCheck,
    Number,
    Phase,
    Read,
    ReadCommitted,
    ReadOnlyAnomaly,
    ReadSkew,
    ReadUncommitted,
    ReleasesReadsAtCommit,
    ReplicaReadsAnyPrefix,
    ShortReadLocks,
    SnapshotIsolation,
    TwoPhaseLocking,
    Tx,
    WriteSkew,
)

from tests.specs.figures import broken, explored

T, U, V = Tx
X, Y = Key


def on_call(spec: type[Isolation]) -> Isolation:
    """Two doctors look who is on call, and each takes the other's presence for granted."""
    run = spec()
    for t, own, other in ((T, X, Y), (U, Y, X)):
        run.begin(t)
        run.read(t, other)
        run.write(t, own)
    return run


def test_two_doctors_are_both_refused_and_the_next_one_is_not() -> None:
    run = on_call(Isolation)
    for t in (T, U):
        with pytest.raises(Disabled):
            run.commit(t)
        run.abort(t)
    run.begin(V)
    run.read(V, X)
    run.write(V, Y)
    run.commit(V)


def test_under_snapshot_isolation_both_go_home() -> None:
    run = on_call(SnapshotIsolation)
    run.commit(T)
    run.commit(U)
    assert run.rw(T, U) and run.rw(U, T)


def test_under_locking_they_wait_for_each_other() -> None:
    run = TwoPhaseLocking()
    for t, other in ((T, Y), (U, X)):
        run.begin(t)
        run.read(t, other)
    for t, own in ((T, X), (U, Y)):
        with pytest.raises(Disabled):
            run.write(t, own)
    run.abort(U)
    run.write(T, X)
    run.commit(T)


def test_a_statement_shows_the_deposit_and_not_the_fee() -> None:
    run = SnapshotIsolation()
    run.begin(T)
    run.read(T, X)
    run.read(T, Y)
    run.begin(U)
    run.write(U, Y)
    run.commit(U)
    run.begin_at_replica(V, Number(1))
    run.read(V, X)
    run.read(V, Y)
    run.commit(V)
    run.write(T, X)
    run.commit(T)
    assert run.reads[V] == {Read(X, None), Read(Y, U)}
    assert not run.no_read_only_anomaly(V, T, U) and not run.serializable({T, U, V})
    assert run.serializable({T, U})


def test_a_replica_waits_for_the_withdrawal() -> None:
    run = Isolation()
    run.begin(T)
    run.read(T, X)
    run.begin(U)
    run.write(U, Y)
    run.commit(U)
    with pytest.raises(Disabled):
        run.begin_at_replica(V, Number(1))
    run.write(T, X)
    run.commit(T)
    run.begin_at_replica(V, Number(2))


def test_an_update_is_lost_between_a_read_and_a_write() -> None:
    run = ReadCommitted()
    for t in (T, U):
        run.begin(t)
        run.read(t, X)
    run.write(T, X)
    with pytest.raises(Disabled):
        run.write(U, X)
    run.commit(T)
    run.write(U, X)
    run.commit(U)
    assert not run.no_lost_update(T, U, X)


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (LostUpdate, ("no_lost_update", 7)),
        (ReadUncommitted, ("only_committed_is_read", 5)),
        (ReadSkew, ("snapshot_isolation", 7)),
        (WriteSkew, ("no_write_skew", 8)),
        (ReadOnlyAnomaly, ("no_read_only_anomaly", 11)),
        (ReplicaReadsAnyPrefix, ("serializable", 11)),
        (NoDangerousStructureCheck, ("serializable", 8)),
        (CommitsInTwoSteps, ("serializable", 14)),
        (ForgetsNewerVersions, ("serializable", 8)),
        (ReleasesReadsAtCommit, ("serializable", 8)),
        (ShortReadLocks, ("serializable", 7)),
    ],
)
def test_each_anomaly_is_found_as_a_shortest_run(spec: type[Spec], found: tuple[str, int]) -> None:
    assert broken(spec) == found


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (Isolation, (28_911, 88_520, 18)),
        (SnapshotIsolation, (29_406, 92_056, 18)),
        (ReadCommitted, (155_554, 388_270, 24)),
        (TwoPhaseLocking, (43_228, 114_913, 18)),
    ],
)
def test_what_a_level_promises_holds_of_three_transactions(spec: type[Spec], found: tuple[int, int, int]) -> None:
    assert explored(spec) == found


@pytest.mark.library
@pytest.mark.parametrize("spec", [Isolation, TwoPhaseLocking])
def test_both_engines_explore_the_same_states(spec: type[Spec]) -> None:
    small = spec.bounded(Tx=2)
    assert explored(small, "native") == explored(small, "reference")


# Histories: what clients saw, judged without a look at the specification's own graph


ACTIONS = {
    "begin": ("t",),
    "begin_at_replica": ("t", "n"),
    "read": ("t", "k"),
    "write": ("t", "k"),
    "check": ("t",),
    "commit": ("t",),
    "abort": ("t",),
}
OFTEN = {"begin": 6, "begin_at_replica": 2, "read": 9, "write": 6, "commit": 3, "abort": 1}
"""How often each is tried in a drawn run."""


class Clients:
    """A run, and the record of it: keys are lists, a write appends the name of its transaction."""

    def __init__(self, spec: type[Isolation]) -> None:
        self.run = spec()
        self.clock = 0
        self.steps: dict[Tx, list[tuple[str, str, object]]] = {t: [] for t in Tx}
        self.begun: dict[Tx, int] = {}
        self.ended: dict[Tx, int] = {}

    def act(self, action: str, t: Tx, k: Key | None = None, n: int = 0) -> None:
        run = self.run
        found = () if k is None else self.versions(k, run.found(t, k))
        given = {"t": t, "k": k, "n": n}
        getattr(run, action)(*(given[name] for name in ACTIONS[action]))
        self.clock += 1
        if action.startswith("begin"):
            self.begun[t] = self.clock
        elif action == "read":
            self.steps[t].append(("r", str(k), found))
        elif action == "write":
            self.steps[t].append(("append", str(k), str(t)))
        elif action in ("commit", "abort"):
            self.ended[t] = self.clock

    def versions(self, k: Key, last: Tx | None) -> tuple[str, ...]:
        """The versions of a key up to one, which need not be committed."""
        run = self.run
        before = sorted((t for t in Tx if run.installed(t, k) and t != last), key=lambda t: run.number[t])
        if last is None:
            return ()
        return tuple(str(t) for t in (*before, last) if run.number[t] <= run.number[last] or run.number[last] == 0)

    def history(self) -> History:
        """The record, with a transaction at its end that reads everything, which shows the order of all versions."""
        done: list[Operation] = []
        failed: list[Operation] = []
        for t in self.begun:
            steps = tuple(self.steps[t])
            ended = self.ended.get(t, self.clock + self.begun[t])
            operation = Operation(0, str(t), "txn", steps, steps, self.begun[t], ended)
            (done if self.run.phase[t] == Phase.COMMITTED else failed).append(operation)
        all_versions = [("r", str(k), self.versions(k, self.run.latest(k, self.run.log))) for k in Key]
        done.append(Operation(0, "auditor", "txn", tuple(all_versions), tuple(all_versions), 10_000, 10_001))
        return History.of(done, failed)

    def found(self) -> dict[str, bool]:
        """What the specification says of its own run, by the levels' names."""
        run = self.run
        clean = all(run.only_committed_is_read(t) for t in Tx)
        said = {
            "read-committed": clean and all(run.read_committed(c) for c in subsets()),
            "snapshot-isolation": clean and all(run.snapshot_isolation(c) for c in subsets()),
            "serializable": clean and all(run.serializable(c) for c in subsets()),
        }
        if len(run.at_replica) == 0:
            said["strict-serializable"] = clean and all(run.strict_serializable(c) for c in subsets())
        return said


def subsets() -> Iterator[set[Tx]]:
    return (set(c) for c in chain.from_iterable(combinations(Tx, size) for size in range(len(Tx) + 1)))


def drawn(spec: type[Isolation], seed: int) -> Clients:
    clients, random = Clients(spec), Random(seed)
    for action in random.choices([*OFTEN], [*OFTEN.values()], k=60):
        t, k, n = random.choice(list(Tx)), random.choice(list(Key)), random.randint(0, clients.run.log)
        with suppress(Disabled):
            clients.act(action, t, k if action in ("read", "write") else None, n)
    return clients


PROMISED = {
    Isolation: "serializable",
    TwoPhaseLocking: "serializable",
    SnapshotIsolation: "snapshot-isolation",
    ReadCommitted: "read-committed",
}
LOST = {
    ReadUncommitted: ("read-committed", "G1a: aborted read"),
    ReadSkew: ("snapshot-isolation", "G-single: read skew"),
    LostUpdate: ("snapshot-isolation", "G-single: read skew"),
    WriteSkew: ("serializable", "G2-item: write skew"),
    ReadOnlyAnomaly: ("serializable", "G2-item: write skew"),
    ReplicaReadsAnyPrefix: ("serializable", "G2-item: write skew"),
    NoDangerousStructureCheck: ("serializable", "G2-item: write skew"),
    CommitsInTwoSteps: ("serializable", "G2-item: write skew"),
    ForgetsNewerVersions: ("serializable", "G2-item: write skew"),
    ReleasesReadsAtCommit: ("serializable", "G2-item: write skew"),
    ShortReadLocks: ("serializable", "G-single: read skew"),
}
"""Which level is lost, and the anomaly as a cycle: a lost update is a read skew (one rw) of a single key, and a read-only anomaly
has two rw in a row, as a write skew has."""


@pytest.mark.parametrize("spec", LOST)
def test_of_each_shortest_run_clients_saw_the_anomaly(spec: type[Isolation]) -> None:
    outcome = check(spec)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    clients = Clients(spec)
    for step in outcome.trace.steps:
        given = step.arguments
        t = next(t for t in Tx if str(t) == given["t"])
        k = next((k for k in Key if str(k) == given.get("k")), None)
        clients.act(step.action, t, k, int(str(given.get("n", 0))))
    level, anomaly = LOST[spec]
    assert not clients.found()[level]
    verdict = judge(clients.history(), level)
    assert isinstance(verdict, consistency.Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.anomaly == anomaly


@pytest.mark.parametrize("spec", [*PROMISED, ReadUncommitted, ReadSkew, WriteSkew, NoDangerousStructureCheck])
def test_of_drawn_runs_clients_say_what_the_specification_says(spec: type[Isolation]) -> None:
    verdicts: Counter[tuple[str, bool]] = Counter()
    for seed in range(100):
        clients = drawn(spec, seed)
        history = clients.history()
        for level, expected in clients.found().items():
            verdict = judge(history, level)
            assert isinstance(verdict, consistency.Satisfied if expected else consistency.Violated), (seed, verdict)
            verdicts[level, expected] += 1
    level = PROMISED.get(spec) or LOST[spec][0]
    assert verdicts[level, True] > 70
    assert (verdicts[level, False] == 0) == (spec in PROMISED)
