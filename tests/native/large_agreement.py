"""The native engine against the reference engine, on random specs about large numbers (`tests/large_numbers.py`).

    python -m tests.native.large_agreement --count 20000

prints every disagreement and a tally, and exits 1 if there was one. A number that leaves 64 bits ends the native search without a
verdict: that is counted, and agrees with everything. What has a verdict must have the reference engine's, with the same counts.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import get_context

from quorate.errors import SpecError
from quorate.explore.engine import EngineUnavailable
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import library
from quorate.explore.native.search import rendering, run
from quorate.explore.reference import explore as reference
from quorate.language.system import Failure, System

from tests.generated import load
from tests.large_numbers import write
from tests.native.agreement import QUICK_FLAGS, Case, reductions, summary
from tests.native.batch import by_words, compile_batch

BATCH = 400
SYMMETRY_EVERY = 4
"""One spec of so many is compared under symmetry, too."""
STATES_MAX, LIMITS_STATES_MAX = 60, 10_000


def cases_of(number: int, source: str, symmetry: bool, states_max: int = STATES_MAX) -> list[Case]:
    """The explorations of one spec. Raises EngineUnavailable if the engine says that it does not cover it, and TooMany."""
    system = System(load(source))
    found: list[Case] = []
    with system:
        initial = list(system.initial())
        for sorts in reductions(system) if symmetry else [()]:
            expected = reference(system, sorts, Watch(Limits(states=states_max)), 1)
            if expected.stopped is not None:
                raise TooMany
            rendered = rendering(system, [state for _, state in initial], sorts)
            found.append(Case(number, system, initial, sorts, expected, rendered))
    return found


class TooMany(Exception):
    """A spec has more states than are worth the time."""


def compared(cases: Sequence[Case]) -> Iterator[tuple[Case, str]]:
    """What the native engine says of each, beside the reference engine: "left 64 bits", its verdict, or that they DISAGREE."""
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group])
        for number, position in enumerate(group):
            case = cases[position]
            with case.system:
                try:
                    found = run(case.system, batch.choose(number), case.initial, Watch(), 1)
                except EngineUnavailable as reason:
                    yield case, f"unavailable: {reason}"
                    continue
                except (SpecError, AssertionError) as problem:
                    yield case, f"DISAGREE {problem!r}"
                    continue
            if found.too_large:
                yield case, "left 64 bits"
            elif summary(found, not case.sorts) != summary(case.expected, not case.sorts):
                yield case, f"DISAGREE, symmetry over {case.sorts}:\n{found}\n{case.expected}"
            else:
                yield case, "same verdict: " + (case.expected.finding.kind if case.expected.finding else "holds")


def outcomes(sources: dict[str, str]) -> dict[str, str]:
    """For each source what `compared` says; for one that is not covered, why."""
    library.FLAGS = QUICK_FLAGS
    found: dict[str, str] = {}
    names, cases = list(sources), []
    for number, source in enumerate(sources.values()):
        try:
            cases += cases_of(number, source, symmetry=False, states_max=LIMITS_STATES_MAX)
        except (EngineUnavailable, SpecError) as reason:
            found[names[number]] = f"refused: {' '.join(str(reason).split())}"
        except TooMany:
            found[names[number]] = "too many states"
    found |= {names[case.seed]: said for case, said in compared(cases)}
    return {name: found[name] for name in names}


def agree_on(seeds: Sequence[int]) -> tuple[Counter[str], str]:
    """Compare drawn specs; what was compared, and what disagrees."""
    library.FLAGS = QUICK_FLAGS
    tally, told = Counter[str](), ""
    cases = []
    for seed in seeds:
        try:
            cases += cases_of(seed, write(seed), seed % SYMMETRY_EVERY == 0)
        except (EngineUnavailable, Failure, TooMany) as reason:
            tally[type(reason).__name__] += 1
    tally["specs"] = len(seeds)
    for case, said in compared(cases):
        tally[said.split(",")[0].split(":\n")[0] if not said.startswith("unavailable") else "unavailable"] += 1
        if said.startswith("DISAGREE"):
            tally["DISAGREE"] += 1
            told += f"seed {case.seed}: {said}\n"
    return tally, told


def main() -> int:
    """Compare on `--count` specs; 1 if any disagrees."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=0, help="the seed of the first spec")
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    end = chosen.seed + chosen.count
    batches = [range(begin, min(begin + BATCH, end)) for begin in range(chosen.seed, end, BATCH)]
    total: Counter[str] = Counter()
    with get_context("spawn").Pool(chosen.processes, maxtasksperchild=8) as pool:
        for done, (tally, said) in enumerate(pool.imap(agree_on, batches), start=1):
            total.update(tally)
            print(f"{said}{done} of {len(batches)} batches", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in sorted(total.items())))
    return int(total["DISAGREE"] > 0)


if __name__ == "__main__":
    sys.exit(main())
