"""Practical Byzantine fault tolerance, as a core: a key-value store that is right while f of n = 3f + 1 replicas lie.

Read it beside the specification `pbft`: each handler names the action that it is. The parts are classes, each an heir of
the one before it: `Replica`, `Agreement`, `Checkpoints`, `ViewChanges`. What a program adds to the specification:

- *Signatures* on statements and orders, and certificates that are shown; the specification knows who has said what.
- *A view change is one message for all numbers*, and so is a new view (section 4.4).
- *What is said is on the disk first* (`Core.send`), so that a replica that restarts is no liar; and a replica's own commit
  counts, for itself too, when its certificate is durable.
- *Nothing is sent for ever*: replicas tell each other how far they are, and send again what the other lacks.
- *A suspicion needs a reason*: a request that has waited for too long.

Source: Castro & Liskov 1999, "Practical Byzantine Fault Tolerance" (the sections named), and Castro 2001, his thesis, for
what is sent again (section 5.2 there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Message, Record, Timers
from quorate_impl.pbft.messages import (
    Checkpoint,
    Commit,
    Execute,
    Facts,
    NewView,
    Piece,
    Prepare,
    Progress,
    Propose,
    Relay,
    Signed,
    Stable,
    Status,
    TheBatch,
    ViewChange,
    WantBatch,
    WantState,
)
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.signatures import Authority
from quorate_impl.pbft.view_changes import ViewChanges


class Pbft(ViewChanges):
    """One replica: its events, each given to the part that it belongs to."""

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name, records, members, authority, options)
        self._timers = Timers()
        self._heard: dict[str, Progress] = {}

    def started(self) -> None:
        self._resume()
        self._timers.set("progress", self.options.progress_ticks)

    def tick(self, now: int) -> None:
        self.ticks += 1
        self._tick_suspicion()
        self._tick_fetch()
        if self._timers.tick():
            self._timers.set("progress", self.options.progress_ticks)
            self._take_up_again()
            for name in self.others():
                self.send_at_once(name, self._progress())

    def received(self, source: str, message: Message) -> None:
        match message:
            case Signed():
                self._handle_signed(message)
            case Propose():
                self._handle_propose(message)
            case Relay(request):
                self._take_request(None, request)
            case Progress():
                self._handle_progress(source, message)
            case Stable():
                self._handle_stable(message)
            case WantBatch():
                self._handle_want_batch(source, message)
            case TheBatch():
                self._handle_batch(message)
            case WantState():
                self._handle_want_state(source, message)
            case Piece():
                self._handle_piece(source, message)

    def _handle_signed(self, signed: Signed) -> None:
        """Whoever has sent it, it counts for who has signed it. A pre-prepare comes with its batch, or in a new view."""
        if signed.source not in self.members or signed.source == self.name:
            return
        match signed.statement:
            case Prepare() | Commit():
                self._handle_vote(signed)
            case Checkpoint():
                self._handle_checkpoint(signed)
            case ViewChange():
                self._handle_view_change(signed)
            case NewView():
                self._handle_new_view(signed)

    def requested(self, client: str, request: Message) -> None:
        match request:
            case Status(number):
                self._answer(client, number, Facts(self.status()))
            case Execute():
                self._take_request(client, request)

    def settled(self) -> None:
        """Propose together what has come together."""
        self._propose()

    # Who lacks what

    def _progress(self) -> Progress:
        prepared = self.low
        while prepared < self.executed:
            certificate = self.slots[prepared + 1].prepared
            if certificate is None or certificate.view < self.view:
                break
            prepared += 1
        return Progress(self.view, self.is_active, self.low, prepared, self.executed)

    def _handle_progress(self, source: str, m: Progress) -> None:
        """Send again what the other needs to get as far as this replica."""
        if source not in self.members:
            return
        self._heard[source] = m
        self._resend_checkpoints(source, m.low)
        if m.view < self.view or (m.view == self.view and not m.is_active):
            if self.new_view is not None:
                self.send(source, self.new_view)
            elif not self.is_active:
                self.send(source, self.changes[self.name])
        elif m.view == self.view and self.is_active:
            self._resend(source, m.prepared)

    def status(self) -> dict[str, str | int | float | bool | None]:
        role = "primary" if self.is_primary() else "backup" if self.is_active else "view change"
        last = self.next - 1 if self.is_primary() else self.executed
        facts: dict[str, str | int | float | bool | None] = {
            "name": self.name,
            "role": role,
            "view": self.view,
            "primary": self.primary_of(self.view) if self.is_active else None,
            "last_index": last,
            "commit_index": self.executed,
            "checkpoint_index": self.low,
            "waiting_requests": len(self.pending),
        }
        if self.is_primary():
            for name, each in self._heard.items():
                facts[f"lag_{name}"] = max(last - each.executed, 0)
        return facts
