"""The model for any number of nodes: maps are functions, sets and networks are predicates, quantifiers range over
unbounded sorts.

The state before an action is a set of uninterpreted functions; the state after it is *expressions* over them, as
closures in Python, so there are no frame axioms. Bounds vanish: nothing is cut.

A majority is a predicate over sets with two axioms, that two majorities meet and that a larger set is a majority too
(`checker.prove. quorums` proves the first for every number of nodes). No set is an object of the logic: every set
that a formula asks about is a formula with parameters, a *family*, and the axioms are written for the families at
hand. A threshold `is_quorum(s, R, Sort)` is treated likewise: two thresholds meet if they do at the sizes that are
configured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import z3

from checker.errors import Location
from checker.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    MapType,
    NatType,
    NetworkType,
    OrderedType,
    SetType,
    TupleType,
    Type,
)
from checker.model.conversion import is_number, limits
from checker.model.nodes import Change, Expr, For, Loop, Model, Op
from checker.prove.encode.machine import ABSENT, Cond, Env, Event, Exits, Machine, Value
from checker.prove.encode.symbols import (
    BagV,
    MapV,
    NoAnySize,
    SeqV,
    SetV,
    Symbols,
    Term,
    chosen,
    conjunction,
    disjunction,
    merged,
    negation,
    shapes,
)

CERTAIN_EFFORT = 20_000
"""Z3's resource limit for a look at the path, in its own units: a few milliseconds."""

EXPAND_MAX = 16
"""A quantifier over enum members is written out if it has at most so many cases."""


@dataclass(frozen=True)
class Family:
    """A formula over parameters that canonical constants stand for, and the function that stands for what was defined
    of it."""

    parameters: tuple[Term, ...]
    formulas: tuple[Term, ...]
    symbol: Any
    size: int | None = None
    member: Term = None


@dataclass(frozen=True)
class Round:
    """One alternative of what a loop or quantifier ranges over: constants to quantify, the element, and when it is in
    the source."""

    constants: tuple[Term, ...]
    element: Value
    guard: Term


class AnySize(Machine):
    """Runs bodies over values of unbounded size. Raises NoAnySize at the first construct that has no such meaning."""

    true, false = z3.BoolVal(True), z3.BoolVal(False)

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.symbols = Symbols()
        self.families: dict[tuple[Any, ...], Family] = {}
        self.definitions: list[Term] = []
        self._names: set[str] = set()
        self._arguments: set[str] = set()
        self._counter = 0

    def fork(self) -> AnySize:
        """A machine that goes on from here on its own; what this one has written stays valid there."""
        other = AnySize(self.model)
        other.symbols, other.families, other.definitions = (
            self.symbols.fork(),
            dict(self.families),
            list(self.definitions),
        )
        other._names, other._arguments, other._counter = set(self._names), set(self._arguments), self._counter
        return other

    # Conditions and values

    def both(self, parts: Iterable[Cond]) -> Cond:
        return conjunction(parts)

    def either(self, parts: Iterable[Cond]) -> Cond:
        return disjunction(parts)

    def negate(self, part: Cond) -> Cond:
        return negation(part)

    def is_true(self, part: Cond) -> bool:
        return bool(z3.is_true(part))

    def is_false(self, part: Cond) -> bool:
        return bool(z3.is_false(part))

    def select(self, condition: Cond, first: Value, second: Value) -> Value:
        return merged(condition, first, second)

    select_plain = select

    def equal_plain(self, first: Value, second: Value) -> Cond:
        match first:
            case MapV():
                raise NoAnySize(
                    "Comparing whole maps has no any-size meaning here.",
                    "Compare them key by key: `all(a[k] == b[k] for k in ...)`.",
                )
            case SetV():
                return self._everywhere(first.element, lambda element: first.has(element) == second.has(element))
            case BagV():
                return self._everywhere(first.element, lambda element: first.count(element) == second.count(element))
            case SeqV():
                index = self.constant_named("i", z3.IntSort())
                inside = z3.And(index >= 0, index < first.length)
                return self.both(
                    [
                        first.length == second.length,
                        self.forall((index,), inside, self.equal(first.at(index), second.at(index))),
                    ]
                )
        return self.true if first.eq(second) else first == second

    def _everywhere(self, element: Type, claim: Callable[[Value], Term]) -> Term:
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
                return MapV(lambda _: same)
        if not len(value) and hasattr(kind, "message"):
            return BagV(kind.message, lambda _: z3.IntVal(0))
        if isinstance(value, list):
            element = kind.children()[0]
            items = [self.constant(part, element) for part in value]
            return self._listed(items, element)
        raise NoAnySize(f"The constant {value!r} has no any-size meaning.", "Set it in @init with a parameter.")

    def fitted(self, value: Value, have: Type, want: Type, location: Location | None) -> Value:
        if is_number(want):
            if isinstance(want, NatType) and limits(have)[0] < 0:
                self.stop("error", value < 0, f"a number below zero, where {want} begins", location)
            return value
        parts = [part for part in have.walk() if is_number(part) and limits(part)[0] < 0]
        if parts:
            raise NoAnySize(
                f"A {have} that may hold numbers below zero stands for a {want}.",
                "Make the elements of the declared type.",
                location,
            )
        return value

    def widened(self, value: Value, have: Type, want: Type) -> Value:
        if isinstance(want, SetType) and isinstance(value, SetV):
            return SetV(want.element, lambda found: self._narrowed_has(value, found, want.element))
        return value

    def _narrowed_has(self, whole: SetV, found: Value, kind: Type) -> Term:
        """Membership of an element of a wider type."""
        with self.muted() as events:
            narrowed = self.narrow(found, kind, whole.element, None)
            outside = self.either([event.condition for event in events])
            return self.both((self.negate(outside), self.false if narrowed is ABSENT else whole.has(narrowed)))

    # Quantifiers

    def constant_named(self, name: str, sort: Any) -> Term:
        """A constant of its own, to be quantified."""
        self._counter += 1
        full = f"{name}!{self._counter}"
        self._names.add(full)
        return z3.Const(full, sort)

    def parameter(self, kind: Type, name: str, argument: bool = True) -> Value:
        """An unknown value, the same in the whole formula: an action's argument, or the case where a property is
        false."""
        with self.symbols.fresh() as names:
            value = self.symbols.symbol(kind, name, [])
        self._names |= names
        self._arguments |= names if argument else set()
        return value

    def rounds(self, source: Value, name: str, location: Location | None) -> list[Round]:
        """What ranging over a source means: alternatives of constants, element, and guard."""
        if isinstance(source, SeqV):
            index = self.constant_named(name, z3.IntSort())
            if source.start is not None:
                return [Round((index,), index, z3.And(source.start <= index, index < source.start + source.length))]
            return [Round((index,), source.at(index), z3.And(index >= 0, index < source.length))]
        if isinstance(source, BagV):
            return self.rounds(SetV(source.element, lambda found: source.count(found) > 0), name, location)
        assert isinstance(source, SetV)
        found = []
        for shape in shapes(source.element, location):
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
                constants = tuple(term for term in terms if self.is_own(term))
                natural = [
                    term >= 0 for term, leaf in zip(terms, shape.leaves, strict=True) if isinstance(leaf, NatType)
                ]
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

    def exists(self, constants: Sequence[Term], *parts: Term) -> Term:
        """Whether some values of the constants satisfy all parts."""
        left, body = self._eliminated(constants, conjunction(parts))
        return z3.Exists(left, body) if left else body

    def forall(self, constants: Sequence[Term], guard: Term, claim: Term) -> Term:
        """That all values of the constants that satisfy the guard satisfy the claim."""
        left, body = self._eliminated(constants, conjunction((guard, negation(claim))))
        return z3.ForAll(left, negation(body)) if left else negation(body)

    def _eliminated(self, constants: Sequence[Term], body: Term) -> tuple[list[Term], Term]:
        """A body to be quantified existentially: constants that an equation determines are replaced, unused ones
        dropped."""
        left = list(constants)
        progress = True
        while progress and left:
            progress = False
            for equation in body.children() if z3.is_and(body) else [body]:
                found = self._determined(equation, left)
                if found is not None:
                    name, term = found
                    left = [constant for constant in left if not constant.eq(name)]
                    body = _tidied(z3.substitute(body, (name, term)))
                    progress = True
                    break
        names = {term.decl().name() for term in self.free(body)}
        return [constant for constant in left if constant.decl().name() in names], body

    def _determined(self, equation: Term, constants: list[Term]) -> tuple[Term, Term] | None:
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
            Event(event.kind, self.exists(found.constants, event.condition), event.what, event.location)
            for event in inner
        ]

    @contextmanager
    def muted(self) -> Iterator[list[Event]]:
        """Execute what is inside again, where its events have been noted already."""
        events, self.events = self.events, []
        try:
            yield self.events
        finally:
            self.events = events

    def _each(self, node: Expr, env: Env, visit: Callable[[Env], Term], universal: bool) -> Term:
        """A comprehension's clauses as quantifiers around `visit`, which is called once the names are bound."""
        inner = env.copy()

        def clauses(position: int) -> Term:
            if position == len(node.clauses):
                return visit(inner)
            clause = node.clauses[position]
            if not isinstance(clause, For):
                condition = self.value(clause.condition, inner)
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
        return self._each(node, env, lambda inner: self.value(node.args[0], inner), True)

    def op_any(self, node: Expr, env: Env) -> Value:
        return self._each(node, env, lambda inner: self.value(node.args[0], inner), False)

    def _some(self, node: Expr, env: Env, claim: Callable[[Value], Term]) -> Term:
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
        assert isinstance(clause, For)
        self._each(node, frozen, lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

        def at(key: Value) -> Value:
            inner = frozen.copy()
            inner.local[clause.name] = key
            with self.muted():
                return self.value(node.args[0], inner)

        return MapV(at)

    # What a formula defines: the extreme, the single value, majorities

    def family(
        self,
        label: str,
        formulas: Sequence[Term],
        make: Callable[[str, list[Term]], Any],
        size: int | None = None,
        member: Term = None,
    ) -> tuple[Family, list[Term]]:
        """The family of these formulas and its parameters here; `make(name, parameters)` builds its symbol when it is
        new."""
        actual = self.free(*formulas) if member is None else self._parameters(formulas[0], member)
        bound = [
            term for term in actual if not self._arguments.issuperset(name.decl().name() for name in self.free(term))
        ]
        actual = (
            bound or actual
        )  # The arguments of the action stand for themselves, unless the formula is about them alone.
        canonical = [z3.Const(f"p{position}!{term.sort()}", term.sort()) for position, term in enumerate(actual)]
        self._names.update(term.decl().name() for term in canonical)
        pairs = list(zip(actual, canonical, strict=True))
        standing = None
        if member is not None:
            standing = z3.Const(f"member!{member.sort()}", member.sort())
            self._names.add(standing.decl().name())
            pairs.append((member, standing))
        general = tuple(z3.substitute(formula, *pairs) for formula in formulas)
        key = (
            label,
            size,
            tuple(formula.sexpr() for formula in general),
            tuple(str(term.sort()) for term in canonical),
        )
        if key not in self.families:
            symbol = make(f"{label}!{len(self.families)}", canonical)
            self.families[key] = Family(tuple(canonical), general, symbol, size, standing)
        return self.families[key], actual

    def _parameters(self, formula: Term, member: Term) -> list[Term]:
        """The greatest terms inside a set's formula that do not depend on the member, so that `votes(leader(t))` is a
        case of
        `votes(s)`; under quantifiers only the constants."""
        found: dict[int, Term] = {}
        seen: set[int] = set()
        stack = [formula]
        while stack:
            term = stack.pop()
            if term.get_id() in seen:
                continue
            seen.add(term.get_id())
            inside = self.free(term)
            if z3.is_quantifier(term):
                found |= {name.get_id(): name for name in inside if not name.eq(member)}
            elif z3.is_bool(term) or any(name.eq(member) for name in inside):
                stack.extend(reversed(term.children()))
            elif inside:
                found[term.get_id()] = term
        return list(found.values())

    def op_majority(self, node: Expr, env: Env) -> Value:
        return self._quorum(node, self.value(node.args[0], env), None)

    def op_quorum(self, node: Expr, env: Env) -> Value:
        members, size = self.values(node.args, env)
        if not z3.is_int_value(size):
            raise NoAnySize(
                "A quorum whose size is computed has no any-size meaning.", "Make the size a ClassVar.", node.location
            )
        return self._quorum(node, members, size.as_long())

    def _quorum(self, node: Expr, members: SetV, size: int | None) -> Term:
        member = self.constant_named("member", self.symbols.sort(node.data))
        formula = members.has(member)

        def make(name: str, parameters: list[Term]) -> Any:
            return z3.Function(name, *[term.sort() for term in parameters], z3.BoolSort())

        family, actual = self.family(f"quorum of {node.data}", [formula], make, size, member)
        return family.symbol(actual)

    def quorum_axioms(self, total: int, goals: Sequence[Term]) -> list[Term]:
        """Quorums meet, and what has a quorum inside is one, for all sets of the formulas so far.

        `total` members are configured. The second axiom is written only for sets that the `goals` ask about: others
        are given.
        """
        found = [(label, family) for (label, *_), family in self.families.items() if family.member is not None]
        asked = _functions(goals)
        axioms = []
        for position, (label, first) in enumerate(found):
            if _size(first, total) <= total and first.symbol.name() in asked:
                axioms.append(self._full(first))
            if _size(first, total) > 0 and 2 * _size(first, total) <= total:
                axioms.append(self._inhabited(first))
            for other, (other_label, second) in enumerate(found):
                if label != other_label:
                    continue
                least, greatest = _size(first, total), _size(second, total)
                if other >= position and least + greatest > total:
                    axioms.append(self._pair(first, second, True))
                if other != position and least >= greatest and second.symbol.name() in asked:
                    axioms.append(self._pair(first, second, False))
                if other != position and first.parameters and _sorts(first) == _sorts(second):
                    axioms.append(self._mention(first, second))
        return axioms

    def _mention(self, first: Family, second: Family) -> Term:
        """Where the solver considers one set, it shall consider the other with the same parameters.

        This says nothing (`considered` is a predicate that may always be true), but a lemma about the second set is
        instantiated only for terms that are there.
        """
        quorum = first.symbol(first.parameters)
        considered = z3.Function("considered", z3.BoolSort(), z3.BoolSort())
        return z3.ForAll(list(first.parameters), considered(second.symbol(first.parameters)), patterns=[quorum])

    def _full(self, family: Family) -> Term:
        (formula,), member = family.formulas, family.member
        quorum = family.symbol(family.parameters)
        claim = z3.Implies(z3.ForAll([member], formula), quorum)
        return z3.ForAll(list(family.parameters), claim, patterns=[quorum]) if family.parameters else claim

    def _inhabited(self, family: Family) -> Term:
        """A quorum of at least one has a member; for those of which two meet, that follows."""
        quorum = family.symbol(family.parameters)
        claim = z3.Implies(quorum, z3.Exists([family.member], family.formulas[0]))
        return z3.ForAll(list(family.parameters), claim, patterns=[quorum]) if family.parameters else claim

    def _pair(self, first: Family, second: Family, meet: bool) -> Term:
        renamed = [z3.Const(f"q{term.decl().name()}", term.sort()) for term in second.parameters]
        here = first.formulas[0]
        there = z3.substitute(second.formulas[0], *zip(second.parameters, renamed, strict=True))
        left, right = first.symbol(first.parameters), second.symbol(renamed)
        if meet:
            claim = z3.Implies(z3.And(left, right), z3.Exists([first.member], z3.And(here, there)))
        else:
            claim = z3.Implies(z3.And(left, z3.ForAll([first.member], z3.Implies(here, there))), right)
        names = [*first.parameters, *renamed]
        if not names:
            return claim
        patterns = [pattern for pattern in (left, right) if pattern.num_args()]
        return z3.ForAll(names, claim, patterns=[z3.MultiPattern(*patterns)])

    def _defined(
        self,
        node: Expr,
        env: Env,
        label: str,
        axiom: Callable[[Value, Callable[[Callable[[Value], Term]], Term]], Term],
    ) -> Value:
        """A value that an axiom defines from what a comprehension yields; of values with the same definition there is
        one."""
        frozen = env.copy()
        probe = self.symbols.symbol(node.type, f"probe of {label}", [])
        formula = self._some(node, frozen, lambda value: self.equal(value, probe))

        def make(name: str, parameters: list[Term]) -> Any:
            return lambda terms: self.symbols.symbol(node.type, name, terms)

        known = len(self.families)
        family, actual = self.family(label, [formula], make)
        value = family.symbol(actual)
        if len(self.families) > known:
            fact = axiom(value, lambda claim: self._some(node, frozen, claim))
            self.definitions.append(z3.ForAll(actual, fact) if actual else fact)
        return value

    def _yields(self, node: Expr, env: Env) -> Term:
        """Whether a comprehension yields anything; notes its events."""
        return self._each(node, env.copy(), lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

    def _extreme(self, node: Expr, env: Env, beyond: Callable[[Value, Value], Term]) -> Value:
        some = self._yields(node, env)
        value = self._defined(
            node,
            env,
            node.op.value,
            lambda found, any_value: self.implies(
                any_value(lambda _: self.true),
                self.both(
                    [
                        any_value(lambda value: self.equal(value, found)),
                        self.negate(any_value(lambda value: beyond(value, found))),
                    ]
                ),
            ),
        )
        return self._or_default(node, env, some, value, f"{node.op.value} of nothing")

    def _or_default(self, node: Expr, env: Env, some: Term, value: Value, why: str) -> Value:
        if len(node.args) == 2:
            with self.under(self.negate(some)):
                return self.select(some, value, self.value(node.args[1], env))
        self.stop("error", self.negate(some), why, node.location)
        return value

    def op_max_of(self, node: Expr, env: Env) -> Value:
        for clause in node.clauses:
            if isinstance(clause, For) and clause.source.op is Op.DOMAIN and is_number(clause.type):
                return self._no_meaning(
                    node,
                    "A maximum over all numbers need not exist at any size.",
                    "Take it over what is there: `max(m.value for m in self.network ...)`.",
                )
        return self._extreme(node, env, lambda value, found: self.less(found, value, node.type))

    def op_min_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, lambda value, found: self.less(value, found, node.type))

    def op_the(self, node: Expr, env: Env) -> Value:
        frozen = env.copy()
        some = self._yields(node, env)
        several = self._some(
            node, frozen, lambda one: self._some(node, frozen, lambda other: self.negate(self.equal(one, other)))
        )
        self.stop("error", several, "the(...) finds two different values", node.location)
        value = self._defined(
            node,
            env,
            "the",
            lambda found, any_value: self.either(
                (
                    any_value(lambda one: any_value(lambda other: self.negate(self.equal(one, other)))),
                    self.negate(any_value(lambda value: self.negate(self.equal(value, found)))),
                )
            ),
        )
        return self._or_default(node, env, some, value, "the(...) finds no value")

    def _no_meaning(self, node: Expr, what: str, instead: str) -> Value:
        raise NoAnySize(what, instead, node.location)

    def op_sum(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A sum over unboundedly many has no any-size meaning.", "Use any, all, is_majority or is_quorum."
        )

    def op_list_of(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A list comprehension has no any-size meaning.", "Use a set comprehension, any or all."
        )

    def op_sorted(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(node, "A sorted list has no any-size meaning.", "Use min, max, any or all.")

    def op_linearizable(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "linearizable(...) has no any-size meaning.", "State what a read may return as an invariant."
        )

    # Structure

    def op_domain(self, node: Expr, env: Env) -> Value:
        return SetV(node.type.children()[0], lambda _: self.true)

    def op_range(self, node: Expr, env: Env) -> Value:
        low, high = self.values(node.args, env)
        return SeqV(
            node.type.children()[0], z3.simplify(z3.If(high > low, high - low, 0)), lambda index: low + index, low
        )

    def op_lookup(self, node: Expr, env: Env) -> Value:
        whole, key = self.values(node.args, env)
        return ABSENT if key is ABSENT else whole.at(key)

    def op_index(self, node: Expr, env: Env) -> Value:
        whole, position = self.values(node.args, env)
        return self.at(whole, node.args[0].type, position, node.location)

    def at(self, whole: Value, kind: Type, key: Value, location: Location | None) -> Value:
        if isinstance(whole, MapV):
            return ABSENT if key is ABSENT else whole.at(key)
        if whole is ABSENT or key is ABSENT:
            return ABSENT
        if self._certain(z3.And(key >= 0, key < whole.length), whole.length >= 0):
            return whole.at(key)
        self.stop("error", z3.Or(key >= whole.length, key < -whole.length), "there is no such index", location)
        return whole.at(self._position(whole, key))

    def _certain(self, claim: Term, *known: Term) -> bool:
        """Whether the path to this point implies an arithmetic claim at once; what it says with quantifiers is left
        aside."""
        parts = self.path.children() if z3.is_and(self.path) else [self.path]
        solver = z3.Solver()
        solver.set("rlimit", CERTAIN_EFFORT)
        solver.add(*known, *(part for part in (*parts, *self.symbols.facts) if not _quantified(part)), z3.Not(claim))
        return bool(solver.check() == z3.unsat)

    def _position(self, whole: SeqV, key: Term) -> Term:
        if z3.is_int_value(key):
            return key if key.as_long() >= 0 else z3.simplify(whole.length + key)
        if self._certain(key >= 0):
            return key
        return z3.If(key < 0, whole.length + key, key)

    def replaced(self, whole: Value, kind: Type, key: Value, value: Value) -> Value:
        if isinstance(whole, MapV):
            return MapV(lambda found: self.select(self.equal(found, key), value, whole.at(found)))
        position = self._position(whole, key)
        return SeqV(whole.element, whole.length, lambda index: self.select(index == position, value, whole.at(index)))

    def _listed(self, items: list[Value], element: Type) -> SeqV:
        def at(index: Term) -> Value:
            return chosen([(index == position, item) for position, item in enumerate(items)])

        return SeqV(
            element,
            z3.IntVal(len(items)),
            at if items else lambda index: self.symbols.symbol(element, "nothing", [index]),
        )

    def op_list(self, node: Expr, env: Env) -> Value:
        return self._listed(self.values(node.args, env), node.type.children()[0])

    def op_concat(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return SeqV(
            node.type.children()[0],
            z3.simplify(first.length + second.length),
            lambda index: self.select(index < first.length, first.at(index), second.at(index - first.length)),
        )

    def op_slice(self, node: Expr, env: Env) -> Value:
        whole, low, high = self.values(node.args, env)

        def clamped(position: Term) -> Term:
            if self._certain(z3.And(position >= 0, position <= whole.length), whole.length >= 0):
                return position
            below = z3.If(position < 0, position + whole.length, position)
            return z3.simplify(z3.If(below < 0, 0, z3.If(below > whole.length, whole.length, below)))

        start, end = clamped(low), clamped(high)
        length = z3.simplify(end - start)
        if not self._certain(length >= 0, whole.length >= 0):
            length = z3.If(length > 0, length, 0)
        return SeqV(whole.element, length, lambda index: whole.at(z3.simplify(start + index)))

    def op_set(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        members = self.values(node.args, env)
        return SetV(node.type.element, lambda found: self.either([self.equal(found, member) for member in members]))

    def op_in(self, node: Expr, env: Env) -> Value:
        found, whole = self.values(node.args, env)
        if found is ABSENT:
            return self.false
        if isinstance(whole, SeqV):
            return self.either(
                [
                    self.exists(one.constants, one.guard, self.equal(one.element, found))
                    for one in self.rounds(whole, "i", node.location)
                ]
            )
        return whole.count(found) > 0 if isinstance(whole, BagV) else whole.has(found)

    def op_subset(self, node: Expr, env: Env) -> Value:
        first, second = self.values(node.args, env)
        return self._everywhere(first.element, lambda element: self.implies(first.has(element), second.has(element)))

    def _combined(self, node: Expr, env: Env, join: Callable[[Term, Term], Term]) -> Value:
        first, second = self.values(node.args, env)
        return SetV(first.element, lambda element: join(first.has(element), second.has(element)))

    def op_union(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.either((a, b)))

    def op_intersect(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, b)))

    def op_difference(self, node: Expr, env: Env) -> Value:
        return self._combined(node, env, lambda a, b: self.both((a, self.negate(b))))

    def op_len(self, node: Expr, env: Env) -> Value:
        whole = self.value(node.args[0], env)
        if isinstance(whole, SeqV):
            return whole.length
        return self._no_meaning(
            node,
            "The size of a set has no any-size meaning.",
            "Write `all(s in x for s in Sort)`, any(...), "
            "is_majority(x, Sort) or is_quorum(x, n, Sort) instead of counting.",
        )

    # Numbers

    def less(self, first: Value, second: Value, kind: Type) -> Term:
        """`first < second`; of a value that no run has, nothing is true."""
        if first is ABSENT or second is ABSENT:
            return self.false
        if isinstance(kind, TupleType):
            parts, same = [], self.true
            for a, b, part in zip(first, second, kind.kinds, strict=True):
                parts.append(self.both((same, self.less(a, b, part))))
                same = self.both((same, self.equal(a, b)))
            return self.either(parts)
        return self.symbols.less(kind)(first, second) if isinstance(kind, IdentityType) else first < second

    def _counted(self, node: Expr, env: Env) -> Term | None:
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

    def _computed(self, node: Expr, env: Env, compute: Callable[[Term, Term], Term]) -> Value:
        first, second = self.values(node.args, env)
        return ABSENT if first is ABSENT or second is ABSENT else z3.simplify(compute(first, second))

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
        return first / second if quotient else first % second

    def op_div(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, True)

    def op_mod(self, node: Expr, env: Env) -> Value:
        return self._divided(node, env, False)

    def op_neg(self, node: Expr, env: Env) -> Value:
        return -self.value(node.args[0], env)

    def op_abs(self, node: Expr, env: Env) -> Value:
        value = self.value(node.args[0], env)
        return z3.If(value < 0, -value, value)

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
        if change is Change.POP:
            self.stop("error", whole.length < 1, "pop from an empty list", location)
            return SeqV(whole.element, z3.simplify(whole.length - 1), whole.at)
        (item,) = args
        return SeqV(
            whole.element,
            z3.simplify(whole.length + 1),
            lambda index: self.select(index == whole.length, item, whole.at(index)),
        )

    def _changed_set(self, change: Change, whole: SetV, item: Value, location: Location | None) -> SetV:
        if change in (Change.REMOVE, Change.RECEIVE, Change.DROP):
            self.stop("error", self.negate(whole.has(item)), "the element is not there", location)
        if change is Change.RECEIVE:
            return whole
        if change in (Change.ADD, Change.SEND):
            return SetV(whole.element, lambda found: self.either((whole.has(found), self.equal(found, item))))
        return SetV(whole.element, lambda found: self.both((whole.has(found), self.negate(self.equal(found, item)))))

    def _changed_bag(self, change: Change, whole: BagV, item: Value, location: Location | None) -> BagV:
        if change is not Change.SEND:
            self.stop("error", whole.count(item) < 1, "the message is not there", location)
        by = 1 if change is Change.SEND else -1
        return BagV(
            whole.element,
            lambda found: whole.count(found) + z3.If(self.equal(found, item), z3.IntVal(by), z3.IntVal(0)),
        )

    def loop(self, statement: Loop, env: Env) -> Exits:
        from checker.prove.encode.effects import all_rounds

        all_rounds(self, statement, env)
        return self._going()


def _size(family: Family, total: int) -> int:
    return total // 2 + 1 if family.size is None else family.size


def _functions(terms: Sequence[Term]) -> set[str]:
    """The names of all functions in terms."""
    found: set[str] = set()
    seen: set[int] = set()
    stack = list(terms)
    while stack:
        term = stack.pop()
        if term.get_id() not in seen:
            seen.add(term.get_id())
            if z3.is_app(term):
                found.add(term.decl().name())
            stack.extend(term.children())
    return found


def _quantified(term: Term) -> bool:
    """Whether there is a quantifier in a term."""
    stack, seen = [term], set[int]()
    while stack:
        part = stack.pop()
        if z3.is_quantifier(part):
            return True
        if part.get_id() not in seen:
            seen.add(part.get_id())
            stack.extend(part.children())
    return False


def _isolated(left: Term, right: Term) -> tuple[Term, Term]:
    """An equation `x + n == t` of integers as `x == t - n`."""
    if z3.is_add(left) and left.num_args() == 2 and z3.is_int(left):
        for number, rest in ((left.arg(0), left.arg(1)), (left.arg(1), left.arg(0))):
            if z3.is_int_value(number):
                return rest, z3.simplify(right - number)
    return left, right


def _sorts(family: Family) -> list[Any]:
    return [term.sort() for term in family.parameters]


def _tidied(body: Term) -> Term:
    """A conjunction after a substitution, without the equations that became trivial."""
    parts = body.children() if z3.is_and(body) else [body]
    return conjunction([part for part in parts if not (z3.is_eq(part) and part.arg(0).eq(part.arg(1)))])
