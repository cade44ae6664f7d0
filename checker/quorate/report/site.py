"""Markdown documents as pages of a static site: all references relative, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from quorate.report.theme import theme

if TYPE_CHECKING:
    from markdown_it.token import Token

Link = Callable[[str], str | None]
"""Where a reference of a document leads on the site; None if it leads to nothing there."""

STYLE = """\
body { margin: 0 auto; max-width: 62rem; padding: 0 1.2rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 Inter, "Helvetica Neue", Helvetica, Arial, sans-serif; font-variant-numeric: tabular-nums }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; padding: .9rem 0; border-bottom: 1px solid var(--zebra); margin-bottom: 1.4rem }
a { color: var(--wire) }
h1, h2, h3, h4 { line-height: 1.25; margin: 2em 0 .6em }
h1 { margin-top: .6em }
img { max-width: 100%; height: auto }
pre, code { font: .875em/1.5 ui-monospace, Menlo, Consolas, monospace }
pre { background: var(--zebra); padding: .9rem; overflow-x: auto; border-radius: 6px }
:not(pre) > code { background: var(--zebra); padding: .1em .3em; border-radius: 4px; overflow-wrap: anywhere }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .94em }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid var(--zebra) }
.step { display: block; font-size: .9em }
"""


def style_sheet() -> str:
    """The style sheet of all pages."""
    return theme() + STYLE


def document(text: str, link: Link, run: Link, home: str, menu: dict[str, str]) -> str:
    """A Markdown document as a page. `link` and `run` say where a reference, and the page to step through a picture's run, are;
    `home` is the way up to the folder of the style sheet, and `menu` names pages that every page leads to."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    title = next((token.content for token in tokens if token.type == "inline"), "")
    seen: dict[str, int] = {}
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", _anchor(token.content, seen))
    for token in tokens:
        if token.children:
            token.children = list(_inline(token.children, link, run))
    ways = " ".join(f'<a href="{escape(where)}">{escape(name)}</a>' for name, where in menu.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(_plain(title))}</title>
<link rel="stylesheet" href="{escape(home)}site.css">
</head>
<body>
<nav aria-label="Pages">{ways}</nav>
<main>
{parser.renderer.render(tokens, parser.options, {})}</main>
</body>
</html>
"""


def _plain(text: str) -> str:
    """A heading without its marks."""
    return re.sub(r"[`*\\]|\]\([^)]*\)|\[", "", text)


def _anchor(heading: str, seen: dict[str, int]) -> str:
    """The name of a section, as GitHub gives it: documents link to each other by it."""
    name = re.sub(r"[^\w\- ]", "", _plain(heading).lower()).replace(" ", "-")
    seen[name] = seen.get(name, -1) + 1
    return f"{name}-{seen[name]}" if seen[name] else name


def _inline(tokens: list[Token], link: Link, run: Link) -> Iterator[Token]:
    """The parts of a line, with references as they are on the site; a picture of a run leads to the page of the run."""
    from markdown_it.token import Token

    dead = 0
    for token in tokens:
        if token.type == "link_open":
            where = link(str(token.attrGet("href")))
            dead += where is None
            token.tag = "a" if where is not None else "span"
            token.attrs = {"href": where} if where is not None else {}
        elif token.type == "link_close" and dead:
            dead, token.tag = dead - 1, "span"
        elif token.type == "image":
            source = str(token.attrGet("src"))
            token.attrSet("src", link(source) or source)
            stepped = run(source)
            if stepped is not None:
                yield Token("link_open", "a", 1, attrs={"href": stepped})
                yield token
                yield Token("html_inline", "", 0, content='<span class="step">Step through this run</span>')
                yield Token("link_close", "a", -1)
                continue
        yield token
