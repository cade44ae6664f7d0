"""From "no order exists" to the few operations that show why.

The smallest prefix comes first: the shortest beginning of the judged operations that already has no order, found by
bisection, since what has no order has none after more was observed. Then the latest *cut* such that what returned
before it does not matter: there is no order even from any state that the updates invoked before the cut could have
left, each taken any number of times in any order. (Models with many such states have no cut.) Then the core. Forgetting
an answer makes a history easier: a query that is forgotten is gone; an update becomes pending, so that it may take
effect at any time after its invocation or never. So if no order exists after some answers were forgotten, they are not
needed for the violation. Halves, quarters and so on down to single operations are forgotten as long as no order appears
(delta debugging, Zeller & Hildebrandt 2002).

Every step is decided by the search itself under a small limit. A step that hits it is not taken, which leaves the
evidence larger and still right; `Unorderable.minimal` then is False.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from quorate.consistency.history import Operation, show
from quorate.consistency.models import REFUSED, Model, State
from quorate.consistency.orders import Bad
from quorate.consistency.search import Status
from quorate.consistency.verdict import Unorderable

STEP_CONFIGURATIONS = 5_000  # For one question, and for all of them together.
ALL_CONFIGURATIONS = 60_000
STATES_MAX = 64
QUESTION_COST = 400  # What even an easy question costs, in configurations.


class _Reducer:
    """Asks whether variations of a part have an order, within the limits above."""

    def __init__(self, bad: Bad, initial: State) -> None:
        self._bad = bad
        self._left = ALL_CONFIGURATIONS
        self.states: tuple[State, ...] = (initial,)
        self.gave_up = False

    def no_order(self, operations: Sequence[Operation]) -> bool:
        """Whether it is certain that `operations` have no order, from any of `states`."""
        return self.no_order_from(self.states, operations)

    def no_order_from(self, states: Sequence[State], operations: Sequence[Operation]) -> bool:
        return all(self._ask(state, operations) for state in states)

    def _ask(self, state: State, operations: Sequence[Operation]) -> bool:
        if self._left <= 0:
            self.gave_up = True
            return False
        model = self._bad.model
        if self._bad.monotone and state == model.initial and model.contradicts(operations):
            self._left -= QUESTION_COST
            return True
        search = self._bad.search_again(operations, state)
        status = search.run(min(STEP_CONFIGURATIONS, self._left))
        self._left -= max(search.entered, QUESTION_COST)
        search.close()
        self.gave_up |= status not in (Status.FOUND, Status.NONE)
        return status is Status.NONE


def explain(bad: Bad) -> Unorderable:
    """The evidence for a part that has no order."""
    model = bad.model
    reducer = _Reducer(bad, model.initial)
    prefix = _smallest_prefix(bad, reducer) if bad.prefix_closed else bad.operations
    search = bad.search_again(prefix, model.initial)
    search.run(STEP_CONFIGURATIONS)
    partial = tuple(search.partial)
    placed = {operation.index for operation in partial}
    stuck = tuple(o for o in prefix if not o.pending and o.index not in placed)
    after = _after_cut(prefix, model, reducer) if bad.prefix_closed else prefix
    return Unorderable(
        prefix=prefix,
        key=bad.key,
        after=after,
        core=core(after, model, reducer.no_order, bad.monotone),
        states=reducer.states,
        minimal=not reducer.gave_up,
        partial=partial,
        stuck=stuck,
        explanation=_sentence(bad, prefix, partial, stuck),
    )


def _after_cut(prefix: tuple[Operation, ...], model: Model, reducer: _Reducer) -> tuple[Operation, ...]:
    """What had not returned before the latest cut there is. Leaves the states before the cut in `reducer.states`."""
    cuts = sorted(o.returned for o in prefix if o.returned is not None)
    kept = prefix
    low, high = 1, len(cuts) - 1  # A later cut forgets more: bisection.
    while low <= high:
        middle = (low + high) // 2
        states = _reachable(model, [o for o in prefix if o.invoked < cuts[middle]])
        after = tuple(o for o in prefix if o.returned is None or o.returned >= cuts[middle])
        if states is not None and reducer.no_order_from(states, after):
            kept, reducer.states, low = after, states, middle + 1
        else:
            high = middle - 1
    return kept


def _reachable(model: Model, operations: Sequence[Operation]) -> tuple[State, ...] | None:
    """Every state that the updates among `operations` could leave; None if there are more than `STATES_MAX`."""
    updates = {
        (o.function, o.argument, o.key, o.process if model.per_process else None): o
        for o in operations
        if not model.is_query(o)
    }
    found: dict[State, None] = {model.initial: None}
    queue = [model.initial]
    while queue:
        state = queue.pop()
        for o in updates.values():
            after = model.after(state, replace(o, returned=None, result=None))
            if after is not REFUSED and after not in found:
                found[after] = None
                queue.append(after)
                if len(found) > STATES_MAX:
                    return None
    return tuple(found)


def _smallest_prefix(bad: Bad, reducer: _Reducer) -> tuple[Operation, ...]:
    """Bisection over the returns from the horizon on: all that returned before it can be ordered."""
    ends = sorted(o.returned for o in bad.operations if o.returned is not None and o.returned >= bad.horizon)
    low, high = 0, len(ends) - 1
    if reducer.no_order(_until(bad.operations, ends[0])):
        return _until(bad.operations, ends[0])
    while low < high:
        middle = (low + high) // 2
        if reducer.no_order(_until(bad.operations, ends[middle])):
            high = middle
        else:
            low = middle + 1
    return _until(bad.operations, ends[high])


def _until(operations: Sequence[Operation], last: int) -> tuple[Operation, ...]:
    """What was known of `operations` when the answer at position `last` was observed."""
    return tuple(
        o if o.returned is not None and o.returned <= last else replace(o, returned=None, result=None)
        for o in operations
        if o.invoked < last
    )


def core(
    prefix: Sequence[Operation], model: Model, no_order: Callable[[list[Operation]], bool], updates_too: bool
) -> tuple[Operation, ...]:
    """The answered operations that remain when as many as possible are forgotten: queries first, which are simply left
    out.

    `no_order` says whether it is certain that a variation has no order; `updates_too` whether answers of updates may
    go."""
    answered = [o for o in prefix if not o.pending]
    forgotten: set[int] = set()
    for group in ([o for o in answered if model.is_query(o)], [o for o in answered if not model.is_query(o)]):
        if not updates_too and group and not model.is_query(group[0]):
            continue
        size = len(group)
        while size:
            for start in range(0, len(group), size):
                trial = forgotten | {o.index for o in group[start : start + size]}
                if trial != forgotten and no_order(_forget(prefix, trial, model)):
                    forgotten = trial
            group = [o for o in group if o.index not in forgotten]
            size = min(size // 2, len(group))
    return tuple(o for o in answered if o.index not in forgotten)


def _forget(operations: Sequence[Operation], forgotten: set[int], model: Model) -> list[Operation]:
    kept = []
    for operation in operations:
        if operation.index not in forgotten:
            kept.append(operation)
        elif not model.is_query(operation):
            kept.append(replace(operation, returned=None, result=None))
    return kept


def _sentence(bad: Bad, prefix: Sequence[Operation], partial: Sequence[Operation], stuck: Sequence[Operation]) -> str:
    on = "" if bad.key is None else f" on {show(bad.key)}"
    answered = sum(not o.pending for o in prefix)
    names = " or ".join(f"{o} of process {o.process}" for o in stuck[:4]) + (" or ..." if len(stuck) > 4 else "")
    return (
        f"No order explains these {answered} answers{on}: after {len(partial)} operations in order, {names} cannot be "
        "next."
    )
