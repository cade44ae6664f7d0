"""Every number of a model lies in the range that its type promises."""

from __future__ import annotations

import operator
from itertools import product
from typing import Any

import pytest
from quorate.errors import SpecError
from quorate.language.control import Cut
from quorate.language.system import System
from quorate.language.types import NatType, Type
from quorate.model import build
from quorate.model.conversion import join, widen
from quorate.model.integers import INT_MAX, INT_MIN, IntType
from quorate.model.interpret import Interpreter, Run
from quorate.model.nodes import Expr, Op
from quorate.model.ranges import SPAN, computed, ends, fits, is_number, limits, spanning, summed

from tests.generated import load
from tests.large_numbers import write

COMPUTE = {
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.DIV: operator.floordiv,
    Op.MOD: operator.mod,
    Op.NEG: operator.neg,
    Op.ABS: abs,
}
INTERVALS = [IntType(low, high) for low in range(-3, 4) for high in range(low, 4)]
FAR = (INT_MIN, INT_MIN + 1, -(2**40), -3, -1, 0, 1, 2, 2**40, INT_MAX - 1, INT_MAX)
FAR_INTERVALS = [IntType(low, high) for low in FAR for high in FAR if low <= high]


STATES = 4
"""So many states of each drawn spec are enough: the numbers are in the expressions."""


def holds(kind: Type, number: int) -> bool:
    low, high = ends(kind)
    return low <= number <= high


def test_every_operator_has_a_range() -> None:
    assert set(COMPUTE) == set(SPAN)


@pytest.mark.parametrize("op", COMPUTE)
def test_ranges_are_exact_for_small_intervals(op: Op) -> None:
    """But for remainders, whose range is that of the divisor."""
    arity = 1 if op in (Op.NEG, Op.ABS) else 2
    for kinds in product(INTERVALS, repeat=arity):
        values = [
            COMPUTE[op](*numbers)
            for numbers in product(*(range(kind.low, kind.high + 1) for kind in kinds))
            if op not in (Op.DIV, Op.MOD) or numbers[1] != 0
        ]
        found = computed(op, *kinds)
        assert all(holds(found, value) for value in values), (op, kinds, found)
        if op is not Op.MOD and values:
            assert (found.low, found.high) == (min(values), max(values)), (op, kinds)


@pytest.mark.parametrize("op", COMPUTE)
def test_ranges_hold_at_the_ends_of_64_bits_and_beyond(op: Op) -> None:
    """An end at 64 bits has no limit: numbers far beyond are in such a range, and so must be what is computed from them."""
    arity = 1 if op in (Op.NEG, Op.ABS) else 2

    def numbers(kind: IntType) -> list[int]:
        inside = [number for number in (*FAR, -(2**70), 2**70) if holds(kind, number)]
        return [number for number in inside if number != 0 or op not in (Op.DIV, Op.MOD)] or inside

    for kinds in product(FAR_INTERVALS, repeat=arity):
        found = computed(op, *kinds)
        for chosen in product(*map(numbers, kinds)):
            if op in (Op.DIV, Op.MOD) and chosen[1] == 0:
                continue
            value = COMPUTE[op](*chosen)
            assert holds(found, value), (op, kinds, chosen)
            if fits(op, *kinds) and all(INT_MIN <= number <= INT_MAX for number in chosen):
                assert INT_MIN <= value <= INT_MAX, (op, kinds, chosen)


def test_sums_of_no_numbers_are_zero() -> None:
    assert summed(IntType(5, 7), 0) == IntType(0, 0) and summed(IntType(5, 7), 3) == IntType(0, 21)
    assert summed(IntType(INT_MIN, -1), 2) == IntType(INT_MIN, 0)


def test_what_is_joined_or_widened_holds_both() -> None:
    for first, second in product(FAR_INTERVALS, repeat=2):
        for found in (join(first, second), widen(first, second)):
            assert found is not None
            low, high = ends(found)
            assert low <= min(ends(first)[0], ends(second)[0]) or found == widen(first, second)
            assert low <= ends(second)[0] and high >= ends(second)[1]


def test_a_constant_beyond_64_bits_has_no_limit_on_its_side() -> None:
    assert ends(spanning(2**70, 2**70))[1] == float("inf") and limits(spanning(-(2**70), 0)) == (INT_MIN, 0)


@pytest.mark.parametrize("begin", range(0, 100, 25))
def test_numbers_of_drawn_specs_keep_what_their_types_promise(begin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value that the model's interpreter meets on the transitions of drawn specs about large numbers."""
    met = 0

    def checked(run: Run, node: Expr) -> Any:
        nonlocal met
        value = plain(run, node)
        for kind, number in _numbers(node.type, value):
            met += 1
            assert isinstance(kind, NatType) or holds(kind, number), (node, number)
        return value

    plain = Run.value
    monkeypatch.setattr(Run, "value", checked)
    for seed in range(begin, begin + 25):
        system = System(load(write(seed)))
        with system:
            interpreter = Interpreter(build(system))
            waiting = [state for _, state in system.initial()]
            for state in waiting:
                for action in interpreter.model.actions:
                    for arguments in interpreter.choices(state, action):
                        try:
                            found = interpreter.fire(state, action, arguments)
                        except (SpecError, Cut):
                            continue
                        if found is not None and found not in waiting and len(waiting) < STATES:
                            waiting.append(found)
    assert met > 1_000


def _numbers(kind: Type, value: Any) -> list[tuple[Type, int]]:
    """The numbers inside a value, with their types."""
    if is_number(kind):
        return [(kind, value)]
    if isinstance(value, tuple) and hasattr(kind, "kinds") and len(kind.kinds) == len(value):
        return [pair for part, inner in zip(kind.kinds, value, strict=True) for pair in _numbers(part, inner)]
    return []
