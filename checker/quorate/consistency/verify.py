"""Checks of witnesses, by the definitions and by nothing else.

Each check is a few lines that share no code with the searches. Before a judgement says "satisfied", its witness has
passed here; a failure is a bug of ours, and is raised as such.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from quorate.consistency.history import History, Operation, Value
from quorate.consistency.models import REFUSED, Model, State
from quorate.consistency.verdict import Explanations
from quorate.consistency.visibility import Guarantees


def legal(order: Sequence[Operation], model: Model) -> bool:
    """Whether one object, or one for each key if keys are independent, gives all recorded answers in this order."""
    apart = model.splits(order)
    states: dict[Value, State] = {}
    for o in order:
        key = o.key if apart else None
        after = model.after(states.get(key, model.initial), o)
        if after is REFUSED:
            return False
        states[key] = after
    return True


def complete(order: Sequence[Operation], operations: Sequence[Operation]) -> bool:
    """Whether the order has each answered operation once, pending ones at most once, and no others."""
    indexes = [o.index for o in order]
    wanted = {o.index for o in operations if not o.pending}
    return len(set(indexes)) == len(indexes) and wanted <= set(indexes) <= {o.index for o in operations}


def keeps_real_time(order: Sequence[Operation]) -> bool:
    """Whether no operation comes after one that was invoked only when it had already returned."""
    latest = -1
    for o in order:
        if o.returned is not None and o.returned < latest:
            return False
        latest = max(latest, o.invoked)
    return True


def keeps_sessions(order: Sequence[Operation]) -> bool:
    """Whether each process's operations are in the order in which it invoked them."""
    last: dict[object, int] = {}
    for o in order:
        if o.invoked < last.get(o.process, -1):
            return False
        last[o.process] = o.invoked
    return True


def comes_to_rest(order: Sequence[Operation], operations: Sequence[Operation], model: Model) -> bool:
    """Whether the order has all answered updates of one object once, pending ones at most once, and after the answered ones
    the final queries: those that are the last of their process, and began when all updates had returned."""
    updates = [o for o in operations if not model.is_query(o)]
    lasts = {o.process: o for o in operations}.values()
    finals = [
        o for o in lasts if model.is_query(o) and not o.pending and all(u.pending or u.precedes(o) for u in updates)
    ]
    done = {u.index for u in updates if not u.pending}
    placed: set[int] = set()
    for o in order:
        if model.is_query(o) and not done <= placed:
            return False
        placed.add(o.index)
    return complete(order, [*updates, *finals])


def explains(witness: Explanations, history: History, model: Model, asked: Guarantees) -> bool:
    """Whether the explanations satisfy the guarantees, as `visibility.py` defines them."""
    seen = {n: {o.index for o in order[:-1] if not model.is_query(o)} for n, order in witness.orders.items()}
    if not set().union(*seen.values()) <= seen.keys():
        return False
    for session in history.processes().values():
        for number, o in enumerate(session):
            if o.pending and o.index not in seen:  # It bound nothing, or never took effect.
                continue
            earlier = session[:number]
            own = {e.index for e in earlier if not model.is_query(e)}
            if asked.read_your_writes and not own <= seen[o.index]:
                return False
            if asked.monotonic_reads and any(not seen[e.index] <= seen[o.index] for e in earlier):
                return False
            if not _answers(
                witness.orders[o.index], o, {e.index for e in earlier} if asked.session_answers else set(), model
            ):
                return False
    before = _performed_before(history, seen, model, asked)
    return (
        all(_in_order(order, before) for order in witness.orders.values())
        and (not asked.arbitration or _agree(witness))
        and not _circular(history, seen)
    )


def _answers(order: Sequence[Operation], o: Operation, own: set[int], model: Model) -> bool:
    if order[-1].index != o.index:
        return False
    believed = [e if e.index in own | {o.index} else _silent(e) for e in order]
    return own <= {e.index for e in order} and legal(believed, model)


def _silent(o: Operation) -> Operation:
    return Operation(o.index, o.process, o.function, o.argument, None, o.invoked, None, o.key)


def _performed_before(
    history: History, seen: dict[int, set[int]], model: Model, asked: Guarantees
) -> dict[int, set[int]]:
    """For each update, those that whoever sees it must have performed before it."""
    before: dict[int, set[int]] = {}
    for session in history.processes().values():
        for number, u in enumerate(session):
            if model.is_query(u) or u.index not in seen:
                continue
            before[u.index] = set()
            if asked.monotonic_writes:
                before[u.index] |= {e.index for e in session[:number] if not model.is_query(e)}
            if asked.writes_follow_reads:
                before[u.index] |= set().union(*(seen[e.index] for e in session[: number + 1]))
    return before


def _in_order(order: Sequence[Operation], before: dict[int, set[int]]) -> bool:
    performed: set[int] = set()
    for o in order:
        if not before.get(o.index, set()) <= performed and o is not order[-1]:
            return False
        performed.add(o.index)
    return True


def _agree(witness: Explanations) -> bool:
    assert witness.arbitration is not None
    rank = {o.index: number for number, o in enumerate(witness.arbitration)}
    return all(
        a <= b
        for order in witness.orders.values()
        for ranks in [[rank[o.index] for o in order if o.index in rank]]
        for a, b in itertools.pairwise(ranks)
    )


def _circular(history: History, seen: dict[int, set[int]]) -> bool:
    causes = {o.index: set(seen.get(o.index, ())) for o in history}
    for session in history.processes().values():
        for earlier, later in itertools.pairwise(session):
            causes[later.index].add(earlier.index)
    try:
        TopologicalSorter(causes).prepare()
    except CycleError:
        return True
    return False
