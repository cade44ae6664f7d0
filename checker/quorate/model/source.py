"""The source of a spec's methods: parsed, located, and with its global names resolved to Python objects."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.errors import Location, OutsideSubset, SpecError
from quorate.language.loaded import column_in, is_as_loaded, split, text_of, written_as

MISSING = object()

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Source:
    """A function's syntax tree, with the lines of its file. `owner` is the class that it is found in, for annotations."""

    function: Callable[..., Any]
    tree: ast.FunctionDef
    file: str
    lines: tuple[str, ...]
    owner: type | None = None

    @staticmethod
    def of(function: Callable[..., Any], owner: type | None = None) -> Source:
        """Parse a function. Raises OutsideSubset if its source is not available."""
        wrapped, name = function, getattr(function, "__qualname__", repr(function))
        try:
            function = inspect.unwrap(function)
        except ValueError:
            raise OutsideSubset(f"{name} is wrapped in itself.", "Write it without the decorator.") from None
        name = getattr(function, "__qualname__", repr(function))
        code = getattr(function, "__code__", None)
        text = "" if code is None else text_of(code)
        if code is None or not text:
            raise OutsideSubset(f"The source of {name} is not available.", "Define it in a file.")
        lines = split(text)
        line = lines[code.co_firstlineno - 1] if code.co_firstlineno <= len(lines) else ""
        place = Location(code.co_filename, code.co_firstlineno, 0, len(line), line)
        if not is_as_loaded(code):
            raise OutsideSubset(
                f"The text of {name} in {code.co_filename} is not what was loaded: the file has changed since.",
                "Load it again in a new process.",
                place,
            )
        tree = written_as(code)
        if tree is None:
            raise OutsideSubset(f"{name} is not defined with `def`.", "Write it as an ordinary function.", place)
        source = Source(function, tree, code.co_filename, lines, owner)
        if tree.args.posonlyargs:
            raise source.outside(
                tree.args.posonlyargs[0], "A parameter before `/` has no name for callers.", "Leave the `/` out."
            )
        if wrapped is not function:
            raise source.outside(
                tree,
                f"{name} is wrapped by a decorator, whose effect the model cannot see.",
                "Write it without the decorator.",
            )
        return source

    def location(self, node: ast.AST) -> Location:
        """Where a node stands in the file."""
        line = getattr(node, "lineno", 1)
        offset = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", offset + 1) if getattr(node, "end_lineno", line) == line else None
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        column = column_in(text, offset)
        length = (column_in(text, end) if end is not None else len(text)) - column
        return Location(self.file, line, column, max(length, 1), text)

    def error(self, node: ast.AST, message: str) -> SpecError:
        """The spec is wrong here."""
        return SpecError(message, self.location(node))

    def outside(self, node: ast.AST, found: str, instead: str) -> OutsideSubset:
        """This construct is legal Python that the typed model does not cover."""
        return OutsideSubset(found, instead, self.location(node))

    @cached_property
    def namespace(self) -> dict[str, Any]:
        """The names that the function sees beside its own, with the values that they have now."""
        function: Any = self.function
        names: dict[str, Any] = (
            dict(function.__builtins__) | function.__globals__
        )  # Those of its module, which may be others.
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # It has no value yet, and hides what others call so.
                names.pop(name, None)
        return names

    @property
    def written_in(self) -> Any:
        """The class that the function was written in, as `super()` finds it, or MISSING."""
        return self.resolve("__class__") if "__class__" in self.function.__code__.co_freevars else MISSING

    def resolve(self, name: str) -> Any:
        """The object a global name means, or MISSING."""
        return self.namespace.get(name, MISSING)

    @cached_property
    def stored(self) -> frozenset[str]:
        """The names that the function gives values to, which makes them its own even before it does."""
        found: set[str] = set()
        pending: list[ast.AST] = [*self.tree.body]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            if not isinstance(node, COMPREHENSIONS):
                pending.extend(ast.iter_child_nodes(node))
        return frozenset(found)

    @cached_property
    def comprehended(self) -> frozenset[ast.AST]:
        """What is evaluated inside of comprehensions, which are functions of their own to Python: all of them but what their first `for`
        ranges over."""
        found: set[ast.AST] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, COMPREHENSIONS):
                found |= set(ast.walk(node)) - set(ast.walk(node.generators[0].iter))
        return frozenset(found)

    @cached_property
    def body(self) -> list[ast.stmt]:
        """The statements after the docstring."""
        body = self.tree.body
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            return body[1:] or [ast.copy_location(ast.Pass(), first)]
        return body
