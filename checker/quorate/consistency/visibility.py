"""Causal consistency and session guarantees, for any sequential model, by exhaustive search.

**One family of definitions.** Each operation `o` is answered by a replica that has performed a set of updates `V(o)` in
some order; the answer is the model's after them. No operation sees what came after it: session order and `V` together
have no cycle. The levels differ in what they ask of `V` and of the orders:

- *read your writes*: `V(o)` has the earlier updates of o's own session;
- *monotonic reads*: `V` only grows along a session;
- *monotonic writes*: with an update, `V(o)` has those before it in its session, performed before it;
- *writes follow reads*: with an update, `V(o)` has all that its session had seen before it, performed before it.

These are the session guarantees of Terry et al. (1994, section 3) with `V(o)` as the database of the server that
answers `o`. All four together are *causal consistency* (CC): then `V(o)` is the causal past, its order keeps causality,
and only o's own answer is asked for (Perrin et al. 2016; Bouajjani et al. 2017, section 3). *Causal memory* (CM) asks
that one order of `V(o)` also gives the answers of the earlier operations of o's session (Ahamad et al. 1995); *causal
convergence* (CCv) that all orders agree with one arbitration of all updates. An update without an answer may never have
taken effect: then nobody has seen it, and it has no `V`.

**The search** places operations one at a time, session by session in all interleavings, and gives each a minimal `V(o)`
among the updates placed so far that explains its answer. Minimal is enough, since a smaller `V(o)` asks less of the
others. It is exponential: for registers `registers.py` decides the same levels in polynomial time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from quorate.consistency.history import History, Operation
from quorate.consistency.models import REFUSED, Model, State
from quorate.consistency.verdict import Explanations


@dataclass(frozen=True)
class Guarantees:
    """What a level asks of the visible sets and their orders (see the module)."""

    read_your_writes: bool = False
    monotonic_reads: bool = False
    monotonic_writes: bool = False
    writes_follow_reads: bool = False
    session_answers: bool = False
    arbitration: bool = False

    @property
    def causal(self) -> bool:
        return self.read_your_writes and self.monotonic_reads and self.monotonic_writes and self.writes_follow_reads


class OutOfBudget(Exception):
    """The search took more attempts than it was allowed."""


class VisibilitySearch:
    """Decides one history. Sets of operations are bit masks over `Operation.index`."""

    def __init__(self, history: History, model: Model, guarantees: Guarantees, attempts: int) -> None:
        self._model, self._asked, self._attempts = model, guarantees, attempts
        self._operations = history.operations
        self._sessions = [
            [o for o in own if not (o.pending and model.is_query(o))] for own in history.processes().values()
        ]
        self._updates = sum(1 << o.index for o in history if not model.is_query(o))
        self._positions = [0] * len(self._sessions)
        self._order: list[Operation] = []
        self._visible: dict[int, int] = {}
        self._before: dict[int, int] = {}  # For each placed update, those that must be performed before it.
        self._explained: dict[int, tuple[Operation, ...]] = {}
        self._failed: set[object] = set()

    def run(self) -> Explanations | None:
        """A witness, or None if there is none. Raises `OutOfBudget`."""
        if not self._place():
            return None
        arbitration = tuple(o for o in self._order if self._updates >> o.index & 1) if self._asked.arbitration else None
        return Explanations(dict(self._explained), arbitration)

    def _place(self) -> bool:
        if all(o.pending for at, own in zip(self._positions, self._sessions, strict=True) for o in own[at:]):
            return True
        order = tuple(o.index for o in self._order)
        placed = order if self._asked.arbitration else frozenset(order)
        configuration = (placed, tuple(sorted(self._visible.items())))
        if configuration in self._failed:
            return False
        for number, own in enumerate(self._sessions):
            at = self._positions[number]
            if at == len(own):
                continue
            self._positions[number] += 1
            for visible, explanation in self._explanations(own[at], own[:at]):
                self._put(own[at], own[:at], visible, explanation)
                if self._place():
                    return True
                self._take_back(own[at])
            self._positions[number] -= 1
        self._failed.add(configuration)
        return False

    def _put(
        self, operation: Operation, earlier: list[Operation], visible: int, explanation: tuple[Operation, ...]
    ) -> None:
        self._order.append(operation)
        self._visible[operation.index] = visible
        self._explained[operation.index] = explanation
        before = 0
        if self._asked.monotonic_writes:
            before |= sum(1 << o.index for o in earlier) & self._updates
        if self._asked.writes_follow_reads:
            for o in (*earlier, operation):
                before |= self._visible[o.index]
        self._before[operation.index] = self._closed(before)

    def _take_back(self, operation: Operation) -> None:
        self._order.pop()
        del self._visible[operation.index], self._explained[operation.index], self._before[operation.index]

    def _closed(self, updates: int) -> int:
        for number in members_of(updates):
            updates |= self._before[number]
        return updates

    def _explanations(
        self, operation: Operation, earlier: list[Operation]
    ) -> Iterator[tuple[int, tuple[Operation, ...]]]:
        """The minimal visible sets that give the operation its answer, each with an order that does."""
        least = 0
        if self._asked.read_your_writes:
            least |= sum(1 << o.index for o in earlier) & self._updates
        if self._asked.monotonic_reads and earlier:
            least |= self._visible[earlier[-1].index]
        least = self._closed(least)
        more = [o.index for o in self._order if self._updates >> o.index & 1 and not least >> o.index & 1]
        explained: list[int] = []
        tried: set[int] = set()
        for size in range(len(more) + 1):
            for extra in combinations(more, size):
                self._attempts -= 1
                if self._attempts < 0:
                    raise OutOfBudget
                visible = self._closed(least | sum(1 << number for number in extra))
                if visible in tried or any(visible & smaller == smaller for smaller in explained):
                    continue
                tried.add(visible)
                order = self._legal_order(operation, earlier, visible)
                if order is not None:
                    explained.append(visible)
                    yield visible, order

    def _legal_order(
        self, operation: Operation, earlier: list[Operation], visible: int
    ) -> tuple[Operation, ...] | None:
        own = {o.index for o in earlier} if self._asked.session_answers else set()
        members = [o for o in self._order if visible >> o.index & 1 or o.index in own]
        previous = {o.index: self._before[o.index] & visible for o in members}
        for number, o in enumerate(earlier):
            if o.index in own:
                previous[o.index] |= self._visible[o.index] & visible | sum(1 << e.index for e in earlier[:number])
        if self._asked.arbitration:
            return _replay(members, operation, own, self._model)
        return _extension(members, previous, operation, own, self._model)


def members_of(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _unanswered(operation: Operation) -> Operation:
    """The operation with its answer hidden: what others see of it."""
    return Operation(
        operation.index,
        operation.process,
        operation.function,
        operation.argument,
        None,
        operation.invoked,
        None,
        operation.key,
    )


def _replay(members: list[Operation], last: Operation, own: set[int], model: Model) -> tuple[Operation, ...] | None:
    state: State = model.initial
    for operation in (*members, last):
        seen = operation if operation is last or operation.index in own else _unanswered(operation)
        after = model.after(state, seen)
        if after is REFUSED:
            return None
        state = after
    return (*members, last)


def _extension(
    members: list[Operation], previous: dict[int, int], last: Operation, own: set[int], model: Model
) -> tuple[Operation, ...] | None:
    """A legal order of `members` and then `last` that keeps `previous`; answers count for `last` and for `own`."""
    everything = sum(1 << o.index for o in members)
    failed: set[tuple[int, State]] = set()
    order: list[Operation] = []

    def extend(done: int, state: State) -> bool:
        if done == everything:
            return model.after(state, last) is not REFUSED
        if (done, state) in failed:
            return False
        for operation in members:
            if done >> operation.index & 1 or previous[operation.index] & ~done:
                continue
            after = model.after(state, operation if operation.index in own else _unanswered(operation))
            if after is REFUSED:
                continue
            order.append(operation)
            if extend(done | 1 << operation.index, after):
                return True
            order.pop()
        failed.add((done, state))
        return False

    return (*order, last) if extend(0, model.initial) else None
