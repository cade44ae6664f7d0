"""Multi-Paxos: one phase 1 for all slots of a log, and then a phase 2 for each command.

Each slot of the log is an instance of Paxos. A proposer asks for promises once for all slots; an acceptor reports its
last vote in each. The proposer that has a quorum of promises is the leader: it proposes again what was reported, fills
the gaps below with commands that do nothing (no-ops), and goes on with the clients' commands, with no phase 1 any more,
until somebody takes a higher ballot.

*Promise*, to the clients: at most one command is chosen in a slot, and learners execute the same commands in the same
order. Not promised: progress, while two proposers outbid each other. Agreement is proven for any number of acceptors, ballots,
slots and commands, by the lemmas of `paxos`, slot by slot.

A promise for all slots is sent as one message for each of them: a proposer needs all parts for the slot that it
proposes in, and may have those of different slots at different times. The network is the set of all messages ever
sent. `None` is the no-op.

As others met it:

- Tencent/phxpaxos 145: a proposer that restarts must not use a ballot again (`BallotAfterRestart`).
- luohaha/MyPaxos 18: a promise of another ballot is counted for the quorum of this one; in effect a proposal without
  the promises of its ballot (`FillsGapsAtOnce` does it for no-ops).

Sources: Lamport 2001, "Paxos Made Simple" (section 3); Lamport 1998, "The Part-Time Parliament" (section 3).
"""

from typing import ClassVar

from quorate import (
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Ballot(Ordered, size=2):
    """A numbered attempt to lead; it stands for the proposer that makes it."""


class Acceptor(Scalarset, size=3):
    """Remembers promises and votes. What it remembers survives a crash."""


class Slot(Ordered, size=2):
    """A place in the log."""


class Learner(Scalarset, size=1):
    """Executes the chosen commands, in the order of the slots."""


class Command(Scalarset, size=1):
    """What a client asks for."""


@record
class Prepare:
    """Phase 1a: the proposer of `ballot` asks for promises for all slots."""

    ballot: Ballot


@record
class Vote:
    """An acceptor's vote in one slot."""

    ballot: Ballot
    command: Command | None


@record
class Promise:
    """Phase 1b for `slot`: `acceptor` ignores all ballots below `ballot`; `accepted` is its last vote there."""

    acceptor: Acceptor
    ballot: Ballot
    slot: Slot
    accepted: Vote | None


@record
class Accept:
    """Phase 2a: the leader of `ballot` asks for votes in `slot`."""

    ballot: Ballot
    slot: Slot
    command: Command | None


@record
class Accepted:
    """Phase 2b: `acceptor` has voted."""

    acceptor: Acceptor
    ballot: Ballot
    slot: Slot
    command: Command | None


class MultiPaxos(Spec):
    """Slots, a stable leader, and no-ops in the gaps (section 3 of the paper)."""

    lanes = (Ballot, Acceptor, Learner)

    promised: dict[Acceptor, Ballot | None]
    accepted: dict[Acceptor, dict[Slot, Vote | None]]
    learned: dict[Learner, dict[Slot, Vote | None]]
    network: Network[Prepare | Promise | Accept | Accepted]

    @action
    def prepare(self, b: Ballot) -> None:
        """Phase 1a: a proposer tries to lead."""
        require(Prepare(b) not in self.network)
        self.network.send(Prepare(b))

    @action
    def promise(self, a: Acceptor, m: Prepare) -> None:
        """Phase 1b: an acceptor promises for all slots, and reports its last votes."""
        require(m in self.network)
        highest = self.promised[a]
        require(highest is None or m.ballot > highest)
        self.promised[a] = m.ballot
        for i in Slot:
            self.network.send(Promise(a, m.ballot, i, self.accepted[a][i]))

    @action
    def propose(self, b: Ballot, i: Slot, q: set[Acceptor], x: Command | None) -> None:
        """Phase 2a: the leader asks for votes; a no-op fills a gap below a slot that it knows of."""
        require(Prepare(b) in self.network and self.may_propose(b, i))
        promises = {m for m in self.network if isinstance(m, Promise) and m.ballot == b and m.slot == i}
        require(self.is_allowed(b, i, q, x, {m for m in promises if m.acceptor in q}))
        for m in promises:
            if m.acceptor in q:
                self.network.receive(m)
        self.network.send(Accept(b, i, x))

    def may_propose(self, b: Ballot, i: Slot) -> bool:
        """The leader asks once in a slot."""
        return not any(isinstance(m, Accept) and m.ballot == b and m.slot == i for m in self.network)

    def is_allowed(self, b: Ballot, i: Slot, q: set[Acceptor], x: Command | None, promises: set[Promise]) -> bool:
        """With promises of a quorum: the reported command of the highest ballot, else any, and a no-op in a gap only."""
        votes = {m.accepted for m in promises if m.accepted is not None}
        if not is_majority(q, Acceptor) or not all(any(m.acceptor == a for m in promises) for a in q):
            return False
        if len(votes) == 0:
            return x is not None or self.is_gap(b, i)
        return any(v.command == x and all(w.ballot <= v.ballot for w in votes) for v in votes)

    def is_gap(self, b: Ballot, i: Slot) -> bool:
        """Whether the proposer has heard of a vote in a later slot."""
        return any(
            isinstance(m, Promise) and m.ballot == b and m.slot > i and m.accepted is not None for m in self.network
        )

    @action
    def accept(self, a: Acceptor, m: Accept) -> None:
        """Phase 2b: an acceptor votes, unless it has promised a higher number."""
        require(m in self.network)
        highest = self.promised[a]
        require(highest is None or m.ballot >= highest)
        require(self.accepted[a][m.slot] != Vote(m.ballot, m.command))
        self.promised[a] = m.ballot
        self.accepted[a][m.slot] = Vote(m.ballot, m.command)
        self.network.send(Accepted(a, m.ballot, m.slot, m.command))

    @action
    def learn(self, k: Learner, b: Ballot, i: Slot, x: Command | None) -> None:
        """A learner hears of enough votes for the first slot that it lacks, and executes the command."""
        require(self.learned[k][i] is None and all(self.learned[k][j] is not None for j in Slot if j < i))
        require(self.is_known(b, i, x))
        for a in self.voters(b, i, x):
            self.network.receive(Accepted(a, b, i, x))
        self.learned[k][i] = Vote(b, x)

    def is_known(self, b: Ballot, i: Slot, x: Command | None) -> bool:
        """Whether a learner may take the command for chosen."""
        return self.chosen(b, i, x)

    def voters(self, b: Ballot, i: Slot, x: Command | None) -> set[Acceptor]:
        """The acceptors that have voted for the command."""
        return {a for a in Acceptor if Accepted(a, b, i, x) in self.network}

    def chosen(self, b: Ballot, i: Slot, x: Command | None) -> bool:
        """Whether the command is chosen in the slot."""
        return is_majority(self.voters(b, i, x), Acceptor)

    @invariant
    def one_command_chosen(self, i: Slot, b: Ballot, x: Command | None, c: Ballot, y: Command | None) -> bool:
        """At most one command is chosen in a slot, whatever the ballots."""
        return x == y or not (self.chosen(b, i, x) and self.chosen(c, i, y))

    @invariant
    def learned_is_chosen(self, k: Learner, i: Slot) -> bool:
        """What a learner executes is chosen."""
        vote = self.learned[k][i]
        return vote is None or self.chosen(vote.ballot, i, vote.command)

    # Why it is so: as in `paxos`, slot by slot

    @lemma
    def votes_follow_proposals(self, a: Acceptor, b: Ballot, i: Slot, x: Command | None) -> bool:
        """An acceptor votes only for what its ballot's leader has asked for."""
        return Accepted(a, b, i, x) not in self.network or Accept(b, i, x) in self.network

    @lemma
    def one_proposal_per_ballot(self, b: Ballot, i: Slot, x: Command | None, y: Command | None) -> bool:
        """A leader asks for one command in a slot."""
        return x == y or Accept(b, i, x) not in self.network or Accept(b, i, y) not in self.network

    @lemma
    def last_vote_was_sent(self, a: Acceptor, i: Slot) -> bool:
        """What an acceptor remembers as its last vote in a slot, it has sent."""
        last = self.accepted[a][i]
        return last is None or Accepted(a, last.ballot, i, last.command) in self.network

    @lemma
    def last_vote_is_highest(self, a: Acceptor, b: Ballot, i: Slot, x: Command | None) -> bool:
        """An acceptor has not voted above its last vote in the slot, nor above its promise."""
        if Accepted(a, b, i, x) not in self.network:
            return True
        last, highest = self.accepted[a][i], self.promised[a]
        return last is not None and b <= last.ballot and highest is not None and last.ballot <= highest

    @lemma
    def promises_are_kept(self, m: Promise) -> bool:
        """Whoever has promised a ballot has promised no less since, and reported a vote in a lower ballot that it had sent."""
        if m not in self.network:
            return True
        highest, vote = self.promised[m.acceptor], m.accepted
        if highest is None or highest < m.ballot:
            return False
        return vote is None or (
            vote.ballot < m.ballot and Accepted(m.acceptor, vote.ballot, m.slot, vote.command) in self.network
        )

    @lemma
    def no_vote_after_report(self, m: Promise, c: Ballot, x: Command | None) -> bool:
        """Between the vote that a promise reports for a slot and the ballot that it promises, the acceptor has not voted there."""
        if m not in self.network or c >= m.ballot or Accepted(m.acceptor, c, m.slot, x) not in self.network:
            return True
        return m.accepted is not None and c <= m.accepted.ballot

    @lemma
    def proposals_are_safe(self, b: Ballot, i: Slot, x: Command | None, c: Ballot, y: Command | None) -> bool:
        """Where a leader asks for votes, nothing else can be chosen in a lower ballot: a majority will never vote for it there."""
        return not (Accept(b, i, x) in self.network and c < b and x != y) or is_majority(
            self.lost_for(c, i, y), Acceptor
        )

    def lost_for(self, c: Ballot, i: Slot, y: Command | None) -> set[Acceptor]:
        """The acceptors that have not voted for a command in a ballot and, having promised more, never will."""
        return {a for a in Acceptor if self.has_promised_above(a, c) and Accepted(a, c, i, y) not in self.network}

    def has_promised_above(self, a: Acceptor, c: Ballot) -> bool:
        """Whether an acceptor will ignore a ballot from now on."""
        highest = self.promised[a]
        return highest is not None and highest > c

    @reachable
    def gap_is_filled(self, b: Ballot, i: Slot) -> bool:
        """A second leader can find a command in the second slot, and fill the first with a no-op."""
        return self.chosen(b, i, None)


class LearnsFromMinority(MultiPaxos):
    """A learner takes a command for chosen when it hears of one vote, as a leader that tells its client at once.

    The vote can be the only one. The next leader does not hear of it.
    """

    expect = violates("learned_is_chosen")

    def is_known(self, b: Ballot, i: Slot, x: Command | None) -> bool:
        return len(self.voters(b, i, x)) > 0


class FillsGapsAtOnce(MultiPaxos):
    """A new proposer that hears of a command in a later slot fills the slot before it with a no-op at once.

    It has not asked a quorum what was voted for there, and a command may be chosen in the slot.
    """

    expect = violates("one_command_chosen")

    def is_allowed(self, b: Ballot, i: Slot, q: set[Acceptor], x: Command | None, promises: set[Promise]) -> bool:
        return (x is None and self.is_gap(b, i)) or super().is_allowed(b, i, q, x, promises)


class BallotAfterRestart(MultiPaxos):
    """A leader restarts, has forgotten what it asked for, and goes on with its old ballot.

    It proposes another command in a slot where it has proposed one: both can be chosen in one ballot.
    """

    expect = violates("one_command_chosen")
    bounds: ClassVar[dict[str, int]] = {"Ballot": 1, "Slot": 1, "Command": 2}
    omits = ("gap_is_filled",)

    def may_propose(self, b: Ballot, i: Slot) -> bool:
        return True
