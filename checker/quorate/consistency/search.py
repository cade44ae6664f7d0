"""The search for a legal order of operations that lie in lanes.

**The problem.** Operations are split into *lanes*; within a lane they keep their order. An order takes operations off
the fronts of the lanes, one at a time, each legal in the state that the ones before it made, until all answered
operations are taken; pending ones may stay. Under `real_time` a front may be taken only if it was invoked before the
earliest return among all fronts, since an operation that had returned by then must come first (Wing & Gong 1993). That
is *just-in-time* linearization (Lowe 2017, section 5): nothing is taken unless it overlaps the answered operation that
is due next.

**Why it is fast.** The configurations (the lanes' positions and the state) that led nowhere are remembered and never
entered again (Lowe's cache), and:

- What the model knows about every linearization (`Model.must_precede`) forbids fronts whose turn has not come.
- A query that is legal now is taken at once and never reconsidered: it leaves the state alone and only makes room.
- The front that returns first is tried first, since it is due first.
- Under `real_time`, lanes are not the processes but as few as fit (`pack`), so that configurations are short; and
  pending operations that are equal share a lane: whatever order takes a later one may take the earliest untaken one
  instead.

**Two engines.** `PythonSearch` is this text in Python. `quorate.consistency.native.NativeSearch` is the same in C, fed
by the same `Transitions`. Both run in slices, so that searches over many keys can take turns and a keyboard interrupt
is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from quorate.consistency.history import Operation
from quorate.consistency.models import NEVER, REFUSED, Model, State


class Status(Enum):
    """How a search stands: still running, an order found, none exists, or the limit on memory was hit."""

    RUNNING = 0
    FOUND = 1
    NONE = 2
    LIMIT = 3


class Transitions:
    """A model's states and steps as numbers, worked out when first needed and kept.

    State 0 is `initial`. Operations that the model cannot tell apart share a class. Searches of one model share one of
    these."""

    REFUSED = -1

    def __init__(self, model: Model, initial: State) -> None:
        self.model = model
        self.states: list[State] = [initial]
        self._state_ids: dict[State, int] = {initial: 0}
        self.classes: list[Operation] = []
        self._class_ids: dict[object, int] = {}
        self._steps: dict[tuple[int, int], int] = {}

    def class_of(self, operation: Operation) -> int:
        told = None if operation.pending else (operation.result, type(operation.result))
        who = operation.process if self.model.per_process else None
        identity = (operation.function, operation.argument, operation.pending, told, who, operation.key)
        number = self._class_ids.setdefault(identity, len(self.classes))
        if number == len(self.classes):
            self.classes.append(operation)
        return number

    def step(self, state: int, number: int) -> int:
        """The state after an operation of class `number`, or `Transitions.REFUSED`."""
        known = self._steps.get((state, number))
        if known is None:
            known = self._steps[state, number] = self._work_out(state, number)
        return known

    def _work_out(self, state: int, number: int) -> int:
        after = self.model.after(self.states[state], self.classes[number])
        if after is REFUSED:
            return Transitions.REFUSED
        found = self._state_ids.setdefault(after, len(self.states))
        if found == len(self.states):
            self.states.append(after)
        return found


@dataclass(frozen=True)
class Problem:
    """Lanes of operations to be merged into one legal order; `real_time` also keeps the order of returns and
    invocations.

    `before` has, by index, operations that must come before another, as lane and position."""

    lanes: tuple[tuple[Operation, ...], ...]
    real_time: bool
    before: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        return sum(not operation.pending for lane in self.lanes for operation in lane)


class Search(Protocol):
    """A search that runs in slices. `order` is the order found; `partial` the longest one met so far; `horizon` the
    latest return that any configuration was waiting for (everything that returned before it can be ordered); `entered`
    the number of configurations visited."""

    def run(self, configurations: int) -> Status: ...

    @property
    def order(self) -> list[Operation]: ...

    @property
    def partial(self) -> list[Operation]: ...

    @property
    def horizon(self) -> int: ...

    @property
    def entered(self) -> int: ...

    def close(self) -> None: ...


def pack(operations: Iterable[Operation], transitions: Transitions) -> Problem:
    """The problem of linearizing `operations`, in as few lanes as possible. Pending queries are left out: they bind
    nothing."""
    lanes: list[list[Operation]] = []
    free_from: list[int] = []
    pending: dict[int, list[Operation]] = {}
    for operation in sorted(operations, key=lambda o: o.invoked):
        if operation.returned is None:
            if not transitions.model.is_query(operation):
                pending.setdefault(transitions.class_of(operation), []).append(operation)
            continue
        for number, since in enumerate(free_from):
            if since < operation.invoked:
                lanes[number].append(operation)
                free_from[number] = operation.returned
                break
        else:
            lanes.append([operation])
            free_from.append(operation.returned)
    packed = tuple(map(tuple, [*lanes, *pending.values()]))
    return Problem(packed, True, _placed(packed, transitions))


def _placed(
    lanes: tuple[tuple[Operation, ...], ...], transitions: Transitions
) -> dict[int, tuple[tuple[int, int], ...]]:
    """What the model knows about all linearizations, in terms of lanes. It knows about those from its initial state
    only."""
    if transitions.states[0] != transitions.model.initial:
        return {}
    known = transitions.model.must_precede([o for lane in lanes for o in lane])
    where = {o.index: (number, at) for number, lane in enumerate(lanes) for at, o in enumerate(lane)} if known else {}
    return {index: tuple(where[other] for other in others) for index, others in known.items()}


class PythonSearch:
    """The search in plain Python. `limit` bounds the number of remembered configurations."""

    def __init__(self, problem: Problem, transitions: Transitions, limit: int) -> None:
        self._problem, self._transitions, self._limit = problem, transitions, limit
        self._classes = [[transitions.class_of(o) for o in lane] for lane in problem.lanes]
        self._query = [[transitions.model.is_query(o) for o in lane] for lane in problem.lanes]
        self._returned = [[NEVER if o.returned is None else o.returned for o in lane] for lane in problem.lanes]
        self._positions = [0] * len(problem.lanes)
        self._left = problem.answered
        self._seen: set[tuple[tuple[int, ...], int]] = set()
        self._frames: list[tuple[list[tuple[int, int]], int]] = []  # Untried (lane, next state), last first; the state.
        self._taken: list[int] = []
        self._best: list[int] = []
        self.horizon = -1
        self._status = Status.RUNNING
        self._enter(0)

    def run(self, configurations: int) -> Status:
        entered = 0
        while self._status is Status.RUNNING and entered < configurations:
            choices, _ = self._frames[-1]
            if not choices:
                self._leave()
                continue
            lane, after = choices.pop()
            entered += self._take(lane, after)
        return self._status

    @property
    def order(self) -> list[Operation]:
        return self._operations(self._taken)

    @property
    def partial(self) -> list[Operation]:
        return self._operations(max(self._best, self._taken, key=len))

    @property
    def entered(self) -> int:
        return len(self._seen)

    def close(self) -> None:
        """Nothing is held that Python would not free."""

    def _take(self, lane: int, after: int) -> bool:
        """Take the front of `lane`; False if that configuration is known to lead nowhere."""
        position = self._positions[lane]
        self._positions[lane] += 1
        configuration = (tuple(self._positions), after)
        if configuration in self._seen:
            self._positions[lane] -= 1
            return False
        if len(self._seen) >= self._limit:
            self._positions[lane] -= 1
            self._status = Status.LIMIT
            return False
        self._seen.add(configuration)
        self._taken.append(lane)
        self._left -= self._returned[lane][position] != NEVER
        self._enter(after)
        return True

    def _enter(self, state: int) -> None:
        if self._left == 0:
            self._status = Status.FOUND
            return
        fronts = [
            (self._returned[lane][at], self._problem.lanes[lane][at].invoked, lane)
            for lane, at in enumerate(self._positions)
            if at < len(self._returned[lane])
        ]
        due = min(fronts)[0]
        self.horizon = max(self.horizon, due)
        choices: list[tuple[int, int]] = []
        for _, invoked, lane in sorted(fronts, reverse=True):
            if self._problem.real_time and invoked > due:
                continue
            at = self._positions[lane]
            before = self._problem.before.get(self._problem.lanes[lane][at].index, ())
            if any(self._positions[other] <= position for other, position in before):
                continue
            after = self._transitions.step(state, self._classes[lane][at])
            if after == Transitions.REFUSED:
                continue
            if self._query[lane][at]:
                choices = [(lane, after)]
                break
            choices.append((lane, after))
        self._frames.append((choices, state))

    def _leave(self) -> None:
        """Give the configuration up and step back."""
        self._frames.pop()
        if not self._frames:
            self._status = Status.NONE
            return
        if len(self._taken) > len(self._best):
            self._best = list(self._taken)
        lane = self._taken.pop()
        self._positions[lane] -= 1
        self._left += self._returned[lane][self._positions[lane]] != NEVER

    def _operations(self, lanes: Sequence[int]) -> list[Operation]:
        positions = [0] * len(self._problem.lanes)
        operations = []
        for lane in lanes:
            operations.append(self._problem.lanes[lane][positions[lane]])
            positions[lane] += 1
        return operations
