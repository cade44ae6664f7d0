"""PostgreSQL: streaming replication under each `synchronous_commit`, reads at the standby, and isolation levels.

    python -m examples.real.postgresql

One primary and one standby, whose stream goes through a proxy. What `primary_backup` says of a scheme is looked for in the
setting that is this scheme: acknowledged writes that a failover loses, and session guarantees of reads. The isolation levels
are judged on recorded transactions. Sources: the manual of PostgreSQL 15, "Log-Shipping Standby Servers" (27.2),
"Transaction Isolation" (13.2), `synchronous_commit` (20.5).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

from quorate import Spec
from quorate_specs.replication.primary_backup import (
    Asynchronous,
    PrimaryBackup,
    ReadAnyReplica,
    ReadAnyReplicaAgain,
    Synchronous,
)
from quorate_specs.transactions.isolation import Isolation, ReadSkew, SnapshotIsolation, WriteSkew

from examples.real.harness import (
    Client,
    Finding,
    Losses,
    Missing,
    Proxy,
    Recorder,
    Rejected,
    Server,
    Step,
    failover,
    free_port,
    main,
    program,
    reads,
    sought,
    transactions,
    unprivileged,
    workspace,
)
from examples.real.variants import RemoteApply

try:
    import psycopg
except ImportError:
    psycopg = None

USER = "postgres"
NEEDS = "apt-get install postgresql-15, pip install 'psycopg[binary]'"
LAG_S = 0.2
KEYS = 3
TABLES = f"""
    CREATE TABLE ledger (number int PRIMARY KEY);
    CREATE TABLE register (key text PRIMARY KEY, value int);
    CREATE TABLE list (key int PRIMARY KEY, items int[] NOT NULL);
    INSERT INTO register VALUES ('x', NULL), ('y', NULL);
    INSERT INTO list SELECT key, '{{}}' FROM generate_series(0, {KEYS - 1}) AS key;
"""


class Session:
    """A connection to one server, whose statements are transactions of their own unless they are bracketed."""

    def __init__(self, port: int, setting: str = "on") -> None:
        self._connection = psycopg.connect(
            host="127.0.0.1", port=port, user=USER, dbname="postgres", autocommit=True, connect_timeout=5
        )
        self.ask(f"SET synchronous_commit = {setting}")

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []

    def cancel(self) -> None:
        self._connection.cancel()

    def add(self, number: int) -> None:
        self.ask("INSERT INTO ledger VALUES (%s)", number)

    def members(self) -> list[int]:
        return [number for (number,) in self.ask("SELECT number FROM ledger")]

    def write(self, key: str, value: int) -> None:
        self.ask("UPDATE register SET value = %s WHERE key = %s", value, key)

    def read(self, key: str) -> int | None:
        value: int | None = self.ask("SELECT value FROM register WHERE key = %s", key)[0][0]
        return value

    def transact(self, isolation: str, steps: list[Step]) -> list[Step]:
        """Perform steps on lists in one transaction. Raises `Rejected` if it is rolled back."""
        try:
            self.ask(f"BEGIN ISOLATION LEVEL {isolation}")
            done = [self._step(*step) for step in steps]
            self.ask("COMMIT")
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as failure:
            self.ask("ROLLBACK")
            raise Rejected from failure
        return done

    def _step(self, kind: str, key: int, item: int | None) -> Step:
        if kind == "append":
            self.ask("UPDATE list SET items = items || %s::int WHERE key = %s", item, key)
            return [kind, key, item]
        return [kind, key, self.ask("SELECT items FROM list WHERE key = %s", key)[0][0]]


class Pair:
    """A primary and a standby that is synchronous for whoever asks for it, with a proxy between them."""

    def __init__(self, folder: Path, there_s: float = 0.0, back_s: float = 0.0) -> None:
        self._folder = folder
        self.primary = free_port()
        primary_folder = self._initialized()
        self._primary = self._start(primary_folder, self.primary)
        Session(self.primary, "local").ask(TABLES)
        self.proxy = Proxy(self.primary)
        self.standby = free_port()
        self._run(
            "pg_basebackup", "-R", "--checkpoint=fast", "--no-sync", "-D", f"{folder}/standby", "-d", self._address()
        )
        self._standby = self._start(folder / "standby", self.standby)
        self._primary.until(lambda: self._state() == "streaming")
        Session(self.primary, "local").ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        Session(self.primary, "local").ask("SELECT pg_reload_conf()")
        self._primary.until(lambda: self._state("sync_state") == "sync")
        self.lag(there_s, back_s)

    def lag(self, there_s: float = 0.0, back_s: float = 0.0) -> None:
        """From now on, what the primary sends arrives so much later, and the standby's answers as much."""
        self.proxy.there_s, self.proxy.back_s = back_s, there_s  # It is the standby that calls.

    def crash_primary(self) -> None:
        """The primary is gone, with whatever it has sent that has not arrived."""
        self._primary.pause()
        self.proxy.close()
        self._primary.kill()

    def promote(self) -> Session:
        session = Session(self.standby, "local")
        session.ask("SELECT pg_promote()")
        return session

    def reset(self) -> None:
        """All lists and registers are empty, at both servers."""
        self.lag()
        session = Session(self.primary, "remote_apply")
        session.ask("UPDATE register SET value = NULL")
        session.ask("UPDATE list SET items = '{}'")

    def close(self) -> None:
        """End both servers, and remove the piece of shared memory by which a server that was killed would be known."""
        self.proxy.close()
        for server in (self._primary, self._standby):
            server.kill()
        for lock in self._folder.glob("*/postmaster.pid"):
            _key, number = lock.read_text().splitlines()[6].split()
            subprocess.run(["ipcrm", "-m", number], capture_output=True, check=False)

    def _state(self, column: str = "state") -> str:
        return str(Session(self.primary, "local").ask(f"SELECT {column} FROM pg_stat_replication")[0][0])

    def _address(self) -> str:
        return f"host=127.0.0.1 port={self.proxy.port} user={USER} application_name=standby"

    def _initialized(self) -> Path:
        primary = self._folder / "primary"
        self._run(
            "initdb",
            "--no-locale",
            "--encoding=UTF8",
            "--auth=trust",
            "--no-sync",
            f"--username={USER}",
            "-D",
            str(primary),
        )
        return primary

    def _start(self, data: Path, port: int) -> Server:
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            "dynamic_shared_memory_type": "mmap",  # In the folder, and so removed with it.
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = Server(
            [*unprivileged(USER), executable("postgres"), "-D", str(data), *arguments],
            self._folder / f"{data.name}.log",
        )
        server.until(lambda: Session(port, "local"))
        return server

    def _run(self, name: str, *arguments: str) -> None:
        command = [*unprivileged(USER), executable(name), *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True)
        if done.returncode:
            raise ChildProcessError(f"{name}: {done.stderr}")


def executable(name: str) -> str:
    if psycopg is None:
        raise Missing(f"psycopg is not installed ({NEEDS})")
    return program(name, NEEDS, "/usr/lib/postgresql/*/bin")


@contextmanager
def pair(there_s: float = 0.0, back_s: float = 0.0) -> Iterator[Pair]:
    """A fresh pair, where what the primary sends arrives `there_s` later, and the standby's answers `back_s` later."""
    executable("postgres")
    with workspace(USER if os.geteuid() == 0 else None) as folder, closing(Pair(folder, there_s, back_s)) as servers:
        yield servers


# What is asked


def failovers() -> Iterator[Finding]:
    """Four clients insert numbers, the primary is killed, the standby is promoted and read: which acknowledged ones are lost?"""
    schemes: list[tuple[str, float, type[Spec]]] = [
        ("off", 0.2, Asynchronous),
        ("local", 0.2, Asynchronous),
        ("on", 0.02, PrimaryBackup),
        ("remote_apply", 0.02, PrimaryBackup),
    ]
    for setting, lag_s, spec in schemes:
        recorder = fail_over(setting, lag_s)
        losses = Losses.of(recorder)
        yield Finding(
            f"failover-{setting}",
            f"synchronous_commit={setting}, the stream {lag_s * 1000:.0f} ms late; primary killed, standby promoted",
            str(losses),
            losses.lost > 0,
            spec,
            "acknowledged_survives",
            recorder,
        )


def fail_over(setting: str, lag_s: float) -> Recorder:
    with pair(there_s=lag_s) as servers:
        return failover(
            connect=lambda: Session(servers.primary, setting).add,
            crash=servers.crash_primary,
            survivors=lambda: servers.promote().members(),
        )


def unreachable(patience_s: float = 1.0) -> Iterator[Finding]:
    """The synchronous standby is cut off: a write waits for it, until the client has had enough and cancels the statement.

    The server then says that the row is inserted, with a warning that it "may not have been replicated to the standby"."""
    recorder = Recorder()
    client = Client(recorder)
    with pair() as servers:
        session = Session(servers.primary, "on")
        client.ask("add", lambda: session.add(0), 0)
        servers.proxy.cut()
        impatience = Timer(patience_s, session.cancel)
        impatience.start()
        begun = monotonic()
        client.ask("add", lambda: session.add(1), 1)
        waited_s = monotonic() - begun
        servers.crash_primary()
        client.ask("read", lambda: servers.promote().members())
    yield Finding(
        "unreachable",
        "synchronous_commit=on, the standby cut off",
        f"a write has waited for {waited_s:.1f} s, until the client cancelled it",
        waited_s >= patience_s,
        Synchronous,
        "every_transaction_is_acknowledged",
    )
    losses = Losses.of(recorder)
    yield Finding(
        "cancelled",
        "synchronous_commit=on, the standby cut off, the waiting statement cancelled; primary killed, standby promoted",
        f"{losses}: the cancelled statement was answered with success and a warning",
        losses.lost > 0,
        Asynchronous,
        "acknowledged_survives",
        recorder,
    )


@dataclass(frozen=True)
class Reading:
    """Three clients write at the primary, each then reads at the nodes named by `where` (p, s), one after the other.

    Of a register, `monotonic-reads` alone is violated by going back to its beginning only; that a session's reads go forth and back
    between two values violates `causal-memory`, the weakest level that gives a session one order for all that it has read."""

    name: str
    setting: str
    where: str
    level: str
    spec: type[Spec]
    promise: str
    synchronous_commit: str = "local"
    there_s: float = 0.0
    back_s: float = 0.0
    replays: bool = True


TRIES = (
    5  # An anomaly takes two clients that meet, which was never missing; a loaded machine may need more than one try.
)
READINGS = (
    Reading("primary", "reads at the primary", "p", "linearizable", PrimaryBackup, "read_your_writes"),
    Reading(
        "standby",
        "local, the stream late, reads at the standby",
        "s",
        "read-your-writes",
        ReadAnyReplica,
        "read_your_writes",
        there_s=0.05,
    ),
    Reading(
        "both",
        "local, the stream late, reads at the primary, then at the standby",
        "ps",
        "monotonic-reads",
        ReadAnyReplicaAgain,
        "monotonic_reads",
        there_s=0.05,
    ),
    Reading(
        "flushed",
        "on, the standby does not replay, reads at the standby",
        "s",
        "read-your-writes",
        ReadAnyReplica,
        "read_your_writes",
        "on",
        replays=False,
    ),
    Reading(
        "applied",
        "remote_apply, reads at the standby",
        "s",
        "read-your-writes",
        RemoteApply,
        "read_your_writes",
        "remote_apply",
    ),
    Reading(
        "applied-both",
        "remote_apply, the standby's answers late, reads at the standby, the primary, the standby",
        "sps",
        "causal-memory",
        RemoteApply,
        "monotonic_reads",
        "remote_apply",
        back_s=0.05,
    ),
)


def sessions() -> Iterator[Finding]:
    """Session guarantees of reads at either server."""
    with pair() as servers:
        for reading in READINGS:
            yield sought(partial(read_and_judge, servers, reading), TRIES)


def read_and_judge(servers: Pair, reading: Reading, _: int) -> Finding:
    recorder = read(servers, reading)
    return Finding.judged(reading.name, reading.setting, recorder, reading.level, reading.spec, reading.promise)


def read(servers: Pair, reading: Reading) -> Recorder:
    ports = {"p": servers.primary, "s": servers.standby}
    servers.reset()
    servers.lag(reading.there_s, reading.back_s)
    standby = Session(servers.standby, "local")
    if not reading.replays:
        standby.ask("SELECT pg_wal_replay_pause()")
    recorder = reads(
        lambda: (
            Session(servers.primary, reading.synchronous_commit),
            [Session(ports[where]) for where in reading.where],
        ),
        rounds=20,
        pause_s=0.02,
    )
    standby.ask("SELECT pg_wal_replay_resume()")
    return recorder


@dataclass(frozen=True)
class Isolated:
    """Transactions at an isolation level of the server, judged against a level of consistency."""

    asked: str
    level: str
    spec: type[Spec]
    promise: str


ISOLATED = (
    Isolated("READ COMMITTED", "snapshot-isolation", ReadSkew, "snapshot_isolation"),
    Isolated("REPEATABLE READ", "snapshot-isolation", SnapshotIsolation, "snapshot_isolation"),
    Isolated("REPEATABLE READ", "serializable", WriteSkew, "no_write_skew"),
    Isolated("SERIALIZABLE", "serializable", Isolation, "serializable"),
)


def isolation() -> Iterator[Finding]:
    """Five clients append to lists and read them in transactions, which are judged against the level they asked for."""
    with pair() as servers:
        for case in ISOLATED:
            yield sought(partial(transact_and_judge, servers, case), TRIES)


def transact_and_judge(servers: Pair, case: Isolated, seed: int) -> Finding:
    recorder = transact(servers, case.asked, seed)
    name = f"{case.asked.lower().replace(' ', '-')}-{case.level}"
    return Finding.judged(name, f"transactions under {case.asked}", recorder, case.level, case.spec, case.promise)


def transact(servers: Pair, isolation_level: str, seed: int) -> Recorder:
    servers.reset()
    return transactions(
        lambda: partial(Session(servers.primary, "local").transact, isolation_level), count=200, keys=KEYS, seed=seed
    )


PARTS = (failovers, unreachable, sessions, isolation)

if __name__ == "__main__":
    main("PostgreSQL, a primary and a standby", *PARTS)
