"""A replicated key-value store on Raft."""

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.protocol import Protocol
from quorate_impl.raft.client import Client
from quorate_impl.raft.core import Options, Raft
from quorate_impl.raft.messages import PeerMessage, RaftRecord, Request, Response

__all__ = ["Client", "Options", "Raft", "protocol"]


def protocol(members: Mapping[str, str], options: Options | None = None, core: type[Raft] = Raft) -> Protocol:
    """Raft, for a cluster that begins with these members, each with its address.

    A server that is not among them waits until it is added.
    """

    def boot(name: str, records: Sequence[Record]) -> Raft:
        return core(name, records, members if name in members else {}, options or Options())

    return Protocol("raft", PeerMessage, Request, Response, RaftRecord, boot)
