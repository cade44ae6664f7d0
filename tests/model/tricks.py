"""Definitions that mean something to Python, one at a time: what stands in a module, what in the class, and what uses it.

They stand in `tricks.txt`, in parts: `of` are the bases of the specification, `module` stands above it, `class` in it, `after`
below it. The uses are truths and numbers, one in each line, and statements (`do`), with an empty line between two. In them `NUM`,
`BOOL`, `NODE`, `LIST` and `SET` are expressions that are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trick:
    """One of them; `refused` if none of its uses has a meaning in the model."""

    name: str
    refused: bool = False
    of: str = "Spec"
    module: str = ""
    body: str = ""
    after: str = ""
    truth: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    do: tuple[str, ...] = ()


def _read(text: str) -> Trick:
    title, *parts = text.strip("\n").split("\n-- ")
    found = dict(part.split("\n", 1) for part in parts)
    lines = {kind: tuple(found.get(kind, "").splitlines()) for kind in ("truth", "number")}
    do = tuple(filter(None, found.get("do", "").split("\n\n")))
    name, _, refused = title.partition(" | ")
    return Trick(
        name,
        refused == "refused",
        found.get("of", "Spec"),
        found.get("module", ""),
        found.get("class", ""),
        found.get("after", ""),
        do=do,
        **lines,
    )


def _all() -> list[Trick]:
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    return [_read(part) for part in f"\n{text}".split("\n== ")[1:]]


TRICKS = _all()
