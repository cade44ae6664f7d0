"""The rungs of consistency: what each store allows, by its own properties and by the judge of recorded histories."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import Any

import pytest
from quorate import Disabled, Spec
from quorate.consistency import History, Limits, Satisfied, find_model, judge
from quorate.consistency import Operation as Recorded
from quorate.explore.graph import build
from quorate.language.system import System
from quorate_specs.consistency.consistency_ladder import (
    Causal,
    Client,
    ConsistencyLadder,
    Eventual,
    Kind,
    NoMonotonicReads,
    NoMonotonicWrites,
    NoReadYourWrites,
    NoWritesFollowReads,
    Operation,
    Replica,
    Sequential,
    Turn,
    Weak,
)

from tests.specs.claims import agreed, explored, shortest

PLAIN = Limits(native=False)
SESSION = ("read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads")
LEVELS = ("linearizable", "sequential", "causal", *SESSION)
"""From the top, by their names in `quorate history`."""
PROPERTIES = {
    "linearizable": "is_linearizable",
    "sequential": "is_sequential",
    "causal": "is_causal",
    "read-your-writes": "reads_its_writes",
    "monotonic-reads": "reads_are_monotonic",
    "monotonic-writes": "writes_are_monotonic",
    "writes-follow-reads": "writes_follow_reads",
}
Did = tuple[int, frozenset[int] | None]
"""Which client it was, and what it was shown; None if it posted."""


def posts(client: int) -> Did:
    return client, None


def reads(client: int, *shown: int) -> Did:
    return client, frozenset(shown)


LITMUS: dict[str, tuple[list[Did], set[str]]] = {
    "a post is read": ([posts(0), reads(1, 0)], set()),
    "a post is read later": ([posts(0), reads(1)], {"linearizable"}),
    "each reads its own post alone": ([posts(0), posts(1), reads(0, 0), reads(1, 1)], {"linearizable", "sequential"}),
    "one reads the posts of two in turn": ([posts(0), posts(1), reads(2, 1), reads(2, 0, 1)], {"linearizable"}),
    "a post is gone": ([posts(0), reads(0)], {"linearizable", "sequential", "causal", "read-your-writes"}),
    "time runs backwards": (
        [posts(0), reads(1, 0), reads(1)],
        {"linearizable", "sequential", "causal", "monotonic-reads"},
    ),
    "the second part is first": (
        [posts(0), posts(0), reads(1, 1)],
        {"linearizable", "sequential", "causal", "monotonic-writes"},
    ),
    "the answer is before the question": (
        [posts(0), reads(1, 0), posts(1), reads(2, 2)],
        {"linearizable", "sequential", "causal", "writes-follow-reads"},
    ),
    "nothing is kept": (
        [posts(0), posts(0), reads(0, 1), posts(0), reads(0, 3)],
        {
            "linearizable",
            "sequential",
            "causal",
            "read-your-writes",
            "monotonic-reads",
            "monotonic-writes",
            "writes-follow-reads",
        },
    ),
}
"""Histories with the levels that they violate. Posts have the numbers of their operations."""


def violated_by_the_judge(did: list[Did]) -> set[str]:
    """As `quorate history` judges a record of these operations, one after another."""
    recorded = [
        Recorded(k, client, "add", k, None, 2 * k, 2 * k + 1)
        if shown is None
        else Recorded(k, client, "read", None, tuple(sorted(shown)), 2 * k, 2 * k + 1)
        for k, (client, shown) in enumerate(did)
    ]
    history, model = History.of(recorded), find_model("set")
    return {level for level in LEVELS if not isinstance(judge(history, level, model, PLAIN), Satisfied)}


def violated_by_the_properties(system: System, did: list[Did]) -> set[str]:
    """As the properties of the spec judge a state with this history."""
    spec, clients = ConsistencyLadder(), list(Client)
    spec.history = [
        Operation(
            Turn(k), True, clients[client], Kind.POST if shown is None else Kind.READ, {Turn(p) for p in shown or ()}
        )
        for k, (client, shown) in enumerate(did)
    ]
    return {level for level, name in PROPERTIES.items() if not all(values(system, spec, name))}


def values(system: System, spec: Any, name: str) -> Iterator[bool]:
    """A property, for each choice of its parameters."""
    declared = next(method for method in system.of("invariant") if method.name == name)
    for arguments in system.choices(declared.parameters):
        yield getattr(spec, name)(*arguments)


def small(count: int) -> Iterator[list[Did]]:
    """All histories of so many operations of up to three clients, but for names: reads show any of the posts before."""

    def more(done: list[Did], clients: int) -> Iterator[list[Did]]:
        if len(done) == count:
            yield done
            return
        earlier = [k for k, (_, shown) in enumerate(done) if shown is None]
        subsets = chain.from_iterable(combinations(earlier, size) for size in range(len(earlier) + 1))
        for client, step in product(range(min(clients + 1, 3)), [None, *map(frozenset, subsets)]):
            yield from more([*done, (client, step)], max(clients, client + 1))

    return more([], 0)


@pytest.mark.parametrize("name", LITMUS)
def test_each_level_accepts_and_rejects_its_litmus_histories(name: str) -> None:
    did, violated = LITMUS[name]
    assert violated_by_the_judge(did) == violated
    with System(ConsistencyLadder) as system:
        assert violated_by_the_properties(system, did) == violated


def test_the_litmus_histories_accept_and_reject_at_each_level_and_separate_all_that_are_apart() -> None:
    for level in LEVELS:
        assert {level in violated for _, violated in LITMUS.values()} == {True, False}
    above = {(a, b) for a, b in product(LEVELS, repeat=2) if a != b and implies(a, b)}
    apart = {(a, b) for _, violated in LITMUS.values() for a in set(LEVELS) - violated for b in violated}
    assert apart == {(a, b) for a, b in product(LEVELS, repeat=2) if a != b} - above


def implies(a: str, b: str) -> bool:
    """The arrows of the ladder: down the first three rungs, and from there to each session guarantee."""
    return a == b or (a not in SESSION and LEVELS.index(a) < LEVELS.index(b))


@pytest.mark.slow
def test_all_small_histories_are_judged_alike_and_every_arrow_holds_among_them() -> None:
    """Causal consistency is the four session guarantees together."""
    judged = 0
    with System(ConsistencyLadder) as system:
        for did in chain.from_iterable(map(small, range(1, 5))):
            violated = violated_by_the_judge(did)
            assert violated_by_the_properties(system, did) == violated, did
            assert not any(b in violated and a not in violated for a, b in product(LEVELS, repeat=2) if implies(a, b))
            assert ("causal" in violated) == any(level in violated for level in SESSION)
            judged += 1
    assert judged == 1_030


RUNGS: list[tuple[type[ConsistencyLadder], set[str]]] = [
    (ConsistencyLadder, set()),
    (Sequential, {"linearizable"}),
    (Causal, {"linearizable", "sequential"}),
    (NoReadYourWrites, {"linearizable", "sequential", "causal", "read-your-writes"}),
    (NoMonotonicReads, {"linearizable", "sequential", "causal", "monotonic-reads"}),
    (NoMonotonicWrites, {"linearizable", "sequential", "causal", "monotonic-writes"}),
    (NoWritesFollowReads, {"linearizable", "sequential", "causal", "writes-follow-reads"}),
    (Eventual, set(LEVELS)),
]


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(("rung", "broken"), RUNGS, ids=[rung.__name__ for rung, _ in RUNGS])
def test_the_histories_of_a_rung_break_all_levels_above_it_and_none_below(
    rung: type[ConsistencyLadder], broken: set[str]
) -> None:
    with System(rung.bounded(Replica=2, Turn=3)) as system:
        clients = list(Client)
        histories = {state[system.index["history"]] for state in build(system, (Client, Replica)).states}
        violated: set[str] = set()
        for history in histories:
            violated |= violated_by_the_judge(
                [(clients.index(o.session), frozenset(o.shown) if o.kind == Kind.READ else None) for o in history]
            )
    assert violated == broken


def test_a_read_waits_for_what_its_rung_asks() -> None:
    for rung, waits in ((ConsistencyLadder, (True, True)), (Sequential, (False, True)), (Eventual, (False, False))):
        with System(rung):
            for reader, must_wait in zip((1, 0), waits, strict=True):
                spec, clients, r = rung(), list(Client), next(iter(Replica))
                spec.post(clients[0])
                if must_wait:
                    with pytest.raises(Disabled):
                        spec.read(clients[reader], r)
                    spec.deliver(r, Turn(0))
                spec.read(clients[reader], r)
                assert spec.history[-1].shown == ({0} if must_wait else set())


def test_a_post_waits_for_what_its_author_knew() -> None:
    for rung, waits in ((Sequential, True), (Causal, False)):
        with System(rung):
            spec, (a, b, _), r = rung(), Client, next(iter(Replica))
            spec.post(a)
            spec.post(b)
            if waits:
                with pytest.raises(Disabled):
                    spec.deliver(r, Turn(1))
            else:
                spec.deliver(r, Turn(1))
                assert spec.has[r] == {1}


def test_the_numbers_at_default_bounds() -> None:
    assert explored(ConsistencyLadder) == ("holds", 20_274, 56_941, 20)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(ConsistencyLadder.bounded(Replica=2, Turn=3)) == ("holds", 1_309, 2_632, 12)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (Sequential, "is_linearizable", 2),
        (Causal, "is_sequential", 6),
        (NoReadYourWrites, "reads_its_writes", 2),
        (NoMonotonicReads, "reads_are_monotonic", 4),
        (NoMonotonicWrites, "writes_are_monotonic", 4),
        (NoWritesFollowReads, "writes_follow_reads", 6),
        (Eventual, "is_causal", 2),
        (Weak, "converges", 3),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
