"""What comprehensions and quantifiers yield at fixed bounds: guarded elements in canonical order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from quorate.language.types import (
    BagType,
    MapType,
    SetType,
    Type,
)
from quorate.model.nodes import Expr, For
from quorate.prove.encode.fixed.base import Env, FixedValues, Guarded
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
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
    as_seq,
    as_slots,
)
from quorate.prove.encode.values import ABSENT


def _always() -> int:
    return TRUE


class Comprehensions(FixedValues):
    """Ranging over what a source yields."""

    def rounds(self, source: Value, kind: Type) -> Guarded:
        """What a loop over a value yields: guarded elements in canonical order."""
        match source:
            case Mask():
                element = kind.children()[0]
                return [
                    (source[python], self.constant(python, element)) for python in sorted(source, key=element.encode)
                ]
            case Tally():
                element = kind.children()[0]
                return [
                    (source[python].get(0, FALSE) ^ 1, self.constant(python, element))
                    for python in sorted(source, key=element.encode)
                ]
            case Seq(items=items):
                return [(self.cells.longer(source, position), item) for position, item in enumerate(items)]
            case Queues():
                return [(self.cells.longer(queue, 0), queue.items[0]) for queue in source.values() if queue.items]
        items = as_slots(source).items
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

    @staticmethod
    def is_unordered(source: Value) -> bool:
        """Whether the order in which a loop goes round is not known: that of guarded elements is none of theirs."""
        return isinstance(source, Slots) and len(source.items) > 1

    @contextmanager
    def each_round(self, source: Value) -> Iterator[Callable[[], AbstractContextManager[None]]]:
        """The rounds of a loop over a value, each inside what this gives. Where their order is not known, no round is known to come
        before what stops the run in another, and an error counts before all else: there may be one more than in CPython, and none less."""
        if self.is_unordered(source):
            with self.in_any_order() as one:
                yield one
        else:
            yield nullcontext

    def _each(
        self, node: Expr, env: Env, visit: Callable[[int, Value], None], alive: Callable[[], int] = _always
    ) -> None:
        """Call `visit` with guard and value of all that a comprehension yields, as long as `alive`."""
        inner = env.copy()

        def clauses(position: int, guard: int, alive: Callable[[], int]) -> None:
            if position == len(node.clauses):
                visit(guard, self.value(node.args[0], inner))
                return
            clause = node.clauses[position]
            if isinstance(clause, For):
                source = self.value(clause.source, inner)
                going_on = _always if self.is_unordered(source) else alive
                with self.each_round(source) as one:
                    for found, element in self.rounds(source, clause.source.type):
                        with one():
                            inside(position, guard, self.both((found, going_on())), going_on, clause.name, element)
            else:
                inside(position, guard, self.condition(clause.condition, inner), alive, "", None)

        def inside(
            position: int, guard: int, condition: int, alive: Callable[[], int], name: str, element: Value
        ) -> None:
            guard = self.both((guard, condition))
            with self.under(condition):
                if guard != FALSE and self.path != FALSE:
                    if name:
                        inner.local[name] = element
                    clauses(position + 1, guard, alive)

        clauses(0, TRUE, alive)

    def _yielded(self, node: Expr, env: Env) -> Guarded:
        found: Guarded = []
        self._each(node, env, lambda guard, value: found.append((guard, value)))
        return found

    def _until(self, node: Expr, env: Env, goes_on: bool) -> int:
        """Whether all values that a comprehension yields are `goes_on`; what follows one that is not is not
        evaluated."""
        alive = TRUE

        def visit(guard: int, value: Value) -> None:
            nonlocal alive
            true = as_condition(value)
            alive = self.both((alive, self.either((guard ^ 1, true if goes_on else true ^ 1))))

        self._each(node, env, visit, lambda: alive)
        return alive

    def op_all(self, node: Expr, env: Env) -> Value:
        return self._until(node, env, True)

    def op_any(self, node: Expr, env: Env) -> Value:
        return self._until(node, env, False) ^ 1

    def op_sum(self, node: Expr, env: Env) -> Value:
        total = Leaf({0: TRUE})
        for guard, value in self._yielded(node, env):
            total = as_leaf(self.select(guard, self._lifted(lambda a, b: a + b, total, value), total))
        return self.within(total, node.type)

    def op_max_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, lambda value, best: self.less(best, value))

    def op_min_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, self.less_than)

    def _extreme(self, node: Expr, env: Env, better: Callable[[Value, Value], int]) -> Value:
        some = FALSE
        best: Value = ABSENT
        for guard, value in self._yielded(node, env):
            wins = guard if best is ABSENT else self.both((guard, self.either((some ^ 1, better(value, best)))))
            best, some = self.select(wins, value, best), self.either((some, guard))
        return self._or_default(node, env, some, best, f"{node.op.value.removesuffix('_of')} of nothing")

    def _or_default(self, node: Expr, env: Env, some: int, value: Value, why: str) -> Value:
        if len(node.args) == 2:
            with self.under(some ^ 1):
                default: Value = ABSENT if self.path == FALSE else self.value(node.args[1], env)
            return self.select(some, value, default)
        self.stop("error", some ^ 1, why, node.location)
        return value

    def op_the(self, node: Expr, env: Env) -> Value:
        some = FALSE
        found: Value = ABSENT

        def visit(guard: int, value: Value) -> None:
            """Each value is compared with the one before as soon as it is there: what stops the run at a later one does not come by."""
            nonlocal some, found
            if found is not ABSENT:
                different = self.both((some, guard, self.equal(found, value) ^ 1))
                self.stop("error", different, "the(...) finds two different values", node.location)
            found = self.select(some, found, value) if found is not ABSENT else value
            some = self.either((some, guard))

        self._each(node, env, visit)
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
            longer = self._appended(seq, item)
            seq = longer if guard == TRUE else as_seq(self.select(guard, longer, seq))
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
