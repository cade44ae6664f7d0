"""Repair this lock.

A server grants a lock to one client at a time. The network may deliver a message twice, and late.
Check it: who believes to hold the lock, and since when? Then let a client tell a new grant from a copy of an old one.
"""

from quorate import Network, Scalarset, Spec, action, invariant, reachable, record, require


class Client(Scalarset, size=2):
    """Somebody who wants the lock."""


@record
class Ask:
    client: Client


@record
class Grant:
    client: Client


@record
class Release:
    client: Client


class Lock(Spec):
    """Clients ask a server for a lock. The server grants it to one at a time."""

    owner: Client | None
    holding: set[Client]
    network: Network[Ask | Grant | Release]

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
        self.network.send(Grant(m.client))

    @action
    def take(self, m: Grant) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.holding.add(m.client)

    @action
    def release(self, c: Client) -> None:
        require(c in self.holding)
        self.holding.discard(c)
        self.network.send(Release(c))

    @action(lane="server")
    def free(self, m: Release) -> None:
        require(m in self.network)
        require(self.owner == m.client)
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
