"""Specs with loops whose rounds may fail or end the loop: from a seed, the source of one, to be explored with and without symmetry.

One node has a log and is known to the other, the other has a peer and no log, and only then do the loops run: much fails for one of
them only, and what the first round does decides.

    python -m tests.explore.drawn_rounds --count 2000 --seed 100000

prints each spec that ends otherwise with symmetry than without it, and a tally, and exits 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from random import Random

from quorate.errors import SpecError
from quorate.explore import check

from tests import generated

SPEC = """\
from enum import Enum
from typing import Annotated
from quorate import *


class Node(Scalarset, size=2):
    pass


class Kind(Enum):
    NEW = "new"
    GOOD = "good"
    BAD = "bad"


class Level(Nat, max=1):
    pass


class Drawn(Spec):
    kind: dict[Node, Kind]
    level: dict[Node, Level]
    log: dict[Node, Annotated[list[Level], up_to(1)]]
    peer: dict[Node, Node | None]
    told: set[Node]
    done: bool

    @action
    def choose(self, n: Node, k: Kind) -> None:
        require(self.kind[n] == Kind.NEW and k != Kind.NEW and not self.done)
        self.kind[n] = k

    @action
    def append(self, n: Node, value: Level) -> None:
        require(len(self.log[n]) == 0 and self.kind[n] == Kind.GOOD and not self.done)
        self.log[n].append(value)

    @action
    def meet(self, n: Node, m: Node) -> None:
        require(self.peer[n] is None and self.kind[n] == Kind.BAD and not self.done)
        self.peer[n] = m
        self.told.add(m)

    @action
    def finish(self) -> None:
        require(not self.done and all((n in self.told) == (self.kind[n] == Kind.GOOD) for n in Node))
        require(all(len(self.log[n]) > 0 if self.kind[n] == Kind.GOOD else self.peer[n] is not None for n in Node))
        self.done = True
{loop}

    def asked(self, n: Node, m: Node) -> bool:
        return {helper}

    def chosen(self, n: Node) -> set[Node]:
        return {chosen}

    @invariant
    def looked_at(self) -> bool:
        if not self.done:
            return True
{body}
"""


GUARDED = [
    ("len(self.log[{0}]) > 0", "self.log[{0}][0] == 1"),
    ("self.peer[{0}] is not None", "self.kind[self.peer[{0}]] == Kind.GOOD"),
    ("0 < len(self.log[{0}])", "max(self.log[{0}]) == 1"),
]
"""What must be so, and what then has a value."""


def members(bound: str, condition: str) -> str:
    """The nodes of which a condition on `{0}` is true."""
    return f"{{{bound} for {bound} in Node if {condition.format(bound)}}}"


class _Drawer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.chosen = self.comprehension(self.random.choice(["x", "n"]), "n")

    def condition(self, n: str, m: str, depth: int = 2, calls: bool = True) -> str:
        """A condition on n, and perhaps on m; many may raise an error."""
        one = self.random.choice([n, n, m])
        atoms = [
            f"self.kind[{one}] == Kind.{self.random.choice(['NEW', 'GOOD', 'BAD'])}",
            f"len(self.log[{one}]) > 0",
            f"self.peer[{one}] is {self.random.choice(['', 'not '])}None",
            f"{one} in self.told",
            f"self.level[{one}] == 0",
            f"self.log[{one}][0] == 1",
            f"self.log[{one}][len(self.log[{one}]) - 1] > 0",
            f"max(self.log[{one}]) == 1",
            f"1 // len(self.log[{one}]) == 1",
            f"the(x for x in self.told if x != {one}) == {one}",
        ]
        if calls:
            other = self.random.choice([n, m])
            bound = self.random.choice(["x", n, m])
            inside = self.condition(bound, n, 0, calls=False)
            atoms += [
                f"self.asked({n}, {m})",
                f"{one} in self.chosen({other})",
                f"{one} in {{{bound} for {bound} in Node if {inside}}}",
            ]
        if depth == 0:
            return self.random.choice(atoms)
        first, second = (self.condition(n, m, depth - 1, calls) for _ in range(2))
        return self.random.choice(
            [
                *self.random.sample(atoms, 2),
                f"({first} and {second})",
                f"({first} or {second})",
                f"not ({first})",
                f"({first} if {second} else {self.condition(n, m, 0, calls)})",
            ]
        )

    def source(self, known: str = "") -> str:
        """Where a loop takes its members; `known` is a node."""
        chosen = self.comprehension("x", known) if known else "{x for x in Node if self.peer[x] is not None}"
        return self.random.choice(["Node", "Node", "self.told", chosen, f"self.chosen({known})" if known else chosen])

    def comprehension(self, bound: str, known: str) -> str:
        """The nodes of which something is true, or the peers of those."""
        condition = self.condition(bound, known, 1, calls=False)
        if self.random.random() < 0.3:
            return f"{{self.peer[{bound}] for {bound} in Node if self.peer[{bound}] is not None and {condition}}}"
        return f"{{{bound} for {bound} in Node if {condition}}}"

    def quantified(self) -> str:
        """`any` or `all` over nodes, perhaps with another one inside."""
        if self.random.random() < 0.5:
            return self.guarded()
        condition = self.condition("n", "n")
        if self.random.random() < 0.4:
            inner = self.random.choice(["any", "all"])
            condition = f"{inner}({self.condition('n', 'm')} for m in {self.source('n')})"
        chosen = f" if {self.condition('n', 'n', 1)}" if self.random.random() < 0.4 else ""
        return f"{self.random.choice(['any', 'all'])}({condition} for n in {self.source()}{chosen})"

    def guarded(self) -> str:
        """A use of what is there for the members of a set only, which mostly are those for which it is there."""
        (guard, use), (other, _) = self.random.sample(GUARDED, 2)
        self.chosen = members("n", self.random.choice([guard, guard, other]))
        said = self.random.choice([guard, guard, other, f"({guard} or {other})", f"{other} and {guard}"])
        if self.random.random() < 0.5:
            those = self.random.choice([members("x", said), "self.chosen(the(x for x in self.told))"])
            return f"{self.random.choice(['any', 'all'])}({use.format('n')} for n in {those})"
        those = self.random.choice([members("m", said), members("n", said), "self.chosen(n)"])
        return f"any(n in {those} and {use.format('n')} for n in Node)"

    def body(self) -> list[str]:
        """A property that is true whenever it has a value."""
        if self.random.random() < 0.6:
            return [f"found = {self.quantified()}", "return found or not found"]
        lines = [f"for n in {self.source()}:", f"    if {self.condition('n', 'n')}:", "        return True"]
        if self.random.random() < 0.5:
            lines.append(f"    assert {self.condition('n', 'n')}")
        return [*lines, "return True"]

    def loop(self) -> list[str]:
        """Effects of an action: rounds may raise an error, or pass a bound."""
        if self.random.random() < 0.5:
            return []
        lines = [f"for n in {self.source()}:", f"    if {self.condition('n', 'n', 1, calls=False)}:"]
        lines.append(self.random.choice(["        self.level[n] += 2", "        self.log[n].append(Level(1))"]))
        return [*lines, f"    elif {self.condition('n', 'n', 1, calls=False)}:", "        assert self.level[n] > 0"]


def write(seed: int) -> str:
    """The source of a spec named `Drawn`; the same for the same seed."""
    drawer = _Drawer(Random(seed))
    helper = drawer.condition("n", "m", calls=False)
    body, loop = ("\n".join(f"        {line}" for line in lines) for lines in (drawer.body(), drawer.loop()))
    return SPEC.format(helper=helper, chosen=drawer.chosen, loop=loop, body=body)


def compared(seeds: range) -> Counter[str]:
    """How many specs ended how, without symmetry; "differ" are those that end otherwise with it, "refused" those that are no
    specs."""
    tally = Counter[str]()
    for seed in seeds:
        try:
            spec = generated.load(write(seed))
            plain, reduced = (check(spec, engine="reference", symmetry=symmetry).verdict for symmetry in (False, True))
        except SpecError:
            tally["refused"] += 1
            continue
        tally[plain] += 1
        if plain != reduced:
            tally["differ"] += 1
            print(f"seed {seed}: {plain} without symmetry, {reduced} with it\n{write(seed)}")
    return tally


def main() -> int:
    """Compare as many as are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=100_000)
    options = parser.parse_args()
    tally = compared(range(options.seed, options.seed + options.count))
    print(dict(tally))
    return 1 if tally["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
