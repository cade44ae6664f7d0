"""Four processes under load are killed, paused and cut off; what their clients saw is linearizable.

`python -m tests.impl.pbft.test_real_cluster 30 DIR` does 30 rounds, and leaves the history and the logs in DIR.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from quorate.consistency import Satisfied, find_model, judge, read_history
from quorate_impl.pbft import Client, Ed25519, new_secret
from quorate_impl.runtime.cluster import LocalCluster, found_cluster

from tests.impl.pbft.running import Registers
from tests.impl.runtime.test_real_cluster import record


def client(name: str, servers: Mapping[str, str], *, give_up_ticks: int) -> Client:
    """With a key of its own."""
    return Client(name, servers, new_secret(), Ed25519(), give_up_ticks=give_up_ticks)


def record_rounds(rounds: int, folder: Path, seed: int) -> Counter[str]:
    config = found_cluster(folder / "data", "pbft", None, 0, with_tls=False)
    with LocalCluster(folder / "data", config) as cluster:
        workload = Registers(("x", "y", "z"))
        return asyncio.run(record(cluster, rounds, folder / "history.jsonl", seed, client, workload))


@pytest.mark.slow
def test_a_cluster_that_is_killed_paused_and_cut_is_linearizable(tmp_path: Path) -> None:
    counts = record_rounds(5, tmp_path, seed=os.getpid())
    assert counts["ok"] > 100
    verdict = judge(read_history(tmp_path / "history.jsonl"), "linearizable", find_model("cas-register").starting(None))
    assert isinstance(verdict, Satisfied)


if __name__ == "__main__":
    where = Path(sys.argv[2])
    with suppress(FileExistsError):
        where.mkdir()
    print(dict(record_rounds(int(sys.argv[1]), where, seed=1)), "; judge it with:")
    print(f"quorate history {where}/history.jsonl --model cas-register --initial null --level linearizable")
