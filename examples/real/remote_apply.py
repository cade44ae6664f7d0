"""PostgreSQL's `synchronous_commit = remote_apply`, which is none of the schemes of `primary_backup`: a variant of one's own.

quorate check examples/real/remote_apply.py --keep-going
"""

from typing import ClassVar

from quorate import violates
from quorate_specs.replication.primary_backup import Node, ReadAnyReplica, Tx


class RemoteApply(ReadAnyReplica):
    """A transaction is acknowledged when every node shows it, and any node is read.

    A client finds its own writes everywhere. But a node shows what another does not show yet: whoever has seen a transaction
    that is not acknowledged may miss it at the next node.
    """

    expect = violates("monotonic_reads")
    omits: ClassVar[tuple[str, ...]] = ("works_with_a_backup_down",)

    def is_safe(self, p: Node, t: Tx) -> bool:
        return all(n in self.holders(p, t) for n in Node)
