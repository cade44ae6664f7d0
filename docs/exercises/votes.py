"""What must survive a restart?

Servers elect a leader for a term. Each votes once in a term, and a candidate with the votes of a majority wins. A server that restarts
begins with nothing, as if it had just been bought. Check it, and say which variables belong on the disk.
"""

from enum import Enum

from quorate import Nat, Scalarset, Spec, action, invariant, is_majority, reachable, require


class Server(Scalarset, size=3):
    """Votes, and may be elected."""


class Term(Nat, max=1):
    """The number of an election."""


class Role(Enum):
    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


class Votes(Spec):
    """Elections, with the network left out: a vote is given in one step."""

    term: dict[Server, Term]
    voted_for: dict[Server, Server | None]
    role: dict[Server, Role]
    votes: dict[Server, set[Server]]
    elected: dict[Term, set[Server]]

    @action(mark="timeout")
    def stand(self, s: Server) -> None:
        require(self.role[s] != Role.LEADER)
        self.term[s] += 1
        self.role[s] = Role.CANDIDATE
        self.voted_for[s] = s
        self.votes[s] = {s}

    @action
    def vote(self, s: Server, c: Server) -> None:
        require(s != c and self.role[c] == Role.CANDIDATE and self.term[s] <= self.term[c])
        require(self.term[s] < self.term[c] or self.voted_for[s] is None)
        self.term[s] = self.term[c]
        self.role[s] = Role.FOLLOWER
        self.voted_for[s] = c
        self.votes[c].add(s)

    @action
    def win(self, s: Server) -> None:
        require(self.role[s] == Role.CANDIDATE and is_majority(self.votes[s], Server))
        self.role[s] = Role.LEADER
        self.elected[self.term[s]].add(s)

    @action(mark="restart")
    def restart(self, s: Server) -> None:
        """Nothing is kept."""
        self.role[s] = Role.FOLLOWER
        self.votes[s] = set()
        self.term[s] = Term(0)
        self.voted_for[s] = None

    @invariant
    def one_leader_per_term(self, t: Term) -> bool:
        """A term has at most one leader."""
        return len(self.elected[t]) <= 1

    @reachable
    def a_leader_forgets(self) -> bool:
        """Servers still restart: a leader is none any more."""
        return any(all(self.role[s] != Role.LEADER for s in self.elected[t]) for t in Term if len(self.elected[t]) > 0)
