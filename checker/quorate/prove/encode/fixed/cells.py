"""How values at fixed bounds are made, chosen, compared, counted and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from quorate.language.types import (
    BagType,
    BoolType,
    ChannelsType,
    ListType,
    MapType,
    NetworkType,
    NoneType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.language.types.base import Bounded
from quorate.prove.encode.fixed.circuit import FALSE, TRUE, Circuit
from quorate.prove.encode.fixed.parts import (
    Leaf,
    Mask,
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
    tallied,
)
from quorate.prove.encode.values import ABSENT, Union, alternatives_of, class_key, parts_of

CHAIN_MAX = 2048
"""Conditions are counted one after the other if that takes at most so many places, and else by adding numbers."""


class Cells:
    """Makes and takes apart values over one circuit."""

    def __init__(self, circuit: Circuit, room: Mapping[str, int]) -> None:
        """`room`: how many elements containers can have at most, by the names of their bounds, where that is less than
        their capacity."""
        self.circuit, self.room = circuit, room

    def capacity(self, kind: Bounded) -> int | None:
        """How many elements a container of this type can have."""
        return self.room.get(kind.bound, kind.capacity)

    # Choice and equality

    def choice(self, condition: int, first: Value, second: Value) -> Value:
        """`first` where the condition is true, else `second`; for what is no tuple and no union."""
        match first, second:
            case int(), int():
                return self.circuit.choice(condition, first, second)
            case Leaf(), Leaf():
                return self.choice_of_leaves(condition, first, second)
            case Mask(), Mask():
                return Mask(self._chosen(condition, first, second))
            case Table(), Table():
                return Table({key: self.merged(condition, value, second[key]) for key, value in first.items()})
            case Tally(), Tally():
                keys = [*first, *(key for key in second if key not in first)]
                return Tally(
                    {key: self.choice_of_leaves(condition, first.times(key), second.times(key)) for key in keys}
                )
            case Queues(), Queues():
                return Queues({key: as_seq(self.merged(condition, value, second[key])) for key, value in first.items()})
            case Seq(), Seq():
                return self._choice_of_seqs(condition, first, second)
            case Slots(), Slots():
                return self._choice_of_slots(condition, first, second)
        raise TypeError(f"no choice between values like {first!r} and {second!r}")

    def choice_of_leaves(self, condition: int, first: Leaf, second: Leaf) -> Leaf:
        """The same for leaves."""
        return Leaf(self._chosen(condition, first, second))

    def _chosen(self, condition: int, first: Mapping[Any, int], second: Mapping[Any, int]) -> dict[Any, int]:
        """For each value of the one or the other, the condition that it is chosen."""
        keys = [*first, *(key for key in second if key not in first)]
        choice = self.circuit.choice
        merged = {key: choice(condition, first.get(key, FALSE), second.get(key, FALSE)) for key in keys}
        return {key: guard for key, guard in merged.items() if guard != FALSE}

    def merged(self, condition: int, first: Value, second: Value) -> Value:
        """`first` where the condition is true, else `second`; overridden by the machine, which knows tuples and
        unions."""
        raise NotImplementedError

    def same(self, first: Value, second: Value) -> int:
        """Equality; overridden likewise."""
        raise NotImplementedError

    def _choice_of_seqs(self, condition: int, first: Seq, second: Seq) -> Seq:
        size = max(len(first.items), len(second.items))
        ones, others = (seq.items + (ABSENT,) * (size - len(seq.items)) for seq in (first, second))
        items = tuple(self.merged(condition, one, other) for one, other in zip(ones, others, strict=True))
        return Seq(self.choice_of_leaves(condition, first.length, second.length), items)

    def _choice_of_slots(self, condition: int, first: Slots, second: Slots) -> Slots:
        both, items = self.circuit.both, list[tuple[int, Value]]()
        nothing: tuple[int, Value] = (FALSE, ABSENT)
        for position in range(max(len(first.items), len(second.items))):
            guard, value = first.items[position] if position < len(first.items) else nothing
            other_guard, other = second.items[position] if position < len(second.items) else nothing
            merged = self.circuit.either((both((condition, guard)), both((condition ^ 1, other_guard))))
            if merged != FALSE:
                items.append(
                    (
                        merged,
                        self.merged(condition, value, other)
                        if guard != FALSE and other_guard != FALSE
                        else value
                        if guard != FALSE
                        else other,
                    )
                )
        return Slots(tuple(items))

    def equal(self, first: Value, second: Value) -> int:
        """Equality of what is no tuple and no union."""
        circuit = self.circuit
        match first, second:
            case int(), int():
                return circuit.choice(first, second, second ^ 1)
            case Leaf(), Leaf():
                return circuit.either(
                    [circuit.both((guard, second[key])) for key, guard in first.items() if key in second]
                )
            case Mask(), Mask():
                keys = [*first, *(key for key in second if key not in first)]
                return circuit.both(
                    [
                        circuit.choice(first.get(key, FALSE), second.get(key, FALSE), second.get(key, FALSE) ^ 1)
                        for key in keys
                    ]
                )
            case Tally(), Tally():
                keys = [*first, *(key for key in second if key not in first)]
                return circuit.both([self.equal(first.times(key), second.times(key)) for key in keys])
            case Table(), Table():
                return circuit.both([self.same(value, second[key]) for key, value in first.items()])
            case Queues(), Queues():
                return circuit.both([self.same(queue, second[pair]) for pair, queue in first.items()])
            case Seq(), Seq():
                positions = range(min(len(first.items), len(second.items)))
                return circuit.both(
                    [
                        self.equal(first.length, second.length),
                        *(
                            circuit.either(
                                (
                                    self.longer(first, position) ^ 1,
                                    self.same(first.items[position], second.items[position]),
                                )
                            )
                            for position in positions
                        ),
                    ]
                )
            case Slots(), Slots():
                return circuit.both([self._covered(first, second), self._covered(second, first)])
        raise TypeError(f"no equality of values like {first!r} and {second!r}")

    def _covered(self, first: Slots, second: Slots) -> int:
        """Whether `second` has each element of `first` as often."""
        circuit = self.circuit
        return circuit.both(
            [
                circuit.either((guard ^ 1, self.equal(self.times(first, item), self.times(second, item))))
                for guard, item in first.items
            ]
        )

    # Counting

    def count(self, conditions: Iterable[int], most: int | None = None) -> Leaf:
        """How many of the conditions are true; it is known to be at most `most`."""
        circuit = self.circuit
        total = Leaf({0: TRUE})
        for condition in conditions:
            if condition == FALSE:
                continue
            following = Leaf()
            for number, guard in total.items():
                stays, grows = circuit.both((guard, condition ^ 1)), circuit.both((guard, condition))
                if stays != FALSE:
                    following[number] = circuit.either((following.get(number, FALSE), stays))
                if grows != FALSE and (most is None or number < most):
                    following[number + 1] = grows
            total = following
        return total

    def times(self, slots: Slots, element: Value) -> Leaf:
        """How often an element is in slots."""
        return self.count([self.circuit.both((guard, self.same(item, element))) for guard, item in slots.items])

    def longer(self, seq: Seq, position: int) -> int:
        """Whether a list has an element at a position."""
        return self.circuit.either([guard for length, guard in seq.length.items() if length > position])

    # Concrete values

    def cases(self, value: Value, kind: Type) -> Iterator[tuple[Any, int]]:
        """The Python values that a symbolic one may be, each with its condition."""
        both = self.circuit.both
        match kind:
            case BoolType():
                true = as_condition(value)
                yield from ((python, guard) for python, guard in ((True, true), (False, true ^ 1)) if guard != FALSE)
            case NoneType():
                yield None, TRUE
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                options = [list(self.cases(part, inner)) for part, inner in zip(parts_of(value), kinds, strict=True)]
                for choice in product(*options):
                    guard = both([condition for _, condition in choice])
                    if guard != FALSE:
                        parts = [python for python, _ in choice]
                        yield (kind.sort(*parts) if isinstance(kind, RecordType) else tuple(parts)), guard
            case UnionType(kinds=kinds):
                there = alternatives_of(value)
                for inner in kinds:
                    if class_key(inner) in there:
                        guard, part = there[class_key(inner)]
                        for python, condition in self.cases(part, inner):
                            condition = both((guard, condition))
                            if condition != FALSE:
                                yield python, condition
            case _ if isinstance(value, Leaf):
                yield from value.items()
            case _:
                yield from self._containers(value, kind)

    def _containers(self, value: Value, kind: Type) -> Iterator[tuple[Any, int]]:
        """The containers that a symbolic one may be, among all of its type: for small types only."""
        for python in kind.values():
            guard = self.same(value, self.known(python, kind))
            if guard != FALSE:
                yield python, guard

    def known(self, value: Any, kind: Type) -> Value:
        """A frozen Python value as a symbolic one; overridden by the machine for tuples and unions."""
        raise NotImplementedError

    def constant(self, value: Any, kind: Type) -> Value:
        """A frozen Python value as a symbolic one, for leaves and containers."""
        match kind:
            case MapType(value=inner):
                parts = zip(kind.keys, kind.parts(value), strict=True)
                return Table({key: self.known(part, inner) for key, part in parts})
            case SetType(element=element):
                return self._collection(list(value), element)
            case NetworkType(message=element):
                return self._collection(list(value), element)
            case BagType(message=element) if tallied(element):
                return Tally({part: Leaf({times: TRUE}) for part, times in value.counts.items()})
            case BagType(message=element):
                return Slots(
                    tuple(
                        (TRUE, self.known(part, element)) for part, times in value.counts.items() for _ in range(times)
                    )
                )
            case ChannelsType():
                return Queues(
                    {pair: as_seq(self.constant(list(value.queues.get(pair, ())), kind.queue)) for pair in kind.pairs}
                )
            case ListType(element=element):
                return Seq(Leaf({len(value): TRUE}), tuple(self.known(part, element) for part in value))
        return Leaf({value: TRUE})

    def _collection(self, values: list[Any], element: Type) -> Value:
        if masked(element):
            return Mask(dict.fromkeys(values, TRUE))
        return Slots(tuple((TRUE, self.known(part, element)) for part in values))

    # Unknown values

    def unknown(self, kind: Type, constraints: list[int]) -> Value:
        """An arbitrary value of a type; what its variables must satisfy is added to the constraints."""
        circuit = self.circuit
        match kind:
            case BoolType():
                return circuit.variable()
            case NoneType():
                return None
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                return tuple(self.unknown(part, constraints) for part in kinds)
            case UnionType(kinds=kinds):
                which = self._one_of([class_key(part) for part in kinds], constraints)
                return Union(
                    {class_key(part): (which[class_key(part)], self.unknown(part, constraints)) for part in kinds}
                )
            case MapType(value=inner):
                return Table({key: self.unknown(inner, constraints) for key in kind.keys})
            case SetType(element=element) | NetworkType(message=element):
                return self._unknown_set(element, kind, constraints)
            case BagType(message=element):
                return self._unknown_bag(element, kind, constraints)
            case ChannelsType():
                return Queues({pair: as_seq(self.unknown(kind.queue, constraints)) for pair in kind.pairs})
            case ListType(element=element):
                capacity = self.capacity(kind) or 0
                length = self._one_of(range(capacity + 1), constraints)
                return Seq(length, tuple(self.unknown(element, constraints) for _ in range(capacity)))
        return self._one_of(kind.values(), constraints)

    def _one_of(self, values: Iterable[Any], constraints: list[int]) -> Leaf:
        """One of several Python values, by a binary number."""
        known = list(values)
        bits = [self.circuit.variable() for _ in range((len(known) - 1).bit_length())]
        leaf = Leaf()
        for code in range(1 << len(bits)):
            condition = self.circuit.both(
                [bit if code >> position & 1 else bit ^ 1 for position, bit in enumerate(bits)]
            )
            if code < len(known):
                leaf[known[code]] = condition
            else:
                constraints.append(condition ^ 1)
        return leaf

    def _unknown_bag(self, element: Type, kind: BagType, constraints: list[int]) -> Value:
        capacity = self.capacity(kind) or 0
        if not tallied(element):
            return self._unknown_slots(element, capacity, constraints)
        tally = Tally({part: self._one_of(range(capacity + 1), constraints) for part in element.values()})
        if kind.bound not in self.room:
            constraints.append(self.at_most(self.copies(tally), capacity))
        return tally

    def copies(self, tally: Tally) -> list[int]:
        """For each message and each number from 1, the condition that it is there so often."""
        found = []
        for times in tally.values():
            for number in range(1, max(times) + 1):
                found.append(self.circuit.either([guard for count, guard in times.items() if count >= number]))
        return found

    def _unknown_set(self, element: Type, kind: SetType | NetworkType, constraints: list[int]) -> Value:
        capacity = self.capacity(kind)
        if not masked(element):
            assert capacity is not None
            slots = self._unknown_slots(element, capacity, constraints)
            for position, (guard, item) in enumerate(slots.items):
                constraints.extend(
                    self.circuit.both((guard, other_guard, self.same(item, other))) ^ 1
                    for other_guard, other in slots.items[:position]
                )
            return slots
        mask = Mask({part: self.circuit.variable() for part in element.values()})
        if kind.bound not in self.room and capacity is not None and capacity < len(mask):
            constraints.append(self.at_most(mask.values(), capacity))
        return mask

    def _unknown_slots(self, element: Type, capacity: int, constraints: list[int]) -> Slots:
        """Slots that are filled from the first one on."""
        items = tuple((self.circuit.variable(), self.unknown(element, constraints)) for _ in range(capacity))
        constraints.extend(
            self.circuit.either((items[position][0], items[position + 1][0] ^ 1)) for position in range(capacity - 1)
        )
        return Slots(items)

    def at_most(self, conditions: Iterable[int], most: int) -> int:
        """Whether at most so many of the conditions are true."""
        counted = [condition for condition in conditions if condition != FALSE]
        if len(counted) <= most:
            return TRUE
        if len(counted) * most > CHAIN_MAX:
            return self._no_more(self._total(counted), most)
        both, either = self.circuit.both, self.circuit.either
        reached = [TRUE] + [FALSE] * (most + 1)
        for condition in counted:
            for number in range(most + 1, 0, -1):
                reached[number] = either((reached[number], both((reached[number - 1], condition))))
        return reached[most + 1] ^ 1

    def _total(self, conditions: list[int]) -> list[int]:
        """How many of the conditions are true, as a binary number, the lowest digit first: three digits of one weight
        become one of it and one of the next, until each weight has one."""
        circuit, total, digits = self.circuit, [], conditions
        while digits:
            carried = []
            while len(digits) > 1:
                a, b, c = (*digits[:2], digits[2] if len(digits) > 2 else FALSE)
                differ = circuit.choice(a, b ^ 1, b)
                digits = [*digits[3:], circuit.choice(differ, c ^ 1, c)]
                carried.append(circuit.choice(differ, c, a))
            total += digits
            digits = [digit for digit in carried if digit != FALSE]
        return total

    def _no_more(self, number: list[int], most: int) -> int:
        """Whether a binary number is at most `most`."""
        result = TRUE
        for position, digit in enumerate(number):
            result = self.circuit.choice(
                digit, result if most >> position & 1 else FALSE, TRUE if most >> position & 1 else result
            )
        return result if most >> len(number) == 0 else TRUE

    # Reading a solution

    def read(self, value: Value, kind: Type, true: Callable[[int], bool]) -> Any:
        """The frozen Python value of a symbolic one, where `true` says which conditions are."""
        match kind:
            case BoolType():
                return true(as_condition(value))
            case NoneType():
                return None
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                parts = [self.read(part, inner, true) for part, inner in zip(parts_of(value), kinds, strict=True)]
                return kind.sort(*parts) if isinstance(kind, RecordType) else tuple(parts)
            case UnionType(kinds=kinds):
                there = alternatives_of(value)
                chosen = next(part for part in kinds if class_key(part) in there and true(there[class_key(part)][0]))
                return self.read(there[class_key(chosen)][1], chosen, true)
            case MapType(value=inner):
                table = as_table(value)
                return kind.check(kind.of(self.read(table[key], inner, true) for key in kind.keys))
            case SetType(element=element) | NetworkType(message=element):
                return self._frozen(kind, self._members(value, element, true))
            case BagType(message=element):
                return kind._of(self._members(value, element, true))
            case ChannelsType():
                queues = {pair: tuple(self.read(seq, kind.queue, true)) for pair, seq in as_queues(value).items()}
                return kind.freeze(type(kind.zero())([(pair, queue) for pair, queue in queues.items() if queue]))
            case ListType(element=element):
                seq = as_seq(value)
                length = next(number for number, guard in seq.length.items() if true(guard))
                return kind.check([self.read(item, element, true) for item in seq.items[:length]])
        return next(python for python, guard in as_leaf(value).items() if true(guard))

    def _members(self, value: Value, element: Type, true: Callable[[int], bool]) -> list[Any]:
        if isinstance(value, Tally):
            return [
                part
                for part, times in value.items()
                for number, guard in times.items()
                if true(guard)
                for _ in range(number)
            ]
        if isinstance(value, Mask):
            return [part for part, guard in value.items() if true(guard)]
        return [self.read(item, element, true) for guard, item in as_slots(value).items if true(guard)]

    @staticmethod
    def _frozen(kind: SetType | NetworkType, members: list[Any]) -> Any:
        return kind.check(set(members)) if isinstance(kind, SetType) else kind.freeze(type(kind.zero())(members))
