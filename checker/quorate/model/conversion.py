"""How types relate: the least common type of two, and the conversions that make a value fit where it is put.

There is no flow typing. Where `mypy` has narrowed a union, the model says so with a `NARROW`, which cannot fail in a
spec that type-checks and is an error in the spec otherwise. A computed number becomes a `Nat` through `FIT`, the only
place where a bound cuts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from quorate.errors import Location
from quorate.language.containers import FrozenList
from quorate.language.resolve import may_equal_another
from quorate.language.types import (
    BagType,
    BoolType,
    ChannelsType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    OrderedType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.integers import INT_MAX, INT_MIN, IntType
from quorate.model.nodes import Expr, Op
from quorate.model.ranges import ends, is_number, spanning

Complain = Callable[[str], Exception]

WireLike = NetworkType | BagType | ChannelsType
Container = SetType | ListType | MapType | WireLike


def alternatives(kind: Type) -> tuple[Type, ...]:
    """The alternatives of a union; another type is its own only one."""
    return kind.kinds if isinstance(kind, UnionType) else (kind,)


def same_class(first: Type, second: Type) -> bool:
    """Whether two types would be one alternative of a union."""
    if is_number(first) and is_number(second):
        return True
    if isinstance(first, TupleType) and isinstance(second, TupleType):
        return len(first.kinds) == len(second.kinds)
    if isinstance(first, RecordType) and isinstance(second, RecordType):
        return first.sort is second.sort
    if isinstance(first, ListType) and isinstance(second, ListType):
        return True
    return first == second


def join(first: Type, second: Type) -> Type | None:
    """The least type that has the values of both, or None."""
    if first == second:
        return first
    if is_number(first) and is_number(second):
        (low, high), (other_low, other_high) = ends(first), ends(second)
        return spanning(min(low, other_low), max(high, other_high))
    if isinstance(first, UnionType) or isinstance(second, UnionType) or NoneType() in (first, second):
        return _join_union(first, second)
    parts: list[Type | None]
    match first, second:
        case TupleType(kinds=kinds), TupleType(kinds=others) if len(kinds) == len(others):
            parts = [join(kind, other) for kind, other in zip(kinds, others, strict=True)]
            return TupleType(tuple(part for part in parts if part)) if all(parts) else None
        case SetType(element=element), SetType(element=other):
            part = join(element, other)
            return SetType(part, None, "") if part else None
        case ListType(element=element), ListType(element=other):
            part = join(element, other)
            return ListType(part, max(first.capacity, second.capacity), "") if part else None
        case MapType(key=key, value=value), MapType(key=other_key, value=other) if key == other_key and type(
            first
        ) is type(second):
            part = join(value, other)
            return replace(first, value=part) if part else None
    return None


def _join_union(first: Type, second: Type) -> Type | None:
    found: list[Type] = []
    for kind in (*alternatives(first), *alternatives(second)):
        if isinstance(kind, SetType | MapType | WireLike):
            return None
        for position, known in enumerate(found):
            if same_class(kind, known):
                joined = join(kind, known)
                if joined is None:
                    return None
                found[position] = joined
                break
        else:
            found.append(kind)
    if sum(map(_may_equal_another, found)) > 1:
        return None
    found.sort(key=lambda kind: not isinstance(kind, NoneType))
    return UnionType(tuple(found))


def _may_equal_another(kind: Type) -> bool:
    return is_number(kind) or may_equal_another(kind)


def mixed(first: Type, second: Type) -> bool:
    """Whether values of two types that have nothing in common here may be equal in Python all the same, such as 1 and True."""
    return any(map(_may_equal_another, alternatives(first))) and any(map(_may_equal_another, alternatives(second)))


def roomy(want: Type, have: Type) -> Type:
    """`want` with its numbers' ranges wide enough for `have`: names, parameters and results have no bounds, only what is stored has."""
    found: list[Type] = []
    for kind in alternatives(want):
        wider = [
            joined
            for other in alternatives(have)
            if same_class(kind, other) and (joined := join(kind, other)) is not None
        ]
        found.append(wider[0] if wider else kind)
    return UnionType(tuple(found)) if isinstance(want, UnionType) else found[0]


def widen(old: Type, new: Type) -> Type:
    """`new` with every number that grew since `old` set to "not known": makes the search for a local's type end."""
    if is_number(old) and is_number(new):
        (low, high), (new_low, new_high) = ends(old), ends(new)
        return spanning(low if new_low >= low else INT_MIN, high if new_high <= high else INT_MAX)
    match old, new:
        case TupleType(kinds=kinds), TupleType(kinds=others) if len(kinds) == len(others):
            return TupleType(tuple(widen(kind, other) for kind, other in zip(kinds, others, strict=True)))
        case SetType(element=element), SetType(element=other):
            return SetType(widen(element, other), None, "")
        case ListType(element=element), ListType(element=other, capacity=capacity):
            return ListType(widen(element, other), capacity, "")
        case MapType(value=value), MapType(value=other):
            return replace(new, value=widen(value, other))
        case UnionType(kinds=kinds), UnionType(kinds=others) if len(kinds) == len(others):
            return UnionType(tuple(widen(kind, other) for kind, other in zip(kinds, others, strict=True)))
    return new


def _fits_without_check(have: Type, want: Type) -> bool:
    """Whether every value of `have` is a value of `want`."""
    if have == want:
        return True
    if is_number(have) and is_number(want):
        (low, high), (want_low, want_high) = ends(have), ends(want)
        return want_low <= low and high <= want_high
    match have, want:
        case UnionType(), UnionType():
            return all(any(_fits_without_check(kind, other) for other in want.kinds) for kind in have.kinds)
        case _, UnionType():
            return any(_fits_without_check(have, other) for other in want.kinds)
        case TupleType(kinds=kinds), TupleType(kinds=others) if len(kinds) == len(others):
            return all(_fits_without_check(kind, other) for kind, other in zip(kinds, others, strict=True))
        case SetType(element=element), SetType(element=other):
            return want.capacity is None and _fits_without_check(element, other)
        case ListType(element=element), ListType(element=other):
            return have.capacity <= want.capacity and _fits_without_check(element, other)
        case MapType(key=key, value=value), MapType(key=other_key, value=other) if type(have) is type(want):
            return key == other_key and _fits_without_check(value, other)
    return False


def _could_fit(have: Type, want: Type) -> bool:
    """Whether a check at run time decides if a value of `have` is one of `want`."""
    if have == want or (is_number(have) and isinstance(want, NatType)) or _fits_without_check(have, want):
        return True
    match have, want:
        case UnionType(), UnionType():
            return all(any(_could_fit(kind, other) for other in want.kinds) for kind in have.kinds)
        case _, UnionType():
            return any(_could_fit(have, other) for other in want.kinds)
        case TupleType(kinds=kinds), TupleType(kinds=others) if len(kinds) == len(others):
            return all(_could_fit(kind, other) for kind, other in zip(kinds, others, strict=True))
        case SetType(element=element), SetType(element=other):
            return _could_fit(element, other)
        case ListType(element=element), ListType(element=other):
            return _could_fit(element, other)
        case MapType(key=key, value=value), MapType(key=other_key, value=other) if type(have) is type(want):
            return key == other_key and _could_fit(value, other)
    return False


def converts(value: Expr, want: Type) -> bool:
    """Whether a value becomes one of `want` in every state: `adapt` finds a conversion that never fails."""
    constant = value.op is Op.CONST and value.data is not None and _constant_of(value.data, want)
    return constant or _fits_without_check(value.type, want)


def cuts(adapted: Expr, value: Expr) -> bool:
    """Whether the conversion that `adapt` made of a value may be cut by a bound."""
    while adapted is not value and adapted.args:
        if adapted.op is Op.FIT:
            return True
        adapted = adapted.args[0]
    return False


def adapt(value: Expr, want: Type, complain: Complain, location: Location | None = None) -> Expr:
    """`value` as a value of `want`, with the conversion that this needs. Raises what `complain` gives if there is
    none.
    """
    have = value.type
    if have == want:
        return value
    location = location or value.location
    if (
        value.op is Op.CONST
        and value.data is not None
        and not isinstance(value.data, FrozenList)
        and _constant_of(value.data, want)
    ):
        return replace(value, type=want)
    if isinstance(want, UnionType) and not isinstance(have, UnionType):
        for kind in want.kinds:
            if kind != have and same_class(have, kind):
                return adapt(adapt(value, kind, complain, location), want, complain, location)
    if _fits_without_check(have, want):
        return Expr(Op.COERCE, want, (value,), None, location)
    if _could_fit(have, want):
        return Expr(Op.FIT, want, (value,), None, location)
    if isinstance(have, UnionType):
        return _narrowed(value, have, want, complain, location)
    raise complain(f"A value of type {have} stands where {want} is expected.")


def _narrowed(value: Expr, have: UnionType, want: Type, complain: Complain, location: Location | None) -> Expr:
    shared = [
        kind
        for kind in have.kinds
        if any(same_class(kind, other) or _could_fit(kind, other) for other in alternatives(want))
    ]
    if not shared:
        raise complain(f"A value of type {have} stands where {want} is expected.")
    smaller = shared[0] if len(shared) == 1 else UnionType(tuple(shared))
    return adapt(Expr(Op.NARROW, smaller, (value,), None, location), want, complain, location)


def _constant_of(value: Any, want: Type) -> bool:
    """Whether a constant is one of a simple type, so that no conversion is needed."""
    if isinstance(want, NatType | IntType):
        low, high = ends(want)
        return type(value) is int and low <= value <= high
    return isinstance(want, BoolType) and isinstance(value, bool)


def compatible(first: Type, second: Type) -> bool:
    """Whether values of two types can be compared as they are: equal types, up to the ranges of their numbers."""
    if first == second or (is_number(first) and is_number(second)):
        return True
    match first, second:
        case TupleType(kinds=kinds), TupleType(kinds=others) if len(kinds) == len(others):
            return all(compatible(kind, other) for kind, other in zip(kinds, others, strict=True))
        case SetType(element=element), SetType(element=other):
            return compatible(element, other)
        case ListType(element=element), ListType(element=other):
            return compatible(element, other)
    return False


def without_none(value: Expr) -> Expr:
    """The value of a union that has one alternative beside None as that alternative; other values unchanged."""
    if isinstance(value.type, UnionType):
        rest = [kind for kind in value.type.kinds if not isinstance(kind, NoneType)]
        if len(rest) == 1:
            return Expr(Op.NARROW, rest[0], (value,), None, value.location)
    return value


def extent(value: Expr) -> int:
    """The greatest number of elements that a set, list or network expression can have."""
    kind = value.type
    if isinstance(kind, ListType):
        return kind.capacity
    if isinstance(kind, SetType):
        return kind.element.cardinality if kind.capacity is None else kind.capacity
    if isinstance(kind, NetworkType):
        return kind.message.cardinality if kind.capacity is None else kind.capacity
    if isinstance(kind, BagType):
        return kind.capacity
    if isinstance(kind, ChannelsType):
        return kind.capacity * len(kind.pairs)
    raise TypeError(f"{kind} is not a collection")


def comparable(kind: Type) -> bool:
    """Whether `<` means something for a type."""
    if isinstance(kind, TupleType):
        return all(comparable(part) for part in kind.kinds)
    return is_number(kind) or isinstance(kind, OrderedType)


def element_type(kind: Type) -> Type | None:
    """What a collection holds."""
    if isinstance(kind, SetType | ListType):
        return kind.element
    return kind.message if isinstance(kind, WireLike) else None
