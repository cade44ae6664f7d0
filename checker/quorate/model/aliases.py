"""Names for containers that live elsewhere.

In Python `log = self.log[s]` makes `log` another name for the list in the state; the model's values are never shared. The two mean the
same as long as nothing is changed through such a name, and the name is not read after its container has been changed in place. This
module knows which containers a value may share, and rejects the rest. It errs on the side of rejecting.

A container is known by its *root*: the variable, `self.x` or a local name, that it hangs below. `Context.versions` counts the changes in
place of each root, `Context.aliases` holds for each local name the roots that it may share and their versions at that time.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from quorate.language.types import ListType, MapType, TupleType, Type, UnionType
from quorate.model import nodes as ir
from quorate.model.context import Context, Shared, merged
from quorate.model.conversion import Container
from quorate.model.nodes import Op

Roots = frozenset[str]
NONE: Roots = frozenset()
FROZEN: Roots = frozenset({"a record"})
"""What the containers inside a record hang below: nothing changes them, also not through another name."""

THROUGH = frozenset({Op.LOOKUP, Op.INDEX, Op.COMPONENT, Op.NARROW, Op.COERCE, Op.FIT})
GATHERING = frozenset({Op.TUPLE, Op.LIST, Op.CONCAT, Op.SLICE, Op.SORTED, Op.LIST_OF, Op.MAP_OF, Op.THE})


def mutable(kind: Type) -> bool:
    """Whether values of a type are, or directly hold, something that can be changed in place."""
    if isinstance(kind, TupleType | UnionType):
        return any(map(mutable, kind.kinds))
    return isinstance(kind, Container)


def root(place: ir.Place) -> str:
    """The root that a place hangs below."""
    return f"self.{place.root}" if place.state else place.root


class _Sharing:
    """Finds the roots of values, given those of the local names."""

    def __init__(self, functions: dict[str, ir.Function], of_local: Callable[[str], Roots]) -> None:
        self.functions, self.of_local = functions, of_local

    def roots(self, value: ir.Expr) -> Roots:
        """The roots whose containers a value may share; none if it is freshly built or cannot be changed at all."""
        if not mutable(value.type):
            return NONE
        if value.op in (Op.STATE, Op.OLD):
            return frozenset({f"self.{value.data}"})
        if value.op is Op.LOCAL:
            return self.of_local(value.data)
        if value.op is Op.FIELD:
            return FROZEN
        if value.op in THROUGH:
            return self.roots(value.args[0])
        if value.op is Op.IF:
            return self.roots(value.args[1]) | self.roots(value.args[2])
        if value.op is Op.CALL:
            return self._returned(self.functions[value.data], value.args)
        if value.op in GATHERING and (value.op is Op.THE or _holds_mutable(value.type)):
            sources = [clause.source for clause in value.clauses if isinstance(clause, ir.For)]
            return NONE.union(*(self.roots(part) for part in (*value.args, *sources)))
        return NONE

    def _returned(self, function: ir.Function, arguments: tuple[ir.Expr, ...]) -> Roots:
        """What the result of a call may share: containers of the state, of its arguments."""
        known = {name: self.roots(value) for (name, _), value in zip(function.parameters, arguments, strict=True)}
        inner = _Sharing(self.functions, lambda name: known.get(name, NONE))
        while True:
            before = dict(known)
            for statement in ir.statements(function.body):
                if isinstance(statement, ir.Assign):
                    known[statement.target.root] = known.get(statement.target.root, NONE) | inner.roots(statement.value)
                elif isinstance(statement, ir.Loop):
                    known[statement.name] = known.get(statement.name, NONE) | inner.roots(statement.source)
            if known == before:
                break
        returned = (statement.value for statement in ir.statements(function.body) if isinstance(statement, ir.Return))
        return NONE.union(*(inner.roots(value) for value in returned if value is not None))


def _holds_mutable(kind: Type) -> bool:
    match kind:
        case TupleType(kinds=kinds):
            return any(map(mutable, kinds))
        case ListType(element=inner) | MapType(value=inner):
            return mutable(inner)
    return False


def roots(ctx: Context, value: ir.Expr) -> Roots:
    """The roots whose containers a value may share."""

    def of_local(name: str) -> Roots:
        return frozenset({name, *ctx.aliases.get(name, ())})

    return _Sharing(ctx.builder.functions, of_local).roots(value)


def touch(ctx: Context, place: ir.Place) -> None:
    """Note that the container at a place is changed in place."""
    name = root(place)
    ctx.versions[name] = ctx.versions.get(name, 0) + 1
    ctx.forget(place.root)


def name(ctx: Context, local: str, behind: Roots) -> None:
    """Note what a local name shares from here on."""
    ctx.aliases.pop(local, None)
    behind -= {local}
    if behind:
        ctx.aliases[local] = {part: ctx.versions.get(part, 0) for part in behind}


COPY = "Copy it when you name it, with `set(...)` or `list(...)`, or read the variable again."


def check_read(ctx: Context, node: ast.AST, value: ir.Expr) -> None:
    """Reject the reading of a name whose container has been changed since it was named."""
    for part in value.walk():
        shared = ctx.aliases.get(part.data, {}) if part.op is Op.LOCAL else {}
        for behind in sorted(shared):
            if ctx.versions.get(behind, 0) != shared[behind]:
                named = part.data if part.data.isidentifier() else "this"  # A name of ours begins with a digit.
                shown = node.id if isinstance(node, ast.Name) else named
                raise ctx.source.outside(
                    node, f"{shown} is another name for a container in {behind}, which has been changed since.", COPY
                )


def check_own(ctx: Context, node: ast.AST, local: str) -> None:
    """Reject a change through a name that is not the only one for its container."""
    if local in ctx.aliases:
        behind = min(ctx.aliases[local])
        raise ctx.source.outside(
            node,
            f"{local} is another name for a container in {behind}: changing it may change {behind} too.",
            "Change it through `self`, or copy it first, with `set(...)` or `list(...)`.",
        )


def check_rounds(
    ctx: Context,
    node: ast.For,
    body: tuple[ir.Stmt, ...],
    before: Shared,
    changed: Roots,
    outer: frozenset[str],
) -> None:
    """Reject names that share a container which a later round of the loop finds changed, or that a later round changes."""
    after = {local: parts for local, parts in ctx.aliases.items() if local in outer}
    shared = merged(before, after)
    used = {part.data for expression in ir.expressions(body) for part in expression.walk() if part.op is Op.LOCAL}
    for local in sorted(shared):
        stale = changed & shared[local].keys()
        if stale and local in used:
            raise ctx.source.outside(
                node, f"{local} is another name for a container in {min(stale)}, which this loop changes.", COPY
            )
    for change in ir.changes(body):
        place = change.target
        if not place.state and place.root in after and (isinstance(change, ir.Mutate) or place.selectors):
            check_own(ctx, node, place.root)
