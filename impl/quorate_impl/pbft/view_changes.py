"""View changes: how a primary that does nothing, or not what it should, is replaced (section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.pbft.checkpoints import Checkpoints
from quorate_impl.pbft.messages import Certificate, Entered, NewView, PrePrepare, Reported, Signed, Stable, ViewChange
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.replica import digest_of_batch
from quorate_impl.pbft.signatures import Authority


class ViewChanges(Checkpoints):
    """`changes` has the last view change of each replica. `_entered` is when this replica went to its view, `_waiting` since
    when a quorum wants to be there, and `_failures` how many views in a row have brought nothing.
    """

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name, records, members, authority, options)
        self.changes: dict[str, Signed] = {}
        self._entered = 0
        self._waiting: int | None = None
        self._failures = 0

    def _resume(self) -> None:
        if self.new_view is not None:
            self._oblige(self.new_view)
        super()._resume()
        if self.is_active:
            self._heed_new_view()
        else:
            self.changes[self.name] = self.sign(self._view_change())

    # Leaving a view

    def patience(self) -> int:
        """For how many ticks one waits; twice as long each time that it was in vain."""
        return min(self.options.suspect_ticks << min(self._failures, 30), self.options.suspect_ticks_max)

    def _tick_suspicion(self) -> None:
        """Liveness (section 4.5.2). A primary that serves some clients and not others is suspected, too: the oldest counts."""
        if self.is_active:
            for pending in self.pending.values():
                waits = self.ticks - max(pending.since, self._entered)
                if waits > self.patience():
                    self._failures += 1
                    self._change_view(self.view + 1)
                    return
                if waits <= self.patience() // 2:
                    return
                self._relay(pending)
        elif self._waiting is not None and self.ticks - self._waiting > self.patience():
            self._failures += 1
            self._change_view(self.view + 1)

    def _has_executed(self, number: int) -> None:
        self._failures = 0
        super()._has_executed(number)

    def _change_view(self, view: int) -> None:
        """`change_view`: leave the view for good, and tell the others what one has."""
        self.note("leaves", view=self.view, to=view)
        self.view, self.is_active, self.new_view = view, False, None
        self.persist(Entered(view, None))
        for slot in self.slots.values():
            slot.wanted = None
        self._proposed.clear()
        self._waiting = None
        signed = self.changes[self.name] = self.sign(self._view_change())
        self.broadcast(signed)
        self._count_changes()

    def _view_change(self) -> ViewChange:
        return ViewChange(self.view, self.stable, self.certificates())

    def certificates(self) -> tuple[Certificate, ...]:
        """`prepared`: the last certificate for each number above the stable checkpoint."""
        slots = sorted(self.slots.items())
        return tuple(slot.prepared for _, slot in slots if slot.prepared is not None)

    def _handle_view_change(self, signed: Signed) -> None:
        m = signed.statement
        assert isinstance(m, ViewChange)
        known = self.changes.get(signed.source)
        if m.view < self.view or (known is not None and _view_of(known) >= m.view):
            return
        if self.is_signed(signed) and self.is_valid(m):
            self.changes[signed.source] = signed
            self._learn(m.stable)
            self._join()
            self._count_changes()

    def is_valid(self, m: ViewChange) -> bool:
        """`known`: whether the certificates of a view change are such, and of the numbers and views that they can be of."""
        low = m.stable.checkpoint.number
        numbers = [each.number for each in m.certificates]
        return (
            len(set(numbers)) == len(numbers)
            and all(low < each.number <= low + self.options.window and each.view < m.view for each in m.certificates)
            and self.is_stable(m.stable)
            and all(self.is_proven(each) for each in m.certificates)
        )

    def _join(self) -> None:
        """With f + 1 replicas that are further on there is an honest one that has reason to be."""
        views = sorted((_view_of(each) for each in self.changes.values()), reverse=True)
        if len(views) > self.faulty_max and views[self.faulty_max] > self.view:
            self._change_view(views[self.faulty_max])

    def _count_changes(self) -> None:
        """A quorum waits for the view, or for one after it: now its primary has so much time to begin it."""
        if self.is_active:
            return
        views = [_view_of(each) for each in self.changes.values()]
        if self._waiting is None and sum(view >= self.view for view in views) >= self.quorum:
            self._waiting = self.ticks
        if self.primary_of(self.view) == self.name and views.count(self.view) >= self.quorum:
            self._begin_view()

    # Entering a view

    def _begin_view(self) -> None:
        """The primary of the view shows why it proposes what it proposes."""
        reported = [
            Reported(source, each.statement, each.signature)
            for source, each in sorted(self.changes.items())
            if isinstance(each.statement, ViewChange) and each.statement.view == self.view
        ]
        changes = tuple(reported)
        _, obliged = self.obligations(changes)
        proposals = [self.sign(PrePrepare(self.view, number, digest)) for number, digest in sorted(obliged.items())]
        signed = self.sign(
            NewView(
                self.view,
                changes,
                tuple((each.statement, each.signature) for each in proposals if isinstance(each.statement, PrePrepare)),
            )
        )
        self._enter(signed)
        self.broadcast(signed)

    def obligations(self, changes: Sequence[Reported]) -> tuple[Stable, dict[int, bytes]]:
        """What has to be proposed after the last stable checkpoint of these view changes: for each number the certificate of
        the highest view, and nothing in a gap (`highest_reported`, `nothing_reported`, `is_gap`).
        """
        stable = max((each.change.stable for each in changes), key=lambda stable: stable.checkpoint.number)
        low = stable.checkpoint.number
        last: dict[int, Certificate] = {}
        for each in changes:
            for certificate in each.change.certificates:
                number = certificate.number
                if number > low and (number not in last or last[number].view < certificate.view):
                    last[number] = certificate
        nothing = digest_of_batch(())
        return stable, {
            number: last[number].digest if number in last else nothing
            for number in range(low + 1, max(last, default=low) + 1)
        }

    def _handle_new_view(self, signed: Signed) -> None:
        m = signed.statement
        assert isinstance(m, NewView)
        if m.view < self.view or (m.view == self.view and self.is_active):
            return
        if signed.source == self.primary_of(m.view) and self.is_signed(signed) and self.is_justified(m):
            self._enter(signed)

    def is_justified(self, m: NewView) -> bool:
        """Whether the view changes are of a quorum, and the proposals what follows from them."""
        sources = {each.source for each in m.changes}
        if len(sources) < self.quorum or len(sources) < len(m.changes):
            return False
        if not all(
            each.change.view == m.view
            and self.has_signed(each.source, each.change, each.signature)
            and self.is_valid(each.change)
            for each in m.changes
        ):
            return False
        primary = self.primary_of(m.view)
        return self.follows(m) and all(
            each.view == m.view and self.has_signed(primary, each, signature) for each, signature in m.proposals
        )

    def follows(self, m: NewView) -> bool:
        """`acceptable`: whether the new view proposes what its view changes oblige it to."""
        _, obliged = self.obligations(m.changes)
        return [(each.number, each.digest) for each, _ in m.proposals] == sorted(obliged.items())

    def _enter(self, signed: Signed) -> None:
        """The view begins with what the one before may have committed."""
        m = signed.statement
        assert isinstance(m, NewView)
        self.note("enters", view=m.view, primary=signed.source)
        self.view, self.is_active, self.new_view = m.view, True, signed
        self.persist(Entered(m.view, signed))
        self._entered, self._waiting = self.ticks, None
        stable = self._oblige(signed)
        self.next = max(self.begin, self.low) + 1
        self._proposed.clear()
        self._heed_new_view()
        self._learn(stable)

    def _oblige(self, signed: Signed) -> Stable:
        m = signed.statement
        assert isinstance(m, NewView)
        stable, _ = self.obligations(m.changes)
        self.obliged = {each.number: each.digest for each, _ in m.proposals}
        self.begin = max(self.obliged, default=stable.checkpoint.number)
        return stable

    def _heed_new_view(self) -> None:
        """`prepare` what the new view proposes, as far as it is in the window and was not accepted before."""
        if not self.is_active or self.new_view is None:
            return
        m = self.new_view.statement
        assert isinstance(m, NewView)
        for proposal, signature in m.proposals:
            signed = Signed(self.new_view.source, proposal, signature)
            if self.may_prepare(signed) and self.slot(proposal.number).wanted is None:
                self.slot(proposal.number).wanted = signed
                self._take_up(proposal.number)

    def _take_up_again(self) -> None:
        """Ask again for batches that are still missing."""
        for number in [number for number, slot in self.slots.items() if slot.wanted is not None]:
            self._take_up(number)


def _view_of(signed: Signed) -> int:
    assert isinstance(signed.statement, ViewChange)
    return signed.statement.view
