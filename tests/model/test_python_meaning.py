"""Unusual Python in small specs: each means in the model what it means in CPython, or is refused at its line."""

from __future__ import annotations

import pytest
from quorate.errors import SpecError
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify

from tests.model.small import small
from tests.model.test_interpreter import agree

HELPERS = """
from dataclasses import dataclass
from typing import NamedTuple

def first(xs: list[Node]) -> Node:
    return xs[0]

def pick(a: Level, b: Level = 1) -> Level:
    return a if a > b else b

def cutting(x: Level) -> Level:
    return Note(the(n for n in Node if True), the(n for n in Node if True), x).level

LIMIT = 1

__HIDDEN = 2
_Drawn__HIDDEN = 1

@record
class Case:
    level: Level | None = None

def equal(a: Level, b: Level | None) -> bool:
    return a == b

CASE = Case(1)

@dataclass(frozen=True, slots=True)
class Slotted:
    least: int = 1

SLOTTED = Slotted()

class Named(NamedTuple):
    least: int = 1
    most: int = 2

NAMED = Named()

class Plain:
    least = 1

    def __init__(self) -> None:
        self.most = 2

PLAIN = Plain()
PLAIN.inner = Plain()

class Computed:
    __slots__ = ("nothing",)

    @property
    def least(self) -> int:
        return 1

    def __getattr__(self, name: str) -> int:
        return 2

COMPUTED = Computed()

def three() -> int:
    return __HIDDEN + 1

__MISSING = 1

class Odd(int):
    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 1

ODD = Odd(1)

class Pair(tuple[int, ...]):
    def __contains__(self, one: object) -> bool:
        return False

PAIR = Pair((0, 1))

class Shade(Enum):
    DARK = 1
    PALE = 2

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

class Next(Nat, max=2):
    def __new__(cls, number: int) -> int:
        return number + 1

def odd(one: int = ODD) -> bool:
    return one == 1

@record
class Box:
    held: Annotated[dict[Level, Level], partial]

def first_of(held: Annotated[dict[Level | None, Level], partial]) -> int:
    for value in held.values():
        return value
    return 0

def made() -> Annotated[dict[Level | None, Level], partial]:
    return {2: 0, 1: 1}

def below(n: int) -> list[int]:
    return range(n)

def same(xs: list[int], ys: list[Level]) -> bool:
    return xs == ys
"""
METHODS = """
@action
def fill(self, p: Node, x: Level) -> None:
    require(len(self.log) < 2 and len(self.numbers) < 2)
    self.log.append(p)
    self.numbers.append(x)
    self.seen.add(p)
    self.note = Note(p, p, x)
    self.leader = p

def half(self, x: Level) -> Level:
    return Level(x // 2)

@staticmethod
def doubled(x: Level) -> Level:
    return Level(x * 2)

def case(self) -> Case:
    return Case(self.option)

def store(self, a: Level, b: Node) -> None:
    self.level[b] = a
"""

SAME = {
    # An operand that can fail, where the result does not need it.
    "isinstance of what fails": "self.flag = isinstance(self.log[-1], Node)",
    "isinstance of a field that fails": "self.flag = isinstance(self.numbers[1], int)",
    "len of a tuple that fails": "self.flag = len((self.log[0], p)) == 2",
    "len of a map that fails": "self.flag = len(self.grid[self.log[0]]) == 2",
    "in a tuple that fails": "self.flag = p in (p, self.log[0])",
    "in a tuple that fails first": "self.flag = p in (self.log[0], p)",
    "over a map that fails": "self.flag = all(True for k in self.grid[self.log[0]])",
    "over values of a map that fails": "self.flag = all(True for v in self.grid[self.log[0]].values())",
    "over items of a map that fails": "self.flag = any(True for k, v in self.grid[self.log[0]].items())",
    "any of a list": "self.flag = any([i == 0 or self.numbers[i] == 2 for i in range(2)])",
    "all of a list": "self.flag = all([i == 9 or self.numbers[i] == 2 for i in range(2)])",
    "any of a set comprehension": "self.flag = any({i == 0 or self.numbers[i] == 2 for i in range(2)})",
    "any of a generator stops": "self.flag = any(i == 0 or self.numbers[i] == 2 for i in range(2))",
    "a default that fails": "self.top = max((x for x in [1, 2]), default=self.numbers[0])",
    "a default of a list that fails": "self.top = max([x for x in [1, 2]], default=self.numbers[0])",
    "a default of the": "self.leader = the((n for n in Node if n == p), self.log[0])",
    "replace of what fails": "self.note = replace(self.note, source=p, target=q, level=1)",
    "replace of all of a list that fails": "x = [Note(p, q, 1) for n in self.numbers]\nself.note = replace(x[0], level=2)",
    # What objects of the author's keep.
    "a field of a constant record": "self.top = CASE.level",
    "a field in a slot": "self.top = SLOTTED.least",
    "a field of a named tuple": "self.top = NAMED.most if self.top == NAMED.least else NAMED.least",
    "attributes of an object": "self.top = PLAIN.most if self.top == PLAIN.least else PLAIN.inner.least",
    # What a condition said is not so any more: an annotation that Python does not look at says something else.
    "a condition that its own branch undoes": """
        if self.option is None:
            self.option = 1
            return
        self.option = None
        self.flag = equal(self.option, None)
    """,
    "a condition that the branch that goes on undoes": """
        if self.option is not None:
            self.option = None
        else:
            self.option = 1
            return
        self.flag = equal(self.option, None)
    """,
    "a condition of the rounds that go on": """
        for n in self.numbers:
            if self.option is None:
                continue
            self.top = 1
        self.flag = equal(self.option, None)
    """,
    "a condition of the rounds that stay": """
        for n in self.numbers:
            if self.option is None:
                break
            self.top = 1
        self.flag = equal(self.option, None)
    """,
    "what is so in a loop that has no round": """
        for n in self.numbers:
            assert self.option is not None
        self.flag = equal(self.option, None)
    """,
    "a call before and after a change": """
        self.option = 1
        if self.case().level is None:
            return
        self.option = None
        self.flag = equal(self.case().level, None)
    """,
    "a call in rounds that change the state": """
        self.option = 1
        assert self.case().level is not None
        for n in range(2):
            self.flag = equal(self.case().level, None)
            self.option = None
    """,
    # A cut and an error: the first in Python's order counts.
    "record arguments before conversion": "self.note = Note(p, self.log[0], self.top + 3)",
    "record arguments, the cut first": "self.note = Note(level=self.top + 3, source=p, target=self.log[0])",
    "a nested record cuts first": "self.note = Note(Note(p, p, self.top + 3).source, self.log[0], 1)",
    "the key of a target": "self.grid[self.log[0]][p] = self.top + 3",
    "the index of a target": "self.numbers[1] = self.top + 3",
    "an index behind a key": "self.lists[1] = {self.log[0]}",
    "the value before the key": "self.colors[Color.RED] = self.numbers[1] + 3",
    "arguments by keyword": "self.top = pick(b=Note(p, p, self.top + 3).level, a=self.numbers[0])",
    # Keys of displays that are of one alternative of the map's.
    "keys of a display in a record": "self.flag = [k for k in Box({2: 0, 1: 1}).held] == [1, 2]",
    "keys of a display in the state": "self.held = {2: 0, 1: 1}\nfor k in self.held:\n    self.option = k",
    "one key of a display as an argument": "self.top = first_of({2: 2})",
    "a key of one alternative in a display": "self.ranked = {**self.ranked, self.top: 1, 1: 2, None: self.top}",
    "a tuple of one alternative in a display": "self.either = {**self.either, (self.top, p): 1, (1, None): 2}",
    "a key of one alternative of a partial map": "self.held = {self.top: 1}\nself.flag = self.held.get(self.top) == 1",
    "constant keys of a partial map": "self.held = {**self.held, 1: 2, None: 1}\nself.top = self.held[1]",
    # In a container without an order, an error in one element comes before what cuts another; of several bounds, the first by name.
    "a set of numbers below and above": "self.sets[0] = {self.top - 1, self.top + 3}",
    "a set updated with numbers below and above": "self.sets[0].update({self.top - 1, self.top + 3})",
    "a set of pairs below and above": "self.sets[0] = {i for i, n in {(self.top - 1, p), (self.top + 3, q)}}",
    "a map with numbers below and above": "self.level = {n: self.top + (4 if n == p else -1) for n in Node}",
    "maps in a map": "self.grid = {n: {m: self.top + (4 if n == p else -1) for m in Node} for n in Node}",
    "greater evaluates the left first": "self.flag = Note(p, p, self.top + 3).level > self.numbers[0]",
    "greater, the error first": "self.flag = self.numbers[0] > Note(p, p, self.top + 3).level",
    "a chain stops": "self.flag = 5 < self.top < self.numbers[0]",
    "a superset evaluates the left first": "self.flag = {self.log[0]}.issuperset({Note(p, p, self.top + 3).source})",
    "a discard beyond the bound": "self.numbers = [x for x in self.numbers if x != self.top + 9]",
    "unpacking assigns in order": "self.top, self.leader = self.top + 3, self.log[0]",
    "unpacking keys in order": "self.level[p], self.level[self.log[0]] = 1, 2",
    "an augmented place": "self.level[self.log[0]] += self.top",
    "extending past the bound": "self.numbers.extend([1, 2, 1])",
    "inserting past the bound": "self.numbers.insert(0, self.top + 3)",
    "replace of None with a cut": "self.note = replace(self.note, level=Note(p, p, self.top + 3).level)",
    "a sum of None and a cut": "self.top = self.option + Note(p, p, self.top + 3).level",
    "an order of None and a cut": "self.flag = self.option < Note(p, p, self.top + 3).level",
    "the greater of None and a cut": "self.top = max(self.option, Note(p, p, self.top + 3).level)",
    "taking out behind a key that is none": "self.sets[self.top + 3].discard(Note(p, p, self.top + 3).level + 9)",
    # None where Python takes it, or finds it later.
    "a slice from what may be None": "self.numbers = self.numbers[self.option:]",
    "a slice up to what may be None": "self.numbers = self.numbers[-1:self.option]",
    "an index of None with a cut": "self.top = (self.numbers if self.flag else None)[Note(p, p, self.top + 3).level]",
    "a slice of None with a cut": "self.numbers = (self.numbers if self.flag else None)[Note(p, p, self.top + 3).level:]",
    "a default beside None with a cut": "self.top = max(self.numbers if self.flag else None, default=Note(p, p, self.top + 3).level)",
    "a slice from a key that is absent": "self.numbers = self.numbers[self.held[1]:]",
    "a range of None and a cut": "self.flag = 1 in range(self.option, Note(p, p, self.top + 3).level)",
    "inserting at None with a cut": "self.numbers.insert(self.option, Note(p, p, self.top + 3).level)",
    "inserting at None past the bound": "self.numbers = [0, 1]\nself.numbers.insert(self.option, 1)",
    "a map of what may be None, compared": "self.flag = self.level == {n: self.option for n in Node}",
    "a map with one None, compared": "self.flag = self.level == {**self.level, p: self.option}",
    "a map of what may be None, with a name": (
        "x: dict[Node, Level] = {n: self.option for n in Node}\nself.flag = x[p] is None"
    ),
    "an element of two cases": "self.numbers = [self.option if self.option is not None else 0]",
    "a map of two cases": "self.level = {n: self.option if self.option is not None else 0 for n in Node}",
    # What is looked for need not be of the elements' type, nor a key of the keys' type.
    "None in what fails": "self.flag = self.leader in self.lists[0]",
    "None not in what fails": "self.flag = self.leader not in self.lists[0]",
    "a number beyond all of a set of a union": "self.picks.add(Level(1))\nself.flag = self.top + 9 not in self.picks",
    "a number below all of a list of optionals": "self.options.append(1)\nself.flag = self.top - 9 not in self.options",
    "another alternative in a set": "self.maybe.add(None)\nself.picked = 1\nself.flag = self.picked not in self.maybe",
    "a tuple with an optional": "self.flag = (self.top + 9, p) not in {(Level(1), self.leader)}",
    "a number beyond the keys of a union": "self.flag = self.top + 9 not in self.ranked",
    "a discard beyond a union": "self.picks.discard(self.top + 9)\nself.flag = True",
    "a discard beyond a local set": "x = {1, 2}\nx.discard(self.top)\nself.top = len(x)",
    "a removal beyond a local set": "x = {(1, p), (2, p)}\nx.remove((self.top, p))\nself.top = len(x)",
    "a discard of what may be None from a local set": "x = {0, 1}\nx.discard(self.option)\nself.top = len(x)",
    "a discard of another alternative": "self.maybe.add(None)\nself.picked = 1\nself.maybe.discard(self.picked)",
    "a discard from a local set": "self.picked = 1\nx = set(self.maybe)\nx.discard(self.picked)\nself.maybe = x",
    "a removal beyond a union": "self.picks.remove(self.top + 9)",
    "a key beyond a tuple": "self.top = self.paired[(self.top + 3, p)]",
    "a key below a tuple": "self.top = self.paired[(self.top - 1, p)]",
    "a place beyond a tuple": "self.paired[(self.top + 3, p)] = 1",
    "a key beyond a union": "self.top = self.ranked[self.top + 3]",
    "a place beyond a union": "self.ranked[self.top + 3] = 1",
    "a key beyond a tuple with an optional": "self.top = self.either[(self.top + 3, None)]",
    "a key of an optional": "self.top = self.level[self.leader]",
    "a member that is none in its sort": "self.flag = Rank[self.top + 1] in Rank",
    "equal to a None that fails": "self.flag = self.leader == (None if self.numbers[0] > 0 else None)",
    "a list that is nowhere": "self.lists[self.top + 5].add(p)",
    # Names.
    "a local called key": "key = self.top\nself.flag = all(v >= key for v in self.level.values())",
    "a local called pair": "pair = self.top\nself.flag = any(a == b for a, b in {(pair, 1)})",
    "a local called parts": "parts = self.top\na, b = (parts, 1)\nself.top = Level(min(parts + b, 2))",
    "a local called element": "element = p\nself.flag = element in set(self.log)",
    "a local called condition": "condition = self.flag\nself.flag = any([not condition, self.numbers[0] == 1])",
    "names of C": "int, double, static = 1, 2, 0\nself.top = Level(double - int + static)",
    "names of the engine": "state, status, s, word, out = p, q, p, 1, 2\nself.leader = s if word < out else status",
    "names of Python": "list, len = 1, 1\nself.top = Level(list + len)",
    "a name that looks like a version": "x = 1\nx_2 = 2\nfor y in [1, 2]:\n    x_3 = y\n    self.top = Level(x_2)",
    "a name that looks like an input": "p_in = q\nself.leader = p if p_in == p else p_in",
    "a private global is the class's": "self.top = Level(__HIDDEN)",
    "a private global of a function is its own": "self.flag = three() == 3",
    "a private local": "__x = 1\nself.top = Level(__x)",
    "a shadowed global": "self.top = Level(sum(LIMIT for LIMIT in [1, 1]))",
    "a global": "self.top = Level(LIMIT)",
    "a comprehension's own name": "n = p\nself.seen = {n for n in Node if n != p}\nself.leader = n",
    "nested comprehensions of one name": "self.flag = all(any(n == n for n in Node) for n in Node)",
    # Syntax.
    "chained comparisons": "self.flag = 0 <= self.top < 2 != 5",
    "equality chains": "self.flag = p == q == self.leader",
    "nested ternaries": "self.top = 0 if p == q else 1 if self.flag else 2",
    "filters": "self.flag = all(a == b for a in Node if a != p for b in Node if b != p and a != q)",
    "default arguments": "self.top = pick(0)",
    "keyword arguments": "self.top = pick(b=2, a=self.top)",
    "a static method": "self.top = Level(min(self.doubled(self.top), 2))",
    "a procedure by keyword": "self.store(b=self.log[0], a=Note(p, p, self.top + 3).level)",
    "tuple unpacking": "(a, (b, c)) = (1, (0, p))\nself.top = a if b == 0 else 2\nself.leader = c",
    "a swap": "self.level[p], self.level[q] = self.level[q], self.level[p]",
    "is on members": "self.flag = self.leader is None or self.leader is p",
    "is not": "self.flag = self.leader is not None and self.mode is not Color.RED",
    "in a range": "self.flag = self.top in range(1, 3)",
    "a list of a range": "self.flag = list(range(2)) == self.numbers",
    "a range that is sorted": "self.numbers = sorted(range(2), reverse=True)",
    "not in a tuple": "self.flag = self.mode not in (Color.RED, Color.GREEN)",
    "negative indices": "self.leader = self.log[-2]",
    "slices": "self.log = self.log[-1:] + self.log[:-1]",
    "sorted in reverse": "self.numbers = sorted(self.numbers, reverse=True)",
    "a set of frozensets": "x = {frozenset({p}), frozenset({p, q})}\nself.flag = {q} in x",
    "what is looked for is frozen": "self.flag = self.seen in {frozenset({p})}",
    "a discard of what cannot be there": "self.numbers = self.numbers[self.top + 9:]",
    "floor division of negatives": "self.top = Level((-self.top) // 2 + 2)",
    "remainders of negatives": "self.top = Level((-self.top) % 3)",
    "division by zero": "self.top = Level(2 // self.top)",
    "an enum is not its value": "self.flag = self.mode == Color.RED",
    "max of tuples": "self.top = max((x, i) for i, x in enumerate(self.numbers))[0]",
    "min of several": "self.top = min(self.top, 1, self.level[p])",
    "sum of conditions": "self.top = Level(sum(n in self.seen for n in Node))",
    "isinstance of a union": "self.flag = isinstance(self.note, Note | Ack)",
    "isinstance of nested classes": "self.flag = isinstance(self.note, (Note | Ack, Node))",
    "isinstance of object": "self.flag = isinstance(self.note, object)",
    "isinstance of None": "self.flag = isinstance(self.note, None | Ack)",
    "a record equals by all fields": "self.flag = self.note == Note(p, p, 1)",
    "a method of no effect on the caller": "self.top = self.half(self.doubled(1))",
    "an early return": "if self.flag:\n    return\nself.flag = True",
    "a range is evaluated once": "n = 1\nfor i in range(n):\n    n = min(n + 1, 3)\n    self.top = Level(i)",
    "a range that ends early": "n = 2\nfor i in range(n):\n    n = 0\n    self.top = Level(i)",
    "the greatest or None": "self.numbers = [Level(0), Level(1)]\nself.option = max(self.numbers, default=None)",
    "the least tuple or None": "self.flag = min(((x, 3 - x) for x in [2, 1]), default=None) == (1, 2)",
    "an unused loop": "for n in Node:\n    pass",
    "break out of order": "for x in self.numbers:\n    if x == 1:\n        break\n    self.top = x",
}
REFUSED = {
    "a property of an object": "self.top = COMPUTED.least",
    "what an object computes": "self.top = COMPUTED.other",
    "a slot without a value": "self.top = COMPUTED.nothing",
    # A range is no list: it equals none, is added to none, and a state has no place for it.
    "a range beside a list": "self.flag = self.numbers == range(2)",
    "a range before a list": "self.flag = range(2) != self.numbers",
    "a range and a list": "self.numbers = range(1) + [Level(1)]",
    "a list and a range": "self.numbers = [Level(1)] + range(1)",
    "a range in a place": "self.numbers = range(2)",
    "a range with a name": "r = range(2)\nself.flag = self.numbers == r",
    "a part of a range": "self.flag = range(3)[1:] == [1, 2]",
    "the class of a range": "self.flag = isinstance(range(2), list)",
    "a range in a tuple": "self.flag = (range(2), 1) == (self.numbers, 1)",
    "a range that is looked for": "self.flag = range(2) in ([0, 1], [1])",
    "a range or a list": "self.flag = (range(2) if self.flag else [0, 1]) == self.numbers",
    "a range that is returned": "self.flag = below(2) == self.numbers",
    "a range as an argument": "self.flag = same(range(2), self.numbers)",
    # A dict has the order in which its keys are written, and a map the canonical one, once something holds it.
    "a display as an argument": "self.top = first_of({2: 2, 1: 1})",
    "a display that updates, as an argument": "self.top = first_of({**self.held, 2: 2})",
    "a display that is returned": "self.flag = [k for k in made()] == [2, 1]",
    "a display with a name": "x: Annotated[dict[Level | None, Level], partial] = {2: 0, 1: 1}\nself.flag = [k for k in x] == [2, 1]",
    "a map of a set's keys with a name": (
        "x: Annotated[dict[Level, Level], partial] = {k: 1 for k in set(self.numbers)}\nself.flag = [k for k in x] == [2, 1]"
    ),
    "a partial map with a key for None, compared": "self.flag = self.held == {1: self.option}",
    "a partial map of what may be None": "x: Annotated[dict[Level, Level], partial] = {k: self.option for k in Level}",
    # Objects that say themselves what `==` and the like mean are none of the language's values.
    "a number of its own kind": "self.flag = ODD == 1",
    "a number of its own kind as a default": "self.flag = odd()",
    "a tuple of its own kind": "self.flag = 1 in PAIR",
    "an enum of its own kind": "x = Shade.DARK if self.flag else Shade.PALE\nself.flag = x == Shade.PALE",
    "a sort that makes its own numbers": "self.flag = Next(1) == 1",
    "a private global that the class has not": "self.top = Level(__MISSING)",
    "the greatest of what has no order": "self.picked = max(self.picked, 1)",
    "in a map that fails": "self.flag = p in self.grid[self.log[0]]",
    "walrus": "self.top = (x := 1)",
    "star arguments": "self.top = pick(*[1, 2])",
    "star unpacking": "a, *b = (1, 2)",
    "a key function": "self.numbers = sorted(self.numbers, key=abs)",
    "a start of sum": "self.top = sum(self.numbers, 1)",
    "a step of a slice": "self.log = self.log[::-1]",
    "a field given twice": "self.note = Note(p, p, 1, source=q)",
    "is on numbers": "self.flag = self.top is 1",
    "isinstance of what is no class": "self.flag = isinstance(self.note, self.log)",
    "isinstance of a set": "self.flag = isinstance(self.seen, frozenset)",
    "a list in a plain set": "self.flag = self.log in {self.log}",
    "a comparison as a statement": "self.top < 2",
    "an expression as a statement": "self.top + 1",
    "a truth value of a number": "self.flag = not self.top",
    "text": "self.flag = 'a' == 'b'",
    "bytes": "self.flag = b'a' == b'b'",
    "a number and a condition": "self.flag = self.top == True",
    "ordering a scalarset": "self.flag = p < q",
    "the of a list": "self.leader = the([n for n in self.log if n == self.log[1]])",
    "a lambda": "self.flag = (lambda: True)()",
    "a method of the instance's class": "self.flag = type(self) is Drawn",
}


@pytest.mark.parametrize("name", SAME)
def test_means_in_the_model_what_it_means_in_python(name: str) -> None:
    system = System(small(SAME[name], METHODS, HELPERS))
    with system:
        model = build(system)
        verify(model)
        assert agree(system, model, 40) > 10


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_at_its_line(name: str) -> None:
    with pytest.raises(SpecError) as refused:
        build(System(small(REFUSED[name], METHODS, HELPERS)))
    assert refused.value.location is not None
