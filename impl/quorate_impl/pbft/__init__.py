"""A key-value store that is right while one of four replicas lies, or f of 3f + 1: PBFT with Ed25519 signatures."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from quorate_impl.core import Record
from quorate_impl.pbft.client import Client
from quorate_impl.pbft.core import Pbft
from quorate_impl.pbft.messages import LogRecord, ReplicaMessage, Request, Response
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.signatures import Authority, Ed25519, make_keys, new_secret, read_authority
from quorate_impl.protocol import Misconfigured, Protocol

__all__ = [
    "Authority",
    "Client",
    "Ed25519",
    "Options",
    "Pbft",
    "authorities_of",
    "found",
    "make_keys",
    "new_secret",
    "protocol",
    "read_authority",
]

REPLICAS_MIN = 4


def protocol(
    members: Mapping[str, str],
    authority_of: Callable[[str], Authority],
    options: Options | None = None,
    core: type[Pbft] = Pbft,
) -> Protocol:
    """The store, for these replicas, each with its address; their order says who is the primary of which view.

    `authority_of` gives a replica its keys, by its name.
    """
    given = options or Options()

    def boot(name: str, records: Sequence[Record]) -> Pbft:
        return core(name, records, members, authority_of(name), given)

    return Protocol("pbft", ReplicaMessage, Request, Response, LogRecord, boot)


def authorities_of(members: Mapping[str, str], settings: Mapping[str, str]) -> Callable[[str], Authority]:
    """From the setting `keys`, the directory where `make_keys` has put them, to the keys of each replica.

    A replica's machine needs its own secret key and the public ones of all. Raises `Misconfigured`.
    """
    for name in settings:
        if name != "keys":
            raise Misconfigured(f"pbft has the setting keys=DIR, and no {name}.")

    def authority_of(name: str) -> Authority:
        if "keys" not in settings:
            raise Misconfigured("A replica of pbft needs the setting keys=DIR.")
        return read_authority(Path(settings["keys"]), name, members)

    return authority_of


def found(directory: Path, names: Sequence[str], settings: Mapping[str, str]) -> Mapping[str, str]:
    """New keys for a cluster on one machine, unless the settings say where there are some. Raises `Misconfigured`."""
    if len(names) < REPLICAS_MIN:
        raise Misconfigured("pbft needs 3f + 1 replicas for f that lie, and so at least four: --nodes 4.")
    if "keys" in settings:
        return settings
    make_keys(directory / "keys", names)
    return {**settings, "keys": str(directory / "keys")}
