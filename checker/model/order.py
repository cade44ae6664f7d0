"""Loops over a set or over interchangeable identities must not depend on the order of their rounds.

This is what makes symmetry reduction sound, and every engine free to iterate as it likes. A body passes if each of
its effects commutes with itself across rounds: places indexed by the loop variable are disjoint, and so are messages
that carry it; adding to a set, sending, summing up and taking a maximum commute; assigning the same value again changes
nothing. Everything it reads must not be changed by another round.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from checker.errors import Location, OutsideSubset
from checker.language.types import ChannelsType, RecordType
from checker.model.conversion import limits
from checker.model.nodes import (
    Assign,
    Break,
    Change,
    Expr,
    If,
    Loop,
    Mutate,
    Op,
    Place,
    Require,
    Return,
    Scope,
    Stmt,
    statements,
)
from checker.model.source import Source

ADVICE = (
    "Write only to places indexed by the loop variable, add to sets, send, or sum up; pick a value with `the(...)`, `min`, `max`, "
    "`any` or `all`; or declare the sort as Ordered and range over `sorted(...)`."
)
COMMUTING = frozenset({Op.ADD, Op.UNION, Op.INTERSECT, Op.MAX, Op.MIN, Op.AND, Op.OR})


@dataclass
class _Effects:
    """How the rounds of a loop touch the variables outside it."""

    disjoint: dict[str, set[tuple[Expr, ...]]] = field(default_factory=dict)
    taken: dict[str, Expr] = field(default_factory=dict)
    """For each network, the message that a round takes off it: one that no other round takes."""
    shared: dict[str, object] = field(default_factory=dict)
    own_reads: set[int] = field(default_factory=set)


def check_unordered(source: Source, node: ast.For, loop: Loop, outer: frozenset[str]) -> None:
    """Raise OutsideSubset, at the offending line, if the rounds of `loop` may not commute. `outer` are the locals
    from before it.
    """

    def reject(found: str, location: Location | None) -> OutsideSubset:
        return OutsideSubset(found, ADVICE, location or source.location(node))

    effects = _Effects()
    returns: set[Expr | None] = set()
    for statement in statements(loop.body):
        match statement:
            case Break(location=location):
                raise reject("`break` stops at whichever comes first, and this loop has no order.", location)
            case Require(location=location):
                raise reject("`require` in a loop without an order.", location)
            case Return(value=value, location=location) if not _inside_scope(loop.body, statement):
                returns.add(value)
                if value is None or value.op is not Op.CONST or len(returns) > 1:
                    raise reject("This `return` may give another value for another order of the loop.", location)
            case Assign(target=target, value=value, location=location) if target.state or target.root in outer:
                _assign(effects, loop, target, value, location, reject)
            case Mutate(change=change, target=target, args=args, location=location) if (
                target.state or target.root in outer
            ):
                _mutate(effects, loop, change, target, args, location, reject)
    if returns and (effects.disjoint or effects.shared):
        raise reject("This loop both changes something and returns early.", loop.location)
    _check_reads(effects, loop, reject)


def _inside_scope(body: tuple[Stmt, ...], wanted: Stmt) -> bool:
    return any(
        isinstance(part, Scope) and any(inner is wanted for inner in statements(part.body)) for part in statements(body)
    )


def _mentions(value: Expr, name: str) -> bool:
    return value.op is Op.LOCAL and value.data == name


def _own(loop: Loop, selectors: tuple[Expr, ...]) -> bool:
    """Whether a place is indexed by the loop variable, so that different rounds have different places."""
    return any(
        _mentions(selector, loop.name)
        or (selector.op is Op.TUPLE and any(_mentions(part, loop.name) for part in selector.args))
        for selector in selectors
    )


def _strip(value: Expr) -> Expr:
    while value.op in (Op.FIT, Op.COERCE, Op.NARROW):
        value = value.args[0]
    return value


def _reads_place(value: Expr, target: Place) -> bool:
    """Whether an expression is exactly the old value of a place."""
    value = _strip(value)
    for selector in reversed(target.selectors):
        if value.op not in (Op.LOOKUP, Op.INDEX) or value.args[1] != selector:
            return False
        value = _strip(value.args[0])
    return value.op is (Op.STATE if target.state else Op.LOCAL) and value.data == target.root


def _assign(
    effects: _Effects, loop: Loop, target: Place, value: Expr, location: Location | None, reject: object
) -> None:
    if _own(loop, target.selectors):
        effects.disjoint.setdefault(target.root, set()).add(target.selectors)
        return
    bare = _strip(value)
    if bare.op in COMMUTING and len(bare.args) == 2 and _reads_place(bare.args[0], target):
        least = limits(bare.args[1].type)[0] if bare.op is Op.ADD and bare.type.__class__.__name__ == "IntType" else 0
        if least >= 0 or not target.state:
            _share(effects, target.root, bare.op, location, reject)
            effects.own_reads.update(id(part) for part in bare.args[0].walk())
            return
    if bare.op is Op.CONST:
        _share(effects, target.root, ("constant", target.selectors, bare.data), location, reject)
        return
    raise reject(f"{'self.' * target.state}{target.root} would hold the value of whichever round comes last.", location)  # type: ignore[operator]


def _mutate(
    effects: _Effects,
    loop: Loop,
    change: Change,
    target: Place,
    args: tuple[Expr, ...],
    location: Location | None,
    reject: object,
) -> None:
    if _own(loop, target.selectors):
        effects.disjoint.setdefault(target.root, set()).add(target.selectors)
        return
    queue = target.type
    if change in (Change.RECEIVE, Change.DROP) and not isinstance(queue, ChannelsType):
        message = _strip(args[0])
        if _carries(loop, message) and effects.taken.setdefault(target.root, message) == message:
            return
    commutes = change in (Change.ADD, Change.DISCARD, Change.CLEAR)
    if commutes or (change is Change.SEND and (not isinstance(queue, ChannelsType) or _own_channel(loop, args[0]))):
        _share(effects, target.root, change, location, reject)
    else:
        raise reject(f".{change}() in a loop without an order.", location)  # type: ignore[operator]


def _carries(loop: Loop, message: Expr) -> bool:
    """Whether a message is the loop variable or has it in a field, so that different rounds have different messages."""
    parts = message.args if message.op is Op.RECORD else (message,)
    return any(_mentions(_strip(part), loop.name) for part in parts)


def _own_channel(loop: Loop, message: Expr) -> bool:
    """Whether every round sends on a channel of its own."""
    message = _strip(message)
    if message.op is not Op.RECORD or not isinstance(message.type, RecordType):
        return False
    return any(
        name in ("source", "target") and _mentions(_strip(part), loop.name)
        for (name, _), part in zip(message.type.fields, message.args, strict=True)
    )


def _share(effects: _Effects, root: str, how: object, location: Location | None, reject: object) -> None:
    if effects.shared.setdefault(root, how) != how:
        raise reject(f"{root} is changed in two ways that do not commute.", location)  # type: ignore[operator]


def _check_reads(effects: _Effects, loop: Loop, reject: object) -> None:
    """Nothing that one round changes may be read by another."""
    for root in (effects.disjoint.keys() | effects.taken.keys()) & effects.shared.keys():
        raise reject(f"{root} is changed both for the loop variable and otherwise.", loop.location)  # type: ignore[operator]

    changed = effects.disjoint.keys() | effects.taken.keys() | effects.shared.keys()

    def visit(value: Expr) -> None:
        if id(value) in effects.own_reads:
            return
        if value.op in (Op.LOOKUP, Op.INDEX):
            root, selectors = _path(value)
            if root in effects.disjoint and _own(loop, selectors):
                for selector in selectors:
                    visit(selector)
                return
        if value.op is Op.IN and effects.taken.get(_path(value.args[1])[0]) == _strip(value.args[0]):
            return
        if value.op in (Op.STATE, Op.LOCAL) and value.data in changed:
            raise reject(f"{value.data} is read here and changed by other rounds of the loop.", value.location)  # type: ignore[operator]
        for child in value.children():
            visit(child)

    for statement in statements(loop.body):
        for expression in _direct(statement):
            visit(expression)


def _path(value: Expr) -> tuple[str, tuple[Expr, ...]]:
    selectors: list[Expr] = []
    while value.op in (Op.LOOKUP, Op.INDEX, Op.NARROW, Op.COERCE):
        if value.op in (Op.LOOKUP, Op.INDEX):
            selectors.append(value.args[1])
        value = value.args[0]
    root = value.data if value.op in (Op.STATE, Op.LOCAL) else ""
    return root, tuple(reversed(selectors))


def _direct(statement: Stmt) -> list[Expr]:
    """The expressions of a statement itself, without those of the statements inside it."""
    match statement:
        case Assign(target=target, value=value):
            return [*target.selectors, value]
        case Mutate(target=target, args=args):
            return [*target.selectors, *args]
        case If(condition=condition):
            return [condition]
        case Loop(source=source):
            return [source]
        case Return(value=value) if value is not None:
            return [value]
    return []
