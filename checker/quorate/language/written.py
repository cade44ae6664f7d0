"""Python that is written by Quorate and not by an author: it has a source all the same, since the typed model reads sources."""

from __future__ import annotations

import linecache
from typing import Any

from quorate.language.loaded import lines_in


def keep_source(file: str, text: str) -> None:
    """Let `inspect` and tracebacks find the text of a file that is on no disk."""
    linecache.cache[file] = (len(text), None, lines_in(text), file)


def written(name: str, source: str, file: str, names: dict[str, Any]) -> Any:
    """The function of this name that a source defines, which sees these names."""
    keep_source(file, source)
    scope: dict[str, Any] = {}
    exec(compile(source, file, "exec"), names, scope)
    return scope[name]


def free_name(spec: type, name: str) -> str:
    """A name that a class has not, this one if it is free."""
    while hasattr(spec, name):
        name += "_"
    return name
