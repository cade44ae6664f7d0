"""The protocols that a node can run, by name. Each is imported when it is used.

What the command line offers of a protocol is its table of *actions*.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol as Interface

from quorate_impl.core import Core, Message
from quorate_impl.protocol import Protocol


@dataclass(frozen=True)
class Action:
    """What a user can ask for: `quorate client PROTOCOL NAME ARGUMENTS...`."""

    arguments: tuple[str, ...]
    meaning: str
    make: Callable[..., Message]
    """From the arguments, as texts, to what the client's core is asked. Raises `ValueError` if one is none."""
    options: frozenset[str] = field(default=frozenset())
    """Which options of `quorate client` it takes besides, by name."""


@dataclass(frozen=True)
class Shown:
    """An answer, as a user sees it: 0 is yes, 1 is no, 3 says that nobody knows."""

    text: str
    exit_code: int = 0
    note: str = ""
    """What is told beside it, on the standard error."""


class Maker(Interface):
    """From the members with which a cluster begins, and its settings, to its protocol. Raises `ValueError` if these are none."""

    def __call__(self, members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol: ...


def _raft(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.raft import protocol

    if settings:
        raise ValueError(f"raft has no settings, and so no {next(iter(settings))}.")
    return protocol(members)


def _dynamo(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.dynamo import options_of, protocol

    return protocol(members, options_of(settings))


def _primary_backup(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.primary_backup import protocol

    if settings:
        raise ValueError(f"primary_backup has no settings, and so no {next(iter(settings))}.")
    return protocol(members)


def _pbft(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.pbft import authorities_of, protocol

    return protocol(members, authorities_of(members, settings))


def _raft_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.raft import Client

    return Client(name, servers)


def _dynamo_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.dynamo import Client

    return Client(name, servers)


def _primary_backup_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.primary_backup import Client

    return Client(name, servers)


def _pbft_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.pbft import Client, Ed25519, new_secret

    return Client(name, servers, new_secret(), Ed25519())


def _pbft_keys(directory: Path, names: Sequence[str], settings: Mapping[str, str]) -> Mapping[str, str]:
    from quorate_impl.pbft import found

    return found(directory, names, settings)


def _stock(protocol: str, members: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, int]:
    """The units of each inventory at first."""
    for name, value in settings.items():
        if name != "stock" or not value.isdecimal():
            raise ValueError(f"{protocol} has the setting stock, a number of units, and no {name}={value}.")
    inventories = [name for name in members if name not in OFFICERS[protocol]]
    return dict.fromkeys(inventories, int(settings.get("stock", "100")))


def _two_phase_commit(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.two_phase_commit import protocol

    return protocol(_stock("two_phase_commit", members, settings), members=members)


def _paxos_commit(members: Mapping[str, str], settings: Mapping[str, str] = {}, /) -> Protocol:
    from quorate_impl.paxos_commit import protocol

    return protocol(_stock("paxos_commit", members, settings), members=members)


def _two_phase_commit_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.two_phase_commit import client

    return client(name, servers, f"{name} {secrets.token_hex(8)}")


def _paxos_commit_client(name: str, servers: Mapping[str, str]) -> Core:
    from quorate_impl.paxos_commit import client

    return client(name, servers, f"{name} {secrets.token_hex(8)}")


PROTOCOLS: Mapping[str, Maker] = {
    "dynamo": _dynamo,
    "paxos_commit": _paxos_commit,
    "pbft": _pbft,
    "primary_backup": _primary_backup,
    "raft": _raft,
    "two_phase_commit": _two_phase_commit,
}

OFFICERS: Mapping[str, tuple[str, ...]] = {
    "paxos_commit": ("orders", "l1", "l2", "a1", "a2", "a3"),
    "primary_backup": ("arbiter",),
    "two_phase_commit": ("coordinator", "orders"),
}
"""The members that a cluster has besides its nodes n1, n2, ..., with a job of their own."""

NODES: Mapping[str, int] = {"pbft": 4}
"""How many nodes a new cluster has if nothing is said, where that is not three."""

FOUNDERS: Mapping[str, Callable[[Path, Sequence[str], Mapping[str, str]], Mapping[str, str]]] = {"pbft": _pbft_keys}
"""What a new cluster gets besides an address for each of these nodes: files in its directory, and settings that say where they
are. Raises `ValueError` if there can be no such cluster.
"""

CLIENTS: Mapping[str, Callable[[str, Mapping[str, str]], Core]] = {
    "dynamo": _dynamo_client,
    "paxos_commit": _paxos_commit_client,
    "pbft": _pbft_client,
    "primary_backup": _primary_backup_client,
    "raft": _raft_client,
    "two_phase_commit": _two_phase_commit_client,
}
"""From the name of a client and the servers that it knows to its core."""


def actions(protocol: str) -> Mapping[str, Action]:
    """What a user can ask of the protocol, by name."""
    found: Mapping[str, Action] = import_module(f"quorate_impl.{protocol}.actions").ACTIONS
    return found


def loads(protocol: str) -> Mapping[str, Callable[[str, str], Message]]:
    """The kinds of writes that differ in cost, by name: what is asked for, from a key and a value."""
    module, offered = import_module(f"quorate_impl.{protocol}.actions"), actions(protocol)
    usual = {"put": offered["put"].make} if "put" in offered else {}
    found: Mapping[str, Callable[[str, str], Message]] = getattr(module, "LOADS", usual)
    return found


def load_settings(protocol: str) -> Mapping[str, str]:
    """The settings of a new cluster that is there to be loaded."""
    found: Mapping[str, str] = getattr(import_module(f"quorate_impl.{protocol}.actions"), "LOAD_SETTINGS", {})
    return found


def show(protocol: str, result: Message) -> Shown:
    """The answer of the client's core, as a user sees it."""
    shown: Shown = import_module(f"quorate_impl.{protocol}.actions").show(result)
    return shown
