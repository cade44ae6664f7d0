"""The levels that ask for a legal order of operations: linearizable, sequential, convergent.

**Linearizable** (Herlihy & Wing 1990): one legal order of all operations that keeps real time. It is *local*: a history
is linearizable if its part on each key is, so keys are searched apart, in turns, and the first bad key ends the
judgement.

**Sequential** (Lamport 1979): one legal order of all operations that keeps each process's own order. It is not local,
so that all keys are searched together.

**Convergent**: the last read of each process, if it began after every update had returned, is the result of one order
of all the updates, the same for all processes. A finite history cannot refute *eventual* convergence; this level takes
the final reads for what the processes go on reading for ever, as Perrin et al. (2016) do with an operation marked
omega.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate

from quorate.consistency import registers, zones
from quorate.consistency.history import History, Operation, Value, grouped
from quorate.consistency.impossible import impossible_read
from quorate.consistency.models import NEVER, Model, Refused, State
from quorate.consistency.native import Factory, engine
from quorate.consistency.search import Problem, Search, Status, Transitions, pack
from quorate.consistency.verdict import Evidence, Order

SLICE = 4096
DEFAULT_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Limits:
    """How far a judgement may go: memory that a search may take, and configurations (or, for the levels without a
    search of orders, attempts) that it may visit in all; None for any number. `native` as in `native.engine`."""

    memory_bytes: int = DEFAULT_MEMORY_BYTES
    configurations: int | None = None
    native: bool | None = None


@dataclass(frozen=True)
class Bad:
    """A part of a history, on `key`, for which no order in the sense of `model` exists. `horizon`: everything that had
    returned before it can be ordered. `search_again` starts the search of a variation from any state. `monotone` says
    that a part of which less was observed is no harder to order, so that answers may be forgotten; `prefix_closed` that
    the same holds of its beginnings."""

    operations: tuple[Operation, ...]
    key: Value
    model: Model
    partial: tuple[Operation, ...]
    horizon: int
    search_again: Callable[[Iterable[Operation], State], Search]
    prefix_closed: bool
    monotone: bool


@dataclass(frozen=True)
class Found:
    """What a search over all parts said: `order`, or `bad`, or neither when a limit was hit. `evidence` is there where a
    violation needs no search to be explained."""

    order: Order | None
    bad: Bad | None
    note: str | None
    evidence: Evidence | None = None


class Keyed(Model):
    """Independent objects of one model, one for each key, as a single object whose state has them all."""

    per_key = False

    def __init__(self, model: Model) -> None:
        self._model = model
        # These describe the model that is multiplied, so they are this object's own and not its class's.
        self.name, self.operations, self.queries = model.name, model.operations, model.queries  # type: ignore[misc]
        self.per_process = model.per_process  # type: ignore[misc]

    initial = ()

    def is_query(self, operation: Operation) -> bool:
        return self._model.is_query(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, tuple)
        objects = dict(state)
        after = self._model.step(objects.get(operation.key, self._model.initial), operation)
        if isinstance(after, Refused):
            return after
        objects[operation.key] = after
        return tuple(sorted(objects.items(), key=lambda item: repr(item[0])))


def whole(model: Model, operations: Sequence[Operation]) -> Model:
    """The model of `operations` all together: `model` itself, or its product over their keys."""
    return Keyed(model) if model.splits(operations) and len({o.key for o in operations}) > 1 else model


def parts(history: History, model: Model) -> dict[Value, tuple[Operation, ...]]:
    """The parts of a history that may be judged apart: one for each key, or all of it under the key None."""
    return history.by_key() if model.splits(history) else {None: history.operations}


def linearizable(history: History, model: Model, limits: Limits) -> Found:
    """Registers whose reads name their writers are decided by their zones, and all others are searched."""
    whole_parts = parts(history, model)
    initial = registers.initial_of(model)
    sorted_: dict[Value, tuple[Operation, ...]] = {}
    hard: dict[Value, tuple[Operation, ...]] = {}
    for key, own in whole_parts.items():
        if not registers.applies(own, model) or not zones.applies(own, initial):
            hard[key] = own
            continue
        found = zones.linearize(own, initial)
        if isinstance(found, zones.Clash):
            return Found(None, None, None, zones.explain(own, initial, key))
        sorted_[key] = found
    if not hard:
        return Found(Order(sorted_), None, None)
    searched = _each_part(hard, model, limits, pack_as=pack)
    if searched.order is None:
        if searched.bad is None:  # A limit was hit.
            registered = (own for own in hard.values() if registers.applies(own, model))
            told = next((bad for own in registered if (bad := impossible_read(own, initial))), None)
            return replace(searched, evidence=told)
        return searched
    return Found(
        Order({key: (sorted_ | dict(searched.order.per_key))[key] for key in whole_parts}), None, searched.note
    )


def sequential(history: History, model: Model, limits: Limits) -> Found:
    """A linearizable history is sequential and usually far quicker to recognize, so that is tried first."""
    in_time = linearizable(history, model, limits)
    if in_time.order is not None:
        return Found(Order({None: _merged(list(in_time.order.per_key.values()))}), None, in_time.note)
    product = whole(model, history.operations)
    everything: dict[Value, tuple[Operation, ...]] = {None: history.operations}
    return _each_part(everything, product, limits, pack_as=_by_process, prefix_closed=False, monotone=False)


def _merged(orders: list[tuple[Operation, ...]]) -> tuple[Operation, ...]:
    """One linearization of all keys from those of each: their union with real time has no cycle (locality)."""
    positions = [0] * len(orders)
    merged = []
    # What must be done before anything invoked later, per order: the earliest return among the operations still to
    # come.
    due = [_suffix_minima(order) for order in orders]
    for _ in range(sum(map(len, orders))):
        left = [number for number, order in enumerate(orders) if positions[number] < len(order)]
        horizon = min(due[number][positions[number]] for number in left)
        chosen = next(number for number in left if orders[number][positions[number]].invoked <= horizon)
        merged.append(orders[chosen][positions[chosen]])
        positions[chosen] += 1
    return tuple(merged)


def _suffix_minima(order: Sequence[Operation]) -> list[int]:
    minima = list(accumulate((NEVER if o.returned is None else o.returned for o in reversed(order)), min))
    return minima[::-1]


def convergent(history: History, model: Model, limits: Limits) -> Found:
    resting = {key: _at_rest(own, model) for key, own in parts(history, model).items()}
    if registers.applies(history, model):
        rests = {key: _Rest.of(own, registers.initial_of(model)) for key, own in resting.items()}
        orders = {key: rest.order() for key, rest in rests.items()}
        if all(order is not None for order in orders.values()):
            return Found(Order({key: order for key, order in orders.items() if order is not None}), None, None)
        resting = {key: rest.disagreeing() for key, rest in rests.items() if orders[key] is None}
    return _each_part(resting, model, limits, pack_as=pack, prefix_closed=False)


@dataclass(frozen=True)
class _Rest:
    """One register at rest: its writes all at once, then its final reads, by what they show. What is left by the writes that
    were answered is one value; any other that is shown is there by a write in doubt, which took effect between the reads."""

    initial: Value
    writes: tuple[Operation, ...]
    finals: dict[Value, tuple[Operation, ...]]

    @staticmethod
    def of(resting: Sequence[Operation], initial: Value) -> _Rest:
        writes = tuple(o for o in resting if o.function in registers.WRITES)
        return _Rest(
            initial, writes, grouped((o for o in resting if o.function in registers.READS), lambda o: o.result)
        )

    def order(self) -> tuple[Operation, ...] | None:
        """An order of the writes that gives all the final reads; None if there is none."""
        done = [o for o in self.writes if not o.pending]
        settled = self._settled()
        if len(settled) > 1:
            return None
        order = list(done)
        for value in settled:
            last = next((o for o in done if self._written(o) == value), None)
            if last is None and (done or value != self.initial):
                return None
            order = [*(o for o in done if o is not last), *([last] if last else []), *self.finals[value]]
        for value, late in self._in_doubt().items():
            order += [late, *self.finals[value]]
        return tuple(order)

    def disagreeing(self) -> tuple[Operation, ...]:
        """If there is no order: two final reads that differ, or one of what is not there, and all writes of what they read (or
        one write, if nobody read anything that was written)."""
        shown = sorted((self.finals[value][0] for value in self._settled()), key=lambda o: o.index)[:2]
        values = {o.result for o in shown}
        told = [o for o in self.writes if self._written(o) in values]
        return (*(told or [o for o in self.writes if not o.pending][:1]), *shown)

    def _written(self, write: Operation) -> Value:
        return registers.written(write, self.initial)

    def _in_doubt(self) -> dict[Value, Operation]:
        """A write in doubt of each value that is shown, where there is one."""
        return {self._written(o): o for o in self.writes if o.pending and self._written(o) in self.finals}

    def _settled(self) -> list[Value]:
        """The values that are shown and that no write in doubt explains."""
        in_doubt = self._in_doubt()
        return [value for value in self.finals if value not in in_doubt]


def _at_rest(operations: Sequence[Operation], model: Model) -> tuple[Operation, ...]:
    """All updates side by side, then the final queries side by side: linearizable if and only if these converge."""
    updates = [o for o in operations if not model.is_query(o)]
    last: dict[Value, Operation] = {o.process: o for o in operations}
    finals = [
        o
        for o in last.values()
        if model.is_query(o) and not o.pending and all(u.pending or u.precedes(o) for u in updates)
    ]
    retimed = []
    for group, start in ((updates, 0), (finals, 2 * len(operations))):
        for number, operation in enumerate(group):
            returned = None if operation.pending else start + len(operations) + number
            retimed.append(replace(operation, invoked=start + number, returned=returned))
    return tuple(retimed)


def _by_process(operations: Iterable[Operation], transitions: Transitions) -> Problem:
    lanes: dict[Value, list[Operation]] = {}
    for operation in operations:
        lanes.setdefault(operation.process, []).append(operation)
    return Problem(tuple(map(tuple, lanes.values())), real_time=False)


def _each_part(
    questions: dict[Value, tuple[Operation, ...]],
    model: Model,
    limits: Limits,
    pack_as: Callable[[Iterable[Operation], Transitions], Problem],
    prefix_closed: bool = True,
    monotone: bool = True,
) -> Found:
    """Search the parts in turns, each turn twice as long as the one before, until all have an order or one has none.

    A part that hits its limit leaves the others running: if one of them has no order, the answer is still known."""
    memory_bytes = limits.memory_bytes // max(min(len(questions), 16), 1)
    transitions = Transitions(model, model.initial)
    new_search, note = engine(transitions, memory_bytes, limits.native)

    @cache
    def engine_from(state: State) -> tuple[Transitions, Factory]:
        begun = Transitions(model, state)
        return begun, engine(begun, memory_bytes, limits.native)[0]

    def search_again(operations: Iterable[Operation], state: State) -> Search:
        begun, new = engine_from(state)
        return new(pack_as(operations, begun))

    left = limits.configurations
    found: dict[Value, tuple[Operation, ...]] = {}
    gave_up = False

    def refuted(key: Value, partial: tuple[Operation, ...], horizon: int) -> Found:
        bad = Bad(questions[key], key, model, partial, horizon, search_again, prefix_closed, monotone)
        return Found(None, bad, note)

    for key, own in questions.items():
        if monotone and model.contradicts(own):
            return refuted(key, (), -1)
    running = {key: new_search(pack_as(own, transitions)) for key, own in questions.items()}
    slice_ = SLICE
    while running and (left is None or left > 0):
        for key, search in list(running.items()):
            budget = slice_ if left is None else max(min(slice_, left), 1)
            status = search.run(budget)
            left = None if left is None else left - budget
            if status is Status.FOUND:
                found[key] = tuple(search.order)
            elif status is Status.NONE:
                return refuted(key, tuple(search.partial), search.horizon)
            gave_up |= status is Status.LIMIT
            if status is not Status.RUNNING:
                running.pop(key).close()
        slice_ *= 2
    return Found(None if gave_up or running else Order(found), None, note)
