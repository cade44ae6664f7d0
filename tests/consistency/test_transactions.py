"""The levels for transactions agree with brute force, and name their anomalies."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate.consistency import Satisfied, Violated, judge
from quorate.consistency.history import History, Operation
from quorate.consistency.transactions.rules import RULES
from quorate.consistency.verdict import Cycle
from transaction_oracles import COVERED, TRANSACTION_LEVELS


def history(*transactions: tuple[int, list[tuple[str, str, object]]], overlapping: bool = True) -> History:
    """One transaction per (process, steps), all at the same time or one after another."""
    found = []
    for number, (process, steps) in enumerate(transactions):
        invoked, returned = (number, number + len(transactions)) if overlapping else (2 * number, 2 * number + 1)
        found.append(Operation(number, process, "txn", tuple(steps), tuple(steps), invoked, returned))
    return History.of(found)


def anomaly(h: History, level: str) -> str:
    verdict = judge(h, level)
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle), verdict
    return verdict.evidence.anomaly


@st.composite
def transactions(draw: st.DrawFn, lists: bool, count_max: int = 4) -> History:
    """Transactions whose reads are drawn from what some order of the writes could show."""
    count = draw(st.integers(1, count_max))
    keys = ["x", "y"]
    kinds = draw(st.sampled_from([["r", "write"], ["r", "write", "rp"]]))
    shapes = [
        draw(st.lists(st.tuples(st.sampled_from(kinds), st.sampled_from(keys)), min_size=1, max_size=3))
        for _ in range(count)
    ]
    written: dict[str, list[int]] = {key: [] for key in keys}
    for shape in shapes:
        for function, key in shape:
            if function == "write":
                written[key].append(len(written[key]) + 1)
    final = {
        key: tuple(draw(st.permutations(values))) if draw(st.booleans()) else tuple(values)
        for key, values in written.items()
    }

    def read(key: str) -> object:
        if lists:
            return final[key][: draw(st.integers(0, len(final[key])))]
        return draw(st.sampled_from([None, *final[key]]))

    fresh = {key: iter(values) for key, values in written.items()}
    found, failed, position = [], [], 0
    events = draw(st.permutations([n for n in range(count) for _ in range(2)]))
    spans: dict[int, list[int]] = {}
    for position, n in enumerate(events):
        spans.setdefault(n, []).append(position)
    busy: dict[int, int] = {}
    for n in sorted(range(count), key=lambda n: spans[n][0]):
        steps = []
        for function, key in shapes[n]:
            if function == "write":
                steps.append(("append" if lists else "w", key, next(fresh[key])))
            elif function == "rp":
                predicate = draw(st.sampled_from(list(COVERED)))
                shown = [(k, v) for k in COVERED[predicate] if (v := read(k))]
                steps.append(("rp", predicate, tuple(shown)))
            else:
                steps.append(("r", key, read(key)))
        process = draw(st.sampled_from([p for p in range(count) if busy.get(p, -1) < spans[n][0]][:2]))
        fate = draw(st.sampled_from(["ok"] * 6 + ["pending", "failed"]))
        returned = None if fate == "pending" else spans[n][1]
        busy[process] = 99 if returned is None else returned
        operation = Operation(n, process, "txn", tuple(steps), tuple(steps), spans[n][0], returned)
        (failed if fate == "failed" else found).append(operation)
    return History.of(found, failed)


def check(h: History, level: str) -> None:
    verdict = judge(h, level)
    expected = Satisfied if TRANSACTION_LEVELS[level](h) else Violated
    assert isinstance(verdict, expected), (
        verdict,
        [(o.process, o.argument, o.invoked, o.returned) for o in h],
        h.failed,
    )


@pytest.mark.slow
@pytest.mark.parametrize("lists", [True, False], ids=["lists", "registers"])
def test_all_levels_agree_with_brute_force_on_three_transactions(lists: bool) -> None:
    @settings(max_examples=600)
    @given(transactions(lists, 3))
    def agree(h: History) -> None:
        for level in TRANSACTION_LEVELS:
            check(h, level)

    agree()


@pytest.mark.slow
@pytest.mark.parametrize("lists", [True, False], ids=["lists", "registers"])
def test_levels_without_snapshots_agree_with_brute_force_on_four(lists: bool) -> None:
    @settings(max_examples=300)
    @given(transactions(lists, 4))
    def agree(h: History) -> None:
        for level in TRANSACTION_LEVELS:
            if not RULES[level].snapshot:
                check(h, level)

    agree()
