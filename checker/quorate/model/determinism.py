"""What a spec outside the compiled subset may not do, though CPython would run it.

A transition is a function of the state and the arguments. Inside the compiled subset nothing else can be said; a spec that only the
reference engine runs could ask for chance or time, or remember something outside its variables, and a search would then find
sometimes this and sometimes that. Here such lines are refused, and what nobody can see in the source is found by running every
method again (`System.again`): as it is, and with sets in other orders.
"""

from __future__ import annotations

import ast
import builtins
import gc
import inspect
import operator
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from enum import Enum
from functools import cache, cached_property, partial, partialmethod
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from quorate.errors import OutsideSubset, SpecError
from quorate.language.declarations import SpecBase, authored
from quorate.language.known import KEEPING, home, kept, parameters
from quorate.language.loaded import imports
from quorate.language.places import definition
from quorate.language.sorts import SortMeta
from quorate.language.system import Again, System
from quorate.language.types import is_record
from quorate.model.build import build
from quorate.model.set_order import in_other_orders
from quorate.model.source import MISSING, Source

TEXTS = ("__name__", "__qualname__", "__doc__")
"""What classes have that is a text, and leads no further."""
UNSETTLED = frozenset(
    {"random", "_random", "time", "os", "posix", "nt", "secrets", "uuid", "_uuid", "datetime", "_datetime", "socket"}
    | {"_socket", "subprocess", "threading", "_thread", "multiprocessing", "asyncio", "tempfile", "numpy.random"}
)
"""Modules whose functions give another result each time."""
UNSETTLED_BUILTINS = frozenset(
    vars(builtins)[name] for name in ("input", "open", "id", "hash", "globals", "exec", "eval")
)
CHANGING = frozenset(
    {
        "append",
        "add",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "setdefault",
        "sort",
        "reverse",
    }
    | {"update", "appendleft", "popleft", "subtract", "send", "__setitem__", "__delitem__"}
)
"""Methods that change what they are called on."""
CHANGERS = (next, setattr, delattr, operator.setitem, operator.delitem)
"""Functions that change their first argument."""
OUTSIDE = (
    "something outside the state, such as chance, time, or what was called before. A spec remembers in its variables only, and chance is "
    "a parameter of the action."
)
SET_ORDER = (
    "the order in which Python goes through a set, which may be another one in each process. Go through `sorted(...)`, or let a parameter "
    "of the action say which element is meant."
)
REMEMBER = "A spec remembers in its variables only: declare one, or make it a parameter."


def vouch(system: System, running: System | None = None) -> None:
    """See to it that every method depends on the state and its arguments alone: the typed model says so; where there is none, what can be
    seen in the source is refused, and every method will run again, in the system that is `running` if it is another one with the same
    methods. Call it inside the system's configuration. Raises SpecError."""
    try:
        build(system)
    except SpecError:
        if system.auxiliary:  # That nothing depends on these, the model alone can say.
            raise
        for one, _ in _reached(running or system):
            if type(one) is CACHED:
                CACHED.cache_clear(one)  # It may have been asked at other bounds.
        functions = dict(functions_of(running or system))
        for function, owner in functions.items():
            _Inspection(function, owner, system).run()
        (running or system).again = (
            Again(OUTSIDE, lambda: iter((nullcontext(),))),
            Again(SET_ORDER, in_other_orders(functions)),
        )
        if system.abstract is not None:
            vouch(system.abstract, None if running is None else running.abstract)


def functions_of(system: System) -> Iterator[tuple[FunctionType, type | None]]:
    """The methods of a spec, and the functions of its author that they name, or that are kept in what they name, at any depth."""
    return ((one, owner) for one, owner in _reached(system) if type(one) is FunctionType)


def _reached(system: System) -> Iterator[tuple[Any, type | None]]:
    """These functions, and what remembers their results."""
    pending: list[tuple[Any, type | None]] = [
        (one, cls)
        for cls in system.spec.__mro__
        if issubclass(cls, SpecBase) and not home(cls).startswith("quorate.")
        for one in _members(cls)
    ]
    seen: dict[int, Any] = {}
    while pending:
        one, owner = pending.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        if type(one) is cached_property:
            raise SpecError(
                f"{one.attrname} is cached, and would go on to be what it was at other bounds: make it a plain property.",
                definition(one.func),
            )
        if type(one) is FunctionType:
            if _is_of_author(one):
                yield one, owner
                pending += [(part, None) for part in (*_named_in(one), *kept(one))]
        elif issubclass(type(one), type):
            if _is_of_author(one):
                pending += [(part, one) for part in _members(one)]
        elif type(one) in HOLDING:
            if type(one) is CACHED:
                yield one, owner
            pending += [(part, owner) for part in gc.get_referents(one)]
        elif not issubclass(type(one), ModuleType) and _is_of_author(type(one)):  # Without asking the object.
            pending += [(part, None) for part in gc.get_referents(one)]


CACHED = type(cache(len))
"""What `functools.cache` makes of a function."""
HOLDING = (
    *(*KEEPING, MappingProxyType, MethodType, staticmethod, classmethod, property),
    *(partial, partialmethod, CACHED, OrderedDict, defaultdict, deque),
)
"""Classes of Python's of what keeps objects, and does nothing with them but what it is asked to."""


def _members(cls: type) -> list[Any]:
    """What stands in a class, but for what the language has put there."""
    return [one for name, one in vars(cls).items() if not name.startswith("__quorate_")]


def _is_of_author(one: FunctionType | type) -> bool:
    top = home(one).partition(".")[0]
    return top != "quorate" and top not in sys.stdlib_module_names


def _named_in(function: FunctionType) -> Iterator[Any]:
    """What the names in a function, and in the functions and comprehensions inside of it, may mean: of modules, also what they have under
    such a name."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # It has no value yet.
            names[name] = cell.cell_contents
    codes = [function.__code__]
    for code in codes:
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    used = {name for code in codes for name in (*code.co_names, *code.co_freevars)}
    found = [names[name] for name in sorted(used & names.keys())]
    modules = [one for one in found if issubclass(type(one), ModuleType)]
    yield from found
    yield from (vars(module)[name] for module in modules for name in sorted(used & vars(module).keys()))


MAKING = ("__init__", "__new__", "__post_init__")
"""The methods that make an object, which is nobody else's yet."""


class _Inspection:
    """Looks through one function. Raises SpecError at the first line that cannot stand."""

    def __init__(self, function: FunctionType, owner: type | None, system: System) -> None:
        self.function, self.owner, self.system = function, owner, system

    def run(self) -> None:
        """Look at every line; a function without a source is left to be run again."""
        try:
            self.source = Source.of(self.function, self.owner)
        except OutsideSubset:
            return
        arguments = {part.arg for part in ast.walk(self.source.tree) if isinstance(part, ast.arg)}
        stored = {
            part.id
            for part in ast.walk(self.source.tree)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        self.kept = {
            part.name: part.default for part in parameters(self.function) if part.default is not part.empty
        }  # What an argument is that is not given lives on, too.
        self.own = (arguments - self.kept.keys()) | stored
        self.living = self._living()
        for node in ast.walk(self.source.tree):
            self._look(node)
        asked = [part for part in ast.walk(self.source.tree) if isinstance(part, ast.Attribute)]
        looked_through = [
            part for part in asked if part.attr == "mro" or (part.attr.startswith("__") and part.attr not in TEXTS)
        ]
        plain = {id(part.value) for part in asked if part not in looked_through}
        for node in looked_through:  # Any class behind may be what is found.
            for base in authored(self.system.spec):
                self._placed(node, self.system.require_none_asked, base)
        for node in (part for statement in self.source.tree.body for part in ast.walk(statement)):
            if isinstance(node, ast.Name) and id(node) not in plain:
                self._placed(node, self.system.require_none_asked, self._named(node))
            if isinstance(node, ast.Name | ast.Attribute):
                self._placed(node, self.system.require_own_sort, self._named(node))

    def _living(self) -> str | None:
        """What a method of a class calls the object that it is asked of, where that is one of the author's that may live on."""
        owner, named = self.owner, parameters(self.function)
        if owner is None or not named or self.function.__name__ in MAKING:
            return None
        is_known = issubclass(owner, SpecBase | Enum) or type(owner) is SortMeta or is_record(owner)
        return None if is_known else named[0].name

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Global() | ast.Nonlocal():
                raise self.source.error(node, f"This line makes {', '.join(node.names)} remember something. {REMEMBER}")
            case ast.Import() | ast.ImportFrom():
                self._check_import(node)
            case ast.Expr(
                value=ast.Compare() | ast.BoolOp() | ast.BinOp() | ast.UnaryOp() | ast.Name() | ast.Attribute()
            ):
                raise self.source.error(
                    node,
                    "This line does nothing: write `require(...)` for a guard, assign the value to a name, or remove it.",
                )
            case ast.Call(func=ast.Attribute(value=whole, attr=name)) if name in CHANGING and self._is_outside(whole):
                raise self.source.error(
                    node, f"This changes {ast.unparse(whole)}, which is no variable of the spec. {REMEMBER}"
                )
            case ast.AugAssign(target=ast.Name(id=name)) if type(self.kept.get(name)).__hash__ is None:
                raise self.source.error(node, f"This changes {name}, which is no variable of the spec. {REMEMBER}")
            case ast.Call(func=called):
                self._check_call(node, self._named(called))
            case ast.Attribute(value=whole, attr=name, ctx=ast.Load()):
                self._placed(node, self.system.require_asked, self._class_named(whole), name)
            case ast.Subscript(value=whole) | ast.Attribute(value=whole) if not isinstance(node.ctx, ast.Load):
                if self._is_outside(whole) or isinstance(whole, ast.Call):
                    raise self.source.error(
                        node, f"This changes {ast.unparse(whole)}, which is no variable of the spec. {REMEMBER}"
                    )

    def _placed(self, node: ast.expr, check: Callable[..., None], *given: Any) -> None:
        try:
            check(*given)
        except SpecError as error:
            raise self.source.error(node, error.message) from None

    def _check_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Raises SpecError if this would load a module of an author's in the middle of a search, with the sizes that are in force then."""
        names = self.function.__globals__
        for name in imports(node, str(names.get("__name__")), "__path__" in names):
            module, _, last = name.rpartition(".")
            is_there = name in sys.modules or hasattr(sys.modules.get(module), last)
            if not is_there and name.partition(".")[0] not in ("quorate", *sys.stdlib_module_names):
                raise self.source.error(
                    node,
                    f"{name} would be loaded here, in a search, and go on to mean the sizes of these bounds: import it at the head of the "
                    f"file.",
                )

    def _check_call(self, node: ast.Call, called: Any) -> None:
        if called is MISSING:
            return
        home = getattr(called, "__module__", None) or type(getattr(called, "__self__", None)).__module__
        if home in UNSETTLED or (inspect.isbuiltin(called) and called in UNSETTLED_BUILTINS):
            raise self.source.error(
                node,
                f"{ast.unparse(node.func)}() gives another result each time, and a transition depends on the state and its "
                f"arguments alone. Chance is a parameter of the action, time a variable.",
            )
        if any(called is one for one in CHANGERS) and node.args and self._is_outside(node.args[0]):
            raise self.source.error(node, f"This changes {ast.unparse(node.args[0])}. {REMEMBER}")

    def _named(self, node: ast.expr) -> Any:
        """The object that an expression names without looking at what the function is given, or MISSING."""
        if isinstance(node, ast.Name):
            return MISSING if node.id in self.own else self.kept.get(node.id, self.source.resolve(node.id))
        if isinstance(node, ast.Attribute):
            base = self._named(node.value)
            return MISSING if base is MISSING else _attribute(base, node.attr)
        return MISSING

    def _class_named(self, node: ast.expr) -> Any:
        """The same; of `super()`, the class whose attributes it finds first."""
        match node:
            case ast.Call(func=ast.Name(id="super"), args=[]) if self.owner is not None:
                return self.owner.__mro__[1]
        return self._named(node)

    def _is_outside(self, node: ast.expr) -> bool:
        """Whether an expression is an object that lives on when the function has returned, and is no module."""
        root = node
        while isinstance(root, ast.Subscript | ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id == self.living:
            return True
        while isinstance(node, ast.Subscript):
            node = node.value
        named = self._named(node)
        return named is not MISSING and not isinstance(named, ModuleType)


def _attribute(of: Any, name: str) -> Any:
    """What an attribute is now, or MISSING: an author's object may fail where it is asked."""
    try:
        return getattr(of, name, MISSING)
    except Exception:
        return MISSING
