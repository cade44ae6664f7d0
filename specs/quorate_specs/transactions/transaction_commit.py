"""Transaction commit: what a commit protocol is for, before anybody asks how it is done.

Several resource managers have each done a part of one transaction, and decide together whether it counts. Each of them
prepares, which is a promise that it can commit, or aborts. Nobody commits before all are prepared, and nobody aborts after
somebody has committed. Here a step may look at everybody at once, as if there were no network: that is the specification, and
no protocol.

*Promise*: no participant commits what another aborts. *Not promised*: a decision.

Two-phase commit and Paxos Commit refine it: each of their steps is a step of this specification, or none that can be seen from
here (`RefinesTransactionCommit` in `two_phase_commit`, and `paxos_commit`). So they keep its promise, whatever messages they send.

Source: Gray & Lamport 2006, "Consensus on Transaction Commit" (section 2, and the specification TCommit).
"""

from enum import Enum

from quorate import Scalarset, Spec, action, invariant, reachable, require, violates


class ResourceManager(Scalarset, size=3, prefix="rm"):
    """A participant of the transaction."""


class RM(Enum):
    """Where a resource manager stands."""

    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class TransactionCommit(Spec):
    """Transaction commit as in the TLA+ specification TCommit of Gray & Lamport 2006."""

    coloured_by = "rm"

    rm: dict[ResourceManager, RM]

    @action
    def prepare(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING)
        self.rm[r] = RM.PREPARED

    @action
    def commit(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.PREPARED and self.can_commit())
        self.rm[r] = RM.COMMITTED

    def can_commit(self) -> bool:
        """Whether all have promised that they can commit."""
        return all(self.rm[s] == RM.PREPARED or self.rm[s] == RM.COMMITTED for s in ResourceManager)

    @action
    def abort(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING or self.rm[r] == RM.PREPARED)
        require(all(self.rm[s] != RM.COMMITTED for s in ResourceManager))
        self.rm[r] = RM.ABORTED

    @invariant
    def consistent(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts."""
        return not (self.rm[a] == RM.COMMITTED and self.rm[b] == RM.ABORTED)

    @invariant
    def promised(self, a: ResourceManager, b: ResourceManager) -> bool:
        """Nobody commits before everyone has prepared."""
        return self.rm[a] != RM.COMMITTED or self.rm[b] == RM.PREPARED or self.rm[b] == RM.COMMITTED

    @reachable
    def all_commit(self) -> bool:
        """The transaction can commit everywhere."""
        return all(self.rm[r] == RM.COMMITTED for r in ResourceManager)

    @reachable
    def all_abort(self) -> bool:
        """The transaction can abort everywhere."""
        return all(self.rm[r] == RM.ABORTED for r in ResourceManager)


class CommitsAlone(TransactionCommit):
    """A participant commits as soon as it is prepared itself, as if it were the only one."""

    expect = violates("consistent")
    omits = ("promised",)

    def can_commit(self) -> bool:
        return True
