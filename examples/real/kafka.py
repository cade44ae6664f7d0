"""Kafka: which acknowledged records a failover loses, by `acks` and by who may be elected.

    KAFKA_LIB=... python -m examples.real.kafka

A controller and two brokers, whose replication goes through proxies. Held to `isr_log`. Sources: the documentation of Kafka 4,
"Replication", `acks`, `min.insync.replicas`, `unclean.leader.election.enable`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, ClassVar

from quorate import Spec
from quorate_specs.replication.isr_log import AcksOne, IsrLog, UncleanElection

from examples.real.harness import (
    Client,
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
    until,
    workspace,
)

try:
    import confluent_kafka
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    confluent_kafka = None

NEEDS = (
    "a folder with the jars of org.apache.kafka:kafka_2.13 and kafka-tools, version 4, as $KAFKA_LIB, Java 17, "
    "and pip install confluent-kafka"
)
TOPIC = "ledger"
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAA"
SESSION_MS = 3000


class Cluster:
    """A controller, and brokers 1 and 2 with one partition on both. `options` are for the Java virtual machines."""

    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, topic: dict[str, str], lag_s: float) -> None:
        self._folder = folder
        self._controller_port = free_port()
        controller = {"process.roles": "controller", "listeners": f"CONTROLLER://127.0.0.1:{self._controller_port}"}
        self._start(0, controller)
        self._ports = {broker: free_port() for broker in (1, 2)}
        self._replication = {broker: free_port() for broker in (1, 2)}
        self._proxies = {broker: Proxy(port) for broker, port in self._replication.items()}
        self._brokers = {broker: self._start_broker(broker) for broker in (1, 2)}
        until(lambda: len(self._admin().list_topics(timeout=5).brokers) == 2, "both brokers are up")
        admin = self._admin()
        admin.create_topics([NewTopic(TOPIC, 1, 2, config=topic)])[TOPIC].result()
        until(lambda: len(self.in_sync()) == 2, "both replicas are in sync")
        for proxy in self._proxies.values():
            proxy.back_s = lag_s  # It is the follower that calls.

    def leader(self) -> int:
        """The broker that leads the partition; -1 if none does."""
        return int(self._partition().leader)

    def in_sync(self) -> list[int]:
        return list(self._partition().isrs)

    def adder(self, acks: str) -> Callable[[int], None]:
        """A producer that sends one record at a time, once."""
        producer = confluent_kafka.Producer(self._client() | {"acks": acks, "retries": 0, "message.timeout.ms": 20_000})
        answers: list[Any] = []

        def add(number: int) -> None:
            producer.produce(TOPIC, str(number), on_delivery=lambda error, _: answers.append(error))
            producer.flush(30)
            if error := answers.pop():
                raise confluent_kafka.KafkaException(error)

        return add

    def kill(self, broker: int) -> None:
        self._brokers[broker].pause()
        self._proxies[broker].cut()
        self._brokers[broker].kill()

    def start(self, broker: int) -> None:
        self._brokers[broker].gone()
        self._proxies[broker].mend()
        self._brokers[broker] = self._start_broker(broker)
        until(lambda: broker in self._admin().list_topics(timeout=5).brokers, "the broker is up")

    def records(self) -> list[int]:
        """All records of the partition, as soon as it has a leader."""
        until(lambda: self.leader() > 0 and self._brokers[self.leader()].is_running, "the partition has a leader")
        consumer = confluent_kafka.Consumer(self._client() | {"group.id": "reader", "enable.auto.commit": False})
        partition = confluent_kafka.TopicPartition(TOPIC, 0, 0)
        consumer.assign([partition])
        _, end = until(lambda: consumer.get_watermark_offsets(partition, timeout=5), "the new leader has caught up")
        found: list[int] = []
        while len(found) < end:
            found += [int(message.value()) for message in consumer.consume(10_000, timeout=5) if not message.error()]
        consumer.close()
        return found

    def close(self) -> None:
        for proxy in self._proxies.values():
            proxy.close()

    def _partition(self) -> Any:
        return self._admin().list_topics(TOPIC, timeout=5).topics[TOPIC].partitions[0]

    def _client(self) -> dict[str, Any]:
        running = [port for broker, port in self._ports.items() if self._brokers[broker].is_running]
        return {"bootstrap.servers": ",".join(f"127.0.0.1:{port}" for port in running), "log_level": 0}

    def _admin(self) -> Any:
        return AdminClient(self._client())

    def _start_broker(self, broker: int) -> Server:
        listeners = "CLIENT://127.0.0.1:{},REPLICATION://127.0.0.1:{}"
        return self._start(
            broker,
            {
                "process.roles": "broker",
                "listeners": listeners.format(self._ports[broker], self._replication[broker]),
                "advertised.listeners": listeners.format(self._ports[broker], self._proxies[broker].port),
                "inter.broker.listener.name": "REPLICATION",
                "broker.session.timeout.ms": str(SESSION_MS),
                "broker.heartbeat.interval.ms": "500",
            },
        )

    def _start(self, node: int, settings: dict[str, str]) -> Server:
        """Start a node, whose log is formatted if it is its first start."""
        all_settings = settings | {
            "node.id": str(node),
            "log.dirs": str(self._folder / f"node-{node}"),
            "controller.quorum.voters": f"0@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT,REPLICATION:PLAINTEXT",
        }
        file = self._folder / f"node-{node}.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in all_settings.items()))
        java = [program("java", NEEDS), *self.options, "-Xmx256m", "-cp", f"{libraries()}/*"]
        if not (self._folder / f"node-{node}").exists():
            command = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ChildProcessError(done.stdout + done.stderr)
        return Server([*java, "kafka.Kafka", str(file)], self._folder / f"node-{node}.log")


def libraries() -> str:
    folder = os.environ.get("KAFKA_LIB")
    if confluent_kafka is None or folder is None or not any(Path(folder).glob("kafka_2.13-*.jar")):
        raise Missing(f"Kafka is not installed (it takes {NEEDS})")
    return folder


@contextmanager
def cluster(topic: dict[str, str], lag_s: float = 0.0) -> Iterator[Cluster]:
    libraries()
    with workspace() as folder, closing(Cluster(folder, topic, lag_s)) as servers:
        yield servers


# What is asked


@dataclass(frozen=True)
class Acks:
    """A producer's `acks`, the topic's `min.insync.replicas`, and how late replication is."""

    acks: str
    minimum: int
    lag_s: float
    spec: type[Spec]


def failovers() -> Iterator[Finding]:
    """Four producers send records, the leader is killed, the follower, which is in sync, is elected and read."""
    for case in (Acks("1", 1, 0.2, AcksOne), Acks("all", 2, 0.02, IsrLog)):
        with cluster({"min.insync.replicas": str(case.minimum)}, case.lag_s) as servers:
            recorder = fail_over(servers, case.acks)
        losses = Losses.of(recorder)
        yield Finding(
            f"failover-acks-{case.acks}",
            f"acks={case.acks}, min.insync.replicas={case.minimum}, replication {case.lag_s * 1000:.0f} ms late; leader killed",
            str(losses),
            losses.lost > 0,
            case.spec,
            "acknowledged_survives",
            recorder,
        )


def fail_over(servers: Cluster, acks: str) -> Recorder:
    deposed = servers.leader()

    def survivors() -> list[int]:
        until(lambda: servers.leader() == 3 - deposed, "the follower leads")
        servers.start(deposed)  # With fewer than the minimum in sync, nothing more is committed and read.
        return servers.records()

    return failover(
        connect=lambda: servers.adder(acks), crash=lambda: servers.kill(deposed), survivors=survivors, seconds=4.0
    )


def elections() -> Iterator[Finding]:
    """The follower fails, the leader goes on alone (`acks=all` means all that are in sync) and fails; then the follower is back."""
    for unclean, spec in ((True, UncleanElection), (False, IsrLog)):
        recorder = outlive(unclean)
        losses = Losses.of(recorder)
        waited = "the follower is elected" if unclean else "nobody is elected before the old leader is back"
        yield Finding(
            f"election-{'unclean' if unclean else 'clean'}",
            f"acks=all, min.insync.replicas=1, unclean.leader.election.enable={str(unclean).lower()}",
            f"{losses}; {waited}",
            losses.lost > 0,
            spec,
            "acknowledged_survives",
            recorder,
        )


def outlive(unclean: bool) -> Recorder:
    recorder = Recorder()
    client = Client(recorder)
    with cluster({"unclean.leader.election.enable": str(unclean).lower()}) as servers:
        add = servers.adder("all")
        client.ask("add", lambda: add(0), 0)
        leader = servers.leader()
        follower = 3 - leader
        servers.kill(follower)
        until(lambda: servers.in_sync() == [leader], "the leader is alone")
        for number in range(1, 6):
            client.ask("add", lambda: add(number), number)  # noqa: B023
        servers.kill(leader)
        servers.start(follower)
        if not unclean:
            sleep(SESSION_MS / 1000)
            assert servers.leader() != follower
            servers.start(leader)
        client.ask("read", servers.records)
    return recorder


PARTS = (failovers, elections)

if __name__ == "__main__":
    main("Kafka, a controller and two brokers", *PARTS)
