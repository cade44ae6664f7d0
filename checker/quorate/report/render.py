"""Graphviz source to a picture on disk: SVG, PNG, PDF, or the source itself.

No `dot` program is needed: the wheel of pygraphviz carries the Graphviz libraries. They are loaded on first use.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from html import escape, unescape
from io import StringIO
from pathlib import Path

from quorate.errors import QuorateError, UsageError
from quorate.files import write_whole
from quorate.report.palette import DARK

SUFFIXES = (".svg", ".png", ".pdf", ".dot")
LAYOUTS = ("dot", "neato", "fdp", "sfdp", "twopi", "circo")

PNG_DPI = 144
"""Twice the resolution of SVG's 72 points an inch: sharp on a projector, and a readable size in a document."""


def render(source: str, path: Path, layout: str = "dot") -> None:
    """Draw Graphviz `source` into `path`, in the format that its suffix names: `.svg .png .pdf .dot`.

    `layout` places the nodes unless the source itself names a layout. A reader of `path` never sees half a picture. The
    same source gives the same SVG, byte for byte, on one machine. Raises `UsageError` for another suffix, an unknown
    layout, or a directory that cannot be written, and `QuorateError` if the Graphviz libraries cannot be loaded.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        found = f"The suffix {path.suffix!r} of {path}" if path.suffix else f"{path} has no suffix, which"
        verb = "is not a picture format" if path.suffix else "would name the format"
        raise UsageError(f"{found} {verb}. Use one of {', '.join(SUFFIXES)}.")
    if layout not in LAYOUTS:
        raise UsageError(f"There is no layout {layout!r}. Known: {', '.join(LAYOUTS)}.")
    picture = source.encode("utf-8") if suffix == ".dot" else _draw(source, suffix[1:], layout)
    write(path, picture)


def svg(source: str, layout: str = "dot") -> str:
    """The SVG text of Graphviz `source`, to be put into a page."""
    return _draw(source, "svg", layout).decode("utf-8")


def positions(source: str) -> str:
    """Where `dot` places what Graphviz `source` names, as Graphviz' JSON."""
    return _draw(source, "json", "dot").decode("utf-8")


def _draw(source: str, form: str, layout: str) -> bytes:
    with _quiet_libraries():
        try:
            import pygraphviz
        except ImportError as error:
            raise QuorateError(
                f"Cannot load the Graphviz libraries ({error}). Install them with `pip install pygraphviz`, "
                "or write a .dot file, which needs none."
            ) from None
        graph = pygraphviz.AGraph(string=source)
        description = dict(graph.graph_attr.items()).get("comment") or ""
        if description:  # Graphviz would write it as a comment.
            graph.graph_attr["comment"] = ""
        if form == "png":
            graph.graph_attr["dpi"] = str(PNG_DPI)
        with redirect_stderr(StringIO()):  # pygraphviz warns of many nodes; here their positions are mostly given.
            picture: bytes = graph.draw(format=form, prog=layout)
    return _tidy(picture.decode("utf-8"), description).encode("utf-8") if form == "svg" else picture


_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_SCAFFOLD_TITLE = re.compile(r"<title>(?:\.|&#45;)[^<]*</title>\n|<title>[^<]*&#45;(?:&gt;|&#45;)\.[^<]*</title>\n")


_TITLE = re.compile(r"<title>([^<]*)</title>\n")
_ROOT = re.compile(r"<svg\b[^>]*>")


def _tidy(picture: str, description: str) -> str:
    """Without the library's version, and without tooltips that say nothing; with what readers of the screen and of the dark need.

    Graphviz writes each node's name as a `<title>`, which browsers show when the pointer rests on it. Nodes whose names
    begin with a dot are scaffolding (pieces of text, invisible corners); edges to them likewise. The first title is the
    picture's own and moves to the top.
    """
    picture = _SCAFFOLD_TITLE.sub("", _COMMENT.sub("", picture))
    title = _TITLE.search(picture)
    words = title[1] if title else ""
    if title:
        picture = picture[: title.start()] + picture[title.end() :]
    told = unescape(description.replace("\\\\", "\\"))
    head = f"\n<title>{words}</title>\n<desc>{escape(told, quote=False)}</desc>\n<style>{dark_style()}</style>"
    return _ROOT.sub(lambda root: f'{root[0][:-1]} role="img">{head}', picture, count=1)


def dark_style() -> str:
    """The rules that give a picture its dark colours where the reader asks for them."""
    rules = [
        f'[{what}="{light}"]{{{what}:{dark.lower()}}}'
        for colour, dark in DARK.items()
        for light in ([colour.lower(), "white"] if colour == "#FFFFFF" else [colour.lower()])
        for what in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}"


def write(path: Path, content: str | bytes) -> None:
    """Write a file so that no reader of it sees half. Raises UsageError if that cannot be."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(
            f"Cannot write {path}: {error.strerror}. Choose a directory that exists and can be written."
        ) from None


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Hold back what C code writes to the error stream, and pass on all but remarks on the fonts of this machine."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # There is no error stream to keep clean.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not line.startswith(b"Fontconfig") and b"size too small for label" not in line:
                    os.write(2, line)
