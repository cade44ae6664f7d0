"""The content of a model as text: two specifications with the same text do the same, whatever their classes are called.

Where a node stands is left out. Sets are in order, so that every process writes the same text.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from quorate.language.system import Method, Variable
from quorate.language.types import WireType
from quorate.model.nodes import Action, Function, Model, Op, expressions


def content(model: Model) -> str:
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


def same_actions(one: Model, other: Model) -> bool:
    """Whether two models of the same types have the same actions, beginnings aside."""
    return [_with_functions(one, action) for action in one.actions] == [
        _with_functions(other, action) for action in other.actions
    ]


def _with_functions(model: Model, action: Action) -> tuple[Any, ...]:
    called: dict[str, Function] = {}
    pending = [action.body]
    while pending:
        for outer in expressions(pending.pop()):
            for node in outer.walk():
                if node.op in (Op.CALL, Op.LINEARIZABLE) and node.data not in called:
                    called[node.data] = model.functions[node.data]
                    pending.append(called[node.data].body)
    return action.name, action.method.declaration, action.parameters, action.ranges, action.body, called


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
