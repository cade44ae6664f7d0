"""Count what everybody counts.

Replicas count clicks without asking anybody, and send each other what they have counted. A replica adds what it receives to what
it has. Messages may arrive twice. Check it: more is shown than was clicked.
Let a message say more than a sum. (Shapiro et al. 2011, section 3.1.1)
"""

from quorate import Nat, Network, Scalarset, Spec, action, invariant, reachable, record, require


class Replica(Scalarset, size=2):
    """Counts, and tells the other."""


class Count(Nat, max=2):
    """How many clicks a replica takes."""


class Total(Nat, max=9):
    """How many clicks are shown."""


@record
class State:
    source: Replica
    total: Total


class Counter(Spec):
    """A counter on each replica."""

    clicks: dict[Replica, Count]
    shown: dict[Replica, Total]
    network: Network[State]

    @action
    def click(self, r: Replica) -> None:
        self.clicks[r] += 1
        self.shown[r] += 1

    @action
    def send(self, r: Replica) -> None:
        self.network.send(State(r, self.shown[r]))

    @action
    def merge(self, r: Replica, m: State) -> None:
        require(m in self.network and m.source != r)
        self.network.receive(m)
        self.shown[r] += m.total

    @invariant
    def no_more_than_was_clicked(self, r: Replica) -> bool:
        """A replica shows at most the clicks that there were."""
        return self.shown[r] <= sum(self.clicks[q] for q in Replica)

    @reachable
    def all_is_known(self) -> bool:
        """Both show all clicks, and both have clicked twice."""
        return all(self.clicks[r] == 2 and self.shown[r] == 4 for r in Replica)
