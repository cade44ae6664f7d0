"""The levels for single objects agree with brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from histories import Call, histories, of_sessions, shapes
from hypothesis import HealthCheck, given, settings
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
DRAWN = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def agrees(history: History, level: str, model: Model, limits: Limits | None = None) -> None:
    verdict = judge(history, level, model, limits)
    expected = Satisfied if OBJECT_LEVELS[level](history, model) else Violated
    assert isinstance(verdict, expected), (verdict, [(o.process, str(o), o.invoked, o.returned) for o in history])


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("level", ORDERS)
@pytest.mark.parametrize("model", ALPHABETS, ids=lambda m: m.name)
def test_legal_orders_agree_with_brute_force(model: type[Model], level: str, native: bool) -> None:
    @settings(DRAWN, max_examples=120)
    @given(histories(ALPHABETS[model], operations_max=6))
    def agree(history: History) -> None:
        agrees(history, level, model(), Limits(native=native))

    agree()


@pytest.mark.parametrize("level", VISIBILITY)
@pytest.mark.parametrize("model", ALPHABETS, ids=lambda m: m.name)
def test_causal_levels_agree_with_brute_force(model: type[Model], level: str) -> None:
    @settings(DRAWN, max_examples=60)
    @given(histories(ALPHABETS[model], operations_max=4))
    def agree(history: History) -> None:
        agrees(history, level, model())

    agree()


@pytest.mark.parametrize("level", SESSIONS)
@pytest.mark.parametrize("model", [Register, SetModel, AppendString, CasRegister], ids=lambda m: m.name)
def test_session_guarantees_agree_with_brute_force(model: type[Model], level: str) -> None:
    @settings(DRAWN, max_examples=60)
    @given(histories(ALPHABETS[model], operations_max=4))
    def agree(history: History) -> None:
        agrees(history, level, model())

    agree()


@pytest.mark.parametrize("level", ["regular", "safe"])
def test_regular_and_safe_agree_with_brute_force(level: str) -> None:
    @settings(DRAWN, max_examples=400)
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

    @settings(DRAWN, max_examples=600)
    @given(histories(alphabet, operations_max=6))
    def agree(history: History) -> None:
        fresh = iter(range(1, 10))
        numbered = [replace(o, argument=next(fresh)) if o.function == "enqueue" else o for o in history]
        agrees(History(tuple(numbered)), "linearizable", Queue(), Limits(native=native))

    agree()
