"""Schemes of real servers that `primary_backup` has not, as variants of one's own.

quorate check examples/real/variants.py:RemoteApply --keep-going
quorate check examples/real/variants.py:PromotesAnybody
"""

from typing import ClassVar

from quorate import is_majority, require, violates
from quorate_specs.replication.primary_backup import Node, PrimaryBackup, ReadAnyReplica, Replicate, Role, Tx


class RemoteApply(ReadAnyReplica):
    """PostgreSQL's `remote_apply`: a transaction is acknowledged when every node shows it, and any node is read.

    A client finds its own writes everywhere. But a node shows what another does not show yet: whoever has seen a transaction
    that is not acknowledged may miss it at the next node.
    """

    expect = violates("monotonic_reads")
    omits: ClassVar[tuple[str, ...]] = ("works_with_a_backup_down",)

    def is_safe(self, p: Node, t: Tx) -> bool:
        return all(n in self.holders(p, t) for n in Node)


class PromotesAnybody(PrimaryBackup):
    """Semi-synchronous replication whose manager promotes any backup that it reaches, without comparing logs.

    A majority has stored the transaction, and the new primary is of the others. To wait for a copy is half of the scheme: the
    other half is to look for it.
    """

    expect = violates("acknowledged_survives")

    def promote(self, n: Node) -> None:
        require(n not in self.down and not self.elected and self.epoch[n] == self.latest)
        require(is_majority({m for m in Node if self.epoch[m] == self.latest}, Node))
        self.elected = True
        self.office[n] = Role.PRIMARY
        self.copied[n] = self.latest
        self.network.send(Replicate(self.latest, self.log[n]))
