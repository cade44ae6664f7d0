"""Workloads whose answers can be judged without a search, as Jepsen has them: bank, set-full, long-fork, monotonic.

Each is a function from a history to evidence, or to None where nothing is wrong. They say less than the levels do: a bank
whose totals are right need not be serializable. They are quick at any size, and need no record of which write was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quorate.consistency.history import History, Operation, misfit, show
from quorate.consistency.transactions.reading import steps_of
from quorate.consistency.values import Map, Value
from quorate.consistency.verdict import Cycle


@dataclass(frozen=True)
class Workload:
    """A workload: what it asks in one sentence, and how a history is judged."""

    name: str
    definition: str
    judge: Callable[[History], Cycle | None]


def _anomaly(name: str, text: str, *operations: Operation) -> Cycle:
    nodes = {o.index: f"process {o.process}: {o}" for o in operations}
    return Cycle(name, text, nodes, (), tuple(operations))


def _only(operations: Sequence[Operation], functions: tuple[str, ...]) -> None:
    for o in operations:
        if o.function not in functions:
            raise misfit(o, f"{o} is not one of this workload's operations: {', '.join(functions)}.")


def _by_key(judge: Callable[[Sequence[Operation]], Cycle | None]) -> Callable[[History], Cycle | None]:
    """Judge the operations of each key apart: they are about objects of their own."""

    def judged(history: History) -> Cycle | None:
        return next((found for found in [judge(own) for own in history.by_key().values()] if found is not None), None)

    return judged


def bank(operations: Sequence[Operation]) -> Cycle | None:
    """`read` returns a map from accounts to balances; `transfer` moves money. All reads show one total."""
    _only(operations, ("read", "transfer"))
    first: Operation | None = None
    for o in operations:
        if o.function != "read" or o.pending:
            continue
        total = _total(o)
        if first is None:
            first = o
        elif total != _total(first):
            text = (
                f"{o} of process {o.process} has a total of {total}, and {first} of process {first.process} one of "
                f"{_total(first)}. Transfers leave the total alone."
            )
            return _anomaly("wrong total", text, first, o)
    return None


def _total(read: Operation) -> int:
    if not isinstance(read.result, Map):
        raise misfit(read, f"A read of a bank returns a map from accounts to balances, not {show(read.result)}.")
    total = 0
    for account, balance in read.result.items:
        if not isinstance(balance, int):
            raise misfit(read, f"The balance of {show(account)} is {show(balance)}, which is no whole number.")
        total += balance
    return total


def set_full(operations: Sequence[Operation]) -> Cycle | None:
    """`add(v)` of distinct values, and `read` of all members. What was added before a read began, and what an earlier read
    had shown, is in it; what nobody had begun to add when it returned is not."""
    _only(operations, ("add", "read"))
    adds: dict[Value, Operation] = {}
    for o in operations:
        if o.function == "add" and adds.setdefault(o.argument, o) is not o:
            raise misfit(o, f"{show(o.argument)} is added twice; each value is added once, so that one can follow it.")
    known: dict[Value, tuple[int, Operation]] = {}  # Since when each value must be there, and by which operation.
    for value, o in adds.items():
        if o.returned is not None:
            known[value] = (o.returned, o)
    reads = [o for o in operations if o.function == "read" and not o.pending]
    for o in sorted(reads, key=lambda o: o.returned or 0):
        shown = _shown(o)
        for value in shown:
            add = adds.get(value)
            if add is None or o.precedes(add):
                return _anomaly(
                    "phantom", f"{o} of process {o.process} shows {show(value)}, which nobody had added.", o
                )
            if value not in known or (o.returned or 0) < known[value][0]:
                known[value] = (o.returned or 0, o)
    for o in reads:
        shown = _shown(o)
        for value, (since, reason) in known.items():
            if since < o.invoked and value not in shown:
                text = f"{o} of process {o.process} misses {show(value)}; {reason} of process {reason.process} was finished before."
                return _anomaly("lost or stale", text, reason, o)
    return None


def _shown(read: Operation) -> frozenset[Value]:
    result = read.result
    if result is None:
        return frozenset()
    if not isinstance(result, (tuple, frozenset)):
        raise misfit(read, f"A read of a set returns its members, not {show(result)}.")
    if len(frozenset(result)) < len(result):
        raise misfit(read, f"A set has each member once, and {show(result)} has one twice.")
    return frozenset(result)


def long_fork(history: History) -> Cycle | None:
    """Each key is written once, by a transaction of its own, and other transactions read several keys: of two reads of the
    same keys one has seen all that the other has."""
    values: dict[Value, Value] = {}
    groups: dict[frozenset[Value], list[tuple[frozenset[Value], Operation]]] = {}
    for o in history:
        steps = steps_of(o)
        written = [step for step in steps if step[0] != "r"]
        if written and len(steps) > 1:
            raise misfit(o, "A transaction of this workload writes one key, or only reads.")
        for function, key, value in written:
            if function != "w" or value is None or key in values:
                raise misfit(o, f"Each key is written once, with a value, and {show(key)} is not.")
            values[key] = value
        if not written and not o.pending and steps:
            keys = frozenset(key for _, key, _ in steps)
            groups.setdefault(keys, []).append((frozenset(key for _, key, value in steps if value is not None), o))
    for o in history:
        for _, key, value in () if o.pending else steps_of(o):
            if value is not None and (key not in values or values[key] != value):
                return _anomaly(
                    "unwritten read", f"T{o.index} reads {show(value)} of {show(key)}, which nobody wrote.", o
                )
    for group in groups.values():
        chain = sorted(group, key=lambda item: (len(item[0]), item[1].index))
        for (less, one), (more, other) in pairwise(chain):
            if not less <= more:
                text = (
                    f"T{one.index} sees {show(min(less - more, key=repr))} and not {show(min(more - less, key=repr))}; "
                    f"T{other.index} sees it the other way round."
                )
                return _anomaly("long fork", text, one, other)
    return None


def monotonic(operations: Sequence[Operation]) -> Cycle | None:
    """`inc` returns the new value of a register that only grows, `read` its value: an operation that began when another was
    finished does not return less, and no increment returns what was there already, or what another one returns."""
    _only(operations, ("inc", "read"))
    told = [o for o in operations if not o.pending]
    for o in told:
        if not isinstance(o.result, int):
            raise misfit(o, f"{o} returns a whole number, not {show(o.result)}.")
    done = sorted(told, key=lambda o: o.returned or 0)
    number, best = 0, None
    made: dict[Value, Operation] = {}
    for o in told:
        while number < len(done) and (done[number].returned or 0) < o.invoked:
            best = done[number] if best is None or _number(done[number]) > _number(best) else best
            number += 1
        if best is not None and not _may_follow(o, best):
            text = f"{o} of process {o.process} began when {best} of process {best.process} was finished."
            return _anomaly("not monotonic", text, best, o)
        if o.function == "inc" and made.setdefault(o.result, o) is not o:
            other = made[o.result]
            text = f"{o} of process {o.process} and {other} of process {other.process} are one increment."
            return _anomaly("lost increment", text, other, o)
    return None


def _may_follow(o: Operation, best: Operation) -> bool:
    return _number(o) > _number(best) or (_number(o) == _number(best) and o.function == "read")


def _number(o: Operation) -> int:
    assert isinstance(o.result, int)
    return o.result


WORKLOADS: Mapping[str, Workload] = {
    each.name: each
    for each in (
        Workload("bank", "All reads of all accounts show one total.", _by_key(bank)),
        Workload(
            "set-full", "What was added or read before a read began is in it, and nothing else.", _by_key(set_full)
        ),
        Workload(
            "long-fork",
            "Of two reads of the same keys, each written once, one has seen all that the other has.",
            long_fork,
        ),
        Workload(
            "monotonic", "A register that only grows never shows less than it had shown before.", _by_key(monotonic)
        ),
    )
}
