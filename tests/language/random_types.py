"""Random types of the language, and random values of a type."""

from __future__ import annotations

from enum import Enum
from random import Random

from hypothesis import strategies as st
from quorate import Nat, Ordered, Scalarset, record
from quorate.language.resolve import record_type
from quorate.language.types import (
    BagType,
    BoolType,
    EnumType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    OrderedType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
)


class Node(Scalarset, size=3):
    pass


class Client(Scalarset, size=2):
    pass


class Rank(Ordered, size=3):
    pass


class Level(Nat, max=3):
    pass


class Color(Enum):
    RED = 1
    GREEN = 2


class Shade(Enum):
    """Has a name of the other one, and one of a member."""

    RED = 1
    n1 = 2


class Neighbour(Ordered, size=2, prefix="n"):
    """Called as nodes are."""


@record
class Note:
    source: Node
    target: Node
    level: Level


@record
class Ack:
    source: Node
    target: Node
    by: Client | None


NODE, CLIENT, RANK = ScalarsetType(Node, 3), ScalarsetType(Client, 2), OrderedType(Rank, 3)
NEIGHBOUR = OrderedType(Neighbour, 2)
LEAVES: list[Type] = [BoolType(), EnumType(Color), NatType(Level, 3), NODE, CLIENT, RANK]
NOTE, ACK = record_type(Note), record_type(Ack)
CARDINALITY_MAX = 5_000


@st.composite
def types(draw: st.DrawFn, depth: int = 3) -> Type:
    """A type that a variable may have, small enough for all of its values to be listed."""
    made = _any(Random(draw(st.integers(0, 2**32))), depth)
    return made if made.cardinality <= CARDINALITY_MAX else draw(types(depth=depth - 1))


def _any(random: Random, depth: int) -> Type:
    if depth <= 0:
        return random.choice([*LEAVES, NOTE])
    part = _any(random, depth - 1)
    makers = [
        lambda: random.choice([*LEAVES, NOTE, ACK]),
        lambda: TupleType((part, random.choice(LEAVES))),
        lambda: UnionType((NoneType(), random.choice([NODE, RANK, EnumType(Color)]), NOTE)),
        lambda: UnionType(tuple(random.sample([NODE, EnumType(Color), EnumType(Shade), NEIGHBOUR], 3))),
        lambda: MapType(random.choice([NODE, CLIENT, RANK, BoolType()]), part),
        lambda: ListType(part, random.choice([1, 2, 3]), "list"),
        lambda: SetType(random.choice([*LEAVES, TupleType((NODE, BoolType()))]), random.choice([None, 1, 2]), "set"),
        lambda: NetworkType(
            random.choice([NODE, NOTE, UnionType((NOTE, ACK))]), random.choice([1, 2]), "net", False, "net"
        ),
        lambda: BagType(random.choice([NODE, NOTE]), random.choice([1, 2]), "net", False, "net"),
    ]
    return random.choice(makers)()
