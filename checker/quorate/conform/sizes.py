"""Which sorts of numbers end in the protocol itself, and not only in its exploration.

`require(self.crashes < Crashes.bound)` speaks of the largest number: with another one it says something else. Of such a sort
a map has to say where it ends; or that it does not (`OPEN`), if its largest number is only compared with, by methods of the
specification: a function of the module, and a method that another one overrides and calls, run as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeGuard

from quorate.explore.choices import namespace_of
from quorate.language.declarations import SpecBase
from quorate.language.loaded import definition_of
from quorate.language.sorts import Int

SIZES = ("bound", "size")
ALL = ("enumerate", "frozenset", "len", "list", "max", "reversed", "set", "sorted", "sum", "tuple")
"""Of a whole sort, these say where it ends."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True)
class Asked:
    """Where a size is asked for: by which method, and in which line. `is_limit` if the largest number is compared with, and no more, by
    a method that may run without it (`narrowing`)."""

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
        scope = namespace_of(function)
        for node in ast.walk(definition):
            for called in _called(spec, node, scope) if isinstance(node, ast.Attribute) else ():
                if called not in seen:
                    seen.add(called)
                    waiting.append(called)
        is_own = getattr(spec, function.__name__, None) is function
        for node, limits in _asked(definition):
            sort = named(node, scope)
            if isinstance(sort, type) and issubclass(sort, Int):
                one = Asked(function.__name__, f"{function.__code__.co_filename}:{node.lineno}", limits and is_own)
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


def _called(spec: type[SpecBase], node: ast.Attribute, scope: dict[str, Any]) -> Iterator[FunctionType]:
    """The methods that `self.m`, `super().m` or `Base.m` may be."""
    above = isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    owner = named(node.value, scope)
    if above:
        yield from (one for base in spec.__mro__ if _is_written(one := base.__dict__.get(node.attr)))
    elif isinstance(owner, type) and issubclass(owner, SpecBase):
        yield from filter(_is_written, [getattr(owner, node.attr, None)])
    elif (called := _method(spec, node.attr, None)) is not None:
        yield called


def _is_written(function: Any) -> TypeGuard[FunctionType]:
    """Whether this is a function that the specification's author wrote."""
    return isinstance(function, FunctionType) and not function.__module__.startswith("quorate.")


def _method(spec: type[SpecBase], name: str, *kinds: str | None) -> FunctionType | None:
    """A method of the specification that is declared so, or with None a helper."""
    function = getattr(spec, name, None)
    if not _is_written(function):
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
            case (
                ast.Call(func=ast.Attribute(value=sort, attr="members"))
                | ast.Subscript(value=sort)
                | ast.Starred(value=sort)
            ):
                yield sort, False
            case ast.Compare(ops=[*_, ast.In() | ast.NotIn()], comparators=[*_, ast.Name() | ast.Attribute() as sort]):
                yield sort, False  # Whether a number is one.
            case ast.Assign(value=ast.Name() | ast.Attribute() as sort) | ast.NamedExpr(value=ast.Name() as sort):
                yield sort, False  # By another name.
