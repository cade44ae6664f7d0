"""What a value is at fixed bounds, how it is held against a type, and numbers and order.

A later point of a run counts only if no earlier one stops it, so errors and cuts are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import product
from typing import Any, TypeAlias

from quorate.errors import Location
from quorate.language.types import (
    ChannelsType,
    ListType,
    MapType,
    NatType,
    SetType,
    Type,
)
from quorate.model.nodes import Expr, Model
from quorate.model.ranges import ends, is_number
from quorate.prove.encode import machine, values
from quorate.prove.encode.fixed.cells import Cells
from quorate.prove.encode.fixed.circuit import FALSE, TRUE, Circuit
from quorate.prove.encode.fixed.parts import (
    Leaf,
    Mask,
    Part,
    Queues,
    Seq,
    Slots,
    Table,
    Tally,
    Value,
    as_condition,
    as_leaf,
    as_queues,
    as_seq,
    as_slots,
    as_table,
    masked,
)
from quorate.prove.encode.machine import Machine
from quorate.prove.encode.values import ABSENT, Union, alternatives_of, parts_of

Env: TypeAlias = "machine.Env[int, Part]"
Event: TypeAlias = "values.Event[int]"
Exits: TypeAlias = "machine.Exits[int, Part]"

Guarded = list[tuple[int, Value]]
"""Values, each with the condition that it is meant."""


class _Cells(Cells):
    """Cells whose tuples and unions are those of a machine."""

    def __init__(self, machine: FixedValues) -> None:
        super().__init__(machine.circuit, machine.room)
        self.merged, self.same, self.known = machine.select, machine.equal, machine.constant  # type: ignore[method-assign]


class FixedValues(Machine[int, Part]):
    """Values as cells: conversions, numbers and order."""

    true, false = TRUE, FALSE

    def __init__(self, model: Model, room: Mapping[str, int] | None = None) -> None:
        """`room`: bounds of containers that need not be looked at, with the most elements that they can have (see
        `quorate.prove.bounded.capacities`)."""
        super().__init__(model)
        self.circuit, self.room = Circuit(), room or {}
        self.cells = _Cells(self)

    def both(self, parts: Iterable[int]) -> int:
        return self.circuit.both(parts)

    def either(self, parts: Iterable[int]) -> int:
        return self.circuit.either(parts)

    def negate(self, part: int) -> int:
        return part ^ 1

    def is_true(self, part: int) -> bool:
        return part == TRUE

    def is_false(self, part: int) -> bool:
        return part == FALSE

    def truth(self, value: Value) -> int:
        return as_condition(value)

    def select_plain(self, condition: int, first: Value, second: Value) -> Value:
        return self.cells.choice(condition, first, second)

    def equal_plain(self, first: Value, second: Value) -> int:
        return self.cells.equal(first, second)

    def constant_plain(self, value: Any, kind: Type) -> Value:
        return self.cells.constant(value, kind)

    def unknown(self, kind: Type, constraints: list[int]) -> Value:
        """An arbitrary value of a type; what its variables must satisfy is added to the constraints."""
        value = self.cells.unknown(kind, constraints)
        if isinstance(kind, ChannelsType):
            for (source, target), queue in as_queues(value).items():
                for item in queue.items:
                    constraints.append(
                        self.either(
                            [
                                guard
                                for message, guard in self.cells.cases(item, kind.message)
                                if (message.source, message.target) == (source, target)
                            ]
                        )
                    )
        return value

    def value(self, node: Expr, env: Env) -> Value:
        """The value of an expression; any of its type where no run comes by."""
        return self.some(ABSENT if self.path == FALSE else super().value(node, env), node.type)

    def some(self, value: Value, kind: Type) -> Value:
        """A value, or any of its type where no run has one: what stops them all was noted before."""
        return self.constant(kind.decode(0), kind) if value is ABSENT else value

    # Conversions

    def fitted(self, value: Value, have: Type, want: Type, location: Location | None) -> Value:
        if is_number(want):
            return self._fitted_number(as_leaf(value), want, location)
        if isinstance(want, SetType) and isinstance(have, SetType):
            return self._fitted_set(value, have, want, location)
        if isinstance(want, ListType) and isinstance(have, ListType):
            seq = as_seq(value)
            too_long = self.either([guard for length, guard in seq.length.items() if length > want.capacity])
            items: list[Value] = []
            for position, item in enumerate(seq.items):
                with self.under(self.cells.longer(seq, position)):
                    items.append(self.fit(item, have.element, want.element, location))
            self.stop("cut", too_long, want.bound, location)
            length = Leaf({number: guard for number, guard in seq.length.items() if number <= want.capacity})
            return Seq(length, tuple(items[: want.capacity]))
        if isinstance(want, MapType) and isinstance(have, MapType):
            parts = as_table(value)
            with self.in_any_order() as one:
                table = {}
                for key, part in parts.items():
                    with one():
                        table[key] = self.fit(part, have.value, want.value, location)
            return Table(table)
        return value

    @contextmanager
    def in_any_order(self) -> Iterator[Callable[[], AbstractContextManager[None]]]:
        """Elements of a container without an order, each inside what this gives: an error in one comes before what cuts another, and
        of several bounds the first by name (`all_checked` in the language)."""
        before, found = self.events, list[Event]()

        @contextmanager
        def one() -> Iterator[None]:
            self.events = []
            yield
            earlier: list[int] = []
            for event in self.events:
                first = self.both((event.condition, self.negate(self.either(earlier))))
                earlier.append(event.condition)
                if not self.is_false(first):
                    found.append(replace(event, condition=first))

        yield one
        self.events = [*before, *sorted(found, key=lambda event: (event.kind != "error", event.what))]

    def _fitted_number(self, value: Leaf, want: Type, location: Location | None) -> Leaf:
        if not isinstance(want, NatType):
            return value
        self.stop(
            "cut",
            self.either(
                [
                    guard
                    for number, guard in value.items()
                    if number > want.maximum or (want.cuts_below and number < want.minimum)
                ]
            ),
            want.bound,
            location,
        )
        self.stop(
            "error",
            self.either([guard for number, guard in value.items() if number < want.minimum and not want.cuts_below]),
            f"a number below zero, where {want} begins",
            location,
        )
        return Leaf({number: guard for number, guard in value.items() if want.minimum <= number <= want.maximum})

    def _fitted_set(self, value: Value, have: SetType, want: SetType, location: Location | None) -> Value:
        items: Guarded = []
        with self.in_any_order() as one:
            for guard, item in self._slots(value, have.element).items:
                with one(), self.under(guard):
                    items.append((guard, self.fit(item, have.element, want.element, location)))
        result = self._collected(items, want)
        if want.capacity is not None:
            size = self.size(result)
            self.stop(
                "cut",
                self.either([guard for number, guard in size.items() if number > want.capacity]),
                want.bound,
                location,
            )
        return result

    def widened(self, value: Value, have: Type, want: Type) -> Value:
        if isinstance(want, SetType) and isinstance(have, SetType) and have.element != want.element:
            return self._collected(
                [
                    (guard, self.coerce(item, have.element, want.element))
                    for guard, item in self._slots(value, have.element).items
                ],
                want,
            )
        if isinstance(want, ListType) and isinstance(have, ListType):
            seq = as_seq(value)
            return Seq(seq.length, tuple(self.coerce(item, have.element, want.element) for item in seq.items))
        if isinstance(want, MapType) and isinstance(have, MapType):
            return Table({key: self.coerce(part, have.value, want.value) for key, part in as_table(value).items()})
        return value

    def _slots(self, value: Value, element: Type) -> Slots:
        """A set as guarded elements."""
        if isinstance(value, Mask):
            return Slots(tuple((guard, self.constant(python, element)) for python, guard in value.items()))
        return as_slots(value)

    def _collected(self, items: Guarded, kind: SetType) -> Value:
        """A set from guarded elements that may be equal."""
        if masked(kind.element):
            mask = Mask()
            for guard, item in items:
                for python, condition in self.cells.cases(item, kind.element):
                    condition = self.both((guard, condition))
                    if condition != FALSE:
                        mask[python] = self.either((mask.get(python, FALSE), condition))
            return mask
        kept: Guarded = []
        for guard, item in items:
            fresh = [self.both((other_guard, self.equal(item, other))) ^ 1 for other_guard, other in kept]
            kept.append((self.both((guard, *fresh)), item))
        return Slots(tuple(kept))

    def _chosen(self, options: Guarded) -> Value:
        """The value whose guard is true; guards exclude each other."""
        result: Value = ABSENT
        for guard, value in options:
            result = self.select(guard, value, result)
        return result

    def within(self, number: Leaf, kind: Type) -> Leaf:
        """A number without the values that its type rules out: more messages than a bag has room for, for example. Their
        conditions are never true, which the circuit need not show."""
        low, high = ends(kind)
        return Leaf({value: guard for value, guard in number.items() if low <= value <= high})

    def size(self, whole: Value, most: int | None = None) -> Leaf:
        """The number of elements of a set, list or network, which is known to be at most `most`."""
        match whole:
            case Seq(length=length):
                return length
            case Queues():
                total = Leaf({0: TRUE})
                for queue in whole.values():
                    total = self._lifted(lambda a, b: a + b, total, queue.length)
                return total
            case Mask():
                return self.cells.count(whole.values(), most)
            case Tally():
                return self.cells.count(self.cells.copies(whole), most)
        return self.cells.count([guard for guard, _ in as_slots(whole).items], most)

    # Numbers and order

    def _lifted(self, compute: Callable[..., Any], *leaves: Value) -> Leaf:
        """Any function on all combinations of values."""
        result = Leaf()
        for choice in product(*(as_leaf(leaf).items() for leaf in leaves)):
            guard = self.both([condition for _, condition in choice])
            if guard != FALSE:
                number = compute(*(value for value, _ in choice))
                result[number] = self.either((result.get(number, FALSE), guard))
        return result

    def _computed(self, node: Expr, env: Env, compute: Callable[..., Any]) -> Leaf:
        return self._lifted(compute, *self.values(node.args, env))

    def op_add(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda a, b: a + b)

    def op_sub(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda a, b: a - b)

    def op_mul(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda a, b: a * b)

    def op_neg(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda a: -a)

    def op_abs(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, abs)

    def op_position(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda member: member.index)

    def op_member(self, node: Expr, env: Env) -> Value:
        number, members = as_leaf(self.value(node.args[0], env)), dict(enumerate(node.type.values()))
        wrong = [guard for found, guard in number.items() if found not in members]
        self.stop("error", self.either(wrong), f"a number that no member of {node.type} has", node.location)
        inside = {found: guard for found, guard in number.items() if found in members}
        return self._lifted(members.__getitem__, Leaf(inside))

    def _divided(self, node: Expr, env: Env, compute: Callable[[int, int], int]) -> Leaf:
        first, second = self.values(node.args, env)
        divisor = as_leaf(second)
        self.stop("error", divisor.get(0, FALSE), "division by zero", node.location)
        return self._lifted(compute, first, Leaf({number: guard for number, guard in divisor.items() if number}))

    def op_div(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, lambda a, b: a // b)

    def op_mod(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, lambda a, b: a % b)

    def less(self, first: Value, second: Value) -> int:
        """`first < second`, of tuples lexicographically."""
        if isinstance(first, tuple):
            parts, same = list[int](), TRUE
            for a, b in zip(first, parts_of(second), strict=True):
                parts.append(self.both((same, self.less(a, b))))
                same = self.both((same, self.equal(a, b)))
            return self.either(parts)
        if isinstance(
            first, Union
        ):  # what an extreme has beside a default of another class, which is compared with nothing
            others = alternatives_of(second)
            both = [(value, others[key]) for key, value in first.items() if key in others and value[1] is not None]
            return self.either([self.both((one, two, self.less(a, b))) for (one, a), (two, b) in both])
        return self.either(
            [
                self.both((guard, other))
                for a, guard in as_leaf(first).items()
                for b, other in as_leaf(second).items()
                if a < b
            ]
        )

    def less_than(self, first: Value, second: Value) -> int:
        """`less` under another name, to be passed on."""
        return self.less(first, second)

    def op_lt(self, node: Expr, env: Env) -> Value:
        return self.less(*self.values(node.args, env))

    def op_le(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self.either((self.less(first, second), self.equal(first, second)))

    def op_min(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self.select(self.less(second, first), second, first)

    def op_max(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self.select(self.less(first, second), second, first)
