"""The types of the language, resolved: every size is a number.

A `Type` knows the values of one declared type: its zero, how to hold a value against it, a numbering of its values
(which is also their canonical order), how a renaming of identities acts on them, and their JSON form. Everything that
engines need to know about values is here, so that no engine looks at Python annotations.

The numbering, `encode`, goes through all of `range(cardinality)` and `decode` is its inverse: there are as many numbers as values, on
which every table, every range of numbers and every loop over them relies. Lists order by length, then element by element; sets with
a capacity and bags as sorted lists of their elements' codes; other sets as bit masks.
"""

from quorate.language.types.base import MASK_MAX, Bounded, Leaf, Renaming, Type
from quorate.language.types.collections import ListType, SetType
from quorate.language.types.leaves import (
    BoolType,
    EnumType,
    IdentityType,
    NatType,
    NoneType,
    OrderedType,
    ScalarsetType,
    WholeType,
)
from quorate.language.types.partial import PartialMapType
from quorate.language.types.structured import MapType, RecordType, TupleType, UnionType, is_record
from quorate.language.types.wires import BagType, ChannelsType, NetworkType, WireType

__all__ = [
    "MASK_MAX",
    "BagType",
    "BoolType",
    "Bounded",
    "ChannelsType",
    "EnumType",
    "IdentityType",
    "Leaf",
    "ListType",
    "MapType",
    "NatType",
    "NetworkType",
    "NoneType",
    "OrderedType",
    "PartialMapType",
    "RecordType",
    "Renaming",
    "ScalarsetType",
    "SetType",
    "TupleType",
    "Type",
    "UnionType",
    "WholeType",
    "WireType",
    "is_record",
]
