"""Liveness on the native engine against the reference engine, on random specs.

    python -m tests.native.liveness_agreement --count 2000 --seed 10000 [--store tree]

is a deeper run than the tests have time for: it prints every disagreement and a tally, and exits 1 if there was one. Both
engines check the liveness properties of a spec whatever its safety; for all properties and arguments the verdict, every step of the
lasso, and what is counted of states must be the same, with one worker, two and four.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from quorate.explore import liveness as reference
from quorate.explore.checking import symmetric_sorts
from quorate.explore.engine import Answer, Disagreement, Lasting
from quorate.explore.graph import Graph, build
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import library
from quorate.explore.native import liveness as native
from quorate.explore.native.render import Rendered
from quorate.explore.native.search import rendering
from quorate.explore.symmetry import affordable
from quorate.explore.traces.tracing import trace
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Failure, State, System

from tests.generated import load, write
from tests.native.agreement import QUICK_FLAGS, SMALL_TREE, WORKERS, Sorts
from tests.native.batch import by_words, compile_batch

STATES_MAX = 1_000
BATCH = 50
SMALL_GRAPH = ("-DSOLO_MAX=2", "-DGATHERED_MAX=100", "-DINDEX_MIN=16", "-DPAIRS_SLACK=1")
"""Workers that meet, an index that grows and a tree that is outgrown already with few states."""


@dataclass(frozen=True)
class Case:
    """A spec to compare on; `graph` is None if one of its actions raises an error."""

    name: str
    system: System
    initial: list[tuple[Arguments, State]]
    sorts: Sorts
    graph: Graph | None
    rendered: Rendered
    states_max: int


def case(name: str, spec: type[Spec], states_max: int = STATES_MAX) -> Case:
    """What the reference engine says of a spec. Raises Failure if it has no initial state."""
    system = System(spec)
    with system:
        initial = list(system.initial())
        sorts = affordable(system, symmetric_sorts(system)[0])[0]
        rendered = rendering(system, [state for _, state in initial], sorts)
        try:
            graph = build(system, sorts, Watch(Limits(states=states_max)), unfolded=True)
        except Failure:
            graph = None
        return Case(name, system, initial, sorts, graph, rendered, states_max)


def compare(case: Case, compiled: library.Library) -> Counter[str]:
    """What was compared: for every liveness property and its arguments "holds", "unjudged", "stays" (a lasso that ends in one state),
    "loop" or "error" (the property raises); "raises" if an action does; "large" if there are too many states. Raises AssertionError.
    """
    system, graph = case.system, case.graph

    def check(sorts: Sorts, workers: int = 1) -> native.Check:
        return native.Check(system, compiled, case.initial, sorts, Watch(Limits(states=case.states_max)), workers)

    with system:
        if graph is None:
            return meets_the_error(check(()))
        if graph.stopped is not None:
            assert check(()).lasting().stopped == graph.stopped, case.name
            return Counter(["large"])
        expected = list(reference.answers(graph))
        for workers in WORKERS:
            every = check((), workers)
            with every.opened():
                assert list(map(comparable, every.answers())) == list(map(comparable, expected)), (case.name, workers)
        first = check(case.sorts).lasting()
        finding = next((answer.finding for answer in expected if answer.finding is not None), None)
        assert (first.states, first.finding) == (len(graph.states), finding), case.name
        if finding is None:
            summary = Lasting(first.states, first.transitions, tuple(expected))
            assert (first.unjudged, first.remarks) == (summary.unjudged, summary.remarks), case.name
        for answer in expected:
            for run in filter(None, (answer.finding, answer.forced)):
                assert len(trace(system, run, "drawn", None)) == len(run.steps)
        return Counter(map(kind_of, expected))


def comparable(answer: Answer) -> Answer:
    """What both engines must say. Where an error is found, nothing else counts: they meet it at different times."""
    return replace(answer, begun=0) if answer.finding is not None and answer.finding.message is not None else answer


def meets_the_error(check: native.Check) -> Counter[str]:
    """The engine, too, sees that an action raises."""
    try:
        check.lasting()
    except Disagreement as difference:
        assert "an action raises" in str(difference)
        return Counter(["raises"])
    raise AssertionError("only the reference engine meets an error in an action")


def kind_of(answer: Answer) -> str:
    finding = answer.finding
    if finding is None:
        return "holds" if answer.judged else "unjudged"
    return "error" if finding.message is not None else "stays" if finding.loop == len(finding.steps) else "loop"


def compare_spec(spec: type[Spec], states_max: int) -> Counter[str]:
    """Compare on one spec."""
    found = case(spec.__name__, spec, states_max)
    with found.system:
        _, compiled = native.compiled(found.system, found.sorts)
    return compare(found, compiled)


def agree_on(seeds: Sequence[int], constraints: bool = False, store: str = "exact") -> Counter[str]:
    """Compare on drawn specs, many in one compilation, and count what was compared. Raises AssertionError."""
    library.FLAGS = (*QUICK_FLAGS, *SMALL_GRAPH, *(SMALL_TREE if store == "tree" else ()))
    tally: Counter[str] = Counter()
    cases = []
    for seed in seeds:
        try:
            cases.append(case(f"seed {seed}", load(write(seed, liveness=True, constraints=constraints))))
        except Failure:
            tally["without initial states"] += 1
    return tally + compare_all(cases, store)


def compare_all(cases: Sequence[Case], store: str = "exact") -> Counter[str]:
    """Compare on many specs in one compilation, and count what was compared. Raises AssertionError."""
    tally = Counter(specs=len(cases))
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group], store)
        for number, position in enumerate(group):
            tally.update(compare(cases[position], batch.choose(number)))
    return tally


def main() -> int:
    """Compare on `--count` specs; 1 if any disagrees."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--store", choices=("exact", "tree"), default="exact")
    chosen = options.parse_args()
    total: Counter[str] = Counter()
    end = chosen.seed + chosen.count
    for begin in range(chosen.seed, end, BATCH):
        try:
            total.update(agree_on(range(begin, min(begin + BATCH, end)), store=chosen.store))
        except AssertionError as difference:
            total["DISAGREE"] += 1
            print(f"seeds from {begin}: {difference}", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in sorted(total.items())))
    return int(total["DISAGREE"] > 0)


if __name__ == "__main__":
    sys.exit(main())
