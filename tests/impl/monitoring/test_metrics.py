"""Alerts and dashboard speak of what nodes export, and the lag in seconds is never less than the true one."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from quorate_impl.monitoring import FOLDER
from quorate_impl.runtime.cluster import free_ports
from quorate_impl.runtime.config import NodeConfig
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.metrics import Metrics
from quorate_impl.runtime.node import Node
from quorate_impl.runtime.protocols import OFFICERS, PROTOCOLS

COMPLETE = "quorate_follower_complete_timestamp_seconds"


def alert_expressions(protocol: str) -> list[str]:
    texts = [(FOLDER / f"{name}.rules.yml").read_text(encoding="utf-8") for name in ("common", protocol)]
    return [rule["expr"] for text in texts for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def dashboard_expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def exported(folder: Path, protocol: str = "raft") -> list[Metric]:
    """What the leader of three exports when it has heard of n2, and an officer; n3 does not run."""
    officers = OFFICERS.get(protocol, ())
    names = ("n1", "n2", "n3", *officers)
    members = {name: f"127.0.0.1:{port}" for name, port in zip(names, free_ports(len(names)), strict=True)}

    async def scene() -> list[Metric]:
        nodes = [
            Node(
                NodeConfig("c", protocol, name, members[name], members, str(folder / name)),
                PROTOCOLS[protocol](members),
                Journal(name, io.StringIO()),
            )
            for name in ("n1", "n2", *officers)
        ]
        running = [asyncio.create_task(node.run()) for node in nodes]
        try:
            async with asyncio.timeout(20):
                while True:
                    for node in nodes:
                        found = list(node.metrics.registry.collect())
                        if any(each.name == COMPLETE and any(s.value > 0 for s in each.samples) for each in found):
                            return [
                                *found,
                                *(each for officer in nodes[2:] for each in officer.metrics.registry.collect()),
                            ]
                    await asyncio.sleep(0.02)
        finally:
            for node in nodes:
                node.stop()
            await asyncio.gather(*running)

    return asyncio.run(scene())


def test_each_metric_of_alerts_and_dashboard_is_exported_by_a_leader(tmp_path: Path) -> None:
    found = exported(tmp_path)
    samples = {sample.name: sample.labels for family in found for sample in family.samples}
    expressions = alert_expressions("raft") + dashboard_expressions()
    assert set(re.findall(r"quorate_\w+", " ".join(expressions))) - {"quorate_stale_reads"} <= set(samples)

    complete = {s.labels["follower"]: s.value for each in found if each.name == COMPLETE for s in each.samples}
    lags = {s.labels["follower"]: s.value for each in found if each.name == "quorate_lag_entries" for s in each.samples}
    assert complete.keys() == lags.keys() and complete.pop("n3") == 0 and lags["n3"] > 0
    assert all(0 <= time.time() - until < 20 for until in complete.values())
    assert any(family.name == "quorate_role" and family.samples[0].labels["role"] == "leader" for family in found)


def test_each_metric_of_the_alerts_on_primaries_is_exported_by_a_primary_or_the_arbiter(tmp_path: Path) -> None:
    found = exported(tmp_path, "primary_backup")
    names = {sample.name for family in found for sample in family.samples}
    assert set(re.findall(r"quorate_\w+", " ".join(alert_expressions("primary_backup")))) <= names
    roles = {sample.labels["role"] for family in found if family.name == "quorate_role" for sample in family.samples}
    assert roles == {"primary", "arbiter"}


def complete_until(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value(COMPLETE, {"node": "n1", "follower": "n2"})


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30))
def test_the_lag_in_seconds_is_never_less_than_the_true_one(steps: list[tuple[int, int]]) -> None:
    """Each second the leader appends some entries, and the follower acknowledges some."""
    metrics = Metrics("n1")
    appended: list[float] = [0.0] * 5  # When each entry was appended; the follower lacks these when n1 begins to lead.
    match = 0
    for second, (appends, acknowledges) in enumerate(steps, start=1):
        appended += [float(second)] * appends
        match = min(len(appended), match + acknowledges)
        metrics.observe({"last_index": len(appended), "lag_n2": len(appended) - match}, second + 0.5)
        oldest_lacking = appended[match] if match < len(appended) else second + 0.5
        shown = complete_until(metrics)
        assert shown is not None and shown <= oldest_lacking


def test_a_follower_that_keeps_up_is_behind_by_a_round_trip_or_two() -> None:
    """It is never seen without a lag: an entry comes each second, and is acknowledged in the next one."""
    metrics = Metrics("n1")
    for second in range(1, 100):
        metrics.observe({"last_index": second, "lag_n2": 1}, second)
    assert complete_until(metrics) == 98


def test_who_leads_no_more_tells_no_lag() -> None:
    metrics = Metrics("n1")
    for second in (1, 2):
        metrics.observe({"last_index": 1, "lag_n2": 0}, second)
    assert complete_until(metrics) == 1
    metrics.observe({"last_index": 1}, 3)
    assert complete_until(metrics) is None
    metrics.observe({"last_index": 5, "lag_n2": 5}, 4)
    assert complete_until(metrics) == 0
