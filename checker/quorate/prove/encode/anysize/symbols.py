"""The sorts of a model for any size, and the uninterpreted functions that unknown values are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from functools import cache

import z3

from quorate.errors import Location
from quorate.language.types import (
    BagType,
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.ranges import is_number
from quorate.prove.encode.anysize.containers import (
    Alternatives,
    BagV,
    Container,
    MapV,
    SeqV,
    SetV,
    Value,
    as_formula,
    as_number,
    as_term,
    chosen,
    merged,
)
from quorate.prove.encode.anysize.refusal import NoAnySize, require_natural
from quorate.prove.encode.anysize.shapes import HELD, NUMBER, number_of, printable, taken_apart, unlimited
from quorate.prove.encode.anysize.terms import Formula, Number, Term, _kind, conjunction, disjunction, negation
from quorate.prove.encode.values import Union, class_key


@cache
def _enumeration(sort: type[Enum]) -> tuple[z3.SortRef, tuple[Term, ...]]:
    """The Z3 enumeration of an enum. One name can be declared once only, and two specs may use the same."""
    name = f"enum {sort.__name__}" + "~" * number_of(sort)
    made, members = z3.EnumSort(name, [f"{name}.{member.name}" for member in sort])
    return made, tuple(members)


class Symbols:
    """The sorts of a model and its uninterpreted functions; `facts` are what every value of a declared type
    satisfies."""

    def __init__(self) -> None:
        self._sorts: dict[type, z3.SortRef] = {}
        self._members: dict[type, dict[Enum, Term]] = {}
        self._functions: dict[str, z3.FuncDeclRef] = {}
        self._greatest: dict[type, Number] = {}
        self.naturals: set[str] = set()
        """Functions and constants whose numbers are not below zero."""
        self._limited: dict[str, type] = {}
        """Those whose numbers are within the limits of a `Nat`, which is named."""
        self.supposed: dict[type, int] = {}
        """The greatest numbers that sorts are supposed to have."""
        self.conditions: set[str] = set()
        """What else is supposed of what is configured, in words."""
        self.facts: list[Formula] = []
        self.orders: dict[type, z3.FuncDeclRef] = {}
        self._older: Symbols | None = None

    @property
    def known(self) -> list[Formula]:
        """All facts: those that were noted here, and those that came to older symbols since, of which a value made there has asked."""
        found, older = {fact.get_id(): fact for fact in self.facts}, self._older
        while older is not None:
            for fact in older.facts:
                found.setdefault(fact.get_id(), fact)
            older = older._older
        return list(found.values())

    @property
    def suppositions(self) -> dict[type, int]:
        """What was supposed, here or in older symbols."""
        older = {} if self._older is None else self._older.suppositions
        return {sort: max(self.supposed.get(sort, 0), older.get(sort, 0)) for sort in (self.supposed | older)}

    def fork(self) -> Symbols:
        """Symbols that go on from here on their own."""
        other = Symbols()
        other._sorts, other._members, other._functions = self._sorts, self._members, dict(self._functions)
        other._greatest, other.naturals = dict(self._greatest), set(self.naturals)
        other._limited, other.supposed, other._older = dict(self._limited), dict(self.supposed), self
        other.conditions = set(self.conditions)
        other.facts, other.orders = list(self.facts), dict(self.orders)
        return other

    def sort(self, kind: Type) -> z3.SortRef:
        """The Z3 sort of a leaf, or of the objects that stand for the lists, sets or maps of a type."""
        if isinstance(kind, BoolType):
            return z3.BoolSort()
        if is_number(kind):
            return z3.IntSort()
        if isinstance(kind, HELD):
            return z3.DeclareSort(f"objects {printable(kind)}")
        assert isinstance(kind, EnumType | IdentityType)
        if kind.sort not in self._sorts:
            if isinstance(kind, EnumType):
                made, members = _enumeration(kind.sort)
                self._members[kind.sort] = dict(zip(kind.members, members, strict=True))
            else:
                same = sum(other.__name__ == kind.sort.__name__ for other in self._sorts)
                made = z3.DeclareSort(f"sort {kind}" + "~" * same)
            self._sorts[kind.sort] = made
        return self._sorts[kind.sort]

    def member(self, kind: EnumType, value: Enum) -> Term:
        """The constant of an enum's member."""
        self.sort(kind)
        return self._members[kind.sort][value]

    def less(self, kind: IdentityType) -> z3.FuncDeclRef:
        """The order of an `Ordered` sort; its axioms are among the facts."""
        if kind.sort not in self.orders:
            sort = self.sort(kind)
            less = z3.Function(f"{printable(kind)}<", sort, sort, z3.BoolSort())
            a, b, c = (z3.Const(f"{printable(kind)}!{name}", sort) for name in "abc")
            self.facts += [
                z3.ForAll([a], z3.Not(less(a, a))),
                z3.ForAll([a, b, c], z3.Implies(z3.And(less(a, b), less(b, c)), less(a, c))),
                z3.ForAll([a, b], z3.Or(less(a, b), a == b, less(b, a))),
            ]
            self.orders[kind.sort] = less
        return self.orders[kind.sort]

    def least(self, kind: IdentityType) -> Term:
        """The first member of an `Ordered` sort."""
        name = f"least {printable(kind)}"
        first, less = as_term(self.cell(kind, name, [])), self.less(kind)
        other = z3.Const(f"{printable(kind)}!other", self.sort(kind))
        fact = z3.ForAll([other], z3.Not(less(other, first)))
        if not any(fact.eq(known) for known in self.facts):
            self.facts.append(fact)
        return first

    def greatest(self, kind: NatType) -> Number:
        """The largest number of a `Nat`: any number from zero. So a set of such numbers is finite, whatever the size,
        and what is true for every number up to here is true at every bound."""
        require_natural(kind)
        if kind.sort not in self._greatest:
            self._greatest[kind.sort] = z3.Int(f"greatest {printable(kind)}")
            self.facts.append(self._greatest[kind.sort] >= 0)
        return self._greatest[kind.sort]

    def suppose(self, kind: NatType, number: int) -> None:
        """Suppose that a sort has a number that the specification writes as one of it: without it, it would be in error."""
        greatest = self.greatest(kind)
        if number > self.supposed.get(kind.sort, 0):
            self.supposed[kind.sort] = number
            self.facts.append(greatest >= number)

    def is_natural(self, term: Term) -> bool:
        """Whether a number is not below zero by its form."""
        if z3.is_int_value(term):
            return bool(term.as_long() >= 0)
        match _kind(term):
            case z3.Z3_OP_ADD | z3.Z3_OP_MUL:
                return all(map(self.is_natural, term.children()))
            case z3.Z3_OP_ITE:
                return self.is_natural(term.arg(1)) and self.is_natural(term.arg(2))
            case z3.Z3_OP_IDIV | z3.Z3_OP_MOD:
                return all(map(self.is_natural, term.children()))
            case z3.Z3_OP_UNINTERPRETED:
                return term.decl().name() in self.naturals
        return False

    def is_within(self, kind: NatType, term: Term) -> bool:
        """Whether a number is within the limits of its type by its form."""
        if z3.is_int_value(term):
            return bool(term.as_long() == 0)
        match _kind(term):
            case z3.Z3_OP_ITE:
                return self.is_within(kind, term.arg(1)) and self.is_within(kind, term.arg(2))
            case z3.Z3_OP_UNINTERPRETED:
                return self._limited.get(term.decl().name()) is kind.sort
        return False

    def limit(self, kind: NatType, constant: Term) -> None:
        """Note that a constant is only looked at within the limits of its type."""
        self.naturals.add(constant.decl().name())
        self._limited[constant.decl().name()] = kind.sort

    def observe(self, kind: Type, value: Number, parts: Sequence[Number]) -> None:
        """Say of a defined number what is true of all that it may be, by their form; `value` depends on no number."""
        name, args = value.decl().name(), value.children()
        if not is_number(kind) or any(z3.is_int(arg) for arg in args) or not parts:
            return
        if isinstance(kind, NatType) and all(self.is_within(kind, part) for part in parts):
            self._limited[name], fact = kind.sort, self.within(kind, value)
        elif all(map(self.is_natural, parts)):
            fact = value >= 0
        else:
            return
        self.naturals.add(name)
        self.facts.append(z3.ForAll(args, fact) if args else fact)

    def within(self, kind: Type, term: Term) -> Formula:
        """That a leaf term is one of the values of its type, as far as its sort leaves that open."""
        if not isinstance(kind, NatType):
            return z3.BoolVal(True)
        number = as_number(term)
        return z3.And(number >= 0, number <= self.greatest(kind))

    def cell(self, kind: Type, name: str, args: Sequence[Term | Container], natural: bool = False) -> Term:
        """An uninterpreted function's value, of a leaf type; a `Nat` is within its limits, a `natural` number not below
        zero."""
        terms = [arg for arg in args if isinstance(arg, Term)]
        if len(terms) < len(args):
            raise NoAnySize(
                f"A computed list, set or map as (part of) a key or a message of a Bag has no any-size meaning, as in "
                f"{name.split('[')[0]}.",
                "Use a Network, or a key without it.",
            )
        if name not in self._functions:
            function = z3.Function(name, *[arg.sort() for arg in terms], self.sort(kind))
            self._functions[name] = function
            if natural or isinstance(kind, NatType):
                self.naturals.add(name)
                if isinstance(kind, NatType):
                    self._limited[name] = kind.sort
                names = [z3.Const(f"{name}!{position}", arg.sort()) for position, arg in enumerate(terms)]
                term = function(names)
                fact = self.within(kind, term) if isinstance(kind, NatType) else term >= 0
                self.facts.append(z3.ForAll(names, fact) if names else fact)
        return _applied(self._functions[name], terms)

    @contextmanager
    def fresh(self) -> Iterator[set[str]]:
        """The names of the constants that are declared inside."""
        known, names = set(self._functions), set[str]()
        yield names
        names.update(name for name, function in self._functions.items() if name not in known and not function.arity())

    def held(self, kind: Type, term: Term) -> Value:
        """The list, set or map that an object of the logic stands for. Two objects may have the same contents; nothing
        is lost by that, because what is true of all such structures is true of those where they are equal."""
        found = self.symbol(kind, printable(kind), [term])
        assert isinstance(found, SeqV | SetV | MapV)
        return replace(found, term=term)

    def symbol(
        self,
        kind: Type,
        name: str,
        args: Sequence[Term | Container],
        location: Location | None = None,
        objects: bool = False,
    ) -> Value:
        """An unknown value of a type, which depends on `args`; with `objects`, the lists, sets and maps in it are
        objects of the logic."""
        if objects and isinstance(kind, HELD):
            return self.held(kind, self.cell(kind, name, args))
        match kind:
            case NoneType():
                return None
            case RecordType(fields=fields):
                return tuple(self.symbol(part, f"{name}.{field}", args, None, objects) for field, part in fields)
            case TupleType(kinds=kinds):
                return tuple(
                    self.symbol(part, f"{name}.{position}", args, None, objects) for position, part in enumerate(kinds)
                )
            case UnionType(kinds=kinds):
                return self._union(kinds, name, args, objects)
            case MapType(key=key, value=value):
                return MapV(key, lambda found: self._looked_up(found, key, value, name, args))
            case SetType(element=element) | NetworkType(message=element):
                return SetV(
                    element,
                    lambda found: disjunction(
                        [
                            conjunction([guard, as_formula(self.cell(BoolType(), f"{name}[{tag}]", [*args, *terms]))])
                            for guard, tag, terms in taken_apart(found, element)
                        ]
                    ),
                )
            case BagType(message=element):
                return BagV(element, lambda found: self._count(found, element, name, args))
            case ListType(element=element):
                length = as_number(self.cell(NUMBER, f"len({name})", args, natural=True))
                return SeqV(element, length, lambda position: self.symbol(element, f"{name}[]", [*args, position]))
        if isinstance(kind, BoolType | EnumType | IdentityType) or is_number(kind):
            return self.cell(kind, name, args)
        raise NoAnySize(
            f"The variable {name} is a {kind}, which has no any-size meaning.",
            "Use a Network, a set or a map.",
            location,
        )

    def defined(self, kind: Type, name: str, args: Sequence[Term]) -> Value:
        """A value that a definition gives for all `args`, also for numbers that are no values of their type: so nothing
        is said of it but what the definition says."""
        return self.symbol(unlimited(kind), name, args)

    def _union(
        self, kinds: tuple[Type, ...], name: str, args: Sequence[Term | Container], objects: bool
    ) -> Alternatives:
        if len(kinds) == 2:
            first = as_formula(self.cell(BoolType(), f"{name} is {printable(kinds[0])}", args))
            guards = [first, negation(first)]
        else:
            which = as_number(self.cell(NUMBER, f"kind of {name}", args))
            guards = [*(which == number for number in range(1, len(kinds))), z3.Or(which < 1, which >= len(kinds))]
        return Union(
            {
                class_key(kind): (guard, self.symbol(kind, f"{name}:{printable(kind)}", args, None, objects))
                for kind, guard in zip(kinds, guards, strict=True)
            }
        )

    def _looked_up(self, found: Value, key: Type, value: Type, name: str, args: Sequence[Term | Container]) -> Value:
        options = [
            (guard, self.symbol(value, f"{name}[{tag}]" if tag else name, [*args, *terms]))
            for guard, tag, terms in taken_apart(found, key)
        ]
        return chosen(options)

    def _count(self, found: Value, element: Type, name: str, args: Sequence[Term | Container]) -> Number:
        options: list[tuple[Formula, Value]] = [
            (guard, self.cell(NUMBER, f"{name}[{tag}]", [*args, *terms], natural=True))
            for guard, tag, terms in taken_apart(found, element)
        ]
        return as_number(chosen(options))


def _applied(function: z3.FuncDeclRef, args: list[Term]) -> Term:
    """A function's value, with a choice among arguments as a choice among values: no choice may stand in a pattern, by
    which solvers find instances of a quantified formula."""
    for position, arg in enumerate(args):
        if z3.is_app_of(arg, z3.Z3_OP_ITE):
            first, second = ([*args[:position], arg.arg(side), *args[position + 1 :]] for side in (1, 2))
            return as_term(merged(as_formula(arg.arg(0)), _applied(function, first), _applied(function, second)))
    return as_term(function(args))
