"""What Prometheus sees of a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

FSYNC_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)

Status = Mapping[str, str | int | float | bool | None]


class Metrics:
    """The counters of one node, and the numbers of its core's status, which become gauges when they are asked for."""

    def __init__(self, node: str) -> None:
        self.registry = CollectorRegistry()
        labels = ["node"]

        def counter(name: str, meaning: str) -> Counter:
            return Counter(f"quorate_{name}", meaning, labels, registry=self.registry).labels(node)

        self.rejected = counter("rejected_frames", "Frames and connections that were refused")
        self.dropped = counter("dropped_messages", "Messages to other nodes that were dropped because a queue was full")
        self.requests = counter("requests", "Requests of clients")
        self.replies = counter("replies", "Answers to clients")
        self.syncs = counter("log_syncs", "Frames of the log that were made durable")
        self.records = counter("log_records", "Records of the log that were made durable")
        self.fsync: Histogram = Histogram(
            "quorate_fsync_seconds",
            "How long it took to make a frame durable",
            labels,
            registry=self.registry,
            buckets=FSYNC_BUCKETS,
        ).labels(node)
        self._status = StatusCollector(node)
        self.registry.register(self._status)

    def observe(self, status: Status, now: float) -> None:
        """The core has this status, at `now` or a little later, in seconds since 1970."""
        self._status.observe(status, now)

    def serve(self, host: str, port: int) -> int:
        """Answer scrapes over HTTP, in a thread; returns the port."""
        server, _ = start_http_server(port, host, registry=self.registry)
        return int(server.server_port)


class Mark(NamedTuple):
    """The end of the leader's log at `time`, which a follower is to reach next.

    `complete_until` is the time of the last mark that it has reached: it has all that was in the log then. It is 0 as
    long as it has reached none since this node leads.
    """

    end: float
    time: float
    complete_until: float = 0.0


class StatusCollector(Collector):
    """The status of a core: numbers as they are, and words as labels of a gauge that is 1.

    How far a follower is behind in seconds is exported as a *time*, which grows old by itself while nothing is heard of
    the follower; the monitor subtracts. The lag so shown is never less than the age of the oldest entry that the
    follower lacks by the clock of the leader, and more by one round trip at most where the follower keeps up.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._status: Status = {}
        self._marks: dict[str, Mark] = {}

    def observe(self, status: Status, now: float) -> None:
        """Move the mark of each follower that has reached it to the end of the log."""
        last = float(status.get("last_index") or 0)
        marks = {}
        for name, lag in _lags(status).items():
            mark = self._marks.get(name, Mark(last, now))
            marks[name] = Mark(last, now, mark.time) if last - lag >= mark.end else mark
        self._status, self._marks = status, marks  # Replaced as wholes: scrapes read them in another thread.

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status, marks = self._status, self._marks
        for name, value in status.items():
            if value is None or name.startswith("lag_"):
                continue
            if isinstance(value, str):
                family = GaugeMetricFamily(f"quorate_{name}", f"The {name} of the node", labels=["node", name])
                family.add_metric([self._node, value], 1)
            else:
                family = GaugeMetricFamily(f"quorate_{name}", f"The {name} of the node", labels=["node"])
                family.add_metric([self._node], value)
            yield family
        yield self._of_followers("quorate_lag_entries", "Entries that a follower lacks", _lags(status))
        yield self._of_followers(
            "quorate_follower_complete_timestamp_seconds",
            "A follower has all that was in the leader's log at this time; 0 if that is not known of any time",
            {name: mark.complete_until for name, mark in marks.items()},
        )

    def _of_followers(self, name: str, meaning: str, values: Mapping[str, float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, meaning, labels=["node", "follower"])
        for follower, value in values.items():
            family.add_metric([self._node, follower], value)
        return family


def _lags(status: Status) -> dict[str, float]:
    """How many entries each follower lacks, by its name."""
    return {name.removeprefix("lag_"): float(value or 0) for name, value in status.items() if name.startswith("lag_")}
