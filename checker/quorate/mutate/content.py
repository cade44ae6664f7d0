"""The content of a model as text: two specifications with the same text do the same, whatever their classes are called.

Where a node stands is left out. Sets are in order, so that every process writes the same text.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from quorate.language.system import Method, Variable
from quorate.language.types import BoolType, WireType
from quorate.model import nodes as ir
from quorate.model.nodes import Op
from quorate.model.rebuilding import rebuilt
from quorate.mutate.protocol import IN_MUTANT


def content(model: ir.Model) -> str:
    """What a model's runs and properties are, as a digest."""
    parts = [
        plain(model.system.bounds),
        *map(_variable, model.variables),
        plain(model.init),
        *map(plain, model.actions),
        *(plain(one) for one in (*model.properties, *model.constraints)),
        *(f"{key}: {plain(one)}" for key, one in sorted(model.functions.items())),
        *(one.__name__ for one in model.symmetric),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _variable(variable: Variable) -> str:
    default = None if isinstance(variable.type, WireType) else variable.default  # A wire's is its type.
    return f"{variable.name}: {plain(variable.type)} = {plain(default)}"


TRUE = ir.Expr(Op.CONST, BoolType(), (), True)


def doing(model: ir.Model) -> str:
    """What the actions of a model do, as a digest: a method that is always true says nothing, wherever it stands and whatever it is
    called."""
    actions = (_with_functions(model, action) for action in model.actions)
    return hashlib.sha256("\n".join(actions).replace(IN_MUTANT, "").encode()).hexdigest()


def _with_functions(model: ir.Model, action: ir.Action) -> str:
    """An action, and the functions that it calls, in the order of calls."""

    def change(node: Any) -> Any:
        if isinstance(node, ir.Expr) and node.op is Op.CALL and _is_always_true(model.functions[node.data]):
            return TRUE
        if isinstance(node, ir.Expr) and node.op is Op.AND and TRUE in node.args:
            left = tuple(part for part in node.args if part != TRUE)
            return TRUE if not left else left[0] if len(left) == 1 else replace(node, args=left)
        return None if isinstance(node, ir.Require) and node.condition == TRUE else node

    body = rebuilt(action.body, change)
    called: dict[str, tuple[ir.Stmt, ...]] = {}
    pending = [body]
    while pending:
        for outer in ir.expressions(pending.pop()):
            for node in outer.walk():
                if node.op in (Op.CALL, Op.LINEARIZABLE) and node.data not in called:
                    called[node.data] = rebuilt(model.functions[node.data].body, change)
                    pending.append(called[node.data])
    return plain((action.name, action.method.declaration, action.parameters, body, called))


def _is_always_true(function: ir.Function) -> bool:
    match function.body:
        case (ir.Return(value=ir.Expr(op=Op.CONST, data=True)),):
            return True
    return False


def plain(value: Any) -> str:
    """A part of a model as text."""
    if isinstance(value, Method):
        return f"{value.name} {value.declaration}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if is_dataclass(value) and not isinstance(value, type):
        told = (f"{one.name}={plain(getattr(value, one.name))}" for one in fields(value) if one.compare)
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(map(plain, value)))}}}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(plain, value))})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{plain(key)}: {plain(part)}' for key, part in value.items())}}}"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)
