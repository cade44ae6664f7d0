"""What a lemma can be about: its variables, which are for all values of their types.

They are of the sorts of the specification, and numbers. Where messages or elements of sets are too rich to be spelled
with those, because of what their fields are or of how many there are, they can be variables themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from quorate.language.types import (
    BagType,
    ChannelsType,
    IdentityType,
    MapType,
    NatType,
    NetworkType,
    RecordType,
    SetType,
    Type,
    UnionType,
)
from quorate.model.nodes import Model

VARIABLES_MAX = 3
"""Variables of a lemma whose atoms may look at the state in any way."""
PURE_VARIABLES_MAX = 4
"""Variables of a lemma whose atoms have nothing but variables as keys, elements and fields."""
RECORDS_MAX = 128
"""Values that a record may have at the bounds, to be a variable."""
SPELLED_MAX = 2
"""Records of so many fields are spelled."""


@dataclass(frozen=True)
class Name:
    """A variable of a lemma."""

    text: str
    type: Type


def contexts(model: Model, records: bool = False) -> list[tuple[Name, ...]]:
    """The choices of variables: of no sort, of one, of several, the small ones first. `records`: those with a record,
    instead of those with none; there may be no such choice."""
    sorts = quantifiable(model)
    if records:
        rich = _rich(model)
        return [named(kinds) for kind in rich for kinds in ((kind,), *((sort, kind) for sort in sorts))]
    found = []
    for size in range(PURE_VARIABLES_MAX + 1):
        for kinds in combinations_with_replacement(sorts, size):
            if all(kinds.count(kind) <= (1 if isinstance(kind, NatType) and size > 2 else 3) for kind in kinds):
                found.append(named(kinds))
    return found


def quantifiable(model: Model) -> list[Type]:
    """The types that variables may have: identities, and numbers that are keys, fields or parameters."""
    found: dict[str, Type] = {}
    parameters = [kind for action in model.actions for _, kind in action.parameters]
    parameters += [kind for prop in model.properties for _, kind in prop.parameters]
    for kind in parameters:
        if isinstance(kind, IdentityType | NatType):
            found[str(kind)] = kind
    for kind in [variable.type for variable in model.variables] + parameters:
        for part in kind.walk():
            inner = [part.key] if isinstance(part, MapType) else list(part.children()) if is_collection(part) else []
            for leaf in (leaf for one in inner for leaf in one.walk()):
                if isinstance(leaf, IdentityType | NatType):
                    found[str(leaf)] = leaf
            if isinstance(part, IdentityType):
                found[str(part)] = part
    return sorted(found.values(), key=lambda kind: (isinstance(kind, NatType), str(kind)))


def _rich(model: Model) -> list[Type]:
    """The records in sets and networks that variables cannot spell, if there are not too many of them."""
    found: dict[str, Type] = {}
    for part in (part for variable in model.variables for part in variable.type.walk() if is_collection(part)):
        for inner in part.children():
            for kind in inner.kinds if isinstance(inner, UnionType) else (inner,):
                if isinstance(kind, RecordType) and kind.cardinality <= RECORDS_MAX and not _spelled(kind):
                    found[str(kind)] = kind
    return list(found.values())


def _spelled(kind: RecordType) -> bool:
    return len(kind.kinds) <= SPELLED_MAX and all(isinstance(part, IdentityType | NatType) for part in kind.kinds)


def is_collection(kind: Type) -> bool:
    """Whether values of a type have members, which a lemma can ask for."""
    return isinstance(kind, SetType | NetworkType | BagType | ChannelsType)


def named(kinds: Sequence[Type]) -> tuple[Name, ...]:
    """Variables of these types, each called after its type: `s`, or `s1` and `s2` if there are several."""
    initials = [str(kind)[0].lower() for kind in kinds]
    names, used = [], dict[str, int]()
    for kind, initial in zip(kinds, initials, strict=True):
        same = [other for other, letter in zip(kinds, initials, strict=True) if letter == initial]
        used[initial] = used.get(initial, 0) + 1
        names.append(Name(initial if len(same) == 1 else f"{initial}{used[initial]}", kind))
    return tuple(names)
