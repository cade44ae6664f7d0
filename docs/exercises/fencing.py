"""Stop a holder who does not know that the lease is over.

A lease ends by the clock, whoever slept through it. The sleeper wakes up and writes, after somebody else has. Every lease has a number,
its token, and goes with each write: let the storage use it.
"""

from quorate import Nat, Scalarset, Spec, action, invariant, reachable, require


class Client(Scalarset, size=2):
    """Writes while it has the lease, or believes so."""


class Token(Nat, max=3):
    """The number of a lease; 0 is none."""


class Fencing(Spec):
    """A lease service and a storage."""

    current: Token
    holder: Client | None
    token: dict[Client, Token]
    newest: Token
    written: Token

    @action
    def acquire(self, c: Client) -> None:
        require(self.holder is None)
        self.current += 1
        self.holder = c
        self.token[c] = self.current

    @action(mark="timeout", lane="service")
    def expire(self) -> None:
        """The lease ends, and nobody tells the holder."""
        require(self.holder is not None)
        self.holder = None

    @action
    def write(self, c: Client) -> None:
        require(self.token[c] > 0)
        self.written = self.token[c]
        self.newest = max(self.newest, self.token[c])

    @action
    def release(self, c: Client) -> None:
        require(self.token[c] > 0)
        if self.holder == c:
            self.holder = None
        self.token[c] = Token(0)

    @invariant
    def the_newest_write_stays(self) -> bool:
        """What stands in the storage was written under the newest lease that has written."""
        return self.written == self.newest

    @reachable
    def two_believe(self) -> bool:
        """Two clients believe to have the lease: nobody can prevent that."""
        return all(self.token[c] > 0 for c in Client)

    @reachable
    def written_twice(self) -> bool:
        """A later lease writes over an earlier one."""
        return self.written == 2
