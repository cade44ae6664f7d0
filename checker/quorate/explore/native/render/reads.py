"""What a step has read, as a number: random runs are guided by it (`guide.h`)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from quorate.explore.native.render.functions import place_of
from quorate.explore.native.render.groups import Split, arguments, splits_of
from quorate.explore.native.render.layout import width, words
from quorate.explore.native.render.memo import network
from quorate.explore.native.render.operands import Spot, literal
from quorate.explore.native.render.reading import Looked, Words
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.writer import Writer
from quorate.model.footprints import footprint
from quorate.model.nodes import Action

ROWS_MAX = 64
"""So many combinations of arguments are told apart by what they read."""
MESSAGES = """\
/* The messages of a sorted network that have this value under a mask. */
static uint64_t read_messages(uint64_t hash, const word *s, const Sent *network, word mask, word value) {
    const unsigned count = sent_count(network, s);
    unsigned met = 0;
    for (unsigned i = 0; i < count; i++) {
        const word one = element_at(s, network->at, network->width, network->capacity, i);
        if ((one & mask) == value) hash = memo_hash(hash, one), met++;
    }
    return memo_hash(hash, met);
}
"""


def reads(shared: Shared) -> None:
    """Write `model_reads`."""
    out = Writer()
    for line in MESSAGES.splitlines():
        out(line)
    with out.block("static uint64_t model_reads(const State *from, const Label *label)"):
        out("const word *const s = from->w;")
        out("const uint64_t *const args = label->args;")
        out("int status_ = 0, *status = &status_;")
        out("uint64_t hash = memo_hash(1, label->action);")
        out("(void)s, (void)args, (void)status;")
        with out.block("switch (label->action)"):
            for number, action in enumerate(shared.model.actions):
                with out.block(f"case {number}:"):
                    _reads(shared, out, action)
                    out("break;")
        out("goto leave;")
        out("leave:")
        out("return hash | 1;")
    shared.code.lines.extend(out.lines)
    shared.code()


def _reads(shared: Shared, out: Writer, action: Action) -> None:
    """Add the arguments of an action and what it reads with them."""
    writer, at = Body(shared, out, "s", "s", lambda _: None), 0
    for name, kind in action.parameters:
        writer.declare(kind, f"v_{name}", writer.read(Spot("args", True, kind, 64 * at)))
        out(f"(void)v_{name};")
        at += words(width(kind))
    if at:
        out(f"for (unsigned i = 0; i < {at}; i++) hash = memo_hash(hash, args[i]);")
    splits: list[Split] = []
    for split in splits_of(action.parameters):
        if prod(one.kind.cardinality for one in (*splits, split)) <= ROWS_MAX:
            splits.append(split)
    found = [
        shared.looked_at(footprint(shared.model, action.body, known), known.values())
        for known in arguments(action.parameters, splits)
    ]
    out(f"const unsigned row = {place_of(writer, splits, action.parameters)};")
    out("(void)row;")
    _bits(out, found)
    for row, one in enumerate(found):
        if one.messages:
            with out.block(f"if (row == {row})"):
                for part in one.messages:
                    where = f"&(const Sent){network(*shared.place(part.variable))}"
                    out(f"hash = read_messages(hash, s, {where}, {literal(part.mask)}, {literal(part.value)});")


def _bits(out: Writer, found: Sequence[Looked]) -> None:
    bits = Words(tuple(one.bits for one in found))
    if not bits.touched:
        return
    rows = ", ".join(f"{{{', '.join(map(literal, row))}}}" for row in bits.rows(bits.touched))
    out(f"static const word looks[][{len(bits.touched)}] = {{{rows}}};")
    for i, word in enumerate(bits.touched):
        out(f"hash = memo_hash(hash, s[{word}] & looks[row][{i}]);")
