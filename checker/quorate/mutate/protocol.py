"""What a protocol runs: its actions and @init, and the methods that they call; and which of those the properties read as well.

Only methods that stand in the file of the class are taken: what is inherited from elsewhere is explained there.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any

from quorate.kinds import CONSTRAINT, KINDS
from quorate.language.declarations import original
from quorate.language.loaded import as_compiled, is_as_loaded, private_prefix
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.mutate.text import Text, text_of

IN_MUTANT = "_in_mutant"
"""The end of the name of a method that a mutant has beside one that properties read."""


@dataclass(frozen=True)
class Written:
    """A method as it is written: `node` is its definition in the file, with the names that Python has compiled."""

    name: str
    function: FunctionType
    node: ast.FunctionDef

    @property
    def body(self) -> list[ast.stmt]:
        """The statements after the docstring."""
        return self.node.body[1:] if ast.get_docstring(self.node, clean=False) is not None else self.node.body

    @property
    def lines(self) -> tuple[int, int]:
        """Its first line, with decorators, and its last."""
        first = min([self.node.lineno, *(mark.lineno for mark in self.node.decorator_list)])
        return first, self.node.end_lineno or first

    @property
    def own(self) -> str:
        """What it calls the specification."""
        return [*self.node.args.posonlyargs, *self.node.args.args][0].arg

    @property
    def names(self) -> dict[str, Any]:
        """The global names that it sees."""
        return self.function.__globals__

    @cached_property
    def calls(self) -> frozenset[str]:
        """The names of what it takes from `self`."""
        return frozenset(
            part.attr
            for part in ast.walk(self.node)
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == self.own
        )


class Protocol:
    """The methods of a class that its runs go through."""

    def __init__(self, spec: type[Spec]) -> None:
        self.spec = spec
        self.system = System(spec)
        self.file = inspect.getsourcefile(original(spec)) or ""
        self.text = Text(text_of(self.file))
        self._definitions = {
            (node.name, min([node.lineno, *(mark.lineno for mark in node.decorator_list)])): node
            for node in ast.walk(self.text.tree)
            if isinstance(node, ast.FunctionDef)
        }

    def written(self, name: str) -> Written | None:
        """A method of the class, if it stands in its file."""
        function = inspect.getattr_static(self.spec, name, None)
        if not isinstance(function, FunctionType) or function.__code__.co_filename != self.file:
            return None
        node = self._definitions.get((function.__name__, function.__code__.co_firstlineno))
        if node is None or not is_as_loaded(function.__code__):
            return None
        return Written(name, function, as_compiled(node, private_prefix(function.__code__)))

    @property
    def extent(self) -> tuple[int, int]:
        """The first and the last line of the class."""
        lines, first = inspect.getsourcelines(original(self.spec))
        return first, first + len(lines) - 1

    @cached_property
    def methods(self) -> dict[str, Written]:
        """Those that actions and @init go through and that can be written anew, in the order of the file."""
        found = map(self.written, sorted(self._protocol))
        taken = [
            one for one in found if one is not None and "__class__" not in one.function.__code__.co_freevars
        ]  # What calls `super()` is left as it is.
        return {one.name: one for one in sorted(taken, key=lambda one: one.node.lineno)}

    @cached_property
    def judging(self) -> frozenset[str]:
        """The methods that properties and constraints may read, and conditions of fairness: of `self`, of the state before, through
        `super()`, wherever they are written."""
        fair = (action.declaration.fair_if for action in self.system.actions)
        roots = [method.name for method in self.system.of(*KINDS, CONSTRAINT)] + [name for name in fair if name]
        return frozenset(self._reached(roots, self._mentioned))

    def shared_above(self, name: str) -> frozenset[str] | None:
        """The methods on the way from actions to this one that properties read, it included; None if one of those that call them is
        not to be written anew."""
        callers = {other: self._calls(other) for other in self._protocol}
        above, pending = {name}, [name]
        while pending:
            called = pending.pop()
            fresh = {other for other, calls in callers.items() if called in calls} - above
            above |= fresh
            pending.extend(fresh)
        shared = frozenset(above & self.judging)
        writers = {other for other, calls in callers.items() if calls & shared}
        return shared if writers | shared <= self.methods.keys() or not shared else None

    @cached_property
    def _protocol(self) -> frozenset[str]:
        return frozenset(self._reached((method.name for method in self.system.of("init", "action")), self._calls))

    def _calls(self, name: str) -> frozenset[str]:
        """What a method takes from `self`, or may, if it stands elsewhere or calls `super()`."""
        written = self.written(name)
        if written is None or "__class__" in written.function.__code__.co_freevars:
            return self._mentioned(name)
        return written.calls

    def _mentioned(self, name: str) -> frozenset[str]:
        """All names in a method and in those that it overrides."""
        functions = (vars(base).get(name) for base in self.spec.__mro__)
        return frozenset(
            mentioned
            for function in functions
            if isinstance(function, FunctionType)
            for mentioned in _names(function.__code__)
        )

    def _reached(self, names: Iterable[str], calls: Callable[[str], Iterable[str]]) -> Iterator[str]:
        """These methods, and all that they call."""
        pending, seen = list(names), set[str]()
        while pending:
            name = pending.pop()
            if name in seen or not isinstance(inspect.getattr_static(self.spec, name, None), FunctionType):
                continue
            seen.add(name)
            yield name
            pending.extend(sorted(calls(name)))


def _names(code: CodeType) -> Iterator[str]:
    """The names of globals and attributes in a function, and in what is defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
