"""What the command line offers of the store."""

from __future__ import annotations

from functools import partial

from quorate_impl.core import Message
from quorate_impl.primary_backup.client import Unknown
from quorate_impl.primary_backup.messages import (
    CLASSES,
    START,
    Cas,
    Consistency,
    Delete,
    Done,
    Facts,
    FailOver,
    Get,
    Lost,
    Mismatch,
    Position,
    Put,
    Refused,
    Scheme,
    Status,
    Value,
)
from quorate_impl.runtime.protocols import Action, Shown


def _scheme(text: str) -> Scheme:
    """Of a class, or by its own name. Raises `ValueError`."""
    try:
        return CLASSES[text] if text in CLASSES else Scheme(text)
    except ValueError:
        names = [*CLASSES, *(scheme.value for scheme in Scheme)]
        raise ValueError(f"There is no class {text!r}. There are: {', '.join(names)}.") from None


def _token(text: str) -> Position:
    """From a user's text, as `_told` writes it. Raises `ValueError`."""
    epoch, point, index = text.partition(".")
    if not point or not epoch.isdecimal() or not index.isdecimal():
        raise ValueError(f"A token is an epoch and an index, such as 1.17, not {text!r}.")
    return int(epoch), int(index)


def _told(position: Position) -> str:
    return "" if position == START else f"token {position[0]}.{position[1]}"


def _consistency(text: str) -> Consistency:
    try:
        return Consistency(text)
    except ValueError:
        raise ValueError(f"A read is latest, session or any, not {text!r}.") from None


def _put(key: str, value: str, class_: str = "order") -> Put:
    return Put(key, value, _scheme(class_))


def _cas(key: str, expected: str, value: str, class_: str = "order") -> Cas:
    return Cas(key, expected, value, _scheme(class_))


def _delete(key: str, class_: str = "order") -> Delete:
    return Delete(key, _scheme(class_))


def _get(key: str, consistency: str = "", token: str = "") -> Get:
    """With a token it is a session's read, unless something else is asked for."""
    given = _token(token) if token else START
    return Get(key, _consistency(consistency or ("session" if token else "latest")), given)


CLASS = frozenset(("class_",))

ACTIONS = {
    "put": Action(("KEY", "VALUE"), "Set the value of a key.", _put, CLASS),
    "get": Action(
        ("KEY",), "The value of a key; exit code 1 if it has none.", _get, frozenset(("consistency", "token"))
    ),
    "cas": Action(
        ("KEY", "EXPECTED", "VALUE"), "Set the value if it is EXPECTED; exit code 1 if it is not.", _cas, CLASS
    ),
    "delete": Action(("KEY",), "Take a key away.", _delete, CLASS),
    "status": Action((), "What a node knows of itself.", lambda: Status(0)),
    "fail-over": Action((), "Have the arbiter begin a new epoch.", lambda: FailOver(0, force=False)),
    "force-fail-over": Action((), "The same without a majority: orders may be lost.", lambda: FailOver(0, force=True)),
}

LOADS = {name: partial(ACTIONS["put"].make, class_=name) for name in CLASSES}


def show(result: Message) -> Shown:
    """An answer in words. The token is told beside it."""
    match result:
        case Value(None, position):
            return Shown("(no value)", 1, _told(position))
        case Value(value, position):
            return Shown(str(value), 0, _told(position))
        case Mismatch(value, position):
            return Shown(f"not done: the value is {'not there' if value is None else value}", 1, _told(position))
        case Done(position):
            return Shown("done", 0, _told(position))
        case Lost(position):
            return Shown(f"a failover has lost what was at {_told(position)}", 1)
        case Refused(reason):
            return Shown(f"not done: {reason}", 1)
        case Unknown(reason):
            return Shown(f"unknown whether it was done: {reason}", 3)
        case Facts(facts):
            return Shown("\n".join(f"{name:16} {'-' if value is None else value}" for name, value in facts.items()))
    raise AssertionError(result)
