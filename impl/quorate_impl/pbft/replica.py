"""What a replica is: view, messages, certificates, state; how it comes back from its disk, and what it signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quorate_impl.core import Core, Message, Record
from quorate_impl.pbft.messages import (
    Accepted,
    Batch,
    Certificate,
    Checkpoint,
    Committed,
    Entered,
    Execute,
    Kept,
    Known,
    Order,
    Prepare,
    Prepared,
    PrePrepare,
    Response,
    Result,
    Signed,
    Stable,
    Statement,
    Votes,
)
from quorate_impl.pbft.options import Options
from quorate_impl.pbft.signatures import Authority, encode
from quorate_impl.pbft.store import Store, digest_of

Key = tuple[bytes, int]
"""An order: its client, and its number there."""

BEGINNING = Stable(Checkpoint(0, b"", 0), ())
"""The stable checkpoint with which all begin."""


def key_of(order: Order) -> Key:
    """What tells the order from others of its client."""
    return order.client, order.number


def digest_of_batch(batch: Batch) -> bytes:
    """What stands for the batch in proposals."""
    return digest_of(encode(batch))


@dataclass(frozen=True)
class Vote:
    """A prepare or a commit of somebody."""

    view: int
    digest: bytes
    signature: bytes


@dataclass
class Slot:
    """What is known of a sequence number above the stable checkpoint.

    `accepted` is the last proposal that the replica has accepted, `wanted` one that it would if it had the batch; `prepares`
    and `commits` have the last vote of each replica, `prepared` is the own certificate of the highest view, and `committed`
    the digest of what a quorum has committed. `batches` are all that were accepted: somebody may have a certificate of any.
    """

    accepted: Signed | None = None
    wanted: Signed | None = None
    batches: dict[bytes, Batch] = field(default_factory=dict)
    prepares: dict[str, Vote] = field(default_factory=dict)
    commits: dict[str, Vote] = field(default_factory=dict)
    prepared: Certificate | None = None
    committed: bytes | None = None

    def proposal(self) -> PrePrepare | None:
        """What was accepted."""
        if self.accepted is None:
            return None
        assert isinstance(self.accepted.statement, PrePrepare)
        return self.accepted.statement


@dataclass
class Pending:
    """A request without an answer: who waits for it here, since when, and in which view it was relayed to the primary."""

    request: Execute
    client: str | None
    since: int
    relayed: int = -1


class Replica(Core):
    """The state that all parts of a replica share.

    `view` is where it is, or wants to go if it is not `is_active`. In a view that has begun, `begin` is the last number that
    the new view speaks of, and `obliged` what it says of those. `states` are the checkpoints taken since the stable one.
    """

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name)
        self.options = options
        self.authority = authority
        self.members = dict(members)
        self.names = tuple(members)
        self.faulty_max = (len(self.names) - 1) // 3
        self.quorum = (len(self.names) + self.faulty_max) // 2 + 1
        self.view = 0
        self.is_active = True
        self.new_view: Signed | None = None
        self.begin = 0
        self.obliged: dict[int, bytes] = {}
        self.stable = BEGINNING
        self.slots: dict[int, Slot] = {}
        self.store = Store()
        self.executed = 0
        self.states: dict[int, bytes] = {0: self.store.snapshot()}
        self.pending: dict[Key, Pending] = {}
        self.ticks = 0
        self._checkpointing = 0
        self._recover(records)

    # Who is who

    @property
    def low(self) -> int:
        """The low watermark: the number of the stable checkpoint."""
        return self.stable.checkpoint.number

    def primary_of(self, view: int) -> str:
        """`primary`: the replicas take turns."""
        return self.names[view % len(self.names)]

    def is_primary(self) -> bool:
        """Whether the replica leads a view that has begun."""
        return self.is_active and self.primary_of(self.view) == self.name

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def is_in_window(self, number: int) -> bool:
        """Whether the number is between the watermarks (section 4.2)."""
        return self.low < number <= self.low + self.options.window

    def slot(self, number: int) -> Slot:
        """Of a number in the window."""
        if number not in self.slots:
            self.slots[number] = Slot()
        return self.slots[number]

    # The disk

    def _recover(self, records: Sequence[Record]) -> None:
        """Come back with all that the replica has ever said to others: it never says the opposite."""
        for record in records:
            match record:
                case Kept(stable, state):
                    self.stable, self.executed = stable, stable.checkpoint.number
                    self.states = {self.low: state}
                    self.slots = {number: slot for number, slot in self.slots.items() if number > self.low}
                    self.store.restore(state)
                case Entered(view, new_view):
                    self.view, self.is_active, self.new_view = view, new_view is not None or view == 0, new_view
                case Known(number, batch):
                    self.slot(number).batches[digest_of_batch(batch)] = batch
                case Accepted(source, proposal, signature):
                    self.slot(proposal.number).accepted = Signed(source, proposal, signature)
                case Prepared(certificate):
                    self.slot(certificate.number).prepared = certificate
                case Committed(number, digest):
                    slot = self.slot(number)
                    slot.committed = digest
                    self.executed = number
                    for i, request in enumerate(slot.batches[digest]):
                        self.store.execute(request.order, (number, i))
                    self._take_state()

    def _take_state(self) -> bool:
        """Keep the state if a checkpoint is due. It is as durable as what has led to it."""
        is_due = self.executed % self.options.checkpoint_every == 0
        if is_due:
            self.states[self.executed] = self.store.snapshot()
        return is_due

    def _save_all(self) -> None:
        """The stable checkpoint and what is above it, in the place of the log."""
        if self._checkpointing > self.durable:
            return
        low = self.low
        records: list[Record] = [Kept(self.stable, self.states[low]), Entered(self.view, self.new_view)]
        for number, slot in sorted(self.slots.items()):
            records += [Known(number, batch) for batch in slot.batches.values()]
            proposal = slot.proposal()
            if slot.accepted is not None and proposal is not None:
                records.append(Accepted(slot.accepted.source, proposal, slot.accepted.signature))
            if slot.prepared is not None:
                records.append(Prepared(slot.prepared))
            if slot.committed is not None and number <= self.executed:
                records.append(Committed(number, slot.committed))
        self._checkpointing = self.checkpoint(*records)
        self.note("stable checkpoint", number=low, bytes=len(self.states[low]))

    # Statements

    def sign(self, statement: Statement) -> Signed:
        """The statement with the own signature."""
        return Signed(self.name, statement, self.authority.sign(statement))

    def is_signed(self, signed: Signed) -> bool:
        """Whether the statement is of its source."""
        return self.has_signed(signed.source, signed.statement, signed.signature)

    def has_signed(self, source: str, statement: Statement, signature: bytes) -> bool:
        """Whether the replica of this name has signed the statement."""
        return self.authority.has_signed(source, statement, signature)

    def is_of_client(self, request: Execute) -> bool:
        """Whether the client has signed the order, which no replica can do for it."""
        known = self.pending.get(key_of(request.order))
        return (known is not None and known.request == request) or self.authority.is_of_owner(
            request.order.client, request.order, request.signature
        )

    def have_signed(self, votes: Votes, statement: Statement) -> bool:
        """Whether these are a quorum, and each has signed the statement."""
        return len({source for source, _ in votes}) >= self.quorum and all(
            self.has_signed(source, statement, signature) for source, signature in votes
        )

    def is_proven(self, certificate: Certificate) -> bool:
        """`certified`: whether a quorum has accepted what the certificate says; the primary has by proposing it."""
        view, number, digest = certificate.view, certificate.number, certificate.digest
        primary = self.primary_of(view)
        return len({source for source, _ in certificate.votes}) >= self.quorum and all(
            self.has_signed(
                source,
                PrePrepare(view, number, digest) if source == primary else Prepare(view, number, digest),
                signature,
            )
            for source, signature in certificate.votes
        )

    def is_stable(self, stable: Stable) -> bool:
        """`stable`: whether a quorum has signed the checkpoint."""
        return stable == BEGINNING or (
            stable.checkpoint.number > 0 and self.have_signed(stable.votes, stable.checkpoint)
        )

    # Messages

    def others(self) -> Iterable[str]:
        """All replicas but this one."""
        return (name for name in self.names if name != self.name)

    def broadcast(self, message: Message) -> None:
        """To all others, when what was written so far is durable."""
        for name in self.others():
            self.send(name, message)

    def _answer(self, client: str, number: int, result: Result) -> None:
        """What is answered follows from what a quorum has on its disks."""
        self.reply_at_once(client, Response(number, result))
