"""The native engine against the reference engine, on random specs: a deeper run than the tests have time for.

    python -m tests.native.agreement --count 20000 --seed 1

prints every disagreement and a tally, and exits 1 if there was one. The compiler is told not to optimize: what is compared is the
meaning of the generated C.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from checker.explore.checking import symmetric_sorts
from checker.explore.engine import Covered
from checker.explore.limits import Limits, Watch
from checker.explore.native import explore as native
from checker.explore.native import library
from checker.explore.reference import explore as reference
from checker.explore.symmetry import affordable
from checker.language.sorts import Scalarset
from checker.language.spec import Spec
from checker.language.system import Failure, System
from tests.generated import load, write

STATES_MAX = 4_000
QUICK_FLAGS = ("-O0", "-pthread", "-fvisibility=hidden", "-w")


def summary(covered: Covered, exact: bool) -> tuple[object, ...]:
    """What must agree. Without symmetry also the counterexample itself, step by step."""
    finding = covered.finding
    shown = None if finding is None else finding if exact else (finding.kind, len(finding.steps))
    return (covered.states, covered.transitions, covered.depth, dict(covered.cuts), dict(covered.actions), covered.reached, shown,
            covered.stopped)


def compare(spec: type[Spec], workers: Sequence[int] = (1,)) -> list[str]:
    """What was compared: "plain", "symmetry", "violation"; "large" if the spec has too many states. Raises AssertionError."""
    system = System(spec)
    done: list[str] = []
    with system:
        reduced = affordable(system, symmetric_sorts(system)[0])[0]
        choices: list[tuple[type[Scalarset], ...]] = [(), reduced] if reduced else [()]
        for sorts in choices:
            expected = reference(system, sorts, Watch(Limits(states=STATES_MAX)), 1)
            if expected.stopped is not None:
                return [*done, "large"]
            for count in workers:
                found = native(system, sorts, Watch(Limits()), count)
                assert summary(found, not sorts) == summary(expected, not sorts), (count, sorts, found, expected)
            done += ["symmetry" if sorts else "plain", *(["violation"] if expected.finding else [])]
    return done


def main() -> int:
    """Compare on `--count` specs; 1 if any disagrees."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    library.FLAGS = QUICK_FLAGS
    tally: Counter[str] = Counter()
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        try:
            tally.update(compare(load(write(seed))))
        except Failure:
            tally["no initial state"] += 1
        except AssertionError as difference:
            tally["DISAGREES"] += 1
            print(f"seed {seed}: {difference}", flush=True)
    print(", ".join(f"{name}: {count:,}" for name, count in sorted(tally.items())))
    return int(tally["DISAGREES"] > 0)


if __name__ == "__main__":
    sys.exit(main())
