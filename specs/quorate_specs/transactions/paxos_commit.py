"""Paxos Commit: one decision for all participants, without one coordinator whose crash stops everybody.

Each resource manager's vote is a value that the acceptors choose by Paxos, one instance for each of them. In ballot 0
the resource manager itself proposes its vote; a leader that has waited too long runs a higher ballot, and proposes an
abort unless it finds a vote. The transaction commits exactly when "prepared" was chosen in every instance.

*Promise*: no participant commits what another aborts, whoever leads, and whichever f of the 2f+1 acceptors are silent.
*Not promised*: a decision while leaders disturb each other, or without a majority of acceptors.

Messages are lost (never delivered), late and repeated. Whoever crashes and comes back with what is on disk is late.
Without symmetry the default bounds have 1,321,761 states, as many as TLC finds of the TLA+ specification with two
resource managers, three acceptors and the ballots 0 and 1. TLC generates more transitions: it counts one for each
majority that a leader may hear of, and here the leader takes all promises that it has, which are at least a majority.

Source: Gray & Lamport 2006, "Consensus on Transaction Commit" (section 4, and the specification PaxosCommit). What it
is for: atomix/atomix 360, transactions hang, with their locks held, when the coordinator of a two-phase commit fails.
"""

from enum import Enum
from typing import ClassVar

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    mapping,
    reachable,
    record,
    require,
    the,
    violates,
)

from quorate_specs.transactions.transaction_commit import RM, ResourceManager, TransactionCommit


class Acceptor(Scalarset, size=3, prefix="a"):
    """One of those who remember the votes."""


class Ballot(Nat, max=1):
    """A ballot of an instance; 0 is the resource manager's own."""


class Vote(Enum):
    """What an instance may choose."""

    PREPARED = "prepared"
    ABORTED = "aborted"


class Verdict(Enum):
    """The outcome, sent to all."""

    COMMIT = "commit"
    ABORT = "abort"


@record
class Accepted:
    """The last vote of an acceptor in one instance."""

    ballot: Ballot
    vote: Vote


@record
class Phase1a:
    """A leader begins a ballot of an instance."""

    instance: ResourceManager
    ballot: Ballot


@record
class Phase1b:
    """An acceptor promises a ballot, and reports what it has accepted last."""

    instance: ResourceManager
    ballot: Ballot
    accepted: Accepted | None
    acceptor: Acceptor


@record
class Phase2a:
    """A vote is proposed in a ballot: by the resource manager in ballot 0, by a leader above."""

    instance: ResourceManager
    ballot: Ballot
    vote: Vote


@record
class Phase2b:
    """An acceptor has accepted."""

    acceptor: Acceptor
    instance: ResourceManager
    ballot: Ballot
    vote: Vote


class PaxosCommit(Spec):
    """Paxos Commit as in the TLA+ specification PaxosCommit of Gray & Lamport 2006."""

    refines = TransactionCommit
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2}
    lanes = (ResourceManager, "leader", Acceptor)
    coloured_by = "rm"

    rm: dict[ResourceManager, RM]
    promised: dict[Acceptor, dict[ResourceManager, Ballot]]
    accepted: dict[Acceptor, dict[ResourceManager, Accepted | None]]
    network: Network[Phase1a | Phase1b | Phase2a | Phase2b | Verdict]

    # The resource managers

    @action
    def prepare(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING)
        self.rm[r] = RM.PREPARED
        self.network.send(Phase2a(r, Ballot(0), Vote.PREPARED))

    @action
    def choose_to_abort(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING)
        self.rm[r] = RM.ABORTED
        self.network.send(Phase2a(r, Ballot(0), Vote.ABORTED))

    @action
    def obey_commit(self, r: ResourceManager) -> None:
        require(Verdict.COMMIT in self.network)
        self.network.receive(Verdict.COMMIT)
        self.rm[r] = RM.COMMITTED

    @action
    def obey_abort(self, r: ResourceManager) -> None:
        require(Verdict.ABORT in self.network)
        self.network.receive(Verdict.ABORT)
        self.rm[r] = RM.ABORTED

    # The leaders

    @action(lane="leader", mark="timeout")
    def begin_ballot(self, r: ResourceManager, b: Ballot) -> None:
        require(b > 0 and Phase1a(r, b) not in self.network)
        self.network.send(Phase1a(r, b))

    @action(lane="leader")
    def propose(self, r: ResourceManager, b: Ballot) -> None:
        require(b > 0 and all(Phase2a(r, b, v) not in self.network for v in Vote))
        promises = {m for m in self.network if isinstance(m, Phase1b) and m.instance == r and m.ballot == b}
        require(self.suffices({m.acceptor for m in promises}))
        for m in promises:
            self.network.receive(m)
        votes = {m.accepted for m in promises if m.accepted is not None}
        highest = max((vote.ballot for vote in votes), default=Ballot(0))
        found = the((vote.vote for vote in votes if vote.ballot == highest), Vote.ABORTED)
        self.network.send(Phase2a(r, b, found))

    def suffices(self, acceptors: set[Acceptor]) -> bool:
        """Whether these acceptors are enough to choose: any two such groups have one in common."""
        return is_majority(acceptors, Acceptor)

    def chosen(self, r: ResourceManager, v: Vote) -> bool:
        """Whether an instance has chosen a vote."""
        return any(self.suffices({a for a in Acceptor if Phase2b(a, r, b, v) in self.network}) for b in Ballot)

    @action(lane="leader")
    def decide_to_commit(self) -> None:
        require(all(self.chosen(r, Vote.PREPARED) for r in ResourceManager))
        self.network.send(Verdict.COMMIT)

    @action(lane="leader")
    def decide_to_abort(self) -> None:
        require(any(self.chosen(r, Vote.ABORTED) for r in ResourceManager))
        self.network.send(Verdict.ABORT)

    # The acceptors

    @action
    def promise(self, a: Acceptor, m: Phase1a) -> None:
        require(m in self.network)
        require(self.promised[a][m.instance] < m.ballot)
        self.network.receive(m)
        self.promised[a][m.instance] = m.ballot
        self.network.send(Phase1b(m.instance, m.ballot, self.accepted[a][m.instance], a))

    @action
    def accept(self, a: Acceptor, m: Phase2a) -> None:
        require(m in self.network)
        require(self.promised[a][m.instance] <= m.ballot)
        self.network.receive(m)
        self.promised[a][m.instance] = m.ballot
        self.accepted[a][m.instance] = Accepted(m.ballot, m.vote)
        self.network.send(Phase2b(a, m.instance, m.ballot, m.vote))

    # What is promised

    @invariant
    def atomicity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts."""
        return not (self.rm[a] == RM.COMMITTED and self.rm[b] == RM.ABORTED)

    @invariant
    def one_vote_chosen(self, r: ResourceManager) -> bool:
        """No instance chooses both votes."""
        return not (self.chosen(r, Vote.PREPARED) and self.chosen(r, Vote.ABORTED))

    @mapping
    def refines_transaction_commit(self, abstract: TransactionCommit) -> None:
        """Each step of a participant is one of transaction commit (section 2), or leaves it where it is."""
        abstract.rm = self.rm

    @reachable
    def all_commit(self) -> bool:
        """The transaction can commit everywhere."""
        return all(self.rm[r] == RM.COMMITTED for r in ResourceManager)

    @reachable
    def leader_finishes(self, r: ResourceManager) -> bool:
        """A leader can find the vote of a silent resource manager, and have it chosen again."""
        return Phase2a(r, Ballot(Ballot.bound), Vote.PREPARED) in self.network and self.rm[r] == RM.COMMITTED


class AnyAcceptorIsEnough(PaxosCommit):
    """One acceptor's word is taken for a choice, although there are three: no quorum of f + 1 among 2f + 1.

    A leader asks an acceptor that has not heard of a vote, finds none, and has an abort chosen by that acceptor alone.
    The vote "prepared" was accepted by another one, and each of the two is counted by somebody.
    """

    expect = violates("one_vote_chosen")
    omits = ("refines_transaction_commit",)
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 1, "Acceptor": 2}

    def suffices(self, acceptors: set[Acceptor]) -> bool:
        return len(acceptors) > 0
