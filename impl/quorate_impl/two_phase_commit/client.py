"""A client: it sends its purchase again, under the same key, until it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from quorate_impl.core import Core, Message, Timers
from quorate_impl.two_phase_commit.messages import Answer, Facts, Place, Status
from quorate_impl.two_phase_commit.options import COORDINATOR

RETRY_TICKS = 50


class Client(Core):
    """Asked for a `Place`, whose client and number it fills in, it answers with an `Answer`; one purchase at a time. `Status` asks
    the coordinator, or the only node that it knows.

    Its purchases are those of `buyer`, which is its name unless something else is given. A program that starts again needs a
    new one, since the coordinator knows the numbers that the old one has used.
    """

    def __init__(self, name: str, servers: Mapping[str, str] | None = None, buyer: str | None = None) -> None:
        super().__init__(name)
        self._servers = dict(servers or {})
        self._buyer = buyer or name
        self._number = 0
        self._caller = ""
        self._asking: Place | Status | None = None
        self._timers = Timers()

    def addresses(self) -> dict[str, str]:
        return dict(self._servers)

    def requested(self, client: str, request: Message) -> None:
        """`ask`."""
        self._caller = client
        match request:
            case Place():
                self._number += 1
                self._asking = Place(self._buyer, self._number, request.lines)
            case Status():
                self._asking = request
        self._send()

    def _send(self) -> None:
        if self._asking is not None:
            others = [name for name in self._servers if isinstance(self._asking, Status) and len(self._servers) == 1]
            self.send(others[0] if others else COORDINATOR, self._asking)
            self._timers.set("retry", RETRY_TICKS)

    def tick(self, now: int) -> None:
        """`retry`."""
        if self._timers.tick():
            self._send()

    def received(self, source: str, message: Message) -> None:
        """`hear`. Answers can come twice."""
        match self._asking, message:
            case Place(number=asked), Answer(number) if number == asked:
                self._finish(message)
            case Status(), Facts():
                self._finish(message)

    def _finish(self, message: Message) -> None:
        self._asking = None
        self.reply(self._caller, message)
