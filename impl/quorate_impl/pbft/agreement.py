"""Normal operation: pre-prepare, prepare, commit, execute (section 4.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.pbft.messages import (
    Accepted,
    Batch,
    Certificate,
    Commit,
    Committed,
    Execute,
    Known,
    Prepare,
    Prepared,
    PrePrepare,
    Propose,
    Relay,
    Signed,
    TheBatch,
    WantBatch,
)
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.replica import Key, Pending, Replica, Slot, Vote, digest_of_batch, key_of
from quorate_impl.pbft.signatures import Authority, encode


class Agreement(Replica):
    """How requests get their numbers. The primary gives out those from `next` on; `_proposed` are on their way in this view.

    `_committing` has the certificates that are not durable yet, by the number of the write: the replica's commit does not
    count before, for itself neither.
    """

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name, records, members, authority, options)
        self._committing: deque[tuple[int, Certificate]] = deque()
        self._proposed: set[Key] = set()
        self.next = 1

    def _resume(self) -> None:
        """The own votes of the current view count again, and the primary's."""
        self.next = max(self.begin, self.low) + 1
        if not self.is_active:
            return
        for number, slot in self.slots.items():
            proposal = slot.proposal()
            if slot.accepted is not None and proposal is not None and proposal.view == self.view:
                self.next = max(self.next, number + 1)
                self._count_proposal(slot, slot.accepted)
                if slot.prepared is not None and slot.prepared.view == self.view:
                    self._vote_to_commit(slot, slot.prepared)
                if number > self.executed:
                    self._proposed |= {key_of(each.order) for each in slot.batches[proposal.digest]}

    # Requests

    def _take_request(self, client: str | None, request: Execute) -> None:
        """A client asks, at this replica or at another: it waits here until it is executed (section 4.1)."""
        order = request.order
        key = key_of(order)
        known = self.store.recall(order)
        if key in self.pending:
            if client is not None and self.pending[key].request == request:
                self.pending[key].client = client
        elif not self.is_of_client(request):
            self.note("forged request")
        elif known is not None:
            if client is not None:
                self._answer(client, order.number, known)
        else:
            self.pending[key] = Pending(request, client, self.ticks)

    def _relay(self, pending: Pending) -> None:
        """The primary may not have heard of it."""
        if pending.relayed < self.view and not self.is_primary():
            pending.relayed = self.view
            self.send_at_once(self.primary_of(self.view), Relay(pending.request))

    def _propose(self) -> None:
        """`pre_prepare`: give the next numbers to what waits."""
        while (
            self.is_primary() and self.is_in_window(self.next) and self.next <= self.executed + self.options.in_flight
        ):
            batch = self._next_batch()
            if not batch:
                return
            signed = self.sign(PrePrepare(self.view, self.next, digest_of_batch(batch)))
            self.next += 1
            self._accept(signed, batch)
            self.broadcast(Propose(signed, batch))

    def _next_batch(self) -> Batch:
        batch: list[Execute] = []
        size = 0
        for key, pending in self.pending.items():
            if key not in self._proposed:
                size += len(encode(pending.request))
                if batch and size > self.options.batch_bytes:
                    break
                batch.append(pending.request)
                if len(batch) == self.options.batch_max:
                    break
        return tuple(batch)

    # Proposals

    def _handle_propose(self, m: Propose) -> None:
        """`prepare`, and `prepare_for_liar`: accept one proposal of the primary for a view and number."""
        proposal = m.signed.statement
        if not isinstance(proposal, PrePrepare) or not self.may_prepare(m.signed):
            return
        if (
            self.acceptable(proposal)
            and proposal.digest == digest_of_batch(m.batch)
            and all(self.is_of_client(each) for each in m.batch)
        ):
            self._accept(m.signed, m.batch)

    def may_prepare(self, signed: Signed) -> bool:
        """`may_prepare`: the primary of the view says so, and nothing was accepted for this view and number."""
        proposal = signed.statement
        if not isinstance(proposal, PrePrepare) or not self.is_active or proposal.view != self.view:
            return False
        if signed.source != self.primary_of(self.view) or not self.is_in_window(proposal.number):
            return False
        accepted = self.slot(proposal.number).proposal()
        return (accepted is None or accepted.view < self.view) and self.is_signed(signed)

    def acceptable(self, proposal: PrePrepare) -> bool:
        """`acceptable`: what the new view obliges its primary to, nothing in a gap too; above that, whatever clients have signed."""
        if proposal.number > self.begin:
            return proposal.digest != digest_of_batch(())
        return self.obliged.get(proposal.number) == proposal.digest

    def _accept(self, signed: Signed, batch: Batch) -> None:
        proposal = signed.statement
        assert isinstance(proposal, PrePrepare)
        slot = self.slot(proposal.number)
        slot.accepted, slot.wanted = signed, None
        if proposal.number > self.executed:
            self._proposed |= {key_of(each.order) for each in batch}
        accepted = Accepted(signed.source, proposal, signed.signature)
        if proposal.digest in slot.batches:
            self.persist(accepted)
        else:
            slot.batches[proposal.digest] = batch
            self.persist(Known(proposal.number, batch), accepted)
        self._count_proposal(slot, signed)
        if not self.is_primary():
            self.broadcast(self._prepare_of(proposal))
        self._advance(proposal.number)

    def _count_proposal(self, slot: Slot, signed: Signed) -> None:
        """The primary has prepared by proposing, and the replica by accepting."""
        proposal = signed.statement
        assert isinstance(proposal, PrePrepare)
        slot.prepares[signed.source] = Vote(proposal.view, proposal.digest, signed.signature)
        if signed.source != self.name:
            own = self._prepare_of(proposal)
            slot.prepares[self.name] = Vote(proposal.view, proposal.digest, own.signature)

    def _prepare_of(self, proposal: PrePrepare) -> Signed:
        return self.sign(Prepare(proposal.view, proposal.number, proposal.digest))

    # Batches that others have

    def _take_up(self, number: int) -> None:
        """A new view proposes for this number what `wanted` says: accept it, or ask the others what it stands for."""
        slot = self.slot(number)
        if slot.wanted is None or not isinstance(slot.wanted.statement, PrePrepare):
            return
        digest = slot.wanted.statement.digest
        if digest == digest_of_batch(()):
            self._accept(slot.wanted, ())
        elif digest in slot.batches:
            self._accept(slot.wanted, slot.batches[digest])
        else:
            for name in self.others():
                self.send_at_once(name, WantBatch(number, digest))

    def _handle_want_batch(self, source: str, m: WantBatch) -> None:
        slot = self.slots.get(m.number)
        if slot is not None and m.digest in slot.batches:
            self.send_at_once(source, TheBatch(m.number, slot.batches[m.digest]))

    def _handle_batch(self, m: TheBatch) -> None:
        """Its digest shows that it is the one: a quorum has accepted it, and so an honest replica has checked it."""
        slot = self.slots.get(m.number)
        if slot is None or slot.wanted is None or not self.may_prepare(slot.wanted):
            return
        if isinstance(slot.wanted.statement, PrePrepare) and slot.wanted.statement.digest == digest_of_batch(m.batch):
            self._accept(slot.wanted, m.batch)

    # Votes

    def _handle_vote(self, signed: Signed) -> None:
        """A prepare or a commit. One is kept for each replica and number: the first of its highest view."""
        m = signed.statement
        assert isinstance(m, Prepare | Commit)
        if m.view < self.view or not self.is_in_window(m.number):
            return
        if isinstance(m, Prepare) and signed.source == self.primary_of(m.view):
            return
        slot = self.slot(m.number)
        votes = slot.prepares if isinstance(m, Prepare) else slot.commits
        known = votes.get(signed.source)
        if (known is None or known.view < m.view) and self.is_signed(signed):
            votes[signed.source] = Vote(m.view, m.digest, signed.signature)
            self._advance(m.number)

    def voters(self, votes: Mapping[str, Vote], proposal: PrePrepare) -> dict[str, bytes]:
        """`preparers`, `committers`: who has voted for the proposal, with signatures."""
        return {
            source: vote.signature
            for source, vote in votes.items()
            if vote.view == proposal.view and vote.digest == proposal.digest
        }

    def is_prepared(self, slot: Slot, proposal: PrePrepare) -> bool:
        """`certified`."""
        return len(self.voters(slot.prepares, proposal)) >= self.quorum

    def is_committed(self, slot: Slot, proposal: PrePrepare) -> bool:
        """`committed`: a quorum has the certificate, and this replica is one of it."""
        voters = self.voters(slot.commits, proposal)
        return self.name in voters and len(voters) >= self.quorum

    def _advance(self, number: int) -> None:
        """A vote has come in: is it enough?"""
        slot = self.slot(number)
        proposal = slot.proposal()
        if proposal is None or proposal.view != self.view or not self.is_active:
            return
        if (slot.prepared is None or slot.prepared.view < self.view) and self.is_prepared(slot, proposal):
            self._commit(slot, proposal)
        if slot.committed is None and self.is_committed(slot, proposal):
            slot.committed = proposal.digest
            self._execute()

    def _commit(self, slot: Slot, proposal: PrePrepare) -> None:
        """`commit`: keep the certificate, and say so when it is on the disk."""
        votes = tuple(sorted(self.voters(slot.prepares, proposal).items()))
        slot.prepared = Certificate(proposal.view, proposal.number, proposal.digest, votes)
        self._committing.append((self.persist(Prepared(slot.prepared)), slot.prepared))

    def persisted(self) -> None:
        while self._committing and self._committing[0][0] <= self.durable:
            _, certificate = self._committing.popleft()
            if certificate.view == self.view and self.is_active and self.is_in_window(certificate.number):
                self.broadcast(self._vote_to_commit(self.slot(certificate.number), certificate))
                self._advance(certificate.number)

    def _vote_to_commit(self, slot: Slot, certificate: Certificate) -> Signed:
        signed = self.sign(Commit(certificate.view, certificate.number, certificate.digest))
        slot.commits[self.name] = Vote(certificate.view, certificate.digest, signed.signature)
        return signed

    # Execution

    def _execute(self) -> None:
        """`execute`: what is committed, in order."""
        while True:
            number = self.executed + 1
            slot = self.slots.get(number)
            if slot is None or slot.committed is None:
                return
            self.executed = number
            self.persist(Committed(number, slot.committed))
            for i, request in enumerate(slot.batches[slot.committed]):
                self._perform(request, (number, i))
            self._has_executed(number)

    def _perform(self, request: Execute, position: tuple[int, int]) -> None:
        answer = self.store.execute(request.order, position)
        key = key_of(request.order)
        self._proposed.discard(key)
        pending = self.pending.pop(key, None)
        if pending is not None and pending.client is not None:
            self._answer(pending.client, request.order.number, answer)

    def _has_executed(self, number: int) -> None:
        """The state is that after this number."""

    def _answer_pending(self) -> None:
        """The state has come from elsewhere: what it has the answers to does not wait any more."""
        for key, pending in list(self.pending.items()):
            answer = self.store.recall(pending.request.order)
            if answer is not None:
                del self.pending[key]
                if pending.client is not None:
                    self._answer(pending.client, pending.request.order.number, answer)

    # What others lack

    def _resend(self, target: str, after: int) -> None:
        """The own messages of this view about the next numbers."""
        for number in self._next_numbers(after):
            slot = self.slots[number]
            proposal = slot.proposal()
            if slot.accepted is None or proposal is None or proposal.view != self.view:
                continue
            if self.is_primary():
                self.send(target, Propose(slot.accepted, slot.batches[proposal.digest]))
            else:
                self.send(target, self._prepare_of(proposal))
            if self.name in self.voters(slot.commits, proposal):
                self.send(target, self.sign(Commit(proposal.view, number, proposal.digest)))

    def _next_numbers(self, after: int) -> Iterable[int]:
        return [number for number in range(after + 1, after + 1 + self.options.resend_max) if number in self.slots]
