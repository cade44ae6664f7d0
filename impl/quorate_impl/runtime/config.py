"""What a node is told when it starts, as a JSON file."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files in PEM: the node's certificate and key, and the authority that all in the cluster trust."""

    certificate: str
    key: str
    authority: str


class NodeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One node. Addresses are `host:port`.

    `members` are those with which the cluster begins; a node that is not among them waits to be added. `severs` allows
    clients to cut connections, for demonstrations. `settings` are the protocol's own.
    """

    cluster: str
    protocol: str
    name: str
    listen: str
    members: dict[str, str]
    data: str
    metrics_port: int | None = None
    tls: Tls | None = None
    severs: bool = False
    settings: dict[str, str] = {}


def read_config(path: Path) -> NodeConfig:
    """The config in a file. Raises `msgspec.ValidationError` with what is wrong."""
    return msgspec.json.decode(path.read_bytes(), type=NodeConfig)


def host_and_port(address: str) -> tuple[str, int]:
    """`host:port`, taken apart. Raises `ValueError`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{address!r} is no address such as 127.0.0.1:7001.")
    return host.strip("[]"), int(port)
