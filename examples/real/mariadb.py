"""MariaDB: asynchronous and semi-synchronous replication, and what its lag metric says when replication has stopped.

    python -m examples.real.mariadb

Failovers are held to `primary_backup`, the metric to `replication_lag`. Sources: the documentation of MariaDB, "Semisynchronous
Replication" and "SHOW REPLICA STATUS" (`Seconds_Behind_Master`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from quorate import Spec
from quorate_specs.replication.primary_backup import Asynchronous, PrimaryBackup
from quorate_specs.replication.replication_lag import AllReceivedIsApplied, AsPublished, ReplicationLag

from examples.real.harness import (
    Client,
    Finding,
    Losses,
    Missing,
    Proxy,
    Recorder,
    Server,
    at_work,
    failover,
    free_port,
    main,
    program,
    until,
    workspace,
)

try:
    import pymysql
except ImportError:
    pymysql = None

NEEDS = "apt-get install mariadb-server, pip install PyMySQL"
USER = "mysql"


class Session:
    """A connection to one server, whose statements are transactions of their own."""

    def __init__(self, port: int) -> None:
        self._connection = pymysql.connect(
            host="127.0.0.1", port=port, user="root", autocommit=True, cursorclass=pymysql.cursors.DictCursor
        )

    def ask(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def add(self, number: int) -> None:
        self.ask("INSERT INTO test.ledger VALUES (%s)", number)

    def members(self) -> list[int]:
        return [row["number"] for row in self.ask("SELECT number FROM test.ledger")]


class Pair:
    """A primary and a replica, with a proxy between them; semi-synchronous if there is a time for which a commit waits."""

    def __init__(self, folder: Path, patience_ms: int | None = None) -> None:
        self._folder = folder
        self.primary, self.replica = free_port(), free_port()
        semi = [] if patience_ms is None else ["--rpl-semi-sync-master-enabled", "--rpl-semi-sync-slave-enabled"]
        settings = [*semi, f"--rpl-semi-sync-master-timeout={patience_ms or 10_000}"]
        self._primary = self._start("primary", self.primary, 1, *settings)
        self._start("replica", self.replica, 2, *settings)
        self.proxy = Proxy(self.primary)
        replica = Session(self.replica)
        replica.ask(
            "CHANGE MASTER TO master_host='127.0.0.1', master_user='root', master_use_gtid=slave_pos, "
            f"master_connect_retry=1, master_port={self.proxy.port}"
        )
        replica.ask("START SLAVE")
        primary = Session(self.primary)
        primary.ask("CREATE DATABASE test")
        primary.ask("CREATE TABLE test.ledger (number int PRIMARY KEY)")
        primary.ask("CREATE TABLE test.heartbeat (number int PRIMARY KEY, at double)")
        until(lambda: replica.ask("SELECT * FROM test.heartbeat") == [], "replication")
        if patience_ms is not None:
            until(
                lambda: primary.ask("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")[0]["Value"] == "1", "replication"
            )

    def crash_primary(self) -> None:
        self._primary.pause()
        self.proxy.close()
        self._primary.kill()

    def promote(self) -> Session:
        """The replica applies all that it has received, and is the primary."""
        session = Session(self.replica)
        received = self.status()["Gtid_IO_Pos"]
        session.ask("SELECT MASTER_GTID_WAIT(%s, 60)", received)
        session.ask("STOP SLAVE")
        return session

    def status(self) -> dict[str, Any]:
        return Session(self.replica).ask("SHOW SLAVE STATUS")[0]

    def _start(self, name: str, port: int, number: int, *settings: str) -> Server:
        as_user = [f"--user={USER}"] if os.geteuid() == 0 else []
        data = f"--datadir={self._folder / name}"
        install = [
            program("mariadb-install-db", NEEDS),
            "--no-defaults",
            *as_user,
            data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChildProcessError(f"mariadb-install-db: {done.stdout}{done.stderr}")
        command = [
            program("mariadbd", NEEDS, "/usr/sbin"),
            "--no-defaults",
            *as_user,
            data,
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={self._folder / name}.sock",
            f"--server-id={number}",
            "--log-bin",
            "--innodb-buffer-pool-size=16M",
            *settings,
        ]
        server = Server(command, self._folder / f"{name}.log")
        server.until(lambda: Session(port))
        return server


@contextmanager
def pair(patience_ms: int | None = None) -> Iterator[Pair]:
    if pymysql is None:
        raise Missing(f"PyMySQL is not installed ({NEEDS})")
    program("mariadbd", NEEDS, "/usr/sbin")
    with workspace(USER if os.geteuid() == 0 else None) as folder:
        servers = Pair(folder, patience_ms)
        with closing(servers.proxy):
            yield servers


# What is asked


def failovers() -> Iterator[Finding]:
    """Four clients insert numbers, the primary is killed, the replica applies what it has and is read: what is lost?"""
    cases: list[tuple[str, int | None, float, type[Spec]]] = [
        ("asynchronous", None, 0.2, Asynchronous),
        ("semi-synchronous", 60_000, 0.02, PrimaryBackup),
    ]
    for name, patience_ms, lag_s, spec in cases:
        recorder = fail_over(patience_ms, lag_s)
        losses = Losses.of(recorder)
        setting = f"{name}, the stream {lag_s * 1000:.0f} ms late; primary killed, replica promoted"
        yield Finding(
            f"failover-{name}", setting, str(losses), losses.lost > 0, spec, "acknowledged_survives", recorder
        )


def fail_over(patience_ms: int | None, lag_s: float) -> Recorder:
    with pair(patience_ms) as servers:
        servers.proxy.back_s = lag_s  # It is the replica that calls.
        return failover(
            connect=lambda: Session(servers.primary).add,
            crash=servers.crash_primary,
            survivors=lambda: servers.promote().members(),
        )


def impatience(patience_ms: int = 500) -> Iterator[Finding]:
    """The semi-synchronous replica is cut off: a commit waits for it, for a time that is set, and then is acknowledged all the same."""
    recorder = Recorder()
    client = Client(recorder)
    with pair(patience_ms) as servers:
        session = Session(servers.primary)
        client.ask("add", lambda: session.add(0), 0)
        servers.proxy.cut()
        begun = monotonic()
        client.ask("add", lambda: session.add(1), 1)
        waited_s = monotonic() - begun
        servers.crash_primary()
        client.ask("read", lambda: servers.promote().members())
    losses = Losses.of(recorder)
    yield Finding(
        "impatience",
        f"semi-synchronous with a timeout of {patience_ms} ms, the replica cut off; primary killed, replica promoted",
        f"{losses}, acknowledged after {waited_s:.1f} s",
        losses.lost > 0,
        Asynchronous,
        "acknowledged_survives",
        recorder,
    )


LIMIT_S = 1.0
WATCHED_S = 3.0


@dataclass(frozen=True)
class Sample:
    """What is true and what is shown of a replica: `metric` is `Seconds_Behind_Master`, `heartbeat` the age of the newest
    heartbeat that it has applied."""

    lag_s: float
    metric: float | None
    heartbeat_s: float

    def __str__(self) -> str:
        metric = "NULL" if self.metric is None else f"{self.metric:.0f}"
        return f"true lag {self.lag_s:.1f} s, Seconds_Behind_Master {metric}, by heartbeats {self.heartbeat_s:.1f} s"


def lag() -> Iterator[Finding]:
    """Replication stops, in two ways, while the primary takes writes. Does the alert on lag fire?"""
    with pair() as servers:
        sample = watch(servers, lambda: Session(servers.replica).ask("STOP SLAVE SQL_THREAD"))
        alert = f"the article's alert, lag above {LIMIT_S:.0f} s, "
        fires = sample.metric is not None and sample.metric > LIMIT_S
        silent = sample.lag_s > LIMIT_S and not fires
        observed = f"{sample}; {alert}{'is silent' if silent else 'fires'}"
        yield Finding("lag-stopped", "applying is stopped", observed, silent, AsPublished, "lag_is_alerted")
        silent = sample.lag_s > LIMIT_S and sample.heartbeat_s <= LIMIT_S
        observed = f"the same alert on heartbeats {'is silent' if silent else 'fires'}"
        yield Finding("lag-heartbeat", "the same", observed, silent, ReplicationLag, "lag_is_alerted")
    with pair() as servers:

        def stall() -> None:
            servers.proxy.back_s = 3600.0

        sample = watch(servers, stall)
        understates = sample.metric is not None and sample.metric < sample.lag_s
        setting = "the stream stalls, and its connection stays"
        promise = "lag_is_never_understated"
        yield Finding("lag-stalled", setting, str(sample), understates, AllReceivedIsApplied, promise)
        understates = sample.heartbeat_s < sample.lag_s
        yield Finding("lag-stalled-heartbeat", "the same", str(sample), understates, ReplicationLag, promise)


def watch(servers: Pair, stop: Callable[[], object]) -> Sample:
    """Write heartbeats, stop replication after a second, and look at the replica some time later."""
    written: list[float] = []

    def write(_: int, goes_on: Callable[[], bool]) -> None:
        session = Session(servers.primary)
        while goes_on():
            written.append(monotonic())
            session.ask("INSERT INTO test.heartbeat VALUES (%s, %s)", len(written), written[-1])
            sleep(0.1)

    with at_work(1, write):
        sleep(1.0)
        stop()
        sleep(WATCHED_S)
        metric = servers.status()["Seconds_Behind_Master"]
        applied = Session(servers.replica).ask("SELECT count(*) AS number, max(at) AS at FROM test.heartbeat")[0]
        now = monotonic()
        missing = written[applied["number"] :]
        return Sample(now - missing[0] if missing else 0.0, metric, now - applied["at"])


PARTS = (failovers, impatience, lag)

if __name__ == "__main__":
    main("MariaDB, a primary and a replica", *PARTS)
