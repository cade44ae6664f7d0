"""Claims that exploring refutes, put to the proofs at the same bounds: none may be proven, and bounded checks find the run.

Specifications of the library and drawn ones get a mistake each (`tests.mutants`), and are explored at small bounds. Where a
property is violated, or an action raises an error, after d steps and no earlier,

- a bounded check to depth d finds a run of d steps, and one to depth d - 1 finds nothing;
- induction and k-induction do not say "proven".

Where exploring sees everything and nothing is violated, no bounded check finds anything.

`python -m tests.prove.false_at_bounds --count 2000 --seed 1` looks for so many false claims.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from quorate.errors import SpecError
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.loading import load, names
from quorate.outcome import Failed, Outcome, Proven, Violated
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.smt import Effort

from tests import generated, mutants
from tests.prove.oracle import SAFETY, Explored, explored

DEPTH, STATES = 5, 400
"""So far a claim is explored."""
CHOICES_MAX = 3_000
SMALL = {"ResourceManager": 2, "Server": 2, "Acceptor": 2, "Node": 2, "Replica": 2, "Process": 2, "Term": 1, "Index": 1}
SECONDS = 20.0
UNDECIDED = ("no time is left", "ran out of time", "timeout", "canceled")
"""A verdict that has one of these in it says that a solver did not answer."""
EFFORT = Effort((1.0,), 0.0, blindly=False)


@dataclass(frozen=True)
class Verdicts:
    """What exploring said of a mutant, and what is wrong with what the proofs said."""

    about: str
    explored: str
    wrong: tuple[str, ...]


def small(spec: type[Spec]) -> type[Spec]:
    """A specification at the smallest bounds at which it has something to do."""
    bounds = System(spec).bounds
    return spec.bounded(**{name: min(size, bounds[name]) for name, size in SMALL.items() if name in bounds})


def drawn(seed: int, protocols: tuple[str, ...]) -> Iterator[mutants.Mutant]:
    """Mutants without end: of a protocol, and of two drawn specifications, in turn."""
    chosen = random.Random(seed)
    made = {name: list(mutants.of_spec(load(name).main)) for name in protocols}
    while True:
        if protocols:
            yield chosen.choice(made[chosen.choice(protocols)])
        for _ in range(2):
            found = list(mutants.mutants(generated.write(chosen.randrange(2**32), False)))
            if found:
                yield chosen.choice(found)


def choices(system: System) -> int:
    """In how many ways actions, and properties, can be given arguments: exploring tries them all in every state."""
    methods = (*system.actions, *system.of(*SAFETY))
    with system:
        return sum(prod(parameter.type.cardinality for parameter in method.parameters) for method in methods)


def judged(mutant: mutants.Mutant) -> Verdicts | None:
    """The verdicts on a mutant; None if it is no specification any more, claims nothing, or has more choices than can all be tried."""
    try:
        spec = small(mutant.load())
        system = System(spec)
        if not system.of(*SAFETY) or choices(system) > CHOICES_MAX:
            return None
        found = explored(system, DEPTH, STATES)
        return Verdicts(str(mutant), _said(found), tuple(_wrong(spec, found)))
    except SpecError:  # What CPython objects to, in @init too, and what has no model.
        return None


def _said(found: Explored) -> str:
    if found.violated:
        return "false"
    return "true" if found.complete else "open"


def _wrong(spec: type[Spec], found: Explored) -> Iterator[str]:
    if not found.violated:
        if found.complete:
            yield from _invented(spec, found.depth)
        return
    shortest = min(found.violated.values())
    task = Task(spec, "mutant", depth=shortest or 1, effort=EFFORT, seconds=SECONDS)
    for method in ("induction", "kinduction", "bmc"):
        outcome = _outcome(replace(task, method=method, depth=2 if method == "kinduction" else task.depth))
        if isinstance(outcome, Proven):
            yield f"{method}: proven; exploring: {found.violated}"
        if method != "kinduction" or shortest <= 2:
            yield from _as_short(method, outcome, shortest)
    if shortest > 1:
        outcome = _outcome(replace(task, method="bmc", depth=shortest - 1))
        if isinstance(outcome, Violated | Failed):
            yield f"bmc: a run of {length(outcome)} steps; exploring: {found.violated}"


def _as_short(method: str, outcome: Outcome, shortest: int) -> Iterator[str]:
    """A violation as short as exploring found it; a solver that runs out of time says so."""
    if isinstance(outcome, Violated | Failed):
        if length(outcome) != shortest:
            yield f"{method}: a run of {length(outcome)} steps, exploring: {shortest}"
    elif not any(sign in str(outcome) for sign in UNDECIDED):
        yield f"{method}: {outcome}; exploring: {shortest} steps"


def _invented(spec: type[Spec], depth: int) -> Iterator[str]:
    outcome = _outcome(Task(spec, "mutant", method="bmc", depth=max(1, depth), effort=EFFORT, seconds=SECONDS))
    if isinstance(outcome, Violated | Failed):
        yield f"bmc: {outcome}; exploring: nothing is violated"


def _outcome(task: Task) -> Outcome:
    return prove(task).outcome


def length(outcome: Outcome) -> int | None:
    """The number of steps of a counterexample."""
    trace = outcome.trace if isinstance(outcome, Violated | Failed) else None
    return None if trace is None else len(trace.steps)


def judgements(seed: int, protocols: tuple[str, ...], count: int) -> Iterator[Verdicts]:
    """The verdicts on mutants, until there were so many false claims."""
    for mutant in drawn(seed, protocols):
        verdicts = judged(mutant)
        if verdicts is not None:
            yield verdicts
            count -= verdicts.explored == "false"
        if not count:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    counts, wrong = Counter[str](), 0
    for verdicts in judgements(asked.seed, tuple(names()), asked.count):
        counts[verdicts.explored] += 1
        if verdicts.wrong:
            wrong += 1
            print(verdicts.about, *verdicts.wrong, sep="\n    ", flush=True)
        if verdicts.explored == "false" and counts["false"] % 100 == 0:
            print(", ".join(f"{what}: {count}" for what, count in sorted(counts.items())), flush=True)
    print(f"judged wrongly: {wrong}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
