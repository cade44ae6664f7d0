"""Events as the file formats give them, and how they are paired into a history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quorate.consistency.history import History, HistoryError, Operation, Process, Value

TYPES = ("invoke", "ok", "fail", "info")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a record: `type` is "invoke", "ok" (answered), "fail" (took no effect) or "info" (nobody knows)."""

    line: int
    process: Process
    type: str
    function: str
    value: Value
    key: Value = None


class Malformed(HistoryError):
    """A record is wrong at a line. `file` is filled in by the reader."""

    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(f"line {line}: {message}")


def is_client(process: object) -> bool:
    """Whether an event is a client's: Jepsen also records what its fault injector ("nemesis") did, which is no
    operation."""
    return process != "nemesis"


def assemble(events: Iterable[Event]) -> History:
    """The history of a record. Positions are those of the events. Raises `Malformed` for events that do not pair up."""
    open_: dict[Process, tuple[Event, int]] = {}
    dead: dict[Process, int] = {}
    done: list[Operation] = []
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
        if event.function != invocation.function:
            raise Malformed(
                event.line,
                f"Process {event.process} has {event.type} of {event.function!r} but had invoked "
                f"{invocation.function!r} (line {invocation.line}).",
            )
        returned = None if event.type == "info" else position
        operation = _operation(invocation, event.value if event.type == "ok" else None, invoked, returned)
        if event.type == "info":
            dead[event.process] = event.line
        (failed if event.type == "fail" else done).append(operation)
    done.extend(_operation(invocation, None, invoked, None) for invocation, invoked in open_.values())
    return History.of(done, failed)


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


def _operation(invocation: Event, result: Value, invoked: int, returned: int | None) -> Operation:
    i = invocation
    return Operation(invoked, i.process, i.function, i.value, result, invoked, returned, i.key)
