"""Values of unbounded size: functions, predicates, and the leaf cells they are made of.

Every type is taken apart into *shapes*: one for each choice of alternatives in its unions, with the leaf cells that
are left. A set of messages `Prepared(rm) | Verdict` is two predicates, one over a resource manager and one over a
verdict; nothing is left of the union, and there are no unused cells whose contents could differ.

A leaf is a bool, a member of an enum (a Z3 enumeration), a number (a mathematical integer) or an identity (an element
of an uninterpreted sort; of an `Ordered` sort, with a total order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import product
from typing import TypeAlias, cast

import z3

from quorate.errors import Location, SpecError
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
from quorate.model.nodes import INT_MAX, INT_MIN, IntType
from quorate.model.ranges import is_number
from quorate.prove.encode import values
from quorate.prove.encode.values import ABSENT, Union, alternatives_of, class_key, parts_of

Term = z3.ExprRef
"""A Z3 expression."""
Formula = z3.BoolRef
"""One that is true or false."""
Number = z3.ArithRef
"""One that is an integer."""
Part: TypeAlias = "Term | MapV | SetV | BagV | SeqV"
Value: TypeAlias = "values.Value[Formula, Part]"
"""A term, a container, or what is made of them."""
Alternatives: TypeAlias = "Union[Formula, Part]"
Container: TypeAlias = "MapV | SetV | SeqV"
"""What may be an object of the logic."""

_NUMBER = IntType(INT_MIN, INT_MAX)
HELD = (ListType, SetType, MapType)
"""Containers that may be inside elements, messages and keys: there they are objects of the logic."""


class NoAnySize(SpecError):
    """A construct has no meaning for an unbounded number of nodes; proofs at fixed bounds still take it."""

    HINT = "`quorate prove` without --any-size proves it at fixed bounds."

    def __init__(self, found: str, instead: str, location: Location | None = None) -> None:
        self.found, self.instead = found, instead
        super().__init__(f"{found} {instead} {self.HINT}", location)

    def at(self, location: Location) -> NoAnySize:
        """The same, found there."""
        return NoAnySize(self.found, self.instead, location)


@dataclass(frozen=True)
class MapV:
    """A total map: from a symbolic key of type `key` to a symbolic value; `term` if it is an object of the logic."""

    key: Type
    at: Callable[[Value], Value]
    term: Term | None = None


@dataclass(frozen=True)
class SetV:
    """A set or a `Network`: the predicate of membership of symbolic elements of type `element`; `term` if it is an
    object of the logic."""

    element: Type
    has: Callable[[Value], Formula]
    term: Term | None = None


@dataclass(frozen=True)
class BagV:
    """A `Bag`: how often it has each message."""

    element: Type
    count: Callable[[Value], Number]


@dataclass(frozen=True)
class SeqV:
    """A list: its length, and its elements by position (without a meaning beyond the length). `start` is the first
    number of a range, whose elements are the numbers from there on; `term` if it is an object of the logic."""

    element: Type
    length: Number
    at: Callable[[Number], Value]
    start: Number | None = None
    term: Term | None = None


@dataclass(frozen=True)
class Shape:
    """One choice of alternatives of a type: its leaf types, and the value that leaf terms make."""

    tag: str
    leaves: tuple[Type, ...]
    build: Callable[[list[Term]], Value]


def as_term(value: Value) -> Term:
    """What is of the type of a leaf, as a term."""
    assert isinstance(value, Term)
    return value


def as_formula(value: Value) -> Formula:
    """What is a bool by its type."""
    assert isinstance(value, Formula)
    return value


def as_number(value: Value) -> Number:
    """What is a number by its type."""
    assert isinstance(value, Number)
    return value


def as_set(value: Value) -> SetV:
    """What is a set or a network by its type."""
    assert isinstance(value, SetV)
    return value


def as_map(value: Value) -> MapV:
    """What is a map by its type."""
    assert isinstance(value, MapV)
    return value


def as_bag(value: Value) -> BagV:
    """What is a `Bag` by its type."""
    assert isinstance(value, BagV)
    return value


def as_list(value: Value) -> SeqV:
    """What is a list by its type."""
    assert isinstance(value, SeqV)
    return value


def shapes(kind: Type, held: Callable[[Type, Term], Value], location: Location | None = None) -> list[Shape]:
    """All shapes of a type of elements or keys; `held` gives the list, set or map that an object of the logic is."""
    match kind:
        case NoneType():
            return [Shape("", (), lambda _: None)]
        case RecordType(kinds=kinds) | TupleType(kinds=kinds):
            return [_product(choice) for choice in product(*(shapes(part, held, location) for part in kinds))]
        case UnionType(kinds=kinds):
            return [_alternative(part, shape) for part in kinds for shape in shapes(part, held, location)]
    if isinstance(kind, HELD):
        return [Shape("", (kind,), lambda terms: held(kind, terms[0]))]
    if isinstance(kind, BoolType | EnumType | IdentityType) or is_number(kind):
        return [Shape("", (kind,), lambda terms: terms[0])]
    raise NoAnySize(
        f"A {kind} inside a set, a message or a key has no any-size meaning.",
        "Keep elements and keys to records, tuples, enums, numbers, identities, lists, sets and maps.",
        location,
    )


def _product(parts: tuple[Shape, ...]) -> Shape:
    def build(terms: list[Term]) -> Value:
        made, position = list[Value](), 0
        for part in parts:
            made.append(part.build(terms[position : position + len(part.leaves)]))
            position += len(part.leaves)
        return tuple(made)

    tags = [part.tag for part in parts if part.tag]
    return Shape(",".join(tags), tuple(leaf for part in parts for leaf in part.leaves), build)


def _alternative(kind: Type, shape: Shape) -> Shape:
    tag = f"{kind}({shape.tag})" if shape.tag else str(kind)
    return Shape(tag, shape.leaves, lambda terms: Union({class_key(kind): (z3.BoolVal(True), shape.build(terms))}))


def _kind(term: Term) -> int:
    """What a formula is the application of, as Z3 numbers its operators; -1 of a quantifier. One call for what
    `is_and`, `is_or`, ... ask one by one."""
    context, tree = term.ctx_ref(), term.as_ast()
    if z3.Z3_get_ast_kind(context, tree) != z3.Z3_APP_AST:
        return -1
    return int(z3.Z3_get_decl_kind(context, z3.Z3_get_app_decl(context, tree)))


def operands(part: Formula) -> list[Formula]:
    """The operands of a connective, which are formulas again."""
    return cast(list[Formula], part.children())


def negation(part: Formula) -> Formula:
    """A negation, pushed inwards."""
    match _kind(part):
        case z3.Z3_OP_NOT:
            return as_formula(part.arg(0))
        case z3.Z3_OP_TRUE | z3.Z3_OP_FALSE:
            return z3.BoolVal(z3.is_false(part))
        case z3.Z3_OP_AND:
            return disjunction([negation(inner) for inner in operands(part)])
        case z3.Z3_OP_OR:
            return conjunction([negation(inner) for inner in operands(part)])
    return z3.Not(part)


def conjunction(parts: Iterable[Formula]) -> Formula:
    """A conjunction: flat, without repetitions, false if it has a part and its negation."""
    kept = _connected(parts, z3.Z3_OP_AND, z3.Z3_OP_TRUE, z3.Z3_OP_FALSE)
    if kept is None:
        return z3.BoolVal(False)
    return z3.BoolVal(True) if not kept else kept[0] if len(kept) == 1 else z3.And(kept)


def disjunction(parts: Iterable[Formula]) -> Formula:
    """A disjunction: flat, without repetitions, true if it has a part and its negation."""
    kept = _connected(parts, z3.Z3_OP_OR, z3.Z3_OP_FALSE, z3.Z3_OP_TRUE)
    if kept is None:
        return z3.BoolVal(True)
    return z3.BoolVal(False) if not kept else kept[0] if len(kept) == 1 else z3.Or(kept)


def _connected(parts: Iterable[Formula], same: int, neutral: int, absorbing: int) -> list[Formula] | None:
    """The parts that matter, or None if one absorbs the others; `same`, ... are kinds of operators."""
    kept: dict[int, Formula] = {}
    negated: set[int] = set()
    stack = list(parts)[::-1]
    while stack:
        part = stack.pop()
        kind = _kind(part)
        if kind == absorbing:
            return None
        if kind == same:
            stack.extend(reversed(operands(part)))
        elif kind != neutral:
            kept.setdefault(part.get_id(), part)
            if kind == z3.Z3_OP_NOT:
                negated.add(part.arg(0).get_id())
    return None if negated & kept.keys() else list(kept.values())


def taken_apart(value: Value, kind: Type) -> Iterator[tuple[Formula, str, list[Term | Container]]]:
    """The shapes that a value can have: each with its condition, its tag, and the leaf terms."""
    if isinstance(kind, NoneType):
        yield z3.BoolVal(True), "", []
    elif isinstance(kind, UnionType):
        there = alternatives_of(value)
        for part in kind.kinds:
            if class_key(part) in there:
                guard, inner = there[class_key(part)]
                for condition, tag, terms in taken_apart(inner, part):
                    yield conjunction([guard, condition]), f"{part}({tag})" if tag else str(part), terms
    elif isinstance(kind, RecordType | TupleType):
        options = [list(taken_apart(inner, part)) for inner, part in zip(parts_of(value), kind.kinds, strict=True)]
        for choice in product(*options):
            tags = ",".join(tag for _, tag, _ in choice if tag)
            yield (
                conjunction([guard for guard, _, _ in choice]),
                tags,
                [term for _, _, terms in choice for term in terms],
            )
    elif isinstance(kind, HELD):
        assert isinstance(value, SeqV | SetV | MapV)
        yield z3.BoolVal(True), "", [value if value.term is None else value.term]
    else:
        yield z3.BoolVal(True), "", [as_term(value)]


def unlimited(kind: Type) -> Type:
    """A type with any numbers in the place of those from zero up to a greatest one."""
    match kind:
        case NatType():
            return _NUMBER
        case RecordType(fields=fields):
            return replace(kind, fields=tuple((name, unlimited(part)) for name, part in fields))
        case TupleType(kinds=kinds) | UnionType(kinds=kinds):
            return replace(kind, kinds=tuple(map(unlimited, kinds)))
        case MapType(value=value):
            return replace(kind, value=unlimited(value))
        case ListType(element=element):
            return replace(kind, element=unlimited(element))
    return kind


def require_natural(kind: NatType) -> None:
    """Raises NoAnySize for numbers whose least is a bound: what is proven here takes numbers to begin at zero."""
    if kind.cuts_below:
        raise NoAnySize(
            f"The least {kind} is a bound, min={kind.minimum}, and only numbers that begin at 0 have an any-size meaning.",
            "Use a Nat.",
        )


def printable(kind: Type) -> str:
    """The name of a type without "|", which no name in SMT-LIB may have."""
    return str(kind).replace("|", "or")


@cache
def _enumeration(sort: type[Enum]) -> tuple[z3.SortRef, tuple[Term, ...]]:
    """The Z3 enumeration of an enum. One name can be declared once only, and two specs may use the same."""
    taken = _TAKEN.setdefault(sort.__name__, [])
    taken.append(sort)
    name = f"enum {sort.__name__}" + "~" * (len(taken) - 1)
    made, members = z3.EnumSort(name, [f"{name}.{member.name}" for member in sort])
    return made, tuple(members)


_TAKEN: dict[str, list[type[Enum]]] = {}


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
        self.facts: list[Formula] = []
        self.orders: dict[type, z3.FuncDeclRef] = {}

    def fork(self) -> Symbols:
        """Symbols that go on from here on their own."""
        other = Symbols()
        other._sorts, other._members, other._functions = self._sorts, self._members, dict(self._functions)
        other._greatest, other.naturals = dict(self._greatest), set(self.naturals)
        other._limited = dict(self._limited)
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
            less = z3.Function(f"{kind}<", sort, sort, z3.BoolSort())
            a, b, c = (z3.Const(f"{kind}!{name}", sort) for name in "abc")
            self.facts += [
                z3.ForAll([a], z3.Not(less(a, a))),
                z3.ForAll([a, b, c], z3.Implies(z3.And(less(a, b), less(b, c)), less(a, c))),
                z3.ForAll([a, b], z3.Or(less(a, b), a == b, less(b, a))),
            ]
            self.orders[kind.sort] = less
        return self.orders[kind.sort]

    def least(self, kind: IdentityType) -> Term:
        """The first member of an `Ordered` sort."""
        name = f"least {kind}"
        first, less = as_term(self.cell(kind, name, [])), self.less(kind)
        other = z3.Const(f"{kind}!other", self.sort(kind))
        fact = z3.ForAll([other], z3.Not(less(other, first)))
        if not any(fact.eq(known) for known in self.facts):
            self.facts.append(fact)
        return first

    def greatest(self, kind: NatType) -> Number:
        """The largest number of a `Nat`: any number from zero. So a set of such numbers is finite, whatever the size,
        and what is true for every number up to here is true at every bound."""
        require_natural(kind)
        if kind.sort not in self._greatest:
            self._greatest[kind.sort] = z3.Int(f"greatest {kind}")
            self.facts.append(self._greatest[kind.sort] >= 0)
        return self._greatest[kind.sort]

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
                length = as_number(self.cell(_NUMBER, f"len({name})", args, natural=True))
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
            first = as_formula(self.cell(BoolType(), f"{name} is {kinds[0]}", args))
            guards = [first, negation(first)]
        else:
            which = as_number(self.cell(_NUMBER, f"kind of {name}", args))
            guards = [*(which == number for number in range(1, len(kinds))), z3.Or(which < 1, which >= len(kinds))]
        return Union(
            {
                class_key(kind): (guard, self.symbol(kind, f"{name}:{kind}", args, None, objects))
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
            (guard, self.cell(_NUMBER, f"{name}[{tag}]", [*args, *terms], natural=True))
            for guard, tag, terms in taken_apart(found, element)
        ]
        return as_number(chosen(options))


def chosen(options: Sequence[tuple[Formula, Value]]) -> Value:
    """The value whose guard is true; the guards exclude each other and one of them is true."""
    result = options[-1][1]
    for guard, value in reversed(options[:-1]):
        result = merged(guard, value, result)
    return result


def merged(condition: Formula, first: Value, second: Value) -> Value:
    """`first` where the condition is true, else `second`, for values of one type."""
    if first is second or second is ABSENT or z3.is_true(condition):
        return first
    if first is ABSENT or z3.is_false(condition):
        return second
    match first, second:
        case None, _:
            return None
        case tuple(), tuple():
            return tuple(merged(condition, a, b) for a, b in zip(first, second, strict=True))
        case Union(), Union():
            return _merged_union(condition, first, second)
        case MapV(), MapV():
            return MapV(
                first.key,
                lambda key: merged(condition, first.at(key), second.at(key)),
                _object(condition, first, second),
            )
        case SetV(), SetV():
            return SetV(
                first.element,
                lambda element: either(condition, first.has(element), second.has(element)),
                _object(condition, first, second),
            )
        case BagV(), BagV():
            return BagV(
                first.element, lambda element: as_number(merged(condition, first.count(element), second.count(element)))
            )
        case SeqV(), SeqV():
            return SeqV(
                first.element,
                as_number(merged(condition, first.length, second.length)),
                lambda position: merged(condition, first.at(position), second.at(position)),
                term=_object(condition, first, second),
            )
        case Term(), Term():
            return _merged_term(condition, first, second)
    raise TypeError(f"no choice between values like {first!r} and {second!r}")


def either(condition: Formula, first: Formula, second: Formula) -> Formula:
    """The same for formulas."""
    return as_formula(merged(condition, first, second))


def _merged_union(condition: Formula, first: Alternatives, second: Alternatives) -> Alternatives:
    nothing: tuple[Formula, Value] = (z3.BoolVal(False), ABSENT)
    result: Alternatives = Union()
    for key in [*first, *(key for key in second if key not in first)]:
        (guard, value), (other_guard, other) = first.get(key, nothing), second.get(key, nothing)
        result[key] = (either(condition, guard, other_guard), merged(condition, value, other))
    return result


def _merged_term(condition: Formula, first: Term, second: Term) -> Term:
    if first.eq(second):
        return first
    if isinstance(first, Formula):
        return disjunction([conjunction([condition, first]), conjunction([negation(condition), as_formula(second)])])
    return z3.If(condition, first, second)


def _object(condition: Formula, first: Container, second: Container) -> Term | None:
    """The object that a choice between two lists, sets or maps is, or None unless both are objects of one sort."""
    if first.term is None or second.term is None or first.term.sort() != second.term.sort():
        return None
    return as_term(merged(condition, first.term, second.term))


def _applied(function: z3.FuncDeclRef, args: list[Term]) -> Term:
    """A function's value, with a choice among arguments as a choice among values: no choice may stand in a pattern, by
    which solvers find instances of a quantified formula."""
    for position, arg in enumerate(args):
        if z3.is_app_of(arg, z3.Z3_OP_ITE):
            first, second = ([*args[:position], arg.arg(side), *args[position + 1 :]] for side in (1, 2))
            return as_term(merged(as_formula(arg.arg(0)), _applied(function, first), _applied(function, second)))
    return as_term(function(args))


def quantified(term: Term) -> bool:
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
