"""The levels for transactions agree with brute force, and name their anomalies."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quorate.consistency import Satisfied, Violated, judge
from quorate.consistency.history import History, Operation
from quorate.consistency.verdict import Cycle
from transaction_oracles import TRANSACTION_LEVELS

DRAWN = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


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
    shapes = [
        draw(st.lists(st.tuples(st.sampled_from(["r", "write"]), st.sampled_from(keys)), min_size=1, max_size=3))
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
            elif lists:
                steps.append(("r", key, final[key][: draw(st.integers(0, len(final[key])))]))
            else:
                steps.append(("r", key, draw(st.sampled_from([None, *final[key]]))))
        process = draw(st.sampled_from([p for p in range(count) if busy.get(p, -1) < spans[n][0]][:2]))
        fate = draw(st.sampled_from(["ok"] * 6 + ["pending", "failed"]))
        returned = None if fate == "pending" else spans[n][1]
        busy[process] = 99 if returned is None else returned
        operation = Operation(n, process, "txn", tuple(steps), tuple(steps), spans[n][0], returned)
        (failed if fate == "failed" else found).append(operation)
    return History.of(found, failed)


@pytest.mark.slow
@pytest.mark.parametrize("lists", [True, False], ids=["lists", "registers"])
@pytest.mark.parametrize("level", TRANSACTION_LEVELS)
def test_levels_agree_with_brute_force(level: str, lists: bool) -> None:
    count_max = 3 if "snapshot" in level or level == "prefix" else 4

    @settings(DRAWN, max_examples=250)
    @given(transactions(lists, count_max))
    def agree(h: History) -> None:
        verdict = judge(h, level)
        expected = Satisfied if TRANSACTION_LEVELS[level](h) else Violated
        assert isinstance(verdict, expected), (
            verdict,
            [(o.process, o.argument, o.invoked, o.returned) for o in h],
            h.failed,
        )

    agree()
