"""Loops over a set or over interchangeable identities must not depend on the order of their rounds.

This is what makes symmetry reduction sound, and every engine free to iterate as it likes. A body passes if each of
its effects commutes with itself across rounds: places indexed by the loop variable are disjoint, and so are messages
that carry it; adding to a set, sending, summing up and taking a maximum commute; assigning the same value again changes
nothing. Everything it reads must not be changed by another round.

"Indexed by the loop variable" means: at one position of the path, the same in every access. `m[a][s]` and `m[s][b]` are
both indexed by `s`, and yet round `a` and round `b` meet at `m[a][b]`.

Two rounds may each be an error in the spec, or one an error and another a cut; which of them is reported first is the one thing that
may depend on the order.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import assert_never

from quorate.errors import Location, OutsideSubset
from quorate.language.types import ChannelsType, MapType, RecordType
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op
from quorate.model.ranges import is_number, limits
from quorate.model.source import Source

ADVICE = (
    "Write only to places indexed by the loop variable, add to sets, send, or sum up; pick a value with `the(...)`, `min`, `max`, "
    "`any` or `all`; or declare the sort as Ordered and range over `sorted(...)`."
)
COMMUTING = frozenset({Op.ADD, Op.UNION, Op.INTERSECT, Op.DIFFERENCE, Op.MAX, Op.MIN, Op.AND, Op.OR})

Root = tuple[bool, str]
"""A state variable (True) or a local name (False)."""
Positions = frozenset[tuple[int, int]]
"""Where a path is indexed by the loop variable: the selector, and the component of it if it is a tuple (-1: all of it)."""


def check_unordered(
    source: Source, node: ast.For, loop: ir.Loop, outer: frozenset[str], functions: dict[str, ir.Function]
) -> None:
    """Raise OutsideSubset, at the offending line, if the rounds of `loop` may not commute. `outer` are the locals
    from before it.
    """
    rounds = _Rounds(source, node, loop, outer, functions)
    rounds.effects(loop.body, breaks=False, returns=True)
    rounds.finish()


@dataclass
class _Rounds:
    """How the rounds of a loop touch what is outside it."""

    source: Source
    node: ast.For
    loop: ir.Loop
    outer: frozenset[str]
    functions: dict[str, ir.Function]
    disjoint: dict[Root, Positions] = field(default_factory=dict)
    taken: dict[Root, ir.Expr] = field(default_factory=dict)
    """For each network, the message that a round takes off it: one that no other round takes."""
    shared: dict[Root, object] = field(default_factory=dict)
    accumulating: set[int] = field(default_factory=set)
    """The assignments (by `id`) that read their place only to add to it."""
    returned: set[ir.Expr | None] = field(default_factory=set)

    def reject(self, found: str, location: Location | None, advice: str = ADVICE) -> OutsideSubset:
        """The error for one way in which the order of the rounds shows."""
        return OutsideSubset(found, advice, location or self.source.location(self.node))

    # What is changed

    def effects(self, body: tuple[ir.Stmt, ...], *, breaks: bool, returns: bool) -> None:
        """Collect the effects of statements. `breaks`: a `break` here leaves an inner loop with an order; `returns`: a `return`
        here leaves the loop."""
        for statement in body:
            match statement:
                case ir.Break(location=location) if not breaks:
                    raise self.reject("`break` stops at whichever comes first, and this loop has no order.", location)
                case ir.Require(location=location):
                    advice = "Write `require(all(... for ...))` before the loop."
                    raise self.reject("`require` in a loop without an order.", location, advice)
                case ir.Return(value=value, location=location) if returns:
                    self.returned.add(value)
                    if value is None or value.op is not Op.CONST or len(self.returned) > 1:
                        raise self.reject(
                            "This `return` may give another value for another order of the loop.", location
                        )
                case ir.Assign(target=target) if target.state or target.root in self.outer:
                    self._assign(statement)
                case ir.Mutate(target=target) if target.state or target.root in self.outer:
                    self._mutate(statement)
                case ir.If(then=then, otherwise=otherwise):
                    self.effects(then, breaks=breaks, returns=returns)
                    self.effects(otherwise, breaks=breaks, returns=returns)
                case ir.Loop(body=inner, ordered=ordered):
                    self.effects(inner, breaks=ordered, returns=returns)
                case ir.Scope(body=inner):
                    self.effects(inner, breaks=False, returns=False)
                case ir.Assign() | ir.Mutate() | ir.Within() | ir.Assert() | ir.Return() | ir.Continue() | ir.Break():
                    pass  # It changes only what a round makes for itself, and leaves only what is inside of one.
                case _:
                    assert_never(statement)

    def _assign(self, statement: ir.Assign) -> None:
        target, location = statement.target, statement.location
        if self._own_place(target, location):
            return
        bare = _strip(statement.value)
        if bare.op in COMMUTING and len(bare.args) == 2 and reads_place(bare.args[0], target):
            falls = bare.op is Op.ADD and target.state and limits(bare.args[1].type)[0] < 0
            if not falls:  # a number that only grows passes its bound in every order or in none
                self._share(target, bare.op, location)
                self.accumulating.add(id(statement))
                return
        if bare.op is Op.CONST:
            self._share(target, ("constant", target.selectors, bare.data), location)
            return
        shown = f"{'self.' * target.state}{target.root}"
        raise self.reject(f"{shown} would hold the value of whichever round comes last.", location)

    def _mutate(self, statement: ir.Mutate) -> None:
        change, target, location = statement.change, statement.target, statement.location
        if self._own_place(target, location):
            return
        queues = isinstance(target.type, ChannelsType)
        if change in (Change.RECEIVE, Change.DROP) and not queues:
            message = _strip(statement.args[0])
            if self._carries(message) and self.taken.setdefault(_root(target), message) == message:
                return
        if change in (Change.ADD, Change.DISCARD, Change.CLEAR) or (change is Change.SEND and not queues):
            self._share(target, change, location)
        elif change is Change.SEND and (end := self._own_end(statement.args[0])):
            self._share(target, (change, end), location)
        else:
            raise self.reject(f".{change}() in a loop without an order.", location)

    def _own_place(self, target: ir.Place, location: Location | None) -> bool:
        """Whether every round changes a place of its own."""
        lists = [not isinstance(kind, MapType) for kind in target.types]
        positions = self._positions(target.selectors, lists, frozenset({self.loop.name}))
        if not positions:
            return False
        root = _root(target)
        common = self.disjoint.get(root, positions) & positions
        if not common:
            raise self.reject(f"{target.root} is changed at places where different rounds may meet.", location)
        self.disjoint[root] = common
        return True

    def _share(self, target: ir.Place, how: object, location: Location | None) -> None:
        if self.shared.setdefault(_root(target), how) != how:
            raise self.reject(f"{target.root} is changed in two ways that do not commute.", location)

    def _positions(self, selectors: tuple[ir.Expr, ...], lists: list[bool], own: frozenset[str]) -> Positions:
        """Where a path is indexed by the loop variable, under one of its names in `own`."""
        found = set()
        for position, (selector, in_list) in enumerate(zip(selectors, lists, strict=False)):
            selector = _strip(selector)
            if in_list and is_number(selector.type) and limits(selector.type)[0] < 0:
                continue  # -1 and the last index are one place
            parts = {-1: selector} | (dict(enumerate(selector.args)) if selector.op is Op.TUPLE else {})
            found |= {(position, number) for number, part in parts.items() if _named(_strip(part), own)}
        return frozenset(found)

    def _carries(self, message: ir.Expr) -> bool:
        """Whether a message is the loop variable or has it in a field, so that different rounds have different
        messages."""
        parts = message.args if message.op is Op.RECORD else (message,)
        return any(_named(_strip(part), {self.loop.name}) for part in parts)

    def _own_end(self, message: ir.Expr) -> str | None:
        """The end, `source` or `target`, that makes every round send on a channel of its own."""
        message = _strip(message)
        if message.op is not Op.RECORD or not isinstance(message.type, RecordType):
            return None
        for (name, _), part in zip(message.type.fields, message.args, strict=True):
            if name in ("source", "target") and _named(_strip(part), {self.loop.name}):
                return name
        return None

    # What is read

    def finish(self) -> None:
        """Check that nothing that one round changes is read by another."""
        if self.returned and (self.disjoint or self.shared or self.taken):
            raise self.reject("This loop both changes something and returns early.", self.loop.location)
        for _, name in (self.disjoint.keys() | self.taken.keys()) & self.shared.keys():
            raise self.reject(f"{name} is changed both for the loop variable and otherwise.", self.loop.location)
        for statement in ir.statements(self.loop.body):
            for expression in self._looked_at(statement):
                self._read(expression, frozenset({self.loop.name}), inside=None)

    def _read(self, value: ir.Expr, own: frozenset[str], inside: ir.Expr | None) -> None:
        """Check an expression. `own` are the names of the loop variable; `inside` is the call whose function is looked at."""
        if value.op in (Op.LOOKUP, Op.INDEX) and self._own_read(value, own, inside):
            return
        if value.op is Op.IN and inside is None and self._own_message(value):
            return
        local = value.op is Op.LOCAL and inside is None
        root = (not local, value.data) if value.op is Op.STATE or local else None
        if root in self.disjoint or root in self.taken or root in self.shared:
            where = (inside or value).location
            raise self.reject(f"{value.data} is read here and changed by other rounds of the loop.", where)
        if value.op in ir.CALLS:
            self._called(value, own, inside)
        for child in value.children():
            self._read(child, own, inside)

    def _looked_at(self, statement: ir.Stmt) -> list[ir.Expr]:
        if isinstance(statement, ir.Assign) and id(statement) in self.accumulating:
            return [*statement.target.selectors, _strip(statement.value).args[1]]
        return _direct(statement)

    def _own_read(self, value: ir.Expr, own: frozenset[str], inside: ir.Expr | None) -> bool:
        root, selectors, lists = _path(value)
        positions = self.disjoint.get(root) if root is not None and (root[0] or inside is None) else None
        if positions is None or root is None or not positions & self._positions(selectors, lists, own):
            return False
        self.disjoint[root] = positions & self._positions(selectors, lists, own)
        for selector in selectors:
            self._read(selector, own, inside)
        return True

    def _own_message(self, value: ir.Expr) -> bool:
        root, _, _ = _path(value.args[1])
        return root in self.taken and self.taken[root] == _strip(value.args[0])

    def _called(self, value: ir.Expr, own: frozenset[str], inside: ir.Expr | None) -> None:
        function = self.functions[value.data]
        given = value.args if value.op is Op.CALL else ()
        names = {name for (name, _), part in zip(function.parameters, given, strict=False) if _named(_strip(part), own)}
        for expression in ir.expressions(function.body):
            self._read(expression, frozenset(names), inside or value)


def _root(target: ir.Place) -> Root:
    return target.state, target.root


def _named(value: ir.Expr, names: frozenset[str] | set[str]) -> bool:
    return value.op is Op.LOCAL and value.data in names


def _strip(value: ir.Expr) -> ir.Expr:
    while value.op in (Op.FIT, Op.COERCE, Op.NARROW):
        value = value.args[0]
    return value


def reads_place(value: ir.Expr, target: ir.Place) -> bool:
    """Whether an expression is exactly the old value of a place."""
    value = _strip(value)
    for selector in reversed(target.selectors):
        if value.op not in (Op.LOOKUP, Op.INDEX) or value.args[1] != selector:
            return False
        value = _strip(value.args[0])
    return value.op is (Op.STATE if target.state else Op.LOCAL) and value.data == target.root


def _path(value: ir.Expr) -> tuple[Root | None, tuple[ir.Expr, ...], list[bool]]:
    """The variable that an expression looks into, its selectors, and which of them index lists."""
    steps: list[tuple[ir.Expr, bool]] = []
    while value.op in (Op.LOOKUP, Op.INDEX, Op.NARROW, Op.COERCE):
        if value.op in (Op.LOOKUP, Op.INDEX):
            steps.append((value.args[1], value.op is Op.INDEX))
        value = value.args[0]
    root = (value.op is Op.STATE, str(value.data)) if value.op in (Op.STATE, Op.LOCAL) else None
    steps.reverse()
    return root, tuple(selector for selector, _ in steps), [in_list for _, in_list in steps]


def _direct(statement: ir.Stmt) -> list[ir.Expr]:
    """The expressions of a statement itself, without those of the statements inside it."""
    match statement:
        case ir.Assign(target=target, value=value):
            return [*target.selectors, value]
        case ir.Mutate(target=target, args=args):
            return [*target.selectors, *args]
        case ir.If(condition=condition) | ir.Assert(condition=condition):
            return [condition]
        case ir.Loop(source=source):
            return [source]
        case ir.Return(value=value):
            return [] if value is None else [value]
        case ir.Require() | ir.Within() | ir.Scope() | ir.Continue() | ir.Break():
            return []
        case _:
            assert_never(statement)
