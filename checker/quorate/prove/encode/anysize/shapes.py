"""How values are taken apart into leaf cells, and put together.

Every type is taken apart into *shapes*: one for each choice of alternatives in its unions, with the leaf cells that
are left. A set of messages `Prepared(rm) | Verdict` is two predicates, one over a resource manager and one over a
verdict; nothing is left of the union, and there are no unused cells whose contents could differ.

A leaf is a bool, a member of an enum (a Z3 enumeration), a number (a mathematical integer) or an identity (an element
of an uninterpreted sort; of an `Ordered` sort, with a total order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import z3

from quorate.errors import Location
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NoneType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.integers import INT_MAX, INT_MIN, IntType
from quorate.model.ranges import is_number
from quorate.prove.encode.anysize.containers import Container, MapV, SeqV, SetV, Value, as_term
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.terms import Formula, Term, conjunction
from quorate.prove.encode.values import Union, alternatives_of, class_key, parts_of

NUMBER = IntType(INT_MIN, INT_MAX)

HELD = (ListType, SetType, MapType)
"""Containers that may be inside elements, messages and keys: there they are objects of the logic."""


@dataclass(frozen=True)
class Shape:
    """One choice of alternatives of a type: its leaf types, and the value that leaf terms make."""

    tag: str
    leaves: tuple[Type, ...]
    build: Callable[[list[Term]], Value]


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
    return Shape(
        _tagged(kind, shape.tag),
        shape.leaves,
        lambda terms: Union({class_key(kind): (z3.BoolVal(True), shape.build(terms))}),
    )


def _tagged(kind: Type, tag: str) -> str:
    """The name of an alternative in the shape that this tag names."""
    return f"{printable(kind)}({tag})" if tag else printable(kind)


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
                    yield conjunction([guard, condition]), _tagged(part, tag), terms
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
            return NUMBER
        case RecordType(fields=fields):
            return replace(kind, fields=tuple((name, unlimited(part)) for name, part in fields))
        case TupleType(kinds=kinds) | UnionType(kinds=kinds):
            return replace(kind, kinds=tuple(map(unlimited, kinds)))
        case MapType(value=value):
            return replace(kind, value=unlimited(value))
        case ListType(element=element):
            return replace(kind, element=unlimited(element))
    return kind


@lru_cache(maxsize=4096)
def printable(kind: Type) -> str:
    """The name of a type, which no other has, without "|", which no name in SMT-LIB may have."""
    numbers = [
        number_of(part.sort) for part in kind.walk() if isinstance(part, EnumType | IdentityType | NatType | RecordType)
    ]
    return str(kind).replace("|", "or") + ("~" + ".".join(map(str, numbers)) if any(numbers) else "")


def number_of(sort: type) -> int:
    """Which one a class is of those that have its name."""
    known = _NAMED.setdefault(sort.__name__, [])
    if sort not in known:
        known.append(sort)
    return known.index(sort)


_NAMED: dict[str, list[type]] = {}
