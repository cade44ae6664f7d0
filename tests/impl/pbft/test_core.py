"""A replica and a client by hand, event by event."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from quorate_impl.core import (
    Effect,
    Message,
    Persist,
    Persisted,
    Received,
    Record,
    Reply,
    Requested,
    Send,
    Started,
    Tick,
)
from quorate_impl.pbft import Authority, Client, Options, Pbft, make_keys, read_authority
from quorate_impl.pbft.messages import (
    Accepted,
    Batch,
    Certificate,
    Checkpoint,
    Commit,
    Done,
    Execute,
    Expired,
    NewView,
    Open,
    Opened,
    Operation,
    Order,
    Piece,
    Prepare,
    Prepared,
    PrePrepare,
    Progress,
    Propose,
    Put,
    Relay,
    Reported,
    Response,
    Signed,
    Stable,
    Statement,
    TheBatch,
    Value,
    ViewChange,
    WantBatch,
    WantState,
)
from quorate_impl.pbft.replica import BEGINNING, digest_of_batch
from quorate_impl.pbft.signatures import encode
from quorate_impl.pbft.store import Store
from quorate_impl.runtime.__main__ import MISCONFIGURED
from quorate_impl.runtime.config import NodeConfig

from tests.impl.pbft.running import Oracle, secret_of

NAMES = ("a", "b", "c", "d")
MEMBERS = dict.fromkeys(NAMES, "")
SCHEME = Oracle()
PUBLIC = {name: SCHEME.public(secret_of(name)) for name in NAMES}
OWNER = SCHEME.public(secret_of("owner"))


def keys_of(name: str) -> Authority:
    return Authority(secret_of(name), PUBLIC, SCHEME)


def replica(name: str = "b", records: Sequence[Record] = ()) -> Pbft:
    core = Pbft(name, records, MEMBERS, keys_of(name), Options())
    core.step(Started())
    return core


def signed(source: str, statement: Statement, by: str = "") -> Signed:
    return Signed(source, statement, keys_of(by or source).sign(statement))


def ordered(number: int = 1, operation: Open | Operation = Open(), session: tuple[int, int] = (0, 0)) -> Execute:  # noqa: B008
    order = Order(OWNER, session, number, 0, operation)
    return Execute(order, SCHEME.sign(secret_of("owner"), encode(order)))


ONE: Batch = (ordered(1),)
TWO: Batch = (ordered(2),)


def proposal(batch: Batch, view: int = 0, source: str = "a") -> Propose:
    return Propose(signed(source, PrePrepare(view, 1, digest_of_batch(batch))), batch)


def sent(effects: Sequence[Effect], kind: type, target: str = "c") -> list[Any]:
    """The statements of a kind that are sent to one of the others."""
    messages = [each.message for each in effects if isinstance(each, Send) and each.target == target]
    return [each.statement for each in messages if isinstance(each, Signed) and isinstance(each.statement, kind)]


def written(effects: Sequence[Effect]) -> list[Record]:
    return [record for each in effects if isinstance(each, Persist) for record in each.records]


def hear(core: Pbft, *messages: Any, from_: str = "a") -> list[Effect]:
    """Receive, and have all written that is to be."""
    effects = core.step(*(Received(from_, each) for each in messages))
    while core.durable < core.written:
        effects += core.step(Persisted(core.written))
    return effects


def test_one_proposal_is_accepted_for_a_number_and_on_the_disk_before_anybody_hears_of_it() -> None:
    core = replica()
    effects = core.step(Received("a", proposal(ONE)))
    assert not sent(effects, Prepare) and any(isinstance(each, Accepted) for each in written(effects))
    assert sent(core.step(Persisted(core.written)), Prepare) == [Prepare(0, 1, digest_of_batch(ONE))]
    assert not sent(hear(core, proposal(TWO)), Prepare)


def test_a_proposal_needs_the_signatures_of_its_primary_and_of_its_clients() -> None:
    core = replica()
    forged = (Execute(ONE[0].order, b"no"),)
    by_another = Propose(signed("a", PrePrepare(0, 1, digest_of_batch(ONE)), by="c"), ONE)
    other_batch = Propose(proposal(ONE).signed, TWO)
    for each in (by_another, other_batch, proposal(forged), proposal(ONE, source="c"), proposal(ONE, view=1)):
        assert not written(hear(core, each))


def test_votes_of_a_quorum_for_one_digest_make_a_certificate_and_another_quorum_executes() -> None:
    core, digest, other = replica(), digest_of_batch(ONE), digest_of_batch(TWO)
    core.step(Requested("k", ONE[0]))
    hear(core, proposal(ONE), signed("c", Prepare(0, 1, other)))
    assert not sent(hear(core, signed("d", Prepare(0, 1, digest), by="c")), Commit)
    effects = core.step(Received("d", signed("d", Prepare(0, 1, digest))))
    assert isinstance(written(effects)[0], Prepared) and not sent(effects, Commit)
    assert sent(hear(core), Commit) == [Commit(0, 1, digest)]
    assert core.executed == 0
    hear(core, signed("a", Commit(0, 1, digest)), signed("c", Commit(0, 1, other)))
    assert core.executed == 0
    effects = hear(core, signed("d", Commit(0, 1, digest)))
    assert core.executed == 1 and Reply("k", Response(1, Opened((1, 0)))) in effects


def test_a_replica_that_restarts_keeps_its_word() -> None:
    core = replica()
    effects = core.step(Received("a", proposal(ONE))) + hear(core, signed("c", Prepare(0, 1, digest_of_batch(ONE))))
    again = replica(records=written(effects))
    assert not written(hear(again, proposal(TWO)))
    assert [each.digest for each in again.certificates()] == [digest_of_batch(ONE)]
    assert sent(hear(again, signed("d", Commit(0, 1, digest_of_batch(ONE)))), Commit) == []
    hear(again, signed("a", Commit(0, 1, digest_of_batch(ONE))))
    assert again.executed == 1


def test_a_request_that_waits_too_long_makes_a_replica_leave_the_view() -> None:
    core = replica()
    core.step(Requested("k", ONE[0]))
    effects = [each for _ in range(Options().suspect_ticks + 1) for each in core.step(Tick(0))]
    assert sent(effects, ViewChange) == [] and core.view == 1
    assert sent(hear(core), ViewChange) == [ViewChange(1, BEGINNING, ())]
    assert not written(hear(core, proposal(ONE)))


def test_a_new_view_has_to_propose_what_its_view_changes_oblige_it_to() -> None:
    """`b`, the primary of view 1, shows a certificate; `d` does not follow it when it proposes something else."""
    core = replica("b")
    hear(core, proposal(ONE), signed("c", Prepare(0, 1, digest_of_batch(ONE))))
    core.step(Requested("k", TWO[0]))
    for _ in range(Options().suspect_ticks + 1):
        core.step(Tick(0))
    changes = [signed(name, ViewChange(1, BEGINNING, ())) for name in ("a", "c")]
    (begun,) = sent(hear(core, *changes), NewView)
    assert [each.digest for each, _ in begun.proposals] == [digest_of_batch(ONE)]
    nothing = PrePrepare(1, 1, digest_of_batch(()))
    other = NewView(1, begun.changes, ((nothing, keys_of("b").sign(nothing)),))
    fewer = NewView(1, begun.changes[:2], begun.proposals)
    follower = replica("d")
    for each in (signed("b", other), signed("b", fewer), signed("b", begun, by="c"), signed("c", begun)):
        assert not written(hear(follower, each))
    hear(follower, signed("b", begun))
    assert (follower.view, follower.is_active, follower.obliged) == (1, True, {1: digest_of_batch(ONE)})


def test_nothing_that_a_liar_can_send_makes_a_replica_fall_over() -> None:
    """Statements that it has signed, of any views, numbers, certificates and checkpoints, in any order; and what is not signed."""
    random, core = Random(1), replica()
    numbers = (0, 1, 2, 3, 128, 256, 257, 2**62)
    digests = (digest_of_batch(ONE), digest_of_batch(TWO), digest_of_batch(()), b"")

    def number() -> int:
        return random.choice(numbers)

    def votes(statement: Statement) -> tuple[tuple[str, bytes], ...]:
        own = keys_of("a").sign(statement)
        return tuple((name, own) for name in random.choices((*NAMES, "e"), k=random.randint(0, 5)))

    def stable() -> Stable:
        checkpoint = Checkpoint(number(), random.choice(digests), number())
        return random.choice((BEGINNING, Stable(checkpoint, votes(checkpoint))))

    def change() -> ViewChange:
        proofs = [Certificate(number(), number(), digest, votes(Prepare(0, 1, digest))) for digest in digests]
        return ViewChange(number(), stable(), tuple(random.choices(proofs, k=random.randint(0, 2))))

    def statement() -> Statement:
        kind = random.choice((PrePrepare, Prepare, Commit))
        changes = [Reported(name, each, keys_of("a").sign(each)) for name in NAMES if (each := change())]
        first = PrePrepare(number(), number(), random.choice(digests))
        return random.choice(
            (
                kind(number(), number(), random.choice(digests)),
                Checkpoint(number(), random.choice(digests), number()),
                change(),
                NewView(number(), tuple(changes), ((first, keys_of("a").sign(first)),)),
            )
        )

    def message() -> Message:
        batch = random.choice((ONE, TWO, (), (Execute(ONE[0].order, b""),)))
        unsigned = (
            Propose(signed("a", statement()), batch),
            Relay(random.choice(ONE + TWO)),
            WantBatch(number(), random.choice(digests)),
            TheBatch(number(), batch),
            Progress(number(), random.random() < 0.5, number(), number(), number()),
            WantState(number(), number()),
            Piece(number(), number(), b"?"),
            stable(),
        )
        return signed("a", statement()) if random.random() < 0.5 else random.choice(unsigned)

    for _ in range(400):
        hear(core, message())
        core.step(Tick(0))
    assert core.executed == 0 and core.low == 0


def test_a_client_believes_what_two_of_four_say() -> None:
    client = Client("k", MEMBERS, secret_of("owner"), SCHEME)
    client.step(Requested("", Put("x", "1")))
    asked = client.step(Received("a", Response(2, Opened((1, 0)))), Received("b", Response(2, Opened((1, 0)))))
    assert [each.target for each in asked if isinstance(each, Send)] == list(NAMES)
    lies = [Received("a", Response(1, Value("lie")))] * 3 + [Received("stranger", Response(1, Value("lie")))]
    assert client.step(*lies) == []
    assert client.step(Received("b", Response(1, Done())), Received("c", Response(1, Done()))) == [Reply("", Done())]


def test_an_order_is_executed_once_and_a_session_belongs_to_its_client() -> None:
    store = Store(sessions_max=1)
    assert store.execute(ordered(1).order, (1, 0)) == store.execute(ordered(1).order, (2, 0)) == Opened((1, 0))
    put = ordered(2, Put("x", "1"), (1, 0)).order
    assert store.execute(put, (3, 0)) == Done()
    state = store.snapshot()
    assert store.execute(put, (4, 0)) == store.recall(put) == Done() and store.snapshot() == state
    stolen = Order(PUBLIC["a"], (1, 0), 3, 0, Put("x", "2"))
    assert store.execute(stolen, (5, 0)) == Expired()
    store.execute(Order(PUBLIC["a"], (0, 0), 1, 0, Open()), (6, 0))
    assert store.execute(put, (7, 0)) == Expired()


def test_keys_are_files_and_what_is_none_is_named(tmp_path: Path) -> None:
    make_keys(tmp_path, NAMES)
    assert (tmp_path / "a.key").stat().st_mode & 0o077 == 0
    statement = Commit(0, 1, b"")
    authority, other = read_authority(tmp_path, "a", NAMES), read_authority(tmp_path, "b", NAMES)
    signature = authority.sign(statement)
    assert other.has_signed("a", statement, signature) and not other.has_signed("c", statement, signature)
    assert not other.has_signed("a", Commit(0, 2, b""), signature) and not other.has_signed("e", statement, signature)
    assert not other.is_of_owner(b"short", statement, signature) and not other.has_signed("a", statement, b"short")
    (tmp_path / "c.pub").write_text("no key")
    with pytest.raises(ValueError, match=r"c\.pub has no key"):
        read_authority(tmp_path, "a", NAMES)
    (tmp_path / "c.pub").write_bytes((tmp_path / "b.pub").read_bytes())
    with pytest.raises(ValueError, match=r"c\.key is not the key that the others know c by"):
        read_authority(tmp_path, "c", NAMES)
    (tmp_path / "a.key").unlink()
    with pytest.raises(ValueError, match=r"a\.key, a key of the cluster, cannot be read"):
        read_authority(tmp_path, "a", NAMES)


def test_a_node_without_its_key_says_so_and_is_not_started_again(tmp_path: Path) -> None:
    members = dict.fromkeys(NAMES, "127.0.0.1:1")
    settings = {"keys": str(tmp_path)}
    config = NodeConfig("c", "pbft", "a", "127.0.0.1:0", members, str(tmp_path / "data"), settings=settings)
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config))
    command = [sys.executable, "-m", "quorate_impl.runtime", str(tmp_path / "config.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == MISCONFIGURED and "cannot be read" in done.stderr and "Traceback" not in done.stderr
