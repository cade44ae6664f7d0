"""What exploring says of every safety property on its own: the length of a shortest violation, by plain breadth-first search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quorate.language.control import Cut
from quorate.language.system import Failure, Method, State, System

SAFETY = ("invariant", "lemma", "step")
ERROR = "an error"
"""The key under which an action that raises an error is found."""


@dataclass
class Explored:
    """The shortest violations by property, of the first `depth` levels; `complete` if there are no more."""

    violated: dict[str, int] = field(default_factory=dict)
    depth: int = 0
    states: int = 0
    complete: bool = False
    seen: set[State] = field(default_factory=set)

    def found(self, name: str, depth: int) -> None:
        """Take down a violation, unless there is a shorter one."""
        self.violated.setdefault(name, depth)


def explored(system: System, depth_max: int, states_max: int) -> Explored:
    """Explore within limits. Levels are looked at as a whole or not at all. Raises Failure if @init fails."""
    result = Explored()
    with system:
        properties = [method for kind in SAFETY for method in system.of(kind)]
        states = [method for method in properties if method.declaration.kind != "step"]
        steps = [method for method in properties if method.declaration.kind == "step"]
        level = list(dict.fromkeys(state for _, state in system.initial()))
        result.seen.update(level)
        while level:
            for state in level:
                _judge(system, states, state, None, result, result.depth)
            result.states = len(result.seen)
            if result.depth == depth_max or result.states > states_max:
                return result
            level = [after for state in level for after in _after(system, steps, state, result)]
            result.depth += bool(level)
    result.complete = True
    return result


def _after(system: System, steps: Sequence[Method], state: State, result: Explored) -> list[State]:
    """The new states after a state; errors and steps that are forbidden are taken down."""
    found = []
    for action in system.actions:
        for arguments in system.choices(action.parameters):
            try:
                successor = system.fire(state, action, arguments)
            except Cut:
                continue
            except Failure:
                result.found(ERROR, result.depth + 1)
                continue
            if successor is not None:
                _judge(system, steps, successor.state, state, result, result.depth + 1)
                if successor.state not in result.seen:
                    result.seen.add(successor.state)
                    found.append(successor.state)
    return found


def _judge(
    system: System, properties: Sequence[Method], state: State, old: State | None, result: Explored, depth: int
) -> None:
    for method in properties:
        if method.name in result.violated:
            continue
        for arguments in system.choices(method.parameters):
            try:
                good = system.evaluate(method, state, arguments, old)
            except Failure:
                good = False
            if not good:
                result.found(method.name, depth)
                break
