"""Where the files of a specification read one of its parameters while they are loaded: what they compute of it is that of the value that
its class gives, whatever a bound of its name asks for."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any

from quorate.errors import Location
from quorate.language.declarations import SpecBase, authored, original
from quorate.language.known import UNKNOWN, attribute
from quorate.language.loaded import imported_by
from quorate.language.places import class_in, file_of, located


def read_early(spec: type[SpecBase], name: str, asked: int, by: type[SpecBase]) -> tuple[Location, Any] | None:
    """Where the files of a specification, `by`, or of one that it refines, first read a parameter so that `spec` has, and the value that
    it had, if that is another one than is asked for."""
    for base in authored(spec):
        given = _given(base, name) if original(base) is base else None  # `bounded` makes classes that have it, too.
        if given is not None:
            value = given.value if isinstance(given, ast.Constant) else vars(base)[name]
            place = None if value == asked else next(_readings(spec, base, name, by), None)
            return None if place is None else (place, value)
    return None


def _given(cls: type, name: str) -> ast.expr | None:
    """What the body of a class gives a name, if its source is available."""
    for one in _body(cls):
        if isinstance(one, ast.Assign | ast.AnnAssign):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return one.value
    return None


def _body(cls: type) -> list[ast.stmt]:
    _, _, tree = class_in(cls, file_of(cls)[1]) or ([], 0, None)
    return tree.body if isinstance(tree, ast.ClassDef) else []


def _readings(spec: type[SpecBase], declares: type, name: str, by: type[SpecBase]) -> Iterator[Location]:
    """The places, in the body of the class that declares it and wherever a module asks a class for it."""
    file, text = file_of(declares)
    lines, first, _ = class_in(declares, text) or ([], 1, None)
    for one in _body(declares):
        outer = [*one.decorator_list, *one.bases, *one.keywords] if isinstance(one, ast.ClassDef) else [one]
        for node in _at_once(*outer):  # The body of a class inside has names of its own.
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                yield located(node, lines, file, first)
    for module in map(sys.modules.get, sorted(imported_by({base.__module__ for base in authored(by)}))):
        assert module is not None
        file = getattr(module, "__file__", None) or ""
        lines = linecache.getlines(file)
        for node in _attributes("".join(lines)):
            owner = _named(module, node.value)
            if node.attr == name and issubclass(type(owner), type) and issubclass(spec, owner):
                yield located(node, lines, file)


def _at_once(*trees: ast.AST) -> Iterator[ast.AST]:
    """What runs where it stands, but for the values of parameters, which verdicts name. What is in a function waits until it is called."""
    waiting = list(trees)
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case ast.Lambda(args=args):
                waiting += [*args.defaults, *filter(None, args.kw_defaults)]
            case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
                waiting += [args, *node.decorator_list, *filter(None, [node.returns])]
            case ast.AnnAssign(annotation=hint) if ast.unparse(hint).endswith("ClassVar[int]"):
                pass
            case _:
                waiting += ast.iter_child_nodes(node)


@lru_cache(maxsize=64)
def _attributes(text: str) -> tuple[ast.Attribute, ...]:
    """The attributes that a file reads as it is loaded."""
    try:
        return tuple(node for node in _at_once(ast.parse(text)) if isinstance(node, ast.Attribute))
    except (SyntaxError, ValueError):
        return ()


def _named(module: ModuleType, node: ast.expr) -> Any:
    """What an expression names in a module; UNKNOWN if it is more than names, or they name nothing plain."""
    if isinstance(node, ast.Name):
        return vars(module).get(node.id, UNKNOWN)
    return attribute(_named(module, node.value), node.attr) if isinstance(node, ast.Attribute) else UNKNOWN
