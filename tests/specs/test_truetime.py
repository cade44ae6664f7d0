"""Timestamps in real time: runs by hand, what is recorded of explorations, histories that clients saw, and the proof for any size."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any, ClassVar

import pytest
from quorate import Disabled, Spec, consistency
from quorate.consistency import History, Operation, judge
from quorate.language.system import System
from quorate.outcome import Proven
from quorate.prove.proof import Task, prove
from quorate_specs.transactions.truetime import (
    CausalReverse,
    Group,
    IgnoresPrepared,
    NoClockAtCommit,
    NoCommitWait,
    OneClockIsSlow,
    Outcome,
    ParticipantBelowLast,
    Phase,
    Prepare,
    Reader,
    ReadsTooEarly,
    SerializableWithSlowClock,
    StrictSerializability,
    SuccessorForgetsPromise,
    Time,
    Truetime,
    Tx,
)

from tests.specs.claims import agreed
from tests.specs.figures import broken, explored

T, U = Tx
(R,) = Reader
G, H = Group


def prepared(spec: type[Truetime]) -> Truetime:
    """A transaction in both groups, of which one has prepared."""
    run = spec()
    run.begin(T, {G, H}, G)
    run.prepare(H, Prepare(T, H))
    return run


def test_an_answer_waits_until_the_timestamp_has_passed_on_every_clock() -> None:
    run = Truetime()
    run.begin(T, {G}, G)
    run.commit(T, G, Time(0))
    assert (run.stamp[T], run.phase[T]) == (1, Phase.WAITING)
    for now in range(3):
        with pytest.raises(Disabled):
            run.answer(T, G, Time(now))
        run.tick()
    run.answer(T, G, Time(3))
    run.begin(U, {H}, H)
    run.commit(U, H, Time(2))
    assert run.stamp[U] == 3


def test_a_reader_waits_for_what_is_prepared_and_not_for_what_comes_later() -> None:
    run = prepared(Truetime)
    run.start(R, Time(0), G)
    with pytest.raises(Disabled):
        run.read(R, H, Time(1))
    run.read(R, G, Time(1))
    run.commit(T, G, Time(0))
    assert run.stamp[T] == 2


def test_a_reader_that_does_not_wait_misses_what_is_committed_elsewhere() -> None:
    run = prepared(IgnoresPrepared)
    run.start(R, Time(1), G)
    run.read(R, H, Time(2))
    run.commit(T, G, Time(0))
    assert run.stamp[T] == 1 and not run.snapshots_are_complete(R, H, T)


def test_an_aborted_participant_is_free_and_does_not_prepare_again() -> None:
    run = prepared(Truetime)
    run.abort(T)
    run.learn(H, Outcome(T, None))
    assert run.lock[H] is None
    with pytest.raises(Disabled):
        run.prepare(H, Prepare(T, H))


def test_a_new_leader_waits_for_the_end_of_the_lease() -> None:
    run = Truetime()
    run.start(R, Time(1), G)
    run.read(R, G, Time(2))
    with pytest.raises(Disabled):
        run.change_leader(G, Time(1))
    early = SuccessorForgetsPromise()
    early.start(R, Time(1), G)
    early.read(R, G, Time(2))
    early.change_leader(G, Time(1))
    assert early.promised[G] == 0


@pytest.mark.library
@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (NoCommitWait, ("external_consistency", 5)),
        (CausalReverse, ("no_effect_without_its_cause", 9)),
        (OneClockIsSlow, ("external_consistency", 7)),
        (NoClockAtCommit, ("external_consistency", 7)),
        (ParticipantBelowLast, ("snapshots_are_complete", 4)),
        (SuccessorForgetsPromise, ("snapshots_are_complete", 5)),
        (IgnoresPrepared, ("snapshots_are_complete", 4)),
        (ReadsTooEarly, ("snapshots_are_recent", 6)),
    ],
)
def test_shortest_counterexamples_keep_their_lengths(spec: type[Spec], found: tuple[str, int]) -> None:
    assert broken(spec) == found


def test_what_is_promised_holds_of_two_writers_and_a_reader() -> None:
    assert explored(Truetime) == explored(StrictSerializability) == (382_976, 1_450_083, 19)


@pytest.mark.library
@pytest.mark.parametrize("spec", [Truetime, StrictSerializability, SerializableWithSlowClock])
def test_both_engines_explore_the_same_states(spec: type[Spec]) -> None:
    assert agreed(spec.bounded(Tx=1, Time=3))[0] == "not-judged"  # What takes two writers is not reached.


@pytest.mark.slow
def test_external_consistency_and_complete_snapshots_are_proven_for_any_size() -> None:
    outcome: Any = prove(Task(Truetime, "truetime", "Truetime", any_size=True, seconds=30.0)).outcome
    assert isinstance(outcome, Proven), outcome


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "step"),
    [
        (NoCommitWait, ("answer", "answers_are_in_the_past")),
        (IgnoresPrepared, ("read", "promises_are_kept_in_mind")),
        *(
            pytest.param(spec, step, marks=pytest.mark.deep)
            for spec, step in (
                (NoClockAtCommit, ("commit", "external_consistency")),
                (OneClockIsSlow, ("commit", "external_consistency")),
                (ParticipantBelowLast, ("prepare", "promises_are_kept_in_mind")),
            )
        ),
    ],
)
def test_the_proof_breaks_where_the_variant_differs(spec: type[Spec], step: tuple[str, str]) -> None:
    assert step in prove(Task(spec, "truetime", spec.__name__, any_size=True, seconds=20.0)).breaks


# Histories: what clients saw, judged without a look at the specification's own timestamps


class UnwaitedHistory(NoCommitWait, StrictSerializability):
    """Nobody waits, and only whole histories are judged."""

    omits = ("external_consistency", "snapshots_are_recent", "no_effect_without_its_cause")


class TornRead(IgnoresPrepared, StrictSerializability):
    """Prepared transactions are ignored, and only whole histories are judged."""

    omits: ClassVar[tuple[str, ...]] = ("snapshots_are_complete",)


class SlowHistory(OneClockIsSlow, StrictSerializability):
    """A slow clock, and only whole histories are judged."""

    omits: ClassVar[tuple[str, ...]] = ("external_consistency",)


class Clients:
    """A drawn run, and the record of it: a group is a list, and a transaction appends its name to those in which it takes part."""

    def __init__(self, spec: type[StrictSerializability], seed: int) -> None:
        self.run, random = spec.bounded(Time=12)(), Random(seed)
        self.begun: dict[Tx | Reader, int] = {}
        self.ended: dict[Tx | Reader, int] = {}
        if isinstance(self.run, OneClockIsSlow):
            self.run.one_is_slow(G)
        for self.clock in range(400):
            t, g, c = random.choice([T, U]), random.choice([G, H]), Time(random.randint(0, 8))
            with suppress(Disabled):
                self.act(random.choices([*OFTEN], [*OFTEN.values()])[0], t, g, c, random.choice([{G}, {H}, {G, H}]))

    def act(self, action: str, t: Tx, g: Group, c: Time, among: set[Group]) -> None:
        run = self.run
        if action == "begin":
            run.begin(t, among, g)
            self.begun[t] = self.clock
        elif action == "prepare":
            run.prepare(g, Prepare(t, g))
        elif action == "commit":
            run.commit(t, g, c)
        elif action == "answer":
            run.answer(t, g, c)
            self.ended[t] = self.clock
        elif action == "learn":
            run.learn(g, Outcome(t, run.stamp[t]))
        elif action == "start":
            run.start(R, c, g)
            self.begun[R] = self.clock
        elif action == "read":
            run.read(R, g, c)
            if run.is_answered(R):
                self.ended[R] = self.clock
        elif run.now < 6:
            run.tick()

    def shown(self, found: set[Tx]) -> tuple[str, ...]:
        return tuple(str(t) for t in sorted(found, key=lambda t: self.run.stamp[t]))

    def history(self) -> History:
        """The record, with a transaction at its end that reads everything, which shows the order of all versions."""
        run, done, failed = self.run, [], []
        for t in Tx:
            if t in self.begun:
                steps = tuple(("append", str(g), str(t)) for g in sorted(run.participants[t], key=str))
                if run.is_committed(t):
                    done.append(Operation(0, str(t), "txn", steps, steps, self.begun[t], self.ended.get(t)))
                else:
                    failed.append(Operation(0, str(t), "txn", steps, steps, self.begun[t], 1_000 + self.begun[t]))
        if R in self.ended:
            seen = tuple(("r", str(g), self.shown(set(run.found[R][g]))) for g in Group)
            done.append(Operation(0, str(R), "txn", seen, seen, self.begun[R], self.ended[R]))
        everything = tuple(
            ("r", str(g), self.shown({t for t in Tx if run.is_committed(t) and g in run.participants[t]}))
            for g in Group
        )
        done.append(Operation(0, "auditor", "txn", everything, everything, 3_000, 3_001))
        return History.of(done, failed)


OFTEN = {"begin": 3, "prepare": 4, "commit": 4, "answer": 4, "learn": 4, "start": 1, "read": 6, "tick": 1}
"""How often each is tried."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "fails"),
    [
        (StrictSerializability, set()),
        pytest.param(UnwaitedHistory, {"strict-serializable"}, marks=pytest.mark.deep),
        pytest.param(SlowHistory, {"strict-serializable"}, marks=pytest.mark.deep),
        pytest.param(TornRead, {"serializable", "strict-serializable"}, marks=pytest.mark.deep),
    ],
)
def test_what_clients_saw_is_judged_as_the_specification_judges_it(
    spec: type[StrictSerializability], fails: set[str]
) -> None:
    verdicts: Counter[tuple[str, bool]] = Counter()
    subsets: list[set[Tx]] = [set(), {T}, {U}, {T, U}]
    with System(spec.bounded(Time=12)):
        for seed in range(300):
            clients = Clients(spec, seed)
            run, history = clients.run, clients.history()
            # A reader that has not been answered by all groups saw nothing.
            readers: list[set[Reader]] = [set(), {R}] if R in clients.ended else [set()]
            for level, holds in {
                "serializable": run.serializable,
                "strict-serializable": run.strict_serializable,
            }.items():
                expected = all(holds(c, r) for c in subsets for r in readers)
                verdict = judge(history, level)
                assert isinstance(verdict, consistency.Satisfied if expected else consistency.Violated), (seed, verdict)
                verdicts[level, expected] += 1
    assert {level for level, expected in verdicts if not expected} == fails
    assert all(verdicts[level, True] > 100 for level in ("serializable", "strict-serializable"))
