"""Jepsen's bank, set-full, long-fork and monotonic: judged as their definitions say, pair by pair."""

from __future__ import annotations

from itertools import permutations

import pytest
from histories import histories
from hypothesis import given
from quorate.consistency import HistoryError, Satisfied, Violated, judge
from quorate.consistency.history import History, Operation
from quorate.consistency.values import Map
from quorate.consistency.verdict import Cycle


def right(history: History, workload: str) -> bool:
    verdict = judge(history, workload)
    assert isinstance(verdict, Satisfied | Violated)
    return isinstance(verdict, Satisfied)


@given(
    histories(
        [("add", None, n, None) for n in (1, 2, 3)] + [("read", None, None, r) for r in ((), (1,), (1, 2), (2, 3))]
    )
)
def test_set_full_is_what_is_known_before_a_read(drawn: History) -> None:
    added = [o.argument for o in drawn if o.function == "add"]
    if len(set(added)) < len(added):
        return
    good = True
    reads = [o for o in drawn if o.function == "read" and not o.pending]
    for r in reads:
        for add in (o for o in drawn if o.function == "add"):
            seen_before = any(add.argument in q.result and q.precedes(r) for q in reads)
            good &= add.argument in r.result or not (add.precedes(r) or seen_before)
            good &= add.argument not in r.result or not r.precedes(add)
        good &= set(r.result) <= set(added)
    assert right(drawn, "set-full") == good


@given(histories([(f, None, None, n) for f in ("inc", "read") for n in (0, 1, 2)]))
def test_monotonic_compares_every_pair_that_does_not_overlap_and_all_increments(drawn: History) -> None:
    told = [o for o in drawn if not o.pending]
    good = not any(
        (a.precedes(b) and (b.result < a.result or (b.result == a.result and b.function == "inc")))
        or (a.function == b.function == "inc" and a.result == b.result)
        for a, b in permutations(told, 2)
    )
    assert right(drawn, "monotonic") == good


def reads_of(*seen: tuple[int | None, int | None]) -> History:
    writes = [(("w", "x", 1),), (("w", "y", 1),)]
    steps = [*writes, *((("r", "x", x), ("r", "y", y)) for x, y in seen)]
    return History.of(Operation(0, n, "txn", s, s, n, 100 + n) for n, s in enumerate(steps))


def test_a_long_fork_is_two_reads_that_each_miss_what_the_other_saw() -> None:
    values = [(None, None), (1, None), (None, 1), (1, 1)]
    for chosen in permutations(values, 3):
        assert right(reads_of(*chosen), "long-fork") == (not {(1, None), (None, 1)} <= set(chosen))
    verdict = judge(reads_of((1, None), (None, 1)), "long-fork")
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.explanation == "T2 sees x and not y; T3 sees it the other way round."
    assert not right(reads_of((7, None)), "long-fork")


def test_a_bank_has_one_total() -> None:
    def read(n: int, **balances: object) -> Operation:
        return Operation(0, n, "read", None, Map(frozenset(balances.items())), 2 * n, 2 * n + 1)

    transfer = Operation(0, 9, "transfer", Map(frozenset({("amount", 3)})), None, 50, 51)
    assert right(History.of([read(0, a=5, b=5), read(1, a=2, b=8), transfer]), "bank")
    assert not right(History.of([read(0, a=5, b=5), read(1, a=2, b=9)]), "bank")
    assert right(History.of([read(0, a=5, b=5), read(1, a=-1, b=11)]), "bank")


@pytest.mark.parametrize(
    ("workload", "operations"),
    [
        ("bank", [("read", Map(frozenset({("a", 1)}))), ("read", Map(frozenset({("a", 2)})))]),
        ("set-full", [("add", 1), ("read", ())]),
        ("monotonic", [("inc", 5), ("inc", 5)]),
    ],
)
def test_each_key_is_an_object_of_its_own(workload: str, operations: list[tuple[str, object]]) -> None:
    def keyed(*keys: str) -> History:
        return History.of(
            Operation(0, 0, function, value, value, 2 * n, 2 * n + 1, key)
            for n, ((function, value), key) in enumerate(zip(operations, keys, strict=True))
        )

    assert right(keyed("x", "y"), workload) and not right(keyed("x", "x"), workload)


REFUSED = [
    ("bank", Operation(0, 0, "read", None, 5, 0, 1)),
    ("bank", Operation(0, 0, "read", None, Map(frozenset({("a", True)})), 0, 1)),
    ("bank", Operation(0, 0, "write", 5, None, 0, 1)),
    ("set-full", Operation(0, 0, "read", None, (1, 1), 0, 1)),
    ("set-full", Operation(0, 0, "read", None, 1, 0, 1)),
    ("long-fork", Operation(0, 0, "txn", (("w", "x", 1), ("w", "y", 1)), (("w", "x", 1), ("w", "y", 1)), 0, 1)),
    ("long-fork", Operation(0, 0, "txn", (("append", "x", 1),), (("append", "x", 1),), 0, 1)),
    ("monotonic", Operation(0, 0, "inc", None, None, 0, 1)),
    ("monotonic", Operation(0, 0, "inc", None, True, 0, 1)),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_a_workload_does_not_have_is_refused(number: int) -> None:
    workload, operation = REFUSED[number]
    with pytest.raises(HistoryError):
        judge(History.of([operation]), workload)
