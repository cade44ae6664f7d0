"""The answers to "why is this line here?" as one HTML page that needs nothing else.

The source stands as it is written, with a margin; a click on a line shows what happens without it, with the picture of the shortest
run. Pictures are kept compressed together, as they are much alike: the page takes them out when the first is wanted.
"""

from __future__ import annotations

import base64
import io
import json
import keyword
import tokenize
import zlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from quorate.report.diagram import spacetime
from quorate.report.palette import (
    BAD,
    BAD_GROUND,
    DARK,
    FADED,
    GOOD,
    INK,
    LIFELINE,
    SOFT,
    WIRE,
    ZEBRA,
)
from quorate.report.render import svg
from quorate.report.why import VERDICTS, Part, Why, later, part_json, sentence

FOLDED_MIN = 12
"""So many lines in a row that no run goes through are folded."""
COLOURS: Mapping[str, tuple[str, str]] = {
    "ink": (INK, DARK[INK]),
    "soft": (SOFT, DARK[SOFT]),
    "faded": (FADED, DARK[FADED]),
    "ground": ("#FFFFFF", DARK["#FFFFFF"]),
    "zebra": (ZEBRA, DARK[ZEBRA]),
    "line": ("#E4E9EE", "#2A333D"),
    "bad": (BAD, DARK[BAD]),
    "bad-ground": (BAD_GROUND, DARK[BAD_GROUND]),
    "good": (GOOD, DARK[GOOD]),
    "wire": (WIRE, DARK[WIRE]),
    "lost": ("#8A5A00", "#E8B04B"),
    "look": ("#FFF2CC", "#4A3D14"),
    "chosen": ("#EAF2FB", "#1C2A3A"),
    "rule": (LIFELINE, DARK[LIFELINE]),
    "keyword": ("#6B3FA0", "#C4A5F0"),
}
"""The colours of the page by what they are for, on light and on dark grounds."""


def why_page(why: Why) -> str:
    """The page. It shows the class; what no run goes through is folded."""
    name = f"{why.spec} {why.variant}" if why.variant else why.spec
    pictures = _Pictures()
    parts = [_said(why, part, pictures) for part in why.parts]
    folder = Path(__file__).parent
    style = (folder / "why.css").read_text(encoding="utf-8")
    script = (folder / "why.js").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(f"Why is this line here? {name}")}</title>
<style>
{_variables()}{style}</style>
</head>
<body>
<header>
<h1>Why is this line here?</h1><span class="name">{escape(name)}</span>
<nav>{"".join(_totals(why))}</nav>
<span class="effort">{escape(why.effort)}</span>
</header>
<main>
<table>
<colgroup><col class="n"><col><col class="margin"></colgroup>
{"".join(_rows(why))}</table>
<aside aria-live="polite"></aside>
</main>
<script type="application/json" id="parts">{_embedded(parts)}</script>
<script type="text/plain" id="pictures">{pictures.packed()}</script>
<script>
{script}</script>
</body>
</html>
"""


def _variables() -> str:
    light, dark = ("".join(f"--{name}: {pair[side]}; " for name, pair in COLOURS.items()).rstrip() for side in (0, 1))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _embedded(data: object) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("</", "<\\/")


class _Pictures:
    """The pictures of a page, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, part: Part) -> int | None:
        """The number of the picture of a mutant, if it has one."""
        if part.trace is None:
            return None
        picture = svg(spacetime(part.trace))
        picture = picture[picture.index("<svg") :]
        return self._numbers.setdefault(picture, len(self._numbers))

    def packed(self) -> str:
        """All of them, compressed."""
        data = json.dumps(list(self._numbers), ensure_ascii=False).encode()
        return base64.b64encode(zlib.compress(data, 9)).decode()


def _said(why: Why, part: Part, pictures: _Pictures) -> dict[str, object]:
    """What the page says of a mutant."""
    plain = part_json(part)
    kept = ("kind", "method", "line", "before", "instead", "verdict", "steps", "states", "variants")
    tone = VERDICTS[part.verdict].tone
    return {name: plain[name] for name in kept} | {
        "tone": tone,
        "margin": part.margin,
        "note": part.note,
        "change": part.change,
        "sentence": sentence(part),
        "later": later(part),
        "names": list(part.properties),
        "picture": pictures.number(part),
        "more": part.states - why.states if tone in ("plain", "look") and not part.where else None,
    }


def _totals(why: Why) -> Iterator[str]:
    """The totals, which choose what is shown."""
    explored, *_ = why.heading
    yield f'<button data-verdict="" aria-pressed="true">{escape(explored)}</button>'
    for verdict, count in why.totals.items():
        said = VERDICTS[verdict]
        if said.tone != "skipped":
            yield f'<button data-verdict="{verdict}" class="{said.tone}" aria-pressed="false">{count} {said.total}</button>'
    if why.skipped:
        yield f'<span class="skipped">{escape(why.skipped)}</span>'


# The source


def _rows(why: Why) -> Iterator[str]:
    at = why.by_line()
    numbers = {id(part): number for number, part in enumerate(why.parts)}
    styled = _styled(why.source)
    first, last = why.extent
    for begin, end in _folds(why, at):
        if end - begin + 1 >= FOLDED_MIN:
            yield (
                f'<tbody class="fold"><tr><td colspan="3"><button>lines {begin} to {end}: what no run goes through</button></td></tr>'
                "</tbody>\n"
            )
            yield '<tbody hidden class="quiet">\n'
        else:
            yield "<tbody>\n"
        for line in range(max(begin, first), min(end, last) + 1):
            yield _line(line, why.source[line - 1], styled.get(line, []), at.get(line, []), why, numbers)
        yield "</tbody>\n"


def _folds(why: Why, at: Mapping[int, Sequence[Part]]) -> Iterator[tuple[int, int]]:
    """The lines of the class, cut where a method of the protocol begins or ends."""
    first, last = why.extent
    lively = {line for begin, end in why.shown for line in range(begin, end + 1)} | set(at)
    begin = first
    for line in range(first + 1, last + 2):
        if line > last or (line in lively) != (begin in lively):
            yield begin, line - 1
            begin = line


def _line(
    line: int,
    source: str,
    styles: Sequence[tuple[int, int, str]],
    parts: Sequence[Part],
    why: Why,
    numbers: Mapping[int, int],
) -> str:
    chosen = parts[0] if parts else None
    marks = [part for part in why.parts if part.line <= line <= part.end_line and part in parts]
    code = _code(source, styles, [(numbers[id(part)], *_on_line(part, line, source), part) for part in marks])
    indent = len(source) - len(source.lstrip()) + 4  # Of what a long line goes on with.
    cells = f'<td class="n">{line}</td><td class="code" style="--hang: {indent}ch">{code}</td>'
    if chosen is None:
        return f"<tr>{cells}<td></td></tr>\n"
    shown = "".join(_margin(part, numbers[id(part)], part is chosen) for part in parts)
    return (
        f'<tr id="L{line}" data-parts="{" ".join(str(numbers[id(part)]) for part in parts)}">'
        f'{cells}<td class="margin">{shown}</td></tr>\n'
    )


def _on_line(part: Part, line: int, source: str) -> tuple[int, int]:
    """The columns of a line that a mutant is about."""
    begin = part.column if line == part.line else len(source) - len(source.lstrip())
    return begin, part.end_column if line == part.end_line else len(source)


def _margin(part: Part, number: int, is_first: bool) -> str:
    said = VERDICTS[part.verdict]
    if not is_first:
        return f'<button class="dot {said.tone}" data-part="{number}" title="{escape(f"{part.change}: {part.margin}")}"></button>'
    note = f"<small>{escape(part.note)}</small>" if part.note else ""
    return f'<button class="word {said.tone}" data-part="{number}">{escape(part.margin)}</button>{note}'


def _code(source: str, styles: Sequence[tuple[int, int, str]], marks: Sequence[tuple[int, int, int, Part]]) -> str:
    """A line of the source: each character in the style of its token, and in the innermost mutant that it belongs to."""
    style = [""] * len(source)
    for begin, end, name in styles:
        style[begin:end] = [name] * (min(end, len(source)) - begin)
    inside: list[tuple[int, str] | None] = [None] * len(source)
    for number, begin, end, part in sorted(marks, key=lambda mark: mark[1] - mark[2]):
        inside[begin:end] = [(number, VERDICTS[part.verdict].tone)] * (min(end, len(source)) - begin)
    pieces: list[str] = []
    position = 0
    while position < len(source):
        end = position
        while end < len(source) and (style[end], inside[end]) == (style[position], inside[position]):
            end += 1
        text, mark = escape(source[position:end]), inside[position]
        if style[position]:
            text = f'<i class="{style[position]}">{text}</i>'
        pieces.append(text if mark is None else f'<u class="{mark[1]}" data-part="{mark[0]}">{text}</u>')
        position = end
    return "".join(pieces)


def _styled(source: Sequence[str]) -> dict[int, list[tuple[int, int, str]]]:
    """Keywords, strings and comments of a file, by line: first column, the column after the last, and what it is."""
    found: dict[int, list[tuple[int, int, str]]] = {}
    for token in tokenize.generate_tokens(io.StringIO("\n".join(source) + "\n").readline):
        if token.type == tokenize.COMMENT:
            name = "c"
        elif token.type == tokenize.STRING:
            name = "s"
        elif (token.type == tokenize.NAME and keyword.iskeyword(token.string)) or token.string == "@":
            name = "k"
        else:
            continue
        (begin, column), (end, end_column) = token.start, token.end
        for line in range(begin, end + 1):
            low = column if line == begin else 0
            found.setdefault(line, []).append((low, end_column if line == end else len(source[line - 1]), name))
    return found
