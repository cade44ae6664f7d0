"""The model at fixed bounds, as a Boolean circuit over the cells of the state: the whole language but `linearizable`.

What a run of the interpreter computes for one state, this computes for all states at once. On a constant state it
computes the very successor; on an unknown one, a condition for every cell of the state after. Errors and cuts are
exact: a later point of the run counts only if no earlier one stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

from checker.errors import Location, SpecError
from checker.language.types import (
    BagType,
    ChannelsType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    SetType,
    Type,
)
from checker.model.conversion import is_number, limits
from checker.model.nodes import Change, Expr, For, Loop, Model
from checker.prove.encode.cells import Cells, Leaf, Mask, Queues, Seq, Slots, Table, masked
from checker.prove.encode.circuit import FALSE, TRUE, Circuit
from checker.prove.encode.machine import ABSENT, Cond, Env, Exits, Machine, Value

Guarded = list[tuple[int, Value]]


class _Cells(Cells):
    """Cells whose tuples and unions are those of a machine."""

    def __init__(self, machine: Fixed) -> None:
        super().__init__(machine.circuit)
        self.merged, self.same, self.known = machine.select, machine.equal, machine.constant  # type: ignore[method-assign]


class Fixed(Machine):
    """Runs bodies over cells. Use it inside `with model.system`."""

    true, false = TRUE, FALSE

    def __init__(self, model: Model, circuit: Circuit | None = None) -> None:
        super().__init__(model)
        self.circuit = circuit or Circuit()
        self.cells = _Cells(self)

    def both(self, parts: Iterable[int]) -> int:
        return self.circuit.both(parts)

    def either(self, parts: Iterable[int]) -> int:
        return self.circuit.either(parts)

    def negate(self, part: int) -> int:
        return part ^ 1

    def is_true(self, part: Cond) -> bool:
        return bool(part == TRUE)

    def is_false(self, part: Cond) -> bool:
        return bool(part == FALSE)

    def select_plain(self, condition: Cond, first: Value, second: Value) -> Value:
        return self.cells.choice(condition, first, second)

    def equal_plain(self, first: Value, second: Value) -> Cond:
        return self.cells.equal(first, second)

    def constant_plain(self, value: Any, kind: Type) -> Value:
        return self.cells.constant(value, kind)

    def unknown(self, kind: Type, constraints: list[int]) -> Value:
        """An arbitrary value of a type; what its variables must satisfy is added to the constraints."""
        value = self.cells.unknown(kind, constraints)
        if isinstance(kind, ChannelsType):
            for (source, target), queue in value.items():
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

    # Conversions

    def fitted(self, value: Value, have: Type, want: Type, location: Location | None) -> Value:
        if is_number(want):
            return self._fitted_number(value, want, location)
        if isinstance(want, SetType) and isinstance(have, SetType):
            return self._fitted_set(value, have, want, location)
        if isinstance(want, ListType) and isinstance(have, ListType):
            too_long = self.either([guard for length, guard in value.length.items() if length > want.capacity])
            items = []
            for position, item in enumerate(value.items):
                with self.under(self.cells.longer(value, position)):
                    items.append(self.fit(item, have.element, want.element, location))
            self.stop("cut", too_long, want.bound, location)
            length = Leaf({number: guard for number, guard in value.length.items() if number <= want.capacity})
            return Seq(length, tuple(items[: want.capacity]))
        if isinstance(want, MapType) and isinstance(have, MapType):
            return Table({key: self.fit(part, have.value, want.value, location) for key, part in value.items()})
        return value

    def _fitted_number(self, value: Leaf, want: Type, location: Location | None) -> Leaf:
        if not isinstance(want, NatType):
            return value
        self.stop(
            "cut",
            self.either([guard for number, guard in value.items() if number > want.maximum]),
            want.bound,
            location,
        )
        self.stop(
            "error",
            self.either([guard for number, guard in value.items() if number < 0]),
            f"a number below zero, where {want} begins",
            location,
        )
        return Leaf({number: guard for number, guard in value.items() if 0 <= number <= want.maximum})

    def _fitted_set(self, value: Value, have: SetType, want: SetType, location: Location | None) -> Value:
        items = []
        for guard, item in self._slots(value, have.element).items:
            with self.under(guard):
                items.append((guard, self.fit(item, have.element, want.element, location)))
        result = self._collected(items, want)
        if want.capacity is not None:
            size = self.op_size(result)
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
            return Seq(value.length, tuple(self.coerce(item, have.element, want.element) for item in value.items))
        if isinstance(want, MapType) and isinstance(have, MapType):
            return Table({key: self.coerce(part, have.value, want.value) for key, part in value.items()})
        return value

    def _slots(self, value: Value, element: Type) -> Slots:
        """A set as guarded elements."""
        if isinstance(value, Slots):
            return value
        return Slots(tuple((guard, self.constant(python, element)) for python, guard in value.items()))

    def _collected(self, items: Guarded, kind: SetType) -> Value:
        """A set from guarded elements that may be equal."""
        if masked(kind.element):
            mask = Mask()
            for guard, item in items:
                if item is ABSENT:
                    continue
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

    # Ranging over a source

    def rounds(self, source: Value, kind: Type) -> Guarded:
        """What a loop over a value yields: guarded elements in canonical order."""
        match source:
            case Mask():
                element = kind.children()[0]
                return [
                    (source[python], self.constant(python, element)) for python in sorted(source, key=element.encode)
                ]
            case Seq(items=items):
                return [(self.cells.longer(source, position), item) for position, item in enumerate(items)]
            case Queues():
                return [(self.cells.longer(queue, 0), queue.items[0]) for queue in source.values() if queue.items]
        items = source.items
        if isinstance(kind, BagType):
            return [
                (
                    self.both(
                        (guard, *(self.both((other, self.equal(item, one))) ^ 1 for other, one in items[:position]))
                    ),
                    item,
                )
                for position, (guard, item) in enumerate(items)
            ]
        return list(items)

    def _each(
        self, node: Expr, env: Env, visit: Callable[[int, Value], None], alive: Callable[[], int] = lambda: TRUE
    ) -> None:
        """Call `visit` with guard and value of all that a comprehension yields, as long as `alive`."""
        inner = env.copy()

        def clauses(position: int, guard: int) -> None:
            if position == len(node.clauses):
                visit(guard, self.value(node.args[0], inner))
                return
            clause = node.clauses[position]
            if isinstance(clause, For):
                for found, element in self.rounds(self.value(clause.source, inner), clause.source.type):
                    inside(position, guard, self.both((found, alive())), clause.name, element)
            else:
                inside(position, guard, self.value(clause.condition, inner), "", None)

        def inside(position: int, guard: int, condition: int, name: str, element: Value) -> None:
            guard = self.both((guard, condition))
            with self.under(condition):
                if guard != FALSE and self.path != FALSE:
                    if name:
                        inner.local[name] = element
                    clauses(position + 1, guard)

        clauses(0, TRUE)

    def _yielded(self, node: Expr, env: Env) -> Guarded:
        found: Guarded = []
        self._each(node, env, lambda guard, value: found.append((guard, value)))
        return found

    def _until(self, node: Expr, env: Env, goes_on: bool) -> int:
        """Whether all values that a comprehension yields are `goes_on`; what follows one that is not is not
        evaluated."""
        alive = TRUE

        def visit(guard: int, value: int) -> None:
            nonlocal alive
            alive = self.both((alive, self.either((guard ^ 1, value if goes_on else value ^ 1))))

        self._each(node, env, visit, lambda: alive)
        return alive

    def op_all(self, node: Expr, env: Env) -> Value:
        return self._until(node, env, True)

    def op_any(self, node: Expr, env: Env) -> Value:
        return self._until(node, env, False) ^ 1

    def op_sum(self, node: Expr, env: Env) -> Value:
        total = Leaf({0: TRUE})
        for guard, value in self._yielded(node, env):
            total = self.select(guard, self._lifted(lambda a, b: a + b, total, value), total)
        return total

    def op_max_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, lambda value, best: self.less(best, value))

    def op_min_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, self.less_than)

    def _extreme(self, node: Expr, env: Env, better: Callable[[Value, Value], int]) -> Value:
        some, best = FALSE, ABSENT
        for guard, value in self._yielded(node, env):
            wins = guard if best is ABSENT else self.both((guard, self.either((some ^ 1, better(value, best)))))
            best, some = self.select(wins, value, best), self.either((some, guard))
        return self._or_default(node, env, some, best, f"{node.op.value.removesuffix('_of')} of nothing")

    def _or_default(self, node: Expr, env: Env, some: int, value: Value, why: str) -> Value:
        if len(node.args) == 2:
            with self.under(some ^ 1):
                default = ABSENT if self.path == FALSE else self.value(node.args[1], env)
            return self.select(some, value, default)
        self.stop("error", some ^ 1, why, node.location)
        return value

    def op_the(self, node: Expr, env: Env) -> Value:
        some, found = FALSE, ABSENT
        for guard, value in self._yielded(node, env):
            if found is not ABSENT:
                different = self.both((some, guard, self.equal(found, value) ^ 1))
                self.stop("error", different, "the(...) finds two different values", node.location)
            found = self.select(some, found, value) if found is not ABSENT else value
            some = self.either((some, guard))
        return self._or_default(node, env, some, found, "the(...) finds no value")

    def op_set_of(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        return self._collected(self._yielded(node, env), node.type)

    def op_list_of(self, node: Expr, env: Env) -> Value:
        return self._in_order(self._yielded(node, env))

    def op_map_of(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, MapType)
        return Table(zip(node.type.keys, (value for _, value in self._yielded(node, env)), strict=True))

    def _in_order(self, items: Guarded) -> Seq:
        seq = Seq(Leaf({0: TRUE}), ())
        for guard, item in items:
            seq = self.select(guard, self._appended(seq, item), seq) if guard != TRUE else self._appended(seq, item)
        return seq

    def _appended(self, seq: Seq, item: Value) -> Seq:
        items = [
            self.select(
                seq.length.get(position, FALSE), item, seq.items[position] if position < len(seq.items) else ABSENT
            )
            for position in range(max(seq.length) + 1)
        ]
        return Seq(Leaf({length + 1: guard for length, guard in seq.length.items()}), tuple(items))

    def op_sorted(self, node: Expr, env: Env) -> Value:
        source, kind = self.value(node.args[0], env), node.args[0].type
        element = kind.children()[0]
        items = [
            (self.both((guard, condition)), python)
            for guard, item in self.rounds(source, kind)
            for python, condition in self.cells.cases(item, element)
        ]
        items.sort(key=lambda pair: pair[1], reverse=bool(node.data))
        return self._in_order([(guard, self.constant(python, element)) for guard, python in items])

    def op_linearizable(self, node: Expr, env: Env) -> Value:
        raise SpecError(
            "linearizable(...) has no symbolic encoding. `quorate check` explores it; leave the property out of proofs "
            "with `--invariant` for the others.",
            node.location,
        )

    # Numbers and order

    def _lifted(self, compute: Callable[..., Any], *leaves: Value) -> Leaf:
        """Any function on all combinations of values."""
        if any(leaf is ABSENT for leaf in leaves):
            return Leaf()
        result = Leaf()
        for choice in product(*(leaf.items() for leaf in leaves)):
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

    def _divided(self, node: Expr, env: Env, compute: Callable[[int, int], int]) -> Leaf:
        first, second = self.values(node.args, env)
        self.stop("error", FALSE if second is ABSENT else second.get(0, FALSE), "division by zero", node.location)
        return self._lifted(compute, first, Leaf({number: guard for number, guard in second.items() if number}))

    def op_div(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, lambda a, b: a // b)

    def op_mod(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, lambda a, b: a % b)

    def less(self, first: Value, second: Value) -> int:
        """`first < second`, of tuples lexicographically."""
        if first is ABSENT or second is ABSENT:
            return FALSE
        if isinstance(first, tuple):
            parts, same = [], TRUE
            for a, b in zip(first, second, strict=True):
                parts.append(self.both((same, self.less(a, b))))
                same = self.both((same, self.equal(a, b)))
            return self.either(parts)
        return self.either(
            [self.both((guard, other)) for a, guard in first.items() for b, other in second.items() if a < b]
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

    # Sets

    def op_domain(self, node: Expr, env: Env) -> Value:
        return Mask(dict.fromkeys(node.type.children()[0].values(), TRUE))

    def op_set(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        return self._collected([(TRUE, member) for member in self.values(node.args, env)], node.type)

    def member(self, found: Value, kind: Type, whole: Value) -> int:
        """Whether an element is in a set, list or network."""
        if found is ABSENT:
            return FALSE
        if isinstance(whole, Mask):
            return self.either(
                [self.both((guard, whole.get(python, FALSE))) for python, guard in self.cells.cases(found, kind)]
            )
        items: Sequence[tuple[int, Value]] = (
            whole.items
            if isinstance(whole, Slots)
            else [
                (self.cells.longer(queue, position), item)
                for queue in (whole.values() if isinstance(whole, Queues) else (whole,))
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
        masks = []
        for value, part in zip(self.values(node.args, env), node.args, strict=True):
            assert isinstance(part.type, SetType)
            masks.append(value if isinstance(value, Mask) else self._as_mask(value, part.type.element))
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

    def op_size(self, whole: Value, most: int | None = None) -> Leaf:
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
        return self.cells.count([guard for guard, _ in whole.items], most)

    def op_len(self, node: Expr, env: Env) -> Value:
        low, high = limits(node.type)
        size = self.op_size(self.value(node.args[0], env), high)
        return Leaf({number: guard for number, guard in size.items() if low <= number <= high})

    def _at_least(self, whole: Value, number: int) -> int:
        if number <= 0:
            return TRUE
        conditions = list(whole.values()) if isinstance(whole, Mask) else [guard for guard, _ in whole.items]
        return self.cells.at_most(conditions, number - 1) ^ 1

    def op_majority(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.data, IdentityType)
        return self._at_least(self.value(node.args[0], env), node.data.size // 2 + 1)

    def op_quorum(self, node: Expr, env: Env) -> Value:
        members, size = self.values(node.args, env)
        return self.either([self.both((guard, self._at_least(members, number))) for number, guard in size.items()])

    # Maps and lists

    def op_lookup(self, node: Expr, env: Env) -> Value:
        whole, key = self.values(node.args, env)
        return self.at(whole, node.args[0].type, key, node.location)

    def op_index(self, node: Expr, env: Env) -> Value:
        whole, position = self.values(node.args, env)
        return self.at(whole, node.args[0].type, position, node.location)

    def at(self, whole: Value, kind: Type, key: Value, location: Location | None) -> Value:
        if key is ABSENT or whole is ABSENT:
            return ABSENT
        if isinstance(whole, Seq):
            return self._item(whole, key, location)
        assert isinstance(kind, MapType)
        cases = list(self.cells.cases(key, kind.key))
        known = [(guard, whole[python]) for python, guard in cases if python in whole]
        self.stop(
            "error",
            self.either([guard for python, guard in cases if python not in whole]),
            "there is no such key",
            location,
        )
        return self._chosen(known)

    def _chosen(self, options: Guarded) -> Value:
        """The value whose guard is true; guards exclude each other."""
        result: Value = ABSENT
        for guard, value in options:
            result = self.select(guard, value, result)
        return result

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
            for position, guard in self._positions(whole, key).items():
                items[position] = self.select(guard, value, items[position])
            return Seq(whole.length, tuple(items))
        assert isinstance(kind, MapType)
        table = Table(whole)
        for python, guard in self.cells.cases(key, kind.key):
            if python in table:
                table[python] = self.select(guard, value, table[python])
        return table

    def op_range(self, node: Expr, env: Env) -> Value:
        low, high = self.values(node.args, env)
        options = []
        for first, guard in low.items():
            for end, other in high.items():
                condition = self.both((guard, other))
                if condition != FALSE:
                    numbers = range(first, end)
                    options.append(
                        (condition, Seq(Leaf({len(numbers): TRUE}), tuple(Leaf({number: TRUE}) for number in numbers)))
                    )
        return self._chosen(options)

    def op_list(self, node: Expr, env: Env) -> Value:
        return Seq(Leaf({len(node.args): TRUE}), tuple(self.values(node.args, env)))

    def op_concat(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        options = [
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
        whole, low, high = self.values(node.args, env)
        options = []
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
                return self._changed_list(change, whole, kind, args, location)
            case BagType():
                return self._changed_bag(change, whole, kind, args[0], location)
            case ChannelsType():
                return self._changed_queues(change, whole, kind, args[0], location)
        assert isinstance(kind, SetType | NetworkType)
        return self._changed_set(change, whole, kind, args[0], location)

    def _changed_set(
        self, change: Change, whole: Value, kind: SetType | NetworkType, item: Value, location: Location | None
    ) -> Value:
        if item is ABSENT:
            return whole
        element = kind.children()[0]
        there = self.member(item, element, whole)
        if change in (Change.ADD, Change.SEND):
            if kind.capacity is not None and kind.capacity < element.cardinality:
                self.stop("cut", self.both((there ^ 1, self._at_least(whole, kind.capacity))), kind.bound, location)
            if isinstance(whole, Slots):
                return Slots((*whole.items, (there ^ 1, item)))
            return self._with(whole, item, element, lambda old, guard: self.either((old, guard)))
        if change is not Change.DISCARD:
            self.stop("error", there ^ 1, "the element is not there", location)
        if change is Change.RECEIVE:
            return whole
        if isinstance(whole, Slots):
            return Slots(tuple((self.both((guard, self.equal(one, item) ^ 1)), one) for guard, one in whole.items))
        return self._with(whole, item, element, lambda old, guard: self.both((old, guard ^ 1)))

    def _with(self, whole: Mask, item: Value, element: Type, join: Callable[[int, int], int]) -> Mask:
        mask = Mask(whole)
        for python, guard in self.cells.cases(item, element):
            mask[python] = join(mask.get(python, FALSE), guard)
        return mask

    def _changed_list(
        self, change: Change, whole: Seq, kind: ListType, args: list[Value], location: Location | None
    ) -> Seq:
        if change is Change.APPEND:
            self.stop(
                "cut",
                self.either([guard for length, guard in whole.length.items() if length >= kind.capacity]),
                kind.bound,
                location,
            )
            length = Leaf({number: guard for number, guard in whole.length.items() if number < kind.capacity})
            return self._appended(Seq(length, whole.items), args[0]) if length else whole
        self.stop("error", whole.length.get(0, FALSE), "pop from an empty list", location)
        return Seq(Leaf({number - 1: guard for number, guard in whole.length.items() if number}), whole.items)

    def _changed_bag(
        self, change: Change, whole: Slots, kind: BagType, item: Value, location: Location | None
    ) -> Slots:
        if change is Change.SEND:
            self.stop("cut", self._at_least(whole, kind.capacity), kind.bound, location)
            return Slots((*whole.items, (TRUE, item)))
        left, before = [], FALSE
        for guard, one in whole.items:
            match = self.both((guard, self.equal(one, item)))
            left.append((self.both((guard, self.either((before, match ^ 1)))), one))
            before = self.either((before, match))
        self.stop("error", before ^ 1, "the message is not there", location)
        return Slots(tuple(left))

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
                queues[pair] = self.select(guard, self._queued(change, whole[pair], kind, item, location), whole[pair])
        return queues

    def _queued(self, change: Change, queue: Seq, kind: ChannelsType, item: Value, location: Location | None) -> Seq:
        if change is Change.SEND:
            return self._changed_list(Change.APPEND, queue, kind.queue, [item], location)
        return Seq(Leaf({number - 1: guard for number, guard in queue.length.items() if number}), queue.items[1:])

    # Loops

    def loop(self, statement: Loop, env: Env) -> Exits:
        alive, returned, value = TRUE, FALSE, ABSENT
        for guard, element in self.rounds(self.value(statement.source, env), statement.source.type):
            condition = self.both((alive, guard))
            branch = env.copy()
            branch.local[statement.name] = element
            with self.under(condition):
                if condition == FALSE or self.path == FALSE:
                    continue
                exits = self.run(statement.body, branch)
            self._merge(condition, branch, env)
            leaves = self.both((condition, exits.returned))
            value = self.select(leaves, exits.value, value)
            returned = self.either((returned, leaves))
            alive = self.both((alive, self.both((condition, self.either((exits.broken, exits.returned)))) ^ 1))
        return Exits(returned ^ 1, returned, FALSE, FALSE, value)
