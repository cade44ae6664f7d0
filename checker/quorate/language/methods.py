"""What a spec consists of, once its bounds are chosen: variables, and methods with typed parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quorate.language.declarations import Declaration
from quorate.language.types import Type


@dataclass(frozen=True)
class Variable:
    """A state variable."""

    name: str
    type: Type
    default: Any


@dataclass(frozen=True)
class Parameter:
    """A parameter of an action or property; it ranges over its type."""

    name: str
    type: Type


@dataclass(frozen=True)
class Method:
    """A declared method: an action, @init, or a property. The `function` of a @mapping is the property that it stands for, of the
    state after a step and the one before; `mapping` is the author's."""

    name: str
    declaration: Declaration
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    mapping: Callable[..., None] | None = None
    parts: tuple[Method, ...] = ()
    """Of several @init methods that are taken as one: these, in the order in which they run."""
    taken: Callable[[Any, Any, tuple[Any, ...]], bool] | None = None
    """Of a claim that fair runs are fair in the more abstract specification: whether a step from one state to another takes there what is
    demanded for the arguments. The `function` is that it is not possible."""

    def call(self, arguments: tuple[Any, ...]) -> str:
        """How a call of it with these arguments is written."""
        return f"{self.name}({', '.join(map(repr, arguments))})"

    @property
    def sentence(self) -> str:
        """The docstring's first paragraph on one line, or the name in words."""
        doc = inspect.getdoc(self.function)
        return " ".join(doc.split("\n\n")[0].split()) if doc else self.name.replace("_", " ")


def kept_positions(action: Method) -> tuple[int, ...]:
    """The positions of the parameters whose values tell the demands of a fair action apart."""
    per = action.declaration.fair_per
    if per == "instance":
        return tuple(range(len(action.parameters)))
    if per == "action":
        return ()
    return tuple(position for position, parameter in enumerate(action.parameters) if parameter.name in per)
