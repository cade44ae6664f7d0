"""How it may end to hold a value against a type, as far as types tell: with an error, or cut by some bounds."""

from __future__ import annotations

from quorate.language.types import ListType, MapType, NatType, SetType, TupleType, Type
from quorate.language.types.base import Bounded
from quorate.model.conversion import alternatives, same_class
from quorate.model.ranges import ends, is_number

End = frozenset[str]
"""Ways in which something may end: an error, and the names of what may cut it."""

NONE: End = frozenset()
ERROR: End = frozenset({"an error"})


def fitting(have: Type, want: Type) -> End:
    """How a value of one type may fail to be of another."""
    if isinstance(want, NatType) and is_number(have):
        (low, high), (least, most) = ends(have), ends(want)
        below = (frozenset({want.bound}) if want.cuts_below else ERROR) if low < least else NONE
        return below | ({want.bound} if high > most else NONE)
    match have, want:
        case TupleType(kinds=kinds), TupleType(kinds=others):
            return NONE.union(*(fitting(kind, other) for kind, other in zip(kinds, others, strict=True)))
        case SetType(element=element), SetType(element=other):
            return fitting(element, other) | room(want)
        case ListType(element=element), ListType(element=other):
            return fitting(element, other) | (room(want) if have.capacity > want.capacity else NONE)
        case MapType(value=value), MapType(value=other):
            return fitting(value, other)
    if have == want:
        return NONE
    found = NONE
    for kind in alternatives(have):
        same = [other for other in alternatives(want) if same_class(kind, other)]
        found |= ERROR if not same else fitting(kind, same[0]) if (kind, same[0]) != (have, want) else NONE
    return found


def room(kind: Type) -> End:
    """How it may end to add one element more."""
    return frozenset({kind.bound}) if isinstance(kind, Bounded) and kind.capacity is not None else NONE
