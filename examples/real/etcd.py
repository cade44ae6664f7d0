"""etcd: a linearizable read is one, a serializable read is whatever the asked member has.

    python -m examples.real.etcd

Three members, where everything that the others read from the leader is late. Reads at a follower are held to `raft_reads` and
`cap`. Source: the documentation of etcd 3.4, "KV API guarantees".
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from quorate_specs.consensus.raft import Raft
from quorate_specs.consensus.raft_reads import RaftReads, ReadsAtDeposedLeader
from quorate_specs.consistency.cap import MajorityWritesAnyReads

from examples.real.harness import (
    Client,
    Finding,
    Losses,
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

NEEDS = "apt-get install etcd-server"
LAG_S = 0.1


class Session:
    """A connection to one member, by its HTTP gateway; reads are linearizable or `serializable`."""

    def __init__(self, port: int, serializable: bool = False) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._serializable = serializable

    def write(self, key: str, value: int) -> None:
        self.ask("kv/put", key=coded(key), value=coded(str(value)))

    def read(self, key: str) -> int | None:
        found = self.ask("kv/range", key=coded(key), serializable=self._serializable).get("kvs")
        return int(b64decode(found[0]["value"])) if found else None

    def add(self, number: int) -> None:
        self.write(f"ledger/{number}", number)

    def members(self) -> list[int]:
        found = self.ask("kv/range", key=coded("ledger/"), range_end=coded("ledger0"))
        return [int(b64decode(pair["value"])) for pair in found.get("kvs", ())]

    def ask(self, path: str, **fields: Any) -> dict[str, Any]:
        self._connection.request("POST", f"/v3/{path}", json.dumps(fields))
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.load(response)
        if response.status != 200:
            raise ConnectionError(answer)
        return answer


def coded(text: str) -> str:
    return b64encode(text.encode()).decode()


class Cluster:
    """Three members by their ports, each of which the others reach through a proxy. A follower calls the leader, who answers with
    its log."""

    def __init__(self, folder: Path) -> None:
        self.ports = [free_port() for _ in range(3)]
        peers = [free_port() for _ in self.ports]
        self._proxies = [Proxy(peer) for peer in peers]
        urls = [f"http://127.0.0.1:{proxy.port}" for proxy in self._proxies]
        members = ",".join(f"m{number}={url}" for number, url in enumerate(urls))
        self._servers = [
            Server(
                [
                    program("etcd", NEEDS),
                    f"--name=m{number}",
                    f"--data-dir={folder / f'm{number}'}",
                    f"--listen-peer-urls=http://127.0.0.1:{peers[number]}",
                    f"--initial-advertise-peer-urls={urls[number]}",
                    f"--listen-client-urls=http://127.0.0.1:{port}",
                    f"--advertise-client-urls=http://127.0.0.1:{port}",
                    f"--initial-cluster={members}",
                    "--heartbeat-interval=200",
                    "--election-timeout=2000",
                ],
                folder / f"m{number}.log",
            )
            for number, port in enumerate(self.ports)
        ]
        for server, port in zip(self._servers, self.ports, strict=True):
            server.until(lambda: Session(port).read("x") is None)  # noqa: B023
        self.leader = until(partial(self._leader, self.ports), "a leader")

    def delay(self) -> None:
        self._proxies[self.ports.index(self.leader)].back_s = LAG_S

    def follower(self) -> int:
        return next(port for port in self.ports if port != self.leader)

    def crash_leader(self) -> None:
        self._servers[self.ports.index(self.leader)].kill()

    def pause_leader(self) -> None:
        """The leader stops, and what was on its way to it or from it is lost."""
        self._servers[self.ports.index(self.leader)].pause()
        self.cut()
        for proxy in self._proxies:
            proxy.mend()

    def next_leader(self) -> int:
        """The leader of the others, as soon as they have one."""
        others = [port for port in self.ports if port != self.leader]
        return until(partial(self._leader, others), "another leader")

    def resume_alone(self) -> None:
        """The old leader goes on, and no member reaches another one: it has heard of nothing."""
        self.cut()
        self._servers[self.ports.index(self.leader)].resume()

    def cut(self) -> None:
        for proxy in self._proxies:
            proxy.cut()

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()

    def _leader(self, ports: list[int]) -> int:
        """Whom these members take for their leader, all of them, if it is one of them."""
        told = [Session(port).ask("maintenance/status") for port in ports]
        (leader,) = {status["leader"] for status in told}
        return next(port for port, status in zip(ports, told, strict=True) if status["header"]["member_id"] == leader)


@contextmanager
def cluster() -> Iterator[Cluster]:
    with workspace() as folder, closing(Cluster(folder)) as members:
        yield members


def followers() -> Iterator[Finding]:
    """Three clients write at the leader and read at a follower."""
    for serializable in (False, True):
        recorder = record(serializable)
        kind = "serializable" if serializable else "linearizable"
        spec, promise = (
            (MajorityWritesAnyReads, "every_run_is_linearizable") if serializable else (RaftReads, "linearizable_reads")
        )
        setting = f"{kind} reads at a follower that hears of commits {LAG_S * 1000:.0f} ms late"
        yield Finding.judged(kind, setting, recorder, "linearizable", spec, promise)


def deposed() -> Iterator[Finding]:
    """The leader is paused, the others elect another one, which writes; then the old one goes on, cut off, and is read."""
    recorder = Recorder()
    writer, reader = Client(recorder), Client(recorder)
    with cluster() as members:
        old = members.leader
        writer.ask("write", partial(Session(old).write, "x", 1), 1, "x")
        members.pause_leader()
        writer.ask("write", partial(Session(members.next_leader()).write, "x", 2), 2, "x")
        members.resume_alone()
        reader.ask("read", partial(Session(old, serializable=True).read, "x"), key="x")
        try:
            reader.ask("read", partial(Session(old).read, "x"), key="x")
            answered = "is answered"
        except OSError:
            answered = "has no answer"
    yield Finding(
        "deposed",
        "a leader that was paused and then cut off, read by a serializable read",
        f"it shows {recorder.events[-3]['value']}, after 2 was written; a linearizable read {answered}",
        recorder.violates("linearizable"),
        ReadsAtDeposedLeader,
        "linearizable_reads",
        recorder,
    )


def failovers() -> Iterator[Finding]:
    """Four clients add keys, the leader is killed, and another member is asked for all of them."""
    with cluster() as members:
        members.delay()
        recorder = failover(
            connect=lambda: Session(members.leader).add,
            crash=members.crash_leader,
            survivors=lambda: until(Session(members.follower()).members, "another leader"),
        )
    losses = Losses.of(recorder)
    yield Finding("failover", "leader killed", str(losses), losses.lost > 0, Raft, "leader_completeness", recorder)


def record(serializable: bool) -> Recorder:
    with cluster() as members:
        members.delay()
        return reads(lambda: (Session(members.leader), [Session(members.follower(), serializable)]), rounds=10)


PARTS = (followers, deposed, failovers)

if __name__ == "__main__":
    main("etcd, three members", *PARTS)
