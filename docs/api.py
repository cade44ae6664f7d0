"""The reference of `docs/api.md`, from the source as it is: `python docs/api.py` writes it anew.

For each module with names for users: signatures as they are written, and docstrings. A class has its fields and its public methods;
names for data (`LEVELS`, `MODELS`) are left out.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).with_name("api.md")
HEAD = """# Reference

Names for users, by module, with their docstrings. `python docs/api.py` writes this page from the source;
[python-api.md](python-api.md) says how they are used, and [language.md](language.md) what a specification may contain.
"""
MODULES = {
    "quorate": ("check", "simulate", "judge"),
    "quorate.explore": (),
    "quorate.outcome": (),
    "quorate.trace": (),
    "quorate.errors": (),
    "quorate.consistency": (),
    "quorate.pytest_plugin": ("NotAsExpected", "verified"),
}
"""Modules, and the names in them besides those of `__all__`; without either, all classes and functions that they define."""

Definition = ast.ClassDef | ast.FunctionDef


def page() -> str:
    """The whole text."""
    return "\n".join([HEAD, *(line for module in MODULES for line in section(module))])


def section(name: str) -> Iterator[str]:
    """A module: what it is for, and its names."""
    module = import_module(name)
    yield f"## {name}\n"
    yield f"{inspect.getdoc(module)}\n".split("\n\n")[0].rstrip() + "\n"
    for each in names(name):
        value = getattr(module, each)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield from entry(each, definition(value))


def names(name: str) -> list[str]:
    """A module's names for users."""
    module = import_module(name)
    listed = [*getattr(module, "__all__", ()), *MODULES[name]]
    return sorted(listed or defined(name), key=str.lower)


def defined(name: str) -> Iterator[str]:
    """The public classes and functions that a module defines."""
    for each, value in vars(import_module(name)).items():
        own = getattr(value, "__module__", None) == name
        if own and not each.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
            yield each


def definition(value: type | object) -> Definition:
    """Where a class or function is defined, as syntax. The last of several definitions is what Python uses."""
    tree = ast.parse(inspect.getsource(sys.modules[value.__module__]))
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, Definition) and node.name == getattr(value, "__name__", None) and node in tree.body
    ]
    return found[-1]


def entry(name: str, node: Definition) -> Iterator[str]:
    """A class or a function under its name."""
    yield f"### {name}\n"
    yield f"```python\n{heading(node)}\n```\n"
    yield text(node)
    if isinstance(node, ast.ClassDef):
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and not member.name.startswith("_") and ast.get_docstring(member):
                yield f"**`{decorators(member, ' ')}{heading(member)}`**: {text(member)}"


def heading(node: Definition) -> str:
    """What is written before the body; of a class its fields, too."""
    if isinstance(node, ast.FunctionDef):
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"def {node.name}({ast.unparse(node.args)}){returned}"
    bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
    fields = [
        f"    {ast.unparse(line)}"
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and not line.target.id.startswith("_")
    ]
    first = f"class {node.name}({bases})" if bases else f"class {node.name}"
    return "\n".join([decorators(node, "\n") + first, *fields])


def decorators(node: Definition, end: str) -> str:
    """Its decorators, each followed by `end`."""
    return "".join(f"@{ast.unparse(each)}{end}" for each in node.decorator_list)


def text(node: Definition) -> str:
    """The docstring, as a paragraph or several."""
    return f"{ast.get_docstring(node) or ''}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
