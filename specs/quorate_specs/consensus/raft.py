"""Raft: a leader replicates its log, and servers elect another leader when they miss it.

Time is divided into terms. In each term a server gives its vote to one candidate at most, so that no two of them win a
majority (election safety). A leader appends the clients' commands to its log and sends them to all; a follower takes an
entry only if its log agrees with the leader's up to there, which makes logs that agree in one entry agree in all before
it (log matching). An entry is committed when the leader of its term has it on a majority. A voter refuses a candidate
whose log ends earlier than its own: every majority has a server with the committed entry, so whoever wins has it too
(leader completeness), and servers never execute different commands at one index (state machine safety).

What keeps the state space small takes no behaviour away that matters for safety:

- The network is the set of all messages ever sent: any may arrive late, repeatedly, or never. So a message to all is
  sent once; a leader sends what it has as soon as it has it, and need not send it again.
- An AppendEntries carries at most one entry: a batch is like its parts, delivered one after the other. A heartbeat,
  without an entry, goes out when the commit index rises; one without news would not change any log.
- There is no nextIndex. It says where a leader tries first, and here it tries everywhere. The only news in a refusal
  would be its term, and the RequestVote that began that term brings it too.
- Votes and replies are counted where they are, on the wire; they have no effect until they are counted.
- A restart keeps the commit index, which the server could also hear anew: it stands for all that a server ever knew to
  be committed.

The rest of the family: `raft_election` (liveness), `raft_log` (several terms), `raft_reads`, `raft_snapshots` and
`raft_membership`.

As others met it:

- camunda/camunda 5356: a server votes for two candidates in one term, and two leaders are elected (`ForgetsVote` is the
  same mistake over a restart).
- bakwc/PySyncObj 202: term and vote are not written to disk, and are forgotten when the server restarts
  (`ForgetsVote`).

Source: Ongaro & Ousterhout 2014, "In Search of an Understandable Consensus Algorithm" (the sections and figures named
below), and Ongaro 2014, "Consensus: Bridging Theory and Practice" (chapter 3).
"""

from enum import Enum
from typing import Annotated, ClassVar, Self

from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    is_majority,
    lemma,
    reachable,
    record,
    require,
    step,
    up_to,
    violates,
)


class Server(Scalarset, size=3):
    """A member of the cluster."""


class Command(Scalarset, size=1):
    """What a client asks the replicated state machine to do."""


class Term(Nat, max=2):
    """Numbers the reigns of leaders; 0 is before the first election."""


class Index(Nat, max=3):
    """A position in a log, from 1; 0 is before the first entry.

    Logs of three entries are the shortest in which a follower has to tell apart all that it may find: an entry that agrees
    with the leader's and stays, one that conflicts, and one after it that gives way with it. The hundred mutants of
    `quorate why` have two, with which each takes a second and not ten.
    """


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


@record
class Entry:
    """A log entry: a command, and the term of the leader that received it."""

    term: Term
    command: Command


@record
class RequestVote:
    """`candidate` asks all servers for their votes; its log ends with an entry of `last_term` at `last_index`."""

    term: Term
    candidate: Server
    last_index: Index
    last_term: Term


@record
class Vote:
    """`voter` gives `candidate` its vote of `term`."""

    term: Term
    voter: Server
    candidate: Server


@record
class AppendEntries:
    """The leader's message to all: after the entry of `prev_term` at `prev_index` comes `entry`.

    Without an entry it is a heartbeat. `commit` is the leader's commit index.
    """

    term: Term
    leader: Server
    prev_index: Index
    prev_term: Term
    entry: Entry | None
    commit: Index


@record
class AppendReply:
    """`follower` has the log of the leader of `term` up to `match`."""

    term: Term
    follower: Server
    leader: Server
    match: Index


@record
class Commitment:
    """The leader of `term` found `entry` committed at `index`."""

    term: Term
    index: Index
    entry: Entry


class Raft(Spec):
    """Raft as in figure 2 of the paper, without membership changes, reads and snapshots.

    Promise, to the clients: the servers execute the same commands in the same order. An entry once committed keeps its
    place for ever, whatever messages are lost, delayed, reordered or repeated, and whoever crashes and restarts.

    Not in the paper: `elected` and `committed` remember what the properties speak of; no server reads them. The argument for any
    number of servers remembers more, `_raft_safety.py`.
    """

    proven_by = "quorate_specs.consensus._raft_safety:RaftSafety"
    mutant_bounds: ClassVar[dict[str, int]] = {"Index": 2}

    term: dict[Server, Term]
    voted_for: dict[Server, Server | None]
    log: dict[Server, Annotated[list[Entry], up_to(Index)]]
    role: dict[Server, Role]
    commit_index: dict[Server, Index]
    network: Network[RequestVote | Vote | AppendEntries | AppendReply] = Network(capacity=40)

    elected: dict[Term, set[Server]]
    committed: set[Commitment]

    # Elections (section 5.2)

    @action(mark="timeout")
    def time_out(self, s: Server) -> None:
        """A server hears of no leader for too long, and becomes a candidate of the next term."""
        require(self.role[s] != Role.LEADER)
        self.term[s] += 1
        self.role[s] = Role.CANDIDATE
        self.voted_for[s] = s
        self.network.send(RequestVote(self.term[s], s, Index(len(self.log[s])), self.last_term(s)))

    @action
    def handle_request(self, s: Server, m: RequestVote) -> None:
        """A server votes for the first candidate of a term that asks, if the candidate has all that it has."""
        require(m in self.network and m.candidate != s)
        require(m.term > self.term[s] or (m.term == self.term[s] and self.voted_for[s] is None))
        self.network.receive(m)
        self.observe(s, m.term)
        if self.is_up_to_date(m, s):
            self.voted_for[s] = m.candidate
            self.network.send(Vote(m.term, s, m.candidate))

    def observe(self, s: Server, term: Term) -> None:
        """Whoever hears of a later term enters it as a follower (section 5.1)."""
        if term > self.term[s]:
            self.term[s] = term
            self.voted_for[s] = None
            self.role[s] = Role.FOLLOWER

    def is_up_to_date(self, m: RequestVote, s: Server) -> bool:
        """The candidate's log is at least as up to date as the voter's: it ends later (section 5.4.1)."""
        return (m.last_term, m.last_index) >= (self.last_term(s), len(self.log[s]))

    def last_term(self, s: Server) -> Term:
        """The term of the last entry."""
        return self.term_at(s, Index(len(self.log[s])))

    def term_at(self, s: Server, i: Index) -> Term:
        """The term of the entry at `i`, 0 if there is none."""
        return self.log[s][i - 1].term if 0 < i <= len(self.log[s]) else Term(0)

    @action
    def win(self, s: Server) -> None:
        """A candidate with the votes of a majority is the leader, and sends its log to all."""
        require(self.role[s] == Role.CANDIDATE)
        votes = {v for v in Server if v == s or Vote(self.term[s], v, s) in self.network}
        require(self.is_enough(s, votes))
        for v in votes - {s}:
            self.network.receive(Vote(self.term[s], v, s))
        self.role[s] = Role.LEADER
        self.elected[self.term[s]].add(s)
        for i in range(1, len(self.log[s]) + 1):
            self.send_entry(s, Index(i))

    def is_enough(self, s: Server, servers: set[Server]) -> bool:
        """Whether these servers are enough for `s` to win an election or to commit an entry."""
        return is_majority(servers, Server)

    @action(mark="restart")
    def restart(self, s: Server) -> None:
        """A leader crashes, and comes back as a follower with what is on its disk.

        The crash of a follower changes nothing, and a candidate may as well never win.
        """
        require(self.role[s] == Role.LEADER)
        self.role[s] = Role.FOLLOWER

    # Log replication (section 5.3)

    @action
    def request(self, s: Server, c: Command) -> None:
        """A client's command reaches the leader, which appends it to its log and sends it to all."""
        require(self.role[s] == Role.LEADER)
        self.log[s].append(Entry(self.term[s], c))
        self.send_entry(s, Index(len(self.log[s])))

    def send_entry(self, s: Server, i: Index) -> None:
        """Send the entry at `i`."""
        before = Index(i - 1)
        self.network.send(
            AppendEntries(self.term[s], s, before, self.term_at(s, before), self.log[s][i - 1], self.commit_index[s])
        )

    def send_heartbeat(self, s: Server, i: Index) -> None:
        """Send the commit index to those that have the log up to `i`."""
        self.network.send(AppendEntries(self.term[s], s, i, self.term_at(s, i), None, self.commit_index[s]))

    @action
    def handle_append(self, s: Server, m: AppendEntries) -> None:
        """A server follows the leader of its term, and takes what fits to its log."""
        require(m in self.network and m.leader != s and m.term >= self.term[s])
        self.network.receive(m)
        self.observe(s, m.term)
        self.role[s] = Role.FOLLOWER
        self.append(s, m)

    def append(self, s: Server, m: AppendEntries) -> None:
        """Append the entry if it fits; one that conflicts with it gives way, and all that follow that one."""
        if self.fits(s, m):
            match = m.prev_index
            if m.entry is not None:
                match += 1
                if self.term_at(s, match) != m.entry.term:
                    self.log[s] = self.log[s][: m.prev_index]
                    self.log[s].append(m.entry)
            self.network.send(AppendReply(m.term, s, m.leader, match))
            self.advance(s, min(m.commit, match))

    def fits(self, s: Server, m: AppendEntries) -> bool:
        """The consistency check: the log has the entry before the new one."""
        return m.prev_index <= len(self.log[s]) and self.term_at(s, m.prev_index) == m.prev_term

    def advance(self, s: Server, i: Index) -> None:
        """A message that was under way for long may know of less than the server."""
        self.commit_index[s] = max(self.commit_index[s], i)

    @action
    def commit(self, s: Server, i: Index) -> None:
        """The leader finds an entry on a majority of servers, and so commits it and all before it."""
        require(self.role[s] == Role.LEADER and self.commit_index[s] < i <= len(self.log[s]))
        require(self.may_commit(s, i))
        replicas = {r for r in Server if r == s or self.has_replied(r, s, i)}
        require(self.is_enough(s, replicas))
        self.receive_replies(s, i)
        known = self.commit_index[s]
        self.commit_index[s] = i
        for j in range(known + 1, i + 1):
            self.committed.add(Commitment(self.term[s], Index(j), self.log[s][j - 1]))
            self.send_heartbeat(s, Index(j))

    def may_commit(self, s: Server, i: Index) -> bool:
        """Only an entry of its own term is committed by counting replicas (section 5.4.2)."""
        return self.term_at(s, i) == self.term[s]

    def has_replied(self, r: Server, s: Server, i: Index) -> bool:
        """Whether the leader `s` knows that `r` has its log up to `i`."""
        return any(AppendReply(self.term[s], r, s, j) in self.network for j in Index if j >= i)

    def receive_replies(self, s: Server, i: Index) -> None:
        """Read the replies that show this."""
        for r in Server:
            for j in Index:
                if j >= i and AppendReply(self.term[s], r, s, j) in self.network:
                    self.network.receive(AppendReply(self.term[s], r, s, j))

    # The promise (figure 3)

    @invariant
    def election_safety(self, t: Term, a: Server, b: Server) -> bool:
        """At most one leader is elected in a term."""
        return a == b or not (a in self.elected[t] and b in self.elected[t])

    @step
    def leader_append_only(self, old: Self, s: Server) -> bool:
        """A leader never overwrites or deletes entries of its log, it only appends."""
        before = old.log[s]
        return not (old.role[s] == self.role[s] == Role.LEADER) or self.log[s][: len(before)] == before

    @invariant
    def log_matching(self, a: Server, b: Server, i: Index) -> bool:
        """Two logs with an entry of the same term at the same index are the same up to it."""
        if a == b or i == 0 or i > min(len(self.log[a]), len(self.log[b])) or self.term_at(a, i) != self.term_at(b, i):
            return True
        return self.log[a][:i] == self.log[b][:i]

    @invariant
    def leader_completeness(self, s: Server) -> bool:
        """An entry committed in a term is in the log of the leader of every later term."""
        return self.role[s] != Role.LEADER or all(
            c.term >= self.term[s] or (0 < c.index <= len(self.log[s]) and self.log[s][c.index - 1] == c.entry)
            for c in self.committed
        )

    @invariant
    def state_machine_safety(self, a: Server, b: Server, i: Index) -> bool:
        """No two servers have different entries committed at an index."""
        return (
            a == b
            or i == 0
            or i > min(self.commit_index[a], self.commit_index[b])
            or self.log[a][i - 1] == self.log[b][i - 1]
        )

    @step
    def committed_stays(self, old: Self, s: Server) -> bool:
        """What a server knows to be committed never becomes less."""
        return self.commit_index[s] >= old.commit_index[s]

    # Why it is so: elections

    @lemma
    def votes_bind(self, t: Term, v: Server, c: Server) -> bool:
        """Whoever has voted in a term has entered it, votes for nobody else there, and is not elected itself."""
        if Vote(t, v, c) not in self.network:
            return True
        bound = self.term[v] > t or (self.term[v] == t and self.voted_for[v] == c)
        return bound and v != c and v not in self.elected[t]

    @lemma
    def one_vote_per_term(self, t: Term, v: Server, a: Server, b: Server) -> bool:
        """A server votes for one candidate in a term."""
        return a == b or Vote(t, v, a) not in self.network or Vote(t, v, b) not in self.network

    @lemma
    def candidates_run(self, s: Server) -> bool:
        """A candidate votes for itself, and has not been elected in its term before."""
        if self.role[s] != Role.CANDIDATE:
            return True
        return self.voted_for[s] == s and s not in self.elected[self.term[s]]

    @lemma
    def elected_by_majority(self, t: Term, s: Server) -> bool:
        """Whoever was elected in a term has entered it, and has the votes of a majority, its own among them."""
        if s not in self.elected[t]:
            return True
        votes = {v for v in Server if v == s or Vote(t, v, s) in self.network}
        bound = self.term[s] > t or (self.term[s] == t and self.voted_for[s] == s)
        return bound and is_majority(votes, Server)

    @lemma
    def leaders_are_elected(self, s: Server) -> bool:
        """A leader was elected in its term."""
        return self.role[s] != Role.LEADER or s in self.elected[self.term[s]]

    # Why it is so: logs

    @lemma
    def sent_entries_have_leaders(self) -> bool:
        """An entry that was sent is of a term with a leader."""
        return all(
            any(s in self.elected[m.entry.term] for s in Server)
            for m in self.network
            if isinstance(m, AppendEntries) and m.entry is not None
        )

    @lemma
    def entries_have_leaders(self, a: Server, i: Index) -> bool:
        """An entry of a log is of a term with a leader."""
        return i >= len(self.log[a]) or any(s in self.elected[self.log[a][i].term] for s in Server)

    @lemma
    def leader_has_what_was_sent(self, s: Server) -> bool:
        """Where an entry of a leader's term was sent, there is one in the leader's log."""
        return self.role[s] != Role.LEADER or all(
            m.prev_index < len(self.log[s])
            for m in self.network
            if isinstance(m, AppendEntries) and m.entry is not None and m.entry.term == self.term[s]
        )

    @lemma
    def leader_has_what_others_have(self, s: Server, a: Server, i: Index) -> bool:
        """Where a log has an entry of a leader's term, there is one in the leader's log."""
        if self.role[s] != Role.LEADER or i >= len(self.log[a]) or self.log[a][i].term != self.term[s]:
            return True
        return i < len(self.log[s])

    @lemma
    def sent_entries_match(self) -> bool:
        """Sent entries of one term for one index are the same, and come after entries of the same term."""
        return all(
            m.entry == n.entry and m.prev_term == n.prev_term
            for m in self.network
            if isinstance(m, AppendEntries) and m.entry is not None
            for n in self.network
            if isinstance(n, AppendEntries) and n.entry is not None
            if n.prev_index == m.prev_index and n.entry.term == m.entry.term
        )

    @lemma
    def logs_match_what_was_sent(self, a: Server) -> bool:
        """An entry of a log is the one of its term that was sent for its index, and comes after one of the same term."""
        return all(
            self.log[a][m.prev_index] == m.entry and self.term_at(a, m.prev_index) == m.prev_term
            for m in self.network
            if isinstance(m, AppendEntries) and m.entry is not None and m.prev_index < len(self.log[a])
            if self.log[a][m.prev_index].term == m.entry.term
        )

    @lemma
    def logs_match(self, a: Server, b: Server, i: Index, j: Index) -> bool:
        """Two logs with entries of one term in one place have the same entries in all places before it."""
        if j > i or i >= min(len(self.log[a]), len(self.log[b])) or self.log[a][i].term != self.log[b][i].term:
            return True
        return self.log[a][j] == self.log[b][j]

    @reachable
    def all_commit(self) -> bool:
        """An entry can be committed, and all servers learn of it."""
        return all(self.commit_index[s] > 0 for s in Server)

    @reachable
    def two_leaders(self, a: Server, b: Server) -> bool:
        """A deposed leader that does not know it yet and its successor can lead at one time, in different terms."""
        return self.role[a] == self.role[b] == Role.LEADER and self.term[a] < self.term[b]

    @reachable
    def conflict(self, a: Server, b: Server) -> bool:
        """Logs can disagree about an index, until a leader repairs them."""
        return 0 < self.term_at(a, Index(1)) < self.term_at(b, Index(1))

    @reachable
    def commits_for_predecessor(self, c: Commitment) -> bool:
        """A leader can commit an entry of an earlier term, together with one of its own."""
        return c in self.committed and 0 < c.entry.term < c.term


class AsPublished(Raft):
    """The article's follower: it appends what a leader pushes whose term is not older than its own, and checks no more.

    An entry that arrives twice, or after a gap, or after a conflicting one that should have given way, lands at another
    index than the leader's: then logs differ in spite of equal terms at an index.
    """

    expect = violates("log_matching")
    bounds: ClassVar[dict[str, int]] = {"Term": 1, "Index": 2, "Command": 2}

    def append(self, s: Server, m: AppendEntries) -> None:
        if m.entry is not None:
            self.log[s].append(m.entry)
        self.network.send(AppendReply(m.term, s, m.leader, Index(len(self.log[s]))))
        self.commit_index[s] = min(m.commit, Index(len(self.log[s])))


class CommitsOldTerms(Raft):
    """A leader commits an entry of an earlier term as soon as it counts it on a majority: figure 8 of the paper.

    Such an entry can still lose: a server with an entry of a later term, though nobody else has it, has the more
    up-to-date log, wins an election, and overwrites the committed one. `raft_log` finds it from the very beginning.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Term": 4, "Index": 1}

    @init
    def figure_8(self, a: Server, b: Server, c: Server, x: Command) -> None:
        """Stages (a) and (b) of the figure: `a` led term 1 and `b` leads term 2, each with an entry of its own."""
        require(a != b and b != c and a != c)
        self.elect(a, c)
        self.request(a, x)
        self.handle_request(b, RequestVote(Term(1), a, Index(0), Term(0)))
        self.elect(b, c)
        self.request(b, x)

    def elect(self, s: Server, voter: Server) -> None:
        """The server becomes the leader of its next term with the vote of `voter`."""
        self.time_out(s)
        self.handle_request(voter, RequestVote(self.term[s], s, Index(0), Term(0)))
        self.win(s)

    def may_commit(self, s: Server, i: Index) -> bool:
        return True


class ForgetsVote(Raft):
    """A server keeps its vote in memory only. After a restart it votes again in the same term.

    Two candidates get its vote, and with it each a majority: two leaders in one term.
    """

    expect = violates("election_safety")
    bounds: ClassVar[dict[str, int]] = {"Term": 1, "Index": 1}

    def restart(self, s: Server) -> None:
        self.role[s] = Role.FOLLOWER
        self.voted_for[s] = None


class VotesForAnyone(Raft):
    """A voter does not compare logs, and votes for the first candidate that asks.

    A candidate without the committed entries can win, and as leader overwrites them on the others.
    """

    expect = violates("leader_completeness")
    bounds: ClassVar[dict[str, int]] = {"Index": 1}

    def is_up_to_date(self, m: RequestVote, s: Server) -> bool:
        return True


class CommitIndexRegresses(Raft):
    """A follower sets its commit index to the minimum of the leader's and its own last entry, even if it knew of more.

    An older message that arrives late takes back what the follower has already told its clients.
    """

    expect = violates("committed_stays")
    bounds: ClassVar[dict[str, int]] = {"Index": 1}

    def advance(self, s: Server, i: Index) -> None:
        self.commit_index[s] = i
