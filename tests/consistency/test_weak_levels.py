"""The levels between read uncommitted and repeatable read: what each allows and forbids, in the words of the evidence; and
reads by predicate."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate.consistency import HistoryError, Limits, Satisfied, Unknown, Violated, judge, read_history
from quorate.consistency.history import History, Operation
from quorate.consistency.models import Counter, KeyValueMap, MultiRegister, Register
from quorate.consistency.survey import holding, strongest, survey
from quorate.consistency.verdict import Cycle
from quorate.errors import UsageError
from test_transactions import history

from bench.history import appended

Steps = list[tuple[str, object, object]]


def of(*transactions: Steps, overlapping: bool = True) -> History:
    """Transactions of a process each."""
    return history(*enumerate(transactions), overlapping=overlapping)


def strongest_of(h: History) -> set[str]:
    return set(strongest(holding(survey(h))))


def evidence(h: History, level: str) -> Cycle:
    verdict = judge(h, level)
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle), verdict
    return verdict.evidence


LOST_UPDATE = of([("r", "x", None), ("w", "x", 1)], [("r", "x", None), ("w", "x", 2)])
FRACTURED = of([("w", "x", 1), ("w", "y", 1)], [("r", "x", 1), ("r", "y", None)])
LATE_SIGHT = of(
    [("append", "x", 1), ("append", "y", 1)],
    [("r", "y", ()), ("append", "x", 2)],
    [("r", "y", (1,)), ("r", "x", (1, 2))],
)
CAUSALITY = of([("w", "x", 1)], [("r", "x", 1), ("w", "y", 1)], [("r", "y", 1), ("r", "x", None)])
LONG_FORK = of([("w", "x", 1)], [("w", "y", 1)], [("r", "x", 1), ("r", "y", None)], [("r", "x", None), ("r", "y", 1)])
INTERMEDIATE = of([("w", "x", 1), ("w", "x", 2)], [("r", "x", 1)])
PHANTOM = of([("w", "x", 1), ("w", "y", 1)], [("rp", None, (("x", 1),))])
PHANTOM_SKEW = of([("rp", None, ()), ("w", "x", 1)], [("rp", None, ()), ("w", "y", 1)])


@pytest.mark.parametrize(
    ("h", "levels"),
    [
        (INTERMEDIATE, {"read-uncommitted"}),
        (LOST_UPDATE, {"transactional-causal", "prefix"}),
        (FRACTURED, {"cursor-stability"}),
        (LATE_SIGHT, {"transactional-causal", "prefix", "cursor-stability"}),
        (CAUSALITY, {"update-atomic"}),
        (LONG_FORK, {"consistent-view", "transactional-causal"}),
        (PHANTOM, {"repeatable-read"}),
        (PHANTOM_SKEW, {"repeatable-read", "strong-snapshot-isolation"}),
    ],
)
def test_each_of_the_known_anomalies_has_its_strongest_levels(h: History, levels: set[str]) -> None:
    assert strongest_of(h) == levels


@pytest.mark.parametrize(
    ("h", "level", "anomaly", "reason"),
    [
        (LOST_UPDATE, "cursor-stability", "G-cursor: lost update", "rw: T0 reads x without T1's write"),
        (LATE_SIGHT, "update-atomic", "fractured read", "rw: it reads y without T0's write"),
        (CAUSALITY, "consistent-view", "G-single: read skew", "wr: T2 reads y from T1"),
        (FRACTURED, "read-atomic", "fractured read", "wr: T1 reads x from T0"),
        (PHANTOM, "read-atomic", "fractured read", "it reads y without T0's write"),
        (PHANTOM_SKEW, "serializable", "G2: write skew by predicate", "T0 finds no y by predicate, and T1 writes it"),
    ],
)
def test_what_falls_is_named_and_told_in_words(h: History, level: str, anomaly: str, reason: str) -> None:
    found = evidence(h, level)
    assert found.anomaly == anomaly and reason in found.explanation


def test_lists_show_a_lost_update_to_update_atomic_and_a_write_cycle_to_read_uncommitted() -> None:
    lost = of([("r", "x", ()), ("append", "x", 1)], [("r", "x", ()), ("append", "x", 2)], [("r", "x", (1, 2))])
    assert evidence(lost, "update-atomic").anomaly == "lost update"
    assert evidence(lost, "consistent-view").anomaly == "G-single: read skew"
    crossed = [[("append", "x", n), ("append", "y", 3 - n)] for n in (1, 2)]
    assert (
        evidence(of(*crossed, [("r", "x", (1, 2)), ("r", "y", (1, 2))]), "read-uncommitted").anomaly
        == "G0: write cycle"
    )


def test_read_uncommitted_reads_what_was_rolled_back_and_nothing_that_nobody_wrote() -> None:
    def reads(*values: object) -> History:
        rolled_back = Operation(0, 0, "txn", (("append", "x", 9),), None, 0, 1)
        steps = [(("append", "x", 1),), *((("r", "x", value),) for value in values)]
        done = [Operation(0, n, "txn", s, s, 2 * n, 2 * n + 1) for n, s in enumerate(steps, 1)]
        return History.of(done, [rolled_back])

    assert strongest_of(reads((9, 1), (1,))) == {"read-uncommitted"}
    assert evidence(reads((9, 1)), "read-committed").anomaly == "G1a: aborted read"
    assert evidence(reads((7, 1)), "read-uncommitted").anomaly == "unwritten read"
    assert evidence(reads((9, 9, 1)), "read-uncommitted").anomaly == "duplicate element"


def test_a_transaction_in_doubt_that_was_read_need_not_have_committed_for_read_uncommitted() -> None:
    asked = (("append", "x", 1), ("append", "x", 2))
    doubtful = Operation(0, 0, "txn", asked, None, 0, None)
    reads = [
        Operation(0, n, "txn", s, s, 2 * n, 2 * n + 1) for n, s in ((1, (("r", "x", (1,)),)), (2, (("r", "x", ()),)))
    ]
    h = History.of([doubtful, *reads])
    assert isinstance(judge(h, "read-uncommitted"), Satisfied)
    assert evidence(h, "read-committed").anomaly == "G1b: intermediate read"


def test_predicates_are_about_keys() -> None:
    def found(predicate: object, shown: object) -> bool:
        rows: Steps = [("w", "a1", 1), ("w", "b1", 1), ("w", 10, 1), ("w", 12, 1)]
        return isinstance(
            judge(of(rows, [("rp", predicate, shown)], overlapping=False), "strict-serializable"), Satisfied
        )

    assert found(("prefix", "a"), {"a1": 1}) and not found(("prefix", "a"), {})
    assert found(("range", 10, 11), ((10, 1),)) and not found(("range", 10, 12), ((10, 1),))
    assert found(("range", "a", "b"), {"a1": 1}) and not found(("range", "a", "c"), {"a1": 1})
    assert found(None, (("a1", 1), ("b1", 1), (10, 1), (12, 1))) and not found(None, ((10, 1), (12, 1)))
    assert found(("prefix", "z"), {})


def test_a_predicate_shows_what_its_own_transaction_wrote() -> None:
    assert isinstance(judge(of([("w", "x", 1), ("rp", None, {"x": 1})]), "read-uncommitted"), Satisfied)
    assert evidence(of([("w", "x", 1), ("rp", None, {})]), "read-uncommitted").anomaly == "internal"


@pytest.mark.parametrize(
    ("predicate", "shown", "message"),
    [
        (("value", 3), {}, "is not null"),
        (("range", 1, "b"), {}, "is not null"),
        (("prefix", 1), {}, "is not null"),
        (("prefix", "a"), {"b": 1}, "which it does not cover"),
        (None, 5, "a map or a list of pairs"),
        (None, None, "a map or a list of pairs"),
        (None, (("a", 1), ("a", 2)), "a key twice"),
        (None, {"a": None}, "holds nothing is left out"),
    ],
)
def test_what_is_no_read_by_predicate_is_refused(predicate: object, shown: object, message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        judge(of([("w", "a", 1), ("rp", predicate, shown)]), "serializable")


def test_a_wrong_predicate_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    def read(asked: str, answered: str) -> History:
        file = tmp_path / "predicates.edn"
        steps = (("invoke", asked), ("ok", answered))
        file.write_text(
            "".join(f"{{:process 0 :type :{kind} :f :txn :value [[:rp {step}]]}}\n" for kind, step in steps)
        )
        return read_history(file)

    with pytest.raises(HistoryError, match="line 1"):
        judge(read("[:value 3] nil", "[:value 3] {}"), "serializable")
    with pytest.raises(HistoryError, match="which is another step"):
        read("nil nil", '[:prefix "a"] {}')


def test_where_keys_hold_something_at_first_none_is_absent() -> None:
    with pytest.raises(UsageError, match="none is absent"):
        judge(of([("rp", None, ())]), "serializable", Register().starting(0))


def test_what_keys_hold_at_first_is_taken_from_every_model_that_has_keys() -> None:
    read = of([("r", "x", 0)])
    for model in (Register(), KeyValueMap(), MultiRegister()):
        assert isinstance(judge(read, "serializable", model.starting(0)), Satisfied)
    with pytest.raises(UsageError, match="give a register"):
        judge(read, "serializable", Counter().starting(3))


def test_a_value_that_one_transaction_writes_twice_is_refused_as_of_two() -> None:
    for function in ("w", "append"):
        with pytest.raises(HistoryError, match="known only if each value is written to a key once"):
            judge(of([(function, "x", 1), (function, "x", 2), (function, "x", 1)]), "serializable")


def test_of_registers_what_some_order_of_versions_explains_is_satisfied_and_else_the_cycle_is_shown() -> None:
    """T2 saw T0 and not T1, T3 both; then T4 sees T3 and T0 only."""
    first: list[Steps] = [[("w", "x", 1)], [("w", "x", 2)], [("r", "x", 1), ("w", "y", 1)]]
    later: Steps = [("r", "y", 1), ("r", "x", 2), ("w", "z", 1)]
    assert isinstance(judge(of(*first, later), "serializable"), Satisfied)
    for level in ("serializable", "consistent-view", "prefix"):
        found = evidence(of(*first, later, [("r", "z", 1), ("r", "x", 1)]), level)
        assert found.anomaly == "G-single: read skew"


def test_what_transactions_have_seen_is_counted_by_sessions_and_kept_within_memory() -> None:
    h = appended(2_000, 4, 10, seed=1)
    assert isinstance(judge(h, "transactional-causal", limits=Limits(memory_bytes=400_000)), Satisfied)
    verdict = judge(h, "transactional-causal", limits=Limits(memory_bytes=100_000))
    assert isinstance(verdict, Unknown) and "memory" in verdict.reason
