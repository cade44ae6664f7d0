"""Values at fixed bounds: which of finitely many, under which condition.

A number, an enum member or an identity is a `Leaf`: for each Python value that it may be, the condition that it is.
So any operator is computed by Python itself on all combinations, and agrees with the interpreter without further
thought. Containers are taken apart into such cells: a map into its values by key, a set with few possible elements
into one condition for each, a bag into a number for each message, a list into a length and slots, and what has too many
possible elements into guarded slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from quorate.language.types import (
    Type,
)
from quorate.prove.encode import values
from quorate.prove.encode.fixed.circuit import TRUE
from quorate.prove.encode.values import Union

MASK_MAX = 4096
"""A set over at most this many possible elements has a condition for each of them."""

TALLY_MAX = 256
"""A bag of at most this many possible messages has a number for each of them."""

Part: TypeAlias = "Leaf | Table | Mask | Tally | Slots | Seq | Queues"

Value: TypeAlias = "values.Value[int, Part]"
"""A condition, cells, or what is made of them."""

Alternatives: TypeAlias = "Union[int, Part]"


class Leaf(dict[Any, int]):
    """A small value: each Python value that it may be, with its condition. They exclude each other."""


class Table(dict[Any, "Value"]):
    """A map: its symbolic value for each key."""


class Mask(dict[Any, int]):
    """A set or network: for each element that it may have, the condition that it does."""


class Tally(dict[Any, Leaf]):
    """A bag: how often it has each message; those that are not named it does not have."""

    def times(self, message: Any) -> Leaf:
        """How often it has a message."""
        return self.get(message, NONE)


NONE = Leaf({0: TRUE})


@dataclass(frozen=True)
class Slots:
    """A set, network or bag of guarded elements, with many possible ones. As a set, no element is there twice under one
    condition."""

    items: tuple[tuple[int, Value], ...]


@dataclass(frozen=True)
class Seq:
    """A list: its length, and its elements by position (of no meaning from the length on)."""

    length: Leaf
    items: tuple[Value, ...]


class Queues(dict[tuple[Any, Any], Seq]):
    """Channels: the queue of each pair."""


def as_condition(value: Value) -> int:
    """What is a bool by its type."""
    assert isinstance(value, int)
    return value


def as_leaf(value: Value) -> Leaf:
    """What is a number, an enum member or an identity by its type."""
    assert isinstance(value, Leaf)
    return value


def as_table(value: Value) -> Table:
    """What is a map by its type."""
    assert isinstance(value, Table)
    return value


def as_seq(value: Value) -> Seq:
    """What is a list by its type."""
    assert isinstance(value, Seq)
    return value


def as_mask(value: Value) -> Mask:
    """What is a set or network with few possible elements by its type."""
    assert isinstance(value, Mask)
    return value


def as_slots(value: Value) -> Slots:
    """What is a set, network or bag with too many possible elements for a mask or a tally."""
    assert isinstance(value, Slots)
    return value


def as_queues(value: Value) -> Queues:
    """What is `Channels` by its type."""
    assert isinstance(value, Queues)
    return value


def masked(element: Type) -> bool:
    """Whether sets over a type are masks."""
    return element.cardinality <= MASK_MAX


def tallied(message: Type) -> bool:
    """Whether bags of a type are tallies."""
    return message.cardinality <= TALLY_MAX
