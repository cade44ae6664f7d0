"""Simulated PBFT clusters with a replica that lies: what clients ask, and what must be so after each step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from quorate_impl.core import Core, Record
from quorate_impl.pbft import Authority, Client, Options, Pbft, messages
from quorate_impl.pbft.client import Unknown
from quorate_impl.pbft.messages import (
    LogRecord,
    ReplicaMessage,
    Request,
    Response,
)
from quorate_impl.pbft.signatures import Scheme
from quorate_impl.protocol import Protocol
from quorate_impl.simulation import Conditions, Outcome, Plan, Simulation, draw_plan

from tests.impl import registers
from tests.impl.histories import is_linearizable
from tests.impl.pbft.liars import AnyLiar, Liar

NODES = ("n1", "n2", "n3", "n4")
OPTIONS = Options(
    checkpoint_every=8,
    window=16,
    in_flight=4,
    batch_max=3,
    suspect_ticks=20,
    suspect_ticks_max=160,
    progress_ticks=5,
    resend_max=16,
    fetch_ticks=5,
    piece_bytes=200,
)
BUSY = Conditions(busy_ms=2_000, think_ms=20)
CLIENTS = ("c0", "c1", "c2", "c3")


class Oracle:
    """Signatures that cost little: a keyed hash, whose keys it looks up. A liar signs as itself alone, as with others."""

    def __init__(self) -> None:
        self._secrets: dict[bytes, bytes] = {}

    def public(self, secret: bytes) -> bytes:
        public = hashlib.sha256(secret).digest()
        self._secrets[public] = secret
        return public

    def sign(self, secret: bytes, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=secret, digest_size=16).digest()

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        secret = self._secrets.get(public)
        return secret is not None and self.sign(secret, data) == signature


def secret_of(name: str) -> bytes:
    """The same in each run."""
    return hashlib.sha256(name.encode()).digest()


class Registers(registers.Registers):
    """In the words of PBFT."""

    words = messages
    in_doubt = (Unknown,)


class Promises:
    """Looked at after each step: honest replicas execute the same batch at a number, and have the same state at a checkpoint."""

    def __init__(self, liar: str | None) -> None:
        self._liar = liar
        self._executed: dict[int, bytes] = {}
        self._states: dict[int, bytes] = {}
        self._seen: dict[Core, int] = {}

    def __call__(self, name: str, core: Core) -> str | None:
        if name == self._liar:
            return None
        assert isinstance(core, Pbft)
        for number in range(self._seen.get(core, 0) + 1, core.executed + 1):
            digest = core.slots[number].committed if number in core.slots else None
            if digest is not None and self._executed.setdefault(number, digest) != digest:
                return f"agreement: {name} has executed another batch at {number} than was executed before"
        self._seen[core] = core.executed
        for number, state in core.states.items():
            if self._states.setdefault(number, state) != state:
                return f"agreement: {name} has another state at {number} than was before"
        return None


def run(
    seed: int,
    plan: Plan | None = None,
    core: type[Pbft] = Pbft,
    client: type[Client] = Client,
    liar: type[AnyLiar] | None = Liar,
    conditions: Conditions = BUSY,
    options: Options = OPTIONS,
    scheme: Scheme | None = None,
) -> Outcome:
    """A run of four replicas with four clients. One of the replicas lies, if there is to be a liar: another one with each seed."""
    members = {name: name for name in NODES}
    signatures = scheme or Oracle()
    public = {name: signatures.public(secret_of(name)) for name in NODES}
    who = NODES[seed % len(NODES)] if liar is not None else None

    def boot(name: str, records: Sequence[Record]) -> Core:
        authority = Authority(secret_of(name), public, signatures)
        if name == who:
            assert liar is not None
            return liar(name, records, members, authority, options)
        return core(name, records, members, authority, options)

    return Simulation(
        Protocol("pbft", ReplicaMessage, Request, Response, LogRecord, boot),
        NODES,
        {name: lambda name=name: client(name, members, secret_of(name), signatures) for name in CLIENTS},  # type: ignore[misc]
        Registers(),
        seed,
        draw_plan(seed, NODES, conditions.busy_ms, faults_max=8) if plan is None else plan,
        conditions,
        Promises(who),
    ).run()


def broken(outcome: Outcome, folder: Path) -> str | None:
    """What is wrong with a run: disagreement, an answer that did not come, a history that is not linearizable."""
    if outcome.failure is None and not is_linearizable(outcome.history, folder, "cas-register", None):
        return "the history is not linearizable"
    return outcome.failure
