"""What a violation shows, and that what it shows is true."""

from __future__ import annotations

from dataclasses import replace

import pytest
from histories import histories
from hypothesis import given
from oracles import linearizable
from quorate.consistency import Limits, Satisfied, Unknown, Violated, judge
from quorate.consistency.history import History, HistoryError, Operation
from quorate.consistency.models import MODELS, CasRegister, Model, Register, find_model
from quorate.consistency.verdict import Cycle, Order, Unorderable
from quorate.errors import QuorateError, UsageError
from test_objects import ALPHABETS

from bench.history import appended, recorded, spoiled


def unorderable(history: History, model: Model) -> Unorderable:
    verdict = judge(history, "linearizable", model)
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable)
    return verdict.evidence


@given(histories(ALPHABETS[CasRegister], operations_max=6))
def test_the_prefix_is_the_smallest_in_violation_and_the_core_alone_is_in_violation(history: History) -> None:
    model = CasRegister()
    verdict = judge(history, "linearizable", model)
    if isinstance(verdict, Satisfied):
        return
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable)
    evidence = verdict.evidence
    returns = sorted(o.returned for o in history if o.returned is not None)
    bad = [end for end in returns if not linearizable(_until(history, end), model)]
    assert max(o.returned for o in evidence.prefix if o.returned is not None) == bad[0]
    core = {o.index for o in evidence.core}
    alone = [
        o if o.index in core else replace(o, returned=None, result=None, process=100 + o.index) for o in evidence.after
    ]
    kept = [o for o in alone if not (o.pending and model.is_query(o))]
    for state in evidence.states:
        model.initial = state  # type: ignore[misc]
        assert not linearizable(History(tuple(kept)), model)
    assert {o.index for o in evidence.stuck} <= {o.index for o in evidence.prefix if not o.pending}


def _until(history: History, end: int) -> History:
    seen = [o for o in history if o.invoked < end]
    return History(
        tuple(
            o if o.returned is not None and o.returned <= end else replace(o, returned=None, result=None) for o in seen
        )
    )


def test_a_stale_read_in_a_long_history_is_shown_by_two_operations() -> None:
    history = recorded(Register(), 400, clients=8, keys=2, seed=5)
    last = history.operations[-1].invoked + 1_000
    stale = [
        Operation(0, "w", "write", 88, None, last, last + 1, 0),
        Operation(0, "r", "read", None, 1, last + 2, last + 3, 0),
    ]
    evidence = unorderable(History.of([*history, *stale]), Register())
    assert [str(o) for o in evidence.core] == ["0.write(88)", "0.read() = 1"]
    assert evidence.minimal and evidence.key == 0


def test_one_bad_key_ends_a_search_that_would_hit_its_limit_on_another() -> None:
    hard = [Operation(0, p, "add", p, None, p, 1_000 + p, "hard") for p in range(40)] + [
        Operation(0, 99, "read", None, (77,), 2_000, 2_001, "hard")
    ]
    easy = [Operation(0, 100, "read", None, (5,), 3_000, 3_001, "easy")]
    verdict = judge(History.of([*hard, *easy]), "linearizable", MODELS["set"](), Limits(memory_bytes=16 << 20))
    assert (
        isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable) and verdict.evidence.key == "easy"
    )


@pytest.mark.parametrize("native", [True, False])
def test_a_full_memory_is_unknown_and_never_a_guess(native: bool) -> None:
    hard = [Operation(0, p, "add", p, None, p, 1_000 + p) for p in range(40)] + [
        Operation(0, 99, "read", None, (77,), 2_000, 2_001)
    ]
    verdict = judge(History.of(hard), "linearizable", MODELS["set"](), Limits(memory_bytes=1 << 20, native=native))
    assert isinstance(verdict, Unknown) and "limit" in verdict.reason and verdict.exit_code == 3


@pytest.mark.parametrize("name", sorted(MODELS))
def test_both_engines_find_long_correct_histories_linearizable_with_a_complete_witness(name: str) -> None:
    model = MODELS[name]()
    history = recorded(model, 150, clients=6, keys=5, seed=3)
    for native in (True, False):
        verdict = judge(history, "linearizable", model, Limits(native=native))
        assert isinstance(verdict, Satisfied) and isinstance(verdict.witness, Order)
        assert sum(map(len, verdict.witness.per_key.values())) >= sum(not o.pending for o in history)


def test_crashed_operations_may_take_effect_late_or_never() -> None:
    crashed = Operation(0, 0, "write", 1, None, 0, None)
    reads = [Operation(0, 1, "read", None, result, 10 * n, 10 * n + 1) for n, result in enumerate([None, 1, 1], 1)]
    assert isinstance(judge(History.of([crashed, *reads]), "linearizable"), Satisfied)
    back = Operation(0, 1, "read", None, None, 50, 51)
    assert isinstance(judge(History.of([crashed, *reads, back]), "linearizable"), Violated)


def test_a_judgement_is_the_same_every_time() -> None:
    history = spoiled(recorded(CasRegister(), 300, clients=10, keys=3, seed=1), seed=4)
    assert judge(history, "linearizable", CasRegister()) == judge(history, "linearizable", CasRegister())
    skew = appended(500, 5, 5, seed=1, skew=True)
    assert judge(skew, "serializable") == judge(skew, "serializable")


def test_write_skew_is_named_and_shown_as_a_cycle() -> None:
    verdict = judge(appended(2_000, 10, 10, seed=1, skew=True), "serializable")
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.anomaly == "G2-item: write skew"
    assert [e.kind for e in verdict.evidence.edges] == ["rw", "rw"]
    assert isinstance(judge(appended(2_000, 10, 10, seed=1, skew=True), "snapshot-isolation"), Satisfied)


def txn(number: int, *steps: tuple, process: object = None, result: bool = True) -> Operation:
    return Operation(
        number, process or number, "txn", steps, steps if result else None, number, number + 100 if result else None
    )  # type: ignore[arg-type]


ANOMALIES = {
    "G0: write cycle": [
        txn(0, ("append", "x", 1), ("append", "y", 1)),
        txn(1, ("append", "x", 2), ("append", "y", 2)),
        txn(2, ("r", "x", (1, 2)), ("r", "y", (2, 1))),
    ],
    "G1b: intermediate read": [txn(0, ("append", "x", 1), ("append", "x", 2)), txn(1, ("r", "x", (1,)))],
    "G1c: circular information flow": [
        txn(0, ("append", "x", 1), ("r", "y", (1,))),
        txn(1, ("append", "y", 1), ("r", "x", (1,))),
    ],
    "G-single: read skew": [
        txn(0, ("append", "x", 1), ("append", "y", 1)),
        txn(1, ("r", "x", (1,)), ("r", "y", ())),
        txn(2, ("r", "y", (1,))),
    ],
    "G-nonadjacent: long fork": [
        txn(0, ("append", "x", 1)),
        txn(1, ("append", "y", 1)),
        txn(2, ("r", "x", (1,)), ("r", "y", ())),
        txn(3, ("r", "x", ()), ("r", "y", (1,))),
    ],
    "incompatible order": [
        txn(0, ("append", "x", 1)),
        txn(1, ("append", "x", 2)),
        txn(2, ("r", "x", (1, 2))),
        txn(3, ("r", "x", (2,))),
    ],
    "duplicate element": [txn(0, ("append", "x", 1)), txn(1, ("r", "x", (1, 1)))],
    "unwritten read": [txn(0, ("r", "x", (7,)))],
    "internal": [txn(0, ("append", "x", 1), ("r", "x", ()))],
}


@pytest.mark.parametrize("name", ANOMALIES)
def test_anomalies_have_their_names(name: str) -> None:
    verdict = judge(History.of(ANOMALIES[name]), "serializable")
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.anomaly == name


def test_a_read_of_a_failed_transaction_is_an_aborted_read() -> None:
    verdict = judge(History.of([txn(1, ("r", "x", (1,)))], [txn(0, ("append", "x", 1))]), "read-committed")
    assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Cycle)
    assert verdict.evidence.anomaly == "G1a: aborted read"


def test_a_value_written_twice_is_an_error_and_not_a_verdict() -> None:
    with pytest.raises(HistoryError, match="both write 1 to x"):
        judge(History.of([txn(0, ("w", "x", 1)), txn(1, ("w", "x", 1))]), "serializable")


def test_operations_that_do_not_fit_are_named() -> None:
    history = History.of([Operation(0, 0, "push", 1, None, 0, 1)])
    with pytest.raises(
        HistoryError, match=r"push\(1\) of process 0, is not one of the model 'register'. It has: read, write"
    ):
        judge(history, "linearizable")
    with pytest.raises(HistoryError, match="level for single operations"):
        judge(History.of([txn(0, ("w", "x", 1))]), "linearizable")
    with pytest.raises(UsageError, match="Did you mean 'linearizable'"):
        judge(history, "linearisable")
    with pytest.raises(HistoryError, match="Regular and safe are defined for registers"):
        judge(History.of([Operation(0, 0, "enqueue", 1, None, 0, 1)]), "regular", MODELS["queue"]())


STACK = """
from quorate.consistency import REFUSED, Model

class Stack(Model):
    name = "stack"
    operations = frozenset({"push", "pop"})
    initial = ()

    def step(self, state, operation):
        if operation.function == "push":
            return (*state, operation.argument)
        if not state:
            return state if operation.agrees(None) else REFUSED
        return state[:-1] if operation.agrees(state[-1]) else REFUSED

class Broken(Stack):
    def step(self, state, operation):
        return state + 1

class Listed(Stack):
    def step(self, state, operation):
        return [*state, operation.argument]

class Begun(Stack):
    initial = []
"""


def test_a_users_model_is_loaded_from_a_file_and_judged_by(tmp_path) -> None:
    file = tmp_path / "stack.py"
    file.write_text(STACK)
    pushes = [Operation(0, 0, "push", 1, None, 0, 1), Operation(0, 0, "push", 2, None, 2, 3)]
    for popped, expected in ((2, Satisfied), (1, Violated)):
        history = History.of([*pushes, Operation(0, 1, "pop", None, popped, 4, 5)])
        assert isinstance(judge(history, "linearizable", find_model(f"{file}:Stack")), expected)
    for native in (True, False):
        with pytest.raises(HistoryError, match="The model 'stack' failed at operation 0, push"):
            judge(history, "linearizable", find_model(f"{file}:Broken"), Limits(native=native))
    for level in ("linearizable", "sequential", "causal", "convergent"):
        with pytest.raises(HistoryError, match=r"failed at operation 0.*unhashable"):
            judge(history, level, find_model(f"{file}:Listed"))
        with pytest.raises(HistoryError, match=r"begins in \[\].*a tuple instead of a list"):
            judge(history, level, find_model(f"{file}:Begun"))
    with pytest.raises(UsageError, match="Known: Begun, Broken, Listed, Stack"):
        find_model(f"{file}:Stick")
    with pytest.raises(QuorateError, match="no file"):
        find_model("absent.py:Stack")


def test_exhaustive_levels_say_unknown_beyond_their_reach() -> None:
    adds = [Operation(0, n % 4, "add", n, None, 2 * n, 2 * n + 1) for n in range(201)]
    assert isinstance(judge(History.of(adds), "causal", MODELS["set"]()), Unknown)
    reads = [Operation(0, 10 + n, "read", None, (1, 30 + n), 100 + 2 * n, 101 + 2 * n) for n in range(3)]
    verdict = judge(History.of([*adds[:20], *reads]), "causal", MODELS["set"](), Limits(configurations=50))
    assert isinstance(verdict, Unknown) and "50 sets" in verdict.reason


def test_regular_and_convergent_violations_show_the_reads() -> None:
    stale = [
        Operation(0, 0, "write", 1, None, 0, 1, "x"),
        Operation(0, 1, "read", None, None, 2, 3, "x"),
        Operation(0, 2, "read", None, 1, 4, 5, "x"),
    ]
    for level in ("regular", "safe", "convergent"):
        verdict = judge(History.of(stale), level)
        assert isinstance(verdict, Violated) and isinstance(verdict.evidence, Unorderable)
        assert verdict.evidence.key == "x"
        assert "read() = nil of process 1" in verdict.evidence.explanation
