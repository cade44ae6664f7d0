"""PBFT: one order of requests for all honest replicas, while f of n = 3f + 1 replicas lie as they like.

The primary of a view gives requests their sequence numbers (*pre-prepare*). A replica that accepts one says so to all
others (*prepare*); with such messages of a quorum of 2f + 1, the primary's included, the request is *prepared*: no other
one can be at this number in this view, since two quorums have an honest replica in common and that one accepts one
request. It says this, too (*commit*), and with commits of a quorum it executes. So a quorum knows of the certificate
when anybody executes. When a primary is suspected, replicas go to the next view and send it the certificates they have;
of what a quorum sends, the certificate of the highest view must be proposed again, and every replica checks that it is.
A *checkpoint* that a quorum has signed replaces the messages about what is executed.

*Promise*, to the clients: honest replicas execute the same request at a number, within a view and across view changes,
and it is one that a client has signed. Not promised: progress, when the network is slow for ever; secrecy; anything at
all, if more than f lie.

**Those who lie** may send any message that they can sign, at any time, a different one to each receiver, or nothing.
They cannot sign for others, so a certificate has the signatures of 2f + 1 replicas, f + 1 of which are honest and have
said so. The specification has therefore no state for liars: a receiver may always have got from them what helps a
quorum, and a quorum is one of f + 1 honest replicas (`needed`), whom f liars join. This is exact: what a liar has
sent can be ignored, and what it has not sent yet can be sent at the moment when it is received. `Replica` are the honest ones.
The primary of a view may be a liar (`None`); then a replica prepares whatever such a primary could show reasons for.

A view change and a new view are one message for each sequence number. A new primary, or one that lies, may therefore
use different quorums for different numbers, which allows more than one message for all. The network is the set of all
messages that honest replicas have ever sent: any may arrive late, repeatedly, or never. Their signed messages are their log. Requests
are distinct; that a replica executes a repeated one once, by the client's time stamp, is left out.

As others met it:

- johnhenry/raijin 8: a view change clears what was prepared, and the new primary proposes another block
  (`OwnHistory`).
- vmware/concord-bft 50: a liar's view change with an invalid certificate makes the new view ignore valid ones of others
  (in `UncheckedCertificates`, the invalid one is believed).
- Scottcjn/Rustchain 2087: prepares and commits for another digest count (`AnyDigest`).
- neo-project/neo 320: adds the commits that were missing between prepared and final (`NoCommitPhase`).

Sources: Castro & Liskov 1999, "Practical Byzantine Fault Tolerance" (the sections named below); Castro 2001, his thesis,
for the proof. `quorate prove quorums` proves when two quorums have an honest replica in common ("byzantine").
"""

from typing import ClassVar

from quorate import (
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    is_quorum,
    lemma,
    reachable,
    record,
    require,
    violates,
)


class Replica(Scalarset, size=3):
    """An honest replica. Beside 2f + 1 of them there are f that lie."""


class View(Ordered, size=2):
    """The reign of one primary."""


class Number(Ordered, size=1):
    """A sequence number: the place of a request in the order. Every number is a checkpoint."""


class Request(Scalarset, size=2, prefix="x"):
    """What a client may sign, and its digest."""


@record
class PrePrepare:
    """The honest primary of `view` proposes `request`, with the view changes that justify it; `None` fills a gap."""

    view: View
    number: Number
    request: Request | None


@record
class Prepare:
    """`source` has accepted the proposal. The primary's pre-prepare counts as its own prepare."""

    view: View
    number: Number
    request: Request | None
    source: Replica


@record
class Commit:
    """`source` has a certificate: prepares of a quorum."""

    view: View
    number: Number
    request: Request | None
    source: Replica


@record
class Checkpoint:
    """`source` has executed everything up to `number`; `request` stands for the digest of the state."""

    number: Number
    request: Request | None
    source: Replica


@record
class Certificate:
    """Prepares of a quorum in `view`."""

    view: View
    request: Request | None


@record
class ViewChange:
    """`source` goes to `view` and has this as its last certificate for `number`, which is above its stable checkpoint."""

    view: View
    number: Number
    prepared: Certificate | None
    source: Replica


@record
class Executed:
    """What a replica has executed."""

    request: Request | None


class Pbft(Spec):
    """The protocol, n = 4 and f = 1 by default (sections 4.1 to 4.4)."""

    needed: ClassVar[int] = 2
    lanes = (Replica,)

    signed: set[Request]
    primary: dict[View, Replica | None]
    view: dict[Replica, View]
    prepared: dict[Replica, dict[Number, Certificate | None]]
    executed: dict[Replica, dict[Number, Executed | None]]
    network: Network[PrePrepare | Prepare | Commit | Checkpoint | ViewChange]

    @init
    def begin(self, signed: set[Request], primary: dict[View, Replica | None]) -> None:
        """Clients have signed some requests. Any replica may be the primary of a view, a liar of all."""
        self.signed = signed
        self.primary = primary

    # Normal operation (section 4.2)

    @action
    def pre_prepare(self, v: View, n: Number, x: Request | None, r: Replica) -> None:
        """An honest primary proposes one request for a number."""
        require(self.primary[v] == r and self.view[r] == v)
        require(self.may_prepare(r, v, n) and self.acceptable(v, n, x))
        self.network.send(PrePrepare(v, n, x))
        self.network.send(Prepare(v, n, x, r))

    @action
    def prepare(self, r: Replica, m: PrePrepare) -> None:
        """A backup accepts what the primary of its view proposes, for one request and number."""
        require(m in self.network)
        require(self.view[r] == m.view and self.may_prepare(r, m.view, m.number))
        self.network.receive(m)
        self.network.send(Prepare(m.view, m.number, m.request, r))

    @action
    def prepare_for_liar(self, r: Replica, v: View, n: Number, x: Request | None) -> None:
        """A backup accepts what a lying primary proposes: anything that it can justify, and different things to each."""
        require(self.primary[v] is None and self.view[r] == v)
        require(self.may_prepare(r, v, n) and self.acceptable(v, n, x))
        self.network.send(Prepare(v, n, x, r))

    def may_prepare(self, r: Replica, v: View, n: Number) -> bool:
        """Whether a replica has not accepted anything for this view and number."""
        return not any(Prepare(v, n, x, r) in self.network for x in Request) and (
            Prepare(v, n, None, r) not in self.network
        )

    @action
    def commit(self, r: Replica, v: View, n: Number, x: Request | None) -> None:
        """A replica in the view has a certificate for what it has accepted."""
        require(self.view[r] == v and Prepare(v, n, x, r) in self.network and self.certified(v, n, x))
        require(Commit(v, n, x, r) not in self.network)
        voters = self.preparers(v, n, x)
        votes = {m for m in self.network if isinstance(m, Prepare) and m.view == v and m.number == n}
        for m in votes:
            if m.source in voters:
                self.network.receive(m)
        self.prepared[r][n] = Certificate(v, x)
        self.network.send(Commit(v, n, x, r))

    @action
    def execute(self, r: Replica, v: View, n: Number, x: Request | None) -> None:
        """A replica has commits of a quorum, its own included, and executes in order; it takes a checkpoint (section 4.3)."""
        require(self.executed[r][n] is None and all(self.executed[r][m] is not None for m in Number if m < n))
        require(Commit(v, n, x, r) in self.network and self.committed(v, n, x))
        voters = self.committers(v, n, x)
        votes = {m for m in self.network if isinstance(m, Commit) and m.view == v and m.number == n}
        for m in votes:
            if m.source in voters:
                self.network.receive(m)
        self.executed[r][n] = Executed(x)
        self.network.send(Checkpoint(n, x, r))

    @action
    def fetch(self, r: Replica, n: Number, x: Request | None) -> None:
        """A replica that is behind takes over the state of a stable checkpoint (section 4.6)."""
        require(self.executed[r][n] is None and all(self.executed[r][m] is not None for m in Number if m < n))
        require(self.stable(n, x))
        self.executed[r][n] = Executed(x)

    # What a quorum has signed, liars included

    def preparers(self, v: View, n: Number, x: Request | None) -> set[Replica]:
        """The honest replicas that have accepted the request."""
        return {r for r in Replica if Prepare(v, n, x, r) in self.network}

    def certified(self, v: View, n: Number, x: Request | None) -> bool:
        """Whether there can be a certificate that the request is prepared."""
        return is_quorum(self.preparers(v, n, x), self.needed, Replica)

    def committers(self, v: View, n: Number, x: Request | None) -> set[Replica]:
        """The honest replicas that have said that they have the certificate."""
        return {r for r in Replica if Commit(v, n, x, r) in self.network}

    def committed(self, v: View, n: Number, x: Request | None) -> bool:
        """Whether the request may be executed."""
        return is_quorum(self.committers(v, n, x), self.needed, Replica)

    def stable(self, n: Number, x: Request | None) -> bool:
        """Whether there can be a proof of the checkpoint."""
        return is_quorum({r for r in Replica if Checkpoint(n, x, r) in self.network}, self.needed, Replica)

    # View change (section 4.4)

    @action(mark="timeout")
    def change_view(self, r: Replica, v: View, low: Number | None) -> None:
        """A replica suspects the primary: it leaves the view, and sends what it has above its stable checkpoint."""
        require(self.view[r] < v)
        require(low is None or any(self.stable(low, x) for x in Request) or self.stable(low, None))
        self.view[r] = v
        for n in Number:
            if low is None or n > low:
                self.network.send(ViewChange(v, n, self.prepared[r][n], r))

    def acceptable(self, v: View, n: Number, x: Request | None) -> bool:
        """Whether the primary of `v` may propose this: what is prepared, else any signed request, or nothing in a gap."""
        if not any(w < v for w in View):
            return self.is_signed(x)
        return (self.nothing_reported(v, n) and (self.is_signed(x) or (x is None and self.is_gap(v, n)))) or any(
            self.known(w, n, x) and self.highest_reported(v, n, w) for w in View if w < v
        )

    def is_signed(self, x: Request | None) -> bool:
        """Whether a client has signed the request, which no replica can do for it."""
        return x in self.signed

    def known(self, w: View, n: Number, x: Request | None) -> bool:
        """Whether a view change can have this certificate: an honest replica's, or a liar's."""
        return self.certified(w, n, x)

    def nothing_reported(self, v: View, n: Number) -> bool:
        """Whether a quorum can go to `v` without a certificate for `n`; a liar can always hide what it has."""
        return is_quorum({r for r in Replica if ViewChange(v, n, None, r) in self.network}, self.needed, Replica)

    def highest_reported(self, v: View, n: Number, w: View) -> bool:
        """Whether a quorum can go to `v` without a certificate above `w`."""
        return is_quorum({r for r in Replica if self.reports_at_most(r, v, n, w)}, self.needed, Replica)

    def reports_at_most(self, r: Replica, v: View, n: Number, w: View) -> bool:
        """Whether a replica goes to `v` without a certificate above `w`."""
        return any(
            isinstance(m, ViewChange)
            and m.source == r
            and m.view == v
            and m.number == n
            and (m.prepared is None or m.prepared.view <= w)
            for m in self.network
        )

    def is_gap(self, v: View, n: Number) -> bool:
        """Whether a later number can have a certificate."""
        return any(self.known(w, m, x) for w in View if w < v for m in Number if m > n for x in Request)

    # The promise

    @invariant
    def agreement(self, n: Number, r: Replica, s: Replica) -> bool:
        """No two honest replicas execute different requests at a number."""
        return self.executed[r][n] is None or self.executed[s][n] is None or self.executed[r][n] == self.executed[s][n]

    @invariant
    def validity(self, n: Number, r: Replica) -> bool:
        """What an honest replica executes, a client has signed."""
        done = self.executed[r][n]
        return done is None or done.request is None or done.request in self.signed

    # Why it is so (section 4.5.1)

    @lemma
    def one_certificate(self, v: View, n: Number, x: Request | None, y: Request | None) -> bool:
        """Within a view, at most one request can be prepared at a number: two quorums have an honest replica in common."""
        return x == y or not (self.certified(v, n, x) and self.certified(v, n, y))

    @lemma
    def commits_have_certificates(self, r: Replica, v: View, n: Number, x: Request | None) -> bool:
        """Who has committed was in the view and had a certificate, and keeps it or a later one."""
        if Commit(v, n, x, r) not in self.network:
            return True
        last = self.prepared[r][n]
        return v <= self.view[r] and self.certified(v, n, x) and last is not None and v <= last.view

    @lemma
    def prepared_is_safe(self, r: Replica, v: View, n: Number, x: Request | None, w: View, y: Request | None) -> bool:
        """When a request is accepted, no other one can be committed below: enough replicas have left and never will."""
        return not (Prepare(v, n, x, r) in self.network and w < v and x != y) or self.is_lost(w, n, y)

    def is_lost(self, w: View, n: Number, y: Request | None) -> bool:
        """Whether a quorum has left the view without having committed the request in it."""
        lost = {r for r in Replica if self.view[r] > w and Commit(w, n, y, r) not in self.network}
        return is_quorum(lost, self.needed, Replica)

    @lemma
    def one_prepare(self, r: Replica, v: View, n: Number, x: Request | None, y: Request | None) -> bool:
        """An honest replica accepts one request for a view and number, in the view."""
        if Prepare(v, n, x, r) not in self.network:
            return True
        return v <= self.view[r] and (x == y or Prepare(v, n, y, r) not in self.network)

    @lemma
    def view_changes_are_kept(self, m: ViewChange) -> bool:
        """Who goes to a view has left the ones before, and reports a true certificate of one of them."""
        if m not in self.network:
            return True
        last = m.prepared
        return m.view <= self.view[m.source] and (
            last is None or (last.view < m.view and self.certified(last.view, m.number, last.request))
        )

    @lemma
    def view_changes_report_commits(self, m: ViewChange, w: View, x: Request | None) -> bool:
        """Below the view that a replica goes to, it has committed nothing above the certificate that it reports."""
        if m not in self.network or w >= m.view or Commit(w, m.number, x, m.source) not in self.network:
            return True
        return m.prepared is not None and w <= m.prepared.view

    @lemma
    def proposals_are_safe(self, v: View, n: Number, x: Request | None, w: View, y: Request | None) -> bool:
        """So it is when an honest primary proposes it."""
        return not (PrePrepare(v, n, x) in self.network and w < v and x != y) or self.is_lost(w, n, y)

    @lemma
    def certificates_are_true(self, r: Replica, n: Number) -> bool:
        """The certificate that a replica keeps is one, of a view that it has been in."""
        last = self.prepared[r][n]
        return last is None or (last.view <= self.view[r] and self.certified(last.view, n, last.request))

    @lemma
    def proposals_are_signed(self, m: PrePrepare) -> bool:
        """What an honest primary proposes is signed by a client, or fills a gap."""
        return m not in self.network or m.request is None or m.request in self.signed

    @lemma
    def prepared_is_signed(self, r: Replica, v: View, n: Number, x: Request | None) -> bool:
        """So is what is accepted."""
        return Prepare(v, n, x, r) not in self.network or x is None or x in self.signed

    @lemma
    def checkpoints_are_executed(self, n: Number, x: Request | None, r: Replica) -> bool:
        """A checkpoint is about what is committed."""
        return Checkpoint(n, x, r) not in self.network or any(self.committed(v, n, x) for v in View)

    @lemma
    def one_committed(self, n: Number, v: View, x: Request | None, w: View, y: Request | None) -> bool:
        """At most one request is committed at a number, in one view or in two."""
        return x == y or not (self.committed(v, n, x) and self.committed(w, n, y))

    @lemma
    def executed_is_committed(self, r: Replica, n: Number) -> bool:
        """What is executed is committed."""
        done = self.executed[r][n]
        return done is None or any(self.committed(v, n, done.request) for v in View)

    @reachable
    def everyone_executes(self) -> bool:
        """All honest replicas can execute, though a liar is the first primary."""
        return all(self.executed[r][n] is not None for r in Replica for n in Number) and any(
            self.primary[v] is None for v in View if not any(w < v for w in View)
        )

    @reachable
    def executed_in_two_views(self, n: Number, v: View, w: View, x: Request) -> bool:
        """A request can be committed again in a later view."""
        return v < w and self.committed(v, n, x) and self.committed(w, n, x)

    @reachable
    def equivocation(self, v: View, n: Number, x: Request, y: Request) -> bool:
        """A primary that lies can propose one request to some and another to others, and the second gets through later."""
        return x != y and any(Prepare(v, n, x, r) in self.network for r in Replica) and self.certified(v, n, y)


class ThreeReplicas(Pbft):
    """n = 3f: with one liar among three, a quorum that does not wait for the liar is two, and one of them may be it.

    Two such quorums have the liar in common, who accepts both requests (section 3: 3f + 1 is the least).
    """

    expect = violates("agreement")
    bounds: ClassVar[dict[str, int]] = {"Replica": 2, "View": 1}
    omits = ("executed_in_two_views",)

    needed: ClassVar[int] = 1


class PrepareQuorumOf2f(Pbft):
    """A certificate is a pre-prepare and prepares of 2f replicas, the primary among them: one too few.

    The paper's 2f are of backups (section 4.2). Two requests get certificates in a view; one is committed, and the new view may take the
    other.
    """

    expect = violates("agreement")

    prepares_needed: ClassVar[int] = 1

    def certified(self, v: View, n: Number, x: Request | None) -> bool:
        return is_quorum(self.preparers(v, n, x), self.prepares_needed, Replica)


class AnyDigest(Pbft):
    """Prepares and commits are counted for a view and number, whatever request they name: equivocation is not seen.

    A replica takes the votes for the one request for votes for the other, which it has been sent.
    """

    expect = violates("agreement")

    def preparers(self, v: View, n: Number, x: Request | None) -> set[Replica]:
        return {r for r in Replica if not self.may_prepare(r, v, n)}

    def committers(self, v: View, n: Number, x: Request | None) -> set[Replica]:
        return {r for r in Replica if any(Commit(v, n, y, r) in self.network for y in Request)}


class UncheckedCertificates(Pbft):
    """A view change is believed without the prepares that prove its certificates.

    A liar reports another request for the view in which one was committed.
    """

    expect = violates("agreement")

    def known(self, w: View, n: Number, x: Request | None) -> bool:
        return self.is_signed(x)


class OwnHistory(Pbft):
    """A new primary begins with the requests that it likes, and the backups do not ask for reasons."""

    expect = violates("agreement")

    def acceptable(self, v: View, n: Number, x: Request | None) -> bool:
        return self.is_signed(x)


class NoCommitPhase(Pbft):
    """A replica executes what is prepared.

    Nobody else need have the certificate, and the next view does not hear of it.
    """

    expect = violates("agreement")

    def committed(self, v: View, n: Number, x: Request | None) -> bool:
        return self.certified(v, n, x)


class ClearsWhenExecuted(Pbft):
    """A replica throws its certificate away when it has executed, without waiting for a stable checkpoint.

    A view change of those who have executed reports nothing (section 4.3: a proof must replace what is discarded).
    """

    expect = violates("agreement")

    @action
    def execute(self, r: Replica, v: View, n: Number, x: Request | None) -> None:
        super().execute(r, v, n, x)
        self.prepared[r][n] = None


class UnsignedRequests(Pbft):
    """Backups do not check the client's signature: a primary that lies invents a request."""

    expect = violates("validity")

    def is_signed(self, x: Request | None) -> bool:
        return x is not None
