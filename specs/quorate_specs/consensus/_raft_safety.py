"""Why Raft is safe, for any number of servers: from election safety to state machine safety, lemma by lemma (docs/proofs.md).

`leader_log` remembers the log of the leader of each term: what it was when the leader was elected, and what it has appended since.
No server reads it. Ongaro's own specification has such a variable, too (`elections`, with `elog`): what a majority has confirmed of a
leader's log is compared with the logs of later leaders when that leader may long have overwritten its own.
"""

from typing import Annotated, ClassVar

from quorate import is_majority, lemma, up_to

from quorate_specs.consensus.raft import (
    AppendEntries,
    AppendReply,
    Command,
    Commitment,
    Entry,
    Index,
    Raft,
    RequestVote,
    Role,
    Server,
    Term,
    Vote,
)


class RaftSafety(Raft):
    """Raft, with the logs of the leaders remembered."""

    omits: ClassVar[tuple[str, ...]] = (
        *("sent_entries_have_leaders", "entries_have_leaders", "leader_has_what_was_sent", "sent_entries_match"),
        *("leader_has_what_others_have", "logs_match_what_was_sent", "logs_match", "commits_for_predecessor"),
    )

    leader_log: dict[Term, Annotated[list[Entry], up_to(Index)]]

    def win(self, s: Server) -> None:
        super().win(s)
        self.leader_log[self.term[s]] = self.log[s]

    def request(self, s: Server, c: Command) -> None:
        super().request(s, c)
        self.leader_log[self.term[s]] = self.log[s]

    because: ClassVar[dict[str, tuple[str, ...]]] = {
        "winners_are_first": (
            *("elected_by_majority", "voters_were_asked", "votes_bind", "candidates_run", "one_vote_per_term"),
        ),
        "leaders_entries_are_older": ("entries_are_older",),
        "logs_are_of_leaders": (
            *("winners_are_first", "only_leaders_have_logs", "leader_logs_are_remembered"),
            *("leaders_logs_are_of_leaders", "messages_are_of_the_leader"),
        ),
        "leaders_logs_are_of_leaders": (
            *("winners_are_first", "only_leaders_have_logs", "logs_are_of_leaders"),
            *("leader_logs_are_remembered", "entries_are_older"),
        ),
        "last_terms_are_greatest": (
            *("logs_are_of_leaders", "leaders_logs_are_of_leaders", "messages_are_of_the_leader"),
            *("leaders_entries_are_older", "entries_are_older"),
        ),
        "leaders_are_complete": (
            *("winners_are_first", "only_leaders_have_logs", "entries_are_older", "logs_are_of_leaders"),
            *("leaders_logs_are_of_leaders", "leaders_entries_are_older", "votes_are_for_complete_logs", "votes_bind"),
            *("candidates_have_asked", "requests_say_how_logs_end", "leader_logs_are_remembered"),
            *("elected_by_majority", "replies_bind", "leaders_are_alone"),
        ),
        "confirmed_entries_are_kept": (
            *("terms_begin_with_one", "logs_are_of_leaders", "leaders_logs_are_of_leaders"),
            *("messages_are_of_the_leader", "leaders_are_complete", "replies_bind", "leader_logs_are_remembered"),
            *("winners_are_first", "entries_are_older"),
        ),
        "own_entries_are_kept": (
            *("logs_are_of_leaders", "leaders_logs_are_of_leaders", "messages_are_of_the_leader"),
            *("leaders_are_complete", "elected_by_majority", "leader_logs_are_remembered", "leaders_are_alone"),
            *("winners_are_first", "entries_are_older"),
        ),
        "votes_are_for_complete_logs": (
            *("own_entries_are_kept", "confirmed_entries_are_kept", "last_terms_are_greatest", "voters_were_asked"),
            *("one_request_per_term", "entries_are_older", "leader_logs_are_remembered", "votes_bind"),
            *("requests_bind", "replies_bind", "leaders_are_alone"),
        ),
        "commitments_are_confirmed": (
            *("winners_are_first", "only_leaders_have_logs", "leader_logs_are_remembered", "leaders_are_elected"),
        ),
        "leaders_have_what_is_committed": (
            *("commitments_are_confirmed", "confirmed_is_not_lost", "winners_are_first", "only_leaders_have_logs"),
            *("logs_are_of_leaders", "leaders_logs_are_of_leaders", "leaders_entries_are_older"),
            *("leaders_are_complete", "votes_are_for_complete_logs", "candidates_have_asked"),
            *("requests_say_how_logs_end", "leader_logs_are_remembered", "leaders_are_elected", "leaders_are_alone"),
        ),
        "commit_index_is_committed": (
            *("terms_begin_with_one", "logs_are_of_leaders", "leaders_logs_are_of_leaders"),
            *("messages_are_of_the_leader", "leaders_have_what_is_committed", "sent_commit_index_is_committed"),
        ),
        "sent_commit_index_is_committed": (
            *("messages_are_of_the_leader", "winners_are_first", "commit_index_is_committed"),
            "leader_logs_are_remembered",
        ),
        "leader_completeness": ("leaders_have_what_is_committed", "leader_logs_are_remembered", "leaders_are_elected"),
        "state_machine_safety": (
            *("leaders_have_what_is_committed", "commit_index_is_committed", "only_leaders_have_logs"),
            "commitments_are_confirmed",
        ),
    }

    # Elections

    @lemma
    def requests_bind(self, m: RequestVote) -> bool:
        """Whoever has asked for votes in a term has entered it."""
        return m not in self.network or self.term[m.candidate] >= m.term

    @lemma
    def voters_were_asked(self, t: Term, v: Server, c: Server) -> bool:
        """Whoever has got a vote in a term has entered it."""
        return Vote(t, v, c) not in self.network or self.term[c] >= t

    @lemma
    def one_request_per_term(self, m: RequestVote, n: RequestVote) -> bool:
        """A candidate asks once in a term."""
        both = m in self.network and n in self.network and m.term == n.term and m.candidate == n.candidate
        return not both or (m.last_term == n.last_term and m.last_index == n.last_index)

    @lemma
    def candidates_have_asked(self, s: Server) -> bool:
        """A candidate has asked for votes in its term."""
        asked = any(RequestVote(self.term[s], s, i, t) in self.network for i in Index for t in Term)
        return self.role[s] != Role.CANDIDATE or asked

    @lemma
    def requests_say_how_logs_end(self, m: RequestVote) -> bool:
        """A candidate's log is as it was when it asked for votes."""
        s = m.candidate
        if m not in self.network or self.role[s] != Role.CANDIDATE or self.term[s] != m.term:
            return True
        return m.last_index == len(self.log[s]) and m.last_term == self.last_term(s)

    @lemma
    def winners_are_first(self, s: Server, a: Server) -> bool:
        """Nobody has been elected in the term of a candidate that can win."""
        votes = {v for v in Server if v == s or Vote(self.term[s], v, s) in self.network}
        return self.role[s] != Role.CANDIDATE or not is_majority(votes, Server) or a not in self.elected[self.term[s]]

    @lemma
    def leaders_are_alone(self, s: Server, a: Server) -> bool:
        """Nobody else has been elected in the term of a leader."""
        return self.role[s] != Role.LEADER or a == s or a not in self.elected[self.term[s]]

    # Why it is so: logs

    @lemma
    def leader_logs_are_remembered(self, s: Server, i: Index) -> bool:
        """The log of the leader of a term is the one that is remembered."""
        if self.role[s] != Role.LEADER:
            return True
        log = self.leader_log[self.term[s]]
        return len(log) == len(self.log[s]) and (i >= len(log) or log[i] == self.log[s][i])

    @lemma
    def only_leaders_have_logs(self, t: Term) -> bool:
        """Where nobody was elected, there is no log of a leader."""
        return len(self.leader_log[t]) == 0 or any(s in self.elected[t] for s in Server)

    @lemma
    def terms_begin_with_one(self, s: Server) -> bool:
        """Nobody runs or leads in term 0, which stands for "no entry"."""
        return (self.role[s] == Role.FOLLOWER or self.term[s] > 0) and len(self.leader_log[Term(0)]) == 0

    @lemma
    def messages_are_of_the_leader(self, m: AppendEntries) -> bool:
        """What was sent in a term is of the log of its leader."""
        if m not in self.network:
            return True
        log, i = self.leader_log[m.term], m.prev_index
        return (
            m.leader in self.elected[m.term]
            and i <= len(log)
            and m.prev_term == (log[i - 1].term if i > 0 else Term(0))
            and (m.entry is None or (i < len(log) and log[i] == m.entry))
        )

    @lemma
    def logs_are_of_leaders(self, a: Server) -> bool:
        """Up to an entry of a term, a log is that of the leader of this term."""
        log = self.log[a]
        return all(self.is_of(log[j].term, j, i, log[i]) for j in range(len(log)) for i in range(j + 1))

    @lemma
    def leaders_logs_are_of_leaders(self, t: Term) -> bool:
        """Up to an entry of an earlier term, the log of a leader is that of the leader of that term."""
        log = self.leader_log[t]
        return all(self.is_of(log[j].term, j, i, log[i]) for j in range(len(log)) for i in range(j + 1))

    def is_of(self, t: Term, j: int, i: int, entry: Entry) -> bool:
        """Whether the log of the leader of a term goes up to `j`, and has the entry at `i`, which is not beyond."""
        return j < len(self.leader_log[t]) and self.leader_log[t][i] == entry

    @lemma
    def leaders_entries_are_older(self, t: Term, i: Index) -> bool:
        """A leader has entries of its own and of earlier terms."""
        return i >= len(self.leader_log[t]) or self.leader_log[t][i].term <= t

    @lemma
    def entries_are_older(self, s: Server, i: Index) -> bool:
        """A server has entries of its own and of earlier terms, a candidate of earlier ones."""
        if i >= len(self.log[s]):
            return True
        t = self.log[s][i].term
        return t < self.term[s] or (t == self.term[s] and self.role[s] != Role.CANDIDATE)

    @lemma
    def last_terms_are_greatest(self, s: Server, i: Index) -> bool:
        """No entry of a log has a later term than the last one."""
        return i >= len(self.log[s]) or self.log[s][i].term <= self.last_term(s)

    # Why it is so: leader completeness

    def is_own(self, t: Term, i: Index) -> bool:
        """Whether the leader of a term has an entry of this term at `i`."""
        return i < len(self.leader_log[t]) and self.leader_log[t][i].term == t

    def has_acked(self, t: Term, r: Server, i: Index) -> bool:
        """Whether a server has confirmed that it has the log of the leader of a term beyond `i`, or leads itself."""
        return r in self.elected[t] or any(
            AppendReply(t, r, s, j) in self.network for s in Server for j in Index if j > i
        )

    def acked(self, t: Term, i: Index) -> set[Server]:
        """Those who have confirmed it."""
        return {r for r in Server if self.has_acked(t, r, i)}

    def lost(self, t: Term, i: Index) -> set[Server]:
        """Those who have not, and, being in a later term, never will."""
        return {r for r in Server if self.term[r] > t and not self.has_acked(t, r, i)}

    @lemma
    def confirmed_is_not_lost(self, t: Term, i: Index) -> bool:
        """What a majority has confirmed, no majority is without."""
        return not is_majority(self.acked(t, i), Server) or not is_majority(self.lost(t, i), Server)

    @lemma
    def replies_bind(self, m: AppendReply) -> bool:
        """Whoever has confirmed a log has entered the term of its leader, and the leader has so much."""
        return m not in self.network or (self.term[m.follower] >= m.term and m.match <= len(self.leader_log[m.term]))

    @lemma
    def leaders_are_complete(self, t: Term, i: Index, u: Term, a: Server) -> bool:
        """A later leader has the entry of an earlier one, or it can no longer be committed: too many will never confirm it."""
        if t >= u or not self.is_own(t, i) or a not in self.elected[u]:
            return True
        kept = i < len(self.leader_log[u]) and self.leader_log[u][i].term == t
        return kept or is_majority(self.lost(t, i), Server)

    @lemma
    def confirmed_entries_are_kept(self, m: AppendReply, i: Index) -> bool:
        """Who has confirmed an entry of the leader's own term has it, as long as it can be committed."""
        if m not in self.network or i >= m.match or not self.is_own(m.term, i):
            return True
        return self.has_of(m.follower, m.term, i) or is_majority(self.lost(m.term, i), Server)

    @lemma
    def own_entries_are_kept(self, t: Term, s: Server, i: Index) -> bool:
        """A leader keeps the entries of its own term, even when it is deposed, as long as they can be committed."""
        if s not in self.elected[t] or not self.is_own(t, i):
            return True
        return self.has_of(s, t, i) or is_majority(self.lost(t, i), Server)

    def has_of(self, s: Server, t: Term, i: Index) -> bool:
        """Whether a server has an entry of a term at `i`."""
        return i < len(self.log[s]) and self.log[s][i].term == t

    @lemma
    def votes_are_for_complete_logs(self, t: Term, r: Server, i: Index, m: RequestVote) -> bool:
        """Who has confirmed an entry votes for those only whose log ends no earlier, as long as it can be committed."""
        if not self.is_own(t, i) or not self.has_acked(t, r, i) or m not in self.network or m.term <= t:
            return True
        if r != m.candidate and Vote(m.term, r, m.candidate) not in self.network:
            return True
        return m.last_term > t or (m.last_term == t and m.last_index > i) or is_majority(self.lost(t, i), Server)

    # Why it is so: state machine safety

    @lemma
    def commitments_are_confirmed(self, c: Commitment) -> bool:
        """What is committed is of the leader's log, up to an entry of its own that a majority has confirmed."""
        if c not in self.committed:
            return True
        log, t, i = self.leader_log[c.term], c.term, c.index - 1
        confirmed = any(self.is_own(t, j) and is_majority(self.acked(t, j), Server) for j in Index if j >= i)
        return 0 <= i < len(log) and log[i] == c.entry and confirmed

    @lemma
    def leaders_have_what_is_committed(self, c: Commitment, u: Term, a: Server) -> bool:
        """The leaders of the term of a commitment and of all later ones have the entry."""
        if c not in self.committed or u < c.term or a not in self.elected[u]:
            return True
        log, i = self.leader_log[u], c.index - 1
        return 0 <= i < len(log) and log[i] == c.entry

    def is_committed(self, t: Term, i: Index, entry: Entry) -> bool:
        """Whether the entry was committed in a term, or before it."""
        return any(c.term <= t and c.index == i + 1 and c.entry == entry for c in self.committed)

    @lemma
    def commit_index_is_committed(self, s: Server, i: Index) -> bool:
        """What a server knows to be committed is."""
        log = self.log[s]
        return i >= self.commit_index[s] or (i < len(log) and self.is_committed(self.term[s], i, log[i]))

    @lemma
    def sent_commit_index_is_committed(self, m: AppendEntries, i: Index) -> bool:
        """What a leader says to be committed is."""
        if m not in self.network or i >= m.commit:
            return True
        log = self.leader_log[m.term]
        return i < len(log) and self.is_committed(m.term, i, log[i])
