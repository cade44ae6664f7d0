"""Brute force for the transactional levels: every commit order, or every interleaving of starts and commits, is
executed.

Lists are read as versions: whatever a transaction reads of a list is a prefix of the final list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations, permutations

from quorate.consistency.history import History, Operation

Step = tuple[str, object, object]


def steps(o: Operation) -> tuple[Step, ...]:
    return tuple(s for s in (o.argument if o.pending else o.result) if not (o.pending and s[0] == "r"))


def candidates(history: History) -> Iterator[list[Operation]]:
    """The sets of transactions that may have committed."""
    pending = [o for o in history if o.pending]
    for extra in chain.from_iterable(combinations(pending, size) for size in range(len(pending) + 1)):
        yield sorted([*(o for o in history if not o.pending), *extra], key=lambda o: o.index)


def apply(store: dict, step: Step) -> None:
    store[step[1]] = (*(store.get(step[1]) or ()), step[2]) if step[0] == "append" else step[2]


def right(read: object, shown: object) -> bool:
    return read == shown or (not read and not shown and shown != 0 and read != 0)


def runs(o: Operation, view: dict) -> bool:
    view = dict(view)
    for step in steps(o):
        if step[0] == "r":
            if not right(step[2], view.get(step[1])):
                return False
        else:
            apply(view, step)
    return True


def serial(history: History, before: Callable[[Operation, Operation], bool]) -> bool:
    for committed in candidates(history):
        for order in permutations(committed):
            if any(before(b, a) for i, a in enumerate(order) for b in order[i + 1 :]):
                continue
            store: dict = {}
            good = True
            for o in order:
                good = good and runs(o, store)
                for step in steps(o):
                    if step[0] != "r":
                        apply(store, step)
            if good:
                return True
    return False


def never(a: Operation, b: Operation) -> bool:
    return False


def session(a: Operation, b: Operation) -> bool:
    return a.process == b.process and a.index < b.index


def real_time(a: Operation, b: Operation) -> bool:
    return a.returned is not None and a.returned < b.invoked


def interleavings(committed: list[Operation]) -> Iterator[list[tuple[Operation, str]]]:
    def extend(done: list[tuple[Operation, str]], waiting: list[Operation], open_: list[Operation]) -> Iterator[list]:
        if not waiting and not open_:
            yield done
        for o in waiting:
            yield from extend([*done, (o, "start")], [w for w in waiting if w is not o], [*open_, o])
        for o in open_:
            yield from extend([*done, (o, "commit")], waiting, [w for w in open_ if w is not o])

    return extend([], committed, [])


def snapshots(history: History, exclusive: bool, before: Callable[[Operation, Operation], bool] = never) -> bool:
    return any(
        _snapshots_right(points, exclusive, before)
        for committed in candidates(history)
        for points in interleavings(committed)
    )


def _snapshots_right(
    points: list[tuple[Operation, str]], exclusive: bool, before: Callable[[Operation, Operation], bool]
) -> bool:
    place = {(o.index, kind): n for n, (o, kind) in enumerate(points)}
    operations = [o for o, kind in points if kind == "start"]
    for a, b in permutations(operations, 2):
        if before(a, b) and place[a.index, "commit"] > place[b.index, "start"]:
            return False
        both = {s[1] for s in steps(a) if s[0] != "r"} & {s[1] for s in steps(b) if s[0] != "r"}
        overlap = (
            place[a.index, "start"] < place[b.index, "commit"] and place[b.index, "start"] < place[a.index, "commit"]
        )
        if exclusive and both and overlap:
            return False
    store: dict = {}
    views = {}
    for o, kind in points:
        if kind == "start":
            views[o.index] = dict(store)
            continue
        if not runs(o, views[o.index]):
            return False
        for step in steps(o):
            if step[0] != "r":
                apply(store, step)
    return all(_is_prefix(s, store) for o in operations for s in steps(o) if s[0] == "r")


def _is_prefix(read: Step, store: dict) -> bool:
    if not isinstance(read[2], tuple):
        return True
    return store.get(read[1], ())[: len(read[2])] == read[2]


def committed_in_order(history: History, sees: str) -> bool:
    """Read committed, read atomic ("wr") and causal ("causal"), by Biswas & Enea's axioms over all commit orders."""
    return any(_axiom(order, sees) for committed in candidates(history) for order in permutations(committed))


def _axiom(order: tuple[Operation, ...], sees: str) -> bool:
    place = {o.index: n for n, o in enumerate(order)}
    final: dict = {}
    for o in order:
        for step in steps(o):
            if step[0] != "r":
                apply(final, step)
    writer_of = {(s[1], s[2]): o for o in order for s in steps(o) if s[0] != "r"}
    reads = []  # (reader, key, writer or None)
    for o in order:
        own: list[Step] = []
        for step in steps(o):
            if step[0] != "r":
                own.append(step)
                continue
            mine = [s[2] for s in own if s[1] == step[1]]
            shown = step[2]
            if isinstance(shown, tuple) or (own and own[0][0] == "append"):
                shown = shown or ()
                if (
                    final.get(step[1], ())[: len(shown)] != shown
                    or [v for v in shown if writer_of.get((step[1], v)) is o] != mine
                ):
                    return False
                others = [v for v in shown if v not in mine]
                if mine and others and shown.index(others[-1]) > shown.index(mine[0]):
                    return False
                source = others[-1] if others else None
            elif mine:
                if shown != mine[-1]:
                    return False
                continue
            else:
                source = shown
            if source is None:
                reads.append((o, step[1], None))
                continue
            writer = writer_of.get((step[1], source))
            if (
                writer is None
                or writer is o
                or [s[2] for s in steps(writer) if s[0] != "r" and s[1] == step[1]][-1] != source
            ):
                return False
            reads.append((o, step[1], writer))
    past = {o.index: {w.index for r, _, w in reads if r is o and w} for o in order}
    if sees == "causal":
        for o in order:
            past[o.index] |= {e.index for e in order if session(e, o)}
        if any(place[e] > place[o] for o, own in past.items() for e in own):
            return False
        for o in order:
            past[o.index] |= {f for e in past[o.index] for f in past[e]}
    if any(w and place[w.index] > place[r.index] for r, _, w in reads):
        return False
    for r, key, w in reads if sees else []:
        seen = [o for o in order if o is not w and o is not r and o.index in past[r.index]]
        rivals = [o for o in seen if any(s[0] != "r" and s[1] == key for s in steps(o))]
        if any(w is None or place[o.index] > place[w.index] for o in rivals):
            return False
    return True


TRANSACTION_LEVELS: dict[str, Callable[[History], bool]] = {
    "read-committed": lambda h: committed_in_order(h, ""),
    "read-atomic": lambda h: committed_in_order(h, "wr"),
    "transactional-causal": lambda h: committed_in_order(h, "causal"),
    "prefix": lambda h: snapshots(h, exclusive=False),
    "snapshot-isolation": lambda h: snapshots(h, exclusive=True),
    "strong-session-snapshot-isolation": lambda h: snapshots(h, exclusive=True, before=session),
    "strong-snapshot-isolation": lambda h: snapshots(h, exclusive=True, before=real_time),
    "repeatable-read": lambda h: serial(h, never),  # Nothing reads by predicate.
    "serializable": lambda h: serial(h, never),
    "strong-session-serializable": lambda h: serial(h, session),
    "strict-serializable": lambda h: serial(h, real_time),
}
