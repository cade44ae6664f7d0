"""Events as the file formats give them, and how they are paired into a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from quorate.consistency.history import History, Malformed, Operation, Process, Value
from quorate.consistency.values import show, word

__all__ = ["TYPES", "Event", "Malformed", "assemble", "is_client"]

TYPES = ("invoke", "ok", "fail", "info")
READS = frozenset({"r", "read", "rp"})


class Event(NamedTuple):
    """One line of a record: `type` is "invoke", "ok" (answered), "fail" (took no effect) or "info" (nobody knows)."""

    line: int
    process: Process
    type: str
    function: str
    value: Value
    key: Value = None


def is_client(process: object) -> bool:
    """Whether an event is a client's: Jepsen also records what its fault injector ("nemesis") did, which is no
    operation."""
    return process != "nemesis"


def assemble(events: Iterable[Event]) -> History:
    """The history of a record. Positions are those of the events. Raises `Malformed` for events that do not pair up."""
    open_: dict[Process, tuple[Event, int]] = {}
    dead: dict[Process, int] = {}
    done: list[_Record] = []
    failed: list[Operation] = []
    for position, event in enumerate(events):
        if event.type == "invoke":
            _check_free(event, open_, dead)
            open_[event.process] = (event, position)
            continue
        if event.process not in open_:
            raise Malformed(
                event.line, f"Process {event.process} has {event.type} of {event.function!r} but had invoked nothing."
            )
        invocation, invoked = open_.pop(event.process)
        _check_answer(event, invocation)
        if event.type == "ok":
            done.append(_record(invoked, position, invocation, event.value))
        elif event.type == "info":
            dead[event.process] = event.line
            done.append(_record(invoked, None, invocation, None))
        else:
            failed.append(_operation(invoked, _record(invoked, position, invocation, None)))
    done.extend(_record(invoked, None, invocation, None) for invocation, invoked in open_.values())
    done.sort(key=itemgetter(0), reverse=True)
    operations: list[Operation] = []
    while done:  # Records go as operations come: there may be half a million.
        operations.append(_operation(len(operations), done.pop()))
    return History(tuple(operations), tuple(failed))


_Record = tuple[int, int | None, Process, str, Value, Value, Value, int]


def _record(invoked: int, returned: int | None, invocation: Event, result: Value) -> _Record:
    """What an operation is made of when all are there and can be numbered."""
    line, process, _, function, asked, key = invocation
    # Of a transaction that was answered the steps are kept once: the answer repeats what was asked.
    argument = result if function == "txn" and result is not None else asked
    return invoked, returned, process, function, argument, result, key, line


def _operation(index: int, record: _Record) -> Operation:
    invoked, returned, process, function, argument, result, key, line = record
    return Operation(index, process, function, argument, result, invoked, returned, key, line)


def _check_free(event: Event, open_: dict[Process, tuple[Event, int]], dead: dict[Process, int]) -> None:
    if event.process in open_:
        raise Malformed(
            event.line,
            f"Process {event.process} invokes {event.function!r} while its {open_[event.process][0].function!r} "
            f"(line {open_[event.process][0].line}) has no answer.",
        )
    if event.process in dead:
        raise Malformed(
            event.line,
            f"Process {event.process} goes on after an operation of unknown outcome (line {dead[event.process]}). It "
            "may still be at work: let the client go on under a new process number.",
        )


def _check_answer(event: Event, invocation: Event) -> None:
    """Whether an answer is one to what was invoked. What it may say depends on the model, but for transactions."""
    if event.function != invocation.function:
        raise Malformed(
            event.line,
            f"Process {event.process} has {event.type} of {event.function!r} but had invoked "
            f"{invocation.function!r} (line {invocation.line}).",
        )
    if event.key is not None and event.key != invocation.key:
        asked = "no key" if invocation.key is None else f"key {show(invocation.key)}"
        raise Malformed(
            event.line,
            f"Process {event.process} has {event.type} of {event.function!r} on key {show(event.key)} but had invoked it "
            f"on {asked} (line {invocation.line}).",
        )
    if event.type == "ok" and event.function == "txn":
        for problem in _differences(invocation.value, event.value):
            raise Malformed(event.line, f"{problem} (invoked at line {invocation.line}).")


def _differences(invoked: Value, answered: Value) -> Iterator[str]:
    """Why the answer of a transaction is not one to its invocation: the same steps, with what was read filled in."""
    if not isinstance(invoked, tuple) or not isinstance(answered, tuple):
        yield f"A transaction and its answer are lists of steps, not {show(invoked)} and {show(answered)}"
    elif len(invoked) != len(answered):
        yield f"The transaction was invoked with {len(invoked)} steps and answered with {len(answered)}"
    else:
        for asked, told in zip(invoked, answered, strict=True):
            if asked == told:
                continue
            if not isinstance(asked, tuple) or not isinstance(told, tuple) or len(asked) != 3 or asked[:2] != told[:2]:
                yield f"The step {show(asked)} of the transaction was answered as {show(told)}, which is another step"
            elif word(asked[0]) not in READS:
                yield f"The step {show(asked)} of the transaction was answered as {show(told)}, with another value"
