"""A search so plain that it can be checked by reading: what the reference engine is compared with.

It knows no collections to range over, no remembered permutations, no numbering of states: dictionaries and loops only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations, product

from quorate.language.control import Cut
from quorate.language.system import State, System
from quorate.language.types import Renaming


@dataclass
class Naive:
    """What plain breadth-first search finds; `too_large` if it gave up."""

    distance: dict[State, int] = field(default_factory=dict)
    transitions: int = 0
    cuts: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    violated: tuple[int, str] | None = None
    too_large: bool = False


def explore(system: System, states_max: int) -> Naive:
    """All states, level by level. Stops after the level in which an invariant or step property is violated."""
    found = Naive()
    level: list[State] = []
    for _, state in system.initial():
        found.transitions += 1
        if state not in found.distance:
            found.distance[state] = 0
            level.append(state)
            judge(system, found, state, 0)
    depth = 0
    while level and found.violated is None and not found.too_large:
        depth += 1
        following: list[State] = []
        for state in level:
            for action in system.actions:
                for arguments in system.choices(action.parameters):
                    try:
                        successor = system.fire(state, action, arguments)
                    except Cut as cut:
                        found.cuts[cut.bound] = found.cuts.get(cut.bound, 0) + 1
                        continue
                    if successor is None:
                        continue
                    found.transitions += 1
                    found.actions[action.name] = found.actions.get(action.name, 0) + 1
                    for method in system.of("step"):
                        if not all(
                            system.evaluate(method, successor.state, chosen, state)
                            for chosen in system.choices(method.parameters)
                        ):
                            found.violated = found.violated or (depth, method.name)
                    if successor.state not in found.distance:
                        found.distance[successor.state] = depth
                        following.append(successor.state)
                        judge(system, found, successor.state, depth)
        level = following
        found.too_large = len(found.distance) > states_max
    return found


def judge(system: System, found: Naive, state: State, depth: int) -> None:
    """Note the first invariant that is false in a state."""
    for method in system.of("invariant", "lemma"):
        if not all(system.evaluate(method, state, arguments) for arguments in system.choices(method.parameters)):
            found.violated = found.violated or (depth, method.name)


def orbit(system: System, state: State, sorts: tuple[type, ...]) -> tuple[int, ...]:
    """The codes of the least renaming of a state."""
    return min(
        tuple(
            variable.type.encode(variable.type.permute(value, Renaming(dict(zip(sorts, names, strict=True)))))
            for variable, value in zip(system.variables, state, strict=True)
        )
        for names in product(*(permutations(sort.members()) for sort in sorts))
    )
