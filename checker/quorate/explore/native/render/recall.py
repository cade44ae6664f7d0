"""Actions that are remembered: what one does with given arguments to the part of the state that it reads (`memo.h`)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from quorate.explore.native.render.functions import declared, place_of
from quorate.explore.native.render.groups import Parameters, Split, arguments, splits_of
from quorate.explore.native.render.layout import capacity, width, words
from quorate.explore.native.render.memo import Table, mask, network
from quorate.explore.native.render.operands import is_wide, literal, to_bits
from quorate.explore.native.render.ranging import opening
from quorate.explore.native.render.reading import Words, cost, dear
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.language.types import Type
from quorate.model.capacity import additions, may_overflow
from quorate.model.footprints import footprint
from quorate.model.nodes import Action, Stmt

COST_MIN = 200
"""What takes fewer operations is as fast as looking it up."""
SHORT_BITS_MAX = 36
"""What reads no more bits than this may be remembered together."""
KEY_BITS_MAX = 160
"""Of what reads more of the state, too little is met again."""
ATTEMPTS_MAX = 32
ROWS_MAX = 64
SENT_MAX = 8
"""So many messages that an action sends are remembered."""


@dataclass(frozen=True)
class Plan:
    """How an action is remembered: for given values of the `outer` parameters, all that it does with any values of the others. Those
    values and the bits that it `reads` are the key; it does nothing to `adds` but set them, and to each variable in `sent` nothing but
    add at most so many elements. Masks have a row for each combination of values of `splits`.

    Of the numbered network, which lies in the words `network`, it reads the classes in `rows` (`Numbered.row`); `room` says how many
    messages it adds at most, if one may be cut."""

    outer: tuple[tuple[str, Type], ...]
    splits: tuple[Split, ...]
    reads: Words
    adds: Words
    sent: dict[str, int]
    room: dict[str, int]
    rows: tuple[int, ...]
    network: range

    @property
    def key(self) -> list[int]:
        """The words that the action may read."""
        return sorted({*self.reads.touched, *(self.network if self.rows else ())})

    @property
    def touched(self) -> list[int]:
        """The words that the action may read or change, but for what it sends."""
        return sorted({*self.key, *self.adds.touched})


def plan(shared: Shared, action: Action) -> Plan | None:
    """How an action is remembered; None if it is not worth it. Of the ways to divide its parameters the first is taken that has a short
    key, so that one answer stands for many attempts; or else each attempt has its own."""
    model, (guards, body) = shared.model, opening(action)
    if not shared.remembers or any(is_wide(kind) for _, kind in action.parameters):
        return None
    count = len(action.parameters)
    for outer in range(count + 1):
        whole = action.body if any(action.ranges[outer:]) else (*guards, *body)
        inner = prod(min(kind.cardinality, ATTEMPTS_MAX) for _, kind in action.parameters[outer:])
        if not dear(min(inner, ATTEMPTS_MAX) * cost(model, whole), COST_MIN, shared.state_words):
            return None
        found = _plan(shared, action, outer, whole, KEY_BITS_MAX if outer == count else SHORT_BITS_MAX)
        if found is not None:
            return found
    return None


def _plan(shared: Shared, action: Action, outer: int, body: tuple[Stmt, ...], bits_max: int) -> Plan | None:
    parameters = action.parameters[:outer]
    splits: list[Split] = []
    for split in splits_of(parameters):
        if prod(one.kind.cardinality for one in (*splits, split)) <= ROWS_MAX:
            splits.append(split)
    found = [shared.reading(footprint(shared.model, body, known)) for known in arguments(action.parameters, splits)]
    most = additions(body)
    sent = {name: most[name] for name in found[0].sent}
    kinds = [shared.place(name)[0] for name in sent]
    reads, adds = Words(tuple(one.reads for one in found)), Words(tuple(one.adds for one in found))
    short = all(one.reads.bit_count() <= bits_max and one.sent == found[0].sent for one in found)
    counted = all(map(may_overflow, kinds)) and all(0 < number <= SENT_MAX for number in sent.values())
    rows = tuple(sorted({row for one in found for row in one.rows}))
    fits = sum(width(kind) for _, kind in parameters) < 64 and (reads.never_all_ones or bool(rows))
    network, room = range(0), {}
    for name, kind in shared.numbered.items():
        network = range(words(kind.numbers))
        fits &= not rows or (0 not in rows and capacity(kind) < kind.numbers)
        if may_overflow(kind) and any(map(adds.touched.__contains__, network)):
            room[name] = most[name]
            counted &= most[name] > 0
    return (
        Plan(parameters, tuple(splits), reads, adds, sent, room, rows, network) if short and counted and fits else None
    )


def recall(shared: Shared, action: Action, number: int, how: Plan) -> None:
    """Write `recall_N`: it does as `rest_N` does, which tries the action with all values of the inner parameters, by what is remembered."""
    out, touched, names = shared.code, how.touched, [f"v_{name}" for name, _ in how.outer]
    key = int(bool(how.outer)) + len(how.key)
    table = Table(out, shared.site(f"@action {action.name}"), key + 2)
    networks = ", ".join(network(*shared.place(name)) for name in how.sent)
    words = ", ".join(map(str, touched))
    for name, masks in ("reads", how.reads), ("adds", how.adds):
        rows = ", ".join(f"{{{', '.join(map(literal, row))}}}" for row in masks.rows(touched))
        out(f"static const word {name}_{number}[][{len(touched)}] = {{{rows}}};")
    if how.sent:
        out(f"static const Sent networks_{number}[] = {{{networks}}};")
    shape = f"{table.number}, {table.width}, {key}, {len(touched)}, {len(how.sent)}, {{{words}}}"
    sends = f"networks_{number}, {max(how.sent.values())}" if how.sent else "NULL, 0"
    out(f"static const Shape shape_{number} = {{{shape}, {sends}}};")

    def rest(state: str, successors: str) -> str:
        return f"rest_{number}({', '.join([state, successors, *names])});"

    head = ", ".join(["const State *from", "Successors *out", *declared(how.outer)])
    with out.block(f"static void recall_{number}({head})"):
        out("const word *const s = from->w;")
        out("Memo *const memo = out->memo;")
        out("if (!out->searching || !memo) goto leave;")
        out(f"Site *const site = &memo->sites[{table.number}];")
        out(f"if (!{table.opened}) goto leave;")
        if how.sent:
            out(f"if (!memo_has_room(&shape_{number}, from)) goto leave;")
        for name, most in how.room.items():
            out(f"if (network_count(s) + {most} > {capacity(shared.place(name)[0])}) goto leave;")
        writer = Body(shared, out, "s", "s", lambda _: None)
        out(f"const unsigned row = {place_of(writer, how.splits, how.outer)};")
        if how.rows:
            classes = [how.rows if word in how.network else () for word in touched]
            parts = [mask(f"reads_{number}[row][{i}]", classes[i], word) for i, word in enumerate(touched)]
            out(f"const word reads[] = {{{', '.join(parts)}}};")
        else:
            out(f"const word *const reads = reads_{number}[row];")
        bits = [f"s[{word}] & reads[{touched.index(word)}]" for word in how.key]
        parts = table.named([*([_packed(how.outer)] if how.outer else []), *bits])
        table.ask(parts)
        with out.block(f"if (UNLIKELY(!({table.found(parts)})))"):
            out(f"const word key[] = {{{', '.join(parts)}}};")
            out(f"const State bare = memo_bare(&shape_{number}, from, reads, adds_{number}[row]);")
            out(rest("&bare", "memo_aside(memo)"))
            learned = f"memo_learn(memo, site, &shape_{number}, &bare, reads, adds_{number}[row], key, {table.hash})"
            out(f"{table.line} = {learned};")
            out(f"if (!{table.line}) goto leave;")
        with out.block("else if (memo_doubts(memo, site))"):
            out(rest("from", "memo_aside(memo)"))
            differs = f"memo_differs(memo, site, &shape_{number}, from, {table.line}, reads)"
            out(f"if ({differs}) memo_mistake({table.number});")
        out(f"memo_replay(out, from, site, &shape_{number}, {table.line}, reads, {shared.own(number)});")
        out("return;")
        out("leave:")
        out(rest("from", "out"))
    out()


def _packed(parameters: Parameters) -> str:
    """The values of parameters as one word."""
    at, pieces = 0, []
    for name, kind in parameters:
        bits = f"(word)({to_bits(kind, f'v_{name}')})"
        pieces.append(f"{bits} << {at}" if at else bits)
        at += width(kind)
    return " | ".join(pieces)
