"""Nodes, arbiter and client, message by message: who waits for whose disk, and what is told when something is lost."""

from __future__ import annotations

from collections.abc import Sequence

from quorate_impl.core import Core, Effect, Message, Persist, Persisted, Received, Record, Reply, Requested, Send, Tick
from quorate_impl.core import Started as Begins
from quorate_impl.primary_backup import ARBITER, Arbiter, Client, Options, PrimaryBackup
from quorate_impl.primary_backup.messages import (
    START,
    Append,
    Begin,
    Behind,
    Consistency,
    Done,
    Entry,
    Execute,
    FailOver,
    Fence,
    Fenced,
    Get,
    HardState,
    Lost,
    NotPrimary,
    Office,
    Open,
    Opened,
    Promote,
    Put,
    Query,
    Refused,
    Reign,
    Replicate,
    Report,
    Response,
    Result,
    Scheme,
    Session,
    Stored,
    Value,
)

MEMBERS = dict.fromkeys(("n1", "n2", "n3", ARBITER), "")
OPTIONS = Options(heartbeat_ticks=1_000, suspect_ticks=10, grace_ticks=3)
SESSION = (1, 2)
LOG = (Entry(1, Begin()), Entry(1, Session()))


def sync(core: Core) -> list[Effect]:
    return core.step(Persisted(core.written))


def sent(effects: list[Effect], kind: type[Message]) -> list[tuple[str, Message]]:
    return [
        (each.target, each.message) for each in effects if isinstance(each, Send) and isinstance(each.message, kind)
    ]


def answers(effects: list[Effect]) -> list[Result]:
    return [each.response.result for each in effects if isinstance(each, Reply) and isinstance(each.response, Response)]


def node(*records: Record, name: str = "n1") -> PrimaryBackup:
    core = PrimaryBackup(name, records, MEMBERS, OPTIONS)
    core.step(Begins())
    sync(core)
    return core


def primary() -> PrimaryBackup:
    """The primary of epoch 1, in whose log a session is open."""
    return node(HardState(1, Office.PRIMARY), Append(1, LOG))


def put(scheme: Scheme, number: int = 1, token: tuple[int, int] = START) -> Requested:
    return Requested("c", Execute(number, SESSION, number, 0, token, Put("k", str(number), scheme)))


def stored(name: str, length: int) -> Received:
    return Received(name, Stored(1, length, 0))


def test_each_scheme_is_acknowledged_by_its_own_disks() -> None:
    core = primary()
    for number, scheme in enumerate(Scheme, start=1):
        assert answers(core.step(put(scheme, number))) == []
    assert answers(sync(core)) == [Done((1, 5))]  # Asynchronous: the primary's own disk.
    assert answers(core.step(stored("n2", 5))) == [Done((1, 4))]  # Semi-synchronous: a majority.
    assert answers(core.step(stored("n3", 2))) == []
    assert answers(core.step(stored("n3", 5))) == [Done((1, 3))]  # Synchronous: all.


def test_the_primary_ships_what_its_own_disk_has() -> None:
    core = primary()
    core.step(stored("n2", 2))
    assert sent(core.step(put(Scheme.ASYNCHRONOUS)), Replicate) == []
    (shipped,) = [message for name, message in sent(sync(core), Replicate) if name == "n2"]
    assert isinstance(shipped, Replicate) and (shipped.prev_index, len(shipped.entries)) == (2, 1)


def test_an_update_that_is_asked_for_again_is_in_the_log_once() -> None:
    core = primary()
    core.step(put(Scheme.ASYNCHRONOUS))
    sync(core)
    assert answers(core.step(put(Scheme.ASYNCHRONOUS))) == [Done((1, 3))] and core.log.last_index == 3


def test_a_promise_is_told_when_it_is_on_the_disk_and_older_primaries_are_not_heard_any_more() -> None:
    core = node(HardState(1, Office.BACKUP), Append(1, LOG))
    assert sent(core.step(Received(ARBITER, Fence(2))), Fenced) == []
    assert sent(sync(core), Fenced) == [(ARBITER, Fenced(2, (1, 2)))]
    assert core.step(Received("n2", Replicate(1, 2, 1, (Entry(1, Session()),), 0, 0, 0))) == []
    again = node(HardState(2, Office.BACKUP), Append(1, LOG))
    assert again.step(Received("n2", Replicate(1, 2, 1, (Entry(1, Session()),), 0, 0, 0))) == []


def test_whoever_is_deposed_tells_its_clients_that_it_does_not_know() -> None:
    core = primary()
    core.step(put(Scheme.SYNCHRONOUS))
    sync(core)
    assert answers(core.step(Received("n2", Replicate(2, 0, 0, (), 0, 0, 0)))) == [NotPrimary(None)]
    assert not core.in_office() and answers(core.step(put(Scheme.ASYNCHRONOUS, 2))) == [NotPrimary("n2")]


def deposed(safe: int) -> PrimaryBackup:
    """A node that had an update at (1, 3), and follows a primary of epoch 2 which did not."""
    core = primary()
    core.step(put(Scheme.ASYNCHRONOUS))
    sync(core)
    core.step(Received("n2", Replicate(2, 2, 1, (Entry(2, Begin()),), safe, 0, 0)))
    sync(core)
    return core


def read(consistency: Consistency, token: tuple[int, int]) -> Requested:
    return Requested("c", Query(9, Get("k", consistency, token)))


def test_a_log_is_cut_on_rejoining_and_its_state_with_it() -> None:
    core = deposed(safe=2)
    assert core.log.last == (2, 3) and answers(core.step(read(Consistency.ANY, START))) == [Value(None)]


def test_what_is_lost_is_told_when_a_majority_goes_on_without_it() -> None:
    core = deposed(safe=2)
    assert answers(core.step(read(Consistency.SESSION, (1, 3)))) == [Behind()]
    assert answers(deposed(safe=3).step(read(Consistency.SESSION, (1, 3)))) == [Lost((1, 3))]
    assert answers(core.step(read(Consistency.ANY, (1, 3)))) == [Value(None)]
    assert (core.stale_reads, core.refused_reads) == (1, 1)


def test_an_update_after_a_loss_tells_it_and_a_later_epoch_deposes() -> None:
    core = node(HardState(2, Office.PRIMARY), Append(1, (*LOG, Entry(2, Begin()))))
    core.step(put(Scheme.ASYNCHRONOUS, token=(1, 3)))
    assert answers(sync(core)) == [Done((2, 4), lost=True)]
    assert answers(core.step(put(Scheme.ASYNCHRONOUS, 2, token=(3, 9)))) == [NotPrimary(None)]


# The arbiter


def arbiter(*records: Record) -> Arbiter:
    core = Arbiter(ARBITER, records, MEMBERS, OPTIONS)
    core.step(Begins())
    return core


def written(effects: list[Effect]) -> Sequence[Record]:
    return [record for each in effects if isinstance(each, Persist) for record in each.records]


def test_epoch_and_appointment_are_on_the_disk_before_anybody_hears_of_them() -> None:
    core = Arbiter(ARBITER, (), MEMBERS, OPTIONS)
    first = core.step(Begins())
    assert written(first) == [Reign(1, None)] and sent(first, Fence) == []
    assert [name for name, _ in sent(sync(core), Fence)] == ["n1", "n2", "n3"]
    for name, last in (("n1", (0, 0)), ("n2", (1, 4))):
        assert core.step(Received(name, Fenced(1, last))) == []
    assert sent(core.step(Tick(0), Tick(0)), Promote) == []  # It waits for the third, a little.
    appointed = core.step(Tick(0))
    assert written(appointed) == [Reign(1, "n2")] and sent(appointed, Promote) == []
    assert sent(sync(core), Promote) == [("n2", Promote(1))]


def test_an_arbiter_that_restarts_goes_on_in_its_epoch() -> None:
    core = arbiter(Reign(1, None), Reign(1, "n2"), Reign(2, None))
    assert (core.latest, core.elected) == (2, False)
    assert arbiter(Reign(2, "n3")).primary == "n3"


def test_a_silent_primary_is_suspected_and_one_that_reports_is_not() -> None:
    core = arbiter(Reign(1, "n1"))
    core.step(*[Tick(0)] * 9, Received("n1", Report(1, Office.PRIMARY)), *[Tick(0)] * 9)
    assert core.latest == 1
    core.step(Received("n2", Report(1, Office.BACKUP)), Tick(0))
    assert core.latest == 2 and not core.elected


def test_a_forced_failover_takes_who_is_there_and_is_done_once() -> None:
    core = arbiter(Reign(1, "n1"))
    force = Requested("c", FailOver(1, force=True))
    core.step(force, force)
    sync(core)
    assert core.latest == 2
    core.step(Received("n3", Fenced(2, (1, 4))), Tick(0), Tick(0), Tick(0))
    assert core.primary == "n3"
    sync(core)
    assert answers(core.step(Received("n3", Report(2, Office.PRIMARY)))) == [Done()]


# The client


def reply(source: str, id: int, result: Result) -> Received:
    return Received(source, Response(id, result))


def test_a_client_keeps_the_token_of_what_it_has_done_and_read() -> None:
    client = Client("c", MEMBERS)
    assert sent(client.step(Requested("a", Put("k", "v"))), Open) == [("n1", Open(2))]
    (asked,) = sent(client.step(reply("n1", 2, Opened(SESSION))), Execute)
    assert asked == ("n1", Execute(1, SESSION, 1, 0, START, Put("k", "v")))
    client.step(reply("n1", 1, Done((1, 3))))
    ((_, query),) = sent(client.step(Requested("b", Get("k", Consistency.SESSION))), Query)
    assert isinstance(query, Query) and query.get.token == (1, 3)
    ((target, _),) = sent(client.step(reply("n2", 3, Behind()), Tick(0)), Query)
    assert target != "n2"
    client.step(reply(target, 3, Lost((1, 3))))
    assert client.token == START


def test_a_failover_needs_the_arbiter() -> None:
    client = Client("c", {"n1": ""})
    (effect,) = client.step(Requested("a", FailOver(0, force=False)))
    assert isinstance(effect, Reply) and isinstance(effect.response, Refused)
