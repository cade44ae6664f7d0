"""How a value's identities are renamed in C, for symmetry reduction: for every type in which a reduced scalarset occurs a function is
written, by structural recursion over the type, as `Type.permute` is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod

from quorate.explore.native.render.containers import Containers
from quorate.explore.native.render.layout import Numbered, element, is_mask, offsets, width, words
from quorate.explore.native.render.operands import Spot, ctype, from_bits, is_wide, to_bits
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.language.types import (
    BagType,
    ChannelsType,
    ListType,
    MapType,
    NetworkType,
    RecordType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
)

RENAMINGS_MAX = 4_096
"""So many renamings have tables of where they move bits."""


class Renaming(Containers):
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
        self.moved = [variable for variable in shared.model.variables if self.moves(variable.type)]
        """The variables that a renaming can change."""
        self._names: dict[tuple[str, Type], str] = {}
        self.finished = Writer()

    def moves(self, kind: Type) -> bool:
        """Whether a renaming can change values of a type."""
        return bool(kind.scalarsets & self.reduced)

    def function(self, purpose: str, kind: Type, body: Callable[[str, Type], None]) -> str:
        """The C function that does something with values of a type, written on first use."""
        key = (purpose, kind)
        if key not in self._names:
            name = self._names[key] = f"{purpose}_{len(self._names)}"
            outer, self.out = self.out, Writer()
            body(name, kind)
            inner, self.out = self.out, outer
            self.finished.lines.extend([f"/* {purpose}: {kind} */", *inner.lines, ""])
        return self._names[key]

    def argument(self, kind: Type) -> str:
        """The C of a parameter of a type."""
        return "const word *v" if is_wide(kind) else f"{ctype(kind)} v"

    def renamed(self, kind: Type, value: str) -> str:
        """The operand of a value with its identities renamed."""
        return self.called(kind, value) if self.moves(kind) else value

    def called(self, kind: Type, value: str) -> str:
        """The operand of a renamed value of a type that a renaming can change."""
        name = self.renaming(kind)
        if not is_wide(kind):
            return f"{name}({value}, names)"
        result = self.declare(kind, self.out.fresh())
        self.out(f"{name}({value}, names, {result});")
        return result

    def renaming(self, kind: Type) -> str:
        """The C function that renames values of a type."""
        return self.function("renamed", kind, self._renaming)

    def _renaming(self, name: str, kind: Type) -> None:
        out, wide = self.out, is_wide(kind)
        with out.block(
            f"static {'void' if wide else ctype(kind)} {name}({self.argument(kind)}, const unsigned char *names"
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

    # What is a bit for each element is renamed bit by bit. Where one goes is found once for each renaming, if these are not too many.

    @property
    def renamings(self) -> int:
        """How many values `place` has."""
        return prod(len(sort) ** len(sort) for sort in self.shared.sorts)

    def place(self) -> str:
        """Write what it takes, and give the C of a number for the renaming that gives these names."""
        self.out("unsigned place = 0;")
        for sort in self.shared.sorts:
            size, first = len(sort), self.first[sort]
            self.out(f"for (unsigned i = 0; i < {size}; i++) place = {size} * place + names[{first} + i];")
        return "place"

    def _row(self, bits: int) -> None:
        """Write the C of a table of where bits go, from 1 on and 0 if that is not known, and its row for this renaming, or NULL."""
        if self.renamings > RENAMINGS_MAX:
            self.out("_Atomic uint16_t *const row = NULL;")
            return
        self.out(f"static _Atomic uint16_t moved[{self.renamings}][{bits}];")
        self.out(f"_Atomic uint16_t *const row = moved[{self.place()}];")

    @contextmanager
    def _moving(self, bit: str, target: str) -> Iterator[None]:
        """What is written meanwhile makes `to_bit` where a bit goes, counted from 0. It is put to the target."""
        out = self.out
        out(f"unsigned to_bit = row ? atomic_load_explicit(&row[{bit}], memory_order_acquire) : 0;")
        with out.block("if (UNLIKELY(to_bit-- == 0))"):
            yield
            out(f"if (row) atomic_store_explicit(&row[{bit}], (uint16_t)(to_bit + 1), memory_order_release);")
        out(f"put_bit({target}, to_bit);")

    def _renaming_numbers(self, kind: Numbered) -> None:
        out = self.out
        out("network_clear(result);")
        self._row(kind.numbers)
        with self.numbers(self.spot_of(kind, "v")) as number, self._moving(number, "result"):
            message = self.renamed(kind.message, from_bits(kind.message, f"common->numbers.messages[{number}]"))
            out(f"const word message = {to_bits(kind.message, message)};")
            out("to_bit = number_of(message);")
            out(f"if (to_bit == NONE) to_bit = number_give(message, {kind.numbers}, {kind.payload});")

    def _renaming_mask(self, kind: SetType | NetworkType, source: Spot, target: Spot) -> None:
        out, inner = self.out, element(kind)
        self._row(width(kind))
        for place in range(words(width(kind))):
            with out.block(f"for (word rest = {source.pointer}[{place}]; rest; rest &= rest - 1)"):
                out(f"const unsigned from = {64 * place} + (unsigned)__builtin_ctzll(rest);")
                with self._moving("from", target.pointer):
                    renamed = self.renamed(inner, self.let(inner, self.sparse(inner, "from")))
                    out(f"to_bit = (unsigned)({self.dense(inner, renamed)});")

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
                with self.indices(kind.key.cardinality) as index:
                    key = self.dense(kind.key, self.renamed(kind.key, self.sparse(kind.key, index)))
                    value = self.renamed(kind.value, self.read(self.entry(source, index)))
                    self.write(self.entry(target, key), value)
            case ChannelsType():
                with self.indices(len(kind.pairs)) as index:
                    pair = [self.renamed(part, self.sparse(part, code)) for part, code in self.pair(kind, index)]
                    code = f"{self.dense(kind.source, pair[0])} * {kind.target.cardinality} + {self.dense(kind.target, pair[1])}"
                    self.write(self.queue(target, code), self.renamed(kind.queue, self.read(self.queue(source, index))))
            case ListType() | BagType():
                inner, count = kind.children()[0], self.out.fresh("n")
                out(f"unsigned {count} = {self.length(source)};")
                with self.indices(count) as index:
                    value = self.renamed(inner, self.read(self.item(source, index)))
                    if isinstance(kind, BagType):
                        self.insert(target, value)
                    else:
                        self.write(self.item(target, index), value)
                if isinstance(kind, ListType):
                    self.set_length(target, count)
            case SetType() | NetworkType() if is_mask(kind) and not isinstance(element(kind), ScalarsetType):
                self._renaming_mask(kind, source, target)
            case _:
                with self.members(source) as member:
                    self.add(target, self.renamed(kind.children()[0], member))

    @contextmanager
    def indices(self, count: int | str) -> Iterator[str]:
        """Loop over the numbers below a count."""
        index = self.out.fresh("i")
        with self.out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
            yield index

    @staticmethod
    def pair(kind: ChannelsType, index: str) -> list[tuple[Type, str]]:
        """The ends of the channel with this number, each with its type."""
        count = kind.target.cardinality
        return [(kind.source, f"({index} / {count})"), (kind.target, f"({index} % {count})")]
