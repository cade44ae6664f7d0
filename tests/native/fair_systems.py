"""Both engines against the definition of fairness, on random fair systems with cuts.

    python -m tests.native.fair_systems --count 1000 --seed 0

A system has up to six states, transitions without fairness, weakly and strongly fair ones (for each instance, for each value of half an
argument, as a whole where a condition is true), some of which a bound cuts, and a property of one of the kinds. What is
true of it is found by trying every set of states that a run could visit for ever, straight from the definitions and without a
line of the checker: a set in which each state reaches each other, and what fairness demands in it is done. The run that an engine shows
is held against the definition as well. Prints a tally and every disagreement, and exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, combinations, pairwise
from pathlib import Path

from tests.native.building import program
from tests.native.listed import (
    BEGINS,
    CUT,
    FULFILLED,
    HOLDS,
    KINDS,
    UNJUDGED,
    VIOLATED,
    Answer,
    Judged,
    Listed,
    Reached,
    answers,
    drawn,
    verdict,
)

STATES_MAX = 6
STRONG = (2, 4)
OF_ENDS = ("infinitely_often", "eventually_always")


def demand(action: int, argument: int, state: int) -> tuple[int, int] | None:
    """What `models/listed.c` says in words: the demand that an instance serves where it starts."""
    if action == 3:
        return action, argument // 2
    if action == 4:
        return (action, 0) if state % 2 == 0 else None
    return (action, argument) if action else None


class Brute:
    """The truth of one system, by trying everything."""

    def __init__(self, listed: Listed) -> None:
        self.lines, self.promises, self.anywhere, self.ends = (
            listed.lines,
            listed.promises,
            listed.anywhere,
            listed.ends,
        )
        self.kind = KINDS[listed.property]
        self.initial = set(range(listed.initial))
        self.reached = self.closure(self.initial, lambda _: True)

    def closure(self, begin: Iterable[int], allowed, pending: bool = False) -> set[int]:  # type: ignore[no-untyped-def]
        """What is reached through allowed states, the first ones included; while an obligation is pending, by steps that do not end
        it."""
        found = set(begin)
        while True:
            steps = {(s, t) for s in found for _, _, t in self.lines[s] if t != CUT and allowed(t)}
            more = {t for s, t in steps if not (pending and self.ends(s, t))} - found
            if not more:
                return found
            found |= more

    def fulfilled(self, state: int) -> bool:
        return bool(self.promises[state] & FULFILLED)

    def begins(self) -> set[int]:
        """Where an obligation begins, fulfilled or not."""
        where = self.reached if self.anywhere else self.initial
        return {state for state in where if self.promises[state] & BEGINS}

    def pending(self) -> set[int]:
        """Where one is pending."""
        if self.kind in ("eventually_always", "always_from"):
            return self.closure(self.begins(), lambda _: True, pending=True)
        unfulfilled = {state for state in self.begins() if not self.fulfilled(state)}
        return self.closure(unfulfilled, lambda state: not self.fulfilled(state), pending=True)

    def leaving(self, within: set[int], pending: bool) -> set[int]:
        """From where a run can come to a cut within a set."""
        cut = {s for s in within if any(t == CUT for _, _, t in self.lines[s])}
        return {s for s in within if self.closure({s}, lambda t: t in within, pending) & cut}

    def possible(self, state: int, bounded: bool) -> set[tuple[int, int] | None]:
        return {demand(a, x, state) for a, x, t in self.lines[state] if t != state and not (bounded and t == CUT)}

    def fair(self, states: set[int], bounded: bool, pending: bool) -> bool:
        """Whether a run that visits all of these, and no others, for ever can be fair."""
        here = [self.possible(state, bounded) for state in states]
        steps = [(s, demand(a, x, s), t) for s in states for a, x, t in self.lines[s] if t != s and t in states]
        return not unmet(here, {what for s, what, t in steps if not (pending and self.ends(s, t))})

    def connected(self, states: set[int], pending: bool) -> bool:
        return all(self.closure({state}, lambda t: t in states, pending) == states for state in states)

    def places(self, within: set[int], bounded: bool, pending: bool) -> list[set[int]]:
        """Every set in which a fair run can stay, for ever or while an obligation is pending."""
        subsets = chain.from_iterable(combinations(sorted(within), size) for size in range(1, len(within) + 1))
        return [
            found
            for found in map(set, subsets)
            if self.connected(found, pending) and self.fair(found, bounded, pending)
        ]

    def violated(self, bounded: bool) -> bool:
        pending = self.pending()
        if self.kind == "always_from":
            return any(not self.fulfilled(state) for state in pending)
        again = self.kind == "eventually_always"
        return any(
            not again or any(not self.fulfilled(state) for state in found)
            for found in self.places(pending, bounded, pending=True)
        )

    def verdict(self) -> int:
        if self.violated(bounded=False):
            return VIOLATED
        if self.kind == "always_from":
            return HOLDS
        if self.violated(bounded=True):
            return UNJUDGED
        if self.kind in OF_ENDS and self.leaving(self.reached, pending=False):
            inside = set[int]().union(*self.places(self.reached, bounded=False, pending=False))
            if any(not self.closure({state}, lambda _: True) & inside for state in self.reached):
                return UNJUDGED
        return HOLDS

    def counts(self) -> tuple[int, int]:
        """(pending, leaving), as they are reported where there is no violation."""
        if self.kind == "always_from":
            return 0, 0
        forced = self.violated(bounded=True)
        ends = self.kind in OF_ENDS and bool(self.leaving(self.reached, pending=False)) and not forced
        where = self.reached if ends else self.pending()
        return len(where), len(self.leaving(where, pending=not ends))

    def is_violated_by(self, answer: Answer, bounded: bool) -> bool:
        """Whether the run of an answer is one, is fair, and violates the property."""
        assert answer.first is not None
        states, taken = [answer.first[1]], list[tuple[int, int] | None]()
        for action, argument in chain(answer.stem, answer.loop):
            targets = [t for a, x, t in self.lines[states[-1]] if (a, x) == (action, argument) and t != CUT]
            if not targets:
                return False
            taken.append(demand(action, argument, states[-1]) if targets[0] != states[-1] else None)
            states.append(targets[0])
        if self.kind == "always_from":
            return bool(self.promises[states[0]] & BEGINS) and not self.fulfilled(states[-1])
        circle = states[len(answer.stem) :]
        ended = [n for n, step in enumerate(pairwise(states)) if step[0] != step[1] and self.ends(*step)]
        if any(n >= len(answer.stem) for n in ended):
            return False
        if circle[0] != circle[-1] or unmet([self.possible(s, bounded) for s in circle], taken[len(answer.stem) :]):
            return False
        if self.kind == "eventually_always":
            begun = [n for n, state in enumerate(states) if state in self.begins() and (n == 0 or self.anywhere)]
            return any(n > max(ended, default=-1) for n in begun) and any(not self.fulfilled(state) for state in circle)
        last = max((n for n, state in enumerate(states) if self.fulfilled(state)), default=-1)
        begun = [n for n, s in enumerate(states) if s in self.begins() and (n == 0 or self.anywhere)]
        return last < len(answer.stem) and any(n > max([last, *ended]) for n in begun)


def unmet(possible: Sequence[set[tuple[int, int] | None]], taken: Iterable[tuple[int, int] | None]) -> bool:
    """Whether something that fairness demands is not done: weakly fair and possible in all states, or strongly and in some."""
    always, once = set.intersection(*possible), set.union(*possible)
    wanted = {d for d in always if d is not None} | {d for d in once if d is not None and d[0] in STRONG}
    return bool(wanted - set(taken))


def small(seed: int) -> Listed:
    """A drawn graph that is small enough to try everything."""
    while True:
        found = drawn(seed)
        if len(found.promises) <= STATES_MAX:
            return found
        seed += 1_000_003


def differences(runner: str, seeds: Sequence[int], tally: Counter[str]) -> list[str]:
    """What the engines say otherwise than the definition; counts what was compared."""
    graphs = [small(seed) for seed in seeds]
    found = []
    for seed, graph, answer in zip(seeds, graphs, answers(runner, graphs), strict=True):
        brute = Brute(graph)
        expected, judged = brute.verdict(), Judged(Reached.of(graph), graph).answer()
        said = {"C": answer.verdict, "reference": verdict(judged)}
        found += [
            f"{seed}: {name} says {what}, it is {expected}: {graph}" for name, what in said.items() if what != expected
        ]
        counts = (len(brute.begins()), *(brute.counts() if expected != VIOLATED else (0, 0)))
        if counts != (answer.begun, answer.pending, answer.leaving):
            found.append(f"{seed}: counts {(answer.begun, answer.pending, answer.leaving)}, they are {counts}: {graph}")
        if answer.first is not None and not brute.is_violated_by(answer, bounded=answer.verdict == UNJUDGED):
            found.append(f"{seed}: the run is no violation: {answer} of {graph}")
        cuts = any(target == CUT for lines in graph.lines for _, _, target in lines)
        tally[f"{KINDS[graph.property]}"] += 1
        tally["violated" if expected == VIOLATED else "not judged" if expected == UNJUDGED else "holds"] += 1
        tally["with cuts"] += cuts
    return found


def runner_in(folder: Path) -> str:
    """The engine, compiled for listed graphs."""
    return program(folder / "fair", '#include "listed.c"\n#include "run_liveness.c"\n', "plain")


def main() -> int:
    """Compare on `--count` systems; 1 if anything differs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        found = differences(runner_in(Path(folder)), range(chosen.seed, chosen.seed + chosen.count), tally)
    print(*found, sep="\n" if found else "")
    print(
        f"{chosen.count:,} systems, {len(found):,} differences:",
        ", ".join(f"{n:,} {k}" for k, n in sorted(tally.items())),
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
