"""The levels for single objects agree with brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product

import pytest
from histories import Call, histories, of_sessions, shapes
from hypothesis import given, settings
from oracles import OBJECT_LEVELS
from quorate.consistency import Limits, Satisfied, Violated, judge
from quorate.consistency.history import History
from quorate.consistency.models import (
    AppendString,
    CasRegister,
    Counter,
    KeyValueMap,
    Lock,
    Model,
    Mutex,
    Queue,
    Register,
    SetModel,
)


def calls(function: str, key: object, arguments: list, results: list) -> list[Call]:
    return [(function, key, argument, result) for argument in arguments for result in results]


REGISTER = [
    *calls("write", "x", [1, 2], [None]),
    *calls("read", "x", [None], [None, 1, 2]),
    *calls("write", "y", [1], [None]),
]
REGISTER += calls("read", "y", [None], [None, 1])
ALPHABETS: dict[type[Model], list[Call]] = {
    Register: REGISTER,
    CasRegister: [
        *calls("write", None, [1], [None]),
        *calls("read", None, [None], [None, 1, 2]),
        *calls("cas", None, [(None, 1), (1, 2)], [True, False]),
    ],
    AppendString: [
        *calls("append", None, ["a", "b"], [None]),
        *calls("read", None, [None], ["", "a", "ab", "ba", "b"]),
    ],
    SetModel: [
        *calls("add", None, [1, 2], [None]),
        *calls("remove", None, [1], [None]),
        *calls("read", None, [None], [(), (1,), (2,), (1, 2)]),
    ],
    Queue: [*calls("enqueue", None, [1, 2], [None]), *calls("dequeue", None, [None], [None, 1, 2])],
    Lock: [*calls("acquire", "l", [None], [None]), *calls("release", "l", [None], [None])],
    Counter: [
        *calls("add", None, [2], [None]),
        *calls("increment", None, [None], [None]),
        *calls("read", None, [None], [0, 1, 2, 3]),
    ],
    KeyValueMap: [
        *calls("put", "x", [1], [None]),
        *calls("delete", "x", [None], [None]),
        *calls("get", "x", [None], [None, 1]),
        *calls("put", "y", [1, 2], [None]),
        *calls("get", "y", [None], [None, 1]),
        *calls("snapshot", None, [None], [(), (("x", 1),), (("y", 2),), (("x", 1), ("y", 2))]),
    ],
}
VISIBILITY = ["causal", "causal-memory", "causal-convergence"]
SESSIONS = ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"]
ORDERS = ["linearizable", "sequential", "convergent"]


def agrees(history: History, level: str, model: Model, limits: Limits | None = None) -> None:
    verdict = judge(history, level, model, limits)
    expected = Satisfied if OBJECT_LEVELS[level](history, model) else Violated
    assert isinstance(verdict, expected), (verdict, [(o.process, str(o), o.invoked, o.returned) for o in history])


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("level", ORDERS)
@pytest.mark.parametrize("model", ALPHABETS, ids=lambda m: m.name)
def test_legal_orders_agree_with_brute_force(model: type[Model], level: str, native: bool) -> None:
    @settings(max_examples=120)
    @given(histories(ALPHABETS[model], operations_max=6))
    def agree(history: History) -> None:
        agrees(history, level, model(), Limits(native=native))

    agree()


@pytest.mark.parametrize("level", VISIBILITY)
@pytest.mark.parametrize("model", ALPHABETS, ids=lambda m: m.name)
def test_causal_levels_agree_with_brute_force(model: type[Model], level: str) -> None:
    @settings(max_examples=60)
    @given(histories(ALPHABETS[model], operations_max=4))
    def agree(history: History) -> None:
        agrees(history, level, model())

    agree()


@pytest.mark.parametrize("level", SESSIONS)
@pytest.mark.parametrize("model", [Register, SetModel, AppendString, CasRegister, Lock], ids=lambda m: m.name)
def test_session_guarantees_agree_with_brute_force(model: type[Model], level: str) -> None:
    @settings(max_examples=60)
    @given(histories(ALPHABETS[model], operations_max=4))
    def agree(history: History) -> None:
        agrees(history, level, model())

    agree()


@pytest.mark.parametrize("level", [*VISIBILITY, *SESSIONS])
@pytest.mark.parametrize("model", [Lock, Mutex, KeyValueMap], ids=lambda m: m.name)
def test_an_operation_in_doubt_that_could_not_take_effect_breaks_no_level(model: type[Model], level: str) -> None:
    """A second acquire, and an append to what is no text: without an answer, they may never have happened."""
    own: list[Call] = [("acquire", "x", None, None), ("acquire", "x", None, None)]
    if model is KeyValueMap:
        own = [("put", "x", 1, None), ("append", "x", "a", None)]
    history = of_sessions([own], [0, 0, 0], frozenset({0}))
    agrees(history, level, model())
    assert isinstance(judge(history, level, model()), Satisfied)


FINAL_READS = [
    *calls("write", None, [None, 1, 2], [None]),
    *calls("read", None, [None], [None, 1, 2, 3]),
]


def test_final_reads_converge_on_what_was_answered_and_on_writes_in_doubt() -> None:
    """All histories of at most two writes, each answered or in doubt, and then at most three reads of a process each."""
    writes = [(call, pending) for call in FINAL_READS[:3] for pending in (False, True)]
    for chosen in chain(product(writes, repeat=1), product(writes, repeat=2)):
        for reads in chain(product(FINAL_READS[3:], repeat=2), product(FINAL_READS[3:], repeat=3)):
            sessions = [[call] for call, _ in chosen] + [[call] for call in reads]
            pending = frozenset(number for number, (_, doubt) in enumerate(chosen) if doubt)
            events = [p for p in range(len(sessions)) for _ in range(1 if p in pending else 2)]
            agrees(of_sessions(sessions, events, pending), "convergent", Register())


@pytest.mark.parametrize("level", ["regular", "safe"])
def test_regular_and_safe_agree_with_brute_force(level: str) -> None:
    @settings(max_examples=400)
    @given(histories(REGISTER, operations_max=7))
    def agree(history: History) -> None:
        agrees(history, level, Register())

    agree()


def all_sequential_histories(alphabet: list[Call], count: int, processes: int) -> list[History]:
    """All histories of `count` operations in which no two overlap, up to the names of processes."""
    found = []
    for shape in shapes(count, processes):
        for chosen in product(alphabet, repeat=count):
            rest = iter(chosen)
            found.append(of_sessions([[next(rest) for _ in range(size)] for size in shape]))
    return found


@pytest.mark.parametrize("level", ["sequential", *VISIBILITY, *SESSIONS])
def test_levels_without_real_time_agree_on_all_histories_of_three_operations(level: str) -> None:
    for history in all_sequential_histories(REGISTER[:5], 3, 3):
        agrees(history, level, Register())


@pytest.mark.parametrize("native", [True, False])
def test_queues_of_distinct_values_agree_with_brute_force(native: bool) -> None:
    """Where `Queue.must_precede` and `Queue.contradicts` have something to say."""
    alphabet = [*calls("enqueue", None, [None], [None]), *calls("dequeue", None, [None], [None, 1, 2, 3])]

    @settings(max_examples=600)
    @given(histories(alphabet, operations_max=6))
    def agree(history: History) -> None:
        fresh = iter(range(1, 10))
        numbered = [replace(o, argument=next(fresh)) if o.function == "enqueue" else o for o in history]
        agrees(History(tuple(numbered)), "linearizable", Queue(), Limits(native=native))

    agree()
