"""A file of source: where its nodes stand, and what it becomes when some are replaced. Lines keep their numbers."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quorate.language.loaded import column_in, lines_in


def text_of(file: str) -> str:
    """The text of a source file, in the encoding that it says, without a mark of byte order. Raises OSError, UnicodeDecodeError and
    SyntaxError."""
    return importlib.util.decode_source(Path(file).read_bytes())


@dataclass(frozen=True, order=True)
class Span:
    """A part of a file: lines from 1, columns from 0 in characters, the end excluded."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Edit:
    """A part of a file and what stands there instead."""

    span: Span
    text: str


@dataclass(frozen=True)
class Text:
    """The contents of a file."""

    contents: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, with their ends."""
        return lines_in(self.contents)

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.contents)

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Where a node stands. Python counts bytes, and a reader characters."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return Span(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno,
            self._column(node.end_lineno, node.end_col_offset),
        )

    def _column(self, line: int, offset: int) -> int:
        return column_in(self.lines[line - 1], offset)

    def at(self, span: Span) -> str:
        """What stands there, in one line."""
        lines = self.lines[span.line - 1 : span.end_line]
        lines[-1] = lines[-1][: span.end_column]
        lines[0] = lines[0][span.column :]
        return " ".join("".join(lines).split())

    def edited(self, edits: Iterable[Edit]) -> str:
        """The contents with parts replaced, of which none lies in another. Each keeps the number of its lines."""
        lines = list(self.lines)
        for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
            span, height = edit.span, edit.span.end_line - edit.span.line
            before, after = lines[span.line - 1][: span.column], lines[span.end_line - 1][span.end_column :]
            lines[span.line - 1 : span.end_line] = [
                f"{before}{_of_height(edit.text, height, span.end_column)}{after}",
                *[""] * height,
            ]
        return "".join(lines)


def _of_height(text: str, height: int, column: int) -> str:
    """A text that goes over some lines more, and ends where what it replaces did: inside its parentheses, where the line of an
    expression may end."""
    if not height:
        return text
    inside = len(text) - 1 if text.startswith("(") else len(text)
    end = text[inside:]
    return f"{text[:inside]}{chr(10) * height}{' ' * (column - len(end))}{end}"
