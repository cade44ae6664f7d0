"""Each alert fires in its situation and is silent in health; the two that were published stay silent where they are needed.

`promtool` evaluates the rules over series that tell twenty minutes of a cluster, with a scrape every 15 seconds. What is
expected is the set of all alerts that fire.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from quorate_impl.monitoring import FOLDER

COMMON = FOLDER / "common.rules.yml"
RAFT = FOLDER / "raft.rules.yml"
AS_PUBLISHED = FOLDER / "as_published.rules.yml"

Series = dict[str, str]

NODES = ("n1", "n2", "n3")


def of(metric: str, node: str, more: str = "") -> str:
    return f'{metric}{{job="quorate-raft", instance="{node}:9000", node="{node}"{more}}}'


def up(node: str) -> str:
    return f'up{{job="quorate-raft", instance="{node}:9000"}}'


def lag(follower: str) -> str:
    return of("quorate_lag_entries", "n1", f', follower="{follower}"')


def complete(follower: str) -> str:
    return of("quorate_follower_complete_timestamp_seconds", "n1", f', follower="{follower}"')


def role(node: str, role: str) -> str:
    return of("quorate_role", node, f', role="{role}"')


def leader(node: str) -> str:
    return of("quorate_leader", node, ', leader="n1"')


def bucket(node: str, le: str) -> str:
    return of("quorate_fsync_seconds_bucket", node, f', le="{le}"')


def healthy() -> Series:
    """n1 leads; each node makes 1,000 syncs between two scrapes, all but one of them in less than 3 milliseconds."""
    series = {lag(f): "3x80" for f in ("n2", "n3")} | {complete(f): "0+15x80" for f in ("n2", "n3")}
    for node in NODES:
        series |= {
            up(node): "1x80",
            role(node, "leader" if node == "n1" else "follower"): "1x80",
            leader(node): "1x80",
            of("quorate_term", node): "4x80",
            of("quorate_last_index", node): "1003+1000x80",
            of("quorate_durable_index", node): "1000+1000x80",
            of("quorate_rejected_frames_total", node): "0x80",
            bucket(node, "0.003"): "0+999x80",
            bucket(node, "0.1"): "0+1000x80",
            bucket(node, "0.3"): "0+1000x80",
            bucket(node, "+Inf"): "0+1000x80",
        }
    return series


def unscraped(series: Series, node: str) -> Series:
    """The series with those of a target ended after ten minutes."""
    return {
        name: text.replace("x80", "x40 stale") if f'instance="{node}:' in name else text
        for name, text in series.items()
    }


def gone(series: Series, node: str) -> Series:
    """The same for a node that was killed, and is a target yet."""
    return unscraped(series, node) | {up(node): "1x40 0x39"}


def killed() -> Series:
    return gone(healthy(), "n3") | {lag("n3"): "3x40 0+1000x39", complete("n3"): "0+15x40 600x39"}


def no_majority() -> Series:
    """n1 and n2 are killed."""
    return (
        gone(gone(healthy(), "n1"), "n2")
        | {role("n3", "follower"): "1x40 stale", role("n3", "prospect"): "_x40 1x39"}
        | {leader("n3"): "1x40 stale"}
    )


def cut_off() -> Series:
    """n3 can be scraped and hears nobody. Nobody writes."""
    return healthy() | {
        leader("n3"): "1x40 stale",
        role("n3", "follower"): "1x40 stale",
        role("n3", "prospect"): "_x40 1x39",
    }


def spare() -> Series:
    """n4 waits to be added."""
    return healthy() | {up("n4"): "1x80", role("n4", "follower"): "1x80", of("quorate_term", "n4"): "0x80"}


SITUATIONS: dict[str, tuple[Series, set[str]]] = {
    "a spare that was never added": (spare(), set()),
    "a replica is killed": (killed(), {"QuorateReplicaDown", "QuorateReplicaNotScraped", "QuorateLagSeconds", "QuorateLagEntries"}),
    "service discovery forgets a replica": (unscraped(healthy(), "n3"), {"QuorateReplicaNotScraped"}),
    "two of three are killed": (no_majority(), {"QuorateReplicaDown", "QuorateNoLeader", "QuorateReplicaWithoutLeader"}),
    "a replica hears nobody": (cut_off(), {"QuorateReplicaWithoutLeader"}),
    "a replica takes in entries more slowly than they come": (
        healthy() | {lag("n2"): "3x40 1000+1000x39"},
        {"QuorateLagEntries"},
    ),
    "a replica lacks one entry, for long": (
        healthy() | {lag("n2"): "0x40 1x39", complete("n2"): "0+15x40 600x39"},
        {"QuorateLagSeconds"},
    ),
    "a new leader never hears of a follower": (
        healthy() | {complete("n2"): "0+15x40 0x39"},
        {"QuorateLagSeconds"},
    ),
    "the leader's clock is a second behind": (healthy() | {complete("n2"): "-1+15x80"}, set()),
    "one sync in fifty takes more than a tenth of a second": (
        healthy() | {bucket("n2", le): f"0+{count}x40 {40 * count}+980x38" for le, count in (("0.003", 999), ("0.1", 1000))},
        {"QuorateSlowSync"},
    ),
    "a sync does not end": (
        healthy()
        | {of("quorate_durable_index", "n2"): "1000+1000x40 41000x39"}
        | {bucket("n2", le): "0+1000x40 40000x39" for le in ("0.003", "0.1", "0.3", "+Inf")},
        {"QuorateSyncStuck"},
    ),
    "nobody writes": (
        healthy() | {of(f"quorate_{which}_index", node): "1000x80" for which in ("durable", "last") for node in NODES},
        set(),
    ),
    "elections follow each other": (healthy() | {of("quorate_term", "n2"): "4x40 5+1x39"}, {"QuorateElections"}),
    "one frame is refused": (healthy() | {of("quorate_rejected_frames_total", "n2"): "0x40 1x39"}, {"QuorateRejectedFrames"}),
}  # fmt: skip


def firing(minutes: str, alerts: set[str]) -> dict[str, object]:
    """These alerts fire then, and no other."""
    return {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": minutes,
        "exp_samples": [{"labels": f'{{alertname="{each}"}}', "value": 1} for each in sorted(alerts)],
    }


def promtool(*arguments: str | Path) -> None:
    beside = Path(sys.executable).parent
    program = shutil.which("promtool", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("there is no promtool: `apt-get install prometheus`")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def judge(folder: Path, rules: list[Path], scenes: dict[str, tuple[Series, list[dict[str, object]]]]) -> None:
    """Have promtool say whether in each scene that fires which is expected."""
    tests = [
        {
            "name": name,
            "interval": "15s",
            "input_series": [{"series": each, "values": text} for each, text in series.items()],
            "promql_expr_test": expected,
        }
        for name, (series, expected) in scenes.items()
    ]
    path = folder / "test.yml"
    content = {"rule_files": [str(each) for each in rules], "evaluation_interval": "15s", "tests": tests}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    promtool("test", "rules", path)


def test_each_alert_fires_in_its_situation_and_is_silent_in_health(tmp_path: Path) -> None:
    healthy_all_the_time = healthy(), [firing("5m", set()), firing("10m", set()), firing("19m", set())]
    scenes = {name: (series, [firing("10m", set()), firing("19m", alerts)]) for name, (series, alerts) in SITUATIONS.items()}  # fmt: skip
    judge(tmp_path, [COMMON, RAFT], {"health": healthy_all_the_time} | scenes)


def alerts_of(*files: Path) -> set[str]:
    groups = [yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for file in files]
    return {rule["alert"] for (group,) in groups for rule in group["rules"]}


def test_each_alert_has_a_situation() -> None:
    of_others = {"QuorateStaleReads"}  # The Raft store serves none.
    assert alerts_of(COMMON, RAFT) - of_others == set().union(*(alerts for _, alerts in SITUATIONS.values()))


def test_the_published_pair_stays_silent_where_replication_has_stopped_and_where_stale_reads_go_on(
    tmp_path: Path,
) -> None:
    lags, stale = 'replication_lag_seconds{instance="r1"}', 'stale_reads_total{instance="r1"}'
    replication_stops, alerts = SITUATIONS["two of three are killed"]
    minutely = "0x3 1x3 2x3 3x3 " + " ".join(f"{n}x3" for n in range(4, 20))
    judge(tmp_path, [COMMON, RAFT, AS_PUBLISHED], {
        "replication goes on, slowly": ({lags: "1x40 60x39"}, [firing("10m", set()), firing("19m", {"ReplicationLagAsPublished"})]),
        "replication stops": (replication_stops | {lags: "1x40 stale"}, [firing("10m", set()), firing("19m", alerts)]),
        "many stale reads": ({stale: "0x40 10+10x39"}, [firing("10m", set()), firing("19m", {"StaleReadsAsPublished"})]),
        "a stale read each minute": ({stale: minutely}, [
            *(firing(f"{minute}m", set()) for minute in range(20)),
            {  # What they do not ask tells it.
                "expr": "increase(stale_reads_total[15m]) > bool 0",
                "eval_time": "19m",
                "exp_samples": [{"labels": '{instance="r1"}', "value": 1}],
            },
        ]),
    })  # fmt: skip


def test_the_rules_are_well_formed() -> None:
    promtool("check", "rules", *FOLDER.glob("*.rules.yml"))
