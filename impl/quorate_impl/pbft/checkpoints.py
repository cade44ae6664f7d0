"""Checkpoints, which replace the messages about what is executed (section 4.3), and the states that others fetch (4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.pbft.agreement import Agreement
from quorate_impl.pbft.messages import Checkpoint, Kept, Piece, Signed, Stable, WantState
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.signatures import Authority
from quorate_impl.pbft.store import digest_of


class Checkpoints(Agreement):
    """How logs are kept short.

    `_votes` has the checkpoints that replicas have signed, for each number above the stable one. `target` is a stable
    checkpoint that this replica has not reached; when it does not get there by itself, it asks `_source` for the state, of
    which `_incoming` has arrived, `_quiet` ticks ago.
    """

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name, records, members, authority, options)
        self._votes: dict[int, dict[str, Signed]] = {}
        self.target: Stable | None = None
        self._source = 0
        self._incoming = bytearray()
        self._quiet = 0

    def _resume(self) -> None:
        super()._resume()
        for number, state in self.states.items():
            if number > self.low:
                self._count_checkpoint(self._checkpoint_of(number, state))

    def _has_executed(self, number: int) -> None:
        """Every so often a checkpoint is taken. What has led to it is on the disk when it is sent: the others forget it."""
        if self._take_state():
            signed = self._checkpoint_of(number, self.states[number])
            self.broadcast(signed)
            self._count_checkpoint(signed)
        if self.target is not None and self.target.checkpoint.number == number:
            self._stabilize(self.target)

    def _checkpoint_of(self, number: int, state: bytes) -> Signed:
        return self.sign(Checkpoint(number, digest_of(state), len(state)))

    def _handle_checkpoint(self, signed: Signed) -> None:
        m = signed.statement
        assert isinstance(m, Checkpoint)
        if self.is_in_window(m.number) and m.number % self.options.checkpoint_every == 0 and self.is_signed(signed):
            self._count_checkpoint(signed)

    def _count_checkpoint(self, signed: Signed) -> None:
        m = signed.statement
        assert isinstance(m, Checkpoint)
        votes = self._votes.setdefault(m.number, {})
        votes.setdefault(signed.source, signed)
        equal = tuple(sorted((each.source, each.signature) for each in votes.values() if each.statement == m))
        if self.is_checkpoint(len(equal)):
            self._learn(Stable(m, equal))

    def is_checkpoint(self, count: int) -> bool:
        """`stable`: whether so many signatures prove a checkpoint."""
        return count >= self.quorum

    def _handle_stable(self, stable: Stable) -> None:
        if stable.checkpoint.number > self.low and self.is_stable(stable):
            self._learn(stable)

    def _learn(self, stable: Stable) -> None:
        """A quorum has signed it: it takes the place of what is before, as soon as this replica has its state."""
        number = stable.checkpoint.number
        if number <= self.low:
            return
        if number <= self.executed:
            self._stabilize(stable)
        elif self.target is None or self.target.checkpoint.number < number:
            self.target = stable
            self._incoming.clear()
            self._quiet = 0

    def _stabilize(self, stable: Stable) -> None:
        """The low watermark moves, and everything up to it is forgotten."""
        number = stable.checkpoint.number
        if digest_of(self.states.get(number, b"")) != stable.checkpoint.digest:
            raise AssertionError(f"a quorum has signed another state at {number} than this replica has")
        self.stable = stable
        self.slots = {each: slot for each, slot in self.slots.items() if each > number}
        self.states = {each: state for each, state in self.states.items() if each >= number}
        self._votes = {each: votes for each, votes in self._votes.items() if each > number}
        self.next = max(self.next, number + 1)
        if self.target is not None and self.target.checkpoint.number <= number:
            self.target = None
        self._save_all()
        self._heed_new_view()

    def _heed_new_view(self) -> None:
        """What the new view proposes may be in the window now."""

    def _resend_checkpoints(self, target: str, low: int) -> None:
        """To a replica with this stable checkpoint: the own one, if it is later, and what the replica has signed since."""
        if low < self.low:
            self.send(target, self.stable)
        for number, votes in self._votes.items():
            if number > low and self.name in votes:
                self.send(target, votes[self.name])

    # States of others

    def _tick_fetch(self) -> None:
        """Ask for what is missing, each time another replica."""
        if self.target is None:
            return
        self._quiet += 1
        if self._quiet >= self.options.fetch_ticks:
            self._incoming.clear()
            self._source += 1
            self._want()

    def _want(self) -> None:
        assert self.target is not None
        self._quiet = 0
        m = WantState(self.target.checkpoint.number, len(self._incoming))
        self.send_at_once(self._asked(self.target), m)

    def _asked(self, target: Stable) -> str:
        """One of those who have signed that they have it."""
        sources = [source for source, _ in target.votes if source != self.name]
        return sources[self._source % len(sources)]

    def _handle_want_state(self, source: str, m: WantState) -> None:
        if m.number in self.states:
            data = self.states[m.number][m.offset : m.offset + self.options.piece_bytes]
            self.send_at_once(source, Piece(m.number, m.offset, data))
        elif m.number < self.low:
            self.send_at_once(source, self.stable)

    def _handle_piece(self, source: str, m: Piece) -> None:
        """`fetch`: whoever has sent the state, its digest shows whether it is the one that the quorum has signed."""
        target = self.target
        if target is None or source != self._asked(target):
            return
        if m.number != target.checkpoint.number or m.offset != len(self._incoming) or not m.data:
            return
        self._incoming += m.data
        if len(self._incoming) < target.checkpoint.size:
            self._want()
        elif digest_of(bytes(self._incoming)) == target.checkpoint.digest:
            self._install(target, bytes(self._incoming))
        else:
            self.note("wrong state", source=source, number=m.number)
            self._incoming.clear()

    def _install(self, stable: Stable, state: bytes) -> None:
        self.note("takes over a state", number=stable.checkpoint.number, bytes=len(state))
        self.executed = stable.checkpoint.number
        self.store.restore(state)
        self.states[self.executed] = state
        self.persist(Kept(stable, state))
        self._incoming.clear()
        self._stabilize(stable)
        self._answer_pending()
        self._execute()
