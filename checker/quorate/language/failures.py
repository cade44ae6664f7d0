"""Exceptions of a spec's code: whose they are, and where they come from."""

from __future__ import annotations

import dis
import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

from quorate.errors import Location, SpecError
from quorate.language.control import Cut
from quorate.language.loaded import lines_of


class Failure(SpecError):
    """The spec raised an exception: an error in the spec, not a verdict on the protocol."""


def where(error: BaseException, function: Callable[..., Any]) -> Location | None:
    """The innermost place in the file of the spec."""
    file = inspect.unwrap(function).__code__.co_filename
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if not frames:
        return None
    frame = frames[-1]
    text = linecache.getline(file, frame.lineno or 0).rstrip()
    column, end = frame.colno or 0, frame.end_colno or 0
    length = end - column if frame.end_lineno == frame.lineno and end > column else len(text) - column
    return Location(file, frame.lineno or 0, column, max(length, 1), text)


def place_of(word: str, function: Callable[..., Any]) -> Location | None:
    """Where a word stands for the first time in the source of a method, decorators included."""
    lines, first = lines_of(function) or ([], 0)
    for number, line in enumerate(lines, first):
        if word in line:
            return Location(function.__code__.co_filename, number, line.index(word), len(word), line.rstrip())
    return None


def is_of_spec(error: BaseException) -> bool:
    """Whether an exception from a spec's code was raised by it: a `KeyboardInterrupt` is the user's, unless a line raises it."""
    if not isinstance(error, KeyboardInterrupt):
        return True
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] == "RAISE_VARARGS"


def ending(call: Callable[[], Any]) -> Any:
    """How a call ends, so that two calls can be compared: with a value, cut by a bound, or in an error, of which there is one."""
    try:
        return call()
    except Cut as cut:
        return Cut, cut.bound
    except Exception:
        return Exception
