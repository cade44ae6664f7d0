"""A leader commits entries of its own term only: then nobody with an older last entry can be elected, and what came before is safe too."""

from quorate import Nat, Scalarset, Spec, action, invariant, is_majority, reachable, require


class Server(Scalarset, size=3):
    """Has a log of at most one entry, which is all that the mistake needs."""


class Term(Nat, max=4):
    """The number of a reign; 0 before the first, and of an empty log."""


class OldTerms(Spec):
    """Leaders write their log over that of others, one server at a time."""

    term: dict[Server, Term]
    log: dict[Server, Term]
    leader: Server | None
    committed: Term

    @action
    def elect(self, s: Server, q: set[Server]) -> None:
        """A majority `q` with terms and logs that are no newer makes a server the leader of the next term."""
        require(s in q and is_majority(q, Server))
        require(all(self.log[v] <= self.log[s] for v in q))
        reign = max(self.term[v] for v in q) + 1
        for v in q:
            self.term[v] = reign
        self.leader = s

    @action
    def append(self, s: Server) -> None:
        """The leader writes an entry of its own term."""
        require(self.leader == s and self.log[s] == 0)
        self.log[s] = self.term[s]

    @action
    def replicate(self, s: Server, f: Server) -> None:
        """A follower takes the leader's log for its own."""
        require(self.leader == s and f != s and self.term[f] <= self.term[s] and self.log[s] > 0)
        self.term[f] = self.term[s]
        self.log[f] = self.log[s]

    @action
    def commit(self, s: Server) -> None:
        require(self.leader == s and self.log[s] == self.term[s] and self.committed == 0)
        require(is_majority({f for f in Server if self.log[f] == self.log[s]}, Server))
        self.committed = self.log[s]

    @invariant
    def leader_completeness(self, s: Server) -> bool:
        """Whoever leads has what is committed."""
        return self.committed == 0 or self.leader != s or self.log[s] == self.committed

    @reachable
    def something_is_committed(self) -> bool:
        """Leaders still commit."""
        return self.committed == 2

    @reachable
    def an_old_entry_is_everywhere(self) -> bool:
        """A leader of a later term spreads an entry that it has not written."""
        return all(self.log[f] == 1 and self.term[f] == 3 for f in Server)
