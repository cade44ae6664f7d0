"""The PBFT store of `quorate_impl`, in the hands of an adapter, beside the specification `pbft`.

The honest replicas are the program's own; network, disks, clients, suspicion and the liar are the adapter's. A request is a batch of
one order. What the specification says of a quorum, and the program is shown in messages, the adapter delivers together: for `commit`
and `execute` the votes of all others that there are, and the liar's; for the first proposal of a later view the view changes of a
quorum, the liar's among them, or the new view that shows them. The liar tries what it cannot justify, too.

What the program does not do, and the specification allows:

- `fetch`, and a `change_view` that speaks of a stable checkpoint (`low`): the program forgets what is below it.
- To `execute` by the votes of a view that the replica has left: the program counts those of its own view.
- A primary that has a certificate proposes nothing else by a quorum without itself: its own view change is one of those it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

from quorate.conform import Adapter, Refused
from quorate_impl.core import Persist, Persisted, Received, Requested, Send, Started
from quorate_impl.pbft import Authority, Options, Pbft
from quorate_impl.pbft.messages import (
    Batch,
    Certificate,
    Checkpoint,
    Commit,
    Execute,
    NewView,
    Open,
    Order,
    Prepare,
    PrePrepare,
    Propose,
    Reported,
    Signed,
    Statement,
    TheBatch,
    ViewChange,
)
from quorate_impl.pbft.replica import BEGINNING, digest_of_batch
from quorate_impl.pbft.signatures import encode
from quorate_impl.pbft.store import Store, digest_of

from tests.impl.pbft.running import Oracle, secret_of

LIAR = "liar"
QUORUM = 3
OPTIONS = Options(checkpoint_every=1, window=1)
SCHEME = Oracle()


class PbftCore(Adapter):
    """Three honest replicas, two requests, one number, and as many views as an heir names. Heirs name the program, too."""

    members: ClassVar[dict[str, tuple[Any, ...]]] = {
        "Replica": ("n1", "n2", "n3"),
        "Request": ("x1", "x2"),
        "View": (0,),
        "Number": (0,),
    }
    core: type[Pbft] = Pbft

    def reset(self, arguments: dict[str, Any]) -> None:
        primary = {int(view): name or LIAR for view, name in arguments["primary"].items()}
        names = (*self.members["Replica"], LIAR)
        public = {name: SCHEME.public(secret_of(name)) for name in names}
        placed: Any = type(self.core.__name__, (self.core,), {"primary_of": lambda _, view: primary[view]})
        self.keys = {name: Authority(secret_of(name), public, SCHEME) for name in names}
        self.cores: dict[str, Pbft] = {}
        self.sent: list[Signed] = []
        self.proposed: list[Propose] = []
        self.batches: dict[str | None, Batch] = {None: ()}
        for x in self.members["Request"]:
            order = Order(SCHEME.public(secret_of(x)), (0, 0), 1, 0, Open())
            signature = SCHEME.sign(secret_of(x), encode(order)) if x in arguments["signed"] else b""
            self.batches[x] = (Execute(order, signature),)
        self.named = {digest_of_batch(batch): x for x, batch in self.batches.items()}
        self.states = {self._state(batch): x for x, batch in self.batches.items()}
        for name in self.members["Replica"]:
            self.cores[name] = placed(name, (), dict.fromkeys(names, ""), self.keys[name], OPTIONS)
            self._step(name, Started())

    @staticmethod
    def _state(batch: Batch) -> bytes:
        store = Store()
        for i, request in enumerate(batch):
            store.execute(request.order, (1, i))
        return digest_of(store.snapshot())

    # Steps

    def _step(self, name: str, *events: Any) -> None:
        """Its disk works at once, and what it sends is kept."""
        core = self.cores[name]
        for effect in core.step(*events):
            match effect:
                case Send(_, Signed() as signed) if signed not in self.sent:
                    self.sent.append(signed)
                case Send(_, Propose(Signed(_, PrePrepare(number=1))) as proposed) if proposed not in self.proposed:
                    self.proposed.append(proposed)
                case Persist(number):
                    self._step(name, Persisted(number))

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        before, sent, proposed = self.cores, list(self.sent), list(self.proposed)
        self.cores = dict(before)
        try:
            getattr(self, f"_{action}")(**arguments)
        except Refused:
            self.cores, self.sent, self.proposed = before, sent, proposed
            raise

    def _need(self, is_done: bool) -> None:
        if not is_done:
            raise Refused("it does not")

    def _has_sent(self, r: str, *statements: Statement) -> bool:
        return any(each.source == r and each.statement in statements for each in self.sent)

    def _copy(self, r: str) -> None:
        """The replica may turn out to refuse, and then it is to be as it was."""
        shared = self.keys[r]
        self.cores[r] = deepcopy(self.cores[r], {id(shared): shared})

    def _deliver(self, r: str, *messages: Any) -> None:
        self._copy(r)
        for each in messages:
            self._step(r, Received(LIAR, each))

    def _by_liar(self, statement: Statement) -> Signed:
        return Signed(LIAR, statement, self.keys[LIAR].sign(statement))

    # View changes

    def _proposals(self, view: int) -> set[tuple[str, bytes]]:
        """What honest primaries have proposed in a view: by whom, and its digest."""
        made = [(each.signed.source, each.signed.statement) for each in self.proposed]
        made += [(each.source, m) for each in self._said(NewView, view) for m, _ in each.statement.proposals]
        return {(source, m.digest) for source, m in made if isinstance(m, PrePrepare) and m.view == view}

    def _said(self, kind: type[Prepare | Commit | ViewChange | NewView], view: int) -> list[Any]:
        """The statements of a class that honest replicas have signed for a view."""
        return [each for each in self.sent if isinstance(m := each.statement, kind) and m.view == view]

    def _certificate_of(self, view: int, digest: bytes) -> Certificate:
        """The certificate that the liar can make with its own signature; it is one if enough honest replicas have signed, too."""
        signed = [self._by_liar(Prepare(view, 1, digest)), *self._said(Prepare, view)]
        primary = self.cores[self.members["Replica"][0]].primary_of(view)
        if primary == LIAR:
            signed[0] = self._by_liar(PrePrepare(view, 1, digest))
        votes = [(each.source, each.signature) for each in signed if each.statement.digest == digest]
        votes += [
            (each.signed.source, each.signed.signature)
            for each in self.proposed
            if each.signed.statement == PrePrepare(view, 1, digest)
        ]
        return Certificate(view, 1, digest, tuple(sorted(votes)))

    def _changes(self, view: int, x: str | None, own: str | None) -> list[Signed]:
        """View changes that oblige a new primary to a request, or leave it free: the liar's first. Raises Refused if there are none, or
        none with that of `own`."""
        digest = digest_of_batch(self.batches[x])
        known = [each for w in range(view) if len((each := self._certificate_of(w, digest)).votes) >= QUORUM]
        highest = known[-1].view if known else -1
        honest = [
            each
            for each in self._said(ViewChange, view)
            if all(certificate.view <= highest for certificate in each.statement.certificates)
        ]
        self._need(1 + len(honest) >= QUORUM and own in {None, *(each.source for each in honest)})
        return [self._by_liar(ViewChange(view, BEGINNING, tuple(known[-1:]))), *honest]

    def _new_view(self, view: int, changes: list[Signed], digests: tuple[bytes, ...]) -> Signed:
        """A new view of the liar."""
        reported = tuple(Reported(each.source, each.statement, each.signature) for each in changes)  # type: ignore[arg-type]
        proposals = tuple(PrePrepare(view, 1, digest) for digest in digests)
        return self._by_liar(NewView(view, reported, tuple((m, self._by_liar(m).signature) for m in proposals)))

    def _unproven(self, view: int, x: str | None) -> list[Signed]:
        """All view changes that there are, and one of the liar with a certificate that is none."""
        forged = self._certificate_of(view - 1, digest_of_batch(self.batches[x]))
        return [self._by_liar(ViewChange(view, BEGINNING, (forged,))), *self._said(ViewChange, view)]

    def _new_views(self, view: int, x: str | None) -> Iterator[Signed]:
        """What the liar may send so that a request is accepted: what it can justify, or else whatever may be believed."""
        digest = digest_of_batch(self.batches[x])
        try:
            changes = self._changes(view, x, None)
        except Refused:
            nothing = self._by_liar(ViewChange(view, BEGINNING, ()))
            yield self._new_view(view, self._unproven(view, x), (digest,))
            yield self._new_view(view, [nothing, *self._said(ViewChange, view)], (digest,))
            return
        is_obliged = any(each.statement.certificates for each in changes)  # type: ignore[union-attr]
        yield self._new_view(view, changes, (digest,) if is_obliged else ())

    # Actions

    def _pre_prepare(self, v: int, n: int, x: str | None, r: str) -> None:
        self._need(x is not None and self.cores[r].view == v and not self._proposals(v))
        self._copy(r)
        if not self.cores[r].is_active:
            try:
                changes = self._changes(v, x, r)
            except Refused:
                changes = self._unproven(v, x)
            for each in changes:
                self._step(r, Received(LIAR, each))
            self._step(r, Received(LIAR, TheBatch(n + 1, self.batches[x])))
        if not self._proposals(v):
            for request in self.batches[x]:
                self._step(r, Requested("", request))
            self.cores[r].pending.clear()
        self._need((r, digest_of_batch(self.batches[x])) in self._proposals(v))

    def _prepare(self, r: str, m: dict[str, Any]) -> None:
        view, batch = m["view"], self.batches[m["request"]]
        statement = PrePrepare(view, m["number"] + 1, digest_of_batch(batch))
        prepare = Prepare(statement.view, statement.number, statement.digest)
        self._need(self.cores[r].view == view and not self._has_sent(r, prepare))
        proposals = [each for each in self.proposed if each.signed.statement == statement]
        self._deliver(r, *self._said(NewView, view), TheBatch(m["number"] + 1, batch), *proposals)
        self._need(self._has_sent(r, prepare))

    def _prepare_for_liar(self, r: str, v: int, n: int, x: str | None) -> None:
        digest = digest_of_batch(self.batches[x])
        prepare = Prepare(v, n + 1, digest)
        self._need(not self._has_sent(r, prepare) and self.cores[r].view == v)
        proposal = Propose(self._by_liar(PrePrepare(v, n + 1, digest)), self.batches[x])
        before, sent = self.cores[r], list(self.sent)
        for begun in self._new_views(v, x) if v > 0 else [None]:
            self.cores[r], self.sent = before, list(sent)
            self._deliver(r, *([begun] if begun else []), TheBatch(n + 1, self.batches[x]), proposal)
            if self._has_sent(r, prepare):
                return
        raise Refused("it does not accept it")

    def _votes(
        self, kind: type[Prepare | Commit], view: int, number: int, digest: bytes
    ) -> Iterator[tuple[str, Signed]]:
        """Those of the honest that there are, for whatever; the liar's, for this digest; and what it says in the name of others."""
        yield LIAR, self._by_liar(kind(view, number, digest))
        silent = set(self.members["Replica"])
        for each in self._said(kind, view):
            silent.discard(each.source)
            yield each.source, each
        for name in sorted(silent):
            yield name, Signed(name, kind(view, number, digest), b"forged")

    def _commit(self, r: str, v: int, n: int, x: str | None) -> None:
        digest = digest_of_batch(self.batches[x])
        commit = Commit(v, n + 1, digest)
        self._need(not self._has_sent(r, commit))
        votes = self._votes(Prepare, v, n + 1, digest)
        self._deliver(r, *(each for source, each in votes if source != r))
        self._need(self._has_sent(r, commit))

    def _execute(self, r: str, v: int, n: int, x: str | None) -> None:
        self._need(self.cores[r].executed <= n)
        digest = digest_of_batch(self.batches[x])
        votes = self._votes(Commit, v, n + 1, digest)
        self._deliver(r, *(each for source, each in votes if source != r))
        self._need(self.cores[r].executed > n and self.cores[r].slots[n + 1].committed == digest)

    def _change_view(self, r: str, v: int, low: int | None) -> None:
        """When a replica suspects the primary is the adapter's to say."""
        self._need(low is None and self.cores[r].view < v)
        self._copy(r)
        self.cores[r]._change_view(v)
        self._step(r)
        self._need(any(each.source == r for each in self._said(ViewChange, v)))

    # What is seen

    def _seen(self, signed: Signed) -> dict[str, Any] | None:
        source = signed.source
        match signed.statement:
            case Prepare(view, number, digest) | Commit(view, number, digest) as m:
                kind = type(m).__name__
                return _record(kind, view=view, number=number - 1, request=self.named[digest], source=source)
            case Checkpoint(number, digest):
                return _record("Checkpoint", number=number - 1, request=self.states[digest], source=source)
            case ViewChange(view, _, certificates):
                last = self._certificate(certificates[0]) if certificates else None
                return _record("ViewChange", view=view, number=0, prepared=last, source=source)
        return None

    def _certificate(self, certificate: Certificate) -> dict[str, Any]:
        return {"view": certificate.view, "request": self.named[certificate.digest]}

    def observe(self) -> dict[str, Any]:
        network = [seen for each in self.sent if (seen := self._seen(each)) is not None]
        for view in self.members["View"]:
            for source, digest in self._proposals(view):
                fields = {"view": view, "number": 0, "request": self.named[digest]}
                network += [_record("PrePrepare", **fields), _record("Prepare", **fields, source=source)]
        prepared, executed = {}, {}
        for name, core in self.cores.items():
            slot = core.slots.get(1)
            last = slot.prepared if slot is not None else None
            done = slot.committed if slot is not None and core.executed >= 1 else None
            prepared[name] = {0: self._certificate(last) if last is not None else None}
            executed[name] = {0: {"request": self.named[done]} if done is not None else None}
        return {
            "view": {name: core.view for name, core in self.cores.items()},
            "prepared": prepared,
            "executed": executed,
            "network": network,
        }


def _record(kind: str, **fields: Any) -> dict[str, Any]:
    return {"record": kind, **fields}
