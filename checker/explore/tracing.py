"""From a run to a `Trace`."""
from __future__ import annotations

from checker.explore.engine import Finding
from checker.language.system import State, System
from checker.trace import Change, Step, Trace


def trace(system: System, finding: Finding, spec: str, variant: str | None) -> Trace:
    """The trace of a finding."""
    state = next(state for arguments, state in system.initial() if arguments == finding.initial_arguments)
    initial = {v.name: v.type.to_json(x) for v, x in zip(system.variables, state, strict=True)}
    steps = []
    for index, (action, arguments) in enumerate(finding.steps, 1):
        if finding.in_step and index == len(finding.steps):
            after = state
        else:
            successor = system.fire(state, action, arguments)
            assert successor is not None
            after = successor.state
        named = {p.name: p.type.to_json(a) for p, a in zip(action.parameters, arguments, strict=True)}
        steps.append(Step(index, action.name, named, action.declaration.lane or "env", action.declaration.mark,
                          changes=_changes(system, state, after)))
        state = after
    return Trace(spec, variant, system.bounds, finding.kind, finding.method.name if finding.method else None,
                 finding.method.sentence if finding.method else "", (), initial, tuple(steps), loop=finding.loop)


def _changes(system: System, old: State, new: State) -> tuple[Change, ...]:
    return tuple(Change(v.name, (), v.type.to_json(a), v.type.to_json(b))
                 for v, a, b in zip(system.variables, old, new, strict=True) if a != b)
