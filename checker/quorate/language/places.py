"""Where methods and classes stand in their files."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any

from quorate.errors import Location


def function_location(function: Callable[..., Any]) -> Location | None:
    """The line with a function's name; None if there is no such file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    return _named(code.co_filename, code.co_firstlineno, f"def {code.co_name}")


def class_location(cls: type) -> Location | None:
    """The line with a class's name; None if there is no such file."""
    try:
        file = inspect.getsourcefile(cls)
        _, line = inspect.getsourcelines(cls)
    except (OSError, TypeError):
        return None
    return None if file is None else _named(file, line, f"class {cls.__name__}")


def _named(file: str, first: int, head: str) -> Location | None:
    """The first line from `first` on that begins with `head`, behind decorators."""
    lines = linecache.getlines(file)
    for number, text in enumerate(lines[first - 1 :], first):
        column = len(text) - len(text.lstrip())
        if text[column:].startswith(head):
            name = head.split()[1]
            return Location(file, number, column + len(head) - len(name), len(name), text.rstrip())
    return None
