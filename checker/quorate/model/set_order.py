"""Whether what a method does depends on the order of a set.

Python goes through a set in the order of hashes, which for names is another one in each process. The typed model has no such order:
where it covers a specification, nothing depends on one. What the reference engine alone runs is run again with every plain set in
other orders, by exchanging the code of its functions for code that goes through sets so. Of a set of up to three elements these are
all orders, of a larger one all that begin with another element and go round, forwards and backwards: each of up to `FIRST_MAX`
elements comes first, and last, and before each other one.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType
from typing import Any

from quorate.language.loaded import definition_in

EACH, REST, FIRST, SECOND = slice(None), slice(1, None), slice(1), slice(1, 2)
IN_ORDER: dict[str, slice] = {
    **dict.fromkeys(("zip", "chain", "product", "zip_longest", "compress", "merge"), EACH),
    **dict.fromkeys(("map",), REST),
    **dict.fromkeys(
        ("list", "tuple", "iter", "enumerate", "min", "max", "sorted", "sum", "dict", "deque", "Counter"), FIRST
    ),
    **dict.fromkeys(
        ("OrderedDict", "UserList", "permutations", "combinations", "combinations_with_replacement"), FIRST
    ),
    **dict.fromkeys(("accumulate", "islice", "pairwise", "batched", "groupby", "cycle", "tee", "from_iterable"), FIRST),
    **dict.fromkeys(("extend", "extendleft", "fromkeys", "join", "__iadd__"), FIRST),
    **dict.fromkeys(("iadd", "iconcat"), SECOND),
    **dict.fromkeys(
        ("filter", "filterfalse", "reduce", "takewhile", "dropwhile", "starmap", "nsmallest", "nlargest"), SECOND
    ),
}
"""Functions, classes and methods of Python and of Quorate that go through arguments, and show in which order: through which ones, by
position."""
SHOWING = frozenset({"str", "repr", "ascii", "format"})
"""Functions and methods that write what they are given as a text."""
FIRST_MAX = 12
"""Of a larger set only so many elements come first."""


@dataclass
class _Order:
    """In which of their orders sets are gone through, and how many the largest of these sets has. Order 0 is Python's own."""

    number: int = 0
    count: int = 0


_ORDER = _Order()


def in_other_orders(functions: Iterable[FunctionType]) -> Callable[[], Iterator[AbstractContextManager[None]]]:
    """Contexts in which these functions, as far as their source is known, go through plain sets in other orders: as many as the sets have
    that are gone through in them."""
    twins = [(function, code) for function in functions if (code := _twin(function)) is not None]

    @contextmanager
    def entered(number: int) -> Iterator[None]:
        originals = [function.__code__ for function, _ in twins]
        before, _ORDER.number = _ORDER.number, number
        seen = [function.__globals__ for function, _ in twins]
        given = [names for names in seen if not HELPERS.keys() <= names.keys()]
        for names in given:
            names.update(HELPERS)
        for function, code in twins:
            function.__code__ = code
        try:
            yield
        finally:
            _ORDER.number = before
            for (function, _), original in zip(twins, originals, strict=True):
                function.__code__ = original
            for names in given:
                for name in HELPERS:
                    names.pop(name, None)

    def contexts() -> Iterator[AbstractContextManager[None]]:
        outside, _ORDER.count = _ORDER.count, 2  # What these functions call may be run again in the middle of this.
        number = 1
        while twins and number < _ORDER.count:
            yield entered(number)
            number += 1
        _ORDER.count = max(outside, _ORDER.count)

    return contexts


def _turned(value: Any) -> Any:
    """What to go through instead of a value: the elements of a plain set in another order."""
    if type(value) not in (set, frozenset) or len(value) < 2:
        return value
    elements = list(value)
    turns = min(len(elements), FIRST_MAX)
    count = turns if turns == 2 else 2 * turns
    _ORDER.count = max(_ORDER.count, count)
    backwards, turn = divmod(_ORDER.number % count, turns)
    first = turn * len(elements) // turns
    return [*elements[first:], *elements[:first]][:: -1 if backwards else 1]


def _unpacked(value: Any) -> Iterator[Any]:
    """The same where each element is taken apart."""
    return map(_turned, _turned(value))


def _popped(value: Any) -> Any:
    """`value.pop()`, of a plain set another element than the one that Python takes."""
    if type(value) is not set or not value:
        return value.pop()
    taken = _turned(value)[0]
    value.remove(taken)
    return taken


class _Shown:
    """What is written as a set is whose elements are in another order."""

    def __init__(self, value: Any) -> None:
        inside = f"{{{', '.join(map(repr, _turned(value)))}}}"
        self.text = inside if type(value) is set else f"frozenset({inside})"

    def __repr__(self) -> str:
        return self.text


def _shown(value: Any) -> Any:
    """What to write instead of a value; of a tuple, list or dict, instead of its parts."""
    if type(value) in (tuple, list):
        return type(value)(map(_shown, value))
    if type(value) is dict:
        return {_shown(key): _shown(one) for key, one in value.items()}
    return _Shown(value) if type(value) in (set, frozenset) and len(value) > 1 else value


def _called(function: Any) -> Any:
    """A function that is called, which goes through turned sets if it is one of `IN_ORDER`, or writes them."""
    name = _name_in_python(function)
    if name in SHOWING:
        return lambda *given, **named: function(
            *map(_shown, given), **{key: _shown(value) for key, value in named.items()}
        )
    if name not in IN_ORDER:
        return function
    turned = _unpacked if name == "from_iterable" else _turned

    def called(*given: Any, **named: Any) -> Any:
        through = slice(0) if name in ("min", "max") and len(given) > 1 else IN_ORDER[name]
        arguments = list(given)
        arguments[through] = map(turned, given[through])
        return function(*arguments, **{key: turned(one) if key == "iterable" else one for key, one in named.items()})

    return called


def _name_in_python(function: Any) -> str | None:
    """What a function, or the class that makes its instances, is called; None if it is the author's."""
    if issubclass(type(function), type):
        function = next(base for base in function.__mro__ if {"__new__", "__init__"} & vars(base).keys())
    elif type(function) not in FUNCTIONS:
        return None
    home = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
    top = str(home).partition(".")[0]
    return str(function.__name__) if top == "quorate" or top in sys.stdlib_module_names else None


FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, MethodWrapperType)
"""What has a name and a module that are its own."""


HELPERS: dict[str, Callable[[Any], Any]] = {
    f"@{one.__name__}": one for one in (_turned, _unpacked, _popped, _shown, _called)
}
"""By names, among those that the functions see, that no author can write."""


def _twin(function: FunctionType) -> CodeType | None:
    """The code of a function that goes through sets in another order; None if its source is not known, or goes through nothing."""
    code = function.__code__
    tree = definition_in(code)
    if tree is None:
        return None
    turning = _Turning()
    twin = turning.visit(copy.deepcopy(tree))
    if not turning.has_turned:
        return None
    twin.decorator_list = []
    if twin.name not in code.co_freevars:
        twin.name = "@twin"
    free: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None), lineno=1) for name in code.co_freevars
    ]
    no_parameters = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    outer = ast.FunctionDef("@outer", no_parameters, [*free, twin], [], lineno=1)
    module = ast.fix_missing_locations(ast.Module([outer], []))
    flags = code.co_flags & annotations.compiler_flag
    compiled = compile(module, code.co_filename, "exec", flags, dont_inherit=True)
    (found,) = (one for one in _codes(_codes_named(compiled, "@outer")) if one.co_name == twin.name)
    return found if found.co_freevars == code.co_freevars else None


def _codes(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _codes_named(code: CodeType, name: str) -> CodeType:
    (found,) = (one for one in _codes(code) if one.co_name == name)
    return found


def _takes_apart(target: ast.expr) -> bool:
    return isinstance(target, ast.Tuple | ast.List) or (
        isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice)
    )


class _Turning(ast.NodeTransformer):
    """Has what goes through a value go through `_turned` of it."""

    has_turned = False

    def _by(self, helper: Callable[[Any], Any], value: ast.expr) -> ast.expr:
        self.has_turned = True
        return ast.copy_location(ast.Call(ast.Name(f"@{helper.__name__}", ast.Load()), [value], []), value)

    def _looping(self, node: ast.For | ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._by(_unpacked if isinstance(node.target, ast.Tuple | ast.List) else _turned, node.iter)
        return node

    visit_For = visit_comprehension = _looping

    def _taking_apart(self, node: ast.Starred | ast.YieldFrom | ast.Assign | ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Starred(ctx=ast.Store()):
                pass
            case ast.Assign(targets=targets) if not any(map(_takes_apart, targets)):
                pass
            case ast.AugAssign(op=op) if type(op) is not ast.Add:  # With `+=` a list takes over the elements of a set.
                pass
            case _:
                node.value = self._by(_turned, node.value)
        return node

    visit_Starred = visit_YieldFrom = visit_Assign = visit_AugAssign = _taking_apart

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """Parts of f-strings."""
        self.generic_visit(node)
        node.value = self._by(_shown, node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`"%s" % x`."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod):
            node.right = self._by(_shown, node.right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Calls of what goes through its arguments."""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=value, attr="pop") if not node.args and not node.keywords:
                return self._by(_popped, value)
            case ast.Attribute(value=value, attr="__iter__") as method:
                method.value = self._by(_turned, value)
            case _:
                node.func = self._by(_called, node.func)
        return node
