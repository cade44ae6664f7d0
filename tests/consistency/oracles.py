"""Brute force: each level decided straight from its definition, by trying everything. For histories of a few
operations.

Nothing here is shared with `quorate.consistency` but the operations and the sequential models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain, combinations, permutations, product

from quorate.consistency.history import History, Operation
from quorate.consistency.models import REFUSED, Model


def subsets(items: Sequence) -> Iterator[tuple]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def legal(order: Sequence[Operation], model: Model) -> bool:
    states: dict[object, object] = {}
    for o in order:
        key = o.key if model.splits(order) else None
        after = model.step(states.get(key, model.initial), o)
        if after is REFUSED:
            return False
        states[key] = after
    return True


def silent(o: Operation) -> Operation:
    return replace(o, returned=None, result=None)


def some_order(operations: Sequence[Operation], model: Model, before: Callable[[Operation, Operation], bool]) -> bool:
    """Whether a legal order of the answered and some of the pending operations keeps `before`."""
    answered = [o for o in operations if not o.pending]
    for extra in subsets([o for o in operations if o.pending]):
        for order in permutations([*answered, *extra]):
            if not any(before(b, a) for i, a in enumerate(order) for b in order[i + 1 :]) and legal(order, model):
                return True
    return False


def linearizable(history: History, model: Model) -> bool:
    return some_order(history.operations, model, lambda a, b: a.returned is not None and a.returned < b.invoked)


def sequential(history: History, model: Model) -> bool:
    return some_order(history.operations, model, session)


def session(a: Operation, b: Operation) -> bool:
    return a.process == b.process and a.index < b.index


def regular(history: History, model: Model, only_alone: bool = False) -> bool:
    """By the values that a read may return: of a write that no other write separates from it in real time."""
    for r in history:
        if r.function != "read" or r.pending:
            continue
        writes = [w for w in history if w.function == "write" and w.key == r.key]
        if only_alone and any(not w.precedes(r) and not r.precedes(w) for w in writes):
            continue
        allowed = {
            w.argument for w in writes if not r.precedes(w) and not any(w.precedes(v) and v.precedes(r) for v in writes)
        }
        if not any(w.precedes(r) for w in writes):
            allowed.add(model.initial)
        if r.result not in allowed:
            return False
    return True


def safe(history: History, model: Model) -> bool:
    return regular(history, model, only_alone=True)


def convergent(history: History, model: Model) -> bool:
    groups = {o.key for o in history} if model.splits(history) else {None}
    for key in groups:
        own = [o for o in history if o.key == key or not model.splits(history)]
        updates = [o for o in own if not model.is_query(o)]
        finals = [o for o in {o.process: o for o in own}.values() if model.is_query(o) and not o.pending]
        finals = [o for o in finals if all(u.pending or u.returned < o.invoked for u in updates)]
        if not some_order(
            [*updates, *finals], model, lambda a, b: not a.pending and model.is_query(b) > model.is_query(a)
        ):
            return False
    return True


# Causal consistency: over all causal orders.


@cache
def partial_orders(n: int) -> tuple[frozenset[tuple[int, int]], ...]:
    """All strict partial orders of 0..n-1: each is one of n-1 elements with a new element put between a down-set and an
    up-set."""
    if n == 0:
        return (frozenset(),)
    found = []
    for order in partial_orders(n - 1):
        for down in map(set, subsets(range(n - 1))):
            if any(b in down and a not in down for a, b in order):
                continue
            for up in map(set, subsets([e for e in range(n - 1) if e not in down])):
                if any(a in up and b not in up for a, b in order) or any((d, u) not in order for d in down for u in up):
                    continue
                found.append(order | {(d, n - 1) for d in down} | {(n - 1, u) for u in up})
    return tuple(found)


def causal(history: History, model: Model) -> bool:
    return any(
        all(_explained(o, history, model, co, [o]) for o in _telling(history, model))
        for co in _causal_orders(history, model)
    )


def causal_memory(history: History, model: Model) -> bool:
    return any(
        all(
            _explained(o, history, model, co, [e for e in _telling(history, model) if e is o or session(e, o)])
            for o in _telling(history, model)
        )
        for co in _causal_orders(history, model)
    )


def causal_convergence(history: History, model: Model) -> bool:
    told = _telling(history, model)
    for co in _causal_orders(history, model):
        for arbitration in permutations(told):
            rank = {o.index: number for number, o in enumerate(arbitration)}
            if any(rank[told[a].index] > rank[told[b].index] for a, b in co):
                continue
            if all(_legal_when([e for e in arbitration if _past(e, o, told, co)] + [o], [o], model) for o in told):
                return True
    return False


def _telling(history: History, model: Model) -> list[Operation]:
    return [o for o in history if not (o.pending and model.is_query(o))]


def _causal_orders(history: History, model: Model) -> Iterator[frozenset[tuple[int, int]]]:
    told = _telling(history, model)
    for co in partial_orders(len(told)):
        if all((i, j) in co for i, a in enumerate(told) for j, b in enumerate(told) if session(a, b)):
            yield co


def _past(e: Operation, o: Operation, told: list[Operation], co: frozenset[tuple[int, int]]) -> bool:
    return (told.index(e), told.index(o)) in co


def _explained(
    o: Operation, history: History, model: Model, co: frozenset[tuple[int, int]], heard: list[Operation]
) -> bool:
    told = _telling(history, model)
    past = [e for e in told if _past(e, o, told, co)]
    for order in permutations(past):
        causal_order = not any(_past(b, a, told, co) for i, a in enumerate(order) for b in order[i + 1 :])
        if causal_order and _legal_when([*order, o], heard, model):
            return True
    return False


def _legal_when(order: list[Operation], heard: list[Operation], model: Model) -> bool:
    return legal([o if o in heard else silent(o) for o in order], model)


# Session guarantees: over all choices of what each operation has seen.


def session_guarantee(name: str) -> Callable[[History, Model], bool]:
    def decide(history: History, model: Model) -> bool:
        told = _telling(history, model)
        updates = [o for o in told if not model.is_query(o)]
        for chosen in product(*(list(subsets([u for u in updates if u is not o])) for o in told)):
            seen = dict(zip((o.index for o in told), chosen, strict=True))
            if _acyclic(told, seen) and _guaranteed(name, told, updates, seen, model):
                return True
        return False

    return decide


def _acyclic(told: list[Operation], seen: dict[int, tuple[Operation, ...]]) -> bool:
    left = list(told)
    while left:
        free = [o for o in left if not any(e in left and (session(e, o) or e in seen[o.index]) for e in told)]
        if not free:
            return False
        left = [o for o in left if o not in free]
    return True


def _guaranteed(
    name: str, told: list[Operation], updates: list[Operation], seen: dict[int, tuple[Operation, ...]], model: Model
) -> bool:
    if name == "read-your-writes" and any(session(u, o) and u not in seen[o.index] for o in told for u in updates):
        return False
    if name == "monotonic-reads" and any(
        session(p, o) and not set(seen[p.index]) <= set(seen[o.index]) for o in told for p in told
    ):
        return False

    def before(u: Operation, v: Operation) -> bool:
        """Whether whoever sees the update v must have performed u before it."""
        if name == "monotonic-writes":
            return session(u, v)
        if name == "writes-follow-reads":
            return any((session(q, v) or q is v) and u in seen[q.index] for q in told)
        return False

    for o in told:
        if any(before(u, v) and u not in seen[o.index] for v in seen[o.index] for u in updates):
            return False
        if not any(
            legal([*map(silent, order), o], model)
            for order in permutations(seen[o.index])
            if not any(before(b, a) for i, a in enumerate(order) for b in order[i + 1 :])
        ):
            return False
    return True


def in_doubt(decide: Callable[[History, Model], bool]) -> Callable[[History, Model], bool]:
    """The level where each pending operation took effect or never did."""

    def decided(history: History, model: Model) -> bool:
        pending = [o.index for o in history if o.pending]
        return any(
            decide(history.only(lambda o, kept=kept: not o.pending or o.index in kept), model)
            for kept in subsets(pending)
        )

    return decided


OBJECT_LEVELS: dict[str, Callable[[History, Model], bool]] = {
    "linearizable": linearizable,
    "sequential": sequential,
    "causal": in_doubt(causal),
    "causal-memory": in_doubt(causal_memory),
    "causal-convergence": in_doubt(causal_convergence),
    "regular": regular,
    "safe": safe,
    "convergent": convergent,
    **{
        name: in_doubt(session_guarantee(name))
        for name in ("read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads")
    },
}
