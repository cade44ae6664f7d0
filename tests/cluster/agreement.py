"""A search by several workers against the native engine, in this process.

    python -m tests.cluster.agreement --count 2000 --seed 7

is a deeper run over drawn specs than the tests have time for."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from quorate.explore.checking import symmetric_sorts
from quorate.explore.cluster.search import search
from quorate.explore.engine import Covered, EngineUnavailable
from quorate.explore.limits import Watch
from quorate.explore.native import explore as native
from quorate.explore.native import library
from quorate.explore.native.search import rendering
from quorate.kinds import LIVENESS
from quorate.language.sorts import Scalarset
from quorate.language.spec import Spec, without
from quorate.language.system import Failure, System

from tests.cluster.in_process import InProcess
from tests.generated import load, write
from tests.native.agreement import QUICK_FLAGS, remembering_everything, summary


def by_workers(
    system: System, sorts: Sequence[type[Scalarset]], cluster: InProcess, watch: Watch | None = None
) -> Covered:
    """A search by the workers of this cluster. Use it inside the system's configuration."""
    watch = watch or Watch(again=2)
    initial = list(system.initial())
    rendered = rendering(system, [state for _, state in initial], sorts, watch.without | {"bits"}, watch.coverage)
    return search(system, rendered, initial, watch, cluster)  # type: ignore[arg-type]


def safety(spec: type[Spec]) -> type[Spec]:
    """A specification without what it says of whole runs."""
    return without(spec, [method.name for method in System(spec).of(*LIVENESS)])


def compare(spec: type[Spec], workers: Sequence[int] = (1, 2, 4), seed: int = 0, losses: int = 0) -> Counter[str]:
    """Compare with and without symmetry, and count what was compared. Raises AssertionError."""
    tally: Counter[str] = Counter()
    system = System(spec)
    with system:
        reduced = symmetric_sorts(system)[0]
        for sorts in [(), reduced] if reduced else [()]:
            expected = native(system, sorts, Watch(), 1)
            for count in workers:
                cluster = InProcess(count, seed, losses if count > 1 else 0)
                found = by_workers(system, sorts, cluster)
                assert summary(found, True) == summary(expected, True), (count, sorts, found, expected)
                tally.update(cluster.died_in)
                tally["searches"] += 1
            tally["symmetry" if sorts else "plain"] += 1
            tally["violated"] += expected.finding is not None
    return tally


def agree_on(seeds: Sequence[int], losses: int = 0) -> Counter[str]:
    """Compare drawn specs with these seeds. Raises AssertionError."""
    kept = library.FLAGS
    library.FLAGS = QUICK_FLAGS
    total: Counter[str] = Counter()
    try:
        with remembering_everything():
            for seed in seeds:
                try:
                    total += compare(load(write(seed)), (1 + seed % 4, 2), seed, losses)
                except (EngineUnavailable, Failure):  # Nothing to begin with, or a goal that raises an error.
                    total["refused"] += 1
    finally:
        library.FLAGS = kept
    return total


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--losses", type=int, default=1)
    chosen = options.parse_args()
    print(dict(agree_on(range(chosen.seed, chosen.seed + chosen.count), chosen.losses)))
