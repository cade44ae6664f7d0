"""Impossible reads are those of histories that are not linearizable, and are found where a search is too much."""

from __future__ import annotations

import random
from dataclasses import replace

from quorate.consistency import Limits, Satisfied, Violated, judge
from quorate.consistency.history import History
from quorate.consistency.impossible import impossible_read
from quorate.consistency.models import Register
from quorate.consistency.verdict import Cycle

from bench.history import recorded


def drawn(seed: int) -> History:
    rng = random.Random(seed)
    history = recorded(Register(), rng.randint(4, 14), 3, 1, seed, crashes=0.1)
    values = [None, *range(5), 9]
    return History(
        tuple(
            replace(o, result=rng.choice(values))
            if o.function == "read" and not o.pending and rng.random() < 0.2
            else o
            for o in history
        )
    )


def test_a_history_with_an_impossible_read_is_not_linearizable() -> None:
    found = missed = 0
    for seed in range(400):
        history = drawn(seed)
        right = isinstance(judge(history, "linearizable", Register(), Limits(native=False)), Satisfied)
        impossible = impossible_read(history.operations, None) is not None
        assert not (impossible and right), history
        found += impossible
        missed += not impossible and not right
    assert found > 100 and missed < found


def test_where_the_search_hits_its_limit_an_impossible_read_is_a_violation() -> None:
    history = recorded(Register(), 400, 30, 1, seed=1)
    late = max(o.index for o in history if o.function == "read")
    spoiled = History(tuple(replace(o, result=77) if o.index == late else o for o in history))
    verdict = judge(spoiled, "linearizable", Register(), Limits(configurations=300))
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.explanation.endswith("reads 77, which nobody had begun to write when it returned.")
