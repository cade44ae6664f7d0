"""ZooKeeper: a read is local to the server that is asked, unless a `sync` goes before it.

    python -m examples.real.zookeeper

Three servers, where everything that the others get from the leader is late. Reads at a follower are held to `cap`. Source: the
documentation of ZooKeeper 3.8, "Consistency Guarantees".
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from quorate_specs.consistency.cap import AsPublished, MajorityWritesAnyReads
from quorate_specs.replication.primary_backup import PrimaryBackup

from examples.real.harness import (
    Finding,
    Losses,
    Missing,
    Proxy,
    Recorder,
    Server,
    failover,
    free_port,
    main,
    program,
    reads,
    until,
    workspace,
)

try:
    from kazoo.client import KazooClient
except ImportError:
    KazooClient = None

logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # A server that is not up yet is no news.

NEEDS = "apt-get install zookeeper, pip install kazoo"
JAR = Path("/usr/share/java/zookeeper.jar")
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
LAG_S = 0.1


class Session:
    """A connection to one server, which may ask it to catch up with the leader before each read."""

    def __init__(self, port: int, syncs: bool = False) -> None:
        self._client = KazooClient(hosts=f"127.0.0.1:{port}", timeout=20)
        self._client.start(timeout=30)
        self._syncs = syncs

    def write(self, key: str, value: int) -> None:
        self._client.set(f"/{key}", str(value).encode())

    def read(self, key: str) -> int | None:
        if self._syncs:
            self._client.sync(f"/{key}")
        value, _ = self._client.get(f"/{key}")
        return int(value) if value else None

    def add(self, number: int) -> None:
        self._client.create(f"/ledger/{number}")

    def members(self) -> list[int]:
        self._client.sync("/ledger")
        return [int(name) for name in self._client.get_children("/ledger")]

    def create(self, *paths: str) -> None:
        for path in paths:
            self._client.create(path)

    def has(self, path: str) -> bool:
        return self._client.exists(path) is not None


class Ensemble:
    """Three servers by their ports. If they are `apart`, the others reach each through a proxy: a follower calls the leader, who
    answers with its log. It also tells them the addresses that it knows, its own among them, so that they find no other leader."""

    def __init__(self, folder: Path, apart: bool) -> None:
        self.ports = [free_port() for _ in range(3)]
        quorum, election = [free_port() for _ in self.ports], [free_port() for _ in self.ports]
        self._proxies = [Proxy(port) for port in quorum]
        self._servers = []
        for number, port in enumerate(self.ports):
            data = folder / f"data-{number}"
            data.mkdir()
            (data / "myid").write_text(str(number + 1))
            reached = [proxy.port if apart and at != number else quorum[at] for at, proxy in enumerate(self._proxies)]
            settings = [
                "tickTime=1000",
                "initLimit=30",
                "syncLimit=10",
                f"dataDir={data}",
                f"clientPort={port}",
                "clientPortAddress=127.0.0.1",
                "4lw.commands.whitelist=srvr",
                "admin.enableServer=false",
                *(f"server.{at + 1}=127.0.0.1:{reached[at]}:{election[at]}" for at in range(3)),
            ]
            file = folder / f"zoo-{number}.cfg"
            file.write_text("\n".join(settings))
            command = [program("java", NEEDS), "-Xmx128m", "-cp", str(JAR), MAIN, str(file)]
            self._servers.append(Server(command, folder / f"server-{number}.log"))
        self.leader = self._servers[0].until(self._leader)
        session = Session(self.leader)
        session.create("/x", "/y", "/ledger")
        until(lambda: all(Session(port).has("/ledger") for port in self.ports), "all servers are up")

    def delay(self) -> None:
        self._proxies[self.ports.index(self.leader)].back_s = LAG_S

    def follower(self) -> int:
        return next(port for port in self.ports if port != self.leader)

    def crash_leader(self) -> None:
        self._servers[self.ports.index(self.leader)].kill()

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()

    def _leader(self) -> int:
        modes = {port: told(port) for port in self.ports}
        (leader,) = (port for port, mode in modes.items() if "Mode: leader" in mode)
        assert all("Mode:" in mode for mode in modes.values())
        return leader


def told(port: int) -> str:
    """What a server says of itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"srvr")
        return connection.makefile().read()


@contextmanager
def ensemble(apart: bool) -> Iterator[Ensemble]:
    if KazooClient is None or not JAR.exists():
        raise Missing(f"ZooKeeper is not installed ({NEEDS})")
    with workspace() as folder, closing(Ensemble(folder, apart)) as servers:
        yield servers


def followers() -> Iterator[Finding]:
    """Three clients write at the leader and read at a follower."""
    for syncs in (True, False):
        spec = AsPublished if syncs else MajorityWritesAnyReads
        setting = (
            f"reads at a follower that hears of commits {LAG_S * 1000:.0f} ms late{', after a sync' if syncs else ''}"
        )
        name = "synced" if syncs else "local"
        yield Finding.judged(name, setting, record(syncs), "linearizable", spec, "every_run_is_linearizable")


def record(syncs: bool) -> Recorder:
    with ensemble(apart=True) as servers:
        servers.delay()
        return reads(lambda: (Session(servers.leader), [Session(servers.follower(), syncs)]), rounds=10)


def failovers() -> Iterator[Finding]:
    """Four clients create nodes, the leader is killed, and another server is asked for all of them."""
    with ensemble(apart=False) as servers:
        recorder = failover(
            connect=lambda: Session(servers.leader).add,
            crash=servers.crash_leader,
            survivors=lambda: until(lambda: Session(servers.follower()).members(), "another leader"),
        )
    losses = Losses.of(recorder)
    yield Finding(
        "failover", "leader killed", str(losses), losses.lost > 0, PrimaryBackup, "acknowledged_survives", recorder
    )


PARTS = (followers, failovers)

if __name__ == "__main__":
    main("ZooKeeper, three servers", *PARTS)
