"""Two-phase commit: one coordinator, one decision, all participants.

Several resource managers have each done a part of one transaction. In the first phase each of them votes: it
prepares, which is a promise that it can commit whatever happens, or it refuses. In the second phase the transaction
manager commits if every vote was for it, else it aborts, and tells everybody.

*Promise*, to whoever uses the participants' data: no participant commits what another aborts (atomicity), and nobody
commits unless everyone has voted to (validity). *Not promised*: an answer while the coordinator is down.

`TwoPhaseCommit` is the protocol alone, state for state the TLA+ specification TwoPhase of Gray & Lamport.
`RefinesTransactionCommit` says that it does what `transaction_commit` does, in another way. `TwoPhaseCommitWithCrashes` adds
what an implementation needs: crashes, restarts, logs on disk, and the guarantee that everyone decides.

Sources: Gray & Lamport 2006, "Consensus on Transaction Commit" (section 3 and the specification TwoPhase); Gray 1978,
"Notes on Data Base Operating Systems"; Mohan, Lindsay & Obermarck 1986, "Transaction Management in the R* Distributed
Database Management System" (presumed abort); Skeen 1981, "Nonblocking Commit Protocols" (blocking).
"""

from enum import Enum
from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Spec,
    action,
    eventually,
    invariant,
    is_majority,
    leads_to,
    lemma,
    mapping,
    reachable,
    record,
    require,
    step,
    violates,
)

from quorate_specs.transactions.transaction_commit import RM, ResourceManager, TransactionCommit


class TM(Enum):
    """Where the transaction manager stands."""

    INIT = "init"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class Prepared:
    """A resource manager votes to commit."""

    rm: ResourceManager


class Verdict(Enum):
    """The transaction manager's decision, sent to all."""

    COMMIT = "commit"
    ABORT = "abort"


class TwoPhaseCommit(Spec):
    """Two-phase commit without crashes, as in the TLA+ specification TwoPhase of Gray & Lamport 2006.

    Promise: the participants never disagree. The transaction manager commits only when all are prepared.
    """

    coloured_by = "rm"

    rm: dict[ResourceManager, RM]
    tm: TM
    prepared: set[ResourceManager]
    network: Network[Prepared | Verdict]

    def may_commit(self) -> bool:
        """Whether the votes that the transaction manager has counted allow it to commit: only all of them do."""
        return all(r in self.prepared for r in ResourceManager)

    @action(lane="TM")
    def receive_prepared(self, m: Prepared) -> None:
        require(m in self.network)
        require(self.tm == TM.INIT)
        self.network.receive(m)
        self.prepared.add(m.rm)

    @action(lane="TM")
    def commit(self) -> None:
        require(self.tm == TM.INIT and self.may_commit())
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
        self.network.receive(Verdict.COMMIT)
        self.rm[r] = RM.COMMITTED

    @action
    def obey_abort(self, r: ResourceManager) -> None:
        require(Verdict.ABORT in self.network)
        self.network.receive(Verdict.ABORT)
        self.rm[r] = RM.ABORTED

    @invariant
    def atomicity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts."""
        return not (self.rm[a] == RM.COMMITTED and self.rm[b] == RM.ABORTED)

    @invariant
    def validity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits unless every participant has voted to."""
        return self.rm[a] != RM.COMMITTED or Prepared(b) in self.network

    # Why it is so

    @lemma
    def votes_are_kept(self, r: ResourceManager) -> bool:
        """Whoever has not voted has sent no vote, and whoever has voted aborts only when told to."""
        if Prepared(r) not in self.network:
            return True
        return self.rm[r] != RM.WORKING and (self.rm[r] != RM.ABORTED or Verdict.ABORT in self.network)

    @lemma
    def counted_votes_were_sent(self, r: ResourceManager) -> bool:
        """The transaction manager counts only votes that it got."""
        return r not in self.prepared or Prepared(r) in self.network

    @lemma
    def committing_needs_all_votes(self, r: ResourceManager) -> bool:
        """The verdict "commit" is there only after every vote."""
        return Verdict.COMMIT not in self.network or Prepared(r) in self.network

    @lemma
    def one_verdict(self) -> bool:
        """The verdict that is on the wire is the transaction manager's decision, which it makes once."""
        return (Verdict.COMMIT not in self.network or self.tm == TM.COMMITTED) and (
            Verdict.ABORT not in self.network or self.tm == TM.ABORTED
        )

    @lemma
    def committed_on_verdict(self, r: ResourceManager) -> bool:
        """A participant commits only on the verdict."""
        return self.rm[r] != RM.COMMITTED or Verdict.COMMIT in self.network

    @reachable
    def all_commit(self) -> bool:
        """The transaction can commit everywhere."""
        return all(self.rm[r] == RM.COMMITTED for r in ResourceManager)

    @reachable
    def all_abort(self) -> bool:
        """The transaction can abort everywhere."""
        return all(self.rm[r] == RM.ABORTED for r in ResourceManager)


class RefinesTransactionCommit(TwoPhaseCommit):
    """Two-phase commit, held to what it is for: each step of a participant is one of transaction commit."""

    refines = TransactionCommit

    @mapping
    def refines_transaction_commit(self, abstract: TransactionCommit) -> None:
        """A participant's step is a step of transaction commit; what the transaction manager and the network do is not seen there."""
        abstract.rm = self.rm


class CommitByMajority(TwoPhaseCommit):
    """The transaction manager commits as soon as a majority is prepared, as if it were replicating.

    Copies of one datum may outvote a slow copy, but each participant holds a different part of the transaction, and
    no other can do its part. The one that has not voted yet is still free to abort, and does.
    """

    expect = violates("atomicity")
    omits = ("validity",)

    def may_commit(self) -> bool:
        return is_majority(self.prepared, ResourceManager)


class MajorityRefinesNothing(RefinesTransactionCommit):
    """The same mistake, held to transaction commit: it shows one step earlier, as soon as somebody commits what not all can."""

    expect = violates("refines_transaction_commit")
    omits = ("validity", "atomicity")

    def may_commit(self) -> bool:
        return is_majority(self.prepared, ResourceManager)


class PreparedAborts(TwoPhaseCommit):
    """A participant that has waited too long for the verdict aborts on its own, although it is prepared.

    Its vote is a promise that the coordinator may already have used: the verdict "commit" can be on its way. Once
    prepared, a participant can only wait, which is why two-phase commit blocks.
    """

    expect = violates("atomicity")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2}

    def choose_to_abort(self, r: ResourceManager) -> None:
        require(self.rm[r] == RM.WORKING or self.rm[r] == RM.PREPARED)
        self.rm[r] = RM.ABORTED


class Crashes(Nat, max=3):
    """How many crashes happen in a run, of the coordinator and of participants together."""


class TwoPhaseCommitWithCrashes(Spec):
    """Two-phase commit where everybody may crash and come back with what is on disk.

    A participant forces each step to its disk before it speaks of it, so `rm` is what it finds there after a restart.
    The coordinator decides in memory (`tm`), forces the decision to its log (`log`), and only then announces it; one
    that comes back without a decision in the log aborts (presumed abort). No message is lost for good: who sends,
    repeats until heard.

    Promise: atomicity and validity as without crashes; decisions are final; everyone decides if whoever crashes comes
    back.
    """

    coloured_by = "rm"

    rm: dict[ResourceManager, RM]
    down: set[ResourceManager]
    tm: TM
    log: TM
    tm_down: bool
    prepared: set[ResourceManager]
    crashes: Crashes
    network: Network[Prepared | Verdict]

    # The participants

    @action(fair="weak")
    def prepare(self, r: ResourceManager) -> None:
        require(r not in self.down and self.rm[r] == RM.WORKING)
        self.rm[r] = RM.PREPARED
        self.network.send(Prepared(r))

    @action
    def refuse(self, r: ResourceManager) -> None:
        require(r not in self.down and self.rm[r] == RM.WORKING)
        self.rm[r] = RM.ABORTED

    @action(fair="weak")
    def obey(self, r: ResourceManager, m: Verdict) -> None:
        require(m in self.network)
        require(r not in self.down and (self.rm[r] == RM.WORKING or self.rm[r] == RM.PREPARED))
        self.network.receive(m)
        self.rm[r] = RM.COMMITTED if m == Verdict.COMMIT else RM.ABORTED

    @action(mark="crash")
    def crash(self, r: ResourceManager) -> None:
        require(r not in self.down and self.crashes < Crashes.bound)
        self.crashes += 1
        self.down.add(r)

    @action(mark="restart", fair="weak")
    def restart(self, r: ResourceManager) -> None:
        require(r in self.down)
        self.down.discard(r)
        self.rm[r] = self.recovered(self.rm[r])

    def recovered(self, before: RM) -> RM:
        """Where a participant stands after a restart: unfinished work is lost, a promise is on disk and is kept."""
        return RM.ABORTED if before == RM.WORKING else before

    # The coordinator

    @action(lane="TM", fair="weak")
    def receive_prepared(self, m: Prepared) -> None:
        require(m in self.network)
        require(not self.tm_down and self.tm == TM.INIT and m.rm not in self.prepared)
        self.network.receive(m)
        self.prepared.add(m.rm)

    @action(lane="TM", fair="weak")
    def decide_to_commit(self) -> None:
        require(not self.tm_down and self.tm == TM.INIT)
        require(all(r in self.prepared for r in ResourceManager))
        self.tm = TM.COMMITTED

    @action(lane="TM", mark="timeout", fair="weak")
    def give_up_waiting(self) -> None:
        require(not self.tm_down and self.tm == TM.INIT)
        self.tm = TM.ABORTED

    @action(lane="TM", fair="weak")
    def force_log(self) -> None:
        require(not self.tm_down and self.tm != TM.INIT and self.log == TM.INIT)
        self.log = self.tm

    @action(lane="TM", fair="weak")
    def announce(self) -> None:
        require(not self.tm_down and self.may_announce())
        self.network.send(Verdict.COMMIT if self.tm == TM.COMMITTED else Verdict.ABORT)

    def may_announce(self) -> bool:
        """Whether the client and the participants may be told the decision: not before it is on disk."""
        return self.log != TM.INIT

    @action(lane="TM", mark="crash")
    def crash_coordinator(self) -> None:
        require(not self.tm_down and self.crashes < Crashes.bound)
        self.crashes += 1
        self.tm_down = True
        self.tm = TM.INIT
        self.prepared.clear()

    @action(lane="TM", mark="restart", fair="weak")
    def restart_coordinator(self) -> None:
        require(self.tm_down)
        self.tm_down = False
        self.tm = TM.ABORTED if self.log == TM.INIT else self.log

    # What is promised

    @invariant
    def atomicity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts."""
        return not (self.rm[a] == RM.COMMITTED and self.rm[b] == RM.ABORTED)

    @invariant
    def validity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits unless every participant has voted to."""
        return self.rm[a] != RM.COMMITTED or Prepared(b) in self.network

    @step
    def decisions_are_final(self, old: Self, r: ResourceManager) -> bool:
        """A participant that has committed or aborted never changes its mind, crash or not."""
        return (old.rm[r] != RM.COMMITTED and old.rm[r] != RM.ABORTED) or self.rm[r] == old.rm[r]

    @eventually
    def decides_without_crash(self) -> bool:
        """If nobody ever crashes, everyone decides."""
        return self.crashes > 0 or self.everyone_decided()

    @eventually
    def everyone_decides(self) -> bool:
        """Everyone decides at last, if whoever crashes comes back."""
        return self.everyone_decided()

    @leads_to
    def commit_spreads(self, a: ResourceManager, b: ResourceManager) -> tuple[bool, bool]:
        """If one participant commits, every other does."""
        return self.rm[a] == RM.COMMITTED, self.rm[b] == RM.COMMITTED

    def everyone_decided(self) -> bool:
        """Whether every participant has committed or aborted."""
        return all(self.rm[r] == RM.COMMITTED or self.rm[r] == RM.ABORTED for r in ResourceManager)

    @reachable
    def all_commit_despite_a_crash(self) -> bool:
        """The transaction can commit everywhere although the coordinator crashed on the way."""
        return self.crashes > 0 and not self.tm_down and all(self.rm[r] == RM.COMMITTED for r in ResourceManager)

    @reachable
    def coordinator_forgets(self) -> bool:
        """The coordinator can lose a decision that it had not forced yet: all were prepared, and all abort."""
        return all(Prepared(r) in self.network and self.rm[r] == RM.ABORTED for r in ResourceManager)


class AnswersBeforeLogging(TwoPhaseCommitWithCrashes):
    """The coordinator announces its decision first and forces it to the log later, to answer sooner.

    If it crashes in between it comes back knowing nothing, presumes an abort and announces that too. Participants
    that heard the first announcement have committed, the others abort.
    """

    expect = violates("atomicity")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}

    def may_announce(self) -> bool:
        return self.tm != TM.INIT


class VotesBeforeLogging(TwoPhaseCommitWithCrashes):
    """A participant sends its vote before the vote is on disk, so that a restart forgets it.

    What it forgets is a promise: the coordinator has counted the vote and may commit, while the participant, which
    finds unfinished work on its disk, rolls back.
    """

    expect = violates("atomicity")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}

    def recovered(self, before: RM) -> RM:
        return RM.ABORTED if before == RM.PREPARED else super().recovered(before)


class Blocking(TwoPhaseCommitWithCrashes):
    """The coordinator crashes and does not come back.

    Prepared participants may neither commit, since the decision may have been to abort, nor abort, since it may have
    been to commit: they hold their locks for ever. No two-phase protocol avoids this (Skeen 1981).
    """

    expect = violates("everyone_decides")
    omits = ("restart_coordinator", "all_commit_despite_a_crash", "coordinator_forgets")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}
