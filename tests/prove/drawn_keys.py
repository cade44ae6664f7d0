"""Specifications that compute keys, elements and fields from numbers of several sorts, at sizes where these end differently.

    python -m tests.prove.drawn_keys --count 2000 --seed 1000

What is a key at some bounds may be none at others: then an action, or a property, raises an error. Exploring at `SIZES` says where
one does, and which claims are false; no proof for any size may say that there is no error, or accept such a claim, where its
conditions are true.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from quorate.errors import QuorateError
from quorate.language.spec import Spec
from quorate.language.system import Failure, System
from quorate.prove.any_size.obligations import Prover, model_of_any_size
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.solvers.smt import selected

from tests import generated
from tests.prove.oracle import ERROR, explored

SIZES = tuple(
    {"Term": term, "Few": few, "queue": queue, "Server": 1}
    for term, few, queue in ((0, 1, 1), (1, 2, 2), (2, 1, 1), (3, 1, 2), (1, 3, 3), (2, 2, 3))
)
DEPTH, STATES = 3, 60

HEADER = """
from typing import Annotated
from quorate import *

class Server(Scalarset, size=2): pass
class Term(Nat, max=3): pass
class Few(Nat, max=2): pass

@record
class Told:
    term: Term
    few: Few = Few(0)

class Drawn(Spec):
    top: Term
    few: Few
    on: bool
    by_term: dict[Term, bool]
    by_few: dict[Few, Term]
    pairs: dict[tuple[Term, Few], bool]
    maybe: dict[Term | None, bool]
    part: Annotated[dict[Term, bool], partial]
    seen: set[Term]
    optional: set[Few | None]
    told: set[Told]
    queue: list[Server]
"""


class _Writer:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def number(self, depth: int = 2) -> str:
        options = ["t", "f", "t", "f", "self.top", "self.few", "0", "1", "2", "len(self.queue)"]
        if depth:
            a, b = self.number(depth - 1), self.number(depth - 1)
            options += [
                f"({a} + 1)",
                f"({a} - 1)",
                f"max({a}, {b})",
                f"min({a}, {b})",
                f"({a} // 2 + {b})",
                f"({a} % 2)",
            ]
            options += [
                f"({a} if {self.truth(0)} else {b})",
                f"max(self.seen, default={a})",
                f"abs({a} - {b})",
                "self.by_few[f]",
            ]
        return self.random.choice(options)

    def truth(self, depth: int = 1) -> str:
        n, m = self.number(depth), self.number(depth)
        options = [f"{n} in Term", f"{n} in Few", f"{n} < {m}", f"{n} == {m}", f"{n} in self.seen", "self.on"]
        options += [
            f"self.by_term[{n}]",
            f"self.pairs[{n}, {m}]",
            f"self.maybe[{n}]",
            f"{n} in self.part",
            f"{n} in self.optional",
        ]
        options += [
            f"self.part.get({n}) is None",
            f"Told({n}, {m}) in self.told",
            f"Told({n}) in self.told",
            f"self.by_few[{n}] == {m}",
        ]
        if depth:
            a, b = self.truth(0), self.truth(0)
            options += [
                f"({n} in Term and {a})",
                f"({a} or {b})",
                f"not {a}",
                f"all({a} for t in Term)",
                f"any({a} for f in Few)",
            ]
        return self.random.choice(options)

    def effect(self) -> str:
        n, m = self.number(), self.number(1)
        options = [
            f"self.by_term[{n}] = True",
            f"self.by_few[{n}] = Term({m})",
            f"self.pairs[{n}, {m}] = self.on",
            f"self.maybe[{n}] = True",
        ]
        options += [
            f"self.part[{n}] = True",
            f"self.part.pop({n}, None)",
            f"self.part = {{**self.part, {n}: False}}",
            f"del self.part[{n}]",
        ]
        options += [
            f"self.seen.add(Term({n}))",
            f"self.seen.discard({n})",
            f"self.optional.add({n})",
            f"self.optional.discard({n})",
        ]
        options += [
            f"self.told.add(Told({n}, Few({m})))",
            f"self.top = Term({n})",
            f"self.few = Few({n})",
            f"self.on = {self.truth()}",
        ]
        options += [
            f"self.by_term = {{**self.by_term, {n}: True}}",
            "self.queue.append(s)",
            f"if {self.truth()}: self.on = True",
        ]
        return self.random.choice(options)

    def text(self) -> str:
        lines = []
        for number in range(2):
            guards = [f"        require({self.truth()})" for _ in range(self.random.randint(0, 2))]
            effects = [f"        {self.effect()}" for _ in range(self.random.randint(1, 2))]
            lines += [
                "    @action",
                f"    def act{number}(self, s: Server, t: Term, f: Few) -> None:",
                *guards,
                *effects,
                "",
            ]
        for number in range(2):
            lines += [
                "    @invariant",
                f"    def claim{number}(self, t: Term, f: Few) -> bool:",
                f"        return {self.truth()}",
                "",
            ]
        return HEADER + "\n" + "\n".join(lines)


def write(seed: int) -> str:
    """The text of a drawn specification."""
    return _Writer(seed).text()


@dataclass(frozen=True)
class Judged:
    """What became of one specification: `wrong` if something was accepted although a run at a size that the proof is about refutes it."""

    what: str
    wrong: str = ""


def drawn(seed: int) -> Judged:
    """One drawn specification."""
    try:
        spec = generated.load(write(seed))
        prover = Prover(model_of_any_size(spec))
        accepted = _accepted(prover)
    except NoAnySize:
        return Judged("no meaning for any size")
    except QuorateError:
        return Judged("refused")
    if accepted is None:
        return Judged("an error is possible")
    least = [
        (name, int(number))
        for text in prover.conditions
        for name, number in re.findall(r"(\w+) goes up to (\d+)", text)
    ]
    bad = _refuted(spec, [size for size in SIZES if all(size[name] >= number for name, number in least)])
    wrong = bad & {ERROR, *accepted}
    return Judged("wrong" if wrong else "proven" if accepted else "no error", ", ".join(sorted(wrong)))


def _accepted(prover: Prover) -> set[str] | None:
    """What is proven together; None if an error is not excluded."""
    names = [prop.name for prop in prover.inductive]
    while bad := {one.name[1] for one in prover.queries(names, names) if selected(one).status != "unsat"}:
        names = [name for name in names if name not in bad]
    return None if any(selected(one).status != "unsat" for one in prover.errors(names)) else set(names)


def _refuted(spec: type[Spec], sizes: list[dict[str, int]]) -> set[str]:
    found = set[str]()
    for size in sizes:
        try:
            system: Any = System(spec.bounded(**size))
            found |= explored(system, DEPTH, STATES).violated.keys()
        except Failure:
            found.add(ERROR)
    return found


def main() -> None:
    """Judge so many specifications."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tally = Counter[str]()
    for seed in range(given.seed, given.seed + given.count):
        found = drawn(seed)
        tally[found.what] += 1
        if found.wrong:
            print("PROVEN ALTHOUGH FALSE: seed", seed, found.wrong, flush=True)
    print(dict(tally))


if __name__ == "__main__":
    main()
