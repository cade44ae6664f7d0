"""Which sorts of numbers end in the protocol itself, and not only in its exploration.

`require(self.crashes < Crashes.bound)` speaks of the largest number: with another one it says something else. Of such a sort
a map has to say where it ends; or that it does not (`OPEN`), if its largest number is only compared with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from quorate.explore.choices import definition_of, namespace_of
from quorate.language.declarations import SpecBase
from quorate.language.sorts import Int

SIZES = ("bound", "size")
ALL = ("enumerate", "frozenset", "len", "list", "max", "reversed", "set", "sorted", "sum", "tuple")
"""Of a whole sort, these say where it ends."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class Asked:
    """Where a size is asked for: by which method, and in which line. `is_limit` if the largest number is compared with, and no more, so
    that there may as well be none."""

    method: str
    place: str
    is_limit: bool


def is_limit(node: ast.Compare, part: ast.expr) -> bool:
    """Whether a comparison asks only whether something is before `part` or after it."""
    return len(node.ops) == 1 and isinstance(node.ops[0], ORDER) and part in (node.left, node.comparators[0])


def sized(spec: type[SpecBase]) -> dict[str, Asked]:
    """The sorts of numbers of which an action, or what it calls, asks for the size, and where. Properties may ask."""
    found: dict[str, Asked] = {}
    waiting = [function for name in dir(spec) if (function := _method(spec, name, "action", "init")) is not None]
    seen = set(waiting)
    while waiting:
        function = waiting.pop()
        definition = definition_of(function)
        if definition is None:
            continue
        for node in ast.walk(definition):
            called = _method(spec, node.attr, None) if isinstance(node, ast.Attribute) else None
            if called is not None and called not in seen:
                seen.add(called)
                waiting.append(called)
        scope = namespace_of(function)
        for node, limits in _asked(definition):
            sort = named(node, scope)
            if isinstance(sort, type) and issubclass(sort, Int):
                one = Asked(function.__name__, f"{function.__code__.co_filename}:{node.lineno}", limits)
                before = found.get(sort.__name__)
                found[sort.__name__] = one if before is None or (before.is_limit and not one.is_limit) else before
        for name in function.__code__.co_names:
            helper = scope.get(name)
            if isinstance(helper, FunctionType) and not helper.__module__.startswith("quorate.") and helper not in seen:
                seen.add(helper)
                waiting.append(helper)
    return found


def named(node: ast.expr, scope: dict[str, Any]) -> Any:
    """What a name, or an attribute of one, stands for; None for all else."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(named(node.value, scope), node.attr, None)
    return None


def _method(spec: type[SpecBase], name: str, *kinds: str | None) -> FunctionType | None:
    """A method of the specification that is declared so, or with None a helper."""
    function = getattr(spec, name, None)
    if not isinstance(function, FunctionType) or function.__module__.startswith("quorate."):
        return None
    declaration = getattr(function, "__quorate__", None)
    if declaration is None:  # An override of an action need not repeat the decorator.
        declaration = next(
            (
                found
                for base in spec.__mro__
                if (found := getattr(base.__dict__.get(name), "__quorate__", None)) is not None
            ),
            None,
        )
    return function if (None if declaration is None else declaration.kind) in kinds else None


def _asked(definition: ast.FunctionDef) -> Iterator[tuple[ast.expr, bool]]:
    """What is asked for its size, or for all of its members at once, and whether the largest number is only compared with."""
    limits = {
        id(part)
        for node in ast.walk(definition)
        if isinstance(node, ast.Compare)
        for part in (node.left, *node.comparators)
        if is_limit(node, part)
    }
    for node in ast.walk(definition):
        match node:
            case ast.Attribute(value=sort, attr=attribute) if attribute in SIZES:
                yield sort, attribute == "bound" and id(node) in limits
            case ast.Call(func=ast.Name(id=called), args=[ast.Name() | ast.Attribute() as sort]) if called in ALL:
                yield sort, False
            case ast.Call(func=ast.Attribute(value=sort, attr="members")) | ast.Subscript(value=sort):
                yield sort, False
