"""Brute force for the transactional levels: every commit order, or every interleaving of starts and commits, is
executed.

Lists are read as versions: whatever a transaction reads of a list is a prefix of the final list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations, pairwise, permutations

from quorate.consistency.history import History, Operation

Step = tuple[str, object, object]
KEYS = ("x", "y")
COVERED = {None: "xy", ("prefix", "x"): "x", ("range", "x", "z"): "xy"}


def steps(o: Operation) -> tuple[Step, ...]:
    """The steps of a transaction. A read by predicate is one of each key that it covers, `absent` where it found nothing."""
    found = [s for s in (o.argument if o.pending else o.result) if not (o.pending and not writes(s))]
    return tuple(each for s in found for each in (_covered(s) if s[0] == "rp" else (s,)))


def _covered(step: Step) -> Iterator[Step]:
    shown = dict(step[2])
    for key in COVERED[step[1]]:
        yield ("r", key, shown[key]) if key in shown else ("absent", key, None)


def writes(step: Step) -> bool:
    return step[0] in ("w", "append")


def candidates(history: History) -> Iterator[list[Operation]]:
    """The sets of transactions that may have committed."""
    pending = [o for o in history if o.pending]
    for extra in chain.from_iterable(combinations(pending, size) for size in range(len(pending) + 1)):
        yield sorted([*(o for o in history if not o.pending), *extra], key=lambda o: o.index)


def apply(store: dict, step: Step) -> None:
    store[step[1]] = (*(store.get(step[1]) or ()), step[2]) if step[0] == "append" else step[2]


def right(read: object, shown: object) -> bool:
    return read == shown or (not read and not shown and shown != 0 and read != 0)


def runs(o: Operation, view: dict, phantoms: bool = False) -> bool:
    view, own = dict(view), set()
    for step in steps(o):
        if not writes(step):
            excused = phantoms and step[0] == "absent" and step[1] not in own
            if not excused and not right(step[2], view.get(step[1])):
                return False
        else:
            own.add(step[1])
            apply(view, step)
    return True


def serial(history: History, before: Callable[[Operation, Operation], bool], phantoms: bool = False) -> bool:
    for committed in candidates(history):
        for order in permutations(committed):
            if any(before(b, a) for i, a in enumerate(order) for b in order[i + 1 :]):
                continue
            store: dict = {}
            good = True
            for o in order:
                good = good and runs(o, store, phantoms)
                for step in steps(o):
                    if writes(step):
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
        both = {s[1] for s in steps(a) if writes(s)} & {s[1] for s in steps(b) if writes(s)}
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
            if writes(step):
                apply(store, step)
    return all(_is_prefix(s, store) for o in operations for s in steps(o) if not writes(s))


def _is_prefix(read: Step, store: dict) -> bool:
    if not isinstance(read[2], tuple):
        return True
    return store.get(read[1], ())[: len(read[2])] == read[2]


def committed_in_order(history: History, sees: str) -> bool:
    """Read committed, read atomic ("wr") and causal ("causal"), by Biswas & Enea's axioms over all commit orders."""
    return any(_axiom(order, sees) for committed in candidates(history) for order in permutations(committed))


Read = tuple[Operation, object, Operation | None]  # Reader, key, writer.


def reads_of(order: tuple[Operation, ...]) -> list[Read] | None:
    """Who reads which key from whom, if all that is read is committed, final, and right after own writes."""
    final: dict = {}
    for o in order:
        for step in steps(o):
            if writes(step):
                apply(final, step)
    writer_of = {(s[1], s[2]): o for o in order for s in steps(o) if writes(s)}
    reads: list[Read] = []
    for o in order:
        own: list[Step] = []
        for step in steps(o):
            if writes(step):
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
                    return None
                others = [v for v in shown if v not in mine]
                if mine and others and shown.index(others[-1]) > shown.index(mine[0]):
                    return None
                source = others[-1] if others else None
            elif mine:
                if shown != mine[-1]:
                    return None
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
                or [s[2] for s in steps(writer) if writes(s) and s[1] == step[1]][-1] != source
            ):
                return None
            reads.append((o, step[1], writer))
    return reads


def _axiom(order: tuple[Operation, ...], sees: str) -> bool:
    place = {o.index: n for n, o in enumerate(order)}
    reads = reads_of(order)
    if reads is None:
        return False
    past = {o.index: {w.index for r, _, w in reads if r is o and w} for o in order}
    if sees == "causal":
        for o in order:
            past[o.index] |= {e.index for e in order if session(e, o)}
        if any(place[e] > place[o] for o, own in past.items() for e in own):
            return False
        for o in order:
            past[o.index] |= {f for e in past[o.index] for f in past[e]}
    if sees == "conflicts":  # Of two writers of a key, the later sees the earlier.
        for a, b in combinations(order, 2):
            if written(a) & written(b):
                past[b.index].add(a.index)
    if any(w and place[w.index] > place[r.index] for r, _, w in reads):
        return False
    for r, key, w in reads if sees else []:
        seen = [o for o in order if o is not w and o is not r and o.index in past[r.index]]
        rivals = [o for o in seen if any(writes(s) and s[1] == key for s in steps(o))]
        if any(w is None or place[o.index] > place[w.index] for o in rivals):
            return False
    return True


def written(o: Operation) -> set[object]:
    return {s[1] for s in steps(o) if writes(s)}


def without_phenomenon(history: History, phenomenon: Callable[[list[Edge]], bool]) -> bool:
    """Whether some order of versions has a graph of direct dependencies (Adya 1999, section 3.1) without G1 and without the
    phenomenon."""
    for committed in candidates(history):
        for order in permutations(committed):
            reads = reads_of(order)
            if reads is None:
                continue
            edges = _dependencies(order, reads)
            if not _cyclic([e for e in edges if e[0] in ("ww", "wr")]) and not phenomenon(edges):
                return True
    return False


Edge = tuple[str, object, int, int]  # The kind, the key, from, to.


def _dependencies(order: tuple[Operation, ...], reads: list[Read]) -> list[Edge]:
    edges: list[Edge] = [("wr", key, w.index, r.index) for r, key, w in reads if w]
    for key in KEYS:
        versions = [None, *(o.index for o in order if key in written(o))]
        for one, following in pairwise(versions):
            if one is not None:
                edges.append(("ww", key, one, following))
            for r, about, w in reads:
                if about == key and (w.index if w else None) == one and r.index != following:
                    edges.append(("prw" if not w and _is_phantom(r, key) else "rw", key, r.index, following))
    return edges


def _is_phantom(o: Operation, key: object) -> bool:
    """Whether what a transaction read of a key's first version was by predicate only."""
    about = [s for s in steps(o) if s[1] == key]
    before = about[: next((n for n, s in enumerate(about) if writes(s)), len(about))]
    return not any(s[0] == "r" and not s[2] for s in before)


def _leads(edges: list[Edge], source: int, target: int) -> bool:
    found, queue = {source}, [source]
    while queue:
        at = queue.pop()
        for _, _, a, b in edges:
            if a == at and b not in found:
                found.add(b)
                queue.append(b)
    return target in found


def _cyclic(edges: list[Edge]) -> bool:
    return any(_leads(edges, b, a) for _, _, a, b in edges)


def g_single(edges: list[Edge]) -> bool:
    others = [e for e in edges if e[0] in ("ww", "wr")]
    return any(_leads(others, b, a) for kind, _, a, b in edges if kind in ("rw", "prw"))


def g_cursor(edges: list[Edge]) -> bool:
    return any(_leads([e for e in edges if e[:2] == ("ww", key)], b, a) for kind, key, a, b in edges if kind == "rw")


def uncommitted(history: History) -> bool:
    """Whether the writes of what surely committed have an order in which every list that was read, without what did not
    commit, is a prefix of the final one; and of registers, whether what was read was written by anybody."""
    committed = [o for o in history if not o.pending]
    anybody = [s for o in (*history.failed, *history) for s in o.argument if writes(s)]
    return any(_dirty_reads_right(order, anybody) for order in permutations(committed))


def _dirty_reads_right(order: tuple[Operation, ...], anybody: list[Step]) -> bool:
    final: dict = {}
    for o in order:
        for step in steps(o):
            if writes(step):
                apply(final, step)
    writer_of = {(s[1], s[2]): o for o in order for s in steps(o) if writes(s)}
    for o in order:
        own: list[Step] = []
        for step in steps(o):
            if writes(step):
                own.append(step)
                continue
            mine = [s[2] for s in own if s[1] == step[1]]
            shown = step[2] if isinstance(step[2], tuple) else () if step[2] is None else (step[2],)
            if any((value not in [s[2] for s in anybody if s[1] == step[1]]) for value in shown):
                return False
            if any(s[0] == "append" for s in anybody) or isinstance(step[2], tuple):
                committed = [v for v in shown if (step[1], v) in writer_of]
                if tuple(committed) != final.get(step[1], ())[: len(committed)]:
                    return False
                if [v for v in committed if writer_of[step[1], v] is o] != mine:
                    return False
            elif (mine and shown != (mine[-1],)) or (not mine and shown and writer_of.get((step[1], shown[0])) is o):
                return False
    return True


TRANSACTION_LEVELS: dict[str, Callable[[History], bool]] = {
    "read-uncommitted": uncommitted,
    "read-committed": lambda h: committed_in_order(h, ""),
    "cursor-stability": lambda h: without_phenomenon(h, g_cursor),
    "read-atomic": lambda h: committed_in_order(h, "wr"),
    "update-atomic": lambda h: committed_in_order(h, "conflicts"),
    "consistent-view": lambda h: without_phenomenon(h, g_single),
    "transactional-causal": lambda h: committed_in_order(h, "causal"),
    "prefix": lambda h: snapshots(h, exclusive=False),
    "snapshot-isolation": lambda h: snapshots(h, exclusive=True),
    "strong-session-snapshot-isolation": lambda h: snapshots(h, exclusive=True, before=session),
    "strong-snapshot-isolation": lambda h: snapshots(h, exclusive=True, before=real_time),
    "repeatable-read": lambda h: serial(h, never, phantoms=True),
    "serializable": lambda h: serial(h, never),
    "strong-session-serializable": lambda h: serial(h, session),
    "strict-serializable": lambda h: serial(h, real_time),
}
