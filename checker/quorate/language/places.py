"""Where methods, classes and what they declare stand in their files: for errors that are found before anything runs."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import tokenize
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from quorate.errors import Location, SpecError
from quorate.language.loaded import column_in, lines_of, tree_of


def function_location(function: Callable[..., Any]) -> Location | None:
    """The line with a function's name; None if there is no such file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    return _named(code.co_filename, code.co_firstlineno, f"def {code.co_name}")


def full_name(function: Callable[..., Any]) -> str:
    """A function's name with its file's and its class's, `raft.Raft.one_leader`: the same however the file was loaded."""
    plain = inspect.unwrap(function)
    file, _ = os.path.splitext(os.path.basename(plain.__code__.co_filename))
    return f"{file}.{plain.__qualname__}"


def class_location(cls: type) -> Location | None:
    """The line with a class's name; None if there is no such file."""
    try:
        file = inspect.getsourcefile(cls)
        _, index = inspect.findsource(cls)
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return None
    return None if file is None else _named(file, index + 1, f"class {cls.__name__}")


def _named(file: str, first: int, head: str) -> Location | None:
    """The first line from `first` on that begins with `head`, behind decorators."""
    lines = linecache.getlines(file)
    for number, text in enumerate(lines[first - 1 :], first):
        column = len(text) - len(text.lstrip())
        if text[column:].startswith(head):
            name = head.split()[1]
            return Location(file, number, column + len(head) - len(name), len(name), text.rstrip())
    return None


def declaration(cls: type, name: str) -> Location | None:
    """Where a class or a base of it declares a variable, if its source is available."""
    for base in cls.__mro__:
        file, text = file_of(base)
        found = class_in(base, text)
        if found is None:
            continue
        lines, first, tree = found
        for node in tree.body if isinstance(tree, ast.ClassDef) else ():
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                text = lines[node.lineno - 1].rstrip("\n")
                column = len(text) - len(text.lstrip())
                return Location(file, first + node.lineno - 1, column, len(text) - column, text)
    return None


def file_of(cls: type) -> tuple[str, str]:
    """The file that a class is written in, and its text as it is now; "" where it cannot be read."""
    try:
        file = inspect.getsourcefile(cls) or "<unknown>"
    except (OSError, TypeError):
        return "<unknown>", ""
    linecache.checkcache(file)
    return file, "".join(linecache.getlines(file))


@lru_cache(maxsize=64)
def class_in(cls: type, text: str) -> tuple[list[str], int, ast.stmt | None] | None:
    """The lines of a class, the number of the first, and their tree, as long as its file has this text: Python reads all of it for that."""
    del text
    found = lines_of(cls)
    return None if found is None else (*found, tree_of(found[0]))


def located(node: ast.expr | ast.stmt, lines: Sequence[str], file: str, first: int = 1) -> Location:
    """The place of an expression or statement in lines of a file, of which one is the `first`."""
    text = lines[node.lineno - 1].rstrip("\n")
    column = column_in(text, node.col_offset)
    end = column_in(text, node.end_col_offset or 0) if node.end_lineno == node.lineno else len(text)
    return Location(file, first + node.lineno - 1, column, max(end - column, 1), text)


def definition(function: Callable[..., Any], argument: str | None = None) -> Location | None:
    """Where a function, or one of its arguments, is defined, if its source is available."""
    found = lines_of(function)
    if found is None:
        return None
    (lines, first), file = found, inspect.getsourcefile(function) or "<unknown>"
    tree = tree_of(lines)
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    arguments = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
    node = next((part for part in arguments if part.arg == argument), None)
    line = (tree if node is None else node).lineno
    text = lines[line - 1].rstrip("\n")
    indent = len(text) - len(text.lstrip())
    column = indent if node is None else column_in(text, node.col_offset)
    end = len(text) if node is None or node.end_col_offset is None else column_in(text, node.end_col_offset)
    return Location(file, first + line - 1, column, max(end - column, 1), text)


def placed(error: SpecError, location: Location | None) -> SpecError:
    """The error at a place, if it has none of its own."""
    return error if error.location is not None or location is None else SpecError(error.message, location)
