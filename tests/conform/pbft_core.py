"""The PBFT store of `quorate_impl`, in the hands of an adapter, beside the specification `pbft`, within one view.

The honest replicas are the program's own; network, disks, clients and the liar are the adapter's. A request is a batch of one
order. What the specification says of a quorum, and the program is shown in messages, the adapter delivers together: for `commit`
and `execute` the votes of all others that there are, and the liar's.

Left out are `fetch`, since the program forgets what is below its stable checkpoint and the specification does not, and view
changes, which are one message for each number there.
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
    Open,
    Order,
    Prepare,
    PrePrepare,
    Propose,
    Signed,
    Statement,
)
from quorate_impl.pbft.replica import digest_of_batch
from quorate_impl.pbft.signatures import encode
from quorate_impl.pbft.store import Store, digest_of

from tests.impl.pbft.running import Oracle, secret_of

LIAR = "liar"
OPTIONS = Options(checkpoint_every=1, window=1)
SCHEME = Oracle()


class PbftCore(Adapter):
    """Three honest replicas, two requests, one number. Heirs name the program."""

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

    # Actions

    def _pre_prepare(self, v: int, n: int, x: str | None, r: str) -> None:
        known = len(self.proposed)
        self._need(x is not None and self.cores[r].view == v)
        self._copy(r)
        for request in self.batches[x]:
            self._step(r, Requested("", request))
        self.cores[r].pending.clear()
        self._need(len(self.proposed) > known)

    def _prepare(self, r: str, m: dict[str, Any]) -> None:
        statement = PrePrepare(m["view"], m["number"] + 1, digest_of_batch(self.batches[m["request"]]))
        prepare = Prepare(statement.view, statement.number, statement.digest)
        self._need(not self._has_sent(r, prepare))
        self._deliver(r, *(each for each in self.proposed if each.signed.statement == statement))
        self._need(self._has_sent(r, prepare))

    def _prepare_for_liar(self, r: str, v: int, n: int, x: str | None) -> None:
        digest = digest_of_batch(self.batches[x])
        prepare = Prepare(v, n + 1, digest)
        self._need(not self._has_sent(r, prepare) and self.cores[r].view == v)
        proposal = Propose(self._by_liar(PrePrepare(v, n + 1, digest)), self.batches[x])
        self._deliver(r, proposal)
        self._need(self._has_sent(r, prepare))

    def _votes(
        self, kind: type[Prepare | Commit], view: int, number: int, digest: bytes
    ) -> Iterator[tuple[str, Signed]]:
        """Those of the honest that there are, for whatever; and the liar's, for this digest."""
        yield LIAR, self._by_liar(kind(view, number, digest))
        for each in self.sent:
            m = each.statement
            if isinstance(m, kind) and (m.view, m.number) == (view, number):
                yield each.source, each

    def _commit(self, r: str, v: int, n: int, x: str | None) -> None:
        digest = digest_of_batch(self.batches[x])
        commit = Commit(v, n + 1, digest)
        self._need(not self._has_sent(r, commit))
        votes = self._votes(Prepare, v, n + 1, digest)
        self._deliver(
            r, *(each for source, each in votes if source != r and not isinstance(each.statement, PrePrepare))
        )
        self._need(self._has_sent(r, commit))

    def _execute(self, r: str, v: int, n: int, x: str | None) -> None:
        self._need(self.cores[r].executed <= n)
        digest = digest_of_batch(self.batches[x])
        votes = self._votes(Commit, v, n + 1, digest)
        self._deliver(r, *(each for source, each in votes if source != r))
        self._need(self.cores[r].executed > n and self.cores[r].slots[n + 1].committed == digest)

    def _change_view(self, r: str, v: int, low: int | None) -> None:
        raise Refused("there is one view")

    # What is seen

    def _seen(self, signed: Signed) -> dict[str, Any] | None:
        source = signed.source
        match signed.statement:
            case Prepare(view, number, digest) | Commit(view, number, digest) as m:
                kind = type(m).__name__
                return _record(kind, view=view, number=number - 1, request=self.named[digest], source=source)
            case Checkpoint(number, digest):
                return _record("Checkpoint", number=number - 1, request=self.states[digest], source=source)
        return None

    def _certificate(self, certificate: Certificate) -> dict[str, Any]:
        return {"view": certificate.view, "request": self.named[certificate.digest]}

    def observe(self) -> dict[str, Any]:
        network = [seen for each in self.sent if (seen := self._seen(each)) is not None]
        for proposed in self.proposed:
            m = proposed.signed.statement
            assert isinstance(m, PrePrepare)
            fields = {"view": m.view, "number": m.number - 1, "request": self.named[m.digest]}
            network += [_record("PrePrepare", **fields), _record("Prepare", **fields, source=proposed.signed.source)]
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
