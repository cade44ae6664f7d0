"""The C of looking something up in a table of `memo.h`, each word of the key by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quorate.explore.native.render.layout import capacity, element, length_at, length_width, width
from quorate.explore.native.render.writer import Writer
from quorate.language.types import Type


class Table:
    """The table of one site, whose lines have so many words, in the C that `out` writes. `memo` is in scope there, and the site by the
    name `site`."""

    def __init__(self, out: Writer, number: int, width: int) -> None:
        self.out, self.number, self.width = out, number, width
        self.site, self.line, self.hash = "site", "", ""

    @property
    def opened(self) -> str:
        """Whether there is a table."""
        return f"(LIKELY({self.site}->lines != NULL) || memo_begin(memo, {self.site}, {self.width}))"

    @property
    def missed(self) -> str:
        """Note a miss: whether there still is a table. Lines have moved if it has grown."""
        return f"memo_missed(memo, {self.site}, {self.width})"

    def named(self, key: Sequence[str]) -> list[str]:
        """Names for the words of a key."""
        names = [self.out.fresh("key") for _ in key]
        for name, part in zip(names, key, strict=True):
            self.out(f"const word {name} = {part};")
        return names

    def ask(self, key: Sequence[str]) -> None:
        """Find the line where a key would be, and count the question."""
        self.out(f"{self.site}->asked++;")
        self.find(key)

    def find(self, key: Sequence[str]) -> None:
        """Find the line where a key would be."""
        self.line, self.hash = self.out.fresh("line"), self.out.fresh("hash")
        code = "1"
        for part in key:
            code = f"memo_hash({code}, {part})"
        self.out(f"const uint64_t {self.hash} = {code};")
        self.out(f"uint64_t *{self.line} = memo_line({self.site}, {self.width}, {self.hash});")

    def put(self, key: Sequence[str]) -> None:
        """Find the line anew, and write the key to it."""
        self.find(key)
        for i, part in enumerate(key):
            self.out(f"{self.line}[{i}] = {part};")

    def found(self, key: Sequence[str]) -> str:
        """Whether the line has this key."""
        return " && ".join(f"{self.line}[{i}] == {part}" for i, part in enumerate(key))


def network(kind: Type, at: int) -> str:
    """A sorted network of this type, at this place of a state, as `Sent`."""
    inner, most = width(element(kind)), capacity(kind)
    return f"{{{at}, {inner}, {most}, {at + length_at(kind)}, {length_width(kind)}}}"


def mask(bits: str, rows: Iterable[int], word: int) -> str:
    """Bits of a word of the state, and those of the numbered network's messages of some classes (`numbers.h`)."""
    return " | ".join([bits, *(f"number_mask({row}, {word})" for row in rows)])
