"""A message has what its sender has counted itself, and a replica keeps for each the most that it has heard.

The maximum forgives repetition.
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
    own: Count


class Counter(Spec):
    """A counter on each replica."""

    clicks: dict[Replica, Count]
    shown: dict[Replica, Total]
    heard: dict[Replica, dict[Replica, Count]]
    network: Network[State]

    @action
    def click(self, r: Replica) -> None:
        self.clicks[r] += 1
        self.shown[r] += 1

    @action
    def send(self, r: Replica) -> None:
        self.network.send(State(r, self.clicks[r]))

    @action
    def merge(self, r: Replica, m: State) -> None:
        require(m in self.network and m.source != r)
        self.network.receive(m)
        self.shown[r] += max(m.own - self.heard[r][m.source], 0)
        self.heard[r][m.source] = max(self.heard[r][m.source], m.own)

    @invariant
    def no_more_than_was_clicked(self, r: Replica) -> bool:
        """A replica shows at most the clicks that there were."""
        return self.shown[r] <= sum(self.clicks[q] for q in Replica)

    @reachable
    def all_is_known(self) -> bool:
        """Both show all clicks, and both have clicked twice."""
        return all(self.clicks[r] == 2 and self.shown[r] == 4 for r in Replica)
