"""What the command line offers of the store."""

from __future__ import annotations

from quorate_impl.core import Message
from quorate_impl.raft.client import Unknown
from quorate_impl.raft.messages import (
    AddServer,
    Cas,
    Delete,
    Facts,
    Get,
    Mismatch,
    Put,
    Refused,
    RemoveServer,
    Status,
    Transfer,
    Value,
)
from quorate_impl.runtime.config import host_and_port
from quorate_impl.runtime.protocols import Action, Shown

ACTIONS = {
    "put": Action(("KEY", "VALUE"), "Set the value of a key.", Put),
    "get": Action(("KEY",), "The value of a key; exit code 1 if it has none.", Get),
    "cas": Action(("KEY", "EXPECTED", "VALUE"), "Set the value if it is EXPECTED; exit code 1 if it is not.", Cas),
    "delete": Action(("KEY",), "Take a key away.", Delete),
    "status": Action((), "What a server knows of itself and of the cluster.", lambda: Status(0)),
    "add-server": Action(
        ("NAME", "ADDRESS"),
        "Add a server that runs, when it has caught up.",
        lambda name, address: _adding(name, address),
    ),
    "remove-server": Action(("NAME",), "Go on without a server.", lambda name: RemoveServer(0, name)),
    "transfer": Action(("NAME",), "Let a server lead.", lambda name: Transfer(0, name)),
}


def show(result: Message) -> Shown:
    """An answer in words."""
    match result:
        case Value(None):
            return Shown("(no value)", 1)
        case Value(value):
            return Shown(str(value))
        case Mismatch(value):
            return Shown(f"not done: the value is {'not there' if value is None else value}", 1)
        case Refused(reason):
            return Shown(f"not done: {reason}", 1)
        case Unknown(reason):
            return Shown(f"unknown whether it was done: {reason}", 3)
        case Facts(facts, members):
            lines = [f"{name:16} {'-' if value is None else value}" for name, value in facts.items()]
            return Shown("\n".join([*lines, *(f"member {name:9} {address}" for name, address in members.items())]))
    return Shown("done")


def _adding(name: str, address: str) -> AddServer:
    """What adds a server. Raises ValueError for an address that nobody could listen at."""
    host_and_port(address)
    return AddServer(0, name, address)
