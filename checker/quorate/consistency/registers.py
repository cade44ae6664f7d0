"""Causal consistency and session guarantees for registers, in polynomial time.

For registers the definitions of `visibility.py` come down to *bad patterns* (Bouajjani, Enea, Guerraoui & Hamza 2017,
section 3), once it is known which write each read reads from. The least visible sets that a level allows are computed
in one pass; then

- `ThinAirRead`: a read returns a value that nobody wrote;
- `CyclicCO`: session order and reads-from have a cycle;
- `WriteCOInitRead`: a read returns the initial value and must see a write;
- `WriteCORead`: a read must see a write that overwrites the one it reads from;
- `CyclicCF` (CCv): causal order and the conflict order (the writes that a read must see come before the one it reads
  from) have a cycle;
- `WriteHBInitRead`, `CyclicHB` (CM): the same for the happened-before order of one session.

A value written twice leaves open which write was read. All choices are tried, up to a limit. For CM that would not be
exact (each session may explain the same read differently), so that then `visibility.py` decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from quorate.consistency.history import History, Operation, Value, grouped, show
from quorate.consistency.models import KeyValueMap, Model, MultiRegister, Register
from quorate.consistency.verdict import Cycle, Edge, Explanations, Sources
from quorate.consistency.visibility import Guarantees, members_of

READS, WRITES = frozenset({"read", "get"}), frozenset({"write", "put", "delete"})
REASONS = {
    "so": "same process",
    "wr": "reads from it",
    "cf": "overwritten, as its process saw",
    "rw": "reads the value before it",
}
LISTED_MAX = 300  # Up to so many operations a witness lists for each answer what it saw.
Causes = Mapping[int, Mapping[int, str]]  # For each operation, those right before it, and why.
Source = int | None  # The index of the write that a read reads from; None for the initial value.


SINGLE = READS | WRITES


def applies(operations: Iterable[Operation], model: Model) -> bool:
    """Whether the model is a register or a map, and the operations only read and write single keys."""
    return type(model) in (Register, KeyValueMap) and all(o.function in SINGLE for o in operations)


def initial_of(model: Model) -> Value:
    """What each register, or each key of a map, holds at first; nil of a model without such keys."""
    if isinstance(model, KeyValueMap):
        return model.absent
    if isinstance(model, MultiRegister):
        return model.first
    return model.initial if isinstance(model, Register) else None


def written(write: Operation, initial: Value) -> Value:
    """What a write leaves in its register."""
    return initial if write.function == "delete" else write.argument


class BadPattern(Exception):
    """A pattern that rules the level out, as evidence."""

    def __init__(self, cycle: Cycle) -> None:
        super().__init__(cycle.anomaly)
        self.cycle = cycle


@dataclass(frozen=True)
class Choices:
    """For each answered read, the writes that may be its source. `BadPattern` is raised for a read that has none."""

    sources: Mapping[int, tuple[Source, ...]]

    @staticmethod
    def of(history: History, initial: Value) -> Choices:
        writers: dict[tuple[Value, Value], list[int]] = {}
        for o in history:
            if o.function in WRITES:
                writers.setdefault((o.key, written(o, initial)), []).append(o.index)
        sources: dict[int, tuple[Source, ...]] = {}
        for o in history:
            if o.function in READS and not o.pending:
                found: list[Source] = [*writers.get((o.key, o.result), ())]
                if o.result == initial:
                    found.append(None)
                if not found:
                    text = f"{o} of process {o.process} returns {show(o.result)}, which nobody wrote."
                    raise BadPattern(Cycle("ThinAirRead", text, {o.index: str(o)}, (), (o,)))
                sources[o.index] = tuple(found)
        return Choices(sources)

    @property
    def ambiguous(self) -> bool:
        return any(len(found) > 1 for found in self.sources.values())

    def __iter__(self) -> Iterator[dict[int, Source]]:
        for chosen in product(*self.sources.values()):
            yield dict(zip(self.sources, chosen, strict=True))


class ReadsFrom:
    """One history with the source of each read known. Raises `BadPattern` from `explain`."""

    def __init__(self, history: History, guarantees: Guarantees, sources: Mapping[int, Source]) -> None:
        self._asked, self._sources = guarantees, sources
        self._operations = [o for o in history if not (o.pending and o.function in READS)]
        self._of = {o.index: o for o in self._operations}
        self._earlier: dict[int, list[Operation]] = {}
        sessions: dict[Value, list[Operation]] = {}
        for o in self._operations:
            own = sessions.setdefault(o.process, [])
            self._earlier[o.index] = list(own[-1:])
            own.append(o)
        self._sessions = list(sessions.values())
        self._writes: dict[Value, int] = {}
        for key, writes in grouped((o for o in self._operations if o.function in WRITES), lambda o: o.key).items():
            self._writes[key] = mask_of(o.index for o in writes)
        self._masks = [mask_of(o.index for o in own) for own in self._sessions]
        self._listed = len(self._operations) <= LISTED_MAX
        self._visible: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def explain(self) -> Explanations | Sources:
        causes = self.causes()
        order = self._sorted(causes, "CyclicCO", "Session order and reads-from form a cycle.")
        self._least_sets(order)
        for o in order:
            self._overwritten(o, causes)
        if self._asked.arbitration:
            return self._converging(causes)
        if self._asked.session_answers:
            return self._by_session(causes)
        if not self._listed:
            return Sources(self._sources)
        position = {o.index: number for number, o in enumerate(order)}
        return Explanations({o.index: self._source_last(o, position) for o in order})

    def causes(self) -> dict[int, dict[int, str]]:
        """What is right before each operation in session order and by what it reads."""
        causes = {o.index: {e.index: "so" for e in self._earlier[o.index]} for o in self._operations}
        for read, source in self._sources.items():
            if source is not None:
                causes[read].setdefault(source, "wr")
        return causes

    def _least_sets(self, order: list[Operation]) -> None:
        """The least visible set of each operation, and for each what must be performed before it."""
        own_writes: dict[Value, int] = {}  # By process: its writes so far, all with what must come before them, and
        own_closed: dict[Value, int] = {}  # all that it has seen so far.
        seen: dict[Value, int] = {}
        for o in order:
            own = own_writes.get(o.process, 0)
            visible = own_closed.get(o.process, 0) if self._asked.read_your_writes else 0
            if self._asked.monotonic_reads:
                visible |= seen.get(o.process, 0)
            source = self._sources.get(o.index)
            if source is not None:
                visible |= 1 << source | self._before[source]
            self._visible[o.index] = visible
            seen[o.process] = seen.get(o.process, 0) | visible
            if o.function in WRITES:
                before = own_closed.get(o.process, 0) if self._asked.monotonic_writes else 0
                if self._asked.writes_follow_reads:
                    before |= seen[o.process]
                self._before[o.index] = before
                own_writes[o.process] = own | 1 << o.index
                own_closed[o.process] = own_closed.get(o.process, 0) | before | 1 << o.index

    def _latest(self, updates: int) -> Iterator[int]:
        """Of a set of updates, the last of each session. Causal order has the others before these."""
        for mask in self._masks:
            if updates & mask:
                yield (updates & mask).bit_length() - 1

    def _earliest(self, updates: int) -> Iterator[int]:
        """Of a set of updates, the first of each session."""
        for mask in self._masks:
            if updates & mask:
                yield (updates & mask & -(updates & mask)).bit_length() - 1

    def _rivals(self, read: Operation) -> int:
        """The writes to the read's key that it must see, without its source."""
        source = self._sources.get(read.index)
        rivals = self._visible[read.index] & self._writes.get(read.key, 0)
        return rivals if source is None else rivals & ~(1 << source)

    def _overwritten(self, o: Operation, causes: Causes) -> None:
        if o.index not in self._sources:
            return
        source = self._sources[o.index]
        if source is not None and not self._asked.causal:
            return  # Each guarantee alone never has the source before another write that must be seen, but in a cycle.
        for number in self._latest(self._rivals(o)):
            rival = self._of[number]
            if source is None:
                text = f"{o} of process {o.process} returns the initial value and must see {rival}."
                raise BadPattern(self._missed("WriteCOInitRead", text, o, number, causes))
            if self._before[number] >> source & 1:
                text = (
                    f"{o} of process {o.process} must see {rival} of process {rival.process}, which is after "
                    f"{self._of[source]} of process {self._of[source].process}, from which it reads."
                )
                raise BadPattern(self._missed("WriteCORead", text, o, number, causes))

    def _missed(self, anomaly: str, text: str, read: Operation, write: int, causes: Causes) -> Cycle:
        """The cycle of a read that misses a write that it must see: the chain of causes from the write, and back."""
        back: dict[int, int] = {}  # From each operation on the way, the next one towards the read.
        queue = deque([read.index])
        while queue and write not in back:
            effect = queue.popleft()
            for cause in causes[effect]:
                if cause not in back:
                    back[cause] = effect
                    queue.append(cause)
        edges: list[Edge] = []
        at = write
        while at != read.index:
            effect = back[at]
            edges.append(Edge(at, effect, causes[effect][at], REASONS[causes[effect][at]]))
            at = effect
        edges.append(Edge(read.index, write, "rw", "reads the value before it"))
        return self._cycle(anomaly, text, tuple(edges))

    def _source_last(self, o: Operation, position: Mapping[int, int]) -> tuple[Operation, ...]:
        """The visible writes: first all that need not follow the source, then the source and the rest."""
        source = self._sources.get(o.index)

        def late(number: int) -> bool:
            return source is not None and (number == source or self._before[number] >> source & 1 == 1)

        numbers = sorted(members_of(self._visible[o.index]), key=lambda number: (late(number), position[number]))
        return (*(self._of[number] for number in numbers), o)

    def _converging(self, causes: Causes) -> Explanations | Sources:
        """CCv: one arbitration, with the writes that a read must see before its source."""
        after = {number: dict(edges) for number, edges in causes.items()}
        for read, source in self._sources.items():
            if source is not None:
                for rival in self._latest(self._rivals(self._of[read])):
                    after[source].setdefault(rival, "cf")
        order = self._sorted(
            after, "CyclicCF", "No arbitration of the writes agrees with all reads and with causality."
        )
        arbitration = tuple(o for o in order if o.function in WRITES)
        if not self._listed:
            return Sources(self._sources, arbitration=arbitration)
        position = {o.index: number for number, o in enumerate(order)}
        orders = {
            o.index: (*(self._of[n] for n in sorted(members_of(self._visible[o.index]), key=position.__getitem__)), o)
            for o in order
        }
        return Explanations(orders, arbitration)

    def _by_session(self, causes: Causes) -> Explanations | Sources:
        """CM: for each session, its happened-before order, grown until it is closed.

        That order may have a write early because a later answer asks for it: it explains an answer when it is cut down to
        what is in the answer's own causal past."""
        orders: dict[int, tuple[Operation, ...]] = {}
        performed: list[tuple[Operation, ...]] = []
        causal = _ancestors(self._sorted(causes, "CyclicCO", "Session order and reads-from form a cycle."), causes)
        for own, mask in zip(self._sessions, self._masks, strict=True):
            after = {number: dict(edges) for number, edges in causes.items()}
            reads = [o for o in own if o.index in self._sources]
            grown = True
            while grown:
                order = self._sorted(after, "CyclicHB", f"Process {own[0].process} cannot order what it saw.")
                past = _ancestors(order, after)
                grown = sum(self._follow(read, past, after) for read in reads) > 0
            performed.append(self._lazily(own, order, past))
            if self._listed:
                at = {o.index: number for number, o in enumerate(performed[-1], 1)}
                seen = {o.index: causal[o.index] | mask for o in own}
                orders |= {
                    o.index: tuple(e for e in performed[-1][: at[o.index]] if seen[o.index] >> e.index & 1) for o in own
                }
        return Explanations(orders) if self._listed else Sources(self._sources, sessions=tuple(performed))

    def _follow(self, read: Operation, past: Mapping[int, int], after: dict[int, dict[int, str]]) -> bool:
        """Put the writes that happened before `read` before its source; whether that was news."""
        source = self._sources[read.index]
        rivals = past[read.index] & self._writes.get(read.key, 0)
        if source is None:
            for number in self._latest(rivals):
                text = f"{read} of process {read.process} returns the initial value after {self._of[number]}."
                raise BadPattern(self._missed("WriteHBInitRead", text, read, number, after))
            return False
        news = rivals & ~past[source] & ~(1 << source)
        for number in self._latest(news):
            after[source].setdefault(number, "cf")
        return news != 0

    def _lazily(self, own: list[Operation], order: list[Operation], past: Mapping[int, int]) -> tuple[Operation, ...]:
        """The session's operations, and all writes that happened before them, each as late as possible."""
        place = {o.index: number for number, o in enumerate(order)}
        done: list[Operation] = []
        placed = 0
        for o in own:
            wanted = past[o.index] & ~placed
            members = [self._of[number] for number in members_of(wanted)]
            done.extend(sorted((e for e in members if e.function in WRITES), key=lambda e: place[e.index]))
            placed |= past[o.index] | 1 << o.index
            done.append(o)
        return tuple(done)

    def _sorted(self, causes: Causes, anomaly: str, text: str) -> list[Operation]:
        """A topological order, earliest invocation first. Raises `BadPattern` with a cycle if there is none."""
        state: dict[int, int] = {}
        order: list[Operation] = []
        for root in self._operations:
            stack = [(root.index, iter(causes[root.index]))] if root.index not in state else []
            state.setdefault(root.index, 1)
            while stack:
                number, rest = stack[-1]
                for cause in rest:
                    if state.get(cause) == 1:
                        path = [n for n, _ in stack]
                        raise BadPattern(self._closing(path[path.index(cause) :], causes, anomaly, text))
                    if cause not in state:
                        state[cause] = 1
                        stack.append((cause, iter(causes[cause])))
                        break
                else:
                    state[number] = 2
                    order.append(self._of[number])
                    stack.pop()
        return order

    def _closing(self, path: list[int], causes: Causes, anomaly: str, text: str) -> Cycle:
        """The cycle of a path along which each operation is caused by the next, and the last by the first."""
        around = [*path, path[0]]
        edges = [
            Edge(cause, effect, causes[effect][cause], REASONS[causes[effect][cause]])
            for effect, cause in pairwise(around)
        ]
        return self._cycle(anomaly, text, tuple(reversed(edges)))

    def _cycle(self, anomaly: str, text: str, edges: tuple[Edge, ...]) -> Cycle:
        numbers = sorted({n for edge in edges for n in (edge.source, edge.target)})
        nodes = {n: f"process {self._of[n].process}: {self._of[n]}" for n in numbers}
        return Cycle(anomaly, text, nodes, edges, tuple(self._of[n] for n in numbers))


def mask_of(numbers: Iterable[int]) -> int:
    """A set of numbers as bits."""
    found = list(numbers)
    bits = bytearray(max(found, default=0) // 8 + 1)
    for number in found:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def _ancestors(order: list[Operation], causes: Causes) -> dict[int, int]:
    past: dict[int, int] = {}
    for o in order:
        mask = 0
        for cause in causes[o.index]:
            mask |= past[cause] | 1 << cause
        past[o.index] = mask
    return past
