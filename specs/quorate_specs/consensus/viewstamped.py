"""Viewstamped Replication Revisited: a primary orders operations, and views replace it without a disk under the log.

Replicas have numbers, and take turns as primary of a *view*. The primary gives each request an op-number, appends it to
its log and sends it to the backups (*Prepare*); when f of the 2f backups have it (*PrepareOk*), it is committed, and the
backups hear of that (*Commit*). A replica that misses the primary goes to the next view and says so to all
(*StartViewChange*); who hears it from f others sends its log to the new primary (*DoViewChange*), with the last view in
which its status was normal. Of a quorum's logs the new primary takes that of the latest such view, and of those the
longest: an operation once committed is in it. It sends it to all (*StartView*). Who hears of a later view by other ways
asks for the state (*GetState*, *NewState*).

A replica that crashes loses its log. It asks the others (*Recovery*), and waits for responses of f + 1 of them, one of
which is from the primary of the latest view among them. Until then it takes part in nothing: it has forgotten what it
has confirmed. A nonce tells responses to this recovery from older ones.

*Promise*, to the clients: a committed operation survives every view change in its place, and replicas execute the same
operations in the same order. Not promised: progress, when more than f replicas are down or recovering; that an operation
which was not committed survives.

**Two repairs of the paper**, without which the promise is broken:

- A replica keeps its view number on disk, as in the protocol of 1988 and in several implementations, and recovers into no
  view before that. In the paper it forgets that, too. Then a DoViewChange of before its crash counts for a view that it knows
  nothing of (`ForgetsView`).
- A replica that hears of a later view keeps its log, its view and its last normal view until the state of that view has
  come. In the paper it first cuts the log back to what it knows to be committed (`TruncatesToCommit`).

What keeps the state space small takes no behaviour away that matters: the network is the set of all messages ever sent,
any of which may arrive late, repeatedly, or never; commit-numbers travel in messages of their own, and not in Prepare;
logs are sent whole. A retried request is recognized in the log, which stands for the client table. A crash and the
restart after it are one step: a replica that never comes back is one to which nothing arrives.

As others met it:

- Vanlightly 2022, "VR Revisited: state transfer": a run of 24 states (`TruncatesToCommit`); vsr-tlaplus 1
  (`ClaimsViewTooEarly`).
- UWSysLab/tapir 15: a recovering replica takes part in view changes (`RecoveringTakesPart`).
- penberg/vsr-rs 13: an unreadable file is taken for a first start (`StartsAfresh`).
- tigerbeetle/tigerbeetle 828: a message of before the crash is taken for an answer to the question after it (`NoNonce`).
- apache/iggy 3824: a DoViewChange carries numbers, but no log (`NumbersWithoutLog`).

Sources: Liskov & Cowling 2012, "Viewstamped Replication Revisited" (the sections named below); Oki & Liskov 1988,
"Viewstamped Replication" (the view number on disk); Michael, Ports, Sharma & Szekeres 2017, "Recovering Shared Objects
Without Stable Storage" (on recovery that forgets).
"""

from enum import Enum
from typing import Annotated, ClassVar

from quorate import (
    Nat,
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    reachable,
    record,
    require,
    up_to,
    violates,
)


class Replica(Ordered, size=3):
    """A member of the group, 2f + 1 in all."""


class View(Nat, max=1):
    """The reign of one primary."""


class OpNumber(Nat, max=1):
    """A position in a log, from 1; 0 is before the first operation."""


class Nonce(Nat, max=1):
    """Numbers the crashes of all replicas: a question for the state has one of its own."""


class Request(Scalarset, size=1, prefix="x"):
    """An operation that a client asks for."""


class Status(Enum):
    """What a replica is busy with."""

    NORMAL = "normal"
    VIEW_CHANGE = "view change"
    RECOVERING = "recovering"


@record
class Prepare:
    """The primary of `view` has given `request` this number."""

    view: View
    number: OpNumber
    request: Request


@record
class PrepareOk:
    """`source` has the log of `view` up to `number`."""

    view: View
    number: OpNumber
    source: Replica


@record
class Commit:
    """The primary of `view` has committed its log up to `number`."""

    view: View
    number: OpNumber


@record
class StartViewChange:
    """`source` has left the views before `view`."""

    view: View
    source: Replica


@record
class DoViewChange:
    """`source` goes to `view` with this log, which is from `last_normal`, and has it committed up to `commit`."""

    view: View
    last_normal: View
    log: Annotated[list[Request], up_to(OpNumber)]
    commit: OpNumber
    source: Replica


@record
class StartView:
    """`view` begins with this log."""

    view: View
    log: Annotated[list[Request], up_to(OpNumber)]
    commit: OpNumber


@record
class GetState:
    """`source` has heard of `view`, or of operations in it, and asks for its log."""

    view: View
    source: Replica


@record
class NewState:
    """The answer to `target`."""

    view: View
    log: Annotated[list[Request], up_to(OpNumber)]
    commit: OpNumber
    target: Replica


@record
class Recovery:
    """`source` has crashed, and asks for the state."""

    nonce: Nonce
    source: Replica


@record
class RecoveryResponse:
    """The answer to `target`: `source` is in `view`; the log is that of the primary, and empty from a backup."""

    view: View
    nonce: Nonce
    log: Annotated[list[Request], up_to(OpNumber)]
    commit: OpNumber
    source: Replica
    target: Replica


@record
class Committed:
    """The primary of `view` found `request` committed at `number`."""

    view: View
    number: OpNumber
    request: Request


def primary(v: View) -> Replica:
    """Replicas take turns (section 4)."""
    return Replica[v % Replica.size]


def rank(m: DoViewChange) -> tuple[View, int]:
    """What a new primary compares: the last normal view, and then the op-number (section 4.2)."""
    return m.last_normal, len(m.log)


class Viewstamped(Spec):
    """Normal operation, view changes, recovery, and state transfer (sections 4.1 to 4.3, and 5.2).

    Not in the paper: `committed` remembers what the properties speak of; no replica reads it.
    """

    lanes = (Replica,)

    status: dict[Replica, Status]
    view: dict[Replica, View]
    last_normal: dict[Replica, View]
    log: dict[Replica, Annotated[list[Request], up_to(OpNumber)]]
    commit_number: dict[Replica, OpNumber]
    nonce: dict[Replica, Nonce]
    crashes: Nonce
    network: Network[
        Prepare
        | PrepareOk
        | Commit
        | StartViewChange
        | DoViewChange
        | StartView
        | GetState
        | NewState
        | Recovery
        | RecoveryResponse
    ] = Network(capacity=60)

    committed: set[Committed]

    # Normal operation (section 4.1)

    def is_normal(self, r: Replica, v: View) -> bool:
        """Whether a replica works in the view."""
        return self.status[r] == Status.NORMAL and self.view[r] == v

    def is_leading(self, r: Replica) -> bool:
        """Whether a replica works as the primary of its view."""
        return self.status[r] == Status.NORMAL and primary(self.view[r]) == r

    @action
    def request(self, r: Replica, x: Request) -> None:
        """The primary gives a client's request the next number, unless it has it already, and sends it to the backups."""
        require(self.is_leading(r) and x not in self.log[r])
        self.log[r].append(x)
        self.network.send(Prepare(self.view[r], OpNumber(len(self.log[r])), x))

    @action
    def prepare(self, r: Replica, m: Prepare) -> None:
        """A backup takes the next operation of its view, and confirms it."""
        require(m in self.network and self.is_normal(r, m.view) and m.number == len(self.log[r]) + 1)
        self.network.receive(m)
        self.log[r].append(m.request)
        self.network.send(PrepareOk(m.view, m.number, r))

    @action
    def commit(self, r: Replica, k: OpNumber) -> None:
        """The primary commits the next operation, which f backups have, and says so."""
        require(self.is_leading(r) and k == self.commit_number[r] + 1 and k <= len(self.log[r]))
        backups = {s for s in Replica if s != r and self.has_confirmed(s, self.view[r], k)}
        require(is_majority(backups | {r}, Replica))
        for s in backups:
            for n in OpNumber:
                if n >= k and PrepareOk(self.view[r], n, s) in self.network:
                    self.network.receive(PrepareOk(self.view[r], n, s))
        self.commit_number[r] = k
        self.committed.add(Committed(self.view[r], k, self.log[r][k - 1]))
        self.network.send(Commit(self.view[r], k))

    def has_confirmed(self, s: Replica, v: View, k: OpNumber) -> bool:
        """Whether the primary knows that a backup has its log up to `k`."""
        return any(PrepareOk(v, n, s) in self.network for n in OpNumber if n >= k)

    @action
    def learn(self, r: Replica, m: Commit) -> None:
        """A backup hears what is committed in its view, and executes it."""
        require(m in self.network and self.is_normal(r, m.view))
        require(self.commit_number[r] < m.number <= len(self.log[r]))
        self.network.receive(m)
        self.commit_number[r] = m.number

    # View change (section 4.2)

    def may_change_view(self, r: Replica) -> bool:
        """Not before a replica has recovered (section 4.3)."""
        return self.status[r] != Status.RECOVERING

    @action(mark="timeout")
    def suspect(self, r: Replica) -> None:
        """A replica has not heard from the primary for too long, and goes to the next view."""
        require(self.may_change_view(r))
        self.enter(r, View(self.view[r] + 1))

    @action
    def follow(self, r: Replica, m: StartViewChange) -> None:
        """A replica hears that another goes to a later view, and goes there, too."""
        require(m in self.network and m.view > self.view[r] and self.may_change_view(r))
        self.network.receive(m)
        self.enter(r, m.view)

    def enter(self, r: Replica, v: View) -> None:
        """Leave the view, and say so."""
        self.view[r] = v
        self.status[r] = Status.VIEW_CHANGE
        self.network.send(StartViewChange(v, r))

    @action
    def do_view_change(self, r: Replica) -> None:
        """A replica that f others accompany to a view gives its log to the new primary."""
        require(self.status[r] == Status.VIEW_CHANGE)
        others = {s for s in Replica if s != r and StartViewChange(self.view[r], s) in self.network}
        require(is_majority(others | {r}, Replica))
        m = DoViewChange(self.view[r], self.last_normal[r], self.log[r], self.commit_number[r], r)
        require(m not in self.network)
        for s in others:
            self.network.receive(StartViewChange(self.view[r], s))
        self.network.send(m)

    @action
    def start_view(self, r: Replica, q: set[Replica], m: DoViewChange) -> None:
        """The new primary has the logs of a quorum, its own among them: it takes the best, `m`, and begins.

        Commit is also its heartbeat, while there is nothing else to say (section 4.1).
        """
        require(m in self.network and self.status[r] == Status.VIEW_CHANGE)
        require(m.view == self.view[r] and primary(m.view) == r and r in q and m.source in q)
        require(is_majority(q, Replica) and all(any(self.is_no_better(d, s, m) for d in self.changes()) for s in q))
        reports = {d for d in self.changes() if any(self.is_no_better(d, s, m) for s in q)}
        for d in reports:
            self.network.receive(d)
        self.begin(r, m.view, self.chosen_log(r, m), max(d.commit for d in reports))
        self.network.send(StartView(m.view, self.log[r], self.commit_number[r]))
        self.network.send(Commit(m.view, self.commit_number[r]))

    def changes(self) -> set[DoViewChange]:
        """The logs that were given to new primaries."""
        return {d for d in self.network if isinstance(d, DoViewChange)}

    def is_no_better(self, d: DoViewChange, s: Replica, m: DoViewChange) -> bool:
        """Whether `d` is from `s`, for the view of `m`, and its log not preferred to that of `m`."""
        return d.source == s and d.view == m.view and self.ranks(d) <= self.ranks(m)

    def ranks(self, m: DoViewChange) -> tuple[View, int]:
        """What a new primary compares."""
        return rank(m)

    def chosen_log(self, r: Replica, m: DoViewChange) -> list[Request]:
        """The log with which the view begins."""
        return list(m.log)

    def begin(self, r: Replica, v: View, log: list[Request], commit: OpNumber) -> None:
        """Work in a view with its log; what the replica has executed remains so."""
        self.status[r] = Status.NORMAL
        self.view[r] = v
        self.last_normal[r] = v
        self.log[r] = log
        self.commit_number[r] = max(self.commit_number[r], commit)

    def join(self, r: Replica, v: View, log: list[Request], commit: OpNumber) -> None:
        """Work as a backup, and confirm the operations that are not known to be committed."""
        self.begin(r, v, log, commit)
        if len(log) > commit and primary(v) != r:
            self.network.send(PrepareOk(v, OpNumber(len(log)), r))

    @action
    def follow_primary(self, r: Replica, m: StartView) -> None:
        """A replica takes over the log with which a view begins."""
        require(m in self.network and self.may_change_view(r))
        require(m.view > self.view[r] or (m.view == self.view[r] and self.status[r] == Status.VIEW_CHANGE))
        self.network.receive(m)
        self.join(r, m.view, m.log, m.commit)

    # State transfer (section 5.2)

    @action
    def get_state(self, r: Replica, m: Prepare | Commit) -> None:
        """A replica hears of a later view, or of operations of its view that it lacks, and asks for the log."""
        require(m in self.network and self.status[r] == Status.NORMAL and m.view >= self.view[r])
        require(m.view > self.view[r] or self.is_missing(r, m))
        require(GetState(m.view, r) not in self.network)
        self.network.receive(m)
        self.hear_of(r, m.view)
        self.network.send(GetState(m.view, r))

    def is_missing(self, r: Replica, m: Prepare | Commit) -> bool:
        """Whether the log ends before what the message is about."""
        return m.number > len(self.log[r]) + (1 if isinstance(m, Prepare) else 0)

    def hear_of(self, r: Replica, v: View) -> None:
        """The log, the view and the last normal view stay as they are until the state of the later view has come."""

    @action
    def new_state(self, r: Replica, m: GetState) -> None:
        """A replica that works in the view answers."""
        require(m in self.network and m.source != r and self.is_normal(r, m.view))
        self.network.receive(m)
        self.network.send(NewState(m.view, self.log[r], self.commit_number[r], m.source))

    @action
    def take_state(self, r: Replica, m: NewState) -> None:
        """A replica takes over the log of a later view, or what it lacks in its own."""
        require(m in self.network and m.target == r and self.status[r] == Status.NORMAL)
        require(m.view > self.view[r] or (m.view == self.view[r] and len(m.log) > len(self.log[r])))
        self.network.receive(m)
        self.join(r, m.view, m.log, m.commit)

    # Recovery (section 4.3)

    @action(mark="restart")
    def crash(self, r: Replica) -> None:
        """A replica loses what it has in memory, comes back, and asks for the state."""
        require(self.status[r] != Status.RECOVERING)
        self.crashes += 1
        self.nonce[r] = self.crashes
        self.log[r].clear()
        self.commit_number[r] = OpNumber(0)
        self.last_normal[r] = View(0)
        self.restart(r)

    def restart(self, r: Replica) -> None:
        """What a replica does first."""
        self.status[r] = Status.RECOVERING
        self.network.send(Recovery(self.nonce[r], r))

    @action
    def respond(self, r: Replica, m: Recovery) -> None:
        """A replica that works in a view says so, and as its primary adds its log."""
        require(m in self.network and m.source != r and self.status[r] == Status.NORMAL)
        self.network.receive(m)
        if self.is_leading(r):
            self.network.send(RecoveryResponse(self.view[r], m.nonce, self.log[r], self.commit_number[r], r, m.source))
        else:
            self.network.send(RecoveryResponse(self.view[r], m.nonce, [], OpNumber(0), r, m.source))

    @action
    def recover(self, r: Replica, q: set[Replica], m: RecoveryResponse) -> None:
        """With responses of f + 1 others, the replica takes over the log, `m`, of the primary of their latest view."""
        require(m in self.network and self.status[r] == Status.RECOVERING)
        require(m in self.responses(r) and m.source == primary(m.view) and self.view[r] <= m.view)
        require(is_majority(q, Replica) and m.source in q)
        require(all(any(self.is_no_later(a, s, m) for a in self.responses(r)) for s in q))
        for a in self.responses(r):
            if any(self.is_no_later(a, s, m) for s in q):
                self.network.receive(a)
        self.join(r, m.view, m.log, m.commit)

    def responses(self, r: Replica) -> set[RecoveryResponse]:
        """The answers to the replica's question."""
        return {a for a in self.network if isinstance(a, RecoveryResponse) and a.target == r and self.is_fresh(a, r)}

    def is_fresh(self, a: RecoveryResponse, r: Replica) -> bool:
        """Whether an answer is to the question after the last crash."""
        return a.nonce == self.nonce[r]

    def is_no_later(self, a: RecoveryResponse, s: Replica, m: RecoveryResponse) -> bool:
        """Whether `a` is from `s`, and of no later view than `m`."""
        return a.source == s and a.view <= m.view

    # The promise

    @invariant
    def committed_survives(self, r: Replica, c: Committed) -> bool:
        """An operation that was committed is in its place in the log of every later primary."""
        if c not in self.committed or not self.is_leading(r) or self.view[r] < c.view:
            return True
        return c.number <= len(self.log[r]) and self.log[r][c.number - 1] == c.request

    @invariant
    def agreement(self, a: Replica, b: Replica, n: OpNumber) -> bool:
        """No two replicas execute different operations at a number."""
        if n == 0 or n > min(self.commit_number[a], self.commit_number[b]):
            return True
        if n > min(len(self.log[a]), len(self.log[b])):
            return False
        return self.log[a][n - 1] == self.log[b][n - 1]

    @reachable
    def survives_a_view_change(self, v: View, r: Replica, c: Committed) -> bool:
        """A backup can learn in a later view what was committed before."""
        return (
            c in self.committed
            and c.view < v
            and self.is_normal(r, v)
            and not self.is_leading(r)
            and self.commit_number[r] == c.number
        )

    @reachable
    def recovers(self, r: Replica) -> bool:
        """A replica that has crashed can have its log again."""
        return self.nonce[r] > 0 and self.status[r] == Status.NORMAL and self.commit_number[r] > 0

    @reachable
    def catches_up(self, r: Replica, m: NewState) -> bool:
        """A replica can come to a later view by state transfer."""
        return m in self.network and m.target == r and m.view > self.view[r] and len(m.log) > 0


class TruncatesToCommit(Viewstamped):
    """A replica that hears of a later view takes it for its own at once, and cuts its log to what it knows to be committed.

    So the paper has it (section 5.2). Before the state has come, the next view change finds a replica whose log is short
    and claims to be of the latest view: it is preferred to that of a replica that still has the committed operation.
    The published run has 24 states and three operations; a Commit of the later view does the same with one.
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"View": 2, "Nonce": 0}
    omits = ("recovers",)

    def hear_of(self, r: Replica, v: View) -> None:
        if v > self.view[r]:
            self.view[r] = v
            self.last_normal[r] = v
            self.log[r] = self.log[r][: self.commit_number[r]]


class ClaimsViewTooEarly(Viewstamped):
    """A replica that hears of a later view keeps its log, but calls it one of the later view before it has the state.

    A replica that never had the committed operation is then preferred to one that has it.
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"View": 2, "Nonce": 0}
    omits = ("recovers",)

    def hear_of(self, r: Replica, v: View) -> None:
        self.view[r] = v
        self.last_normal[r] = v


class LongestLog(Viewstamped):
    """A new primary takes the longest log, whatever the view in which it was last normal.

    A primary that was cut off brings operations that were never committed; in its absence others were, at their numbers.
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"View": 2, "Nonce": 0, "Request": 2}
    omits = ("recovers",)

    def ranks(self, m: DoViewChange) -> tuple[View, int]:
        return View(0), len(m.log)


class NumbersWithoutLog(Viewstamped):
    """A DoViewChange carries numbers and no log: the new primary begins with its own, as far as it goes.

    A committed operation survives only if the next primary happens to be among those that have it.
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"Nonce": 0}
    omits = ("recovers",)

    def chosen_log(self, r: Replica, m: DoViewChange) -> list[Request]:
        return list(self.log[r])


class RecoveringTakesPart(Viewstamped):
    """A replica that is recovering goes to a later view when it hears of one, and gives its empty log to the new primary.

    It has forgotten an operation that was committed because it had confirmed it.
    """

    expect = violates("committed_survives")

    def may_change_view(self, r: Replica) -> bool:
        return True


class StartsAfresh(Viewstamped):
    """A replica that comes back without its files takes part at once, as if the group had just been founded."""

    expect = violates("committed_survives")
    omits = ("recovers",)

    def restart(self, r: Replica) -> None:
        self.status[r] = Status.NORMAL
        self.view[r] = View(0)


class NoNonce(Viewstamped):
    """A replica takes any response for one to its question: also those from before its last crash.

    It recovers for the second time with the state of the first time, and what it has confirmed in between is gone.
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"Nonce": 2}

    def is_fresh(self, a: RecoveryResponse, r: Replica) -> bool:
        return True


class ForgetsView(Viewstamped):
    """A replica that crashes forgets its view, too, as in the paper.

    It recovers into the view that it had left, and helps to commit there. But its DoViewChange is still under way, with a
    log of before; and so is the StartViewChange of another that had crashed, which let it be sent. No more than f replicas
    are down or recovering at a time, as the paper asks (section 2).
    """

    expect = violates("committed_survives")
    bounds: ClassVar[dict[str, int]] = {"Nonce": 2}
    omits = ("get_state", "new_state", "take_state", "catches_up")

    def crash(self, r: Replica) -> None:
        others = {s for s in Replica if s != r and self.status[s] != Status.RECOVERING}
        require(is_majority(others, Replica))
        self.view[r] = View(0)
        super().crash(r)
