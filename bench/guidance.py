"""How long random runs take to find deep mistakes: even ones, those of a swarm, and guided ones.

    python bench/guidance.py [--seeds N] [--limit MILLIONS] [--only NAME] [--ways even,swarm,guided]

For each mistake and each way: in how many searches it was found within so many steps, and the medians over the seeds of the CPU seconds and
of the steps until then. One worker; compiling is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from quorate.explore.limits import Watch
from quorate.explore.simulate import Simulation, simulate
from quorate.language.spec import Spec
from quorate.loading import load
from quorate_specs.consensus.raft import CommitsOldTerms

WAYS = ("even", "swarm", "guided")
LENGTH = 60
"""Most steps of a run."""


class FromTheBeginning(CommitsOldTerms):
    """Raft's figure 8 without its first stages."""

    omits = ("figure_8",)


def variant(spec: str, name: str, **bounds: int) -> type[Spec]:
    """A broken variant of the library."""
    found = load(spec).variant(name)
    return found.bounded(**bounds) if bounds else found


MISTAKES: dict[str, type[Spec]] = {
    "raft": FromTheBeginning.bounded(Server=5, Term=4, Index=3),
    "raft_membership": variant("raft_membership", "ChangesBeforeOwnCommit"),
    "viewstamped-log": variant("viewstamped", "LongestLog"),
    "viewstamped-nonce": variant("viewstamped", "NoNonce"),
    "isr_log": variant("isr_log", "JoinsAtHighWatermark"),
    "paxos": variant("paxos", "AnyReportedVote", Acceptor=5, Ballot=4),
    "pbft": variant("pbft", "PrepareQuorumOf2f"),
    "fast_paxos": variant("fast_paxos", "OpensRegardless"),
}


class Bounded(Watch):
    """A limit that does not depend on what else the machine does."""

    def __init__(self, steps: float) -> None:
        super().__init__()
        self._steps = steps

    def look(
        self, states: int, transitions: int, depth: int, frontier: int, by_worker: tuple[int, ...] = ()
    ) -> str | None:
        return "enough" if transitions >= self._steps else super().look(states, transitions, depth, frontier)


def search(spec: type[Spec], way: str, seed: int, steps: float) -> tuple[Simulation, float]:
    """One search, and its CPU seconds."""
    begin = time.process_time()
    found = simulate(
        spec,
        seed=seed,
        runs=10**9,
        length=LENGTH,
        swarm=way == "swarm",
        guided=way == "guided",
        engine="native",
        watch=Bounded(steps),
    )
    return found, time.process_time() - begin


def row(name: str, way: str, seeds: Sequence[int], steps_max: float) -> str:
    """A row of the table."""
    spec = MISTAKES[name]
    search(spec, way, 0, 1)  # Compiles.
    ends = [search(spec, way, seed, steps_max) for seed in seeds]
    found = [(seconds, end.steps) for end, seconds in ends if end.violation is not None]
    missed = len(ends) - len(found)
    infinite = [(float("inf"), float("inf"))] * missed
    seconds, steps = (statistics.median(column) for column in zip(*found, *infinite, strict=True))
    return f"| {name} | {way} | {len(found)} of {len(ends)} | {seconds:.2f} | {steps / 1e6:.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--limit", type=float, default=10.0)
    parser.add_argument("--only", choices=MISTAKES)
    parser.add_argument("--ways", default=",".join(WAYS))
    given = parser.parse_args()
    print("| mistake | runs | found | CPU s | million steps |\n|---|---|---|---|---|")
    for name in [given.only] if given.only else MISTAKES:
        for way in given.ways.split(","):
            print(row(name, way, range(1, given.seeds + 1), given.limit * 1e6), flush=True)


if __name__ == "__main__":
    main()
