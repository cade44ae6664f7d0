"""Of which alternatives of a union a value may be, by the conditions before it in the same expression."""

from __future__ import annotations

from quorate.language.types import Type
from quorate.model import nodes as ir
from quorate.model.conversion import alternatives
from quorate.model.nodes import Op

Classes = frozenset[tuple[ir.Expr, tuple[Type, ...], bool]]
"""Values that are of one of some types, or (false) of none of them."""
NOTHING: Classes = frozenset()


def learned(condition: ir.Expr, true: bool, known: Classes) -> Classes:
    """What is known once a condition is true, or false."""
    if condition.op is Op.NOT:
        return learned(condition.args[0], not true, known)
    if condition.op is (Op.AND if true else Op.OR):
        for part in condition.args:
            known = learned(part, true, known)
        return known
    return known | {(condition.args[0], condition.data, true)} if condition.op is Op.IS else known


def possible(value: ir.Expr, known: Classes) -> set[Type]:
    """The alternatives that a value may be of."""
    found = set(alternatives(value.type))
    for one, kinds, of_them in known:
        if one == value:
            found = found & set(kinds) if of_them else found - set(kinds)
    return found
