"""Which sorts of numbers end in the protocol itself, and not only in its exploration.

`require(self.crashes < Crashes.bound)` speaks of the largest number: with another one it says something else. Of such a sort
a map has to say where it ends.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from quorate.explore.choices import definition_of
from quorate.language.declarations import SpecBase
from quorate.language.sorts import Int

SIZES = ("bound", "size")


def sized(spec: type[SpecBase]) -> dict[str, str]:
    """The sorts of numbers of which an action, or what it calls, asks for the size, each with a function that does. Properties may
    ask."""
    found: dict[str, str] = {}
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
        for name in _asked(definition):
            sort = function.__globals__.get(name)
            if isinstance(sort, type) and issubclass(sort, Int):
                found.setdefault(sort.__name__, function.__name__)
        for name in function.__code__.co_names:
            helper = function.__globals__.get(name)
            if isinstance(helper, FunctionType) and helper.__module__ == function.__module__ and helper not in seen:
                seen.add(helper)
                waiting.append(helper)
    return found


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


def _asked(definition: ast.FunctionDef) -> Iterator[str]:
    """The names of which `.bound`, `.size` or `len()` is asked."""
    for node in ast.walk(definition):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in SIZES:
                yield name
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
                yield name
