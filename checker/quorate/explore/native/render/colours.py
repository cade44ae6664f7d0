"""What `colours.h` needs to know of a model: how a state is renamed, and how it is hashed by the colours of its identities."""

from __future__ import annotations

from quorate.explore.native.render.layout import Numbered, offsets, width, words
from quorate.explore.native.render.operands import Spot, from_bits, is_wide, to_bits
from quorate.explore.native.render.renaming import Renaming
from quorate.language.types import (
    BagType,
    ChannelsType,
    ListType,
    MapType,
    RecordType,
    ScalarsetType,
    TupleType,
    Type,
    UnionType,
    WireType,
)


class Colours(Renaming):
    """Writes the functions of one program: of each type one that renames and one that hashes."""

    def write_all(self) -> None:
        """Everything."""
        shared, out = self.shared, self.out
        kinds = {variable.name: shared.place(variable.name)[0] for variable in self.moved}
        renamed = [(variable, self.renaming(kinds[variable.name])) for variable in self.moved]
        hashed = [(variable, self.hashing(kinds[variable.name])) for variable in self.moved]
        starts = [*self.first.values(), self.count]
        out(f"#define SYMMETRY_MEMBERS {self.count}")
        out(f"static const unsigned symmetry_first[] = {{{', '.join(map(str, starts))}}};")
        out(f"static const unsigned symmetry_sorts = {len(self.first)};")
        large = any(isinstance(found.type, WireType) and found.type.capacity is not None for found in self.moved)
        near = large and not all(isinstance(found.type, WireType) for found in self.moved)
        out(f"#define SYMMETRY_NEAR {int(near)}")
        out('#include "colours.h"')
        out()
        out.lines.extend(self.finished.lines)
        with out.block("static State symmetry_renamed(const State *from, const unsigned char *names)"):
            out("State to = *from;")
            out("const word *s = from->w;")
            out("word *n = to.w;")
            for variable, name in renamed:
                if variable.name in shared.numbered:
                    out(f"{name}(s, names, n);")
                    continue
                value = self.read(shared.variable("s", variable.name))
                self.write(shared.variable("n", variable.name), self.called(variable.type, value))
            out("return to;")
        with out.block("static uint64_t symmetry_hash(const State *from, const uint64_t *colours, bool whole)"):
            out("const word *s = from->w;")
            out("uint64_t hash = 1;")
            for variable, name in sorted(hashed, key=lambda found: isinstance(found[0].type, WireType)):
                if isinstance(variable.type, WireType):
                    out("if (!whole) return hash;")
                spot = shared.variable("s", variable.name)
                value = "s" if variable.name in shared.numbered else self.read(spot)
                out(f"hash = blend(hash, {name}({value}, colours));")
            out("return hash;")

    def hashed(self, kind: Type, value: str) -> str:
        """The hash of a value by the colours of its identities."""
        if self.moves(kind):
            return f"{self.hashing(kind)}({value}, colours)"
        if not is_wide(kind):
            return f"blend(1, {to_bits(kind, value)})"
        return f"hash_words({value}, {words(width(kind))})"

    def hashing(self, kind: Type) -> str:
        """The C function that hashes values of a type."""
        return self.function("hashed", kind, self._hashing)

    def _hashing(self, name: str, kind: Type) -> None:
        out = self.out
        with out.block(f"static uint64_t {name}({self.argument(kind)}, const uint64_t *colours)"):
            if isinstance(kind, ScalarsetType):
                out(f"return colours[{self.first[kind.sort]} + v];")
                return
            out("uint64_t hash = 2;")
            self._hashing_body(kind, self.spot_of(kind, "v"))
            out("return hash;")

    def _hashing_body(self, kind: Type, source: Spot) -> None:
        out = self.out
        match kind:
            case RecordType() | TupleType():
                for part, at in zip(kind.kinds, offsets(kind.kinds), strict=True):
                    out(f"hash = blend(hash, {self.hashed(part, self.read(source.inner(part, at)))});")
            case UnionType():
                with out.block(f"switch ({self.tag(source)})"):
                    for position, part in enumerate(kind.kinds):
                        with out.block(f"case {position}:", "} break;"):
                            out(f"hash = blend({position + 3}, {self.hashed(part, self.read(source.inner(part, 0)))});")
            case MapType():
                with self.indices(kind.key.cardinality) as index:
                    key = self.hashed(kind.key, self.sparse(kind.key, index))
                    out(f"hash += blend({key}, {self.hashed(kind.value, self.read(self.entry(source, index)))});")
            case ChannelsType():
                with self.indices(len(kind.pairs)) as index:
                    ends = [self.hashed(part, self.sparse(part, code)) for part, code in self.pair(kind, index)]
                    queue = self.hashed(kind.queue, self.read(self.queue(source, index)))
                    out(f"hash += blend(blend({ends[0]}, {ends[1]}), {queue});")
            case ListType() | BagType():
                inner, count = kind.children()[0], self.out.fresh("n")
                out(f"unsigned {count} = {self.length(source)};")
                sign = "hash = blend(hash, {})" if isinstance(kind, ListType) else "hash += blend(5, {})"
                with self.indices(count) as index:
                    out(sign.format(self.hashed(inner, self.read(self.item(source, index)))) + ";")
            case Numbered():
                with self.numbers(source) as number:
                    message = from_bits(kind.message, f"common->numbers.messages[{number}]")
                    out(f"hash += blend(7, {self.hashed(kind.message, self.let(kind.message, message))});")
            case _:
                with self.members(source) as member:
                    out(f"hash += blend(7, {self.hashed(kind.children()[0], member)});")
