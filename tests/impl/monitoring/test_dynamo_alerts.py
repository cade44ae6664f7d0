"""The alerts for the quorum store: a home that is not heard, hints that wait, siblings that pile up, a trickle of stale reads."""

from __future__ import annotations

import re
from pathlib import Path

from quorate_impl.dynamo import Dynamo, Options
from quorate_impl.monitoring import FOLDER
from quorate_impl.runtime.metrics import Metrics

from tests.impl.monitoring.test_alerts import COMMON, NODES, Series, alerts_of, firing, judge
from tests.impl.monitoring.test_metrics import alert_expressions

DYNAMO = FOLDER / "dynamo.rules.yml"
OF_ITS_OWN = "suspects", "hints", "siblings_max", "stale_reads"


def of(metric: str, node: str) -> str:
    return f'{metric}{{job="quorate-dynamo", instance="{node}:9000", node="{node}"}}'


def up(node: str) -> str:
    return f'up{{job="quorate-dynamo", instance="{node}:9000"}}'


def healthy() -> Series:
    return {up(node): "1x80" for node in NODES} | {
        of(f"quorate_{metric}", node): "0x80" for node in NODES for metric in OF_ITS_OWN
    }


def killed() -> Series:
    """n3 is killed; the others suspect it."""
    ended = {of(f"quorate_{metric}", "n3"): "0x40 stale" for metric in OF_ITS_OWN}
    return healthy() | ended | {up("n3"): "1x40 0x39", of("quorate_suspects", "n1"): "0x40 1x39"}


SITUATIONS: dict[str, tuple[Series, set[str]]] = {
    "a node is killed": (killed(), {"QuorateReplicaDown", "QuorateHomeSuspected"}),
    "a node answers scrapes and nobody else": (
        healthy() | {of("quorate_suspects", "n1"): "0x40 1x39"},
        {"QuorateHomeSuspected"},
    ),
    "a node is slow now and then": (healthy() | {of("quorate_suspects", "n1"): "0 1 0 1 " * 20}, set()),
    "hints wait": (healthy() | {of("quorate_hints", "n2"): "0x30 5+1x49"}, {"QuorateHintsWaiting"}),
    "hints come and are handed over": (healthy() | {of("quorate_hints", "n2"): "0 3 5 " * 26}, set()),
    "siblings pile up": (healthy() | {of("quorate_siblings_max", "n2"): "2x30 25+1x49"}, {"QuorateSiblingsPileUp"}),
    "a stale read each minute": (
        healthy() | {of("quorate_stale_reads", "n2"): "0x40 " + " ".join(f"{n}x3" for n in range(1, 10))},
        {"QuorateStaleReads"},
    ),
}


def test_each_alert_fires_in_its_situation_and_is_silent_in_health(tmp_path: Path) -> None:
    scenes = {
        name: (series, [firing("9m", set()), firing("19m", alerts)]) for name, (series, alerts) in SITUATIONS.items()
    }
    judge(tmp_path, [COMMON, DYNAMO], {"health": (healthy(), [firing("19m", set())])} | scenes)


def test_each_alert_has_a_situation_and_each_metric_is_exported() -> None:
    assert alerts_of(DYNAMO) <= set().union(*(alerts for _, alerts in SITUATIONS.values()))
    metrics = Metrics("n1")
    metrics.observe(Dynamo("n1", (), {"n1": ""}, Options()).status(), 0)
    exported = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    asked = " ".join(each for each in alert_expressions("dynamo") if "quorate-dynamo" in each or "stale" in each)
    assert set(re.findall(r"quorate_\w+", asked)) <= exported
