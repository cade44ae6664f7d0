"""Constructs that the typed model takes mean in it what they mean in Python.

Each source is one action; the interpreter of the model and CPython's run of the class agree on every transition of its first states.
"""

from __future__ import annotations

import pytest
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify

from tests.generated import HEADER, load
from tests.model.small import small
from tests.model.test_interpreter import agree

LOOPS = {
    "places of their own": "for s in Node:\n    self.level[s] = self.level[s] + 1",
    "on some of the paths": (
        "for s in Node:\n    if s == p:\n        self.level[s] = 1\n    elif s in self.seen:\n        self.level[s] = 2"
    ),
    "at an inner key": "for s in Node:\n    self.grid[p][s] = self.grid[p][s] + 1",
    "nested": "for s in Node:\n    for t in Node:\n        self.grid[s][t] = 1 if s == t else 0",
    "adding to a set": "for s in Node:\n    if s != p:\n        self.seen.add(s)",
    "taking from a set": "for s in Node:\n    self.seen -= {s}\nself.seen.add(p)",
    "a conjunction": "for s in Node:\n    self.flag = self.flag and s in self.seen\nself.flag = not self.flag",
    "a sum": "n = 0\nfor s in Node:\n    n += self.level[s]\nself.level[p] = min(n, 1)\nself.top = min(n, 2)",
    "a maximum": "n = 0\nfor s in Node:\n    n = max(n, self.level[s])\nself.top = n\nself.level[p] = 1",
    "counting": "for s in self.seen:\n    self.top += 1\nself.seen.add(p)",
    "the same constant": "for s in Node:\n    if s in self.seen:\n        self.flag = True\nself.seen.add(p)",
    "continue": "for s in self.seen:\n    if s == p:\n        continue\n    self.level[s] = 1\nself.seen.add(p)",
    "a local of each round": "for s in Node:\n    x = self.level[s]\n    x += 1\n    self.level[s] = x",
    "an assert of its own": "for s in Node:\n    assert self.level[s] < 2\nself.level[p] += 1",
    "sending": "for s in Node:\n    self.wire.send(Note(p, s, self.top))\nself.top += 1",
    "a break out of an ordered loop inside": (
        "for s in Node:\n    for i in range(3):\n        if self.level[s] == i:\n            break\n        self.level[s] = i"
    ),
    "items": "for k, v in self.level.items():\n    self.level[k] = v + 1",
    "items as pairs": "for pair in self.colors.items():\n    self.mode = pair[0]\n    self.top = pair[1]\nself.colors[self.mode] = 1",
    "values": "for v in self.colors.values():\n    self.top = max(self.top, v)\nself.colors[Color.RED] += 1",
    "keys": "for c in self.colors.keys():\n    self.mode = c",
    "an ordered sort with break": "for r in Rank:\n    if self.rank[r] == 0:\n        self.rank[r] = 1\n        break",
    "descending": "for r in sorted({x for x in Rank if self.rank[x] == 0}, reverse=True):\n    self.rank[r] = 1\n    break",
    "a range": "for i in range(3):\n    if i < len(self.log):\n        self.leader = self.log[i]\nself.log.append(p)",
    "a list, last writer": "for s in self.log:\n    self.leader = s\nself.log = [q, p]",
    "a list that is replaced": "for s in self.log:\n    self.log = self.log[1:]\nself.log += [p]",
    "enumerate": "self.log = [p, q]\nfor i, s in enumerate(self.log):\n    self.level[s] = i",
    "an enum": "for c in Color:\n    self.mode = c",
    "a map over its own set": "for s in self.seen:\n    self.seen.discard(s)\nself.seen.add(p)",
}
NAMES = {
    "a map has no bound": "m = {k: self.level[k] for k in Node}\nm[p] = m[p] + 5\nself.top = 1 if m[p] > 3 else 0",
    "a map built again": "m = {k: self.level[k] for k in Node}\nm = {k: m[k] + 5 for k in Node}\nself.top = 1 if m[p] > 3 else 0",
    "a set": "m = set(self.numbers)\nm.add(self.top + 5)\nself.top = len(m)",
    "an annotated set": "m: set[Level] = set()\nm.add(self.top + 5)\nself.top = len(m)",
    "an annotated tuple": "m: tuple[Level, bool] = (self.top + 5, True)\nself.top = 1 if m[0] > 2 else 0",
    "a list": "xs = [self.top, 1]\nxs[0] = xs[0] + 5\nself.top = 1 if xs[0] > 4 else 2",
    "a copy": "x = set(self.seen)\nx.add(p)\nself.seen.discard(q)\nself.flag = q in x\nself.seen = x",
    "an old value after an assignment": "x = self.seen\nself.seen = {p}\nself.flag = q in x",
    "an old value after a fresh one": "x = {p}\ny = x\nx = {q}\nself.flag = p in y",
    "two values for one name": "x: Node | None = None\nif self.flag:\n    x = p\nself.flag = not self.flag\nself.leader = x",
    "unpacking": "x, (y, z) = 1, (p, 2)\nself.level[y] = z\nself.top = x",
    "one of two classes": (
        "x: Note | Node | None = p if self.flag else Note(p, q, 1)\nself.flag = not self.flag\nself.leader = q if x == q else None"
    ),
    "a swap": "self.level[p], self.level[q] = self.level[q], self.level[p] + 1",
    "a swap of containers": "self.seen, self.other = self.other | {p}, self.seen",
    "a comprehension's own names": "self.seen = {p for p in Node if p != q}\nself.leader = p",
    "a large number": "x = 1\nfor i in range(6):\n    x = x * 3\nself.flag = x == 729",
}
VALUES = {
    "sets": "self.flag = len(self.seen | {p, q}) > 1 and {p} <= self.seen and {p} < self.seen\nself.seen.add(p)",
    "negative indices": "self.log = [p, q]\nself.log[-1] = p\nself.leader = self.log[-2]",
    "an index out of range": "self.leader = self.log[1]",
    "slices": "self.log = [p, q]\nself.log = self.log[1:] + self.log[:-1]\nself.flag = self.log[-5:9] == [q, p]",
    "extend": "self.log.extend([p])\nself.log += [q]",
    "insert": "self.numbers.insert(-1, self.top)\nself.top += 1",
    "insert far away": "self.numbers.insert(7, self.top)\nself.top = 1",
    "pop": "self.numbers.append(1)\nself.numbers.append(2)\nself.numbers.pop()",
    "pop of nothing": "self.numbers.pop()",
    "pop the first": "self.numbers = [1, 2, 0]\nself.numbers.pop(0)",
    "pop from the end": "self.numbers = [1, 2, 0]\nself.numbers.pop(-2)",
    "pop where there is none": "self.numbers.append(1)\nself.numbers.pop(1)",
    "pop before the first": "self.numbers.append(1)\nself.numbers.pop(-2)",
    "a popped value": "self.numbers = [1, 2, 0]\nself.top = self.numbers.pop(1)\nx: Level = self.numbers.pop()\nself.flag = x == 0",
    "popped before it is put": "self.log = [p, q, p]\nself.log[0] = self.log.pop(1)",
    "popped before the place is found": (
        "self.log = [p, q]\nself.numbers = [2, 1]\nself.log[-self.numbers[1]] = self.log.pop(self.numbers[1])"
    ),
    "popped into two names": "few = [(p, 1), (q, 2)]\nself.leader, self.top = few.pop()",
    "pop from a local list": "xs = [1, 2, self.top]\ny = xs.pop()\nself.flag = xs == [1, 2] and y == 0",
    "remove": "self.seen.add(p)\nself.seen.remove(q)",
    "floor division": "self.top = (0 - 3) // 2 + 4\nself.flag = (0 - 3) % 2 == 1",
    "division by zero": "self.top = 1 // self.top",
    "below zero": "self.top = self.top - 1",
    "above the bound": "self.top += 1\nself.numbers.append(self.top)",
    "counting conditions": "self.top = sum(s in self.seen for s in Node) + int(self.flag)\nself.seen.add(p)",
    "the": "self.leader = the((s for s in Node if s in self.seen), None)\nself.seen = {p}",
    "the of nothing": "self.leader = the(s for s in Node if s in self.seen)\nself.seen = {p}",
    "the of two": "self.leader = the(s for s in Node)",
    "a whole map": "self.level = {k: self.level[k] + 1 for k in Node}",
    "a map with another value": "self.level = {**self.level, p: self.top + 1}\nself.top += 1",
    "a map with two others, the last counts": "self.level = {**self.level, p: 1, q: self.level[p] + 1}",
    "an inner map with another value": "self.grid[p] = {**self.grid[q], q: 1}\nself.grid[q][q] = 2",
    "values of a new map before its names": "self.level = {**self.level, self.log[0]: self.numbers[0]}",
    "a map that is kept": "self.level = {**self.level}\nself.flag = {**self.level, p: 9}[p] == 9",
    "a map from items": "self.level = {k: v if k == p else 1 for k, v in self.level.items()}",
    "an inner map": "self.grid[p] = {k: 1 for k in Node}\nself.grid[p][q] += 1",
    "lists compared": "self.flag = self.log == [p] or self.log != []\nself.log = [p]",
    "a set in a list": "self.lists.append(self.seen)\nself.lists[0].add(p)\nself.seen.add(q)",
    "a sort as a set": "self.seen = set(Node) - {p}",
    "pairs of a map as a set": "self.flag = (Color.RED, 1) in set(self.colors.items())\nself.colors[Color.RED] = 1",
    "sorted of values": "self.numbers = sorted(self.colors.values())[1:]\nself.colors[Color.RED] += 1",
    "None": "self.flag = self.leader is None or self.leader == q\nself.leader = p",
    "a record": "self.flag = self.note is not None and self.note.level == 1\nself.note = Note(p, target=q, level=1)",
    "replace": (
        "if self.note is not None:\n    self.note = replace(self.note, level=self.note.level + 1)\n"
        "else:\n    self.note = Note(p, q, 0)"
    ),
    "a message out of bounds": "self.wire.send(Note(p, q, self.top + 2))\nself.top += 1",
    "receive": "self.wire.send(Note(p, q, 1))\nself.wire.receive(Note(p, q, 1))",
    "receive of what is not there": "self.wire.receive(Note(p, q, 1))",
    "drop": "self.wire.send(Note(p, q, 1))\nself.wire.drop(Note(p, q, 1))",
    "isinstance": (
        "for m in self.wire:\n    if isinstance(m, Note) and m.level == 1:\n        self.flag = True\n"
        "self.wire.send(Note(p, q, 1))"
    ),
}
METHODS = {
    "a pure method of each round": (
        "for s in Node:\n    self.level[s] = self.next(s)",
        "def next(self, n: Node) -> Level:\n    return self.level[n] + 1",
    ),
    "an early return inside a loop": (
        "self.flag = self.some()\nself.seen.add(p)",
        "def some(self) -> bool:\n    for s in Node:\n        if s in self.seen:\n            return True\n    return False",
    ),
    "a procedure": (
        "self.bump(p)\nself.bump(q)",
        "def bump(self, n: Node) -> None:\n    x = self.level[n]\n    if x > 0:\n        return\n    self.level[n] = x + 1",
    ),
    "a procedure in each round": (
        "for s in Node:\n    self.bump(s)",
        "def bump(self, n: Node) -> None:\n    if self.level[n] > 1:\n        return\n    self.level[n] += 1",
    ),
    "an argument above its type's bound": (
        "self.top = 1 if self.far(self.top + 5) else 0",
        "def far(self, x: Level | None) -> bool:\n    return x is not None and x > 4",
    ),
    "a result above its type's bound": (
        "self.top = 1 if self.far(self.top) == 5 else 0",
        "def far(self, x: Level) -> Level | None:\n    return x + 5",
    ),
    "a default argument": (
        "self.flag = self.one(p)",
        "def one(self, n: Node, y: Level = 1) -> bool:\n    return y == 1",
    ),
    "an empty result": (
        "self.seen = self.others(p) | {q}",
        "def others(self, n: Node) -> set[Node]:\n    if n in self.seen:\n        return set()\n    return self.seen",
    ),
    "empty parts of a result": (
        "self.log, self.flag = self.empty(p)\nself.seen.add(p)",
        "def empty(self, n: Node) -> tuple[list[Node], bool]:\n    return [n] if n in self.seen else [], n in self.seen",
    ),
    "an empty result of numbers beyond their bounds": (
        "self.top = 1 if 4 in self.far(p) else 0\nself.seen.add(p)",
        "def far(self, n: Node) -> set[Level]:\n    if n in self.seen:\n        return set()\n    return {self.top + 4}",
    ),
    "one of two classes as an argument": (
        "self.flag = self.is_note(Note(p, q, 1) if p in self.seen else p)\nself.seen.add(p)",
        "def is_note(self, x: Note | Node) -> bool:\n    return isinstance(x, Note)",
    ),
    "one of two classes as a result": (
        "x = self.which(p)\nself.flag = isinstance(x, Note) and x.level == 4\nself.seen.add(p)",
        "def which(self, n: Node) -> Note | Level:\n    return Note(n, n, 1) if n in self.seen else self.top + 4",
    ),
    "the state before": (
        "self.top += 1",
        "def twice(self) -> Level:\n    return self.top * 2\n"
        "@step\ndef grows(self, old: Self) -> bool:\n    return old.twice() < self.twice()",
    ),
}


def check(spec: object) -> None:
    """The model and the class agree, over something."""
    system = System(spec)  # type: ignore[arg-type]
    model = build(system)
    verify(model)
    with system:
        assert agree(system, model, 40) >= 4


@pytest.mark.parametrize("title", LOOPS)
def test_a_loop_whose_rounds_commute_or_have_an_order(title: str) -> None:
    check(small(LOOPS[title]))


@pytest.mark.parametrize("title", NAMES)
def test_a_local_name(title: str) -> None:
    check(small(NAMES[title]))


@pytest.mark.parametrize("title", VALUES)
def test_a_value(title: str) -> None:
    check(small(VALUES[title]))


@pytest.mark.parametrize("title", METHODS)
def test_a_method(title: str) -> None:
    check(small(*METHODS[title]))


INHERITED = """
class Base(Spec):
    top: Level
    old_top: Level

    def value(self) -> Level:
        return self.top

    @action
    def grow(self) -> None:
        self.top += 1

    @step
    def follows(self, old: Self) -> bool:
        return old.value() <= self.value()


class Drawn(Base):
    def value(self) -> Level:
        return super().value() + 1

    def grow(self) -> None:
        self.old_top = self.top
        super().grow()
"""


def test_super_reads_the_state_that_the_method_was_asked_about() -> None:
    system = System(load(HEADER.format(nodes=2, levels=2) + INHERITED))
    model = build(system)
    with system:
        assert agree(system, model, 10) == 3
        follows = model.of("step")[0]
        assert follows.reads == {"top"}
