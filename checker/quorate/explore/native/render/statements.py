"""Statements of the model in C, and the functions they make up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

from quorate.explore.native.render.containers import pair_code
from quorate.explore.native.render.expressions import Expressions
from quorate.explore.native.render.layout import Numbered, Unsupported, is_sequence, width
from quorate.explore.native.render.operands import Spot, is_wide
from quorate.explore.native.render.paths import BOOL
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.language.types import BagType, ChannelsType, ListType, MapType, Type
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op

Leave = Callable[[str | None], None]
"""Writes the end of a body that returns this operand."""


def locals_of(body: Sequence[ir.Stmt], known: Sequence[str]) -> Iterator[tuple[str, Type]]:
    """The local variables of a body with their types, each once."""
    seen = set(known)
    for statement in ir.statements(tuple(body)):
        match statement:
            case ir.Assign(target=ir.Place(root=name, state=False, selectors=())):
                kind = statement.target.type
            case ir.Loop(name=name, type=kind):
                pass
            case _:
                continue
        if name not in seen:
            seen.add(name)
            yield name, kind


class Body(Expressions):
    """Writes a body. `disabled` ends an action whose guard is false; `leave_with` what `return` does."""

    def __init__(self, shared: Shared, writer: Writer, state: str, old: str, leave_with: Leave) -> None:
        super().__init__(shared, writer, state, old)
        self._return = leave_with
        self._loops: list[tuple[str, str]] = []

    def declare_locals(self, body: Sequence[ir.Stmt], known: Sequence[str]) -> None:
        """Declare what the body assigns."""
        for name, kind in locals_of(body, known):
            self.declare(kind, f"v_{name}")

    def block(self, body: Sequence[ir.Stmt]) -> None:
        """Statements in order."""
        for statement in body:
            self.statement(statement)

    def statement(self, statement: ir.Stmt) -> None:
        """One statement."""
        place = statement.location
        try:
            with self.out.at(None if isinstance(statement, ir.Scope) else place):
                self._statement(statement)
        except Unsupported as problem:
            raise problem.at(place) from None

    def _statement(self, statement: ir.Stmt) -> None:
        out = self.out
        point = None if self.shared.points is None else self.shared.points.statement(statement)
        if point is not None:
            out(f"count({2 * point}u);")
        match statement:
            case ir.Assign(target=target, value=value):
                self._put(target, self.value(value))
            case ir.Mutate():
                self._mutate(statement)
            case ir.Require(condition=condition):
                out(f"if (!({self.value(condition)})) goto disabled;")
            case ir.Within(constraint=constraint, condition=condition):
                within = self.let(BOOL, f"{self.shared.function(condition.data)}(status, {self.state}, {self.old})")
                self.error("*status")
                self.cut(f"!{within}", constraint)
            case ir.Assert(condition=condition):
                self.error(f"!({self.value(condition)})")
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                with out.block(f"if ({self.value(condition)})"):
                    self.block(then)
                if otherwise:
                    with out.block("else"):
                        self.block(otherwise)
            case ir.Loop():
                self._loop(statement)
            case ir.Scope(body=body):
                self._scope(body)
            case ir.Return(value=value):
                self._return(None if value is None else self.value(value))
            case ir.Continue():
                out(f"goto {self._loops[-1][0]};")
            case ir.Break():
                out(f"goto {self._loops[-1][1]};")
            case _:
                assert_never(statement)

    def _loop(self, loop: ir.Loop) -> None:
        following, end = self.out.fresh("next"), self.out.fresh("end")
        self._loops.append((following, end))
        with self.out.block(""), self._fixed(loop) as member:
            self.assign(loop.type, f"v_{loop.name}", member)
            with self.out.block(""):
                self.block(loop.body)
            self.out(f"{following}:;")
        self.out(f"{end}:;")
        self._loops.pop()

    @contextmanager
    def _fixed(self, loop: ir.Loop) -> Iterator[str]:
        """Loop over a source as it is before the first round. The messages of a numbered network are listed before it anyway."""
        place = self.shared.place(loop.source.data)[0] if loop.source.op in (Op.STATE, Op.OLD) else None
        if isinstance(place, Numbered):
            with self.over(loop.source) as member:
                yield member
            return
        if loop.source.op in (Op.DOMAIN, Op.RANGE) or not (is_sequence(loop.source.type) or is_wide(loop.source.type)):
            with self.over(loop.source) as member:
                yield member
            return
        kind = loop.source.type
        name = self.declare(kind, self.out.fresh("over"), self.value(loop.source))
        with self.members(self.spot_named(kind, name)) as member:
            yield member

    def _scope(self, body: Sequence[ir.Stmt]) -> None:
        end, outer = self.out.fresh("end"), self._return
        self._return = lambda _: self.out(f"goto {end};")
        with self.out.block(""):
            self.block(body)
        self.out(f"{end}:;")
        self._return = outer

    # Places

    def place(self, target: ir.Place) -> Spot:
        """Where a place is."""
        root = target.root
        spot = self.shared.variable(self.state, root) if target.state else self.spot_named(target.types[0], f"v_{root}")
        for selector in target.selectors:
            if isinstance(spot.kind, MapType):
                spot = self.entry(spot, self.let(BOOL, self.key(spot.kind, selector)))
            else:
                spot = self.item(spot, self.index(spot, selector))
        return spot

    def _put(self, target: ir.Place, operand: str) -> None:
        if not target.state and not target.selectors:
            self.assign(target.type, f"v_{target.root}", operand)
        else:
            kept = operand if is_wide(target.type) else self.let(target.type, operand)
            self.write(self.place(target), kept)

    def _mutate(self, statement: ir.Mutate) -> None:
        spot = self.place(statement.target)
        values = [self.let(part.type, self.value(part)) for part in statement.args]
        match statement.change:
            case Change.CLEAR:
                self._clear(spot)
            case Change.POP:
                count = self.let(BOOL, self.length(spot))
                self.error(f"{count} == 0")
                self._zero(self.item(spot, f"((unsigned){count} - 1)"))
                self.set_length(spot, f"{count} - 1")
            case Change.APPEND:
                self._append(spot, values[0])
            case Change.ADD:
                self.add(spot, values[0])
            case Change.DISCARD | Change.REMOVE:
                self.take(spot, values[0], statement.change is Change.REMOVE)
            case Change.SEND:
                self._send(spot, values[0])
            case Change.RECEIVE | Change.DROP:
                self._receive(spot, values[0], statement.change is Change.DROP)
            case _:
                assert_never(statement.change)

    def _clear(self, spot: Spot) -> None:
        zero = self.declare(spot.kind, self.out.fresh())
        self.write(spot, zero)

    def _zero(self, spot: Spot) -> None:
        bits = width(spot.kind)
        if bits <= 64:
            self.write_bits(spot, bits, "0u")
        else:
            self._clear(spot)

    def _append(self, spot: Spot, value: str) -> None:
        kind, count = spot.kind, self.out.fresh("n")
        assert isinstance(kind, ListType)
        self.out(f"unsigned {count} = {self.length(spot)};")
        self.cut(f"{count} == {kind.capacity}", kind.bound)
        self.write(self.item(spot, count), value)
        self.set_length(spot, f"{count} + 1")

    def _send(self, spot: Spot, message: str) -> None:
        if isinstance(spot.kind, ChannelsType):
            self._append(self.queue(spot, pair_code(self, spot.kind, message)), message)
        elif isinstance(spot.kind, BagType):
            self.insert(spot, message)
        else:
            self.add(spot, message)

    def _receive(self, spot: Spot, message: str, dropped: bool) -> None:
        kind = spot.kind
        if isinstance(kind, ChannelsType):
            self._shift(self.queue(spot, pair_code(self, kind, message)), message)
        elif isinstance(kind, BagType) or dropped:
            self.take(spot, message, must=True)
        elif isinstance(kind, Numbered):
            self.error(f"!network_has({spot.root}, {message})")
        elif is_sequence(kind):
            bits, at = self.let(BOOL, message), self.out.fresh("i")
            self.out(f"unsigned {at} = {self.on_sequence('lower_bound', spot, self.length(spot), bits)};")
            self.error(f"{at} == {self.length(spot)} || element_at({self.sequence(spot)}, {at}) != {bits}")
        else:
            self.error(f"!{self.marked(spot, self.let(BOOL, self.dense(kind.message, message)))}")  # type: ignore[attr-defined]

    def _shift(self, queue: Spot, message: str) -> None:
        """Take the first message off a queue; it must be this one."""
        kind, count = queue.kind, self.out.fresh("n")
        assert isinstance(kind, ListType)
        self.out(f"unsigned {count} = {self.length(queue)};")
        self.error(f"{count} == 0")
        self.error(f"!{self.equal(kind.element, self.read(self.item(queue, '0')), message)}")
        index = self.out.fresh("i")
        with self.out.block(f"for (unsigned {index} = 0; {index} + 1 < {count}; {index}++)"):
            self.write(self.item(queue, index), self.read(self.item(queue, f"({index} + 1)")))
        self._zero(self.item(queue, f"({count} - 1)"))
        self.set_length(queue, f"{count} - 1")
