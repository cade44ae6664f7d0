"""Conditions and values of unbounded size, and quantifiers over them.

A quantifier that an equation decides, or whose constant does not occur, is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import z3

from quorate.errors import Location
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    OrderedType,
    SetType,
    TupleType,
    Type,
)
from quorate.model.nodes import Expr, For, IntType, Model, Property
from quorate.model.ranges import is_number
from quorate.prove.encode import machine, values
from quorate.prove.encode.anysize.symbols import (
    BagV,
    Formula,
    MapV,
    NoAnySize,
    Number,
    Part,
    SeqV,
    SetV,
    Symbols,
    Term,
    Value,
    as_formula,
    as_number,
    as_term,
    chosen,
    conjunction,
    disjunction,
    merged,
    negation,
    operands,
    require_natural,
    shapes,
)
from quorate.prove.encode.machine import Machine
from quorate.prove.encode.values import ABSENT, parts_of

Env: TypeAlias = "machine.Env[Formula, Part]"
Exits: TypeAlias = "machine.Exits[Formula, Part]"
Event: TypeAlias = "values.Event[Formula]"
Transition: TypeAlias = "machine.Transition[Formula, Part]"

EXPAND_MAX = 16
"""A quantifier over enum members is written out if it has at most so many cases."""


@dataclass(frozen=True)
class Round:
    """One alternative of what a loop or quantifier ranges over: constants to quantify, the element, and when it is in
    the source."""

    constants: tuple[Term, ...]
    element: Value
    guard: Formula


class Quantifiers(Machine[Formula, Part]):
    """What a value is, and what ranging over a source means."""

    true: Formula = z3.BoolVal(True)
    false: Formula = z3.BoolVal(False)

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.symbols = Symbols()
        self._names: set[str] = set()
        self._arguments: set[str] = set()
        self._counter = 0
        self._in_expression = 0
        self._judging = False

    def judge(
        self,
        prop: Property,
        state: dict[str, Value],
        arguments: Sequence[Value],
        old: dict[str, Value] | None = None,
    ) -> tuple[Value, Formula]:
        self._judging = True
        try:
            return super().judge(prop, state, arguments, old)
        finally:
            self._judging = False

    # Conditions and values

    def both(self, parts: Iterable[Formula]) -> Formula:
        return conjunction(parts)

    def either(self, parts: Iterable[Formula]) -> Formula:
        return disjunction(parts)

    def negate(self, part: Formula) -> Formula:
        return negation(part)

    def is_true(self, part: Formula) -> bool:
        return bool(z3.is_true(part))

    def is_false(self, part: Formula) -> bool:
        return bool(z3.is_false(part))

    def truth(self, value: Value) -> Formula:
        return as_formula(value)

    def select(self, condition: Formula, first: Value, second: Value) -> Value:
        return merged(condition, first, second)

    select_plain = select

    def equal_plain(self, first: Value, second: Value) -> Formula:
        if _same_object(first, second):
            return self.true
        match first, second:
            case MapV(), MapV():
                return self._everywhere(first.key, lambda key: self.equal(first.at(key), second.at(key)))
            case SetV(), SetV():
                return self._everywhere(first.element, lambda element: first.has(element) == second.has(element))
            case BagV(), BagV():
                return self._everywhere(first.element, lambda element: first.count(element) == second.count(element))
            case SeqV(), SeqV():
                index = self.number_named("i")
                inside = z3.And(index >= 0, index < first.length)
                return self.both(
                    [
                        first.length == second.length,
                        self.forall((index,), inside, self.equal(first.at(index), second.at(index))),
                    ]
                )
            case Term(), Term():
                return self.true if first.eq(second) else first == second
        raise TypeError(f"no equality of values like {first!r} and {second!r}")

    def _everywhere(self, element: Type, claim: Callable[[Value], Formula]) -> Formula:
        return self.both(
            [
                self.forall(found.constants, found.guard, claim(found.element))
                for found in self.rounds(SetV(element, lambda _: self.true), "e", None)
            ]
        )

    def constant_plain(self, value: Any, kind: Type) -> Value:
        if isinstance(kind, EnumType):
            return self.symbols.member(kind, value)
        if is_number(kind):
            return z3.IntVal(value)
        if isinstance(kind, OrderedType) and value.index == 0:
            return self.symbols.least(kind)
        if isinstance(kind, SetType | NetworkType):
            element = kind.element if isinstance(kind, SetType) else kind.message
            members = [self.constant(part, element) for part in value]
            return SetV(element, lambda found: self.either([self.equal(found, part) for part in members]))
        if isinstance(kind, MapType):
            parts = set(value.values())
            if len(parts) == 1:
                same = self.constant(parts.pop(), kind.value)
                return MapV(kind.key, lambda _: same)
        if not len(value) and hasattr(kind, "message"):
            return BagV(kind.message, lambda _: z3.IntVal(0))
        if isinstance(value, list):
            element = kind.children()[0]
            items = [self.constant(part, element) for part in value]
            return self._listed(items, element)
        raise NoAnySize(f"The constant {value!r} has no any-size meaning.", "Set it in @init with a parameter.")

    def fitted(self, value: Value, have: Type, want: Type, location: Location | None) -> Value:
        if is_number(want):
            if isinstance(want, NatType):
                self._limited(as_number(value), want, location)
            return value
        return self._converted(value, have, want, lambda part, a, b: self.fit(part, a, b, location))

    def _limited(self, value: Number, want: NatType, location: Location | None) -> None:
        """Note that a number below zero is an error, and that one above the greatest of its type cuts the run.

        The range that the model has found is of no use here: it comes from the configured bounds.
        """
        require_natural(want)
        if self.symbols.is_within(want, value):
            return
        if not self.symbols.is_natural(value):
            self.stop("error", value < 0, f"a number below zero, where {want} begins", location)
        if not self._in_expression or self._judging:
            self.stop("cut", value > self.symbols.greatest(want), want.bound, location)

    def widened(self, value: Value, have: Type, want: Type) -> Value:
        if isinstance(want, NatType):
            self._limited(as_number(value), want, None)
            return value
        return self._converted(value, have, want, self.coerce)

    def _converted(self, value: Value, have: Type, want: Type, convert: Callable[[Value, Type, Type], Value]) -> Value:
        """A container whose parts are converted one by one, where that changes what they are. What stops the run at some
        part is noted once, here."""
        if str(have) == str(want):  # They differ in bounds alone.
            return value
        if any(isinstance(kind, IntType) for kind in have.walk()):
            self._stopped_inside(value, have, want, convert)

        def part(found: Value, kind: Type, wanted: Type) -> Value:
            with self.muted():
                return convert(found, kind, wanted)

        match value, have, want:
            case MapV(), MapType(value=kind), MapType(key=key, value=wanted):
                return MapV(key, lambda found: part(value.at(found), kind, wanted))
            case SeqV(), ListType(element=kind), ListType(element=wanted):
                return replace(value, element=wanted, at=lambda index: part(value.at(index), kind, wanted), term=None)
            case SetV(), SetType(), SetType(element=wanted):
                return SetV(wanted, lambda found: self._narrowed_has(value, found, wanted))
        return value

    def _stopped_inside(
        self, value: Value, have: Type, want: Type, convert: Callable[[Value, Type, Type], Value]
    ) -> None:
        """Note that the run stops where it does so for some part of a container."""
        match value, have, want:
            case MapV(), MapType(key=key, value=kind), MapType(value=wanted):
                source = SetV(key, lambda _: self.true)
                parts = [(found, value.at(found.element)) for found in self.rounds(source, "k", None)]
            case (_, ListType(element=kind), ListType(element=wanted)) | (
                _,
                SetType(element=kind),
                SetType(element=wanted),
            ):
                parts = [(found, found.element) for found in self.rounds(value, "e", None)]
            case _:
                raise NoAnySize(f"A {have} stands for a {want}.", "Make the elements of the declared type.")
        for found, part in parts:
            with self.within(found):
                convert(part, kind, wanted)

    def _narrowed_has(self, whole: SetV, found: Value, kind: Type) -> Formula:
        """Membership of an element of a wider type."""
        with self.muted() as events:
            narrowed = self.narrow(found, kind, whole.element, None)
            outside = self.either([event.condition for event in events])
            return self.both((self.negate(outside), self.false if narrowed is ABSENT else whole.has(narrowed)))

    # Quantifiers

    def constant_named(self, name: str, sort: z3.SortRef) -> Term:
        """A constant of its own, to be quantified."""
        self._counter += 1
        full = f"{name}!{self._counter}"
        self._names.add(full)
        return z3.Const(full, sort)

    def number_named(self, name: str) -> Number:
        """The same for a number."""
        return as_number(self.constant_named(name, z3.IntSort()))

    def parameter(self, kind: Type, name: str, argument: bool = True) -> Value:
        """An unknown value, the same in the whole formula: an action's argument, or the case where a property is
        false."""
        with self.symbols.fresh() as names:
            value = self.symbols.symbol(kind, name, [], objects=True)
        self._names |= names
        self._arguments |= names if argument else set()
        return value

    def rounds(self, source: Value, name: str, location: Location | None) -> list[Round]:
        """What ranging over a source means: alternatives of constants, element, and guard."""
        if isinstance(source, SeqV):
            index = self.number_named(name)
            if source.start is not None:
                return [Round((index,), index, z3.And(source.start <= index, index < source.start + source.length))]
            return [Round((index,), source.at(index), z3.And(index >= 0, index < source.length))]
        if isinstance(source, BagV):
            return self.rounds(SetV(source.element, lambda found: source.count(found) > 0), name, location)
        assert isinstance(source, SetV)
        found = []
        for shape in shapes(source.element, self.symbols.held, location):
            options = [self._options(leaf, name) for leaf in shape.leaves]
            size = 1
            for option in options:
                size *= len(option)
            if size > EXPAND_MAX:
                options = [
                    option if len(option) == 1 else [self.constant_named(name, self.symbols.sort(leaf))]
                    for option, leaf in zip(options, shape.leaves, strict=True)
                ]
            for terms in product(*options):
                constants = tuple[Term, ...](term for term in terms if self.is_own(term))
                natural = [self.symbols.within(leaf, term) for term, leaf in zip(terms, shape.leaves, strict=True)]
                for term, leaf in zip(terms, shape.leaves, strict=True):
                    if isinstance(leaf, NatType):
                        self.symbols.limit(leaf, term)
                element = shape.build(list(terms))
                guard = self.both([*natural, source.has(element)])
                if not self.is_false(guard):
                    found.append(Round(constants, element, guard))
        return found

    def _options(self, leaf: Type, name: str) -> list[Term]:
        if isinstance(leaf, EnumType):
            return [self.symbols.member(leaf, member) for member in leaf.members]
        if isinstance(leaf, BoolType):
            return [self.true, self.false]
        return [self.constant_named(name, self.symbols.sort(leaf))]

    def is_own(self, term: Term) -> bool:
        """Whether a term is a constant made to be quantified, or a parameter."""
        return bool(z3.is_const(term)) and term.decl().name() in self._names

    def free(self, *terms: Term) -> list[Term]:
        """The own constants that occur in terms, in order of first occurrence."""
        found: dict[str, Term] = {}
        seen: set[int] = set()
        stack = list(reversed(terms))
        while stack:
            term = stack.pop()
            if term.get_id() in seen:
                continue
            seen.add(term.get_id())
            if z3.is_quantifier(term):
                stack.append(term.body())
            elif self.is_own(term):
                found[term.decl().name()] = term
            else:
                stack.extend(reversed(term.children()))
        return list(found.values())

    def exists(self, constants: Sequence[Term], *parts: Formula) -> Formula:
        """Whether some values of the constants satisfy all parts."""
        left, body = self._eliminated(constants, conjunction(parts))
        return z3.Exists(left, body) if left else body

    def forall(self, constants: Sequence[Term], guard: Formula, claim: Formula) -> Formula:
        """That all values of the constants that satisfy the guard satisfy the claim."""
        left, body = self._eliminated(constants, conjunction((guard, negation(claim))))
        return z3.ForAll(left, negation(body)) if left else negation(body)

    def _eliminated(self, constants: Sequence[Term], body: Formula) -> tuple[list[Term], Formula]:
        """A body to be quantified existentially: constants that an equation determines are replaced, unused ones
        dropped."""
        left = list(constants)
        progress = True
        while progress and left:
            progress = False
            for equation in operands(body) if z3.is_and(body) else [body]:
                found = self._determined(equation, left)
                if found is not None:
                    name, term = found
                    left = [constant for constant in left if not constant.eq(name)]
                    body = _tidied(z3.substitute(body, (name, term)))
                    progress = True
                    break
        names = {term.decl().name() for term in self.free(body)}
        return [constant for constant in left if constant.decl().name() in names], body

    def _determined(self, equation: Formula, constants: list[Term]) -> tuple[Term, Term] | None:
        if not z3.is_eq(equation):
            return None
        for mine, other in (
            (equation.arg(0), equation.arg(1)),
            (equation.arg(1), equation.arg(0)),
        ):
            mine, other = _isolated(mine, other)
            if any(mine.eq(constant) for constant in constants) and all(not mine.eq(term) for term in self.free(other)):
                return mine, other
        return None

    @contextmanager
    def within(self, found: Round) -> Iterator[None]:
        """Execute what is inside for all values of a round's constants: an event happens if it does for some of them."""
        outer, self.events = self.events, []
        with self.under(found.guard):
            yield
        inner, self.events = self.events, outer
        self.events += [
            values.Event(event.kind, self.exists(found.constants, condition), event.what, event.location)
            for event, condition in self._errors_first(inner)
        ]

    def _errors_first(self, events: Sequence[Event]) -> list[tuple[Event, Formula]]:
        """The events of one round with their conditions, the errors before the others: a round's `require`, or a bound
        that cuts it, comes before its own later errors, but not before those of an earlier round."""
        errors: list[tuple[Event, Formula]] = []
        others: list[tuple[Event, Formula]] = []
        earlier: list[Formula] = []
        for event in events:
            if event.kind == "error":
                errors.append((event, self.both((event.condition, self.negate(self.either(earlier))))))
            else:
                others.append((event, event.condition))
                earlier.append(event.condition)
        return errors + others

    @contextmanager
    def muted(self) -> Iterator[list[Event]]:
        """Execute what is inside again, where its events have been noted already."""
        events, self.events = self.events, []
        try:
            yield self.events
        finally:
            self.events = events

    def _each(self, node: Expr, env: Env, visit: Callable[[Env], Formula], universal: bool) -> Formula:
        """A comprehension's clauses as quantifiers around `visit`, which is called once the names are bound.

        It ends at the first round that decides it, so whether a bound cuts in a later round is not said: of an action
        that leaves more runs, not fewer.
        """
        self._in_expression += 1
        try:
            return self._ranged(node, env, visit, universal)
        finally:
            self._in_expression -= 1

    def _ranged(self, node: Expr, env: Env, visit: Callable[[Env], Formula], universal: bool) -> Formula:
        inner = env.copy()

        def clauses(position: int) -> Formula:
            if position == len(node.clauses):
                return visit(inner)
            clause = node.clauses[position]
            if not isinstance(clause, For):
                condition = self.condition(clause.condition, inner)
                if self.is_false(condition):
                    return self.true if universal else self.false
                with self.under(condition):
                    rest = clauses(position + 1)
                return self.implies(condition, rest) if universal else self.both((condition, rest))
            parts = []
            for found in self.rounds(self.value(clause.source, inner), clause.name, node.location):
                inner.local[clause.name] = found.element
                with self.within(found):
                    rest = clauses(position + 1)
                parts.append(
                    self.forall(found.constants, found.guard, rest)
                    if universal
                    else self.exists(found.constants, found.guard, rest)
                )
            return self.both(parts) if universal else self.either(parts)

        return clauses(0)

    def op_all(self, node: Expr, env: Env) -> Value:
        return self._each(node, env, lambda inner: self.condition(node.args[0], inner), True)

    def op_any(self, node: Expr, env: Env) -> Value:
        return self._each(node, env, lambda inner: self.condition(node.args[0], inner), False)

    def _some(self, node: Expr, env: Env, claim: Callable[[Value], Formula]) -> Formula:
        """Whether some value that the comprehension yields satisfies a claim; its events have been noted already."""
        with self.muted():
            return self._each(node, env, lambda inner: claim(self.value(node.args[0], inner)), False)

    def op_set_of(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        frozen = env.copy()
        self._each(node, frozen, lambda inner: (self.value(node.args[0], inner), self.true)[1], False)
        return SetV(node.type.element, lambda found: self._some(node, frozen, lambda value: self.equal(value, found)))

    def op_map_of(self, node: Expr, env: Env) -> Value:
        frozen, clause = env.copy(), node.clauses[0]
        assert isinstance(clause, For) and isinstance(node.type, MapType)
        self._each(node, frozen, lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

        def at(key: Value) -> Value:
            inner = frozen.copy()
            inner.local[clause.name] = key
            with self.muted():
                return self.value(node.args[0], inner)

        return MapV(node.type.key, at)

    def _no_meaning(self, node: Expr, what: str, instead: str) -> Value:
        raise NoAnySize(what, instead, node.location)

    def op_list_of(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A list comprehension has no any-size meaning.", "Use a set comprehension, any or all."
        )

    def op_sorted(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(node, "A sorted list has no any-size meaning.", "Use min, max, any or all.")

    def op_linearizable(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node,
            "linearizable(...) has no any-size meaning.",
            "State what an operation may return as an invariant, and prove that alone: `--invariant NAME`.",
        )

    def op_sum(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A sum over unboundedly many has no any-size meaning.", "Use any, all, is_majority or is_quorum."
        )

    def _listed(self, items: list[Value], element: Type) -> SeqV:
        def at(index: Number) -> Value:
            return chosen([(index == position, item) for position, item in enumerate(items)])

        return SeqV(
            element,
            z3.IntVal(len(items)),
            at if items else lambda index: self.symbols.symbol(element, "nothing", [index]),
        )

    # Numbers

    def less(self, first: Value, second: Value, kind: Type) -> Formula:
        """`first < second`; of a value that no run has, nothing is true."""
        if first is ABSENT or second is ABSENT:
            return self.false
        if isinstance(kind, TupleType):
            parts, same = list[Formula](), self.true
            for a, b, part in zip(parts_of(first), parts_of(second), kind.kinds, strict=True):
                parts.append(self.both((same, self.less(a, b, part))))
                same = self.both((same, self.equal(a, b)))
            return self.either(parts)
        if isinstance(kind, IdentityType):
            return as_formula(self.symbols.less(kind)(as_term(first), as_term(second)))
        return as_number(first) < as_number(second)


def _same_object(first: Value, second: Value) -> bool:
    """Whether two values are one and the same object."""
    if not isinstance(first, MapV | SetV | SeqV) or not isinstance(second, MapV | SetV | SeqV):
        return False
    return first.term is not None and second.term is not None and first.term.eq(second.term)


def _isolated(left: Term, right: Term) -> tuple[Term, Term]:
    """An equation `x + n == t` of integers as `x == t - n`."""
    if z3.is_add(left) and left.num_args() == 2 and z3.is_int(left):
        for number, rest in ((left.arg(0), left.arg(1)), (left.arg(1), left.arg(0))):
            if z3.is_int_value(number):
                return rest, z3.simplify(as_number(right) - number)
    return left, right


def _tidied(body: Formula) -> Formula:
    """A conjunction after a substitution, without the equations that became trivial."""
    parts = operands(body) if z3.is_and(body) else [body]
    return conjunction([part for part in parts if not (z3.is_eq(part) and part.arg(0).eq(part.arg(1)))])
