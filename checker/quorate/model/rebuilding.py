"""A part of a model with other nodes in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from quorate.model import nodes as ir

NODES = (
    ir.Expr,
    ir.For,
    ir.Where,
    ir.Place,
    ir.Assign,
    ir.Mutate,
    ir.Require,
    ir.Within,
    ir.Assert,
    ir.If,
    ir.Loop,
    ir.Scope,
    ir.Return,
    ir.Action,
    ir.Function,
)
"""Nodes with others inside."""
PARTS = {kind: tuple(one.name for one in fields(kind)) for kind in NODES}


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """A node, or a tuple of nodes, in which each node is what `change` makes of it, inner ones first; None in a tuple is left out.
    What does not change is given back as it is."""
    if isinstance(value, tuple):
        parts = tuple(new for part in value if (new := rebuilt(part, change)) is not None or part is None)
        return value if len(parts) == len(value) and all(map(_is, parts, value)) else parts
    changed: dict[str, Any] = {}
    parts_of = PARTS.get(type(value))
    if parts_of is None:
        return value
    for name in parts_of:
        old = getattr(value, name)
        if (type(old) in PARTS or isinstance(old, tuple)) and (new := rebuilt(old, change)) is not old:
            changed[name] = new
    return change(replace(value, **changed) if changed else value)


def _is(one: Any, other: Any) -> bool:
    return one is other
