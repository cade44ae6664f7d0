"""Random specs whose variables have types of one shape and of different ranges: what one has goes into the other as it is, and computed,
is compared with it, and is looked for in a set of such values.

The shapes are those of the language: optional numbers, tuples, lists, sets with a bound and without, also of more than 64 elements, maps,
total and partial, of each other. Half of what is moved does not fit: it is cut, by one of several bounds or more, or an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

HEADER = """\
from enum import Enum
from typing import Annotated
from quorate import *


class Steps(Nat, max={steps}):
    pass


class Zero(Nat, max=0):
    pass


class Tiny(Nat, max=1):
    pass


class Two(Nat, max=2):
    pass


class Small(Nat, max=3):
    pass


class Wide(Nat, max={wide}):
    pass


class Debt(Int, min=-2, max=2):
    pass


class Below(Int, min=-3, max=-1):
    pass


class Node(Scalarset, size={nodes}):
    pass


class Rank(Ordered, size=2):
    pass


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@record
class Note:
    node: Node
    level: Two


@record
class Batch:
    held: Annotated[list[Tiny], up_to(Two)]


class Drawn(Spec):
    steps: Steps
"""
NUMBERS = ("Zero", "Tiny", "Tiny", "Two", "Two", "Small", "Small", "Wide", "Debt", "Debt", "Below")
CAPACITIES = ("Tiny", "Two", "Small")
KEYS = ("Node", "Rank", "Tiny", "Color", "tuple[Node, Tiny]")
FIXED = ("Node | None", "bool", "Color", "Rank", "Note | None", "Note | Batch | None")
CHANGES = ("+ 1", "- 1", "+ 2", "- 3", "* 2")
CHOICES_MAX = 70
"""With more values, nothing is given a value of any choice."""


@dataclass(frozen=True)
class Shape:
    """Two types, and an expression of what a value becomes by a change of its numbers."""

    one: str
    other: str
    changed: Callable[[str, str], str]


class _Writer:
    """Draws one spec."""

    def __init__(self, random: Random) -> None:
        self.random, self._names = random, 0

    def name(self) -> str:
        self._names += 1
        return f"x{self._names}"

    def number(self) -> Shape:
        return Shape(self.random.choice(NUMBERS), self.random.choice(NUMBERS), lambda value, by: f"({value} {by})")

    def optional(self, is_key: bool = False) -> Shape:
        number, more = (
            self.number(),
            self.random.choice(("", "", "", " | Node", " | Color", " | Note", " | Node | Batch")),
        )
        if more and not is_key:
            return Shape(f"{number.one}{more} | None", f"{number.other}{more} | None", lambda value, _: value)
        return Shape(
            f"{number.one} | None",
            f"{number.other} | None",
            lambda value, by: f"(None if {value} is None else {value} {by})",
        )

    def fixed(self, is_key: bool = False) -> Shape:
        kind = self.random.choice(("Node", "bool", "Rank") if is_key else FIXED)
        return Shape(kind, kind, lambda value, _: value)

    def pair(self, is_key: bool) -> Shape:
        parts = [self.shape(0, is_key) for _ in range(self.random.choice((2, 2, 3)))]
        return Shape(
            f"tuple[{', '.join(part.one for part in parts)}]",
            f"tuple[{', '.join(part.other for part in parts)}]",
            lambda value, by: f"({', '.join(part.changed(f'{value}[{i}]', by) for i, part in enumerate(parts))})",
        )

    def sequence(self, of_set: bool, is_bounded: bool) -> Shape:
        inner, each = self.shape(0, of_set), self.name()
        kind, (begin, end) = ("set", "{}") if of_set else ("list", "[]")
        types = [f"{kind}[{part}]" for part in (inner.one, inner.other)]
        if is_bounded:
            types = [f"Annotated[{part}, up_to({self.random.choice(CAPACITIES)})]" for part in types]
        return Shape(*types, lambda value, by: f"{begin}{inner.changed(each, by)} for {each} in {value}{end}")

    def map(self, depth: int, is_partial: bool) -> Shape:
        key, inner = self.random.choice(KEYS), self.number() if is_partial else self.shape(depth - 1)
        at, each = self.name(), self.name()
        types = [f"dict[{key}, {part}]" for part in (inner.one, inner.other)]
        if is_partial:
            types = [f"Annotated[{part}, partial]" for part in types]
        return Shape(
            *types, lambda value, by: f"{{{at}: {inner.changed(each, by)} for {at}, {each} in {value}.items()}}"
        )

    def shape(self, depth: int, is_key: bool = False) -> Shape:
        """A pair of types; containers inside of others as long as there is depth."""
        makers: list[Callable[[], Shape]] = [
            self.number,
            lambda: self.optional(is_key),
            lambda: self.fixed(is_key),
            lambda: self.pair(is_key),
        ]
        if depth and not is_key:
            makers += [
                lambda: self.sequence(of_set=False, is_bounded=True),
                lambda: self.sequence(of_set=True, is_bounded=True),
                lambda: self.sequence(of_set=True, is_bounded=False),
                lambda: self.map(depth, is_partial=False),
                lambda: self.map(depth, is_partial=True),
            ]
        return self.random.choice(makers)()

    @staticmethod
    def action(name: str, body: str, parameter: str = "") -> str:
        return (
            f"\n    @action\n    def {name}(self{parameter}) -> None:\n"
            f"        require(self.steps < Steps.bound)\n        self.steps += 1\n        {body}\n"
        )

    def write(self) -> str:
        random, shape = self.random, self.shape(2)
        head = HEADER.format(
            steps=random.choice((2, 2, 3)), wide=random.choice((5, 70, 99)), nodes=random.choice((2, 2, 3))
        )
        keeps = "partial" not in shape.one and random.random() < 0.3
        lines = [f"{head}    one: {shape.one}\n    other: {shape.other}\n"]
        if keeps:
            lines.append(f"    kept: Annotated[set[{shape.one}], up_to(Two)]\n")
        lines += [
            self.action("give", "self.one = x", f", x: {shape.one}"),
            self.action("copy", "self.other = self.one"),
            self.action("back", "self.one = self.other"),
            self.action("move", f"self.other = {shape.changed('self.one', random.choice(CHANGES))}"),
            self.action("again", f"self.one = {shape.changed('self.one', random.choice(CHANGES))}"),
        ]
        if keeps:
            lines.append(self.action("keep", "self.kept.add(self.one)"))
            lines.append("\n    @reachable\n    def met(self) -> bool:\n        return self.other in self.kept\n")
        lines.append(
            "\n    @reachable\n    def same(self) -> bool:\n        return self.one == self.other and self.steps > 1\n"
        )
        claim = random.choice(("True", "self.steps < 2 or self.one != self.other"))
        lines.append(f"\n    @invariant\n    def claim(self) -> bool:\n        return {claim}\n")
        return "".join(lines)


def write(seed: int) -> str:
    """The source of a spec."""
    return _Writer(Random(seed)).write()
