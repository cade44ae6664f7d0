"""What is lost in a restart: for each variable of a process, a restart that finds it as it was in the beginning.

Where the specification has an action marked as a restart, that one forgets; where it has none, there is one besides that forgets this
variable and nothing else: what a process must keep on disk is a question to every protocol.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from quorate.explore.traces.lanes import Lanes
from quorate.language.control import require
from quorate.language.declarations import Declaration
from quorate.language.system import Method, Variable
from quorate.language.types import IdentityType, MapType, PartialMapType, Type, WireType
from quorate.language.written import free_name, written
from quorate.mutate.protocol import Protocol, Written
from quorate.mutate.text import Edit, Span
from quorate.mutate.zeros import zero

COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


@dataclass(frozen=True)
class Loss:
    """A variable that is forgotten: by a restart of the specification, with an `edit` of it, or by an `action` besides."""

    variable: str
    span: Span
    says: str
    restart: Written | None = None
    edit: Edit | None = None
    action: FunctionType | None = None


def losses(protocol: Protocol) -> Iterator[Loss]:
    """All of them, in the order of variables. Use it inside the system's configuration."""
    restarts = [
        (method, protocol.methods[method.name])
        for method in protocol.system.actions
        if method.declaration.mark == "restart" and method.name in protocol.methods
    ]
    restarted: set[Any] = set()
    for action, method in restarts:
        sorts = {parameter.type.sort: parameter.name for parameter in action.parameters if _is_process(parameter.type)}
        restarted |= set(sorts)
        for variable in protocol.system.variables:
            if _is_overwritten(variable.name, method) or not (sorts or variable.name in _of_lane(protocol, action)):
                continue
            place = _place(variable, method, sorts)
            span = _declaration(protocol, variable.name)
            edit = None if place is None else _insertion(protocol, method, place)
            if span is not None and edit is not None:
                yield Loss(variable.name, span, f"is forgotten in {method.name}", method, edit)
    lanes = [sort for sort in Lanes(protocol.system).sorts if sort not in restarted]
    for variable in protocol.system.variables:
        kind = variable.type
        if isinstance(kind, MapType) and _is_process(kind.key) and kind.key.sort in lanes:
            span, forgets = _declaration(protocol, variable.name), _restart(protocol, variable)
            if span is not None and forgets is not None:
                yield Loss(variable.name, span, f"is lost when {_one(kind.key.sort.__name__)} restarts", action=forgets)


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _is_process(kind: Type) -> bool:
    return isinstance(kind, IdentityType)


def _place(variable: Variable, restart: Written, sorts: dict[Any, str]) -> str | None:
    """The assignment that forgets a variable of the process that restarts; of one that stands alone, all of it."""
    own, kind = restart.own, variable.type
    if not sorts and not isinstance(kind, MapType | WireType):
        nothing = zero(kind, restart.names)
        return None if nothing is None else f"{own}.{variable.name} = {nothing}"
    if isinstance(kind, PartialMapType) and _is_process(kind.key) and kind.key.sort in sorts:
        return f"{own}.{variable.name}.pop({sorts[kind.key.sort]}, None)"
    if isinstance(kind, MapType) and _is_process(kind.key) and kind.key.sort in sorts:
        nothing = zero(kind.value, restart.names)
        return None if nothing is None else f"{own}.{variable.name}[{sorts[kind.key.sort]}] = {nothing}"
    return None


def _is_overwritten(name: str, restart: Written) -> bool:
    """Whether a restart gives a variable a value of its own, so that nothing of it survives."""
    after = [statement for statement in restart.body if not _is_guard(statement)]
    given = [
        target.value if isinstance(target, ast.Subscript) else target
        for statement in after
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]
    mentioned = [
        node
        for statement in after
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and node.attr == name
    ]
    return bool(mentioned) and all(node in given for node in mentioned)


def _of_lane(protocol: Protocol, restart: Method) -> set[str]:
    """The variables that the actions of a restart's lane assign: those of the process that the lane is."""
    lane = [one.name for one in protocol.system.actions if one.declaration.lane == restart.declaration.lane]
    return {
        target.attr
        for name in lane
        if name in protocol.methods
        for node in ast.walk(protocol.methods[name].node)
        for target in _changed(node)
    }


def _changed(node: ast.AST) -> Iterator[ast.Attribute]:
    """What a statement changes of the state, as an attribute."""
    match node:
        case ast.Assign(targets=targets):
            yield from (target for target in targets if isinstance(target, ast.Attribute))
        case ast.AugAssign(target=ast.Attribute() as target):
            yield target
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute() as target))):
            yield target


def _insertion(protocol: Protocol, restart: Written, assignment: str) -> Edit | None:
    """The assignment behind the guards, where nothing has read the variable yet."""
    guards = 0
    while guards < len(restart.body) - 1 and _is_guard(restart.body[guards]):
        guards += 1
    first = restart.body[guards]
    if not isinstance(first, COMPOUND):
        span = protocol.text.span(first)
        return Edit(Span(span.line, span.column, span.line, span.column), f"{assignment}; ")
    if guards:
        span = protocol.text.span(restart.body[guards - 1])
        return Edit(Span(span.end_line, span.end_column, span.end_line, span.end_column), f"; {assignment}")
    return None


def _is_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="require"))):
            return True
    return False


def _restart(protocol: Protocol, variable: Variable) -> FunctionType | None:
    """An action that forgets a variable of one process."""
    kind = variable.type
    assert isinstance(kind, MapType)
    names = next(iter(protocol.methods.values())).names if protocol.methods else {}
    nothing = zero(kind.value, names)
    if nothing is None or isinstance(kind, PartialMapType):
        return None
    name = free_name(protocol.spec, "restart")
    head = f"def {name}(self, process):\n    "
    body = f"require(self.{variable.name}[process] != {nothing})\n    self.{variable.name}[process] = {nothing}\n"
    file = f"<a restart that forgets {variable.name} of {protocol.system.name}>"
    made: FunctionType = written(name, head + body, file, {**names, "require": require})
    made.__annotations__ = {"process": kind.key.sort, "return": None}
    made.__doc__ = f"A process crashes, and comes back without its {variable.name}."
    made.__qualname__ = f"{protocol.spec.__qualname__}.{name}"
    made.__quorate__ = Declaration("action", mark="restart")  # type: ignore[attr-defined]
    return made


def _declaration(protocol: Protocol, name: str) -> Span | None:
    """Where the file declares a variable."""
    classes = {base.__name__ for base in protocol.spec.__mro__}
    for found in ast.walk(protocol.text.tree):
        if isinstance(found, ast.ClassDef) and found.name in classes:
            for statement in found.body:
                match statement:
                    case ast.AnnAssign(target=ast.Name(id=known) as target) if known == name:
                        return protocol.text.span(target)
    return None
