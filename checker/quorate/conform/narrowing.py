"""Loops over all numbers that begin with a least one begin there.

`any(... for j in Index if j >= i)` asks of every number whether it is large enough. In an exploration there are a few; in a
log of a running program thousands, and each commit would look at all of them. So `for j in Index if j >= i` becomes `for j in
range(max(i, 0), Index.bound + 1)`, which yields the same numbers in the same order. It is done where it cannot change
anything: the sort is a `Nat`, the least number is a constant or a name, it is the first condition, and a loop statement sets
no names and leaves its number to nobody. Everything else stays as it is written.

Where a map says that a sort of numbers has no end, `self.crashes < Crashes.bound` becomes a comparison with a number that nothing
reaches.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

from quorate.conform.sizes import is_limit, named
from quorate.errors import UsageError
from quorate.explore.choices import namespace_of
from quorate.language.declarations import SpecBase
from quorate.language.loaded import definition_of
from quorate.language.sorts import Int, Nat
from quorate.language.spec import Spec, derived

S = TypeVar("S", bound=SpecBase)
BUILTINS = ("range", "max")


ENDLESS = 2**62
"""What nothing reaches."""


def narrowed(spec: type[S], endless: frozenset[str] = frozenset()) -> type[S]:
    """The same specification, with such loops, and without the limits of these sorts. Raises UsageError where a limit cannot be taken
    away."""
    found: dict[str, Any] = {}
    for base in spec.__mro__[:-1]:
        if base in (Spec, SpecBase):
            continue
        for name, function in base.__dict__.items():
            if name not in found and getattr(spec, name, None) is function and isinstance(function, FunctionType):
                changed = _narrowed_function(function, endless)
                if changed is not None:
                    found[name] = changed
    return cast(type[S], derived(cast(type[Spec], spec), **found)) if found else spec


def _narrowed_function(function: FunctionType, endless: frozenset[str]) -> FunctionType | None:
    """The function with narrowed loops and without limits; None if it has neither."""
    scope = function.__globals__
    definition = definition_of(function)
    if definition is None or definition.name != function.__name__:
        return None
    definition = deepcopy(definition)
    narrowing = _Narrowing(namespace_of(function), definition, endless)
    narrowing.visit(definition)
    if function.__code__.co_freevars:
        if narrowing.limits:
            raise UsageError(
                f"The limit in {function.__qualname__} cannot be taken away, since it is defined inside a function: let the map "
                "say a number."
            )
        return None
    if not narrowing.count and not narrowing.limits:
        return None
    definition.decorator_list = []
    module = ast.fix_missing_locations(ast.Module([definition], []))
    compiled = compile(module, function.__code__.co_filename, "exec", dont_inherit=True)
    code = next(each for each in compiled.co_consts if isinstance(each, CodeType) and each.co_name == function.__name__)
    made = FunctionType(code, scope, function.__name__, function.__defaults__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__annotations__ = function.__annotations__
    made.__doc__, made.__qualname__ = function.__doc__, function.__qualname__
    return made


class _Narrowing(ast.NodeTransformer):
    def __init__(self, scope: dict[str, Any], definition: ast.FunctionDef, endless: frozenset[str]) -> None:
        self.scope, self.definition, self.endless = scope, definition, endless
        self.count, self.limits = 0, 0
        nodes = list(ast.walk(definition))
        self.own = {node.arg for node in nodes if isinstance(node, ast.arg)}
        self.own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        self.generic_visit(node)
        if self._is_endless(node.left) and is_limit(node, node.left):
            node.left = self._without_limit(node.left)
        if self._is_endless(node.comparators[0]) and is_limit(node, node.comparators[0]):
            node.comparators[0] = self._without_limit(node.comparators[0])
        return node

    def _is_endless(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=value, attr="bound") if not self._is_own(value):
                sort = named(value, self.scope)
                return isinstance(sort, type) and issubclass(sort, Int) and sort.__name__ in self.endless
        return False

    def _is_own(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Name) and value.id in self.own

    def _without_limit(self, node: ast.expr) -> ast.expr:
        self.limits += 1
        return ast.copy_location(ast.Constant(ENDLESS), node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        if node.ifs:
            node.iter = self._from(node.iter, node.target, node.ifs[0])
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        match node.body:
            case [ast.If(test=condition, orelse=[])] if not node.orelse and self._is_alone(node):
                node.iter = self._from(node.iter, node.target, condition)
        return node

    def _is_alone(self, loop: ast.For) -> bool:
        """Whether the loop sets nothing but its number by assignment, and nobody else reads that number."""
        inside = [node for node in ast.walk(loop) if isinstance(node, ast.Name)]
        stored = [node for node in inside if isinstance(node.ctx, ast.Store) and node is not loop.target]
        target = loop.target.id if isinstance(loop.target, ast.Name) else ""
        everywhere = [node for node in ast.walk(self.definition) if isinstance(node, ast.Name) and node.id == target]
        return not stored and len(everywhere) == sum(node.id == target for node in inside)

    def _from(self, source: ast.expr, target: ast.expr, condition: ast.expr) -> ast.expr:
        """What to range over instead of a whole sort."""
        first = (
            condition.values[0]
            if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And)
            else condition
        )
        match source, target, first:
            case (
                ast.Name(id=sort),
                ast.Name(id=number),
                ast.Compare(left=ast.Name(id=compared), ops=[ast.GtE() | ast.Gt()], comparators=[least]),
            ) if compared == number and self._is_nat(sort) and self._is_fixed(least, number):
                self.count += 1
                made = ast.parse(f"range(max({ast.unparse(least)}, 0), {sort}.bound + 1)", mode="eval").body
                return ast.copy_location(made, source)
        return source

    def _is_nat(self, name: str) -> bool:
        """Whether a name is that of a sort of numbers, in a method that has no such name of its own, nor those that are put there."""
        others = any(name in self.scope for name in BUILTINS)
        value = None if others or self.own & {name, *BUILTINS} else self.scope.get(name)
        return isinstance(value, type) and issubclass(value, Nat)

    def _is_fixed(self, least: ast.expr, number: str) -> bool:
        """Whether this is a whole number that is the same in every round."""
        match least:
            case ast.Constant(value=value):
                return type(value) is int
            case ast.Name(id=name):
                return name != number and (name in self.own or type(self.scope.get(name)) is int)
        return False
