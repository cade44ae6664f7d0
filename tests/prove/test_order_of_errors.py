"""What comes first counts, at fixed bounds: an error in one round and what ends, decides or cuts in another."""

from __future__ import annotations

from typing import Any

import pytest
from quorate.language.system import System
from quorate.outcome import Failed, Outcome, Unfinished, Violated
from quorate.prove.proof import Task, prove

from tests import generated
from tests.prove.oracle import ERROR, explored

HEADER = """
from typing import Annotated
from quorate import *

class K(Nat, max=99): pass
class Few(Nat, max=3): pass

@record
class Held:
    few: Few

class Drawn(Spec):
    pairs: Annotated[set[tuple[K, K]], up_to(3)]
    bag: Bag[Held] = Bag(capacity=3)
    ok: bool = True
    few: Few

    def decided(self) -> bool:
        for p in self.pairs:
            if 7 // (p[1] - 5) < 0:
                return True
        return False

    @invariant
    def fine(self) -> bool:
        return self.ok

    @action
    def go(self) -> None:
        require(len(self.pairs) == 0)
"""
SEVERAL = """
        self.pairs.add((K(7), K(0)))
        self.pairs.add((K(0), K(5)))
"""
"""Too many could be in it for a condition each, and the second is the first in canonical order."""
LISTED = "self.few = the((Held(Few(n + 1)).few for n in [{}]), Few(0))"


def outcomes(body: str) -> tuple[dict[str, int], list[Outcome]]:
    """What exploring says, and proofs."""
    spec: Any = generated.load(HEADER + body)
    found = explored(System(spec), 2, 100).violated
    return found, [
        prove(Task(spec, "drawn", method=method, depth=2, seconds=20.0)).outcome
        for method in ("bmc", "induction", "kinduction")
    ]


@pytest.mark.parametrize(
    "body",
    [
        SEVERAL + "        self.ok = any(p[1] == 0 or 7 // (p[1] - 5) > 0 for p in self.pairs)",
        SEVERAL + "        self.ok = all(p[1] != 0 and 7 // (p[1] - 5) > 0 for p in self.pairs)",
        SEVERAL
        + "        self.ok = any(p[1] == 0 or 7 // (p[1] - 5) > 0 for q in self.pairs for p in self.pairs if q[0] == 0)",
        SEVERAL + "        self.ok = any(x == 0 or 7 // (x - 5) > 0 for p in self.pairs for x in [p[1]])",
        SEVERAL + "        self.ok = self.decided()",
        SEVERAL + "        for p in self.pairs:\n            self.bag.send(Held(Few(3 + 7 // (p[1] - 5))))",
        f"        {LISTED.format('0, 1, 3')}",
    ],
)
def test_an_error_is_found_where_another_round_ends_it_only_in_another_order(body: str) -> None:
    found, verdicts = outcomes(body)
    assert found == {ERROR: 1}
    assert all(isinstance(verdict, Failed) for verdict in verdicts)


@pytest.mark.parametrize(
    "body",
    [
        SEVERAL.replace("5", "0").replace("7", "5")
        + "        self.ok = any(p[0] == 0 or 7 // (p[0] - 5) > 0 for p in self.pairs)",
        f"        {LISTED.format('0, 3, 1')}",
    ],
)
def test_no_error_is_found_that_another_round_spares(body: str) -> None:
    found, verdicts = outcomes(body)
    assert not found
    assert not any(isinstance(verdict, Failed | Violated) for verdict in verdicts)
    assert isinstance(verdicts[0], Unfinished)
