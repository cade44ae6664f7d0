"""Where the files of a specification read one of its parameters while they are loaded: what they compute of it is that of the value that
its class gives, whatever a bound of its name asks for."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from types import CodeType, FunctionType, MethodType
from typing import Any

from quorate.errors import Location
from quorate.language.declarations import SpecBase, authored, original
from quorate.language.known import UNKNOWN, attribute
from quorate.language.loaded import imported_by, importing, lines_of, tree_of
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
    own = {base.__module__ for base in (*authored(spec), *authored(by))}
    modules = imported_by(own)
    asking = _Asking(spec, name, modules)
    for module in sorted(importing(own, modules)):  # No other one knows a class.
        file = getattr(sys.modules[module], "__file__", None) or ""
        lines = linecache.getlines(file)
        yield from (located(node, lines, file) for node in asking.of_head(vars(sys.modules[module]), "".join(lines)))


class _Asking:
    """Code that asks a class of a specification for a parameter of this name, in these modules."""

    def __init__(self, spec: type[SpecBase], name: str, modules: Collection[str]) -> None:
        self._spec, self._name, self._modules = spec, name, modules
        self._followed: set[tuple[CodeType, bool]] = set()

    def of_head(self, names: Mapping[str, Any], text: str) -> Iterator[ast.expr]:
        """The places in a file where what runs as it is loaded asks, or calls what does."""
        return (node for node in _head(text) if self._asks(node, names, is_given=False))

    def _asks(self, node: ast.expr, names: Mapping[str, Any], is_given: bool) -> bool:
        if isinstance(node, ast.Attribute):
            owner = _named(names, node.value)
            return node.attr == self._name and (self._is_asked(owner) or (is_given and owner is UNKNOWN))
        if not isinstance(node, ast.Call):
            return False
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        passed = [_named(names, part) for whole in parts for part in ast.walk(whole) if isinstance(part, ast.expr)]
        gives = is_given or any(map(self._is_asked, passed))
        return any(self._follows(called, gives) for called in (_named(names, node.func), *passed))

    def _is_asked(self, owner: Any) -> bool:
        return issubclass(type(owner), type) and issubclass(self._spec, owner) and owner is not object

    def _follows(self, called: Any, is_given: bool) -> bool:
        """Whether a function of these modules asks, or the making of an object, in what it calls, too. What is given a class may ask it
        under any name."""
        if issubclass(type(called), type):
            return any(self._follows(vars(called).get(method), is_given) for method in MAKING)
        while isinstance(called, staticmethod | classmethod | MethodType):
            called = called.__func__
        while type(called) in WRAPPING and "__wrapped__" in vars(called):
            called = vars(called)["__wrapped__"]
        if type(called) is not FunctionType or called.__module__ not in self._modules:
            return False
        code = called.__code__
        tree = None if (code, is_given) in self._followed else tree_of((lines_of(code) or ([""], 1))[0])
        self._followed.add((code, is_given))
        if tree is None:
            return False
        own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        names = {name: value for name, value in called.__globals__.items() if name not in own}
        return any(self._asks(node, names, is_given) for node in ast.walk(tree) if isinstance(node, ast.expr))


MAKING = ("__new__", "__init__", "__post_init__")
"""The methods that run as an object is made."""
WRAPPING = (FunctionType, type(cache(int)))


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
def _head(text: str) -> tuple[ast.expr, ...]:
    """The attributes that a file reads as it is loaded, and its calls."""
    try:
        return tuple(node for node in _at_once(ast.parse(text)) if isinstance(node, ast.Attribute | ast.Call))
    except (SyntaxError, ValueError):
        return ()


def _named(names: Mapping[str, Any], node: ast.expr) -> Any:
    """What an expression names; UNKNOWN if it is more than names, or they name nothing plain."""
    if isinstance(node, ast.Name):
        return names.get(node.id, UNKNOWN)
    return attribute(_named(names, node.value), node.attr) if isinstance(node, ast.Attribute) else UNKNOWN
