"""The alerts for the primary/backup store: a replica that stopped, a trickle of stale reads, and who is in office."""

from __future__ import annotations

from pathlib import Path

from quorate_impl.monitoring import FOLDER

from tests.impl.monitoring import test_alerts as of_raft
from tests.impl.monitoring.test_alerts import COMMON, Series, alerts_of, firing, judge

PRIMARY_BACKUP = FOLDER / "primary_backup.rules.yml"

TOLD_OTHERWISE = {
    'job="quorate-raft"': 'job="quorate-primary-backup"',
    'role="leader"': 'role="primary"',
    'role="follower"': 'role="backup"',
    "quorate_term": "quorate_epoch",
    "quorate_leader": "quorate_primary",
    'leader="n1"': 'primary="n1"',
}
"""What the Raft store tells in other words."""


def told(series: Series) -> Series:
    """A situation of the Raft store as the primary/backup store tells it."""
    found = {}
    for name, values in series.items():
        for word, other in TOLD_OTHERWISE.items():
            name = name.replace(word, other)
        found[name] = values
    return found


def of(metric: str, node: str, more: str = "") -> str:
    return f'{metric}{{job="quorate-primary-backup", instance="{node}:9000", node="{node}"{more}}}'


def up(node: str) -> str:
    return f'up{{job="quorate-primary-backup", instance="{node}:9000"}}'


def role(node: str, role: str) -> str:
    return of("quorate_role", node, f', role="{role}"')


def beside() -> Series:
    """What it tells besides: an arbiter, what is stored by a majority and by all, and reads that are stale."""
    series = {up("arbiter"): "1x80", role("arbiter", "arbiter"): "1x80", of("quorate_epoch", "arbiter"): "4x80"}
    for node in ("n1", "n2", "n3"):
        series |= {
            of("quorate_safe_index", node): "1000+1000x80",
            of("quorate_everywhere_index", node): "1000+1000x80",
            of("quorate_stale_reads", node): "0x80",
        }
    return series


def healthy() -> Series:
    return told(of_raft.healthy()) | beside()


def stuck() -> Series:
    """The primary knows of nothing more that all have."""
    return {of("quorate_everywhere_index", "n1"): "1000+1000x40 41000x39"}


def killed() -> Series:
    """n3 is killed."""
    ended = {of(f"quorate_{each}", "n3"): "0x40 stale" for each in ("safe_index", "everywhere_index", "stale_reads")}
    return told(of_raft.killed()) | beside() | ended | stuck()


def without_arbiter() -> Series:
    ended = {role("arbiter", "arbiter"): "1x40 stale", of("quorate_epoch", "arbiter"): "4x40 stale"}
    return healthy() | {up("arbiter"): "1x40 0x39"} | ended


SITUATIONS: dict[str, tuple[Series, set[str]]] = {
    "a replica is killed": (
        killed(),
        {
            "QuorateReplicaDown",
            "QuorateReplicaNotScraped",
            "QuorateLagSeconds",
            "QuorateLagEntries",
            "QuorateSynchronousStuck",
        },
    ),
    "a replica answers scrapes and confirms nothing, and few write": (
        healthy()
        | stuck()
        | {of_raft.complete("n2").replace("quorate-raft", "quorate-primary-backup"): "0+15x40 600x39"},
        {"QuorateLagSeconds", "QuorateSynchronousStuck"},
    ),
    "a stale read each minute": (
        healthy() | {of("quorate_stale_reads", "n2"): "0x40 " + " ".join(f"{n}x3" for n in range(1, 10))},
        {"QuorateStaleReads"},
    ),
    "nobody is in office": (
        healthy() | {role("n1", "primary"): "1x40 stale", role("n1", "backup"): "_x40 1x39"},
        {"QuorateNoPrimary"},
    ),
    "the arbiter is killed": (without_arbiter(), {"QuorateNoArbiter", "QuorateReplicaDown"}),
    "a deposed primary does not know it": (
        healthy() | {role("n2", "backup"): "1x40 stale", role("n2", "primary"): "_x40 1x39"},
        {"QuorateTwoPrimaries"},
    ),
    "failovers follow each other": (healthy() | {of("quorate_epoch", "n2"): "4x40 5+1x39"}, {"QuorateFailovers"}),
    "nobody writes": (
        healthy()
        | {
            of(f"quorate_{which}_index", node): "1000x80"
            for which in ("durable", "last", "safe", "everywhere")
            for node in ("n1", "n2", "n3")
        },
        set(),
    ),
}


def test_each_alert_fires_in_its_situation_and_is_silent_in_health(tmp_path: Path) -> None:
    scenes = {
        name: (series, [firing("10m", set()), firing("19m", alerts)]) for name, (series, alerts) in SITUATIONS.items()
    }
    judge(tmp_path, [COMMON, PRIMARY_BACKUP], {"health": (healthy(), [firing("19m", set())])} | scenes)


def test_each_alert_has_a_situation() -> None:
    """Of the common ones, those that are told in other words than of the Raft store."""
    fired = set().union(*(alerts for _, alerts in SITUATIONS.values()))
    assert alerts_of(PRIMARY_BACKUP) <= fired and "QuorateStaleReads" in fired
