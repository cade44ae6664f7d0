"""The model at fixed bounds, as a Boolean circuit over the cells of the state: the whole language.

What a run of the interpreter computes for one state, this computes for all states at once. On a constant state it
computes the very successor; on an unknown one, a condition for every cell of the state after. Errors and cuts are
exact: a later point of the run counts only if no earlier one stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from quorate.errors import Location, SpecError
from quorate.language.types import (
    BagType,
    ChannelsType,
    IdentityType,
    ListType,
    MapType,
    NetworkType,
    SetType,
    Type,
)
from quorate.model.nodes import Change, Expr, Loop
from quorate.model.ranges import limits
from quorate.prove.encode import machine
from quorate.prove.encode.fixed.base import Env, Exits, Guarded
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
from quorate.prove.encode.fixed.histories import Histories
from quorate.prove.encode.fixed.parts import (
    Leaf,
    Mask,
    Queues,
    Seq,
    Slots,
    Table,
    Tally,
    Value,
    as_leaf,
    as_mask,
    as_queues,
    as_seq,
    as_slots,
    as_table,
    masked,
)
from quorate.prove.encode.values import ABSENT

NUMBERS_MAX = 65_536
"""Each number of a range is written."""


class Fixed(Histories):
    """Runs bodies over cells. Use it inside `with model.system`."""

    # Sets

    def op_domain(self, node: Expr, env: Env) -> Value:
        return Mask(dict.fromkeys(node.type.children()[0].values(), TRUE))

    def op_set(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        return self._collected([(TRUE, member) for member in self.values(node.args, env)], node.type)

    def member(self, found: Value, kind: Type, whole: Value) -> int:
        """Whether an element is in a set, list or network."""
        if isinstance(whole, Mask):
            return self.either(
                [self.both((guard, whole.get(python, FALSE))) for python, guard in self.cells.cases(found, kind)]
            )
        if isinstance(whole, Tally):
            cases = self.cells.cases(found, kind)
            return self.either([self.both((guard, whole.times(python).get(0, FALSE) ^ 1)) for python, guard in cases])
        items: Sequence[tuple[int, Value]] = (
            whole.items
            if isinstance(whole, Slots)
            else [
                (self.cells.longer(queue, position), item)
                for queue in (whole.values() if isinstance(whole, Queues) else (as_seq(whole),))
                for position, item in enumerate(queue.items[:1] if isinstance(whole, Queues) else queue.items)
            ]
        )
        return self.either([self.both((guard, self.equal(found, item))) for guard, item in items])

    def op_in(self, node: Expr, env: Env) -> Value:
        found, whole = self.values(node.args, env)
        return self.member(found, node.args[0].type, whole)

    def op_eq(self, node: Expr, env: Env) -> Value:
        if isinstance(node.args[0].type, SetType):
            return self.both([self.circuit.choice(a, b, b ^ 1) for a, b in self._pairwise(node, env).values()])
        return super().op_eq(node, env)

    def _pairwise(self, node: Expr, env: Env) -> dict[Any, tuple[int, int]]:
        """For both sets as masks: each element with the conditions that it is in the first and in the second."""
        masks: list[Mask] = []
        for value, part in zip(self.values(node.args, env), node.args, strict=True):
            assert isinstance(part.type, SetType)
            masks.append(value if isinstance(value, Mask) else self._as_mask(as_slots(value), part.type.element))
        first, second = masks
        keys = [*first, *(key for key in second if key not in first)]
        return {key: (first.get(key, FALSE), second.get(key, FALSE)) for key in keys}

    def _as_mask(self, value: Slots, element: Type) -> Mask:
        mask = Mask()
        for guard, item in value.items:
            for python, condition in self.cells.cases(item, element):
                mask[python] = self.either((mask.get(python, FALSE), self.both((guard, condition))))
        return mask

    def _combined(self, node: Expr, env: Env, join: Callable[[int, int], int]) -> Value:
        assert isinstance(node.type, SetType)
        found = {key: join(*pair) for key, pair in self._pairwise(node, env).items()}
        mask = Mask({key: guard for key, guard in found.items() if guard != FALSE})
        if masked(node.type.element):
            return mask
        return Slots(tuple((guard, self.constant(python, node.type.element)) for python, guard in mask.items()))

    def op_union(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.either((a, b)))

    def op_intersect(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, b)))

    def op_difference(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, b ^ 1)))

    def op_subset(self, node: Expr, env: Env) -> Value:
        return self.both([self.either((a ^ 1, b)) for a, b in self._pairwise(node, env).values()])

    def op_len(self, node: Expr, env: Env) -> Value:
        _, high = limits(node.type)
        return self.within(self.size(self.value(node.args[0], env), high), node.type)

    def _at_least(self, whole: Value, number: int) -> int:
        if number <= 0:
            return TRUE
        match whole:
            case Mask():
                conditions = list(whole.values())
            case Tally():
                conditions = self.cells.copies(whole)
            case _:
                conditions = [guard for guard, _ in as_slots(whole).items]
        return self.cells.at_most(conditions, number - 1) ^ 1

    def has_room(self, whole: Value, kind: Type, number: int) -> int:
        """Whether a set or network can take so many elements without being cut."""
        assert isinstance(kind, SetType | NetworkType)
        if kind.capacity is None or kind.bound in self.room:
            return TRUE
        return self._at_least(whole, kind.capacity - number + 1) ^ 1

    def op_majority(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.data, IdentityType)
        return self._at_least(self.value(node.args[0], env), node.data.size // 2 + 1)

    def op_quorum(self, node: Expr, env: Env) -> Value:
        members, size = self.values(node.args, env)
        return self.either(
            [self.both((guard, self._at_least(members, number))) for number, guard in as_leaf(size).items()]
        )

    # Maps and lists

    def op_lookup(self, node: Expr, env: Env) -> Value:
        whole, key = self.values(node.args, env)
        return self.at(whole, node.args[0].type, key, node.location)

    def op_index(self, node: Expr, env: Env) -> Value:
        whole, position = self.values(node.args, env)
        return self.at(whole, node.args[0].type, position, node.location)

    def op_queue(self, node: Expr, env: Env) -> Value:
        whole, source, target = self.values(node.args, env)
        found: list[tuple[int, Value]] = [
            (self.both((begin, end)), as_queues(whole)[one, other])
            for one, begin in self.cells.cases(source, node.args[1].type)
            for other, end in self.cells.cases(target, node.args[2].type)
        ]
        return self.some(self._chosen(found), node.type)

    def at(self, whole: Value, kind: Type, key: Value, location: Location | None) -> Value:
        if isinstance(kind, ListType):
            return self.some(self._item(as_seq(whole), as_leaf(key), location), kind.element)
        assert isinstance(kind, MapType)
        table = as_table(whole)
        cases = list(self.cells.cases(key, kind.key))
        known = [(guard, table[python]) for python, guard in cases if python in table]
        self.stop(
            "error",
            self.either([guard for python, guard in cases if python not in table]),
            "there is no such key",
            location,
        )
        return self.some(self._chosen(known), kind.value)

    def sought(self, node: Expr, env: Env) -> Value:
        """What the types show to be a key or an element needs no check at these bounds."""
        return self.value(node, env)

    def require_key(self, key: Value, whole: Type, location: Location | None) -> None:
        """A table has the keys that there are, and `at` tells others."""

    def _positions(self, whole: Seq, key: Leaf) -> dict[int, int]:
        """The positions that an index can mean, each with its condition."""
        found: dict[int, int] = {}
        for index, condition in key.items():
            for length, guard in whole.length.items():
                position = index if index >= 0 else length + index
                if 0 <= position < length:
                    found[position] = self.either((found.get(position, FALSE), self.both((condition, guard))))
        return {position: guard for position, guard in found.items() if guard != FALSE}

    def _item(self, whole: Seq, key: Leaf, location: Location | None) -> Value:
        positions = self._positions(whole, key)
        self.stop("error", self.either(positions.values()) ^ 1, "there is no such index", location)
        return self._chosen([(guard, whole.items[position]) for position, guard in positions.items()])

    def replaced(self, whole: Value, kind: Type, key: Value, value: Value) -> Value:
        if isinstance(whole, Seq):
            items = list(whole.items)
            for position, guard in self._positions(whole, as_leaf(key)).items():
                items[position] = self.select(guard, value, items[position])
            return Seq(whole.length, tuple(items))
        assert isinstance(kind, MapType)
        table = Table(as_table(whole))
        for python, guard in self.cells.cases(key, kind.key):
            if python in table:
                table[python] = self.select(guard, value, table[python])
        return table

    def op_range(self, node: Expr, env: Env) -> Value:
        low, high = map(as_leaf, self.values(node.args, env))
        options: Guarded = []
        for first, guard in low.items():
            for end, other in high.items():
                condition = self.both((guard, other))
                if condition != FALSE:
                    if end - first > NUMBERS_MAX:
                        raise SpecError(
                            f"range(...) over {end - first:,} numbers has no symbolic encoding: there may be {NUMBERS_MAX:,}.",
                            node.location,
                        )
                    numbers = tuple(Leaf({number: TRUE}) for number in range(first, end))
                    options.append((condition, Seq(Leaf({len(numbers): TRUE}), numbers)))
        return self._chosen(options)

    def op_list(self, node: Expr, env: Env) -> Value:
        return Seq(Leaf({len(node.args): TRUE}), tuple(self.values(node.args, env)))

    def op_concat(self, node: Expr, env: Env) -> Value:
        first, second = map(as_seq, self.values(node.args, env))
        options: Guarded = [
            (
                guard,
                Seq(
                    Leaf({length + other: condition for other, condition in second.length.items()}),
                    first.items[:length] + second.items,
                ),
            )
            for length, guard in first.length.items()
        ]
        return self._chosen(options)

    def op_slice(self, node: Expr, env: Env) -> Value:
        listed, first, last = self.values(node.args, env)
        whole, low, high = as_seq(listed), as_leaf(first), as_leaf(last)
        options: Guarded = []
        for (length, one), (start, two), (end, three) in product(whole.length.items(), low.items(), high.items()):
            guard = self.both((one, two, three))
            if guard != FALSE:
                items = whole.items[:length][start:end]
                options.append((guard, Seq(Leaf({len(items): TRUE}), items)))
        return self._chosen(options)

    # Changes

    def changed(self, change: Change, whole: Value, kind: Type, args: list[Value], location: Location | None) -> Value:
        match kind:
            case ListType():
                return self._changed_list(change, as_seq(whole), kind, args, location)
            case BagType():
                return self._changed_bag(change, whole, kind, args[0], location)
            case ChannelsType():
                return self._changed_queues(change, as_queues(whole), kind, args[0], location)
        assert isinstance(kind, SetType | NetworkType)
        return self._changed_set(change, whole, kind, args[0], location)

    def _changed_set(
        self, change: Change, whole: Value, kind: SetType | NetworkType, item: Value, location: Location | None
    ) -> Value:
        element = kind.children()[0]
        there = self.member(item, element, whole)
        if change in (Change.ADD, Change.SEND):
            if kind.capacity is not None and kind.capacity < element.cardinality and kind.bound not in self.room:
                self.stop("cut", self.both((there ^ 1, self._at_least(whole, kind.capacity))), kind.bound, location)
            if isinstance(whole, Slots):
                return Slots((*whole.items, (there ^ 1, item)))
            return self._with(as_mask(whole), item, element, lambda old, guard: self.either((old, guard)))
        if change is not Change.DISCARD:
            self.stop("error", there ^ 1, "the element is not there", location)
        if change is Change.RECEIVE:
            return whole
        if isinstance(whole, Slots):
            return Slots(tuple((self.both((guard, self.equal(one, item) ^ 1)), one) for guard, one in whole.items))
        return self._with(as_mask(whole), item, element, lambda old, guard: self.both((old, guard ^ 1)))

    def _with(self, whole: Mask, item: Value, element: Type, join: Callable[[int, int], int]) -> Mask:
        mask = Mask(whole)
        for python, guard in self.cells.cases(item, element):
            mask[python] = join(mask.get(python, FALSE), guard)
        return mask

    def _changed_list(
        self, change: Change, whole: Seq, kind: ListType, args: list[Value], location: Location | None
    ) -> Seq:
        if change is Change.APPEND:
            full = self.either([guard for length, guard in whole.length.items() if length >= kind.capacity])
            if kind.bound not in self.room:
                self.stop("cut", full, kind.bound, location)
            length = Leaf({number: guard for number, guard in whole.length.items() if number < kind.capacity})
            return self._appended(Seq(length, whole.items), args[0]) if length else whole
        self.stop("error", whole.length.get(0, FALSE), "pop from an empty list", location)
        return Seq(Leaf({number - 1: guard for number, guard in whole.length.items() if number}), whole.items)

    def _changed_bag(
        self, change: Change, whole: Value, kind: BagType, item: Value, location: Location | None
    ) -> Value:
        if change is Change.SEND and kind.bound not in self.room:
            self.stop("cut", self._at_least(whole, kind.capacity), kind.bound, location)
        if isinstance(whole, Tally):
            return self._changed_tally(change, whole, kind, item, location)
        slots = as_slots(whole)
        if change is Change.SEND:
            return Slots((*slots.items, (TRUE, item)))
        left, before = list[tuple[int, Value]](), FALSE
        for guard, one in slots.items:
            match = self.both((guard, self.equal(one, item)))
            left.append((self.both((guard, self.either((before, match ^ 1)))), one))
            before = self.either((before, match))
        self.stop("error", before ^ 1, "the message is not there", location)
        return Slots(tuple(left))

    def _changed_tally(
        self, change: Change, whole: Tally, kind: BagType, item: Value, location: Location | None
    ) -> Tally:
        if change is not Change.SEND:
            self.stop("error", self.member(item, kind.message, whole) ^ 1, "the message is not there", location)
        by, tally = 1 if change is Change.SEND else -1, Tally(whole)
        for message, guard in self.cells.cases(item, kind.message):
            before = whole.times(message)
            after = Leaf({count + by: condition for count, condition in before.items() if count + by >= 0})
            tally[message] = self.cells.choice_of_leaves(guard, after, before)
        return tally

    def _changed_queues(
        self, change: Change, whole: Queues, kind: ChannelsType, item: Value, location: Location | None
    ) -> Queues:
        ends: dict[Any, int] = {}
        for message, guard in self.cells.cases(item, kind.message):
            pair = (message.source, message.target)
            ends[pair] = self.either((ends.get(pair, FALSE), guard))
        if change is not Change.SEND:
            self.stop(
                "error",
                self.member(item, kind.message, whole) ^ 1,
                "the message is not at the head of its queue",
                location,
            )
        queues = Queues(whole)
        for pair, guard in ends.items():
            with self.under(guard):
                queue = self._queued(change, whole[pair], kind, item, location)
                queues[pair] = as_seq(self.select(guard, queue, whole[pair]))
        return queues

    def _queued(self, change: Change, queue: Seq, kind: ChannelsType, item: Value, location: Location | None) -> Seq:
        if change is Change.SEND:
            return self._changed_list(Change.APPEND, queue, kind.queue, [item], location)
        return Seq(Leaf({number - 1: guard for number, guard in queue.length.items() if number}), queue.items[1:])

    def hold_within(self, constraint: str, condition: Expr, env: Env, location: Location | None) -> None:
        """What would stop the condition itself is an error, also a bound: only the action may pass one."""
        action, self.events = self.events, []
        within = self.condition(condition, env)
        raised, self.events = self.events, action
        self.events += [replace(event, kind="error") for event in raised]
        self.stop("cut", within ^ 1, constraint, location)

    # Loops

    def loop(self, statement: Loop, env: Env) -> Exits:
        alive, returned = TRUE, FALSE
        value: Value = ABSENT
        source = self.value(statement.source, env)
        with self.each_round(source) as one:
            for guard, element in self.rounds(source, statement.source.type):
                condition = self.both((alive, guard))
                branch = env.copy()
                branch.local[statement.name] = element
                with one(), self.under(condition):
                    if condition == FALSE or self.path == FALSE:
                        continue
                    exits = self.run(statement.body, branch)
                self._merge(condition, branch, env)
                leaves = self.both((condition, exits.returned))
                value = self.select(leaves, exits.value, value)
                returned = self.either((returned, leaves))
                if not self.is_unordered(source):
                    left = self.both((condition, self.either((exits.broken, exits.returned))))
                    alive = self.both((alive, left ^ 1))
        return machine.Exits(returned ^ 1, returned, FALSE, FALSE, value)
