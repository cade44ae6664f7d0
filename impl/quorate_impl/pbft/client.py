"""The client's side: it asks all replicas, and believes what f + 1 of them say, one of whom is honest.

The application asks with a `Put`, `Cas`, `Delete` or `Get`, or with `Status`, and may ask for more before it is answered. It
gets the `Result` back; `Unknown` says that an operation was perhaps executed, perhaps will be, and perhaps never.
Section 4.1 has the client ask the primary first; here all are asked, which gives each of them a way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate_impl.core import Core, Message
from quorate_impl.pbft.messages import (
    Cas,
    Delete,
    Execute,
    Expired,
    Get,
    Open,
    Opened,
    Operation,
    Order,
    Position,
    Put,
    Response,
    Result,
    Status,
)
from quorate_impl.pbft.signatures import Scheme, encode


class Unknown(Message, frozen=True):
    """Nobody knows whether the operation was executed."""

    reason: str


@dataclass
class Pending:
    """A request without an answer: the application's handle, the last result of each replica, and for how long.

    `operation` is None if a replica is asked for its status. `quiet` counts the ticks since it was sent, `ticks` all.
    """

    handle: str
    operation: Open | Operation | None
    results: dict[str, Result] = field(default_factory=dict)
    quiet: int = 0
    ticks: int = 0


class Client(Core):
    """One client with one session and one key.

    It asks again after `retry_ticks`, and gives a request up after `give_up_ticks` (never, if that is None). `_open` has the
    numbers of the operations that have no answer, in order.
    """

    def __init__(
        self,
        name: str,
        servers: Mapping[str, str],
        secret: bytes,
        scheme: Scheme,
        retry_ticks: int = 50,
        give_up_ticks: int | None = None,
    ) -> None:
        super().__init__(name)
        self._servers = dict(servers)
        self._needed = (len(self._servers) - 1) // 3 + 1
        self._secret, self._scheme = secret, scheme
        self._public = scheme.public(secret)
        self._retry_ticks = retry_ticks
        self._give_up_ticks = give_up_ticks
        self._numbers = 0
        self._turn = 0
        self._session: Position | None = None
        self._opening: int | None = None
        self._pending: dict[int, Pending] = {}
        self._open: dict[int, None] = {}

    def addresses(self) -> dict[str, str]:
        return dict(self._servers)

    def requested(self, client: str, request: Message) -> None:
        number = self._next_number()
        match request:
            case Put() | Cas() | Delete() | Get():
                self._open[number] = None
                self._pending[number] = Pending(client, request)
            case Status():
                self._pending[number] = Pending(client, None)
        self._ask(number)

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _ask(self, number: int) -> None:
        pending = self._pending[number]
        pending.quiet = 0
        if pending.operation is None:
            names = list(self._servers)
            self.send(names[self._turn % len(names)], Status(number))
            self._turn += 1
        elif self._session is None and not isinstance(pending.operation, Open):
            self._open_session()
        else:
            request = self._signed(number, pending.operation)
            for name in self._servers:
                self.send(name, request)

    def _open_session(self) -> None:
        """Operations wait until the session is there."""
        if self._opening is None:
            self._opening = self._next_number()
            self._pending[self._opening] = Pending("", Open())
            self._ask(self._opening)

    def _signed(self, number: int, operation: Open | Operation) -> Execute:
        answered = next(iter(self._open), self._numbers + 1) - 1
        order = Order(self._public, self._session or (0, 0), number, answered, operation)
        return Execute(order, self._scheme.sign(self._secret, encode(order)))

    def tick(self, now: int) -> None:
        for number, pending in list(self._pending.items()):
            pending.ticks += 1
            pending.quiet += 1
            is_open = isinstance(pending.operation, Open)
            if self._give_up_ticks is not None and pending.ticks > self._give_up_ticks and not is_open:
                self._finish(number, Unknown("There was no answer in time."))
            elif pending.quiet >= self._retry_ticks:
                self._ask(number)

    def received(self, source: str, message: Message) -> None:
        assert isinstance(message, Response)
        pending = self._pending.get(message.number)
        if pending is None or source not in self._servers:
            return
        pending.results[source] = message.result
        if pending.operation is None or self.is_believed(list(pending.results.values()).count(message.result)):
            self._take(message.number, message.result)

    def is_believed(self, count: int) -> bool:
        """Whether it is true what so many replicas say: one of them is honest, and the operation is committed."""
        return count >= self._needed

    def _take(self, number: int, result: Result) -> None:
        match result:
            case Opened(session):
                if number == self._opening:
                    del self._pending[number]
                    self._session, self._opening = session, None
                    for each, pending in list(self._pending.items()):
                        if pending.operation is not None:
                            self._ask(each)
            case Expired():
                self._lose_session()
            case _:
                self._finish(number, result)

    def _lose_session(self) -> None:
        """All operations that were asked in the session are in doubt. In another one they could be executed twice."""
        self._session = None
        for number, pending in list(self._pending.items()):
            if pending.operation is not None and number != self._opening:
                self._finish(number, Unknown("The cluster has forgotten the session."))

    def _finish(self, number: int, result: Message) -> None:
        pending = self._pending.pop(number)
        self._open.pop(number, None)
        self.reply(pending.handle, result)
