"""Parameters that range over the contents of a collection instead of their whole type: `require(m in self.network)`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quorate.explore.native.render.layout import Unsupported, width
from quorate.explore.native.render.operands import Spot, integer, to_bits
from quorate.explore.native.render.paths import BOOL
from quorate.explore.native.render.statements import Body
from quorate.language.types import ListType, NetworkType, Type, UnionType
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op
from quorate.model.ranges import is_number, limits


@contextmanager
def ranging(writer: Body, source: ir.Expr, want: Type) -> Iterator[str]:
    """Loop over the members of a collection that are values of a type: each once, in canonical order."""
    out = writer.out
    if not isinstance(source.type, ListType):
        with writer.over(source, want) as member:
            yield _as_parameter(writer, member, source.type.children()[0], want)
        return
    have = source.type.element
    if width(have) > 64:
        raise Unsupported(f"a parameter that ranges over a {source.type}")
    found, count, index = out.fresh("a"), out.fresh("n"), out.fresh("i")
    out(f"word {found}[{max(source.type.capacity, 1)}];")
    out(f"unsigned {count} = 0;")
    with writer.over(source) as member:
        out(f"{found}[{count}++] = {to_bits(have, member)};")
    out(f"sort_words({found}, {count});")
    with out.block(f"for (unsigned {index} = 0; {index} < {count}; {index}++)"):
        out(f"if ({index} > 0 && {found}[{index}] == {found}[{index} - 1]) continue;")
        bits = writer.let(BOOL, f"{found}[{index}]")
        value = writer.read(Spot(bits, False, have))
        yield _as_parameter(writer, value, have, want)


def _as_parameter(writer: Body, value: str, have: Type, want: Type) -> str:
    """A member as an argument; the loop goes on if it is none."""
    if have == want:
        return value
    if isinstance(have, UnionType):
        wanted = want.kinds if isinstance(want, UnionType) else (want,)
        spot = writer.spot_of(have, value)
        tag = writer.let(BOOL, writer.tag(spot))
        legal = [f"{tag} == {i}" for i, kind in enumerate(have.kinds) if kind in wanted]
        writer.out(f"if (!({' || '.join(legal) or '0'})) continue;")
        return writer.read(spot.inner(want, 0)) if want in have.kinds else writer.convert(value, have, want, False)
    if is_number(have) and is_number(want):
        low, high = map(integer, limits(want))
        kept = writer.let(have, value)
        writer.out(f"if ({kept} < {low} || {kept} > {high}) continue;")
        return kept
    return writer.convert(value, have, want, False)


def opening(action: ir.Action) -> tuple[list[ir.Require], list[ir.Stmt]]:
    """The guards with which an action begins, and its rest, without what is so because its parameters range over collections.

    Guards change nothing, so a message that is in a Network before them is there when the rest begins by receiving it.
    """
    members = {(name, source) for (name, _), source in zip(action.parameters, action.ranges, strict=True) if source}
    guards: list[ir.Require] = []
    rest = list(action.body)
    while rest and isinstance(rest[0], ir.Require):
        guard = rest.pop(0)
        assert isinstance(guard, ir.Require)
        guards += [
            ir.Require(part, guard.location)
            for part in ir.conjuncts(guard.condition)
            if _membership(part) not in members
        ]
    if rest and isinstance(rest[0], ir.Mutate) and _reception(rest[0]) in members:
        rest.pop(0)
    return guards, rest


def _membership(guard: ir.Expr) -> tuple[str, ir.Expr] | None:
    """The parameter and the collection that it is said to be in."""
    return (_name(guard.args[0]), guard.args[1]) if guard.op is Op.IN else None


def _reception(statement: ir.Mutate) -> tuple[str, ir.Expr] | None:
    """The parameter that is received, and the Network, a state variable, that keeps it."""
    target = statement.target
    if statement.change is not Change.RECEIVE or not isinstance(target.type, NetworkType) or target.selectors:
        return None
    return _name(statement.args[0]), ir.Expr(Op.STATE, target.type, (), target.root)


def _name(element: ir.Expr) -> str:
    while element.op is Op.COERCE:
        element = element.args[0]
    return element.data if element.op is Op.LOCAL else ""
