"""How wide a text is, without a font: a table that no common sans-serif face exceeds.

Pictures are laid out here and drawn elsewhere, with whatever face the reader's machine has for Helvetica. The widths
are, for each character, the larger of DejaVu Sans (as wide as Verdana) and Liberation Sans (as wide as Helvetica and
Arial), so a text never outgrows the room it was given. What neither face has is taken to be as wide as its widest
relatives.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

WIDE = "\N{MULTIPLICATION SIGN}\N{MINUS SIGN}"

# Hundredths of the font size.
_REGULAR = {
    28: "'ijl",
    30: "I",
    32: " ,.",
    34: "/:;\\|",
    36: "f",
    37: "-",
    40: "()[]t",
    41: "!",
    42: "r",
    46: '"',
    50: "*J`",
    53: "sz",
    55: "c",
    56: "?L_",
    58: "k",
    60: "vxy",
    62: "FTaeo",
    64: "$0123456789bdghnpqu{}",
    67: "EKPSY",
    69: "ABVXZ",
    73: "CR",
    74: "U",
    75: "N",
    76: "H",
    78: "&DG",
    79: "OQ",
    82: "w",
    84: "#+<=>^~✕✓" + WIDE,
    87: "M∅",
    96: "%",
    98: "m",
    99: "W",
    102: "@→…",
}
_BOLD = {
    31: "'",
    35: " ijl",
    37: "/\\|",
    38: ",.I",
    40: ":;",
    42: "-",
    44: "f",
    46: "!()[]",
    48: "t",
    50: "`r",
    53: '"*',
    56: "J_",
    59: "z",
    60: "cs",
    62: "?",
    64: "L",
    65: "x",
    66: "vy",
    67: "k",
    68: "ae",
    69: "EFTo",
    70: "$0123456789",
    72: "bdghnpqu{}",
    73: "SYZ",
    74: "CP",
    77: "B",
    78: "AKRVX",
    82: "U",
    83: "G",
    84: "#+<=>DHN^~✕✓" + WIDE,
    86: "OQ",
    88: "&∅",
    93: "w",
    100: "@M",
    101: "%→…",
    105: "m",
    111: "W",
}
_WIDTHS = {False: {c: w for w, cs in _REGULAR.items() for c in cs}, True: {c: w for w, cs in _BOLD.items() for c in cs}}


@lru_cache(maxsize=4096)
def _unlisted(character: str) -> int:
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 140 if category == "So" else 105
    return 155 if category in ("Lu", "Lt", "So") else 130


def width(text: str, size: float, bold: bool = False) -> float:
    """An upper bound of the text's width, in the unit of `size`."""
    table = _WIDTHS[bold]
    return size * sum(table.get(character) or _unlisted(character) for character in text) / 100


def fold(text: str, room: float, size: float, bold: bool = False) -> list[str]:
    """Lines of at most `room`, broken at spaces; a word that is itself too long is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word, size, bold) > room and len(word) > 1:
            head = _fitting(word, room, size, bold)
            lines.append(word[:head])
            word = word[head:]
        line = word
    return [*lines, line] if line else lines


def clip(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as fits, ending in `…`."""
    if width(text, size, bold) <= room:
        return text
    return text[: _fitting(text, room - width("…", size, bold), size, bold)].rstrip() + "…"


def _fitting(text: str, room: float, size: float, bold: bool) -> int:
    """How many characters fit; at least one."""
    count, used = 0, 0.0
    for character in text:
        used += width(character, size, bold)
        if used > room:
            break
        count += 1
    return max(count, 1)
