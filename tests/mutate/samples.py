"""A small protocol of which every line is there for a reason, but for a few."""

from __future__ import annotations

from pathlib import Path

from quorate.language.spec import Spec
from quorate.loading import load

LOCK = '''\
from quorate import Nat, Network, Scalarset, Spec, action, invariant, reachable, record, require, step


class Node(Scalarset, size=2):
    """A node."""


class Epoch(Nat, max=2):
    """A number of the lock."""


@record
class Grant:
    """The lock is yours."""

    epoch: Epoch
    node: Node


class Lock(Spec):
    """A server gives a lock to one node at a time, with a number that grows."""

    epoch: Epoch
    holder: Node | None
    held: dict[Node, Epoch]
    network: Network[Grant]

    @action
    def grant(self, n: Node) -> None:
        """Give it."""
        require(self.is_free() and self.epoch < 2)
        self.epoch += 1
        self.holder = n
        self.network.send(
            Grant(
                self.epoch, n
            )
        )

    @action
    def take(self, n: Node, m: Grant) -> None:
        require(m in self.network)
        require(m.node == n and m.epoch == self.epoch and self.holder == n)
        self.network.receive(m)
        self.held[n] = max(self.held[n], m.epoch)

    @action
    def release(self, n: Node) -> None:
        require(self.holder == n and self.held[n] > 0)
        self.held[n] = 0
        self.holder = None

    def is_free(self) -> bool:
        return self.holder is None

    @invariant
    def one_holder(self, a: Node, b: Node) -> bool:
        """Two nodes do not hold it."""
        return a == b or self.held[a] == 0 or self.held[b] == 0

    @invariant
    def free_is_free(self, n: Node) -> bool:
        """Nobody holds what is free."""
        return not self.is_free() or self.held[n] == 0

    @step
    def numbers_grow(self, old: "Lock") -> bool:
        """The number never falls."""
        return self.epoch >= old.epoch

    @reachable
    def held_twice(self, n: Node) -> bool:
        return self.held[n] == 2
'''


def loaded(folder: Path, source: str = LOCK) -> type[Spec]:
    """The main class of a text, in a file of its own."""
    file = folder / "lock.py"
    file.write_text(source, encoding="utf-8")
    return load(str(file)).main
