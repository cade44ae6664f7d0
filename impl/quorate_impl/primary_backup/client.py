"""The client's side: it finds the primary, asks again when no answer comes, has each update executed once, keeps the token.

The application asks with a `Put`, `Cas`, `Delete` or `Get`, with `Status`, or with `FailOver`, which goes to the arbiter, and
may ask for more before it is answered. It gets the `Result` back; `Unknown` says that an update was perhaps executed,
perhaps will be, and perhaps never. `Lost` says that a failover has lost what the session had seen: its guarantees end here,
and begin anew with the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from quorate_impl.core import Core, Message
from quorate_impl.primary_backup.messages import (
    START,
    Behind,
    Cas,
    Consistency,
    Delete,
    Done,
    Execute,
    Expired,
    FailOver,
    Get,
    Lost,
    Mismatch,
    NotPrimary,
    Open,
    Opened,
    Position,
    Put,
    Query,
    Refused,
    Request,
    Response,
    Status,
    Update,
    Value,
)
from quorate_impl.primary_backup.options import ARBITER


class Unknown(Message, frozen=True):
    """Nobody knows whether the update was executed."""

    reason: str


@dataclass
class Pending:
    """A request without an answer: the application's handle, how it is made, and whom it was sent to.

    It is sent again after `pause` ticks, if that is not 0; `quiet` counts the ticks since it was sent, `ticks` all. `number`
    is 0 unless it is an update.
    """

    handle: str
    make: Callable[[], Request]
    number: int = 0
    target: str = ""
    at_any: bool = False
    pause: int = 0
    quiet: int = 0
    ticks: int = 0


class Client(Core):
    """One client with one session, over all nodes that it knows.

    It asks again after `retry_ticks`, and gives a request up after `give_up_ticks` (never, if that is None). `_open` has the
    numbers of the updates that have no answer, in order.
    """

    def __init__(
        self, name: str, servers: Mapping[str, str], retry_ticks: int = 50, give_up_ticks: int | None = None
    ) -> None:
        super().__init__(name)
        self._addresses = dict(servers)
        self._nodes = [each for each in servers if each != ARBITER] or [ARBITER]
        self._retry_ticks = retry_ticks
        self._give_up_ticks = give_up_ticks
        self._primary = self._nodes[0]
        self._replica = 0
        self._redirected = 0
        self._ids = 0
        self._numbers = 0
        self._session: Position | None = None
        self._opening: int | None = None
        self._pending: dict[int, Pending] = {}
        self._open: dict[int, None] = {}
        self.token = START

    def addresses(self) -> dict[str, str]:
        return dict(self._addresses)

    def requested(self, client: str, request: Message) -> None:
        id = self._next_id()
        match request:
            case Put() | Cas() | Delete():
                self._numbers += 1
                self._open[self._numbers] = None
                self._pending[id] = self._update(client, id, self._numbers, request)
            case Get():
                at_any = request.consistency is not Consistency.LATEST
                self._pending[id] = Pending(client, lambda: self._query(id, request), at_any=at_any)
            case Status():
                self._pending[id] = Pending(client, lambda: Status(id), at_any=True)
            case FailOver() if ARBITER not in self._addresses:
                self.reply(
                    client, Refused("a failover is the arbiter's affair, and it is not among the nodes to be asked")
                )
                return
            case FailOver(_, force):
                self._pending[id] = Pending(client, lambda: FailOver(id, force), target=ARBITER)
        self._ask(id)

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _update(self, handle: str, id: int, number: int, update: Update) -> Pending:
        def make() -> Request:
            assert self._session is not None
            return Execute(id, self._session, number, self._answered(), self.token, update)

        return Pending(handle, make, number)

    def _query(self, id: int, get: Get) -> Query:
        return Query(id, msgspec.structs.replace(get, token=max(get.token, self.token)))

    def _answered(self) -> int:
        """The client has the answers to all updates up to this one."""
        return next(iter(self._open), self._numbers + 1) - 1

    def _ask(self, id: int) -> None:
        pending = self._pending[id]
        pending.pause = pending.quiet = 0
        if pending.number and self._session is None:
            self._open_session()
            return
        if pending.at_any:
            self._replica += 1
            pending.target = self._nodes[self._replica % len(self._nodes)]
        elif pending.target != ARBITER:
            pending.target = self._primary
        self.send(pending.target, pending.make())

    def _open_session(self) -> None:
        """Updates wait until the session is there."""
        if self._opening is None:
            self._opening = self._next_id()
            self._pending[self._opening] = Pending("", lambda id=self._opening: Open(id))  # type: ignore[misc]
            self._ask(self._opening)

    def tick(self, now: int) -> None:
        for id, pending in list(self._pending.items()):
            if id in self._pending:
                self._tick(id, pending)

    def _tick(self, id: int, pending: Pending) -> None:
        pending.ticks += 1
        pending.quiet += 1
        if self._give_up_ticks is not None and pending.ticks > self._give_up_ticks and id != self._opening:
            self._finish(id, Unknown("There was no answer in time."))
        elif pending.pause:
            pending.pause -= 1
            if pending.pause == 0:
                self._ask(id)
        elif pending.quiet >= self._retry_ticks and not (pending.number and self._session is None):
            if pending.target == self._primary and not pending.at_any:
                self._try_next()
            self._ask(id)

    def _try_next(self) -> None:
        self._primary = self._nodes[(self._nodes.index(self._primary) + 1) % len(self._nodes)]

    def received(self, source: str, message: Message) -> None:
        assert isinstance(message, Response)
        id = message.id
        if id not in self._pending:
            return
        pending = self._pending[id]
        match message.result:
            case NotPrimary(primary):
                if source == pending.target:
                    self._look_for(source, primary)
                    pending.pause = pending.pause or 2
            case Behind():
                pending.pause = 1
            case Opened(session):
                del self._pending[id]
                self._session, self._opening = session, None
                for each in [each for each, pending in self._pending.items() if pending.number]:
                    self._ask(each)
            case Expired():
                self._lose_session()
            case result:
                self._see(result)
                self._finish(id, result)

    def _look_for(self, source: str, primary: str | None) -> None:
        """Ask whom the node has named, or the next. Of two nodes that name each other, neither is asked for ever."""
        if source != self._primary:
            return
        self._redirected += 1
        if primary in self._nodes and primary != source and self._redirected % 3:
            self._primary = primary
        else:
            self._try_next()

    def _see(self, result: Message) -> None:
        """The session has seen what is at this position."""
        match result:
            case Done(position, lost) | Mismatch(_, position, lost):
                self.token = position if lost else max(self.token, position)
            case Value(_, position):
                self.token = max(self.token, position)
            case Lost(position) if position >= self.token:
                self.token = START

    def _lose_session(self) -> None:
        """All updates that were asked in the session are in doubt. In another one they could be executed twice."""
        self._session = None
        for id, pending in list(self._pending.items()):
            if pending.number:
                self._finish(id, Unknown("The cluster has forgotten the session."))

    def _finish(self, id: int, result: Message) -> None:
        pending = self._pending.pop(id)
        self._open.pop(pending.number, None)
        self.reply(pending.handle, result)
