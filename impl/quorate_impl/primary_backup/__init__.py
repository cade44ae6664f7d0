"""A key-value store by primary/backup replication, with a scheme for each transaction, and an arbiter for failovers."""

from collections.abc import Mapping, Sequence

from quorate_impl.core import Core, Record
from quorate_impl.primary_backup.arbiter import Arbiter
from quorate_impl.primary_backup.client import Client
from quorate_impl.primary_backup.core import PrimaryBackup
from quorate_impl.primary_backup.messages import LogRecord, NodeMessage, Request, Response
from quorate_impl.primary_backup.options import ARBITER, Options
from quorate_impl.protocol import Protocol

__all__ = ["ARBITER", "Arbiter", "Client", "Options", "PrimaryBackup", "protocol"]


def protocol(
    members: Mapping[str, str],
    options: Options | None = None,
    core: type[PrimaryBackup] = PrimaryBackup,
    arbiter: type[Arbiter] = Arbiter,
) -> Protocol:
    """The store of these nodes, each with its address; one of them is `arbiter`. Nodes do not come and go."""
    given = options or Options()

    def boot(name: str, records: Sequence[Record]) -> Core:
        return (arbiter if name == ARBITER else core)(name, records, members, given)

    return Protocol("primary_backup", NodeMessage, Request, Response, LogRecord, boot)
