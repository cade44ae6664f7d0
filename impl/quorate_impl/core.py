"""The shape of every implementation: a core that does no input or output of its own.

A core is a state machine. `step` takes events and returns effects, and nothing else goes in or out: no clock, no
network, no disk, no randomness. So one core runs unchanged under three drivers, `runtime` (sockets and files),
`simulation` (a seeded world with faults) and Maelstrom's, and a run is repeated by repeating its events.

What a core writes is durable only when the driver says so (`Persisted`), and what a node says to others must not depend
on writes that a crash can take back. So `send` and `reply` hold a message until all that was written before it is
durable; a core that knows better says `send_at_once`.

Clients are cores, too: `Requested` is what the application asks, `Send` goes to a server, where it arrives as
`Requested`; the server's `Reply` comes back as `Received`, and the client's own `Reply` answers the application.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What nodes and clients send each other. On the wire it is an array: the name of its class, then its fields."""


class Record(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What a node writes to its log, to read it again when it recovers."""


# Events


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something that happens to a core."""


class Started(Event, frozen=True):
    """The node runs. It is the first event of a core, which has read its records already."""


class Tick(Event, frozen=True):
    """One tick of the node's clock has passed; its wall clock, which may jump, shows `now`, in milliseconds."""

    now: int


class Received(Event, frozen=True):
    """A message of another node has arrived, or, at a client, the response of a server."""

    source: str
    message: Message


class Requested(Event, frozen=True):
    """A client asks. `client` is where the reply goes, and no more: who the client is stands in the request."""

    client: str
    request: Message


class Persisted(Event, frozen=True):
    """All writes up to this number are durable. Numbers count the `Persist` and `Checkpoint` of a core from 1."""

    number: int


class Drawn(Event, frozen=True):
    """A random number, which the core asked for with `Draw`."""

    purpose: str
    number: int


# Effects


class Effect(msgspec.Struct, frozen=True, tag=True):
    """Something that a core wants done."""


class Send(Effect, frozen=True):
    """Send a message to another node. It may be lost, delayed, repeated or overtaken."""

    target: str
    message: Message


class Reply(Effect, frozen=True):
    """Answer a request to whoever made it."""

    client: str
    response: Message


class Persist(Effect, frozen=True):
    """Append the records to the log on the disk; `Persisted` tells when they are there for good."""

    number: int
    records: tuple[Record, ...]


class Checkpoint(Effect, frozen=True):
    """Put these records in the place of all that was written before."""

    number: int
    records: tuple[Record, ...]


class Draw(Effect, frozen=True):
    """Draw a random number between `low` and `high`, both included; `Drawn` brings it."""

    purpose: str
    low: int
    high: int


class Note(Effect, frozen=True):
    """Tell the operator: a line of the structured log."""

    event: str
    facts: dict[str, str | int | float | bool | None] = {}


class Core:
    """What all cores have in common: handlers for events, and the holding back of messages until writes are durable.

    A heir overrides `started`, `tick`, `received`, `requested`, `persisted`, `drawn` and `settled`, as far as it
    needs them. It is built from its name, its options and the records that its disk held.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.written = 0
        self.durable = 0
        self._effects: list[Effect] = []
        self._held: deque[tuple[int, Effect]] = deque()

    def step(self, *events: Event) -> list[Effect]:
        """Handle the events in order, and return what is to be done, in order.

        A driver that has several events at hand gives them together, so that a core can answer them in one message
        (`settled`).
        """
        for event in events:
            self._handle(event)
        self.settled()
        effects, self._effects = self._effects, []
        return effects

    def _handle(self, event: Event) -> None:
        match event:
            case Received(source, message):
                self.received(source, message)
            case Requested(client, request):
                self.requested(client, request)
            case Persisted(number):
                self.durable = number
                while self._held and self._held[0][0] <= number:
                    self._effects.append(self._held.popleft()[1])
                self.persisted()
            case Tick(now):
                self.tick(now)
            case Drawn(purpose, number):
                self.drawn(purpose, number)
            case Started():
                self.started()

    # What happens

    def started(self) -> None:
        """The node runs."""

    def tick(self, now: int) -> None:
        """A tick has passed, and the wall clock shows `now`."""

    def received(self, source: str, message: Message) -> None:
        """A message has arrived."""

    def requested(self, client: str, request: Message) -> None:
        """A client asks."""

    def persisted(self) -> None:
        """More of what was written is durable: all up to number `durable`."""

    def drawn(self, purpose: str, number: int) -> None:
        """The random number that was asked for."""

    def settled(self) -> None:
        """All events at hand are handled: what was gathered meanwhile can go out."""

    # What to do

    def send(self, target: str, message: Message) -> None:
        """Send when all that was written so far is durable."""
        self._hold(Send(target, message))

    def send_at_once(self, target: str, message: Message) -> None:
        """Send a message that says nothing about what is still being written."""
        self._effects.append(Send(target, message))

    def reply(self, client: str, response: Message) -> None:
        """Answer a client when all that was written so far is durable."""
        self._hold(Reply(client, response))

    def reply_at_once(self, client: str, response: Message) -> None:
        """Answer with something that does not depend on what is still being written."""
        self._effects.append(Reply(client, response))

    def _hold(self, effect: Effect) -> None:
        if self.durable == self.written:
            self._effects.append(effect)
        else:
            self._held.append((self.written, effect))

    def persist(self, *records: Record) -> int:
        """Write the records; returns the number under which `durable` will reach them."""
        self.written += 1
        self._effects.append(Persist(self.written, records))
        return self.written

    def checkpoint(self, *records: Record) -> int:
        """Write the records in the place of all before them; returns the number of the write."""
        self.written += 1
        self._effects.append(Checkpoint(self.written, records))
        return self.written

    def draw(self, purpose: str, low: int, high: int) -> None:
        """Ask for a random number."""
        self._effects.append(Draw(purpose, low, high))

    def note(self, event: str, **facts: str | int | float | bool | None) -> None:
        """Tell the operator."""
        self._effects.append(Note(event, facts))

    def addresses(self) -> dict[str, str]:
        """Where the other nodes are, as `host:port`, by their names; drivers without addresses do not ask."""
        return {}

    def status(self) -> dict[str, str | int | float | bool | None]:
        """What an operator wants to see of this node, by name; numbers become metrics."""
        return {}


class Timers:
    """Countdowns in ticks, by name, for a core to keep."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def set(self, name: str, ticks: int) -> None:
        """Run out after so many ticks (at least one), whatever was set before."""
        self._left[name] = max(ticks, 1)

    def cancel(self, name: str) -> None:
        """Forget it, if it runs."""
        self._left.pop(name, None)

    def runs(self, name: str) -> bool:
        """Whether it is set and has not run out."""
        return name in self._left

    def tick(self) -> Sequence[str]:
        """Let a tick pass; returns what has run out, in the order in which it was first set."""
        for name in self._left:
            self._left[name] -= 1
        out = [name for name, left in self._left.items() if left == 0]
        for name in out:
            del self._left[name]
        return out
