"""Processes under load, of which a coordinator and an acceptor are killed at the same time, again and again: purchases go on and add up.

`python -m tests.impl.paxos_commit.test_real_cluster 30 DIR` does 30 rounds, and leaves the history and the logs in DIR.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from quorate_impl.core import Core
from quorate_impl.paxos_commit import client
from quorate_impl.paxos_commit.options import Options
from quorate_impl.runtime.cluster import LocalCluster, found_cluster
from quorate_impl.runtime.scrape import scrape

from tests.impl.runtime.test_real_cluster import Recorder
from tests.impl.shopping import Purchases

STOCK, INVENTORIES = 10_000, ("n1", "n2")
ANSWER_SECONDS = 10.0
"""How long a purchase may take, on a machine that does other things, too; a participant is in doubt for 1.5 seconds before it asks."""
TIDY_SECONDS = 90.0
"""How long an acceptor that was away may take to hear how some thousands of purchases ended: it asks a few at a time."""


def buyer(name: str, servers: Mapping[str, str], *, give_up_ticks: int) -> Core:
    """It does not give up."""
    return client(name, servers)


async def strike(cluster: LocalCluster, rounds: int, random: Random) -> None:
    """Kill a leader and an acceptor, every third time an inventory besides, and start them again after a while."""
    options = Options()
    for number in range(rounds):
        victims = [options.leaders[number % 2], random.choice(options.acceptors)]
        if number % 3 == 2:
            victims.append(random.choice(INVENTORIES))
        for victim in victims:
            cluster.signal(victim, signal.SIGKILL)
            cluster.processes[victim].wait()
        await asyncio.sleep(random.uniform(1, 3))
        for victim in victims:
            cluster.start(victim)
        await asyncio.sleep(random.uniform(0.5, 1))


async def record(cluster: LocalCluster, rounds: int, path: Path, seed: int) -> Counter[str]:
    """What eight clients buy meanwhile. Each of their purchases is answered in time."""
    recorder = Recorder(cluster.config, path, buyer, Purchases(INVENTORIES))
    clients = [asyncio.create_task(recorder.client(number)) for number in range(8)]
    try:
        await strike(cluster, rounds, Random(seed))
        recorder.is_over = True
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*clients)
    finally:
        recorder.close()
    return recorder.counts


def facts_at_rest(cluster: LocalCluster) -> dict[str, dict[str, str]]:
    """What nodes say of themselves when nobody is prepared any more, which is soon, and no acceptor keeps what is not over."""
    facts_when(cluster, "prepared", ANSWER_SECONDS)
    return facts_when(cluster, "unfinished", TIDY_SECONDS)


def facts_when(cluster: LocalCluster, count: str, seconds: float) -> dict[str, dict[str, str]]:
    """The same when they all run and have none of these."""
    end = time.monotonic() + seconds
    while True:
        found = {name: scrape(port) or {} for name, port in cluster.config.metrics.items()}
        waiting = [name for name, facts in found.items() if facts.get("role") is None or float(facts.get(count) or 0)]
        if not waiting:
            return found
        assert time.monotonic() < end, f"{', '.join(waiting)} did not come to rest: {found}"
        time.sleep(0.1)


def told(path: Path) -> list[dict[str, int]]:
    """What was bought, by the history: the lines of each purchase that was confirmed."""
    asked: dict[int, dict[str, int]] = {}
    bought = []
    for line in path.read_text(encoding="utf-8").splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["type"] == "invoke":
            asked[event["process"]] = event["value"]
        elif event["value"][1] == "confirmed":
            bought.append(asked[event["process"]])
    return bought


def rounds(number: int, folder: Path, seed: int) -> Counter[str]:
    """So many, after which nobody is blocked, and the tables say what clients were told."""
    config = found_cluster(folder / "data", "paxos_commit", len(INVENTORIES), 0, False, {"stock": str(STOCK)})
    with LocalCluster(folder / "data", config) as cluster:
        counts = asyncio.run(record(cluster, number, folder / "history.jsonl", seed))
        facts = facts_at_rest(cluster)
    bought = told(folder / "history.jsonl")
    assert int(facts["orders"]["confirmed"]) == len(bought)
    for name in INVENTORIES:
        assert int(facts[name]["available"]) == STOCK - sum(lines.get(name, 0) for lines in bought)
    return counts + Counter(confirmed=len(bought))


@pytest.mark.slow
def test_a_coordinator_and_an_acceptor_are_killed_and_purchases_go_on_and_add_up(tmp_path: Path) -> None:
    counts = rounds(3, tmp_path, seed=os.getpid())
    assert counts["ok"] == counts["invoke"] and counts["confirmed"] > 50


if __name__ == "__main__":
    where = Path(sys.argv[2])
    with suppress(FileExistsError):
        where.mkdir()
    begin = time.monotonic()
    print(dict(rounds(int(sys.argv[1]), where, seed=1)), f"{time.monotonic() - begin:.0f} s")
