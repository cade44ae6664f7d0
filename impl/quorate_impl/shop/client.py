"""A client: it sends its purchase again, under the same key, until it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorate_impl.core import Core, Message, Timers
from quorate_impl.shop.messages import Answer, Facts, Place, Status

RETRY_TICKS = 50


@dataclass
class Asking:
    """What the application waits for."""

    caller: str
    request: Place | Status


class Client(Core):
    """Asked for a `Place`, whose client and number it fills in, it answers with an `Answer`. `Status` asks the first coordinator, or
    the only node that it knows. It asks one coordinator as long as that answers, and the next when it does not.

    Its purchases are those of `buyer`, which is its name unless something else is given; purchases that are under way at once
    are those of several buyers, whose names begin so. A program that starts again needs a new one, since the numbers that the
    old one has used are known.
    """

    def __init__(
        self,
        name: str,
        coordinators: Sequence[str],
        servers: Mapping[str, str] | None = None,
        buyer: str | None = None,
    ) -> None:
        super().__init__(name)
        self._coordinators = tuple(coordinators)
        self._servers = dict(servers or {})
        self._buyer = buyer or name
        self._asked = 0
        self._numbers: dict[str, int] = {}
        self._idle: list[str] = []
        self._asking: dict[str, Asking] = {}
        self._timers = Timers()

    def addresses(self) -> dict[str, str]:
        return dict(self._servers)

    def requested(self, client: str, request: Message) -> None:
        """`ask`."""
        match request:
            case Place():
                buyer = self._idle.pop() if self._idle else self._new_buyer()
                self._numbers[buyer] += 1
                self._asking[buyer] = Asking(client, Place(buyer, self._numbers[buyer], request.lines))
                self._send(buyer)
            case Status():
                self._asking[""] = Asking(client, request)
                self._send("")

    def _new_buyer(self) -> str:
        buyer = f"{self._buyer}.{len(self._numbers)}" if self._numbers else self._buyer
        self._numbers[buyer] = 0
        return buyer

    def _send(self, buyer: str) -> None:
        request = self._asking[buyer].request
        if isinstance(request, Status) and len(self._servers) == 1:
            (target,) = self._servers
        else:
            target = self._coordinators[self._asked % len(self._coordinators)]
        self.send(target, request)
        self._timers.set(buyer, RETRY_TICKS)

    def tick(self, now: int) -> None:
        """`retry`, at another coordinator if there is one."""
        late = [buyer for buyer in self._timers.tick() if buyer in self._asking]
        if late:
            self._asked += 1
        for buyer in late:
            self._send(buyer)

    def received(self, source: str, message: Message) -> None:
        """`hear`. Answers can come twice."""
        match message:
            case Answer(buyer, number):
                asking = self._asking.get(buyer)
                if asking is not None and isinstance(asking.request, Place) and asking.request.number == number:
                    self._idle.append(buyer)
                    self._finish(buyer, message)
            case Facts() if "" in self._asking:
                self._finish("", message)

    def _finish(self, buyer: str, message: Message) -> None:
        self._timers.cancel(buyer)
        self.reply(self._asking.pop(buyer).caller, message)
