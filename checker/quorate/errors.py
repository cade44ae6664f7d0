"""The errors a user can meet, under one base class.

A user's mistake is always a `QuorateError`: one paragraph that says what was found, where, and what to
do. The command line prints it without a traceback and exits with 2. Anything else that escapes is a bug
of ours and keeps its traceback.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from math import log10


def printable(text: str) -> str:
    """A text for people that cannot steer their terminal: control characters and lone surrogates are shown as such; lines and
    tabs stay."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
        else character
        for character in text
    )


class QuorateError(Exception):
    """Base of every error that a user can cause. `str(error)` is the whole message."""


@dataclass(frozen=True)
class Location:
    """A place in a spec's source: `line` counts from 1, `column` from 0, `length` in characters."""

    file: str
    line: int
    column: int
    length: int = 1
    text: str = ""

    def excerpt(self) -> str:
        """`file:line:column`, the source line, and carets under the offending part."""
        head = f"{self.file}:{self.line}:{self.column + 1}"
        if not self.text:
            return head
        indent = len(self.text) - len(self.text.lstrip())
        carets = " " * max(self.column - indent, 0) + "^" * max(self.length, 1)
        return f"{head}\n    {self.text.strip()}\n    {carets}"


class SpecError(QuorateError):
    """A spec is wrong: a bad declaration, a value of the wrong type, an exception in an action."""

    def __init__(self, message: str, location: Location | None = None) -> None:
        self.message, self.location = message, location
        super().__init__(f"{location.excerpt()}\n{message}" if location else message)


class OutsideSubset(SpecError):
    """A spec uses Python that the typed model does not cover; the reference engine still runs it."""

    HINT = "`--engine reference` still runs this spec."

    def __init__(self, found: str, instead: str, location: Location | None = None) -> None:
        self.found, self.instead = found, instead
        super().__init__(f"{found} {instead} {self.HINT}", location)


class UsageError(QuorateError):
    """A name, flag, bound or file given to Quorate is not one it can use."""


class TraceError(QuorateError):
    """A stored trace cannot be read, or does not fit its spec."""


def counted(number: int) -> str:
    """A count in words of a message: one with many digits by their number, since Python refuses to write thousands of them."""
    return f"{number:,}" if number < 10**18 else f"more than 10^{int((number.bit_length() - 1) * log10(2)):,}"


def unknown(kind: str, name: str, known: Iterable[str], error: type[QuorateError] = UsageError) -> QuorateError:
    """An error for a name that does not exist, listing those that do, nearest first."""
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1)  # In `bounds` anything may stand.
    guess = f" Did you mean {near[0]!r}?" if near else ""
    listing = ", ".join(names) if names else "none"
    return error(f"There is no {kind} {name!r}.{guess} Known: {listing}.")
