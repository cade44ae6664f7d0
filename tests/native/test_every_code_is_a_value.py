"""Loops over all values of a type, ranges of them, and tables by them: sets of at most so many and bags have as many numbers as values.

They had more (a number for each sequence), while the engine's tables had one for each value: a loop went on behind its table, and the
messages of a later class were looked for where they were not.
"""

from __future__ import annotations

import pytest
from quorate.explore import check
from quorate.language.spec import Spec
from quorate.outcome import Violated

from tests.generated import load
from tests.native.agreement import compare

SOURCE = '''\
from typing import Annotated
from quorate import *


class Node(Scalarset, size=3):
    pass


@record
class Crate:
    kept: Annotated[set[Node], up_to(2)]


@record
class Hello:
    node: Node


class Drawn(Spec):
    bounds = {}
    net: KIND[Crate | Hello]
    held: dict[Node, bool]

    @action
    def pack(self, n: Node, q: Annotated[set[Node], up_to(2)]) -> None:
        require(n in q and not self.held[n])
        self.held[n] = True
        self.net.ADD(Crate(q))

    @action
    def hello(self, n: Node) -> None:
        self.net.ADD(Hello(n))

    @action
    def answer(self, m: Hello) -> None:
        require(m in self.net and Crate({m.node}) in self.net)
        self.net.TAKE(m)

    @invariant
    def sizes(self, q: Annotated[set[Node], up_to(2)], c: Crate) -> bool:
        """No set, and no record with one, has more elements than it may."""
        return len(q) <= 2 and len(c.kept) <= 2

    @reachable
    def full(self, c: Crate) -> bool:
        """Yes: of all sets, one of two."""
        return len(c.kept) == 2 and c in self.net
'''


FALSE = {
    "heard": """
    @invariant
    def heard(self) -> bool:
        return sum(1 for m in self.net if isinstance(m, Hello)) == 0
""",
    "said": """
    @invariant
    def said(self, m: Hello) -> bool:
        return m not in self.net
""",
}
"""What the first greeting breaks."""


def spec(kind: str, false: str = "") -> type[Spec]:
    """The one above with sets of messages, or a network of them, and with a claim that is false."""
    add, take = ("add", "discard") if kind == "set" else ("send", "receive")
    return load((SOURCE + FALSE.get(false, "")).replace("KIND", kind).replace("ADD", add).replace("TAKE", take))


@pytest.mark.parametrize("kind", ["set", "Network"])
def test_engines_agree_on_sets_of_at_most_so_many(kind: str) -> None:
    assert compare(spec(kind)) == ["plain", "symmetry"]


@pytest.mark.parametrize("false", FALSE)
def test_messages_of_a_later_class_are_seen(false: str) -> None:
    outcome = check(spec("set", false), engine="native")
    assert isinstance(outcome, Violated)
    assert outcome.property == false
    assert len(outcome.trace.steps) == 1
