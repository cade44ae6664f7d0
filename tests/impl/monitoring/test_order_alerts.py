"""The alerts for PBFT, two-phase commit and Paxos Commit: who decides, what waits for it, and what is in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from quorate_impl.monitoring import FOLDER

from tests.impl.monitoring.test_alerts import COMMON, Series, alerts_of, firing, judge

Values = Mapping[str, str]
"""Of one node: the values of each metric, over twenty minutes with a scrape every 15 seconds."""

DIES = "1x40 0x39"


@dataclass(frozen=True)
class Store:
    """A cluster: the role of each node, what each exports in health, and the situations with the alerts that fire in them."""

    roles: Mapping[str, str]
    health: Mapping[str, Values]
    situations: Mapping[str, tuple[Mapping[str, Values | None], set[str]]]
    """By node, what it exports instead; None for one that is killed after ten minutes."""


def series(name: str, store: Store, changed: Mapping[str, Values | None]) -> Series:
    job = f"quorate-{name.replace('_', '-')}"
    found: Series = {}
    for node, role in store.roles.items():
        place = f'job="{job}", instance="{node}:9000"'
        values = {"role": "1x80", **store.health[role], **(changed.get(node) or {})}
        killed = node in changed and changed[node] is None
        found[f"up{{{place}}}"] = DIES if killed else "1x80"
        for metric, told in values.items():
            role_of = f', role="{role}"' if metric == "role" else ""
            found[f'quorate_{metric}{{{place}, node="{node}"{role_of}}}'] = (
                told.replace("x80", "x40 stale") if killed else told
            )
    return found


GONE = "1x40 stale"
PBFT = Store(
    {"n1": "primary", "n2": "backup", "n3": "backup", "n4": "backup"},
    {
        role: {"view": "4x80", "commit_index": "1000+1000x80", "checkpoint_index": "936+1000x80", "waiting_requests": "0x80"}
        for role in ("primary", "backup")
    },
    {
        "a replica is killed": ({"n4": None}, {"QuorateReplicaDown"}),
        "two replicas are killed": ({"n3": None, "n4": None}, {"QuorateReplicaDown", "QuorateNoPrimaryServes"}),
        "all are killed": (dict.fromkeys(("n1", "n2", "n3", "n4")), {"QuorateReplicaDown", "QuorateNoPrimaryServes"}),
        "a new view does not begin": ({"n1": {"role": GONE}, "n2": {"role": GONE}}, {"QuorateNoPrimaryServes"}),
        "a request is held back": (
            {"n2": {"commit_index": "1000x80", "checkpoint_index": "936x80", "waiting_requests": "0x40 1x39"}},
            {"QuorateRequestsWait"},
        ),
        "one view follows the other": ({"n2": {"view": "4x40 5+1x39"}}, {"QuorateViewChanges"}),
        "states differ": (
            {"n1": {"checkpoint_index": "936+1000x40 40936x39", "commit_index": "1000+1000x40 41128x39"}},
            {"QuorateNoStableCheckpoint"},
        ),
    },
)  # fmt: skip
TWO_PHASES = Store(
    {"coordinator": "coordinator", "orders": "orders", "apples": "inventory"},
    {
        "coordinator": {"voting": "2x80", "unacknowledged": "0 3 1 2 " * 20},
        "orders": {"prepared": "0 2 1 3 " * 20},
        "inventory": {"prepared": "1 2 3 4 " * 20},
    },
    {
        "the coordinator is killed": (
            {"coordinator": None, "orders": {"prepared": "0 2 1 3 " * 10 + "3x40"}, "apples": {"prepared": "1 2 3 4 " * 10 + "4x40"}},
            {"QuorateReplicaDown", "QuorateNoCoordinator", "QuorateInDoubt"},
        ),
        "nobody buys": ({"orders": {"prepared": "0x80"}, "apples": {"prepared": "0x80"}}, set()),
        "a participant is away": (
            {"apples": None, "coordinator": {"unacknowledged": "0 3 1 2 " * 10 + "5x40"}},
            {"QuorateReplicaDown", "QuorateVerdictsNotAcknowledged"},
        ),
    },
)  # fmt: skip
PAXOS_COMMIT = Store(
    {
        **{"l1": "coordinator", "l2": "coordinator", "orders": "orders", "apples": "inventory"},
        **{"a1": "acceptor", "a2": "acceptor", "a3": "acceptor"},
    },
    {
        "coordinator": {"voting": "2x80", "unacknowledged": "0 3 1 2 " * 20},
        "acceptor": {"kept": "9x80", "unfinished": "0 2 1 2 " * 20},
        "orders": {"prepared": "0 2 1 3 " * 20},
        "inventory": {"prepared": "1 2 3 4 " * 20},
    },
    {
        "a leader is killed": ({"l1": None}, {"QuorateReplicaDown"}),
        "both leaders are killed": (
            {"l1": None, "l2": None, "orders": {"prepared": "0 2 1 3 " * 10 + "3x40"}},
            {"QuorateReplicaDown", "QuorateNoLeaderOfCommits", "QuorateInDoubt"},
        ),
        "an acceptor is killed": ({"a2": None}, {"QuorateReplicaDown", "QuorateAcceptorsMissing"}),
        "a participant is away": (
            {"apples": None, "a1": {"unfinished": "0 2 1 2 " * 10 + "4x40"}},
            {"QuorateReplicaDown", "QuoratePurchasesNotOver"},
        ),
    },
)  # fmt: skip
STORES = {"pbft": PBFT, "two_phase_commit": TWO_PHASES, "paxos_commit": PAXOS_COMMIT}


@pytest.mark.parametrize("name", STORES)
def test_each_alert_fires_in_its_situation_and_is_silent_in_health(name: str, tmp_path: Path) -> None:
    store = STORES[name]
    scenes = {
        told: (series(name, store, changed), [firing("9m", set()), firing("19m", alerts)])
        for told, (changed, alerts) in store.situations.items()
    }
    healthy = (series(name, store, {}), [firing("19m", set())])
    judge(tmp_path, [COMMON, FOLDER / f"{name}.rules.yml"], {"health": healthy} | scenes)


@pytest.mark.parametrize("name", STORES)
def test_each_alert_has_a_situation(name: str) -> None:
    fired = set().union(*(alerts for _, alerts in STORES[name].situations.values()))
    assert alerts_of(FOLDER / f"{name}.rules.yml") == fired - alerts_of(COMMON)
