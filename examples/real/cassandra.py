"""Cassandra: what consistency levels find of a write that one replica has missed, and whose clock decides between two writes.

    CASSANDRA_LIB=... python -m examples.real.cassandra

Three nodes with a replica each. Reads are held to `quorum_register`, timestamps to `lww_register`. Source: the documentation
of Cassandra 5.0, "Dynamo" (tunable consistency, timestamps).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from json import dumps
from pathlib import Path
from time import sleep, time
from typing import Any

from quorate import Spec
from quorate_specs.replication.lww_register import WallClock
from quorate_specs.replication.quorum_register import OneOne, Regular

from examples.real.harness import (
    Client,
    Finding,
    Missing,
    Recorder,
    Server,
    free_port,
    main,
    program,
    sought,
    until,
    workspace,
)

try:
    from cassandra import ConsistencyLevel
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import WhiteListRoundRobinPolicy
except ImportError:
    Cluster = None

NEEDS = (
    "a folder with the jars of org.apache.cassandra:cassandra-all 5.0 as $CASSANDRA_LIB, Java 17, "
    "and pip install cassandra-driver"
)
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
WRITE_TIMEOUT_S = 1.0
OPENED = (
    *(f"java.base/java.{name}" for name in ("io", "lang", "lang.module", "lang.reflect", "net", "nio", "util")),
    *(f"java.base/java.util.{name}" for name in ("concurrent", "concurrent.atomic")),
    *(f"java.base/jdk.internal.{name}" for name in ("loader", "math", "misc", "module", "ref", "reflect", "util.jar")),
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
)
EXPORTED = (
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
)
QUIET = "<configuration><root level='ERROR'/></configuration>"


class Session:
    """A connection to one node, which coordinates what it is asked, at one consistency level."""

    def __init__(self, address: str, port: int, level: str = "ONE") -> None:
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy([address]),
            consistency_level=getattr(ConsistencyLevel, level),
            request_timeout=30,
        )
        cluster = Cluster([address], port=port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, protocol_version=5)
        self._session = cluster.connect()

    def ask(self, statement: str, *values: Any) -> list[Any]:
        return list(self._session.execute(statement, values or None))

    def write(self, key: str, value: int, at_s: float | None = None) -> None:
        """Write a value, with the time that the client says it is, if it says one."""
        using = "" if at_s is None else f" USING TIMESTAMP {int(at_s * 1_000_000)}"
        self.ask(f"UPDATE test.register{using} SET value = %s WHERE key = %s", value, key)

    def read(self, key: str) -> int | None:
        found = self.ask("SELECT value FROM test.register WHERE key = %s", key)
        return int(found[0].value) if found else None


class Ring:
    """Three nodes, each with a replica of everything. What was missed is not handed over later, nor repaired by reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._storage_port = free_port(), free_port()
        (folder / "logback.xml").write_text(QUIET)
        self._nodes: dict[str, Server] = {}
        for number, address in enumerate(ADDRESSES):
            self._nodes[address] = self._start(number, address)
            self._nodes[address].until(lambda: Session(address, self.port), timeout_s=180)  # noqa: B023
        admin = self.session(ADDRESSES[0], "ALL")
        until(lambda: len(admin.ask("SELECT * FROM system.peers")) == len(ADDRESSES) - 1, "the ring is closed")
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 3}"
        admin.ask(f"CREATE KEYSPACE test WITH replication = {replication}")
        admin.ask(
            "CREATE TABLE test.register (key text PRIMARY KEY, value int) "
            "WITH read_repair = 'NONE' AND speculative_retry = 'NEVER'"
        )

    def session(self, address: str, level: str) -> Session:
        return Session(address, self.port, level)

    def pause(self, address: str) -> None:
        self._nodes[address].pause()

    def resume(self, address: str) -> None:
        self._nodes[address].resume()

    def _start(self, number: int, address: str) -> Server:
        data = self._folder / f"node-{number}"
        settings: Mapping[str, Any] = {
            "cluster_name": "quorate",
            "num_tokens": 1,
            "initial_token": str(-(2**63) + 1 + number * (2**64 // len(ADDRESSES))),
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": ADDRESSES[0]}],
                }
            ],
            "auto_bootstrap": False,
            "listen_address": address,
            "rpc_address": address,
            "storage_port": self._storage_port,
            "native_transport_port": self.port,
            "endpoint_snitch": "SimpleSnitch",
            "dynamic_snitch": False,
            "commitlog_sync": "periodic",
            "commitlog_sync_period": "10s",
            "hinted_handoff_enabled": False,
            "write_request_timeout": f"{WRITE_TIMEOUT_S:.0f}s",
            "read_request_timeout": "20s",
            "data_file_directories": [str(data / "data")],
            **{f"{name}_directory": str(data / name) for name in ("commitlog", "saved_caches", "hints", "cdc_raw")},
        }
        file = self._folder / f"node-{number}.yaml"
        file.write_text(dumps(settings))  # JSON is YAML.
        command = [
            program("java", NEEDS),
            *("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC"),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
            *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTED),
            f"-Dcassandra.config=file://{file}",
            f"-Dcassandra.storagedir={data}",
            f"-Dlogback.configurationFile={self._folder / 'logback.xml'}",
            "-Dcassandra.ring_delay_ms=2000",
            "-Dcassandra.skip_wait_for_gossip_to_settle=0",
            "-Dcassandra-foreground=yes",
            *("-cp", f"{libraries()}/*", "org.apache.cassandra.service.CassandraDaemon"),
        ]
        return Server(command, self._folder / f"node-{number}.log")


def libraries() -> str:
    folder = os.environ.get("CASSANDRA_LIB")
    if Cluster is None or folder is None or not any(Path(folder).glob("cassandra-all-*.jar")):
        raise Missing(f"Cassandra is not installed (it takes {NEEDS})")
    return folder


@contextmanager
def ring() -> Iterator[Ring]:
    libraries()
    with workspace() as folder:
        yield Ring(folder)


TRIES = 3  # A node that goes on after a pause may take its clock for older than the write that it is to drop.


def registers() -> Iterator[Finding]:
    """One replica misses a write, then a client reads there; and a client whose clock is ahead writes before another."""
    with ring() as nodes:
        cases: list[tuple[str, type[Spec]]] = [("ONE", OneOne), ("QUORUM", Regular)]
        for level, spec in cases:
            yield sought(partial(miss_and_judge, nodes, level, spec), TRIES)
        setting = "writes and reads at QUORUM, the first client's clock an hour ahead"
        yield Finding.judged("skew", setting, skew(nodes), "regular", WallClock, "later_write_wins")


def miss_and_judge(nodes: Ring, level: str, spec: type[Spec], number: int) -> Finding:
    setting = f"writes and reads at {level}, one replica paused while a write happens, then read there"
    recorder = miss(nodes, level, f"{level} {number}")
    return Finding.judged(level.lower(), setting, recorder, "regular", spec, "regular")


def miss(nodes: Ring, level: str, key: str) -> Recorder:
    recorder = Recorder()
    writer, reader = Client(recorder), Client(recorder)
    first, last = nodes.session(ADDRESSES[0], level), nodes.session(ADDRESSES[2], level)
    everywhere = nodes.session(ADDRESSES[0], "ALL")
    writer.ask("write", lambda: everywhere.write(key, 1), 1, key)
    nodes.pause(ADDRESSES[2])
    writer.ask("write", lambda: first.write(key, 2), 2, key)
    sleep(3 * WRITE_TIMEOUT_S)  # By then the write is too old for the paused node to take it.
    nodes.resume(ADDRESSES[2])
    sleep(0.5)
    reader.ask("read", lambda: last.read(key), key=key)
    return recorder


def skew(nodes: Ring) -> Recorder:
    recorder = Recorder()
    early, late = Client(recorder), Client(recorder)
    session = nodes.session(ADDRESSES[0], "QUORUM")
    early.ask("write", lambda: session.write("skew", 1, at_s=time() + 3600), 1, "skew")
    late.ask("write", lambda: session.write("skew", 2, at_s=time()), 2, "skew")
    late.ask("read", lambda: session.read("skew"), key="skew")
    return recorder


PARTS = (registers,)

if __name__ == "__main__":
    main("Cassandra, three nodes", *PARTS)
