"""Lemmas as source text: a specification extended by methods as if an author had pasted them into its file."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Sequence
from itertools import count
from typing import Any

from quorate.language.declarations import original
from quorate.language.spec import Spec
from quorate.language.written import keep_source

FACADE = sys.modules["quorate"]
"""What authors import from. It is above this layer, and is looked at, not used."""

_numbers = count(1)


def namespace(spec: type[Spec]) -> dict[str, Any]:
    """The names that a method of a specification can use: those of the library, and those that the files of the class
    and of its bases have."""
    names: dict[str, Any] = {name: getattr(FACADE, name) for name in FACADE.__all__}
    for base in reversed(spec.__mro__):
        names |= _there(base)
    return names


def imports(spec: type[Spec], methods: Sequence[str]) -> tuple[str, ...]:
    """The import statements that the file of a specification needs, if these methods are pasted into it."""
    there, names = _there(original(spec)), namespace(spec)
    tree = ast.parse("class Lemmas:\n" + "\n".join(methods)) if methods else ast.Module([], [])
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found: dict[str, list[str]] = {}
    for name in sorted(used & names.keys()):
        if name not in there and not hasattr(builtins, name):
            source = FACADE.__name__ if name in FACADE.__all__ else names[name].__module__
            found.setdefault(source, []).append(name)
    return tuple(f"from {source} import {', '.join(missing)}" for source, missing in sorted(found.items()))


def extended(spec: type[Spec], methods: Sequence[str], omitted: Sequence[str] = ()) -> type[Spec]:
    """A subclass of a specification, at its bounds, with further methods and without some properties."""
    scope = namespace(spec) | {"__name__": spec.__module__}
    base, name = (
        word.ljust(1 + max(map(len, scope)), "_") for word in ("base", "extended")
    )  # Longer than any name there.
    head = f"class {name}({base}):\n    omits = (*{base}.omits, *{tuple(omitted)!r})\n\n"
    text = head + "\n".join(methods)
    file = f"<lemmas {next(_numbers)}>"
    keep_source(file, text)
    scope[base] = spec
    exec(compile(text, file, "exec", dont_inherit=True), scope)
    made: type[Spec] = scope[name]
    made.__name__ = made.__qualname__ = spec.__name__
    return made


def _there(spec: type[Spec]) -> dict[str, Any]:
    """The names that the class's own file has."""
    return {**vars(sys.modules.get(spec.__module__, FACADE)), **spec.__dict__.get("__quorate_namespace__", {})}
