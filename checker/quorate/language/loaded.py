"""Whether what was loaded still stands in its file.

Much is read from the text of a specification: its typed model, choices for the parameters of its actions, places for errors. What runs is
what Python compiled when the file was loaded. In a notebook or a long session the file may have been edited since, and the one would be
made from another protocol than the other. So what means something is read only from a text that compiles to the code that runs.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import linecache
import os
import sys
import tokenize
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

REWRITTEN = "@pytest_ar"
"""A global name in functions whose `assert` statements pytest has made others of."""


def lines_in(text: str) -> list[str]:
    """The lines of a text with their ends, as Python counts them: a form feed, or what else `splitlines` knows, ends none."""
    return io.StringIO(text, newline=None).readlines()


@lru_cache(maxsize=64)
def split(text: str) -> tuple[str, ...]:
    """The lines of a text as a file gave it, without their ends."""
    return tuple(text.split("\n"))


def column_in(line: str, offset: int) -> int:
    """The column, in characters, of an offset of a syntax tree, which counts bytes."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))


def lines_of(written: type | Callable[..., Any] | CodeType) -> tuple[list[str], int] | None:
    """The lines in which a class or function is written, and the number of the first, as its file is now; None where it cannot be read."""
    try:
        return inspect.getsourcelines(written)
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return None


def tree_of(lines: list[str]) -> ast.stmt | None:
    """The syntax tree of the class or function in these lines: lines are counted from 1, columns are those of the file. None if they are
    something else, such as a part of an expression."""
    indented = lines[0][:1].isspace()  # Nothing is moved to the margin: text in quotes may stand there already.
    try:
        (found,) = ast.parse("".join(["if True:\n", *lines] if indented else lines)).body
    except (SyntaxError, ValueError):
        return None
    if indented and isinstance(found, ast.If):
        found = found.body[0]
        ast.increment_lineno(found, -1)
    return found


def text_of(code: CodeType) -> str:
    """The text of the file that a function is written in, as it is now; "" where it cannot be read."""
    linecache.checkcache(code.co_filename)
    return "".join(linecache.getlines(code.co_filename))


def is_installed(file: str) -> bool:
    """Whether a file is one of a package that was installed."""
    return not {"site-packages", "dist-packages"}.isdisjoint(file.split(os.sep))


def imported_by(names: Collection[str], libraries: bool = True) -> dict[str, frozenset[str]]:
    """Modules, and those that they import as their files are now, or have a name for, at any depth: what an author wrote of them, each with
    the names of those that it imports. Without `libraries`, none of a package that is installed and has none of these modules."""
    waiting, found = list(names), dict[str, frozenset[str]]()
    own = {name.partition(".")[0] for name in names}
    while waiting:
        name = waiting.pop()
        module, top = sys.modules.get(name), name.partition(".")[0]
        if name in found or module is None or top in ("quorate", *sys.stdlib_module_names):
            continue
        file = getattr(module, "__file__", None) or ""
        if not libraries and top not in own and is_installed(file):
            continue
        text = "".join(linecache.getlines(file))
        # A name may stand for a module that no statement here names: `import a.b` gives one to `a`.
        named = (one.__name__ for one in vars(module).values() if type(one) is ModuleType)
        found[name] = _imports(text, name, hasattr(module, "__path__")).union(named)
        waiting += found[name]
    return found


def importing(names: Iterable[str], modules: Mapping[str, Collection[str]]) -> set[str]:
    """Those of some modules, each with what it imports, that import one of these names at any depth, and these themselves."""
    found = modules.keys() & set(names)
    while more := {name for name in modules.keys() - found if not found.isdisjoint(modules[name])}:
        found |= more
    return found


@lru_cache(maxsize=1024)
def _imports(text: str, module: str, is_package: bool) -> frozenset[str]:
    try:
        return frozenset(imports(ast.parse(text), module, is_package))
    except (SyntaxError, ValueError):
        return frozenset()


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """The modules that a file may import: what it names, which may be names in a module."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                kept = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def is_as_loaded(code: CodeType) -> bool:
    """Whether the code of a function was compiled from the text of its file as it is now, as far as that can be read."""
    if REWRITTEN in code.co_names:
        return True
    return any(_means(code, other) for other in _compiled(text_of(code)).get((code.co_name, code.co_firstlineno), ()))


def definition_of(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """The syntax tree of a function, with the lines and columns of its file, and the names that Python has compiled; None where it cannot
    be read, is not what runs, or is not written with `def`. All who ask have the same tree: who wants another one changes a copy."""
    code = getattr(
        function, "__code__", None
    )  # Of a wrapper, its own: it may call what it wraps with other arguments, or not at all.
    return None if code is None else definition_in(code)


def definition_in(code: CodeType) -> ast.FunctionDef | None:
    """The same of a function's code."""
    return written_as(code) if is_as_loaded(code) else None


def written_as(code: CodeType) -> ast.FunctionDef | None:
    """The same, whether or not it is what runs."""
    return _written_as(text_of(code), code.co_name, code.co_firstlineno, private_prefix(code))


@lru_cache(maxsize=1024)
def _written_as(text: str, name: str, line: int, prefix: str) -> ast.FunctionDef | None:
    tree = _definitions(text).get((name, line))
    return tree if tree is None else as_compiled(tree, prefix)


def as_compiled(tree: ast.FunctionDef, prefix: str) -> ast.FunctionDef:
    """A function's tree with the names that Python has compiled: in a class `__x` is `_Class__x`. It is a copy if it has such names."""
    if not prefix or not any(map(_private_names, ast.walk(tree))):
        return tree
    tree = copy.deepcopy(tree)
    for node in ast.walk(tree):
        for field, name in _private_names(node):
            setattr(node, field, prefix + name)
    return tree


def private_prefix(code: CodeType) -> str:
    """What private names in a function begin with: the class that it is written in; "" if that is none."""
    outer = code.co_qualname.split(".")[:-1]
    while outer and outer[-1] == "<locals>":
        outer = outer[:-2]
    named = outer[-1].lstrip("_") if outer else ""
    return f"_{named}" if named else ""


def _private_names(node: ast.AST) -> list[tuple[str, str]]:
    """The names in a node that are private to a class, each with its field: of variables, attributes and parameters. Keywords are
    not."""
    if isinstance(node, ast.keyword):
        return []
    names = [(field, getattr(node, field, None)) for field in ("id", "attr", "arg")]
    return [
        (field, name)
        for field, name in names
        if isinstance(name, str) and name.startswith("__") and not name.endswith("__")
    ]


@lru_cache(maxsize=64)
def _definitions(text: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """The functions in a text, by name and first line, which is that of the first decorator if there are some."""
    found: dict[tuple[str, int], ast.FunctionDef] = {}
    try:
        with warnings.catch_warnings(action="ignore"):
            pending: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):
        return found
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef):
            found[node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])] = node
        pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
    return found


@lru_cache(maxsize=64)
def _compiled(text: str) -> dict[tuple[str, int], list[CodeType]]:
    """The code of all functions in a text, by name and first line."""
    found: dict[tuple[str, int], list[CodeType]] = {}
    try:
        with warnings.catch_warnings(action="ignore"):  # They were given when the file was loaded.
            pending = [compile(text, "<text>", "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return found
    while pending:
        code = pending.pop()
        found.setdefault((code.co_name, code.co_firstlineno), []).append(code)
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


def _means(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same, wherever they stand."""
    parts = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_kwonlyargcount")
    return (
        all(getattr(one, part) == getattr(other, part) for part in parts)
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_is_same_constant, one.co_consts, other.co_consts))
    )


def _is_same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType):
        return isinstance(other, CodeType) and _means(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is_same_constant, one, other))
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return type(one) is type(other) and repr(one) == repr(other)
