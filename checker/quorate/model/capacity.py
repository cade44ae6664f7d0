"""How much room a transition needs: what it may add to the sets and networks that have a capacity.

Transitions that add to the same set commute, unless a capacity cuts whichever comes second. So orders are only left out where
there is room for both.
"""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from quorate.language.types import ChannelsType, NetworkType, SetType, Type
from quorate.language.types.base import Bounded
from quorate.model import nodes as ir
from quorate.model.nodes import Change


def may_overflow(kind: Type) -> bool:
    """Whether adding to a set or network of this type may be cut."""
    bounded = isinstance(kind, SetType | NetworkType) and kind.capacity is not None
    return bounded and kind.capacity < kind.children()[0].cardinality  # type: ignore[attr-defined]


def additions(body: tuple[ir.Stmt, ...]) -> Counter[str]:
    """How many elements a body may add to each variable that is a set or network with a capacity."""
    found: Counter[str] = Counter()
    for statement in body:
        match statement:
            case ir.Mutate(change=change, target=target):
                own = target.state and not target.selectors
                if own and change in (Change.ADD, Change.SEND) and may_overflow(target.type):
                    found[target.root] += 1
            case ir.If(then=then, otherwise=otherwise):
                found += additions(then) | additions(otherwise)
            case ir.Loop(source=source, body=inner):
                rounds = _length_max(source.type)
                found += Counter({name: rounds * count for name, count in additions(inner).items()})
            case ir.Scope(body=inner):
                found += additions(inner)
            case ir.Assign() | ir.Require() | ir.Within() | ir.Assert() | ir.Return() | ir.Continue() | ir.Break():
                pass
            case _:
                assert_never(statement)
    return found


def _length_max(kind: Type) -> int:
    if isinstance(kind, ChannelsType):
        return kind.capacity * len(kind.pairs)
    assert isinstance(kind, Bounded)
    return kind.children()[0].cardinality if kind.capacity is None else kind.capacity
