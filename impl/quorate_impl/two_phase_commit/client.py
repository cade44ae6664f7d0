"""A client: it sends its purchase again, under the same key, until it is answered."""

from __future__ import annotations

from quorate_impl.core import Core, Message, Timers
from quorate_impl.two_phase_commit.messages import Answer, Place
from quorate_impl.two_phase_commit.options import COORDINATOR

RETRY_TICKS = 50


class Client(Core):
    """Asked for a `Place`, whose client and number it fills in, it answers with an `Answer`; one purchase at a time.

    A program that starts again needs a new name, since the coordinator knows the numbers that the old one has used.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._number = 0
        self._place: Place | None = None
        self._timers = Timers()

    def requested(self, client: str, request: Message) -> None:
        """`ask`."""
        assert isinstance(request, Place)
        self._number += 1
        self._place = Place(self.name, self._number, request.lines)
        self._send()

    def _send(self) -> None:
        if self._place is not None:
            self.send(COORDINATOR, self._place)
            self._timers.set("retry", RETRY_TICKS)

    def tick(self, now: int) -> None:
        """`retry`."""
        if self._timers.tick():
            self._send()

    def received(self, source: str, message: Message) -> None:
        """`hear`. Answers can come twice."""
        if isinstance(message, Answer) and self._place is not None and message.number == self._place.number:
            self._place = None
            self.reply("", message)
