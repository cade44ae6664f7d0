"""Mistakes that implementations of PBFT have made, each as small as it is. The replicas that make it mean well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.pbft import Client, Pbft
from quorate_impl.pbft.messages import (
    Accepted,
    Answer,
    Certificate,
    Entered,
    Execute,
    NewView,
    Order,
    Prepared,
    PrePrepare,
    Statement,
    Votes,
)
from quorate_impl.pbft.replica import Slot, Vote
from quorate_impl.pbft.store import Store


class PrepareQuorumOf2f(Pbft):
    """A certificate is prepares of 2f replicas, the primary among them (`PrepareQuorumOf2f`)."""

    def is_prepared(self, slot: Slot, proposal: PrePrepare) -> bool:
        return len(self.voters(slot.prepares, proposal)) >= self.quorum - 1

    def is_proven(self, certificate: Certificate) -> bool:
        self.quorum -= 1
        is_proven = super().is_proven(certificate)
        self.quorum += 1
        return is_proven


class AnyDigest(Pbft):
    """Votes are counted for a view and number, whatever they are for (`AnyDigest`)."""

    def voters(self, votes: Mapping[str, Vote], proposal: PrePrepare) -> dict[str, bytes]:
        return {source: vote.signature for source, vote in votes.items() if vote.view == proposal.view}


class NoCertificates(Pbft):
    """A view change does not say what is prepared."""

    def certificates(self) -> tuple[Certificate, ...]:
        return ()


class ClearsWhenExecuted(Pbft):
    """A certificate is thrown away when its batch is executed (`ClearsWhenExecuted`)."""

    def certificates(self) -> tuple[Certificate, ...]:
        return tuple(each for each in super().certificates() if each.number > self.executed)


class OwnHistory(Pbft):
    """Backups do not ask why a new view proposes what it proposes (`OwnHistory`)."""

    def follows(self, m: NewView) -> bool:
        return True


class UncheckedCertificates(Pbft):
    """Certificates in view changes are believed without the signatures that prove them (`UncheckedCertificates`)."""

    def is_proven(self, certificate: Certificate) -> bool:
        return True


class NoCommitPhase(Pbft):
    """What is prepared is executed (`NoCommitPhase`)."""

    def is_committed(self, slot: Slot, proposal: PrePrepare) -> bool:
        return self.is_prepared(slot, proposal)


class UnsignedStatements(Pbft):
    """Signatures of replicas are not checked."""

    def has_signed(self, source: str, statement: Statement, signature: bytes) -> bool:
        return True


class UnsignedRequests(Pbft):
    """Signatures of clients are not checked (`UnsignedRequests`)."""

    def is_of_client(self, request: Execute) -> bool:
        return True


class CheckpointOfF(Pbft):
    """A checkpoint counts as stable when f replicas have signed it."""

    def is_checkpoint(self, count: int) -> bool:
        return count >= self.faulty_max

    def have_signed(self, votes: Votes, statement: Statement) -> bool:
        return all(self.has_signed(source, statement, signature) for source, signature in votes)


class ForgetsWhatItAccepted(Pbft):
    """A replica that restarts does not know what it had accepted, or had certificates for."""

    def _recover(self, records: Sequence[Record]) -> None:
        super()._recover([each for each in records if not isinstance(each, Accepted | Prepared)])


class ForgetsItsView(Pbft):
    """A replica that restarts begins with the first view."""

    def _recover(self, records: Sequence[Record]) -> None:
        super()._recover([each for each in records if not isinstance(each, Entered)])


class ForgetfulStore(Store):
    def recall(self, order: Order) -> Answer | None:
        return None


class ExecutesTwice(Pbft):
    """An order that gets two numbers is executed twice."""

    def _recover(self, records: Sequence[Record]) -> None:
        self.store = ForgetfulStore()
        super()._recover(records)


class BelievesTheFirst(Client):
    """The client takes the first answer."""

    def is_believed(self, count: int) -> bool:
        return True
