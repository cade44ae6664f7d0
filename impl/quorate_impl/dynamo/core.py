"""A quorum key-value store in the manner of Dynamo, as a core: always writable, with siblings where writes were concurrent.

Read it beside the specifications `dynamo` and `hybrid_clock`: each handler names the action that it is. The parts are classes,
each an heir of the one before it: `Server`, `Writes`, `Reads`, `Handoff`, `Entropy`. What a program adds to the
specifications:

- *The ring* has several places for each node, and ranges between them; a range is what the specification calls a key's place.
- *R and W are the request's*: how many replicas it waits for. All homes are asked whatever it says.
- *Time*: a home that has not answered for `patience_ticks` is suspected until it is heard again; writes go to a stand-in for it
  at once. Handing over and comparing are repeated for ever, each after its own number of ticks.
- *A write that is asked for again* gets no second dot: its coordinator remembers, on the disk, the last write of each session.
  So a client asks one coordinator only. A second one would give the write another dot, which would come back as a sibling
  of what had replaced the first.
- *An actor* is a node with its disk. One that comes back with an empty disk gives its dots under another name.
- *Deleting* replaces what the client has seen by nothing. The vector stays, for ever.

Sources: DeCandia et al. 2007, "Dynamo: Amazon's Highly Available Key-value Store"; Almeida et al. 2014, "Scalable and Accurate
Causality Tracking for Eventually Consistent Stores"; Kulkarni et al. 2014, "Logical Physical Clocks".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Message, Record, Timers
from quorate_impl.dynamo.entropy import Entropy
from quorate_impl.dynamo.messages import (
    Compare,
    Confirmed,
    Facts,
    Found,
    HandOver,
    Offer,
    Query,
    Read,
    Repair,
    Replicate,
    Status,
    Write,
)
from quorate_impl.dynamo.server import Options

__all__ = ["Dynamo", "Options"]


class Dynamo(Entropy):
    """One node: its events, each given to the part that it belongs to."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._timers = Timers()
        self._early: list[tuple[str, Message]] = []

    def started(self) -> None:
        super().started()
        self._timers.set("hand over", self.options.hand_over_ticks)
        self._timers.set("compare", self.options.anti_entropy_ticks)

    def tick(self, now: int) -> None:
        self.clock.wall = now
        early, self._early = self._early, []
        for client, request in early:
            self.requested(client, request)
        self._tick_writings()
        self._tick_readings()
        for name in self._timers.tick():
            if name == "hand over":
                self._hand_over()
                self._timers.set(name, self.options.hand_over_ticks)
            else:
                self._compare()
                self._timers.set(name, self.options.anti_entropy_ticks)

    def requested(self, client: str, request: Message) -> None:
        match request:
            case Write() | Query() if self.clock.wall == 0 or not self.actor:
                self._early.append(
                    (client, request)
                )  # A write needs a stamp and a dot, and both a number that is on the disk.
            case Write():
                self._handle_write(client, request)
            case Query():
                self._handle_query(client, request)
            case Status(id):
                self._answer(client, id, Facts(self.status(), self.members))

    def received(self, source: str, message: Message) -> None:
        self.suspects.discard(source)
        match message:
            case Replicate():
                self._handle_replicate(source, message)
            case Confirmed():
                self._handle_confirmed(source, message)
                self._handle_handed_over(source, message)
            case Read():
                self._handle_read(source, message)
            case Found():
                self._handle_found(source, message)
            case Repair():
                self._handle_repair(message)
            case HandOver():
                self._handle_hand_over(source, message)
            case Compare():
                self._handle_compare(source, message)
            case Offer():
                self._handle_offer(source, message)

    def status(self) -> dict[str, str | int | float | bool | None]:
        return {
            "name": self.name,
            "policy": self.options.policy,
            "keys": len(self.stored),
            "conflicts": self.sizes.total(),
            "siblings_max": max(self.sizes, default=1),
            "hints": len(self.owes),
            "open": len(self.writings) + len(self.readings),
            "suspects": len(self.suspects),
            **self.counts,
        }
