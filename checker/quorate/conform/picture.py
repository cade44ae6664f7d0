"""The run up to the event that does not fit, as a trace that can be drawn."""

from __future__ import annotations

from quorate.conform.logs import Event
from quorate.conform.matching import Matching
from quorate.conform.told import Instance, Misfit
from quorate.conform.wide.system import Wide
from quorate.explore.engine import Finding
from quorate.explore.traces.tracing import trace
from quorate.kinds import CONFORM
from quorate.language.system import State, System
from quorate.trace import Trace, Witness

Past = tuple[tuple[State, Instance | None, Event | None], ...]
"""Steps, each with the state before it and its event; None for a silent step, no instance for an event that changes nothing."""

INITIAL_MAX = 20_000
"""Characters of a state that is kept in the trace: a long run has a large one."""


def draw(matching: Matching, past: Past, misfit: Misfit, event: Event) -> Trace | None:
    """The last steps of a run that fits, and the step that the specification takes instead of the event; None if there is nothing
    to draw. Values are told as expected (`spec`) and as observed (`log`)."""
    system = matching.system
    steps = [(before, instance) for before, instance, _ in past if instance is not None]
    if misfit.is_effect and misfit.instance is not None:
        before = _last_state(matching, past)
        if before is not None:
            steps.append((before, misfit.instance))
    if not steps:
        return None
    finding = Finding("run", None, (), tuple(instance for _, instance in steps))
    drawn = trace(system, finding, system.name, None, steps[0][0])
    return left(drawn, system, misfit, f"{event.name} ({event.place})", "log")


def left(drawn: Trace, system: System, misfit: Misfit, what: str, who: str) -> Trace:
    """A run as that of a program (`who` it is told by) which leaves its specification with `what`."""
    witnesses = []
    for difference in misfit.differences:
        if misfit.is_effect:
            witnesses.append(Witness(f"spec: {difference.name}", difference.expected))
            witnesses.append(Witness(f"{who}: {difference.name}", difference.observed))
        else:
            witnesses.append(Witness(difference.name, difference.expected))
    return drawn.but(
        kind=CONFORM,
        property=what,
        sentence=misfit.reason,
        witnesses=tuple(witnesses),
        bounds={sort.__name__: sort.bound for sort in system.closed} if isinstance(system, Wide) else system.bounds,
        initial=drawn.initial if len(repr(drawn.initial)) <= INITIAL_MAX else {},
        given=(),
    )


def _last_state(matching: Matching, past: Past) -> State | None:
    """The state that the past leads to."""
    if not past:
        found = list(matching.initial())
        return found[0] if len(found) == 1 else None
    before, instance, _ = past[-1]
    return before if instance is None else matching.fire(before, *instance)
