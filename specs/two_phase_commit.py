"""Two-phase commit: one coordinator, one decision, all participants (Gray & Lamport 2006, "Consensus on Transaction
Commit").
"""

from enum import Enum

from checker import Network, Scalarset, Spec, action, invariant, reachable, record, require


class ResourceManager(Scalarset, size=3, prefix="rm"):
    """A participant of the transaction."""


class RM(Enum):
    """Where a resource manager stands."""

    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class TM(Enum):
    """Where the transaction manager stands."""

    INIT = "init"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class Prepared:
    """A resource manager is ready to commit."""

    rm: ResourceManager


class Verdict(Enum):
    """The transaction manager's decision, sent to all."""

    COMMIT = "commit"
    ABORT = "abort"


class TwoPhaseCommit(Spec):
    """Two-phase commit without crashes, as in the TLA+ specification TwoPhase of Gray & Lamport 2006.

    Promise: the participants never disagree. The transaction manager commits only when all are prepared.
    """

    rm: dict[ResourceManager, RM]
    tm: TM
    prepared: set[ResourceManager]
    network: Network[Prepared | Verdict]

    @action(lane="TM")
    def receive_prepared(self, m: Prepared) -> None:
        require(m in self.network)
        require(self.tm == TM.INIT)
        self.prepared.add(m.rm)

    @action(lane="TM")
    def commit(self) -> None:
        require(self.tm == TM.INIT and len(self.prepared) == len(ResourceManager))
        self.tm = TM.COMMITTED
        self.network.send(Verdict.COMMIT)

    @action(lane="TM")
    def abort(self) -> None:
        require(self.tm == TM.INIT)
        self.tm = TM.ABORTED
        self.network.send(Verdict.ABORT)

    @action
    def prepare(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING)
        self.rm[r] = RM.PREPARED
        self.network.send(Prepared(r))

    @action
    def choose_to_abort(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING)
        self.rm[r] = RM.ABORTED

    @action
    def obey_commit(self, r: ResourceManager) -> None:
        require(Verdict.COMMIT in self.network)
        self.rm[r] = RM.COMMITTED

    @action
    def obey_abort(self, r: ResourceManager) -> None:
        require(Verdict.ABORT in self.network)
        self.rm[r] = RM.ABORTED

    @invariant
    def atomicity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts."""
        return not (self.rm[a] == RM.COMMITTED and self.rm[b] == RM.ABORTED)

    @reachable
    def all_commit(self) -> bool:
        """The transaction can commit everywhere."""
        return all(self.rm[r] == RM.COMMITTED for r in ResourceManager)

    @reachable
    def all_abort(self) -> bool:
        """The transaction can abort everywhere."""
        return all(self.rm[r] == RM.ABORTED for r in ResourceManager)
