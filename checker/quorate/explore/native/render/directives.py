"""`#line` directives: where in the spec a line of C comes from.

With them the compiler's messages, debuggers, sanitizers and gcov speak of the spec. Each line of C that a statement became is put on the
statement's line; what comes from nowhere in the spec is on its own line of the C file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from quorate.errors import Location

JOINED_MAX = 132
NEUTRAL = re.compile(r"\s*(?:|[{}]|\}? ?else \{|\w+:;?|/\*.*\*/)$")
"""Lines that become no code: it does not matter where they are."""


class Placed(str):
    """A line of C and its place in the spec."""

    place: Location | None

    def __new__(cls, text: str, place: Location | None) -> Placed:
        line = super().__new__(cls, text)
        line.place = place
        return line


def directed(lines: Sequence[str], file: str, first: int) -> list[str]:
    """The lines, with directives among them. They begin at line `first` of the C file, which is called `file`."""
    out: list[str] = []
    now, told = (
        (file, first),
        None,
    )  # Where the compiler takes the next line to be; the place whose text was given last.
    for line in _joined(lines):
        place = _place(line)
        if not NEUTRAL.match(line):
            wanted = (file, first + len(out)) if place is None else (place.file, place.line)
            if now != wanted or (place is not None and place != told):
                wanted = (file, wanted[1] + 1) if place is None else wanted  # The directive takes a line itself.
                out.append(_directive(wanted, now[0], place if place != told else None))
                now, told = wanted, place
        out.append(line)
        now = (now[0], now[1] + 1)
    return out


def _place(line: str) -> Location | None:
    return line.place if isinstance(line, Placed) else None


def _directive(wanted: tuple[str, int], file: str, told: Location | None) -> str:
    name = "" if wanted[0] == file else ' "' + wanted[0].replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = "" if told is None or not told.text else f" /* {told.text.strip().replace('*/', '* /')} */"
    return f"#line {wanted[1]}{name}{text}"


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Simple statements from one line of the spec, of one indentation, share a line of C while there is room: fewer directives."""
    held: str | None = None
    for line in lines:
        assert "\n" not in line, line
        if held is not None and _may_join(held, line):
            held = Placed(f"{held} {line.strip()}", _place(line))
            continue
        if held is not None:
            yield held
        held = line
    if held is not None:
        yield held


def _may_join(held: str, line: str) -> bool:
    place = _place(line)
    return (
        place is not None
        and _place(held) == place
        and held.endswith(";")
        and line.endswith(";")
        and not NEUTRAL.match(held)
        and not NEUTRAL.match(line)
        and _indentation(held) == _indentation(line)
        and len(held) + len(line.strip()) < JOINED_MAX
    )


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
