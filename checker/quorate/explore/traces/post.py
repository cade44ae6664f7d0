"""The post office of a trace: gives every message on the wire an id and follows it.

Ids are `m1, m2, ...` in order of sending. What stays on a wire keeps its id: a message of a `Network` that is
received again is a copy of the same message, and sending one that is still there changes nothing and is not noted.
One that was lost, or taken off, and is sent again is a new message. Of equal messages in a `Bag` or a queue the
oldest goes first. If an action replaces a whole network, what disappears is lost and what appears is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from quorate.language.containers import Event
from quorate.language.networks import Network, in_flight
from quorate.language.system import State, System
from quorate.language.types import WireType
from quorate.trace import Message


@dataclass
class Deliveries:
    """What one step did to the wires."""

    sent: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    lost: list[Message] = field(default_factory=list)


class Post:
    """Follows the messages of one run, from its initial state on."""

    def __init__(self, system: System, initial: State) -> None:
        self._wires = [variable for variable in system.variables if isinstance(variable.type, WireType)]
        self._index = system.index
        self._count = 0
        self._flying: dict[tuple[str, Any], deque[str]] = {}
        self._delivered: set[str] = set()
        self._settle(initial, Deliveries())

    def fork(self) -> Post:
        """The same post office, to go on differently."""
        twin = copy(self)
        twin._flying = {message: deque(ids) for message, ids in self._flying.items() if ids}
        twin._delivered = set(self._delivered)
        return twin

    def under_way(self) -> Iterator[tuple[str, str, Any]]:
        """What is on the wires: the ids with the wire and the contents, in order of sending."""
        found = ((number, wire, message) for (wire, message), ids in self._flying.items() for number in ids)
        yield from sorted(found, key=lambda one: int(one[0][1:]))

    def step(self, events: Iterable[Event], read: Iterable[tuple[str, Any]], after: State) -> Deliveries:
        """What a step did: its `events`, the messages (with their wires) that its guards demanded, and the state
        after it."""
        done = Deliveries()
        events = list(events)
        taken = {(wire, message) for what, wire, message in events if what != "sent"}
        for wire, message in read:
            if (wire, message) not in taken and self._flying.get((wire, message)):
                done.received.append(self._delivery(wire, message, self._flying[wire, message][0]))
                taken.add((wire, message))
        for what, wire, message in events:
            self._event(done, what, wire, message, after)
        self._settle(after, done)
        return done

    def flying(self, wire: str, message: Any) -> tuple[str, ...]:
        """The ids of what is on a wire with this contents."""
        return tuple(self._flying.get((wire, message), ()))

    def _event(self, done: Deliveries, what: str, wire: str, message: Any, after: State) -> None:
        ids = self._flying.setdefault((wire, message), deque())
        keeps = isinstance(after[self._index[wire]], Network)
        if what == "sent":
            if not (keeps and ids):
                done.sent.append(self._posted(wire, message))
        elif ids and what == "received":
            done.received.append(self._delivery(wire, message, ids[0] if keeps else ids.popleft()))
        elif ids:
            done.lost.append(Message(ids.popleft(), self._payload(wire, message)))

    def _settle(self, after: State, done: Deliveries) -> None:
        """Compare with what really is on the wires: an action may have replaced a whole network."""
        for variable in self._wires:
            there = in_flight(after[self._index[variable.name]])
            assert isinstance(variable.type, WireType)
            for (wire, message), ids in self._flying.items():
                while wire == variable.name and len(ids) > there[message]:
                    done.lost.append(Message(ids.pop(), self._payload(wire, message)))
            for message in sorted(there, key=variable.type.message.encode):
                while len(self._flying.get((variable.name, message), ())) < there[message]:
                    done.sent.append(self._posted(variable.name, message))

    def _posted(self, wire: str, message: Any) -> Message:
        self._count += 1
        self._flying.setdefault((wire, message), deque()).append(f"m{self._count}")
        return Message(f"m{self._count}", self._payload(wire, message))

    def _delivery(self, wire: str, message: Any, number: str) -> Message:
        copy = number in self._delivered
        self._delivered.add(number)
        return Message(number, self._payload(wire, message), copy)

    def _payload(self, wire: str, message: Any) -> Any:
        kind = next(variable.type for variable in self._wires if variable.name == wire)
        assert isinstance(kind, WireType)
        return kind.message.to_json(message)
