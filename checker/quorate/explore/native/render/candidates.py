"""What `candidates.h` needs to know of a model: its renamings, the parts of a state, and what a renaming makes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import permutations, product

from quorate.explore.native.render.layout import Numbered, offsets, width
from quorate.explore.native.render.operands import Spot
from quorate.explore.native.render.renaming import Renaming
from quorate.language.system import Variable
from quorate.language.types import MapType, RecordType, TupleType, WireType

CANDIDATES_MAX = 63
"""A set of so many renamings is the bits of a word, and none is all ones."""


class Candidates(Renaming):
    """Writes the functions of one program: what a renaming makes of each type, and `model_canonical`."""

    def write_all(self) -> None:
        """Everything."""
        out = self.out
        parts = [
            (variable, here, there)
            for variable in sorted(self.moved, key=lambda found: isinstance(found.type, WireType))
            for here, there in zip(
                *(self._parts(self.shared.variable(at, variable.name)) for at in ("s", "n")), strict=True
            )
        ]
        narrow = [part for part in parts if _is_narrow(part[1])]
        wide = [part for part in parts if not _is_narrow(part[1])]
        functions = {here.kind: self.renaming(here.kind) for _, here, _ in parts}
        rows = ", ".join(f"{{{', '.join(map(str, row))}}}" for row in self._names_given)
        out(f"#define SYMMETRY_RENAMINGS {self.renamings}")
        out(f"static const unsigned char symmetry_names[][{self.count + 1}] = {{{rows}}};")
        out(f"static const unsigned char symmetry_alike[] = {{{', '.join(map(str, self._alike(wide)))}}};")
        out('#include "candidates.h"')
        out()
        out.lines.extend(self.finished.lines)
        with out.block("static void symmetry_rest(const State *from, const unsigned char *names, State *to)"):
            out("const word *s = from->w;")
            out("word *n = to->w;")
            for _, here, there in wide:
                if isinstance(here.kind, Numbered):
                    out(f"{functions[here.kind]}(s, names, n);")
                else:
                    self.write(there, self.called(here.kind, self.read(here)))
        with out.block("static State model_canonical(State from, Memo *memo)"):
            out("State to = from;")
            out("const word *s = from.w;")
            out("word *n = to.w;")
            out("word candidates = ((word)1 << SYMMETRY_RENAMINGS) - 1;")
            for variable, here, there in narrow:
                site = (
                    f"memo, {self.shared.site(f'symmetry of {variable.name}')}" if self.shared.remembers else "NULL, 0"
                )
                self.write(there, f"least_part({site}, {functions[here.kind]}, {self.read(here)}, &candidates)")
            out("return least_rest(&from, to, candidates);" if wide else "return to;")

    @property
    def renamings(self) -> int:
        return len(self._names_given)

    def place(self) -> str:
        return f"names[{self.count}]"

    @cached_property
    def _names_given(self) -> list[list[int]]:
        """For each renaming the names that it gives to all members, and its number. The first changes nothing."""
        given = product(*(permutations(range(len(sort))) for sort in self.shared.sorts))
        return [[*(name for names in renaming for name in names), number] for number, renaming in enumerate(given)]

    def _alike(self, parts: Sequence[tuple[Variable, Spot, Spot]]) -> list[int]:
        """For each renaming the first one that makes the same of these parts, whatever they are."""
        concerned = [
            position
            for sort in self.shared.sorts
            if any(sort in here.kind.scalarsets for _, here, _ in parts)
            for position in range(self.first[sort], self.first[sort] + len(sort))
        ]
        first: dict[tuple[int, ...], int] = {}
        return [first.setdefault(tuple(names[i] for i in concerned), names[-1]) for names in self._names_given]

    def _parts(self, spot: Spot) -> Iterator[Spot]:
        """What of a place a renaming can change, each part by itself."""
        kind = spot.kind
        if not self.moves(kind):
            return
        if _is_narrow(spot):
            yield spot
        elif isinstance(kind, RecordType | TupleType):
            for part, at in zip(kind.kinds, offsets(kind.kinds), strict=True):
                yield from self._parts(spot.inner(part, at))
        elif isinstance(kind, MapType) and not self.moves(kind.key):
            for code in range(kind.key.cardinality):
                yield from self._parts(self.entry(spot, str(code)))
        else:
            yield spot


def _is_narrow(spot: Spot) -> bool:
    return not isinstance(spot.kind, Numbered) and width(spot.kind) <= 64
