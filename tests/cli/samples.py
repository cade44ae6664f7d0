"""Specifications, right and wrong, as the text of files."""

HEADER = """\
from enum import Enum
from typing import Self
from quorate import *

class Process(Scalarset, size=2):
    pass

class Count(Nat, max=3):
    pass
"""

MUTEX = (
    HEADER
    + """
class Mutex(Spec):
    "At most one process is inside."
    waiting: set[Process]
    inside: set[Process]

    @action
    def ask(self, p: Process) -> None:
        require(p not in self.inside)
        self.waiting.add(p)

    @action
    def enter(self, p: Process) -> None:
        require(p in self.waiting and len(self.inside) == 0)
        self.waiting.discard(p)
        self.inside.add(p)

    @action
    def leave(self, p: Process) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    @invariant
    def mutual_exclusion(self) -> bool:
        "Nobody is inside with another."
        return all(a == b for a in self.inside for b in self.inside)

class Rude(Mutex):
    "Nobody looks whether the room is empty."
    expect = violates("mutual_exclusion")

    def enter(self, p: Process) -> None:
        require(p in self.waiting)
        self.waiting.discard(p)
        self.inside.add(p)
"""
)

LIAR = MUTEX.replace('expect = violates("mutual_exclusion")', "expect = holds()")

WRONG = {
    "syntax": (HEADER + "class Broken(Spec)\n    pass\n", ["valid Python", "class Broken(Spec)", "^", ":10:19"]),
    "missing_import": ("import no_such_module_anywhere\n", ["no_such_module_anywhere", "^"]),
    "raises": ("value = 1 // 0\n", ["ZeroDivisionError", "value = 1 // 0"]),
    "no_spec": ("value = 1\n", ["defines no specification"]),
    "mutable_default": (HEADER + "class Bad(Spec):\n    seen: set[Process] = set()\n", ["mutable default", "Bad.seen"]),
    "infinite": (HEADER + "class Term(Nat):\n    pass\n", ["Term has no max", "class Term(Nat):"]),
    "plain_int": (
        HEADER + "class Bad(Spec):\n    n: int\n    @action\n    def up(self) -> None:\n        self.n += 1\n",
        ["int is infinite", "Nat"],
    ),
    "wrong_type": (
        HEADER + 'class Bad(Spec):\n    n: Count\n    @action\n    def up(self) -> None:\n        self.n = "two"\n',
        ["'two' is not a Count", 'self.n = "two"', "^"],
    ),
    "unhashable": (
        HEADER
        + "class Bad(Spec):\n    s: set[Process]\n    @action\n    def up(self) -> None:\n        self.s.add([1])\n",
        ["[1]", "self.s.add([1])"],
    ),
    "action_raises": (
        HEADER
        + "class Bad(Spec):\n    n: Count\n    @action\n    def up(self) -> None:\n        self.n = Count([][0])\n",
        ["IndexError", "[][0]"],
    ),
    "invariant_raises": (
        HEADER + "class Bad(Spec):\n    n: Count\n    @action\n    def up(self) -> None:\n        self.n += 1\n"
        "    @invariant\n    def fine(self) -> bool:\n        return 3 // (2 - self.n) > 0\n",
        ["ZeroDivisionError", "fine"],
    ),
    "unknown_annotation": (
        HEADER + "class Bad(Spec):\n    n: 'Nowhere'\n    @action\n    def up(self) -> None:\n        pass\n",
        ["Nowhere"],
    ),
    "no_actions": (HEADER + "class Bad(Spec):\n    n: Count\n", ["no actions"]),
}

AT_ONCE = '''
"""Counters that are wrong, or differ, before anything is done."""

from quorate import Nat, Spec, action, invariant


class N(Nat, max=3):
    """A number."""


class Low(Spec):
    """It begins at 0."""

    x: N

    @action
    def up(self) -> None:
        self.x += 1

    @invariant
    def positive(self) -> bool:
        return self.x > 0


class High(Low):
    """It begins at 1."""

    x: N = N(1)
'''
