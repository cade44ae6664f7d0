"""Random specs about numbers with two ends and about members with numbers: an `Int` in every place where numbers stand, bounds that
are computed from others, and the arithmetic of `Ordered` sorts (indices, members by number, neighbours in a ring).

Half of the arithmetic leaves its range, so that cuts, errors and verdicts depend on where the ends are.
"""

from __future__ import annotations

from random import Random

HEADER = """\
from typing import Annotated, Self
from quorate import *


class Node(Ordered, size={nodes}):
    pass


class Debt(Int, min={least}, max={most}):
    pass


class Below(Int, min=-3, max=-1):
    pass


class Shift(Int, min=lambda: -Node.size, max=lambda: Node.size - 1):
    pass


class Nothing(Nat, max=0):
    pass


class Place(Nat, max=lambda: Node.size):
    pass


@record
class Note:
    debt: Debt
    node: Node


class Drawn(Spec):
    debt: Debt
    below: Below
    shift: Shift
    nothing: Nothing
    place: Place
    node: Node
    owed: dict[Node, Debt]
    table: dict[Debt, Shift]
    seen: set[Debt]
    pairs: set[tuple[Debt, Node]]
    log: Annotated[list[Debt], up_to(Place)]
    option: Debt | None
    note: Note | None
    wire: Network[Note]
"""


class _Writer:
    """Draws expressions from what is in scope."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def node(self, depth: int = 2) -> str:
        """An expression of type Node."""
        simple = ["n", "self.node"]
        if depth == 0:
            return self.random.choice(simple)
        inner = self.node(depth - 1)
        number = self.number(depth - 1)
        return self.random.choice(
            [*simple, f"{inner}.next()", f"{inner}.previous()", f"Node[{number}]", f"Node[({number}) % Node.size]"]
        )

    def number(self, depth: int = 2) -> str:
        """An expression that is some integer."""
        random = self.random
        simple = [
            "d",
            "self.debt",
            "self.below",
            "self.shift",
            "self.place",
            "self.nothing",
            str(random.randint(-2, 2)),
        ]
        simple += ["Node.size", "Debt.bound", "len(self.log)", "Shift.size"]
        if depth == 0:
            return random.choice(simple)
        a, b = self.number(depth - 1), self.number(depth - 1)
        return random.choice(
            [
                *simple,
                f"({a} {random.choice('+-*')} {b})",
                f"({a} {random.choice(['//', '%'])} {random.choice([b, '2', '-2'])})",
                f"-({a})",
                f"abs({a})",
                f"min({a}, {b})",
                f"{self.node(depth - 1)}.index",
                f"self.owed[{self.node(depth - 1)}]",
                f"self.table[Debt({a})]",
                "sum(self.owed[q] for q in Node)",
                "max(self.seen, default=0)",
                "sum(x for x in Debt)",
                "(1 if self.option == Debt.bound else 0)",
                f"({a} if {self.truth(depth - 1)} else {b})",
            ]
        )

    def truth(self, depth: int = 2) -> str:
        """A condition."""
        random = self.random
        a, b = (self.number(max(depth - 1, 0)) for _ in range(2))
        return random.choice(
            [
                f"{a} {random.choice(['<', '<=', '==', '!='])} {b}",
                f"{self.node(max(depth - 1, 0))} {random.choice(['<', '=='])} {self.node(0)}",
                f"{a} in self.seen",
                f"({a}, {self.node(0)}) in self.pairs",
                f"any(x < {b} for x in self.log)",
                f"all(m.debt + m.node.index > {b} for m in self.wire)",
            ]
        )

    def statement(self) -> str:
        """A change of the state."""
        number, node = self.number(), self.node()
        return self.random.choice(
            [
                f"self.debt = Debt({number})",
                "self.debt += d",
                "self.debt -= 1",
                f"self.below = Below({number})",
                f"self.shift = Shift({number})",
                f"self.nothing = Nothing({self.number(1)})",
                f"self.place = Place({self.number(1)})",
                f"self.node = {node}",
                f"self.owed[{node}] = Debt({number})",
                f"self.table[Debt({self.number(1)})] = Shift({number})",
                f"self.seen.add(Debt({number}))",
                f"self.pairs.add((Debt({number}), {node}))",
                f"self.log.append(Debt({number}))",
                f"self.option = Debt({number})",
                f"self.note = Note(Debt({number}), {node})",
                f"self.wire.send(Note(Debt({self.number(1)}), {node}))",
            ]
        )


def write(seed: int) -> str:
    """The source of the spec with this number."""
    random = Random(seed)
    writer = _Writer(random)
    least = random.randint(-3, 1)
    lines = []
    for action in range(random.randint(1, 3)):
        lines += ["", "    @action", f"    def act{action}(self, n: Node, d: Debt) -> None:"]
        if random.random() < 0.5:
            lines.append(f"        require({writer.truth()})")
        lines += [f"        {writer.statement()}" for _ in range(random.randint(1, 3))]
    for prop in range(random.randint(1, 2)):
        lines += ["", "    @invariant", f"    def claim{prop}(self, n: Node, d: Debt) -> bool:"]
        lines.append(f"        return {writer.truth()} or {writer.truth()} or {writer.truth(1)}")
    header = HEADER.format(nodes=random.randint(1, 3), least=least, most=least + random.randint(0, 3))
    return header + "\n".join(lines) + "\n"
