"""Grants have numbers. A client takes a grant once, and a release counts only for the turn that it ends."""

from quorate import Nat, Network, Scalarset, Spec, action, invariant, reachable, record, require


class Client(Scalarset, size=2):
    """Somebody who wants the lock."""


class Turn(Nat, max=3):
    """The number of a grant."""


@record
class Ask:
    client: Client


@record
class Grant:
    client: Client
    turn: Turn


@record
class Release:
    client: Client
    turn: Turn


class Lock(Spec):
    """Clients ask a server for a lock. The server numbers its grants."""

    owner: Client | None
    turn: Turn
    holding: set[Client]
    seen: dict[Client, Turn]
    network: Network[Ask | Grant | Release]

    def is_new(self, m: Grant) -> bool:
        return m.turn > self.seen[m.client]

    def is_current(self, m: Release) -> bool:
        return m.turn == self.turn

    @action
    def ask(self, c: Client) -> None:
        require(c not in self.holding)
        self.network.send(Ask(c))

    @action(lane="server")
    def grant(self, m: Ask) -> None:
        require(m in self.network)
        require(self.owner is None)
        self.network.receive(m)
        self.owner = m.client
        self.turn += 1
        self.network.send(Grant(m.client, self.turn))

    @action
    def take(self, m: Grant) -> None:
        require(m in self.network)
        require(self.is_new(m))
        self.network.receive(m)
        self.seen[m.client] = m.turn
        self.holding.add(m.client)

    @action
    def release(self, c: Client) -> None:
        require(c in self.holding)
        self.holding.discard(c)
        self.network.send(Release(c, self.seen[c]))

    @action(lane="server")
    def free(self, m: Release) -> None:
        require(m in self.network)
        require(self.owner == m.client and self.is_current(m))
        self.network.receive(m)
        self.owner = None

    @invariant
    def one_holder(self, a: Client, b: Client) -> bool:
        """At most one client holds the lock."""
        return a == b or a not in self.holding or b not in self.holding

    @reachable
    def lock_is_used(self, c: Client) -> bool:
        """Somebody gets the lock."""
        return c in self.holding
