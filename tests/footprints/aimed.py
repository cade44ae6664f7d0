"""Drawn specs aimed at footprints: values that go through helpers, locals and records on their way to a key or a branch.

    python -m tests.footprints.aimed --count 200 --seed 0

holds each against recorded runs, both orders of independent steps, and the native engine against the reference engine.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random

from quorate.errors import SpecError
from quorate.explore.limits import Limits, Watch
from quorate.explore.reference import explore as reference
from quorate.language.system import Failure, System

from tests.footprints.checks import check_all
from tests.generated import load
from tests.native import agreement
from tests.native.batch import by_words, compile_batch

HEADER = """\
from quorate import *
from typing import Annotated


class Node({sort}, size=2):
    pass


class Level(Nat, max=2):
    pass


class Few(Nat, max=2):
    pass


@record
class Note:
    node: Node
    level: Level


@record
class Ack:
    node: Node
    note: Note | None


class Drawn(Spec):
    a: bool
    b: bool
    p: Node | None
    n: Level
    m: dict[Node, Level]
    marks: dict[Node, bool]
    seen: set[Node]
    sets: dict[Node, set[Node]]
    log: Annotated[list[Level], up_to(Few)]
    kept: Note | None
    net: {wire}

    def quiet(self, x: Note | None) -> bool:
        return True if x is None else not self.a

    def level_of(self, x: Note | Ack | None) -> Level:
        if x is None:
            return self.n
        if isinstance(x, Ack):
            y = x.note
            return self.m[x.node] if y is None else y.level
        return max(x.level, self.m[x.node])

    def either(self, q: Node | None, r: Node) -> Node:
        return r if q is None else q

    def asked(self, q: Node, x: Note | Ack) -> bool:
        return self.marks[q] if isinstance(x, Note) and x.node == q else self.b
"""


class _Draw:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.fallible, self.false = random.randrange(3) == 0, random.randrange(3) == 0

    def one(self, *options: str) -> str:
        return self.random.choice(options)

    def node(self, depth: int = 2) -> str:
        if depth == 0:
            return self.one("s", "t")
        inner = self.node(depth - 1)
        return self.one(
            "s", "t", f"self.either(self.p, {inner})", f"self.either(None, {inner})", f"{self.note(depth - 1)}.node"
        )

    def note(self, depth: int = 2) -> str:
        return f"Note({self.node(max(depth - 1, 0))}, {self.level(max(depth - 1, 0))})"

    def ack(self, depth: int = 2) -> str:
        return f"Ack({self.node(0)}, {self.one('None', self.note(depth - 1), 'self.kept')})"

    def level(self, depth: int = 2) -> str:
        if depth == 0:
            return self.one("Level(0)", "Level(1)", "self.n", "self.m[s]")
        return self.one(
            f"self.m[{self.node(depth - 1)}]",
            f"self.level_of({self.one(self.note(depth - 1), self.ack(depth - 1), 'self.kept', 'None')})",
            f"min(self.m[{self.one('s', 't')}], {self.level(depth - 1)})",
            "max(self.m[x] for x in Node)",
            "min((self.m[x] for x in self.seen), default=self.n)",
            f"max((x.level for x in self.net if isinstance(x, Note) and x.node == {self.node(0)}), default=Level(0))",
            f"({self.level(0)} if {self.truth(depth - 1)} else {self.level(0)})",
            "self.log[0]" if self.fallible else "self.n",
        )

    def truth(self, depth: int = 2) -> str:
        if depth == 0:
            return self.one("self.a", "self.b", "self.marks[s]", "t in self.seen")
        inner, other = self.truth(depth - 1), self.truth(depth - 1)
        return self.one(
            f"self.quiet({self.one(self.note(depth - 1), 'self.kept', 'None')})",
            f"self.asked({self.node(depth - 1)}, {self.one(self.note(0), self.ack(1))})",
            f"any(isinstance(x, Note) and x.node == {self.node(0)} and x.level == {self.level(depth - 1)} for x in self.net)",
            f"{self.note(0)} in self.net",
            f"{self.node(depth - 1)} in self.sets[{self.node(depth - 1)}]",
            f"any(self.marks[x] for x in self.sets[{self.node(0)}])",
            "len(self.net) < 2",
            "is_majority(self.seen, Node)",
            f"({inner} and {other})",
            f"not {inner}",
            f"{self.level(depth - 1)} <= {self.level(0)}",
        )

    def statement(self, depth: int = 2) -> list[str]:
        plain = [
            f"self.{self.one('a', 'b')} = {self.truth()}",
            f"self.p = {self.one('None', self.node())}",
            f"self.m[{self.node()}] = {self.level()}",
            f"self.m[{self.node()}] += 1",
            f"self.marks[{self.node()}] = {self.truth()}",
            f"self.seen.{self.one('add', 'discard', 'remove' if self.fallible else 'add')}({self.node()})",
            f"self.sets[{self.node()}].{self.one('add', 'discard')}({self.node()})",
            f"self.log = {self.one('[]', 'self.log[1:]', f'self.log + [{self.level()}]')}",
            f"self.log.append({self.level()})",
            f"self.kept = {self.one('None', self.note())}",
            f"self.net.send({self.one(self.note(), self.ack())})",
            f"self.n = {self.level()}",
            f"assert {self.truth()}" if self.fallible else "self.a = not self.a",
        ]
        if depth and self.random.randrange(3) == 0:
            body = [f"    {line}" for line in self.statement(depth - 1)]
            head = self.one(f"if {self.truth()}:", f"if {self.truth(1)}:", f"if not {self.truth()}:")
            return [head, *body]
        if self.random.randrange(4) == 0:
            return [
                f"q = {self.node()}",
                f"self.{self.one('m[q] = Level(1)', 'marks[q] = True', 'sets[q].add(s)', 'seen.add(q)')}",
            ]
        return [self.random.choice(plain)]

    def action(self, number: int) -> list[str]:
        taken = self.random.randrange(3) == 0
        head = "s: Node, m: Note" if taken else "s: Node"
        lines = ["require(m in self.net)", "self.net.receive(m)", "t = m.node"] if taken else ["t = s"]
        if self.random.randrange(2):
            lines.insert(1, "require(m.node == s)" if taken else f"require({self.truth()})")
        for _ in range(self.random.randrange(1, 4)):
            lines += self.statement()
        return [f"@action\ndef act{number}(self, {head}) -> None:", *(f"    {line}" for line in lines)]

    def invariant(self, number: int) -> list[str]:
        some = " or ".join(self.truth(3 - i % 2) for i in range(2 if self.false else 4))
        return [
            f"@invariant\ndef hold{number}(self, s: Node, t: Node) -> bool:",
            f"    return {some}{'' if self.false else ' or not self.a'}",
        ]


def write(seed: int) -> str:
    """The source of one spec."""
    random = Random(seed)
    draw = _Draw(random)
    wires = (
        "Network[Note | Ack]",
        "Network[Note | Ack] = Network(capacity=2)",
        "Network[Note | Ack] = Network(capacity=1, lossy=True)",
    )
    head = HEADER.format(sort=random.choice(("Ordered", "Scalarset")), wire=random.choice(wires))
    parts = [draw.action(number) for number in range(random.randrange(2, 5))] + [
        draw.invariant(number) for number in range(2)
    ]
    body = "\n\n".join("\n".join(part) for part in parts)
    return head + "\n" + "\n".join(f"    {line}" if line else "" for line in body.split("\n")) + "\n"


def check(seeds: Sequence[int], states_max: int = 1_500) -> tuple[Counter[str], list[str]]:
    """Everything that is asked of these specs: a tally, and what is wrong."""
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    cases = []
    for seed in seeds:
        try:
            system = System(load(write(seed)))
            with system:
                covered = reference(system, (), Watch(Limits(states=states_max)), 1)
        except Failure:
            continue
        try:
            tally += check_all(system, 25)
        except SpecError:
            tally["outside the subset"] += 1
            continue
        except AssertionError as problem:
            wrong.append(f"seed {seed}: {str(problem)[:500]}")
        if covered.stopped is None:
            with agreement.remembering_everything():
                cases += list(agreement._cases(seed, system, covered, ()))
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group])
        for number, position in enumerate(group):
            try:
                agreement._compare_case(cases[position], batch.choose(number), "exact")
            except Exception as problem:
                wrong.append(f"engines differ: {str(problem)[:700]}")
            tally["explored by both"] += 1
            tally["violated" if cases[position].expected.finding else "held"] += 1
    return tally, wrong


def main() -> int:
    """Check `--count` specs; 1 if anything is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    agreement.library.FLAGS = agreement.QUICK_FLAGS
    tally, wrong = check(range(chosen.seed, chosen.seed + chosen.count))
    for line in wrong:
        print(line)
    print(", ".join(f"{count:,} {name}" for name, count in tally.items()))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
