"""Which steps of a trace lead to its violation, and which values the violation rests on.

A step belongs to the causal past of a violation if influence can have flowed from it (Lamport 1978, "Time, Clocks, and
the Ordering of Events"): along a lane, along a message, or through a place of the state that no lane owns and that both
steps write. The search goes backwards from the steps that set what the property reads. A step that changed and sent
nothing passes no influence on, so it and the messages it took stay outside.

A trace does not say what a step read. So the past is drawn from what steps wrote, sent and received: a guide for the
eye, not a proof that the other steps could be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.kinds import INDUCTION
from quorate.report.values import show
from quorate.trace import Change, Step, Trace

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
    """`past` are the steps in the causal past, None if nothing singles one out: then all are equal.

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
    ends = {len(trace.steps)} if trace.kind in ("invariant", "step", "error", INDUCTION) and trace.steps else set()
    if not decisive:
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
    before = _influences(trace)
    past: set[int] = set()
    waiting = sorted(seeds)
    while waiting:
        index = waiting.pop()
        if index not in past:
            past.add(index)
            waiting += sorted(before[index] - past)
    return past


def _influences(trace: Trace) -> dict[int, set[int]]:
    """For each step, the earlier ones that can have influenced it directly."""
    before: dict[int, set[int]] = {}
    writer: dict[tuple[str, str], int] = {}
    sender: dict[str, int] = {}
    for step in trace.steps:
        touched = _touched(step, is_environment(trace, step))
        before[step.index] = {writer[key] for key in touched if key in writer}
        before[step.index] |= {sender[message.id] for message in step.received if message.id in sender}
        if step.changes or step.sent:
            writer |= dict.fromkeys(touched, step.index)
        sender |= {message.id: step.index for message in step.sent}
    return before


def _touched(step: Step, environment: bool) -> list[tuple[str, str]]:
    """The lanes and unowned places that a step reads and writes as far as the trace shows."""

    def owner(change: Change) -> tuple[str, str]:
        return ("lane", change.lane) if change.lane is not None else ("place", place_of(change))

    own = [] if environment else [("lane", step.lane)]
    return [*own, *(owner(change) for change in step.changes)]
