"""What `symmetry.h` needs to know of a model: how a value's identities are renamed, and how it is hashed by their colours.

For every type in which a reduced scalarset occurs two C functions are written, by structural recursion over the type, as
`Type.permute` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quorate.explore.native.render.containers import Containers
from quorate.explore.native.render.layout import Numbered, offsets, width, words
from quorate.explore.native.render.operands import Spot, ctype, from_bits, is_wide, to_bits
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
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

RENAMINGS_MAX = 4_096
"""So many renamings have tables of how they change the numbers of messages."""


def canonical_form(shared: Shared) -> Writer:
    """`model_canonical`, which comes last."""
    out = Writer()
    if shared.sorts:
        _Symmetry(shared, out).write_all()
    else:
        out("static State model_canonical(State s) { return s; }")
    return out


class _Symmetry(Containers):
    """Writes the functions of one program. A label `leave` and a `status` exist in each only because adding to a set asks for them;
    nothing here can cut."""

    def __init__(self, shared: Shared, out: Writer) -> None:
        super().__init__(shared, out)
        self.first: dict[type, int] = {}
        self.count = 0
        for sort in shared.sorts:
            self.first[sort] = self.count
            self.count += len(sort)
        self.reduced = frozenset(shared.sorts)
        self._names: dict[tuple[str, Type], str] = {}
        self.finished = Writer()

    def moves(self, kind: Type) -> bool:
        """Whether a renaming can change values of a type."""
        return bool(kind.scalarsets & self.reduced)

    def write_all(self) -> None:
        """Everything."""
        shared, out = self.shared, self.out
        moved = [variable for variable in shared.model.variables if self.moves(variable.type)]
        renamed, hashed = (
            [(variable, self._function(purpose, shared.place(variable.name)[0])) for variable in moved]
            for purpose in ("renamed", "hashed")
        )
        starts = [*self.first.values(), self.count]
        out(f"#define SYMMETRY_MEMBERS {self.count}")
        out(f"static const unsigned symmetry_first[] = {{{', '.join(map(str, starts))}}};")
        out(f"static const unsigned symmetry_sorts = {len(self.first)};")
        large = any(isinstance(variable.type, WireType) and variable.type.capacity is not None for variable in moved)
        near = large and not all(isinstance(variable.type, WireType) for variable in moved)
        out(f"#define SYMMETRY_NEAR {int(near)}")
        out('#include "symmetry.h"')
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
                self.write(shared.variable("n", variable.name), self._called(name, variable.type, value))
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

    def _called(self, name: str, kind: Type, value: str) -> str:
        """The operand of a renamed value."""
        if not is_wide(kind):
            return f"{name}({value}, names)"
        result = self.declare(kind, self.out.fresh())
        self.out(f"{name}({value}, names, {result});")
        return result

    def _function(self, purpose: str, kind: Type) -> str:
        """The C function for a type, written on first use."""
        key = (purpose, kind)
        if key not in self._names:
            name = self._names[key] = f"{purpose}_{len(self._names)}"
            outer, self.out = self.out, Writer()
            if purpose == "renamed":
                self._renaming(name, kind)
            else:
                self._hashing(name, kind)
            inner, self.out = self.out, outer
            self.finished.lines.extend([f"/* {purpose}: {kind} */", *inner.lines, ""])
        return self._names[key]

    def _argument(self, kind: Type) -> str:
        return "const word *v" if is_wide(kind) else f"{ctype(kind)} v"

    # Renaming

    def renamed(self, kind: Type, value: str) -> str:
        """The operand of a value with its identities renamed."""
        return self._called(self._function("renamed", kind), kind, value) if self.moves(kind) else value

    def _renaming(self, name: str, kind: Type) -> None:
        out, wide = self.out, is_wide(kind)
        with out.block(
            f"static {'void' if wide else ctype(kind)} {name}({self._argument(kind)}, const unsigned char *names"
            f"{', word *result' if wide else ''})"
        ):
            if isinstance(kind, ScalarsetType):
                out(f"return names[{self.first[kind.sort]} + v];")
                return
            if isinstance(kind, Numbered):
                self._renaming_numbers(kind)
                return
            out("int status_ = 0, *status = &status_;")
            out("(void)status;")
            self.declare(kind, "to")
            self._renaming_body(kind, self.spot_of(kind, "v"), self.spot_named(kind, "to"))
            out("goto leave;")
            out("leave:")
            out(f"memcpy(result, to, {8 * words(width(kind))});" if wide else "return to;")

    def _renaming_numbers(self, kind: Numbered) -> None:
        """Messages are renamed once for each renaming, if there are not too many: then only their numbers are."""
        out, places = self.out, 1
        for sort in self.shared.sorts:
            places *= len(sort) ** len(sort)
        known = places <= RENAMINGS_MAX
        if known:
            out(f"static _Atomic uint16_t renamings[{places}][{kind.numbers}];")
            out("unsigned place = 0;")
            for sort in self.shared.sorts:
                size, first = len(sort), self.first[sort]
                out(f"for (unsigned i = 0; i < {size}; i++) place = {size} * place + names[{first} + i];")
        out("network_clear(result);")
        with self.numbers(self.spot_of(kind, "v")) as number:
            if known:
                out(f"unsigned to = atomic_load_explicit(&renamings[place][{number}], memory_order_acquire);")
                out("if (LIKELY(to != 0)) { put_bit(result, to - 1); continue; }")
            out(
                f"const word message = {to_bits(kind.message, self.renamed(kind.message, f'common->numbers.messages[{number}]'))};"
            )
            out(f"{'' if known else 'unsigned '}to = number_of(message);")
            out(f"if (to == NONE) to = number_give(message, {kind.numbers}, {kind.payload});")
            if known:
                out(f"atomic_store_explicit(&renamings[place][{number}], (uint16_t)(to + 1), memory_order_release);")
            out("put_bit(result, to);")

    def _renaming_body(self, kind: Type, source: Spot, target: Spot) -> None:
        out = self.out
        match kind:
            case RecordType() | TupleType():
                for part, at in zip(kind.kinds, offsets(kind.kinds), strict=True):
                    self.write(target.inner(part, at), self.renamed(part, self.read(source.inner(part, at))))
            case UnionType():
                with out.block(f"switch ({self.tag(source)})"):
                    for position, part in enumerate(kind.kinds):
                        with out.block(f"case {position}:", "} break;"):
                            value = self.renamed(part, self.read(source.inner(part, 0)))
                            self.assign(kind, "to", self.united(kind, position, value))
            case MapType():
                with self._indices(kind.key.cardinality) as index:
                    key = self.dense(kind.key, self.renamed(kind.key, self.sparse(kind.key, index)))
                    value = self.renamed(kind.value, self.read(self.entry(source, index)))
                    self.write(self.entry(target, key), value)
            case ChannelsType():
                with self._indices(len(kind.pairs)) as index:
                    pair = [self.renamed(part, self.sparse(part, code)) for part, code in self._pair(kind, index)]
                    code = f"{self.dense(kind.source, pair[0])} * {kind.target.cardinality} + {self.dense(kind.target, pair[1])}"
                    self.write(self.queue(target, code), self.renamed(kind.queue, self.read(self.queue(source, index))))
            case ListType() | BagType():
                inner, count = kind.children()[0], self.out.fresh("n")
                out(f"unsigned {count} = {self.length(source)};")
                with self._indices(count) as index:
                    value = self.renamed(inner, self.read(self.item(source, index)))
                    if isinstance(kind, BagType):
                        self.insert(target, value)
                    else:
                        self.write(self.item(target, index), value)
                if isinstance(kind, ListType):
                    self.set_length(target, count)
            case _:
                with self.members(source) as member:
                    self.add(target, self.renamed(kind.children()[0], member))

    @contextmanager
    def _indices(self, count: int | str) -> Iterator[str]:
        index = self.out.fresh("i")
        with self.out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
            yield index

    @staticmethod
    def _pair(kind: ChannelsType, index: str) -> list[tuple[Type, str]]:
        count = kind.target.cardinality
        return [(kind.source, f"({index} / {count})"), (kind.target, f"({index} % {count})")]

    # Hashing

    def hashed(self, kind: Type, value: str) -> str:
        """The hash of a value by the colours of its identities."""
        if self.moves(kind):
            return f"{self._function('hashed', kind)}({value}, colours)"
        if not is_wide(kind):
            return f"blend(1, {to_bits(kind, value)})"
        return f"hash_words({value}, {words(width(kind))})"

    def _hashing(self, name: str, kind: Type) -> None:
        out = self.out
        with out.block(f"static uint64_t {name}({self._argument(kind)}, const uint64_t *colours)"):
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
                with self._indices(kind.key.cardinality) as index:
                    key = self.hashed(kind.key, self.sparse(kind.key, index))
                    out(f"hash += blend({key}, {self.hashed(kind.value, self.read(self.entry(source, index)))});")
            case ChannelsType():
                with self._indices(len(kind.pairs)) as index:
                    ends = [self.hashed(part, self.sparse(part, code)) for part, code in self._pair(kind, index)]
                    queue = self.hashed(kind.queue, self.read(self.queue(source, index)))
                    out(f"hash += blend(blend({ends[0]}, {ends[1]}), {queue});")
            case ListType() | BagType():
                inner, count = kind.children()[0], self.out.fresh("n")
                out(f"unsigned {count} = {self.length(source)};")
                sign = "hash = blend(hash, {})" if isinstance(kind, ListType) else "hash += blend(5, {})"
                with self._indices(count) as index:
                    out(sign.format(self.hashed(inner, self.read(self.item(source, index)))) + ";")
            case Numbered():
                with self.numbers(source) as number:
                    message = from_bits(kind.message, f"common->numbers.messages[{number}]")
                    out(f"hash += blend(7, {self.hashed(kind.message, self.let(kind.message, message))});")
            case _:
                with self.members(source) as member:
                    out(f"hash += blend(7, {self.hashed(kind.children()[0], member)});")
