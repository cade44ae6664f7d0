"""Values of unbounded size: a map is a function, a set a predicate, a list a length and a function. And the choice between
two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import z3

from quorate.language.types import (
    Type,
)
from quorate.prove.encode import values
from quorate.prove.encode.anysize.terms import Formula, Number, Term, conjunction, disjunction, negation
from quorate.prove.encode.values import ABSENT, Union

Part: TypeAlias = "Term | MapV | SetV | BagV | SeqV"
Value: TypeAlias = "values.Value[Formula, Part]"
"""A term, a container, or what is made of them."""
Alternatives: TypeAlias = "Union[Formula, Part]"
Container: TypeAlias = "MapV | SetV | SeqV"
"""What may be an object of the logic."""


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
