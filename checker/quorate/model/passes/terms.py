"""What passes share: expressions of a model rewritten, and put in the place of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from itertools import count
from typing import Any

from quorate.language.types import RecordType
from quorate.model import nodes as ir
from quorate.model.facts import BOOL, bound_in, mapped
from quorate.model.nodes import Op
from quorate.model.rebuilding import NODES, rebuilt
from quorate.model.totality import is_total

Change = Callable[[ir.Expr], ir.Expr]
"""What one expression becomes."""


class Names:
    """Names of locals that no author can write, and no other part of the house: each pass has a letter of its own."""

    def __init__(self, letter: str) -> None:
        self._letter, self._numbers = letter, count(1)

    def new(self, stem: str) -> str:
        """A name that nothing has."""
        return f"1{self._letter}{next(self._numbers)}_{stem.lstrip('0123456789')}"

    def apart(self, node: ir.Expr) -> ir.Expr:
        """An expression whose comprehensions have variables of their own, so that it can stand anywhere, and more than once."""
        names = {name: self.new(name) for name in sorted(bound_in(node))}
        return mapped(node, lambda local: local, lambda name: names.get(name, name)) if names else node


def changed(node: Any, change: Change) -> Any:
    """A part of a model in which each expression is what `change` makes of it, inner ones first."""
    return rebuilt(node, lambda one: change(one) if isinstance(one, ir.Expr) else one)


def outermost(node: Any, change: Change) -> Any:
    """Statements in which each expression that stands in no other is what `change` makes of it."""
    if isinstance(node, ir.Expr):
        return change(node)
    if isinstance(node, tuple):
        return tuple(outermost(part, change) for part in node)
    if isinstance(node, NODES):
        return replace(node, **{one.name: outermost(getattr(node, one.name), change) for one in fields(node)})
    return node


def with_bodies(model: ir.Model, body: Callable[[tuple[ir.Stmt, ...]], tuple[ir.Stmt, ...]]) -> ir.Model:
    """The model with other bodies of its actions, properties and functions."""
    return replace(
        model,
        actions=tuple(replace(one, body=body(one.body)) for one in model.actions),
        properties=tuple(replace(one, body=body(one.body)) for one in model.properties),
        functions={key: replace(one, body=body(one.body)) for key, one in model.functions.items()},
    )


def with_values(node: ir.Expr, values: Mapping[str, ir.Expr], model: ir.Model) -> ir.Expr:
    """An expression with values in the place of its free locals. A field of a record that is made on the spot is what it is made of, and
    of which class a record is that is made an alternative of a union is known."""
    found: ir.Expr = changed(
        mapped(node, lambda local: values.get(local.data, local)), lambda one: _taken_apart(one, model)
    )
    return found


def _taken_apart(node: ir.Expr, model: ir.Model) -> ir.Expr:
    match node:
        case ir.Expr(op=Op.FIELD, args=(ir.Expr(op=Op.RECORD) as record,), data=name) if is_total(record, model):
            return record.args[[known for known, _ in record.type.fields].index(name)]  # type: ignore[attr-defined]
        case ir.Expr(op=Op.IS, args=(ir.Expr(op=Op.COERCE, args=(inner,)),), data=kinds) if is_total(inner, model):
            if isinstance(inner.type, RecordType):
                return ir.Expr(Op.CONST, BOOL, (), inner.type in kinds, node.location)
    return node


def is_path(node: ir.Expr) -> bool:
    """Whether an expression is a local name, a constant, a part of one, or made of such: what may be evaluated as often as one likes."""
    if node.op in (Op.FIELD, Op.COMPONENT, Op.COERCE, Op.NARROW, Op.RECORD, Op.TUPLE):
        return all(map(is_path, node.args))
    return node.op in (Op.LOCAL, Op.CONST)


def mentions(node: ir.Expr, name: str) -> bool:
    """Whether a local occurs in an expression."""
    return any(part.op is Op.LOCAL and part.data == name for part in node.walk())


def both(*conditions: ir.Expr) -> ir.Expr:
    """Conditions joined by `and`."""
    parts = [part for one in conditions for part in ir.conjuncts(one) if part.op is not Op.CONST or not part.data]
    if not parts:
        return conditions[0]
    return parts[0] if len(parts) == 1 else ir.Expr(Op.AND, BOOL, tuple(parts), None, parts[0].location)
