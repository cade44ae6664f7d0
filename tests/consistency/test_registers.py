"""Registers whose reads name their writers: the quick procedures agree with brute force, at any length of a witness, and
long histories are judged in time proportional to them."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import permutations, product

import pytest
from histories import histories, of_sessions
from hypothesis import given, settings
from oracles import OBJECT_LEVELS
from quorate.consistency import Limits, Satisfied, Unknown, Violated, judge, orders, registers
from quorate.consistency.history import History, Operation
from quorate.consistency.models import KeyValueMap, Register
from quorate.consistency.search import pack
from quorate.consistency.verdict import Unorderable
from test_evidence import _until
from test_objects import REGISTER, agrees

from bench.history import recorded


def numbered(history: History) -> History:
    """Each write with a value of its own; reads keep theirs, so that they may read what another wrote, or nobody."""
    fresh = iter(range(1, 20))
    return History(tuple(replace(o, argument=next(fresh)) if o.function == "write" else o for o in history))


READS = [("read", key, None, result) for key in "xy" for result in (None, 1, 2, 3)]
ALPHABET = [*(c for c in REGISTER if c[0] == "write"), *READS]
LEVELS = sorted(OBJECT_LEVELS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "listed", [pytest.param(0, id="compact"), pytest.param(300, id="listed", marks=pytest.mark.deep)]
)
@pytest.mark.parametrize("level", LEVELS)
def test_levels_of_registers_with_distinct_values_agree_with_brute_force(
    level: str, listed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers, "LISTED_MAX", listed)

    @settings(max_examples=150)
    @given(histories(ALPHABET, operations_max=5 if "causal" not in level else 4))
    def agree(history: History) -> None:
        agrees(numbered(history), level, Register())

    agree()


@pytest.mark.parametrize("level", ["linearizable", "sequential", "regular", "safe"])
def test_all_small_histories_of_one_register_agree_with_brute_force(level: str) -> None:
    """Two writes and two reads of one register in two processes, in every interleaving."""
    shapes = [["wr", "wr"], ["ww", "rr"], ["wr", "rw"], ["rw", "wr"]]
    orders = sorted(set(permutations([0, 0, 0, 0, 1, 1, 1, 1])))
    for shape, results in product(shapes, product([None, 1, 2], repeat=2)):
        told, fresh = iter(results), iter([1, 2])
        sessions = [
            [("write", None, next(fresh), None) if c == "w" else ("read", None, None, next(told)) for c in own]
            for own in shape
        ]
        for order in orders:
            agrees(of_sessions(sessions, list(order)), level, Register())


@given(histories([c for c in ALPHABET if c[1] == "x"], operations_max=6))
def test_the_prefix_ends_with_the_impossible_answer_and_the_core_is_impossible_alone(drawn: History) -> None:
    history, model = numbered(drawn), Register()
    verdict = judge(history, "linearizable", model)
    if isinstance(verdict, Satisfied):
        return
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable)
    shown = verdict.evidence
    linearizable = OBJECT_LEVELS["linearizable"]
    returns = sorted(o.returned for o in history if o.returned is not None)
    first = next(end for end in returns if not linearizable(_until(history, end), model))
    assert max(o.returned for o in shown.prefix if o.returned is not None) == first
    assert [o.returned for o in shown.stuck] == [first]
    core = {o.index for o in shown.core}
    for left_out in (None, *core) if shown.minimal else (None,):
        kept = [
            o if o.index in core - {left_out} else replace(o, returned=None, result=None, process=100 + o.index)
            for o in shown.prefix
            if o.index in core - {left_out} or o.function == "write"
        ]
        assert linearizable(History(tuple(kept)), model) == (left_out is not None)


def one_writes_and_one_reads(count: int, stale_at: int | None) -> History:
    """Process 0 writes 1, 2, 3, ... and process 1 reads each; at `stale_at` it reads what was written ten before."""
    found = []
    for n in range(1, count + 1):
        told = n - 10 if n == stale_at else n
        found.append(Operation(0, 0, "write", n, None, 4 * n, 4 * n + 1))
        found.append(Operation(0, 1, "read", None, told, 4 * n + 2, 4 * n + 3))
    return History.of(found)


def test_of_a_long_history_the_prefix_that_ends_with_the_impossible_read_is_shown_in_seconds() -> None:
    history = one_writes_and_one_reads(32_000, stale_at=16_000)
    started = time.process_time()
    verdict = judge(history, "linearizable")
    assert time.process_time() - started < 20
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable)
    assert len(verdict.evidence.prefix) == 32_000
    assert verdict.evidence.explanation.startswith(
        "read() = 15990 of process 1 reads 15990 after 15991 had overwritten it, and write(15991) of process 0 was finished "
        "before this read began"
    )
    assert [str(o) for o in verdict.evidence.core] == ["write(15990)", "write(15991)", "read() = 15990"]


@pytest.mark.parametrize("level", [name for name in LEVELS if name != "sequential"])
def test_polynomial_levels_judge_thousands_of_operations(level: str) -> None:
    for stale_at in (None, 1_500):
        verdict = judge(one_writes_and_one_reads(2_000, stale_at), level)
        lasting = level in ("convergent", "read-your-writes", "writes-follow-reads", "monotonic-writes")
        expected = Satisfied if stale_at is None or lasting or level == "monotonic-reads" else Violated
        assert isinstance(verdict, expected), verdict


def test_sequential_needs_no_search_where_one_order_of_writes_is_behind_the_answers() -> None:
    """Two writers, and readers that lag behind by different amounts: not linearizable, and sequential."""
    found, position = [], 0
    for n in range(1, 1_500):
        for process, function, value in ((n % 2, "write", n), (2, "read", n), (3, "read", max(n - 7, 0) or None)):
            argument, result = (value, None) if function == "write" else (None, value)
            found.append(Operation(0, process, function, argument, result, position, position + 1))
            position += 2
    history = History.of(found)
    assert isinstance(judge(history, "linearizable"), Violated)
    assert isinstance(judge(history, "sequential"), Satisfied)


def test_more_causal_pasts_than_memory_are_unknown() -> None:
    verdict = judge(one_writes_and_one_reads(2_000, None), "causal", Register(), Limits(memory_bytes=1 << 20))
    assert isinstance(verdict, Unknown) and "memory" in verdict.reason


def test_a_read_of_what_nobody_wrote_is_told_also_where_causal_pasts_need_too_much_memory() -> None:
    """3/8 of a byte for each pair of operations is too much for causal pasts, and 1/4 is not for what must come first."""
    writes = [Operation(0, 0, "write", n, None, 2 * n, 2 * n + 1) for n in range(99)]
    history = History.of([*writes, Operation(0, 1, "read", None, -7, 300, 301)])
    verdict = judge(history, "sequential", Register(), Limits(memory_bytes=3_000))
    assert isinstance(verdict, Violated)


def test_a_deleted_key_holds_what_an_absent_one_holds() -> None:
    sessions = [[("put", "k", 1, None), ("delete", "k", None, None), ("get", "k", None, 0)]]
    for level in ("linearizable", "causal", "regular", "sequential", "convergent"):
        assert isinstance(judge(of_sessions(sessions), level, KeyValueMap().starting(0)), Satisfied)
        assert isinstance(judge(of_sessions(sessions), level, KeyValueMap()), Violated)


def test_a_delete_in_doubt_may_have_taken_effect() -> None:
    """Not linearizable for another reason (a stale read of another key), and sequential only with the delete."""
    sessions = [
        [("put", "k", 1, None), ("get", "k", None, 1), ("get", "k", None, 0)],
        [("delete", "k", None, None)],
        [("put", "j", 1, None)],
        [("get", "j", None, 0)],
    ]
    order = [0, 0, 1, 0, 0, 0, 0, 2, 2, 3, 3]
    history = of_sessions(sessions, order, frozenset({1}))
    assert isinstance(judge(history, "linearizable", KeyValueMap().starting(0)), Violated)
    assert isinstance(judge(history, "sequential", KeyValueMap().starting(0)), Satisfied)


@pytest.mark.slow
def test_twenty_thousand_operations_of_thirty_processes_on_one_register_are_decided() -> None:
    history = recorded(Register(), 20_000, clients=30, keys=1, seed=1)
    assert isinstance(judge(history, "linearizable"), Satisfied)


def test_a_write_in_doubt_that_was_read_took_effect_after_it_was_invoked() -> None:
    """Process 2 reads 2 and process 3 then still 1, before and after which 2 was begun."""
    found = [
        Operation(0, 0, "write", 1, None, 0, 1),
        Operation(0, 2, "read", None, 2, 2, 9),
        Operation(0, 3, "read", None, 1, 3, 4),
        Operation(0, 1, "write", 2, None, 5, None),
    ]
    assert isinstance(judge(History.of(found), "linearizable"), Satisfied)
    late = Operation(0, 4, "read", None, 1, 10, 11)
    assert isinstance(judge(History.of([*found, late]), "linearizable"), Violated)


def with_doubt(seed: int) -> History:
    """Operations of three clients on one register that take effect at a random moment, some without an answer, some of
    whose reads are stale."""
    rng = random.Random(seed)
    history = recorded(Register(), rng.choice([8, 14, 30]), 3, 1, seed, crashes=0.2)
    fresh = {o.index: n for n, o in enumerate(history, 1) if o.function == "write"}
    shown: dict[object, int] = {}
    told: list[int | None] = [None]
    found = []
    for o in history:
        if o.function == "write":
            shown[o.argument] = fresh[o.index]
            told.append(fresh[o.index])
            found.append(replace(o, argument=fresh[o.index]))
        else:
            stale = rng.random() < 0.15
            result = rng.choice(told) if stale else shown.get(o.result)
            found.append(replace(o, result=None if o.pending else result))
    return History(tuple(found))


def test_zones_and_the_search_agree_on_writes_in_doubt() -> None:
    for seed in range(300):
        history = with_doubt(seed)
        searched = orders._each_part({None: history.operations}, Register(), Limits(), pack_as=pack)
        assert isinstance(judge(history, "linearizable"), Satisfied) == (searched.order is not None), seed


def lagging(seed: int) -> History:
    """Forty operations of three processes on two registers, some of which read what was overwritten."""
    rng = random.Random(seed)
    store: dict[int, list[int | None]] = {0: [None], 1: [None]}
    found = []
    for n in range(40):
        key, process = rng.randrange(2), rng.randrange(3)
        if rng.random() < 0.5:
            store[key].append(n)
            found.append(Operation(0, process, "write", n, None, 2 * n, 2 * n + 1, key))
        else:
            told = store[key][-1] if rng.random() < 0.7 else store[key][max(len(store[key]) - 3, 0)]
            found.append(Operation(0, process, "read", None, told, 2 * n, 2 * n + 1, key))
    return History.of(found)


def test_witnesses_of_longer_histories_pass_both_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order of one session may have a write before answers that have not seen it."""
    for seed in range(150):
        history = lagging(seed)
        for level in ("causal", "causal-memory", "causal-convergence"):
            verdicts = []
            for listed in (0, 300):
                monkeypatch.setattr(registers, "LISTED_MAX", listed)
                verdicts.append(judge(history, level).verdict)
            assert verdicts[0] == verdicts[1] != "unknown"
