"""Conditions, and quantifiers over values of unbounded size.

A quantifier that an equation decides, or whose constant does not occur, is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import z3

from quorate.errors import Location
from quorate.language.types import (
    BoolType,
    EnumType,
    NatType,
    Type,
)
from quorate.model.nodes import Model
from quorate.prove.encode import machine, values
from quorate.prove.encode.anysize.containers import (
    BagV,
    Part,
    SeqV,
    SetV,
    Value,
    as_formula,
    as_number,
    merged,
)
from quorate.prove.encode.anysize.shapes import shapes
from quorate.prove.encode.anysize.symbols import Symbols
from quorate.prove.encode.anysize.terms import Formula, Number, Term, conjunction, disjunction, negation, operands
from quorate.prove.encode.machine import Machine

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
    """Conditions, and what ranging over a source means."""

    true: Formula = z3.BoolVal(True)
    false: Formula = z3.BoolVal(False)

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.symbols = Symbols()
        self._names: set[str] = set()
        self._arguments: set[str] = set()
        self._counter = 0
        self.at_hand: list[tuple[Type, Value]] = []
        """Where only these are looked at as arguments of an abstract action: those of the concrete one, and their fields."""

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

    # Quantifiers

    def constant_named(self, name: str, sort: z3.SortRef) -> Term:
        """A constant of its own, to be quantified. No definition and no other symbol has a "?" in its name, whatever the specification
        calls what it ranges over: to the solver, what has one name is one thing."""
        self._counter += 1
        full = f"{name}?{self._counter}"
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

    def _everywhere(self, element: Type, claim: Callable[[Value], Formula]) -> Formula:
        return self.both(
            [
                self.forall(found.constants, found.guard, claim(found.element))
                for found in self.rounds(SetV(element, lambda _: self.true), "e", None)
            ]
        )

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
