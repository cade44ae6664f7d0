"""Of the shortest runs to a violation, one that changes seldom from process to process: it is easier to read.

A search gives the run that it meets first, in which steps that have nothing to do with each other stand in an order of chance.
Here stretches of steps in one lane are moved next to the nearest other stretch of their lane, as long as that makes fewer changes
of lane. A move is made only where CPython can take the steps in the new order and they lead to the same state: so the run is as
long as before, ends in the same state, and is one of the specification. The result depends on the run alone.

The run that is found this way cannot be made better by one such move; that no other has fewer changes is not promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from quorate.errors import TraceError
from quorate.explore.engine import Finding, Instance
from quorate.explore.traces.lanes import Lanes
from quorate.explore.traces.tracing import fired, initial_state
from quorate.kinds import CLAIMS, LIVENESS, STEPS, kind_of
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System

FIRED_MAX = 20_000
"""Steps that are tried at most: a second or two."""


def few_switches(system: System, finding: Finding) -> Finding:
    """A finding of the same violation, with the same steps in an order with few changes of lane. Call it inside the system's
    configuration. Lassos, and runs that show nothing about a last state, stay as they are."""
    if finding.loop is not None or finding.kind not in ORDERED or len(finding.steps) < 3:
        return finding
    last = 1 if finding.in_step or finding.kind in LAST_COUNTS else 0
    kept = len(finding.steps) - last
    run = _Run(system, initial_state(system, finding.initial_arguments), finding.steps[:kept], finding.steps[kept:])
    run.improve()
    return replace(finding, steps=(*run.steps, *finding.steps[kept:]))


LAST_COUNTS = tuple(kind_of(name).shown_as for name in STEPS)
"""Kinds that judge the last step, which therefore stays the last."""
ORDERED = (*(kind_of(name).shown_as for name in CLAIMS if name not in LIVENESS), "error", "deadlock")
"""Kinds of findings that a last state, or step, shows."""


class _Run:
    def __init__(self, system: System, start: State, steps: Sequence[Instance], end: Sequence[Instance]) -> None:
        self._system, self._lanes = system, Lanes(system)
        self._fired = 0
        self.steps, self._end = list(steps), list(end)
        self._states = [start, *self._through(start, steps)]

    def improve(self) -> None:
        """Move stretches while that helps."""
        while self._fired < FIRED_MAX and self._move():
            pass

    def _move(self) -> bool:
        """Make the first move that helps; whether there was one."""
        for order in self._orders():
            if self._fired >= FIRED_MAX:
                return False
            first = next(at for at, (old, new) in enumerate(zip(self.steps, order, strict=True)) if old is not new)
            last = max(at for at, (old, new) in enumerate(zip(self.steps, order, strict=True)) if old is not new)
            try:
                found = list(self._through(self._states[first], order[first : last + 1]))
            except (TraceError, Cut, Failure):
                continue
            if found[-1] == self._states[last + 1]:
                self.steps, self._states[first + 1 : last + 2] = order, found
                return True
        return False

    def _orders(self) -> Iterator[list[Instance]]:
        """The orders that one move makes and that have fewer changes of lane."""
        stretches = [list(group) for _, group in groupby(self.steps, key=self._lane)]
        lanes = [self._lane(stretch[0]) for stretch in stretches]
        now = self._changes(self.steps)
        for later, lane in enumerate(lanes):
            earlier = max((at for at in range(later) if lanes[at] == lane), default=None)
            if earlier is None:
                continue
            between = stretches[earlier + 1 : later]
            for middle in (
                [stretches[earlier], stretches[later], *between],
                [*between, *stretches[earlier : later + 1 : later - earlier]],
            ):
                order = [step for part in (*stretches[:earlier], *middle, *stretches[later + 1 :]) for step in part]
                if self._changes(order) < now:
                    yield order

    def _changes(self, steps: Sequence[Instance]) -> int:
        lanes = [self._lane(step) for step in (*steps, *self._end)]
        return sum(one != other for one, other in pairwise(lanes))

    def _lane(self, step: Instance) -> str:
        return self._lanes.of_step(*step)

    def _through(self, state: State, steps: Sequence[Instance]) -> Iterator[State]:
        """The states after each of these steps, from a state."""
        for step in steps:
            self._fired += 1
            state = fired(self._system, state, step).state
            yield state
