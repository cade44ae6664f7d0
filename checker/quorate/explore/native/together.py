"""Models that differ in a few actions, compiled as one.

Most of what a small model takes to compile goes into the engine, the properties and the symmetry, and all of that is the same for
specifications that have the same variables, properties and initial states. So their actions stand side by side in one program, each that
several of them have but once, and a *plan* for each says which are its own, in its order. The engine is told the plan before it runs;
what it says has the numbers that actions have in the plan, as if the model stood alone. An ordinary model has no plans, and its C is
untouched.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quorate.explore.limits import SAVINGS
from quorate.explore.native.library import Library, compile_model
from quorate.explore.native.render import Rendered, Unsupported, render
from quorate.explore.native.render.properties import LEFT_OUT_MAX
from quorate.explore.native.search import lend
from quorate.kinds import INVARIANTS, SAFETY, STEPS
from quorate.language.sorts import Scalarset
from quorate.language.system import State, System
from quorate.model import nodes as ir
from quorate.model.rebuilding import rebuilt

Plan = tuple[int, ...]
"""The actions of one model, by their numbers among all."""


@dataclass(frozen=True)
class Together:
    """Compiled models, one of which can be explored at a time."""

    models: Sequence[ir.Model]
    plans: Sequence[Plan]
    rendered: Rendered
    c: ctypes.CDLL
    sorts: tuple[type[Scalarset], ...]

    def choose(self, number: int, system: System | None = None) -> None:
        """Let the system of a model be explored by this, or `system`: the same without some invariants and steps. What was chosen before
        must not be used any more. Raises Unsupported if that many properties cannot be told apart."""
        model = self.models[number]
        system = system or model.system
        kept = {method.name for method in system.of(*SAFETY)}
        self.c.quorate_choose(number, _left_out(model.of(*INVARIANTS), kept), _left_out(model.of(*STEPS), kept))
        own = tuple(self.rendered.parameters[position] for position in self.plans[number])
        padded = own + ((),) * (
            len(self.rendered.parameters) - len(own)
        )  # The engine counts for as many actions as there are.
        lend(system, self.sorts, list(system.initial()), Library(replace(self.rendered, parameters=padded), self.c))


def _left_out(properties: Sequence[ir.Property], kept: Collection[str]) -> ctypes.c_uint64:
    """The properties that are not kept, as bits."""
    bits = sum(1 << number for number, prop in enumerate(properties) if prop.name not in kept)
    if bits >> LEFT_OUT_MAX:
        raise Unsupported(f"a property left out that is not among the first {LEFT_OUT_MAX}")
    return ctypes.c_uint64(bits)


def compiled_together(
    models: Sequence[ir.Model], initial: Sequence[State], sorts: tuple[type[Scalarset], ...]
) -> Together:
    """Compile models with the same variables, properties and initial states. Raises Unsupported, NoCompiler and CompileFailed.

    Use it inside the configuration of one of them."""
    merged, plans = merge(models)
    rendered = render(merged, initial, sorts, SAVINGS, plans)
    return Together(models, plans, rendered, compile_model(merged.name, rendered.source), sorts)


def merge(models: Sequence[ir.Model]) -> tuple[ir.Model, list[Plan]]:
    """One model with the actions of all, and the plan of each."""
    first = models[0]
    functions, actions = dict(first.functions), list(first.actions)
    by_name: dict[str, list[int]] = {}
    for position, action in enumerate(actions):
        by_name.setdefault(action.name, []).append(position)
    plans: list[Plan] = [tuple(range(len(actions)))]
    for model in models[1:]:
        names = _Names(model, functions)
        plan: list[int] = []
        for action in model.actions:
            fresh = _calling(action, names)
            known = by_name.setdefault(action.name, [])
            found = next((position for position in known if _same(actions[position], fresh)), None)
            if found is None:
                found = len(actions)
                known.append(found)
                actions.append(fresh)
            plan.append(found)
        plans.append(tuple(plan))
    return replace(first, actions=tuple(actions), functions=functions), plans


def _same(one: ir.Action, other: ir.Action) -> bool:
    """Whether two actions do the same: their methods are those of different classes."""
    return one.method.declaration == other.method.declaration and replace(one, method=other.method) == other


class _Names(Mapping[str, str]):
    """What the functions of a model are called among all: as one that does the same, if there is one."""

    def __init__(self, model: ir.Model, functions: dict[str, ir.Function]) -> None:
        self._model, self._functions = model, functions
        self._known: dict[str, str] = {}

    def __getitem__(self, key: str) -> str:
        if key not in self._known:
            function = self._model.functions[key]
            fresh = replace(function, body=_calling(function.body, self))
            name, number = key, 1
            while name in self._functions and replace(self._functions[name], key=key) != fresh:
                number += 1
                name = f"{key}_of_{number}"
            self._functions.setdefault(name, replace(fresh, key=name))
            self._known[key] = name
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._model.functions)

    def __len__(self) -> int:
        return len(self._model.functions)


def _calling(value: Any, names: Mapping[str, str]) -> Any:
    """A part of a model that calls functions by other names."""

    def change(node: Any) -> Any:
        if isinstance(node, ir.Expr) and node.op in ir.CALLS and names[node.data] != node.data:
            return replace(node, data=names[node.data])
        return node

    return rebuilt(value, change)
