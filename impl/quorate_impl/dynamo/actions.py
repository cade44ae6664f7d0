"""What the command line offers of the store."""

from __future__ import annotations

from functools import partial

from quorate_impl.core import Message
from quorate_impl.dynamo.client import Delete, Get, Put, Unknown
from quorate_impl.dynamo.messages import Done, Facts, Level, Refused, Status, Values
from quorate_impl.runtime.protocols import Action, Shown


def _level(text: str) -> Level:
    """From a user's text. Raises `ValueError`."""
    match text:
        case "one" | "quorum" | "all":
            return text
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ValueError(f"A level is one, quorum, all, or a number of replicas, not {text!r}.")


def _get(key: str, consistency: str = "quorum") -> Get:
    return Get(key, _level(consistency))


def _put(key: str, value: str, consistency: str = "quorum", beside: bool = False) -> Put:
    return Put(key, value, _level(consistency), reads_first=not beside)


def _delete(key: str, consistency: str = "quorum") -> Delete:
    return Delete(key, _level(consistency), reads_first=True)


LEVEL = frozenset(("consistency",))

ACTIONS = {
    "put": Action(("KEY", "VALUE"), "Put a value in the place of what is found first.", _put, LEVEL | {"beside"}),
    "get": Action(("KEY",), "The values of a key, one on each line; exit code 1 if it has none.", _get, LEVEL),
    "delete": Action(("KEY",), "Take away what is found first.", _delete, LEVEL),
    "status": Action((), "What a node knows of itself and of the cluster.", lambda: Status(0)),
}

LOADS = {level: partial(ACTIONS["put"].make, consistency=level) for level in ("one", "quorum", "all")}


def show(result: Message) -> Shown:
    """An answer in words."""
    match result:
        case Values(()):
            return Shown("(no value)", 1)
        case Values(values):
            return Shown("\n".join(values))
        case Done(values) if len(values) > 1:
            return Shown(f"done; there are {len(values)} siblings now: {', '.join(values)}")
        case Refused(reason):
            return Shown(f"not done: {reason}", 1)
        case Unknown(reason):
            return Shown(f"unknown whether it was done: {reason}", 3)
        case Facts(facts, members):
            lines = [f"{name:16} {'-' if value is None else value}" for name, value in facts.items()]
            return Shown("\n".join([*lines, *(f"member {name:9} {address}" for name, address in members.items())]))
    return Shown("done")
