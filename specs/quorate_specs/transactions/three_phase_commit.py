"""Three-phase commit: a commit protocol that does not wait for a coordinator that is gone.

In two-phase commit a participant that has voted may neither commit nor abort on its own, so a dead coordinator blocks
it. Skeen puts one state in between: the coordinator commits only after everybody has acknowledged that it is about
to. A site that is not yet in the state "precommitted" then shows that nobody has committed, a site that is in it
shows that everybody has voted to commit. If the coordinator dies, one of the participants becomes the backup
coordinator, brings the others into its own state, and decides by it alone.

*Promise*, to whoever uses the participants' data: no participant commits what another aborts, nobody commits unless
everyone has voted to, and everyone that lives decides, whoever dies. *It needs* a network that is never split and
tells the dead from the slow: nobody is given up who lives, and who is given up is no longer heard. *Not promised*:
anything about a partition, where two coordinators decide, each for its side (`PartitionLooksLikeCrash`).

Left out: recovery. Whoever comes back asks those that have decided, which changes nobody's decision, so the dead stay
away here. Which of the living becomes the backup is open; any rule of election is one of these choices.

Sources: Skeen 1981, "Nonblocking Commit Protocols" (the three-phase protocol; the termination protocol with its
backup coordinator and the two phases of its work); Skeen & Stonebraker 1983, "A Formal Model of Crash Recovery in a
Distributed System" (partitions); Keidar & Dolev 1998, "Increasing the Resilience of Distributed and Replicated
Database Systems" (three-phase commit made safe by quorums).

Public reports: wangcy6/weekly #32 (participants that time out commit, a coordinator that times out aborts: a
contradiction; `AbortsOnMissingAck`); tikv/deep-dive-tikv #12 (a text that releases locks after a bounded time by
timeouts, `TimeoutsDecide`); Snailclimb/JavaGuide #2086 (a text is corrected about when a partition lets some commit,
`PartitionLooksLikeCrash`).
"""

from enum import Enum
from typing import ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    eventually,
    holds,
    invariant,
    leads_to,
    reachable,
    record,
    require,
    step,
    violates,
)


class ResourceManager(Scalarset, size=4, prefix="rm"):
    """A participant of the transaction."""


class Crashes(Nat, max=3):
    """How many crashes happen in a run, of the coordinator and of participants together."""


class State(Enum):
    """Where a site stands: q, w, p, c and a in Skeen's drawing."""

    WORKING = "working"
    WAITING = "waiting"
    PRECOMMITTED = "precommitted"
    COMMITTED = "committed"
    ABORTED = "aborted"


@record
class Yes:
    """A participant votes to commit."""

    source: ResourceManager


@record
class Order:
    """A coordinator tells all to enter a state: a backup by its name, the first coordinator without one."""

    backup: ResourceManager | None
    state: State


@record
class Ack:
    """A participant is in the state to which a coordinator has ordered it."""

    source: ResourceManager
    backup: ResourceManager | None


class ThreePhaseCommit(Spec):
    """Three-phase commit with Skeen's termination protocol, as long as a crash is all that can happen.

    A message of the dead may have reached some and not others: it is received while its sender lives, or never.
    """

    expect = holds()
    lanes = ("TM", ResourceManager)
    coloured_by = "rm"

    tm: State = State.WAITING
    tm_down: bool
    rm: dict[ResourceManager, State]
    down: set[ResourceManager]
    backups: set[ResourceManager]
    crashes: Crashes
    network: Network[Yes | Order | Ack]

    # What a site believes of another one

    def hears(self, r: ResourceManager, coordinator: ResourceManager | None) -> bool:
        """Whether a participant and a coordinator still reach each other: neither has given the other up."""
        return self.lives(coordinator) and r not in self.down

    def lives(self, coordinator: ResourceManager | None) -> bool:
        """Whether a coordinator is up: the first one, or a backup."""
        return not self.tm_down if coordinator is None else coordinator not in self.down

    def is_alone(self, r: ResourceManager) -> bool:
        """Whether a participant reaches no coordinator any more, and so may become the backup."""
        return not self.hears(r, None) and all(b == r or not self.hears(r, b) for b in self.backups)

    def all_have_followed(self, coordinator: ResourceManager | None) -> bool:
        """Whether everyone whom a coordinator reaches has acknowledged its order."""
        return all(
            coordinator == r or not self.hears(r, coordinator) or Ack(r, coordinator) in self.network
            for r in ResourceManager
        )

    def collect(self, coordinator: ResourceManager | None) -> None:
        """A coordinator has read the acknowledgements of its order."""
        for r in ResourceManager:
            if Ack(r, coordinator) in self.network:
                self.network.receive(Ack(r, coordinator))

    def decided(self, r: ResourceManager) -> bool:
        """Whether a participant has committed or aborted."""
        return self.rm[r] == State.COMMITTED or self.rm[r] == State.ABORTED

    # The first phase: votes

    @action(fair="weak")
    def vote(self, r: ResourceManager) -> None:
        require(r not in self.down and self.rm[r] == State.WORKING)
        self.rm[r] = State.WAITING
        self.network.send(Yes(r))

    @action
    def refuse(self, r: ResourceManager) -> None:
        require(r not in self.down and self.rm[r] == State.WORKING)
        self.rm[r] = State.ABORTED

    # The second and the third: the coordinator

    @action(lane="TM", fair="weak")
    def order_to_precommit(self) -> None:
        require(not self.tm_down and self.tm == State.WAITING)
        require(all(Yes(r) in self.network for r in ResourceManager))
        for r in ResourceManager:
            self.network.receive(Yes(r))
        self.tm = State.PRECOMMITTED
        self.network.send(Order(None, State.PRECOMMITTED))

    @action(lane="TM", fair="weak")
    def order_to_commit(self) -> None:
        require(not self.tm_down and self.tm == State.PRECOMMITTED and self.all_have_followed(None))
        self.collect(None)
        self.tm = State.COMMITTED
        self.network.send(Order(None, State.COMMITTED))

    @action(lane="TM", mark="timeout", fair="weak")
    def give_up_waiting(self) -> None:
        require(not self.tm_down and self.may_abort())
        self.tm = State.ABORTED
        self.network.send(Order(None, State.ABORTED))

    def may_abort(self) -> bool:
        """Whether the coordinator may abort when an answer is late: while it waits for votes, not for acknowledgements."""
        return self.tm == State.WAITING

    # The participants

    @action(fair="weak")
    def follow(self, r: ResourceManager, m: Order) -> None:
        require(m in self.network)
        require(self.hears(r, m.backup) and m.backup != r)
        self.network.receive(m)
        if not self.decided(r):
            self.rm[r] = m.state
        if m.state == State.PRECOMMITTED or m.state == State.WAITING:
            self.network.send(Ack(r, m.backup))

    # The termination protocol

    @action(mark="timeout", fair="weak")
    def take_over(self, r: ResourceManager) -> None:
        require(r not in self.down and r not in self.backups and self.is_alone(r))
        self.backups.add(r)
        if self.rm[r] == State.WORKING:
            self.rm[r] = State.ABORTED
        self.network.send(Order(r, self.rm[r]))

    @action(fair="weak")
    def conclude(self, r: ResourceManager) -> None:
        require(r in self.backups and r not in self.down and not self.decided(r))
        require(self.all_have_followed(r))
        self.collect(r)
        self.rm[r] = State.COMMITTED if self.rm[r] == State.PRECOMMITTED else State.ABORTED
        self.network.send(Order(r, self.rm[r]))

    # What goes wrong

    @action(mark="crash")
    def crash(self, r: ResourceManager) -> None:
        require(r not in self.down and self.crashes < Crashes.bound)
        self.crashes += 1
        self.down.add(r)

    @action(lane="TM", mark="crash")
    def crash_coordinator(self) -> None:
        require(not self.tm_down and self.crashes < Crashes.bound)
        self.crashes += 1
        self.tm_down = True

    # What is promised

    @invariant
    def atomicity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits while another aborts, be it alive or dead by now."""
        return not (self.rm[a] == State.COMMITTED and self.rm[b] == State.ABORTED)

    @invariant
    def validity(self, a: ResourceManager, b: ResourceManager) -> bool:
        """No participant commits unless every participant has voted to."""
        return self.rm[a] != State.COMMITTED or Yes(b) in self.network

    @step
    def decisions_are_final(self, old: Self, r: ResourceManager) -> bool:
        """A participant that has committed or aborted never changes its mind."""
        return not old.decided(r) or self.rm[r] == old.rm[r]

    @eventually
    def the_living_decide(self) -> bool:
        """Everyone who lives decides at last, whoever has died (non-blocking)."""
        return all(r in self.down or self.decided(r) for r in ResourceManager)

    @leads_to
    def decisions_spread(self, a: ResourceManager, b: ResourceManager) -> tuple[bool, bool]:
        """If one participant commits, every other one does or dies, although the first may be dead by then."""
        return self.rm[a] == State.COMMITTED, self.rm[b] == State.COMMITTED or b in self.down

    @reachable
    def all_commit_without_the_coordinator(self) -> bool:
        """The transaction can commit although its coordinator died before it had decided."""
        return (
            self.tm_down
            and self.tm == State.PRECOMMITTED
            and all(self.rm[r] == State.COMMITTED for r in ResourceManager)
        )

    @reachable
    def the_living_abort_a_transaction_that_all_voted_for(self) -> bool:
        """A backup that has not heard of the second phase aborts, although everyone has voted to commit."""
        return all(Yes(r) in self.network and self.rm[r] == State.ABORTED for r in ResourceManager)


class PartitionLooksLikeCrash(ThreePhaseCommit):
    """Nobody dies, but the network splits: one participant is cut off from the others and the coordinator.

    Each side takes the other for dead, which is all that a timeout can say. The coordinator commits when those whom
    it reaches have acknowledged; the participant that is cut off becomes a backup, has not heard of the second phase,
    and aborts.
    """

    expect = violates("atomicity")
    omits = (
        "crash",
        "crash_coordinator",
        "all_commit_without_the_coordinator",
        "the_living_abort_a_transaction_that_all_voted_for",
    )
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 0}

    cut_off: ResourceManager | None

    @action(mark="partition")
    def split(self, r: ResourceManager) -> None:
        require(self.cut_off is None)
        self.cut_off = r

    def hears(self, r: ResourceManager, coordinator: ResourceManager | None) -> bool:
        return self.cut_off is None or (r == self.cut_off) == (coordinator == self.cut_off)


class TimeoutsDecide(ThreePhaseCommit):
    """Without a backup coordinator: who has waited too long in the second phase commits, in the first one aborts.

    This is how many textbooks and articles tell the protocol. It needs no partition to go wrong: the coordinator dies
    when its order to precommit has reached one participant and not the other, and each does what its own clock says.
    Skeen's backup brings the others into its own state before it decides, for this reason.
    """

    expect = violates("atomicity")
    omits = ("take_over", "conclude")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}

    @action(mark="timeout", fair="weak")
    def time_out(self, r: ResourceManager) -> None:
        require(r not in self.down and not self.hears(r, None) and not self.decided(r))
        self.rm[r] = State.COMMITTED if self.rm[r] == State.PRECOMMITTED else State.ABORTED


class AbortsOnMissingAck(ThreePhaseCommit):
    """The coordinator aborts when an acknowledgement of the second phase is late, as it does when a vote is.

    But the others are precommitted, and if it dies with the order to abort half delivered, one of them takes over and
    commits. After the order to precommit a coordinator can only go on without those that are dead.
    """

    expect = violates("atomicity")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}

    def may_abort(self) -> bool:
        return self.tm == State.WAITING or self.tm == State.PRECOMMITTED


class ObeysTheDeparted(ThreePhaseCommit):
    """Orders that were on their way when their sender was given up are still obeyed when they arrive.

    A backup has aborted by its own state and died. The dead coordinator's order to precommit arrives after that, and
    the next backup, which now is precommitted, commits.
    """

    expect = violates("atomicity")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 2}

    @action(fair="weak")
    def follow_late(self, r: ResourceManager, m: Order) -> None:
        require(m in self.network)
        require(r not in self.down and not self.lives(m.backup) and not self.decided(r) and self.rm[r] != m.state)
        self.network.receive(m)
        self.rm[r] = m.state


class WaitsForEveryAck(ThreePhaseCommit):
    """A coordinator waits for the acknowledgements of all participants, also of those that are dead.

    Then the third phase has bought nothing: one dead participant blocks the living, as a dead coordinator does in
    two-phase commit.
    """

    expect = violates("the_living_decide")
    omits = ("all_commit_without_the_coordinator", "the_living_abort_a_transaction_that_all_voted_for")
    bounds: ClassVar[dict[str, int]] = {"ResourceManager": 2, "Crashes": 1}

    def all_have_followed(self, coordinator: ResourceManager | None) -> bool:
        return all(coordinator == r or Ack(r, coordinator) in self.network for r in ResourceManager)
