"""The client's side: it finds the leader, asks again when no answer comes, and has each update executed once.

The application asks with a `Put`, `Get`, `Cas` or `Delete`, or with what is for an administrator (`Status`, `AddServer`,
`RemoveServer`, `Transfer`), and may ask for more before it is answered. It gets the `Result` back; `Unknown` says that an
update was perhaps executed, perhaps will be, and perhaps never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quorate_impl.core import Core, Message
from quorate_impl.raft.messages import (
    AddServer,
    Cas,
    Delete,
    Execute,
    Expired,
    Get,
    NotLeader,
    Open,
    Opened,
    Put,
    Query,
    RemoveServer,
    Request,
    Response,
    Status,
    Transfer,
    Update,
)


class Unknown(Message, frozen=True):
    """Nobody knows whether the update was executed."""

    reason: str


@dataclass
class Pending:
    """A request without an answer: the application's handle, how it is sent, and for how long it has been open."""

    handle: str
    make: Callable[[], Request]
    is_update: bool
    number: int = 0
    ticks: int = 0


class Client(Core):
    """One client with one session, over any of the servers.

    `_open` has the numbers of the updates that have no answer, in order.

    It tries another server when it had no answer for `retry_ticks`, and gives a request up after `give_up_ticks`
    (never, if that is None).
    """

    def __init__(
        self, name: str, servers: Mapping[str, str], retry_ticks: int = 50, give_up_ticks: int | None = None
    ) -> None:
        super().__init__(name)
        self._addresses = dict(servers)
        self._servers = list(servers)
        self._turn = 0
        self._target = self._servers[0]
        self._retry_ticks = retry_ticks
        self._give_up_ticks = give_up_ticks
        self._quiet_ticks = 0
        self._pause_ticks = 0
        self._ids = 0
        self._numbers = 0
        self._session: int | None = None
        self._opening: int | None = None
        self._pending: dict[int, Pending] = {}
        self._open: dict[int, None] = {}

    def addresses(self) -> dict[str, str]:
        return dict(self._addresses)

    def requested(self, client: str, request: Message) -> None:
        self._ids += 1
        id = self._ids
        match request:
            case Put() | Cas() | Delete():
                self._numbers += 1
                self._open[self._numbers] = None
                self._pending[id] = self._update(client, id, self._numbers, request)
            case Get():
                self._pending[id] = Pending(client, lambda: Query(id, request), False)
            case Status():
                self._pending[id] = Pending(client, lambda: Status(id), False)
            case AddServer(_, name, address):
                self._pending[id] = Pending(client, lambda: AddServer(id, name, address), False)
            case RemoveServer(_, name):
                self._pending[id] = Pending(client, lambda: RemoveServer(id, name), False)
            case Transfer(_, target):
                self._pending[id] = Pending(client, lambda: Transfer(id, target), False)
        self._ask(id)

    def _update(self, handle: str, id: int, number: int, update: Update) -> Pending:
        def make() -> Request:
            assert self._session is not None
            return Execute(id, self._session, number, self._answered(), update)

        return Pending(handle, make, True, number)

    def _answered(self) -> int:
        """The client has the answers to all updates up to this one."""
        return next(iter(self._open), self._numbers + 1) - 1

    def _ask(self, id: int) -> None:
        pending = self._pending[id]
        if pending.is_update and self._session is None:
            if self._opening is None:
                self._ids += 1
                self._opening = self._ids
                self.send(self._target, Open(self._opening))
        else:
            self.send(self._target, pending.make())

    def _ask_all(self) -> None:
        self._opening = None
        self._quiet_ticks = self._pause_ticks = 0
        for id in self._pending:
            self._ask(id)

    def tick(self, now: int) -> None:
        if not self._pending:
            self._quiet_ticks = 0
            return
        self._give_up()
        self._quiet_ticks += 1
        if self._pause_ticks:
            self._pause_ticks -= 1
            if self._pause_ticks == 0:
                self._ask_all()
        elif self._quiet_ticks >= self._retry_ticks:
            self._try_next()
            self._ask_all()

    def _try_next(self) -> None:
        """In turn, whatever the servers have named since: two that name each other must not hold the client up."""
        self._turn += 1
        self._target = self._servers[self._turn % len(self._servers)]

    def _give_up(self) -> None:
        for id, pending in list(self._pending.items()):
            pending.ticks += 1
            if self._give_up_ticks is not None and pending.ticks > self._give_up_ticks:
                self._finish(id, Unknown("There was no answer in time."))

    def received(self, source: str, message: Message) -> None:
        assert isinstance(message, Response)
        if message.id == self._opening and isinstance(message.result, Opened):
            self._session, self._opening = message.result.session, None
            self._ask_all()
        elif message.id == self._opening or message.id in self._pending:
            self._answer(message)

    def _answer(self, m: Response) -> None:
        self._quiet_ticks = 0
        match m.result:
            case NotLeader(leader, members):
                self._look_for(leader, members)
            case Expired():
                self._lose_session()
            case result if m.id in self._pending:
                self._finish(m.id, result)

    def _look_for(self, leader: str | None, members: Mapping[str, str]) -> None:
        """Ask the leader that the server has named; if it has named none, wait a little and ask another."""
        self._servers.extend(name for name in members if name not in self._servers)
        self._addresses.update(members)
        if self._pause_ticks:
            return
        if leader in self._servers and leader != self._target:
            self._target = leader
            self._pause_ticks = 1
        else:
            self._try_next()
            self._pause_ticks = 5

    def _lose_session(self) -> None:
        """All updates that were asked in the session are in doubt. In another one they could be executed twice."""
        self._session = self._opening = None
        for id, pending in list(self._pending.items()):
            if pending.is_update:
                self._finish(id, Unknown("The cluster has forgotten the session."))

    def _finish(self, id: int, result: Message) -> None:
        pending = self._pending.pop(id)
        self._open.pop(pending.number, None)
        self.reply(pending.handle, result)
