"""The code blocks of a Markdown page, with the HTML comment before each of them, which says what the block is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FOLDERS = "docs", "docs/notebooks", "docs/exercises", "bench", "tests", "specs", "counterexamples"

HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the note before it, and the line where the text begins."""

    language: str
    text: str
    note: str
    line: int


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    source = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["text"], found["note"] or "", source.count("\n", 0, found.start("text")) + 1)
        for found in BLOCK.finditer(source)
    ]


def pages() -> list[Path]:
    """Everything that is written for readers."""
    return sorted(page for folder in (ROOT, *(ROOT / name for name in FOLDERS)) for page in folder.glob("*.md"))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


@cache
def sections(page: Path) -> set[str]:
    """What a link to a part of the page may name, as GitHub spells it: headings in small letters with dashes, and ids."""
    text = prose(page)
    headings = (re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in HEADING.findall(text))
    return {*headings, *re.findall(r'<a id="([^"]+)">', text)}
