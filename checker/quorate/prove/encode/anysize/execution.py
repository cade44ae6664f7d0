"""The model for any number of nodes: maps are functions, sets and networks are predicates, quantifiers range over
unbounded sorts.

The state before an action is a set of uninterpreted functions; the state after it is *expressions* over them, as
closures in Python, so there are no frame axioms. Bounds vanish: nothing is cut.

A majority is a predicate over sets with two axioms, that two majorities meet and that a larger set is a majority too
(`quorate.prove.any_size.quorums` proves the first for every number of nodes). No set is an object of the logic: every set
that a formula asks about is a formula with parameters, a *family*, and the axioms are written for the families at
hand. A threshold `is_quorum(s, R, Sort)` is treated likewise: two thresholds meet if they do at the sizes that are
configured, and so do, all three, two of one threshold and one of another.
"""

from __future__ import annotations

from collections.abc import Callable

import z3

from quorate.errors import Location
from quorate.language.types import (
    MapType,
    NatType,
    NetworkType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.nodes import Change, Expr, Loop, Op
from quorate.prove.encode.anysize.containers import (
    BagV,
    MapV,
    SeqV,
    SetV,
    Value,
    as_formula,
    as_list,
    as_map,
    as_number,
    as_set,
)
from quorate.prove.encode.anysize.effects import all_rounds
from quorate.prove.encode.anysize.objects import Objects
from quorate.prove.encode.anysize.quantifiers import Env, Exits
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.shapes import printable
from quorate.prove.encode.anysize.terms import Formula, Number, negation, operands, quantified
from quorate.prove.encode.values import ABSENT, alternatives_of, class_key, parts_of

CERTAIN_EFFORT = 20_000
"""Z3's resource limit for a look at the path, in its own units: a few milliseconds."""


class AnySize(Objects):
    """Runs bodies over values of unbounded size. Raises NoAnySize at the first construct that has no such meaning."""

    supposes = True
    """Whether sorts are supposed to have the numbers that are written as theirs; else it is an error where they have not."""

    def value(self, node: Expr, env: Env) -> Value:
        """Where no run has one, any of its type: what stops them all was noted before. A definition (the greatest of some values, say)
        tells what there is of each, and would rule out the states where there is none."""
        try:
            found = super().value(node, env)
            return self.symbols.symbol(node.type, f"no {printable(node.type)}", []) if found is ABSENT else found
        except NoAnySize as error:
            if error.location is None and node.location is not None:
                raise error.at(node.location) from None
            raise

    def hold_within(self, constraint: str, condition: Expr, env: Env, location: Location | None) -> None:
        """A proof for any size is one of the specification without its constraints: it says more."""

    # Structure

    def op_domain(self, node: Expr, env: Env) -> Value:
        element = node.type.children()[0]
        return SetV(element, lambda found: self.legal(found, element))

    def op_range(self, node: Expr, env: Env) -> Value:
        low, high = map(as_number, self.values(node.args, env))
        return SeqV(
            node.type.children()[0], z3.simplify(z3.If(high > low, high - low, 0)), lambda index: low + index, low
        )

    def op_lookup(self, node: Expr, env: Env) -> Value:
        whole, key = self.value(node.args[0], env), self.sought(node.args[1], env)
        self.require_key(key, node.args[0].type, node.location)
        return ABSENT if key is ABSENT else as_map(whole).at(key)

    def sought(self, node: Expr, env: Env) -> Value:
        """That a number is one of another sort is known from the ranges of both, which are those of some bounds. Where it is not, there
        is nothing to be found; to hold it against the sort would cut the run."""
        if node.op is not Op.COERCE:
            return self.value(node, env)
        found = self.sought(node.args[0], env)
        with self.muted():
            return self.coerce(found, node.args[0].type, node.type)

    def require_key(self, key: Value, whole: Type, location: Location | None) -> None:
        """A map has a value for every number, and the specification has no key below zero or above the greatest one. Of which numbers a
        key can be is no matter of its type: that range is one at some bounds."""
        if isinstance(whole, MapType):
            self.stop("error", self.negate(self.is_key(key, whole.key)), "there is no such key", location)

    def is_key(self, key: Value, kind: Type) -> Formula:
        """Whether a value is a key of a map, as far as its form leaves that open."""
        if key is ABSENT:
            return self.true
        match kind:
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                return self.both([self.is_key(part, inner) for part, inner in zip(parts_of(key), kinds, strict=True)])
            case UnionType(kinds=kinds):
                there = [(alternatives_of(key).get(class_key(inner)), inner) for inner in kinds]
                return self.both([self.implies(one[0], self.is_key(one[1], inner)) for one, inner in there if one])
            case NatType():
                return self._is_number_of(as_number(key), kind)
        return self.true

    def _is_number_of(self, number: Number, kind: NatType) -> Formula:
        """Whether a number is one of a sort. A constant is: the sort is supposed to have it."""
        if z3.is_app_of(number, z3.Z3_OP_ITE):
            condition = as_formula(number.arg(0))
            with self.under(condition):
                first = self._is_number_of(as_number(number.arg(1)), kind)
            with self.under(self.negate(condition)):
                second = self._is_number_of(as_number(number.arg(2)), kind)
            return as_formula(self.select(condition, first, second))
        if self.symbols.is_within(kind, number):
            return self.true
        if not self.supposes or not z3.is_int_value(number) or number.as_long() < 0:
            return self.symbols.within(kind, number)
        if not self._certain(number <= self.symbols.greatest(kind)):
            self.symbols.suppose(kind, number.as_long())
        return self.true

    def op_record(self, node: Expr, env: Env) -> Value:
        """A record has been held against its fields; a constant is one of its sort at some bounds, and supposed to be."""
        made = self.op_tuple(node, env)
        if self._judging and isinstance(node.type, RecordType):
            for part, value, kind in zip(node.args, parts_of(made), node.type.kinds, strict=True):
                if _without_coercion(part).op is Op.CONST:
                    self.is_key(value, kind)
        return made

    def op_index(self, node: Expr, env: Env) -> Value:
        whole, position = self.values(node.args, env)
        return self.at(whole, node.args[0].type, position, node.location)

    def at(self, whole: Value, kind: Type, key: Value, location: Location | None) -> Value:
        if isinstance(whole, MapV):
            return ABSENT if key is ABSENT else whole.at(key)
        if whole is ABSENT or key is ABSENT:
            return ABSENT
        listed, position = as_list(whole), as_number(key)
        length = listed.length
        if self._certain(z3.And(position >= 0, position < length), length >= 0):
            return listed.at(position)
        self.stop("error", z3.Or(position >= length, position < -length), "there is no such index", location)
        return listed.at(self._position(listed, position))

    def _certain(self, claim: Formula, *known: Formula) -> bool:
        """Whether the path to this point implies an arithmetic claim at once; what it says with quantifiers is left
        aside."""
        parts = operands(self.path) if z3.is_and(self.path) else [self.path]
        solver = z3.Solver()
        solver.set("rlimit", CERTAIN_EFFORT)
        solver.add(*known, *(part for part in (*parts, *self.symbols.facts) if not quantified(part)), z3.Not(claim))
        return bool(solver.check() == z3.unsat)

    def _position(self, whole: SeqV, key: Number) -> Number:
        if z3.is_int_value(key):
            return key if key.as_long() >= 0 else z3.simplify(whole.length + key)
        if self._certain(key >= 0):
            return key
        return z3.If(key < 0, whole.length + key, key)

    def replaced(self, whole: Value, kind: Type, key: Value, value: Value) -> Value:
        if isinstance(whole, MapV):
            return MapV(whole.key, lambda found: self.select(self.equal(found, key), value, whole.at(found)))
        listed = as_list(whole)
        position = self._position(listed, as_number(key))
        return SeqV(
            listed.element, listed.length, lambda index: self.select(index == position, value, listed.at(index))
        )

    def op_list(self, node: Expr, env: Env) -> Value:
        return self._listed(self.values(node.args, env), node.type.children()[0])

    def op_concat(self, node: Expr, env: Env) -> Value:
        first, second = map(as_list, self.values(node.args, env))
        return SeqV(
            node.type.children()[0],
            z3.simplify(first.length + second.length),
            lambda index: self.select(index < first.length, first.at(index), second.at(index - first.length)),
        )

    def op_slice(self, node: Expr, env: Env) -> Value:
        listed, low, high = self.values(node.args, env)
        whole = as_list(listed)

        def clamped(position: Number) -> Number:
            if self._certain(z3.And(position >= 0, position <= whole.length), whole.length >= 0):
                return position
            below = z3.If(position < 0, position + whole.length, position)
            return z3.simplify(z3.If(below < 0, 0, z3.If(below > whole.length, whole.length, below)))

        start, end = clamped(as_number(low)), clamped(as_number(high))
        length = z3.simplify(end - start)
        if not self._certain(length >= 0, whole.length >= 0):
            length = z3.If(length > 0, length, 0)
        return SeqV(whole.element, length, lambda index: whole.at(z3.simplify(start + index)))

    def op_set(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        members = self.values(node.args, env)
        return SetV(node.type.element, lambda found: self.either([self.equal(found, member) for member in members]))

    def op_in(self, node: Expr, env: Env) -> Value:
        found, whole = self.sought(node.args[0], env), self.value(node.args[1], env)
        if found is ABSENT or whole is ABSENT:
            return self.false
        if isinstance(whole, SeqV):
            return self.either(
                [
                    self.exists(one.constants, one.guard, self.equal(one.element, found))
                    for one in self.rounds(whole, "i", node.location)
                ]
            )
        assert isinstance(whole, SetV | BagV)
        return self.member(found, node.args[0].type, whole)

    def op_subset(self, node: Expr, env: Env) -> Value:
        first, second = map(as_set, self.values(node.args, env))
        return self._everywhere(first.element, lambda element: self.implies(first.has(element), second.has(element)))

    def _combined(self, node: Expr, env: Env, join: Callable[[Formula, Formula], Formula]) -> Value:
        first, second = map(as_set, self.values(node.args, env))
        return SetV(first.element, lambda element: join(first.has(element), second.has(element)))

    def op_union(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.either((a, b)))

    def op_intersect(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, b)))

    def op_difference(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, self.negate(b))))

    def op_len(self, node: Expr, env: Env) -> Value:
        whole = self.value(node.args[0], env)
        if whole is ABSENT:
            return ABSENT
        if isinstance(whole, SeqV):
            return whole.length
        return self._no_meaning(
            node,
            "The size of a set has no any-size meaning.",
            "Write `all(s in x for s in Sort)`, any(...), "
            "is_majority(x, Sort) or is_quorum(x, n, Sort) instead of counting.",
        )

    def _counted(self, node: Expr, env: Env) -> Formula | None:
        """A comparison of the size of a set with 0, which needs no counting."""
        left, right = node.args
        for size, number, swapped in ((left, right, False), (right, left, True)):
            if (
                size.op is Op.LEN
                and isinstance(size.args[0].type, SetType | NetworkType)
                and number.op is Op.CONST
                and number.data == 0
            ):
                whole = self.value(size.args[0], env)
                empty = self.both(
                    [
                        self.forall(one.constants, one.guard, self.false)
                        for one in self.rounds(whole, "e", node.location)
                    ]
                )
                if node.op is Op.EQ or (node.op is Op.LE and not swapped):
                    return empty
                return (
                    self.negate(empty)
                    if node.op is Op.LT and swapped
                    else self.false
                    if node.op is Op.LT
                    else self.true
                )
        return None

    def op_eq(self, node: Expr, env: Env) -> Value:
        counted = self._counted(node, env)
        return super().op_eq(node, env) if counted is None else counted

    def op_lt(self, node: Expr, env: Env) -> Value:
        counted = self._counted(node, env)
        if counted is not None:
            return counted
        first, second = self.values(node.args, env)
        return self.less(first, second, node.args[0].type)

    def op_le(self, node: Expr, env: Env) -> Value:
        counted = self._counted(node, env)
        if counted is not None:
            return counted
        first, second = self.values(node.args, env)
        if first is ABSENT or second is ABSENT:
            return self.false
        return negation(self.less(second, first, node.args[0].type))

    def _computed(self, node: Expr, env: Env, compute: Callable[[Number, Number], Number]) -> Value:
        first, second = self.values(node.args, env)
        if first is ABSENT or second is ABSENT:
            return ABSENT
        return z3.simplify(compute(as_number(first), as_number(second)))

    def op_add(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda first, second: first + second)

    def op_sub(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda first, second: first - second)

    def op_mul(self, node: Expr, env: Env) -> Value:
        return self._computed(node, env, lambda first, second: first * second)

    def _divided(self, node: Expr, env: Env, quotient: bool) -> Value:
        first, second = self.values(node.args, env)
        if not z3.is_int_value(second) or second.as_long() <= 0:
            return self._no_meaning(
                node,
                "Division by a number that is not a positive constant has no any-size meaning.",
                "Divide by a constant.",
            )
        if first is ABSENT:
            return ABSENT
        dividend = as_number(first)
        return dividend / second if quotient else dividend % second

    def op_div(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, True)

    def op_mod(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, False)

    def op_neg(self, node: Expr, env: Env) -> Value:
        value = self.value(node.args[0], env)
        return ABSENT if value is ABSENT else -as_number(value)

    def op_abs(self, node: Expr, env: Env) -> Value:
        value = self.value(node.args[0], env)
        if value is ABSENT:
            return ABSENT
        number = as_number(value)
        return z3.If(number < 0, -number, number)

    def op_position(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node,
            "The number of a member of an Ordered sort has no any-size meaning: the sort is any total order.",
            "Compare the members with `<`.",
        )

    def op_queue(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node,
            "What is on the way in channels has no any-size meaning: the order of any number of messages is not described.",
            "Say it of the messages that can arrive, `for m in net`, or of what the nodes know.",
        )

    def op_member(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node,
            "The member of an Ordered sort with a number has no any-size meaning: the sort is any total order.",
            "Take it from a parameter or a variable.",
        )

    def op_min(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self.select(self.less(second, first, node.type), second, first)

    def op_max(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self.select(self.less(first, second, node.type), second, first)

    # Changes

    def changed(self, change: Change, whole: Value, kind: Type, args: list[Value], location: Location | None) -> Value:
        if isinstance(whole, SetV):
            return self._changed_set(change, whole, args[0], location)
        if isinstance(whole, BagV):
            return self._changed_bag(change, whole, args[0], location)
        return self._changed_list(change, as_list(whole), args, location)

    def _changed_list(self, change: Change, whole: SeqV, args: list[Value], location: Location | None) -> SeqV:
        if change is Change.POP:
            self.stop("error", whole.length < 1, "pop from an empty list", location)
            left = z3.simplify(whole.length - 1)
            length = left if self._certain(whole.length >= 1) else z3.If(whole.length < 1, 0, left)
            return SeqV(whole.element, length, whole.at)
        (item,) = args
        return SeqV(
            whole.element,
            z3.simplify(whole.length + 1),
            lambda index: self.select(index == whole.length, item, whole.at(index)),
        )

    def _changed_set(self, change: Change, whole: SetV, item: Value, location: Location | None) -> SetV:
        if change in (Change.REMOVE, Change.RECEIVE, Change.DROP):
            self.stop(
                "error", self.negate(self.member(item, whole.element, whole)), "the element is not there", location
            )
        if change is Change.RECEIVE:
            return whole
        if change in (Change.ADD, Change.SEND):
            self.materialize(item, whole.element)
            return SetV(whole.element, lambda found: self.either((whole.has(found), self.equal(found, item))))
        return SetV(whole.element, lambda found: self.both((whole.has(found), self.negate(self.equal(found, item)))))

    def _changed_bag(self, change: Change, whole: BagV, item: Value, location: Location | None) -> BagV:
        if change is not Change.SEND:
            self.stop(
                "error", self.negate(self.member(item, whole.element, whole)), "the message is not there", location
            )
            by = -1
        else:
            self.materialize(item, whole.element)
            by = 1
        return BagV(
            whole.element,
            lambda found: whole.count(found) + z3.If(self.equal(found, item), z3.IntVal(by), z3.IntVal(0)),
        )

    def loop(self, statement: Loop, env: Env) -> Exits:
        all_rounds(self, statement, env)
        return self._going()


def _without_coercion(node: Expr) -> Expr:
    while node.op is Op.COERCE:
        (node,) = node.args
    return node
