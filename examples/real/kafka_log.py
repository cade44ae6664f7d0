"""What Kafka's brokers and controller log of a partition, as events of `isr_log`; and the map by which they are held to it.

`KAFKA_LIB=... python -m examples.real.kafka_log kafka.jsonl` runs a cluster whose servers log what they do to their logs, kills the leader,
starts it again, and writes the events. `PYTHONPATH=. quorate conform trace kafka.jsonl --spec examples/real/kafka_log.py --map
examples/real/kafka_log.py` judges them. It takes a logger among the jars, `org.slf4j:slf4j-simple` 1.7, beside what `kafka.py` takes.

All servers run on one machine, and their events are put in order by its clock. What is told: the appended records, the high
watermarks of the leader, who leads in which epoch, ISR and ELR. Fetches and what brokers read in the metadata are found. A broker that
is killed says nothing: that it crashes, with all that it has, since the page cache stays, is told by who has killed it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from quorate import action
from quorate.conform import NOTHING, Map
from quorate_specs.replication.isr_log import Broker, IsrLog

from examples.real.harness import until, workspace
from examples.real.kafka import Cluster, libraries

Line = dict[str, Any]


class AsLogged(IsrLog):
    """The leader advances its high watermark when it hears that a follower is in sync again. In `isr_log` it does so at the next fetch that
    brings anything; Kafka does not wait for one."""

    @action(lane="controller")
    def expand(self, b: Broker, f: Broker) -> None:
        super().expand(b, f)
        self.advance(b)


def log_length(state: IsrLog, b: Broker) -> int:
    """How many records a broker has."""
    return len(state.log[b])


MAP = Map(
    members={"Broker": ("1", "2")},
    events={"high watermark": ("fetch", "learn", NOTHING)},
    silent=("fetch", "append", "learn"),
    silent_max=3,
    views=(log_length,),
)


def _brokers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def told(node: str, text: str) -> Iterator[Line]:
    """The events that a line of a server's log tells."""
    for pattern, made in TOLD:
        if found := re.search(pattern, text):
            yield from made(node, *found.groups())


def _appended(node: str, first: str, end: str) -> Iterator[Line]:
    for length in range(int(first) + 1, int(end) + 1):
        yield {"event": "produce", "args": {"b": node}, "vars": {"log_length": {node: length}}}


def _fetched(node: str, end: str) -> Iterator[Line]:
    yield {
        "event": "append",
        "args": {"m": {"record": "Records", "target": node}},
        "vars": {"log_length": {node: int(end)}},
    }


def _moved(node: str, offset: str) -> Iterator[Line]:
    yield {"event": "high watermark", "args": {"b": node}, "vars": {"high_watermark": {node: int(offset)}}}


def _led(node: str, epoch: str, end: str, high: str, isr: str) -> Iterator[Line]:
    now = {"known_epoch": int(epoch) + 1, "role": "leader", "log_length": int(end), "high_watermark": int(high)}
    told = {name: {node: value} for name, value in now.items()} | {"known_isr": {node: _brokers(isr)}}
    if epoch != "0":
        yield {"event": "learn", "args": {"b": node}, "vars": told}


def _changed(node: str, text: str) -> Iterator[Line]:
    """A change of the partition by the controller; `isr: [2, 1] -> [1], leader: 2 -> 1, ...`. Several at once come one after the other."""
    found = re.findall(r"(\w+): (\[.*?\]|\S+) -> (\[.*?\]|[^\s,]+)", text)
    before, after = ({name: each[at] for name, *each in found} for at in (0, 1))
    told: Line = {name: _brokers(after[name]) for name in ("isr", "elr") if name in after}
    old, new = (set(_brokers(each.get("isr", ""))) for each in (before, after))
    for gone in sorted(old - new):
        yield {"event": "shrink", "args": {"b": gone}, "vars": told}
    for come in sorted(new - old):
        yield {"event": "expand", "args": {"f": come}, "vars": told}
    if int(after.get("leader", -1)) > 0:
        epoch = int(after["leaderEpoch"]) + 1
        yield {"event": "elect", "args": {"b": after["leader"]}, "vars": {"leader": after["leader"], "epoch": epoch}}
    if "isr" not in after:
        for gone in sorted(set(_brokers(before["elr"])) - set(_brokers(after["elr"]))):
            yield {"event": "restart", "args": {"b": gone}, "vars": told}


LEADS = r"Leader ledger-0 .* starts at leader epoch (\d+) from offset (\d+) .* high watermark (\d+), ISR \[([\d,]*)\]"
TOLD: tuple[tuple[str, Callable[..., Iterator[Line]]], ...] = (
    (
        r"request-handler.*partition=ledger-0,.*Appended message set .*first offset: (\d+), next offset: (\d+)",
        _appended,
    ),
    (
        r"Follower has replica log end offset (\d+) after appending [1-9]\d* bytes of messages for partition ledger-0",
        _fetched,
    ),
    (r"Partition ledger-0 broker=.*High watermark updated from .* to \(offset=(\d+),", _moved),
    (LEADS, _led),
    (r"partition change for ledger-0 with topic ID \S+: (.*)", _changed),
)


def events(folder: Path) -> list[tuple[str, Line]]:
    """The events in the logs of a cluster, each with its time."""
    found = []
    for path in sorted(folder.glob("node-*.log")):
        node = path.stem.removeprefix("node-")
        for text in path.read_text(errors="replace").splitlines():
            found += [(text[: len("00:00:00.000")], event) for event in told(node, text)]
    return found


TRACED = (
    "kafka.cluster.Partition",
    "kafka.server.ReplicaFetcherThread",
    "org.apache.kafka.controller.ReplicationControlManager",
    "org.apache.kafka.storage.internals.log.UnifiedLog",
    "state.change.logger",
)


class Traced(Cluster):
    """Servers that log what they do to their logs."""

    options = (
        *(f"-Dorg.slf4j.simpleLogger.log.{name}=trace" for name in TRACED),
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    )


def told_run() -> list[Line]:
    """The events of a cluster whose leader is killed and comes back."""
    libraries()
    with workspace() as folder, closing(Traced(folder, {"min.insync.replicas": "2"}, 0.0)) as servers:
        add = servers.adder("all")
        leader = servers.leader()
        for number in range(4):
            add(number)
        killed = datetime.now().strftime("%H:%M:%S.%f")[: len("00:00:00.000")]
        servers.kill(leader)
        until(lambda: servers.leader() == 3 - leader, "the follower leads")
        servers.start(leader)
        until(lambda: len(servers.in_sync()) == 2, "both are in sync again")
        add = servers.adder("all")
        for number in range(4, 7):
            add(number)
        servers.records()
        crash: Line = {"event": "crash", "args": {"b": str(leader), "kept": 4}}
        found = sorted([*events(folder), (killed, crash)], key=lambda each: each[0])
    return [{"event": "init", "args": {"b": str(leader)}}, *(event for _, event in found)]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("".join(json.dumps(each) + "\n" for each in told_run()))
