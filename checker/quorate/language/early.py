"""Where the files of a specification read one of its parameters while they are loaded: what they compute of it is that of the value that
its class gives, whatever a bound of its name asks for."""

from __future__ import annotations

import ast
import dis
import linecache
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain
from types import CodeType, FunctionType, MethodType
from typing import Any

from quorate.errors import Location
from quorate.language.declarations import SpecBase, authored, original
from quorate.language.known import UNKNOWN, attribute
from quorate.language.loaded import imported_by, importing, lines_of, tree_of
from quorate.language.places import class_in, file_of, located
from quorate.language.sorts import Reading


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


def is_kept(spec: type[SpecBase], reading: Reading) -> bool:
    """Whether a script gives what it has read there a name that a specification of it goes on to use: a script, or the cells of a notebook,
    may ask for much that is for its own ends."""
    files = {reading.file, *(file_of(base)[0] for base in authored(spec) if base.__module__ == reading.module)}
    needs: dict[str, set[str]] = {}
    kept = set[str]()
    for file in files:
        for node in _statements("".join(linecache.getlines(file))):
            given, read = _names_of(node)
            for name in given:
                needs.setdefault(name, set()).update(read)
            if file == reading.file and node.lineno <= reading.line <= (node.end_lineno or 0):
                kept = given  # The last one is the innermost.
    waiting = [base.__name__ for base in authored(spec)]
    used = set[str]()
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += needs.get(name, ())
    return not used.isdisjoint(kept)


def _statements(text: str) -> list[ast.stmt]:
    """The statements of a file that run as it is loaded, those inside others after these."""
    try:
        waiting: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in waiting:
        found += [node] if isinstance(node, ast.stmt) else []
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
    return found


def _names_of(node: ast.stmt) -> tuple[set[str], set[str]]:
    """The names of the file to which a statement gives something, and those that it reads, in what it defines, too."""
    try:
        whole = compile(ast.Module([node], []), "<statement>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # What stands in a loop alone, such as `break`.
        return set(), set()
    given, read, waiting = set[str](), set[str](), [whole]
    while waiting:
        code = waiting.pop()
        waiting += (one for one in code.co_consts if isinstance(one, CodeType))
        for step in dis.get_instructions(code):
            if step.opname == "STORE_GLOBAL" or (step.opname == "STORE_NAME" and code is whole):
                given.add(step.argval)
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                read.add(step.argval)
    return given, read


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
    modules = imported_by(own, libraries=False)  # These know no parameter by its name.
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

    def of_head(self, names: Mapping[str, Any], text: str) -> Iterator[ast.expr | ast.stmt]:
        """The places in a file where what runs as it is loaded asks, or calls what does."""
        return (node for node in _head(text) if self._asks(node, names, is_given=False))

    def _asks(self, node: ast.AST, names: Mapping[str, Any], is_given: bool) -> bool:
        match node:
            case ast.Attribute(value=value, attr=self._name):
                owner = _named(names, value)
                return self._is_asked(owner) or (owner is UNKNOWN and (is_given or self._mentions(names, value)))
            case ast.Call():
                return self._calls(node, names, is_given)
            case ast.ClassDef(name=name, decorator_list=decorators):
                gives = self._gives(names.get(name))
                called = [one.func if isinstance(one, ast.Call) else one for one in decorators]
                return any(self._follows(_named(names, one), gives) for one in called)
            case ast.For() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._goes_through(node, names)
        return False

    def _calls(self, node: ast.Call, names: Mapping[str, Any], is_given: bool) -> bool:
        called, passed = _named(names, node.func), [*node.args, *(keyword.value for keyword in node.keywords)]
        bound = called.__self__ if type(called) is MethodType else None  # To a class, if it is a class method.
        gives = is_given or self._gives(bound) or self._mentions(names, *passed)
        parts = [part for one in passed for part in ast.walk(one)]
        if gives and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            return any(isinstance(part, ast.Constant) and part.value == self._name for part in parts)
        written = [part for part in (node.func, *parts) if isinstance(part, ast.Lambda)]
        inside = [(part, _without(names, one)) for one in written for part in ast.walk(one.body)]
        return any(self._asks(part, others, gives) for part, others in inside) or any(
            self._follows(one, gives) for one in (called, *_all_named(names, *passed))
        )

    def _goes_through(self, node: ast.AST, names: Mapping[str, Any]) -> bool:
        """Whether a loop, or what is written in the place of one, goes through classes and asks them."""
        iterated = [one.iter for one in ast.walk(node) if isinstance(one, ast.For | ast.comprehension)]
        others = _without(names, node)
        return self._mentions(names, *iterated) and any(
            self._asks(part, others, is_given=True) for part in _at_once(node) if part is not node
        )

    def _mentions(self, names: Mapping[str, Any], *parts: ast.expr) -> bool:
        return any(map(self._gives, _all_named(names, *parts)))

    def _gives(self, value: Any) -> bool:
        """Whether it is such a class, or holds one."""
        held = chain(value, value.values()) if type(value) is dict else value if type(value) in HOLDING else (value,)
        return any(map(self._is_asked, held))

    def _is_asked(self, owner: Any) -> bool:
        """Whether it is a class that has the parameter where the specification, or a base of it, has it from."""
        bases = owner.__mro__ if issubclass(type(owner), type) else ()
        declares = next((base for base in bases if self._name in vars(base)), None)
        return any(base is declares for base in self._spec.__mro__)

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
        return any(self._asks(node, names, is_given) for node in ast.walk(tree))


MAKING = ("__new__", "__init__", "__post_init__")
"""The methods that run as an object is made."""
WRAPPING = (FunctionType, type(cache(int)))
HOLDING = (list, tuple, set, frozenset)
"""Beside maps, what holds classes to go through."""


def _without(names: Mapping[str, Any], node: ast.AST) -> Mapping[str, Any]:
    """Names, but for those that a loop, or a function in the place of an expression, has of its own."""
    stored = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    own = stored | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    return {name: value for name, value in names.items() if name not in own}


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
            case ast.If(test=test, orelse=rest) if ast.unparse(test) == "__name__ == '__main__'":
                waiting += rest  # What runs as a script makes nothing of the specification.
            case ast.AnnAssign(annotation=hint) if ast.unparse(hint).endswith("ClassVar[int]"):
                pass
            case _:
                waiting += ast.iter_child_nodes(node)


@lru_cache(maxsize=64)
def _head(text: str) -> tuple[ast.expr | ast.stmt, ...]:
    """What a file does as it is loaded."""
    try:
        return tuple(node for node in _at_once(ast.parse(text)) if isinstance(node, ast.expr | ast.stmt))
    except (SyntaxError, ValueError):
        return ()


def _all_named(names: Mapping[str, Any], *parts: ast.expr) -> Iterator[Any]:
    """What expressions name, and all that is in them."""
    return (_named(names, one) for part in parts for one in ast.walk(part) if isinstance(one, ast.expr))


def _named(names: Mapping[str, Any], node: ast.expr) -> Any:
    """What an expression names; UNKNOWN if it is more than names, or they name nothing plain."""
    if isinstance(node, ast.Name):
        return names.get(node.id, UNKNOWN)
    return attribute(_named(names, node.value), node.attr) if isinstance(node, ast.Attribute) else UNKNOWN
