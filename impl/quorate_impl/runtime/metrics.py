"""What Prometheus sees of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

FSYNC_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)

Status = Mapping[str, str | int | float | bool | None]


class Metrics:
    """The counters of one node, and the numbers of its core's status, which become gauges when they are asked for."""

    def __init__(self, node: str, status: Callable[[], Status]) -> None:
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
        self.registry.register(StatusCollector(node, status))

    def serve(self, host: str, port: int) -> int:
        """Answer scrapes over HTTP, in a thread; returns the port."""
        server, _ = start_http_server(port, host, registry=self.registry)
        return int(server.server_port)


class StatusCollector(Collector):
    """The status of a core: numbers as they are, and words as labels of a gauge that is 1."""

    def __init__(self, node: str, status: Callable[[], Status]) -> None:
        self._node = node
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, value in self._status().items():
            if value is None:
                continue
            if isinstance(value, str):
                family = GaugeMetricFamily(f"quorate_{name}", f"The {name} of the node", labels=["node", name])
                family.add_metric([self._node, value], 1)
            elif name.startswith("lag_"):
                family = GaugeMetricFamily(
                    "quorate_lag_entries", "Entries that a follower lacks", labels=["node", "follower"]
                )
                family.add_metric([self._node, name.removeprefix("lag_")], value)
            else:
                family = GaugeMetricFamily(f"quorate_{name}", f"The {name} of the node", labels=["node"])
                family.add_metric([self._node], value)
            yield family
