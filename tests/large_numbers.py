"""Random specs about numbers: constants around every power of two that is some type's limit, products of them, sums over ranges, and such
numbers inside tuples, optionals, records, lists, maps and locals.

Invariants compare what was computed, and are as often false as true: a number that wraps changes a verdict. Beside errors and cuts
there is nothing else to these specs, so they are small and are explored in milliseconds.
"""

from __future__ import annotations

from random import Random

LIMITS = (7, 8, 15, 16, 16, 31, 31, 32, 32, 33, 47, 62, 63, 64)
STORED = (1, 126, 127, 128, 255, 256, 32_767, 32_768, 65_534, 65_535)
"""How far the numbers of a variable go; only what is computed is larger."""

HEADER = """\
from typing import Annotated, Self
from quorate import *


class Node(Scalarset, size=2):
    pass


class Small(Nat, max=2):
    pass


class Size(Nat, max=2):
    pass


class Wide(Nat, max={wide}):
    pass


class Other(Nat, max={other}):
    pass


@record
class Stamp:
    high: Wide
    low: Small


@record
class Mark:
    other: Other


def scaled(x: int, by: int) -> int:
    return x * by + {constant}


def split(x: int) -> tuple[int, int]:
    if x < 0:
        return {constant}, x
    return x // {divisor}, x % {divisor}


class Drawn(Spec):
    bounds = {{"log": 2}}
    small: Small
    wide: Wide
    other: Other
    option: Wide | None
    stamp: Stamp | Mark | None
    pair: tuple[Small, Wide]
    log: list[Wide]
    table: dict[Small, Other]
    owned: dict[Node, Wide]
"""


class _Writer:
    """Draws expressions. `names` are the numbers in scope; `owner` has the state."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._fresh = 0

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def name(self, stem: str) -> str:
        self._fresh += 1
        return f"{stem}{self._fresh}"

    def constant(self) -> str:
        number = (1 << self.random.choice(LIMITS)) + self.random.choice((-2, -1, 0, 1, 2))
        return f"({number})" if self.random.random() < 0.7 else f"(-{number})"

    def divisor(self) -> str:
        return self.pick("2", "3", "-3", "-1", "7", "65536", "4294967296", self.constant())

    def atom(self, names: list[str], owner: str = "self") -> str:
        return self.pick(
            *names,
            self.constant(),
            self.pick("0", "1", "2", "-1", "3"),
            f"{owner}.small",
            f"{owner}.wide",
            f"{owner}.other",
            f"{owner}.pair[1]",
            f"({owner}.option + 0 if {owner}.option is not None else -1)",
            f"({owner}.log[-1] if len({owner}.log) > 0 else 1)",
            f"{owner}.table[Small(1)]",
            f"sum({owner}.log)",
            f"max({owner}.owned.values())",
        )

    def number(self, names: list[str], depth: int = 2, owner: str = "self") -> str:
        """An integer."""
        if depth == 0:
            return self.atom(names, owner)
        a, b = self.number(names, depth - 1, owner), self.number(names, depth - 1, owner)
        test, i = self.truth(names, 0, owner), self.name("i")
        inner = self.number([*names, i], depth - 1, owner)
        return self.pick(
            f"({a} + {b})",
            f"({a} - {b})",
            f"({a} * {b})",
            f"({a} * {b})",
            f"({a} // {self.divisor()})",
            f"({a} % {self.divisor()})",
            f"(-{a})",
            f"abs({a})",
            f"min({a}, {b})",
            f"max({a}, {b})",
            f"({a} if {test} else {b})",
            f"({a}, {b})[{self.pick('0', '1')}]",
            f"(({a}, {b}), {a})[0][1]",
            f"[{a}, {b}][{self.pick('0', '1', '-1')}]",
            f"min(({a}, {b}), ({b}, {a}))[1]",
            f"sorted([({a}, 1), ({b}, 0)])[0][{self.pick('0', '1')}]",
            f"sum({inner} for {i} in range({self.pick('2', '3', '5', '40')}))",
            f"sum({inner} for {i} in Small)",
            f"max({inner} for {i} in range(3))",
            f"scaled({a}, {b})",
            f"split({a})[{self.pick('0', '1')}]",
            f"the({a} for {i} in Small)",
            a,
        )

    def truth(self, names: list[str], depth: int = 2, owner: str = "self") -> str:
        """A condition on numbers."""
        a, b = self.number(names, depth, owner), self.number(names, depth, owner)
        sign = self.pick("<", "<=", "==", "!=", ">", ">=")
        i = self.name("i")
        return self.pick(
            f"{a} {sign} {b}",
            f"{a} {sign} {b}",
            f"({a}, {b}) {sign} ({b}, {a})",
            f"{a} in [{b}, {self.constant()}]",
            f"{a} in {owner}.log",
            f"{a} <= {b} < {self.constant()}",
            f"all({i} {sign} {a} for {i} in {owner}.log)",
            f"any({i} * {self.constant()} {sign} {a} for {i} in range(3))",
        )

    def effect(self, names: list[str]) -> list[str]:
        """A change of the state. A number that is too large is cut, one below zero is an error."""
        value = self.number(names, self.random.choice((1, 1, 2)))
        kept = self.pick(
            f"abs({value})", f"abs({value}) % 65537", f"max(0, {value})", f"min(abs({value}), 70000)", value
        )
        other = f"min(abs({self.number(names, 1)}), 3)"
        return [
            self.pick(
                f"self.wide = Wide({kept})",
                f"self.other = Other({kept})",
                f"self.option = Wide({kept})",
                "self.option = None",
                f"self.stamp = Stamp(Wide({kept}), self.small)",
                f"self.stamp = Mark(Other({kept}))",
                f"self.pair = (self.small, Wide({kept}))",
                f"self.log.append(Wide({kept}))",
                f"self.log = [Wide({kept})]",
                f"self.table[self.small] = Other({kept})",
                f"self.owned[p] = Wide({kept})",
                f"self.small = Small({other})",
                "self.wide += 1",
            )
        ]

    def local(self, names: list[str]) -> list[str]:
        """A local name with a number in it, in scope afterwards."""
        x, y, i = self.name("x"), self.name("y"), self.name("i")
        a, b = self.number(names, 1), self.number(names, 1)
        choice = self.random.randrange(6)
        names.append(x)
        if choice == 0:
            return [f"{x} = {a}"]
        if choice == 1:
            return [f"{y} = ({a}, {b})", f"{x} = {y}[{self.pick('0', '1')}] - {y}[1]"]
        if choice == 2:
            return [f"{y} = {a} if {self.truth(names[:-1], 0)} else None", f"{x} = {y} + 0 if {y} is not None else {b}"]
        if choice == 3:
            times = self.pick("3", "5", "33", "64", "70")
            return [
                f"{x} = {a}",
                f"for {i} in range({times}):",
                f"    {x} = {x} {self.pick('*', '+', '-')} {self.atom([i])}",
            ]
        if choice == 4:
            return [f"{y}, {x} = split({a})", f"{x} += {y}"]
        return [f"{x} = {a}", f"if {self.truth(names[:-1], 1)}:", f"    {x} = {b}"]

    def body(self) -> list[str]:
        names = ["n"]
        lines = [line for _ in range(self.random.randrange(3)) for line in self.local(names)]
        if self.random.random() < 0.3:
            lines.append(f"require({self.truth(names, 1)})")
        return lines + [line for _ in range(self.random.randrange(1, 3)) for line in self.effect(names)]


def write(seed: int) -> str:
    """The source of a spec about numbers."""
    random = Random(seed)
    writer = _Writer(random)
    limits = {name: random.choice(STORED) for name in ("wide", "other")}
    source = HEADER.format(
        **limits, constant=writer.constant(), divisor=writer.pick("2", "65536", "4294967295", "4294967296")
    )
    lines = source.splitlines()
    for number in range(random.randrange(1, 4)):
        lines += ["", "    @action", f"    def act{number}(self, n: Small, p: Node) -> None:"]
        lines += ["        " + line for line in writer.body()]
    for number in range(random.randrange(1, 3)):
        lines += ["", "    @invariant", f"    def claim{number}(self, n: Small) -> bool:"]
        late = writer.pick("", "self.small == 0 or ", "self.small < 2 or ", "self.wide == 0 or ")
        lines += [f"        return {late}{writer.pick('', 'not ')}({writer.truth(['n'], random.choice((1, 1, 2)))})"]
    if random.random() < 0.4:
        test = f"{writer.number([], 1, 'old')} {writer.pick('<=', '!=', '>')} {writer.number([], 1)}"
        lines += ["", "    @step", "    def moves(self, old: Self) -> bool:", f"        return {test}"]
    if random.random() < 0.4:
        lines += ["", "    @reachable", "    def met(self) -> bool:", f"        return {writer.truth([], 1)}"]
    return "\n".join(lines) + "\n"
