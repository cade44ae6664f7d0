"""Recorded operations: what a client asked, what it was told, and when.

A history is a sequence of *events*, invocations and answers, in the order in which they were observed. Each operation
is an invocation with its answer, if there was one. Event positions are the only clock: `a` is before `b` in real time
when the answer of `a` was observed before the invocation of `b` (Herlihy & Wing 1990, section 2.1).

Three things can become of an operation. It *answered*; it *failed*, which means that it certainly took no effect; or it
is *pending*: a timeout, a crash, the end of the record. A pending operation may take effect at any time after its
invocation, or never. A process is sequential and dies with a pending operation, as in Jepsen: the client goes on under
a new process.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from quorate.consistency.values import HistoryError, Value, freeze, show, word

__all__ = ["History", "HistoryError", "Malformed", "Operation", "Process", "Value", "freeze", "show"]

Process = int | str
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one process.

    `index` numbers the operations of a history by invocation. `invoked` and `returned` are event positions; `returned`
    is None for a pending operation, whose `result` then means nothing. `key` names the object, where there are several.
    `line` is where it was invoked in the record that it was read from.
    """

    index: int
    process: Process
    function: str
    argument: Value
    result: Value
    invoked: int
    returned: int | None
    key: Value = None
    line: int | None = field(default=None, compare=False)

    @property
    def pending(self) -> bool:
        return self.returned is None

    def agrees(self, expected: Value) -> bool:
        """Whether this operation may have been told `expected`: it was, or it was told nothing."""
        return self.returned is None or freeze(self.result) == freeze(expected)

    def precedes(self, other: Operation) -> bool:
        """Whether this operation had returned before `other` was invoked."""
        return self.returned is not None and self.returned < other.invoked

    def __str__(self) -> str:
        steps = self.argument if self.pending or self.result is None else self.result
        if self.function == "txn" and isinstance(steps, tuple):
            return "; ".join(map(_step, steps)) + (" (no answer)" if self.pending else "")
        where = "" if self.key is None else f"{show(self.key)}."
        argument = "" if self.argument is None else show(self.argument)
        if self.pending:
            told = " (no answer)"
        elif (self.result is None and self.argument is not None) or self.result == self.argument is not None:
            told = ""
        else:
            told = f" = {show(self.result)}"
        return f"{where}{self.function}({argument}){told}"


def _step(step: Value) -> str:
    """A step of a transaction, its function without the mark of a keyword."""
    if not isinstance(step, tuple):
        return show(step)
    return " ".join(show(word(part)) if number == 0 else show(part) for number, part in enumerate(step))


class Malformed(HistoryError):
    """A record is wrong at a line. `file` is filled in by the reader."""

    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(f"line {line}: {message}")


def misfit(operation: Operation, message: str) -> HistoryError:
    """The error of an operation that does not fit: with its line, if it was read from a record."""
    if operation.line is not None:
        return Malformed(operation.line, message)
    return HistoryError(f"Operation {operation.index}: {message}")


@dataclass(frozen=True)
class History:
    """A well-formed history: operations by invocation, and apart from them those that `failed`.

    Raises `HistoryError` when two events share a position, an answer is before its invocation, a process has two
    operations at once, or goes on after a pending one."""

    operations: tuple[Operation, ...]
    failed: tuple[Operation, ...] = ()

    def __post_init__(self) -> None:
        positions = {o.invoked for o in self.operations}
        positions |= {o.returned for o in self.operations if o.returned is not None}
        pending = sum(o.returned is None for o in self.operations)
        if len(positions) != 2 * len(self.operations) - pending:
            raise HistoryError("Two events of a history have the same position; positions are a total order.")
        last: dict[Process, Operation] = {}
        before = None
        for o in self.operations:
            if o.returned is not None and o.returned < o.invoked:
                raise HistoryError(f"Operation {o.index}, {o}, returned before it was invoked.")
            if before is not None and (before.invoked > o.invoked or before.index >= o.index):
                raise HistoryError(
                    "The operations of a history must be numbered and given in the order of their invocations."
                )
            earlier = last.get(o.process)
            if earlier is not None and not earlier.precedes(o):
                raise HistoryError(
                    f"Process {o.process} invoked {o} while {earlier} had no answer. A process is sequential; "
                    "after an operation that got no answer, the client goes on under a new process."
                )
            last[o.process] = before = o

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def frozen(self) -> History:
        """The same with all values as `freeze` makes them, so that what differs is not equal. Raises `HistoryError`."""
        if all(o.line is not None for o in self.operations):
            return self  # Read from a record, whose readers have done so.
        return History(tuple(map(_frozen, self.operations)), tuple(map(_frozen, self.failed)))

    def processes(self) -> dict[Process, tuple[Operation, ...]]:
        """The operations of each process in program order; processes by first invocation."""
        return grouped(self.operations, lambda o: o.process)

    def by_key(self) -> dict[Value, tuple[Operation, ...]]:
        """The operations on each key, in the order of invocation."""
        return grouped(self.operations, lambda o: o.key)

    def only(self, kept: Callable[[Operation], bool]) -> History:
        """The operations for which `kept` is true, under their old indexes."""
        return History(tuple(o for o in self.operations if kept(o)))

    @staticmethod
    def of(operations: Iterable[Operation], failed: Iterable[Operation] = ()) -> History:
        """A history of these operations, ordered and numbered anew; their positions stay."""
        ordered = sorted(operations, key=lambda o: o.invoked)
        return History(tuple([_numbered(o, number) for number, o in enumerate(ordered)]), tuple(failed))


def _numbered(o: Operation, index: int) -> Operation:
    return Operation(index, o.process, o.function, o.argument, o.result, o.invoked, o.returned, o.key, o.line)


def _frozen(o: Operation) -> Operation:
    return replace(o, argument=freeze(o.argument), result=freeze(o.result), key=freeze(o.key))


def grouped(operations: Iterable[Operation], key: Callable[[Operation], K]) -> dict[K, tuple[Operation, ...]]:
    """The operations by `key`, in their order."""
    groups: dict[K, list[Operation]] = {}
    for operation in operations:
        groups.setdefault(key(operation), []).append(operation)
    return {name: tuple(group) for name, group in groups.items()}


@contextmanager
def without_collections() -> Iterator[None]:
    """Run without Python's search for circles: the millions of values of a long history are in none, and looking at all of
    them again and again takes longer than reading them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
