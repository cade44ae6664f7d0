"""Who may still change his mind?

A transaction commits when all participants have voted for it. One that has voted hears nothing for a while, and gives up on its own.
Check it, and say until when a participant may abort by itself.
"""

from enum import Enum

from quorate import Network, Scalarset, Spec, action, invariant, reachable, record, require


class Participant(Scalarset, size=3):
    """Has a part of the transaction."""


class Phase(Enum):
    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Verdict(Enum):
    COMMIT = "commit"
    ABORT = "abort"


@record
class Yes:
    voter: Participant


class Commit(Spec):
    """Two-phase commit."""

    phase: dict[Participant, Phase]
    decided: Verdict | None
    network: Network[Yes | Verdict]

    @action
    def prepare(self, p: Participant) -> None:
        require(self.phase[p] == Phase.WORKING)
        self.phase[p] = Phase.PREPARED
        self.network.send(Yes(p))

    @action(mark="timeout")
    def give_up(self, p: Participant) -> None:
        require(self.phase[p] == Phase.WORKING or self.phase[p] == Phase.PREPARED)
        self.phase[p] = Phase.ABORTED

    @action(lane="coordinator")
    def commit(self) -> None:
        require(self.decided is None and all(Yes(p) in self.network for p in Participant))
        self.decided = Verdict.COMMIT
        self.network.send(Verdict.COMMIT)

    @action(lane="coordinator", mark="timeout")
    def abort(self) -> None:
        require(self.decided is None)
        self.decided = Verdict.ABORT
        self.network.send(Verdict.ABORT)

    @action
    def obey(self, p: Participant, v: Verdict) -> None:
        require(v in self.network and self.phase[p] == Phase.PREPARED)
        self.phase[p] = Phase.COMMITTED if v == Verdict.COMMIT else Phase.ABORTED

    @invariant
    def atomicity(self, a: Participant, b: Participant) -> bool:
        """Nobody commits what another aborts."""
        return self.phase[a] != Phase.COMMITTED or self.phase[b] != Phase.ABORTED

    @reachable
    def all_commit(self) -> bool:
        """A transaction can succeed."""
        return all(self.phase[p] == Phase.COMMITTED for p in Participant)

    @reachable
    def one_gives_up_alone(self) -> bool:
        """A participant may abort by itself, before anything is decided."""
        return self.decided is None and any(self.phase[p] == Phase.ABORTED for p in Participant)
