"""How full containers can become in so many steps: what need not be encoded.

A bounded check of ten steps needs no room for forty messages, and no look at whether there is room, if no step sends
more than three. Only variables are considered that are containers themselves, to which elements are added one by one, and
whose bound is that of no other container (the inner one of a list of sets has the bound of the outer one, unless it is
given another); everything else keeps its capacity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from quorate.language.types import ChannelsType, ListType, Type
from quorate.language.types.base import Bounded
from quorate.model import nodes as ir
from quorate.model.nodes import Change

GROWING = (Change.ADD, Change.APPEND, Change.SEND)


def room(model: ir.Model, depth: int) -> dict[str, int]:
    """For the containers that cannot be full before the last of `depth` steps, by the names of their bounds: the most
    elements that they can have after it."""
    initial = Counter[str]() if model.init is None else _added(model.init.body)
    step = Counter[str]()
    for action in model.actions:
        step |= _added(action.body)
    assigned = {statement.target.root for statement in _changes(model) if isinstance(statement, ir.Assign)}
    found, shared = {}, _shared(model)
    for variable in model.variables:
        kind = variable.type
        if not isinstance(kind, Bounded) or isinstance(kind, ChannelsType) or kind.bound != variable.name:
            continue
        if kind.bound in shared:
            continue
        default = kind.zero() if variable.default is None else variable.default
        most = len(default) + initial[variable.name] + depth * step[variable.name]
        if variable.name not in assigned and kind.capacity is not None and most <= kind.capacity:
            found[kind.bound] = most
    return found


def relevant(model: ir.Model, judged: Sequence[ir.Property], room: Mapping[str, int]) -> frozenset[str]:
    """The variables on which it depends what the actions do and whether these properties hold.

    The others are containers to which elements are added, and at which nobody looks: a history, say, if no property asks
    about it.
    """
    bodies = (*model.actions, *((model.init,) if model.init is not None else ()), *judged, *model.constraints)
    read = frozenset[str]().union(*(body.reads for body in bodies))
    only_grow = {variable.name for variable in model.variables if variable.name in room}
    only_grow -= {
        statement.target.root
        for statement in _changes(model)
        if isinstance(statement, ir.Assign) or statement.change not in GROWING
    }
    return read | {variable.name for variable in model.variables if variable.name not in only_grow}


def _shared(model: ir.Model) -> set[str]:
    """The bounds that containers have which are no variable: parts of others, parameters, and locals."""
    inner = [part for variable in model.variables for part in list(variable.type.walk())[1:]]
    bodies = (
        *model.actions,
        *((model.init,) if model.init is not None else ()),
        *model.properties,
        *model.constraints,
    )
    parameters = (kind for body in (*bodies, *model.functions.values()) for _, kind in body.parameters)
    inner += [part for kind in parameters for part in kind.walk()]
    for action in bodies:
        for statement in ir.statements(action.body):
            if isinstance(statement, ir.Mutate) and not (statement.target.state and not statement.target.selectors):
                inner.append(statement.target.type)
    return {part.bound for part in inner if isinstance(part, Bounded)}


def _changes(model: ir.Model) -> Iterator[ir.Assign | ir.Mutate]:
    """The statements that change the state."""
    for action in (*model.actions, *((model.init,) if model.init is not None else ())):
        yield from (change for change in ir.changes(action.body) if change.target.state)


def _added(body: tuple[ir.Stmt, ...]) -> Counter[str]:
    """The most elements that a body can add to each variable."""
    found = Counter[str]()
    for statement in body:
        match statement:
            case ir.Mutate(change=change, target=target):
                if change in GROWING and target.state and not target.selectors:
                    found[target.root] += 1
            case ir.If(then=then, otherwise=otherwise):
                found += _added(then) | _added(otherwise)
            case ir.Loop(source=source, body=inner):
                rounds = _rounds(source.type)
                found += Counter({name: rounds * count for name, count in _added(inner).items()})
            case ir.Scope(body=inner):
                found += _added(inner)
            case ir.Assign() | ir.Require() | ir.Within() | ir.Assert() | ir.Return() | ir.Continue() | ir.Break():
                pass
            case _:
                assert_never(statement)
    return found


def _rounds(kind: Type) -> int:
    """The most elements that a loop's source can have."""
    if isinstance(kind, ChannelsType):
        return kind.capacity * len(kind.pairs)
    assert isinstance(kind, Bounded)
    if isinstance(kind, ListType) or kind.capacity is not None:
        return kind.capacity or 0
    return kind.children()[0].cardinality
