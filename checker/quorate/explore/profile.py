"""What makes the states of a specification: from what an engine measured to names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from quorate.explore.engine import Covered
from quorate.language.system import System
from quorate.language.types import Type
from quorate.outcome import ActionShare, Profile, VariableShare


def profile(system: System, covered: Covered, reduced: bool) -> Profile:
    """The profile of what was covered and measured; `reduced` if states stood for orbits."""
    measured = covered.measured
    assert measured is not None
    actions = tuple(
        ActionShare(action.name, covered.actions.get(action.name, 0), new)
        for action, new in zip(system.actions, measured.new, strict=True)
    )
    variables = tuple(
        VariableShare(variable.name, str(variable.type), values, others, tuple(_bounds(variable.type, system.bounds)))
        for variable, values, others in zip(system.variables, measured.values, measured.others, strict=True)
    )
    initial = covered.levels[0] if covered.levels else 0
    return Profile(covered.states, initial, actions, variables, reduced)


def _bounds(kind: Type, known: Collection[str]) -> Iterator[str]:
    """The bounds that a type depends on, in the order in which they are known."""
    names, pending = set(), [kind]
    while pending:
        part = pending.pop()
        names |= {getattr(getattr(part, "sort", None), "__name__", ""), getattr(part, "bound", "")}
        pending += part.children()
    return (name for name in known if name in names)
