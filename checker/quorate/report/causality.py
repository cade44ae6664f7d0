"""Which steps of a trace lead to its violation, and which values the violation rests on.

A step belongs to the causal past of a violation if influence flowed from it (Lamport 1978, "Time, Clocks, and the Ordering of
Events"): it sent a message, or wrote a place of the state, that a later step of the past read before anyone wrote it again. The
search goes backwards from the steps that set what the property reads, and those that sent the messages on the wire that it
reads. A step that changed and sent nothing passes no influence on, so it and the messages it took stay outside.

What steps read is in the trace: they were run again by CPython when it was made. So what is outside was read by no step of the
past. The other way it says less: a set or list counts as read as a whole, also by a step that only adds to it.

A trace that does not tell what its steps read (one written by hand, or of an earlier day) has a past by what can be seen:
influence then flows along lanes, along messages, and through places that no lane owns and both steps write.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.kinds import INDUCTION, LIVENESS, UNJUDGED
from quorate.report.values import show
from quorate.trace import Change, Json, Step, Trace

NETWORK_LANES = ("", "net", "network", "env")
"""Lanes of steps that no process takes, unless the trace has such a lane."""

ENVIRONMENT_MARKS = ("loss", "partition", "heal")

Place = str


def is_environment(trace: Trace, step: Step) -> bool:
    """Whether no process takes this step: a loss, a partition, or something in a lane that is the network's.

    What sends or receives is a process, whatever it is called.
    """
    if step.sent or step.received:
        return False
    return step.mark in ENVIRONMENT_MARKS or (step.lane in NETWORK_LANES and step.lane not in trace.lanes)


def place_of(change: Change) -> Place:
    """The place that a change writes, `votedFor[s1]`."""
    return change.variable + "".join(f"[{show(key)}]" for key in change.key)


@dataclass(frozen=True)
class Causes:
    """`past` are the steps in the causal past, None if nothing singles one out: then all are equal. So it is with runs for ever:
    what they violate is that something does not happen, and a step that hinders it need not set anything that the property reads.

    `stressed` are the (step, place) pairs whose new values the violation rests on; `decisive` the steps that made them.
    """

    past: frozenset[int] | None
    stressed: frozenset[tuple[int, Place]]
    decisive: frozenset[int]


def causes(trace: Trace) -> Causes:
    """The causes of a trace's violation."""
    stressed = _stressed(trace)
    decisive = frozenset(index for index, _ in stressed) | {
        index for witness in trace.witnesses for index in witness.steps if 1 <= index <= len(trace.steps)
    }
    decisive |= {step.index for step in trace.steps if any(message.id in trace.looked_at for message in step.sent)}
    ends = {len(trace.steps)} if trace.kind in ("invariant", "step", "error", INDUCTION) and trace.steps else set()
    if not decisive or trace.kind in (*LIVENESS, UNJUDGED):
        return Causes(None, stressed, decisive)
    return Causes(frozenset(_past(trace, decisive | ends)), stressed, decisive)


def _stressed(trace: Trace) -> frozenset[tuple[int, Place]]:
    """The relevant changes whose values count.

    An invariant reads the last state only: of several relevant changes of one place the last counts, and those that a
    witness of that place names. A step property reads two states. A liveness property reads them all.
    """
    witnessed = {(witness.name.replace("self.", ""), index) for witness in trace.witnesses for index in witness.steps}
    relevant: dict[Place, list[int]] = {}
    for step in trace.steps:
        for change in step.changes:
            if change.relevant:
                relevant.setdefault(place_of(change), []).append(step.index)
    kept = {"invariant": 1, "error": 1, "reachable": 1, "step": 2, INDUCTION: 2}.get(trace.kind, len(trace.steps))
    return frozenset(
        (index, place)
        for place, indices in relevant.items()
        for index in (*indices[-kept:], *(index for index in indices if (place, index) in witnessed))
    )


def _past(trace: Trace, seeds: frozenset[int] | set[int]) -> set[int]:
    before = influences(trace)
    past: set[int] = set()
    waiting = sorted(seeds)
    while waiting:
        index = waiting.pop()
        if index not in past:
            past.add(index)
            waiting += sorted(before[index] - past)
    return past


def influences(trace: Trace) -> dict[int, set[int]]:
    """For each step, the earlier ones that have influenced it directly."""
    told = all(step.reads is not None for step in trace.steps)
    through = _through_places(trace) if told else _along_lanes(trace)
    sender: dict[str, int] = {}
    for step in trace.steps:
        taken = (*(message.id for message in (*step.received, *step.lost)), *step.looked_at)
        through[step.index] |= {sender[name] for name in taken if name in sender}
        sender |= {message.id: step.index for message in step.sent}
    return through


def _through_places(trace: Trace) -> dict[int, set[int]]:
    """For each step, those that last wrote what it read."""
    before: dict[int, set[int]] = {}
    writer: dict[tuple[str, ...], int] = {}
    takers: dict[str, list[int]] = {name: [] for name, value in trace.initial.items() if _wire(value)}
    for step in trace.steps:
        reads = [tuple(map(show, place)) for place in step.reads or ()]
        before[step.index] = {writer[place] for place in reads if place in writer}
        before[step.index] |= {index for place in reads for index in takers.get(place[0], ())}
        writer |= {(show(change.variable), *map(show, change.key)): step.index for change in step.changes}
        for name, indices in takers.items():
            if step.lost or (step.received and _wire(trace.initial[name]) != "set"):
                indices.append(step.index)
    return before


def _wire(value: Json) -> str | None:
    """The kind of a network; a variable that is a set may be one, too."""
    kinds = ("set", "bag", "channels")
    return next((kind for kind in kinds if isinstance(value, dict) and kind in value), None)


def _along_lanes(trace: Trace) -> dict[int, set[int]]:
    """For each step, the last before it in its lane, and those that last wrote a place which it writes and no lane owns."""
    before: dict[int, set[int]] = {}
    writer: dict[tuple[str, str], int] = {}
    for step in trace.steps:
        touched = _touched(step, is_environment(trace, step))
        before[step.index] = {writer[key] for key in touched if key in writer}
        if step.changes or step.sent:
            writer |= dict.fromkeys(touched, step.index)
    return before


def _touched(step: Step, environment: bool) -> list[tuple[str, str]]:
    """The lanes and unowned places that a step reads and writes as far as the trace shows."""

    def owner(change: Change) -> tuple[str, str]:
        return ("lane", change.lane) if change.lane is not None else ("place", place_of(change))

    own = [] if environment else [("lane", step.lane)]
    return [*own, *(owner(change) for change in step.changes)]
