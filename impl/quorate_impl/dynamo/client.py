"""The client's side: it remembers what it has been shown, so that its writes replace that, and asks again when no answer comes.

The application asks with a `Get`, `Put`, `Delete` or `Status`, and may ask for more before it is answered; writes of one key
wait for each other. It gets the `Result` back; `Unknown` says that a write was perhaps executed, perhaps will be, and
perhaps never, or that a read had no answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from quorate_impl.core import Core, Message
from quorate_impl.dynamo.messages import (
    Done,
    Level,
    NotHome,
    Query,
    Request,
    Response,
    Result,
    Status,
    Values,
    Vector,
    Write,
)
from quorate_impl.dynamo.siblings import ZERO, joined


class Get(Message, frozen=True):
    """The values of a key."""

    key: str
    level: Level = "quorum"


class Put(Message, frozen=True):
    """Put a value in the place of all that this client has been shown of the key.

    `reads_first` has it read the key, at the same level, if it has been shown nothing of it yet.
    """

    key: str
    value: str
    level: Level = "quorum"
    reads_first: bool = False


class Delete(Message, frozen=True):
    """Take away all that this client has been shown of the key."""

    key: str
    level: Level = "quorum"
    reads_first: bool = False


class Unknown(Message, frozen=True):
    """There was no answer, and nobody knows whether a write was executed."""

    reason: str


@dataclass
class Pending:
    """A request without an answer: the application's handle, what was asked of whom, and how long it has been open."""

    handle: str
    request: Request
    target: str
    then: Put | Delete | None = None
    ticks: int = 0


class Client(Core):
    """One client of any of the nodes. Its context of a key is what it has been shown of it (`context` of the specification).

    A read goes to another node when there was no answer for `retry_ticks`. A write does not: a second coordinator would give it
    a second dot. It is given up after `give_up_ticks` (never, if that is None); the next one goes to another node.
    """

    def __init__(
        self, name: str, servers: Mapping[str, str], retry_ticks: int = 50, give_up_ticks: int | None = None
    ) -> None:
        super().__init__(name)
        self.contexts: dict[str, Vector] = {}
        self.seen = ZERO
        self._addresses = dict(servers)
        self._servers = list(servers)
        self._target = self._servers[0]
        self._retry_ticks = retry_ticks
        self._give_up_ticks = give_up_ticks
        self._homes: dict[str, list[str]] = {}
        self._pending: dict[int, Pending] = {}
        self._queues: dict[str, deque[tuple[str, Put | Delete]]] = {}
        self._ids = 0
        self._numbers = 0
        self._session: int | None = None

    def addresses(self) -> dict[str, str]:
        return dict(self._addresses)

    def requested(self, client: str, request: Message) -> None:
        match request:
            case Get(key, level):
                self._query(client, key, level)
            case Put(key) | Delete(key):
                queue = self._queues.setdefault(key, deque())
                queue.append((client, request))
                if len(queue) == 1:
                    self._begin(key)
            case Status():
                self._ask(Pending(client, Status(self._next_id()), self._target))

    def _begin(self, key: str) -> None:
        """The first write of the queue, when the client has a session, whose number no other client has."""
        handle, write = self._queues[key][0]
        if self._session is None:
            if not any(self._queues[other] for other in self._queues if other != key):
                self.draw("session", 1, 2**62)
        elif write.reads_first and key not in self.contexts:
            self._query(handle, key, write.level, write)
        else:
            self._write(handle, write)

    def drawn(self, purpose: str, number: int) -> None:
        if self._session is None:
            self._session = number
            for key in self._queues:
                self._begin(key)

    def _query(self, handle: str, key: str, level: Level, then: Put | Delete | None = None) -> None:
        self._ask(Pending(handle, Query(self._next_id(), key, level), self._target, then))

    def _write(self, handle: str, write: Put | Delete) -> None:
        assert self._session is not None
        self._numbers += 1
        value = write.value if isinstance(write, Put) else None
        context = self.contexts.get(write.key, {})
        request = Write(
            self._next_id(), self._session, self._numbers, write.key, value, context, self.seen, write.level
        )
        self._ask(Pending(handle, request, self._coordinator(write.key)))

    def _coordinator(self, key: str) -> str:
        """The node that answers reads, if it is a home of the key or may be one; else the next home after it."""
        homes = self._homes.get(key, [self._target])
        turn = self._servers.index(self._target)
        return self._target if self._target in homes else homes[turn % len(homes)]

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _ask(self, pending: Pending) -> None:
        self._pending[pending.request.id] = pending
        self.send(pending.target, pending.request)

    def tick(self, now: int) -> None:
        for id, pending in list(self._pending.items()):
            pending.ticks += 1
            if self._give_up_ticks is not None and pending.ticks > self._give_up_ticks:
                self._finish(id, Unknown("There was no answer in time."))
            elif pending.ticks % self._retry_ticks == 0:
                if pending.target == self._target:
                    self._target = self._servers[(self._servers.index(self._target) + 1) % len(self._servers)]
                if not isinstance(pending.request, Write):
                    pending.target = self._target
                self.send(pending.target, pending.request)

    def received(self, source: str, message: Message) -> None:
        assert isinstance(message, Response)
        pending = self._pending.get(message.id)
        if pending is not None:
            self._answered(message.id, pending, message.result)

    def _answered(self, id: int, pending: Pending, result: Result) -> None:
        match result, pending.request:
            case NotHome(homes), Write(key=key):
                self._homes[key] = list(homes)
                self._addresses.update(homes)
                self._servers.extend(name for name in homes if name not in self._servers)
                pending.target = self._coordinator(key)
                self.send(pending.target, pending.request)
                return
            case ((Values(_, context, stamp) | Done(_, context, stamp)), (Query(key=key) | Write(key=key))):
                self.contexts[key] = joined(self.contexts.get(key, {}), context)
                self.seen = max(self.seen, stamp)
        if pending.then is not None and isinstance(result, Values):
            del self._pending[id]
            self._write(pending.handle, pending.then)
        else:
            self._finish(id, result)

    def _finish(self, id: int, result: Message) -> None:
        """Answer the application, and go on with the next write of the key."""
        pending = self._pending.pop(id)
        self.reply(pending.handle, result)
        if pending.then is not None or isinstance(pending.request, Write):
            assert isinstance(pending.request, Write | Query)
            key = pending.request.key
            self._queues[key].popleft()
            if self._queues[key]:
                self._begin(key)
            else:
                del self._queues[key]
