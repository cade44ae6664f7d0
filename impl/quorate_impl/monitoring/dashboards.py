"""`python -m quorate_impl.monitoring.dashboards` writes the dashboards of all stores beside this file, for Grafana to import."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorate_impl.monitoring import FOLDER

SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """A title, and queries with their legends; `JOB` stands for the cluster. `names` shows who it is, and no number."""

    title: str
    queries: Mapping[str, str]
    unit: str = "none"
    kind: str = "timeseries"
    names: bool = False


def line(title: str, metric: str, legend: str = "{{node}}", unit: str = "none") -> Panel:
    """One metric as it is."""
    return Panel(title, {f"quorate_{metric}{{JOB}}": legend}, unit)


def holder(title: str, role: str) -> Panel:
    """Who has the role."""
    query = f'max by (node) (quorate_role{{JOB, role="{role}"}})'
    return Panel(title, {query: "{{node}}"}, kind="stat", names=True)


UP = Panel("Nodes that answer scrapes", {"sum(up{JOB})": "up", "count(up{JOB})": "of"}, kind="stat")
LAGS = (
    Panel(
        "Lag in seconds, by the leader's clock (an hour stands for more, or unknown)",
        {"clamp(time() - quorate_follower_complete_timestamp_seconds{JOB}, 0, 3600)": "{{follower}}"},
        "s",
    ),
    line("Lag in entries", "lag_entries", "{{follower}}"),
)
ROLE = line("Role", "role", "{{node}} {{role}}")
COMMITS = Panel("Commits per second", {"rate(quorate_commit_index{JOB}[1m])": "{{node}}"}, "ops")
NOT_DURABLE = Panel(
    "Entries not yet on the node's own disk", {"quorate_last_index{JOB} - quorate_durable_index{JOB}": "{{node}}"}
)
NODE = (
    Panel(
        "Sync of the log, median and 99th percentile",
        {
            f"histogram_quantile({share}, rate(quorate_fsync_seconds_bucket{{JOB}}[5m]))": f"{{{{node}}}} {percent} %"
            for share, percent in ((0.5, 50), (0.99, 99))
        },
        "s",
    ),
    Panel(
        "Records per sync",
        {"rate(quorate_log_records_total{JOB}[1m]) / rate(quorate_log_syncs_total{JOB}[1m])": "{{node}}"},
    ),
    Panel(
        "Requests and answers per second",
        {
            "rate(quorate_requests_total{JOB}[1m])": "{{node}} requests",
            "rate(quorate_replies_total{JOB}[1m])": "{{node}} answers",
        },
        "reqps",
    ),
    Panel(
        "Refused frames and dropped messages, in five minutes",
        {
            "increase(quorate_rejected_frames_total{JOB}[5m])": "{{node}} refused",
            "increase(quorate_dropped_messages_total{JOB}[5m])": "{{node}} dropped",
        },
    ),
)
"""What all nodes have, whatever they run."""

SHOP = (
    line("Purchases that participants are prepared for", "prepared"),
    line("Purchases without a verdict", "voting"),
    line("Verdicts that somebody has not acknowledged", "unacknowledged"),
    Panel("Units", {"quorate_available{JOB}": "{{node}} available", "quorate_reserved{JOB}": "{{node}} reserved"}),
    Panel("Confirmed purchases per second", {"rate(quorate_confirmed{JOB}[1m])": "{{node}}"}, "ops"),
)

PANELS: Mapping[str, Sequence[Panel]] = {
    "raft": (UP, holder("Leader", "leader"), *LAGS, ROLE, line("Term", "term"), COMMITS, NOT_DURABLE, *NODE),
    "dynamo": (
        UP,
        line("Nodes that a node has not heard", "suspects"),
        line("Keys for which a node stands in for another", "hints"),
        Panel("Stale reads, in five minutes", {"increase(quorate_stale_reads{JOB}[5m])": "{{node}}"}),
        line("Keys with siblings", "conflicts"),
        line("Siblings of the key that has most", "siblings_max"),
        line("Keys", "keys"),
        line("Reads and writes under way", "open"),
        *NODE,
    ),
    "primary_backup": (
        UP,
        holder("Primary", "primary"),
        *LAGS,
        ROLE,
        line("Epoch", "epoch"),
        Panel(
            "Updates per second, at a majority and at all nodes",
            {
                "rate(quorate_safe_index{JOB}[1m])": "{{node}} majority",
                "rate(quorate_everywhere_index{JOB}[1m])": "{{node}} all",
            },
            "ops",
        ),
        Panel(
            "Updates not yet at a majority, and not yet at all nodes",
            {
                "quorate_last_index{JOB} - quorate_safe_index{JOB}": "{{node}} majority",
                "quorate_last_index{JOB} - quorate_everywhere_index{JOB}": "{{node}} all",
            },
        ),
        Panel(
            "Stale and refused reads, in five minutes",
            {
                "increase(quorate_stale_reads{JOB}[5m])": "{{node}} stale",
                "increase(quorate_refused_reads{JOB}[5m])": "{{node}} refused",
            },
        ),
        NOT_DURABLE,
        *NODE,
    ),
    "pbft": (
        UP,
        holder("Primary", "primary"),
        line("View", "view"),
        ROLE,
        line("Batches that a backup has not executed, as the primary has heard", "lag_entries", "{{follower}}"),
        COMMITS,
        line("Requests that wait", "waiting_requests"),
        Panel(
            "Batches since the stable checkpoint",
            {"quorate_commit_index{JOB} - quorate_checkpoint_index{JOB}": "{{node}}"},
        ),
        *NODE,
    ),
    "two_phase_commit": (UP, holder("Coordinator", "coordinator"), *SHOP, *NODE),
    "paxos_commit": (
        UP,
        holder("Leaders", "coordinator"),
        *SHOP,
        line("Purchases that an acceptor keeps and nobody has called over", "unfinished"),
        *NODE,
    ),
}
"""What is to be seen of each store."""

FILES = {name: "dashboard.json" if name == "raft" else f"{name}.dashboard.json" for name in PANELS}


def dashboard(name: str) -> dict[str, Any]:
    """In Grafana's words. Clusters of the Raft store are told by a metric, those of the others by the names of their jobs."""
    job = f"quorate-{name.replace('_', '-')}"
    query = "label_values(quorate_term, job)" if name == "raft" else f'label_values(up{{job=~"{job}.*"}}, job)'
    return {
        "title": "Quorate: Raft store" if name == "raft" else f"Quorate: {name}",
        "uid": job,
        "tags": ["quorate"],
        "schemaVersion": 38,
        "timezone": "",
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "10s",
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                {
                    "name": "job",
                    "type": "query",
                    "label": "Cluster",
                    "datasource": SOURCE,
                    "refresh": 1,
                    "query": {"query": query, "refId": "job"},
                },
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS[name])],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": 12 * (number % 2), "y": 8 * (number // 2), "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": "ABCDEF"[i],
                "datasource": SOURCE,
                "expr": query.replace("JOB", 'job="$job"'),
                "legendFormat": legend,
            }
            for i, (query, legend) in enumerate(panel.queries.items())
        ],
    }
    return drawn | ({"options": {"textMode": "name"}} if panel.names else {})


def text(name: str) -> str:
    """The file of a store's dashboard."""
    return json.dumps(dashboard(name), indent=2) + "\n"


if __name__ == "__main__":
    for each, file in FILES.items():
        (FOLDER / file).write_text(text(each), encoding="utf-8")
