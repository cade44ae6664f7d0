"""Sets of maps and of lists: what is in them, in both engines. Python's own sets hash what they are asked for."""

from __future__ import annotations

import pytest
from quorate.errors import QuorateError
from quorate.explore import check

from tests.generated import load

SPEC = '''
from quorate import Nat, Scalarset, Spec, action, invariant


class Node(Scalarset, size=2):
    """A node."""


class Level(Nat, max=1):
    """A number."""


class Drawn(Spec):
    """What was there once is kept."""

    now: dict[Node, Level]
    maps: set[dict[Node, Level]]
    lists: set[list[Level]]

    @action
    def put(self, n: Node, v: Level) -> None:
        self.now[n] = v
        self.maps.add(self.now)
        self.lists.add([v, 0])

    @invariant
    def claim(self) -> bool:
        return CLAIM
'''


@pytest.mark.parametrize(
    ("claim", "depth"),
    [
        ("len(self.maps) == 0 or self.now in self.maps", None),
        ("{n: 0 for n in Node} not in self.maps", 1),
        ("{n: 1 for n in Node} not in self.maps", 2),
        ("{n: 2 for n in Node} not in self.maps", None),
        ("[1, 0] not in self.lists", 1),
        ("[0, 1] not in self.lists", None),
        ("[1] not in self.lists", None),
    ],
)
def test_what_is_in_a_set_of_a_state_is_the_same_in_both_engines(claim: str, depth: int | None) -> None:
    spec = load(SPEC.replace("CLAIM", claim))
    for engine in ("reference", "native"):
        trace = getattr(check(spec, engine=engine), "trace", None)
        assert (None if trace is None else len(trace.steps)) == depth, engine


@pytest.mark.parametrize(
    "claim",
    [
        "[1, 0] in {one for one in self.lists} or True",
        "{n: 0 for n in Node} in {one for one in self.maps} or True",
        "[1, 0] in self.lists | self.lists or True",
    ],
)
def test_a_set_that_is_made_in_a_method_is_not_asked_for_a_container(claim: str) -> None:
    spec = load(SPEC.replace("CLAIM", claim))
    assert "unhashable" in str(getattr(check(spec, engine="reference"), "message", ""))
    with pytest.raises(QuorateError, match="Python has no hash for it"):
        check(spec, engine="native")
