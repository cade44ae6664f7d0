"""Numbers are integers without a limit in proofs, too: what 64 bits do not hold is computed all the same."""

from __future__ import annotations

import pytest
from quorate.errors import QuorateError, SpecError
from quorate.explore import check
from quorate.outcome import Violated
from quorate.prove.proof import Task, prove

from tests import generated

SOURCE = """
from typing import Annotated
from quorate import *

class Level(Nat, max=2): pass
class Place(Nat, max=3): pass

class Drawn(Spec):
    levels: Annotated[list[Level], up_to(Place)]
    seen: bool

    @init
    def start(self, a: Level, b: Level, c: Level) -> None:
        self.levels = [a, b, c]

    @action
    def look(self) -> None:
        self.seen = CONDITION

    @invariant
    def never(self) -> bool:
        return not self.seen
"""
FAR = "(x + 1) * 4_000_000_000_000_000_000 * 3"
"""A number of which no value has 64 bits."""
MOST = "9_000_000_000_000_000_000"


@pytest.mark.parametrize(
    "condition",
    [
        f"sum(x * 4_000_000_000_000_000_000 for x in self.levels) > 2 * {MOST}",
        f"0 - sum(x * 4_000_000_000_000_000_000 for x in self.levels) < 0 - 2 * {MOST}",
        f"sum(0 - x * 4_000_000_000_000_000_000 for x in self.levels) < 0 - 2 * {MOST}",
        f"sum({FAR} for x in self.levels) > 5 * {MOST}",
        f"len({{{FAR} for x in self.levels}}) == 3",
        f"len({{frozenset({{{FAR}}}) for x in self.levels}}) == 3",
        f"len({{frozenset({{frozenset({{{FAR}}})}}) for x in self.levels}}) == 3",
        f"len({{0 - {FAR} for x in self.levels}}) == 2",
        f"max({{{FAR} for x in self.levels}}) > 3 * {MOST}",
        f"{{{FAR} for x in self.levels}} == {{{FAR} for x in self.levels if x > 0}}",
        f"sorted({{{FAR} for x in self.levels}})[-1] > 3 * {MOST}",
    ],
)
def test_what_is_true_of_a_wide_number_is_found(condition: str) -> None:
    outcome = prove(Task(generated.load(SOURCE.replace("CONDITION", condition)), "wide")).outcome
    assert isinstance(outcome, Violated) and outcome.trace is not None and len(outcome.trace.steps) == 1


def test_a_range_of_too_many_numbers_is_refused() -> None:
    far = FAR.replace("x", "self.levels[0]")
    spec = generated.load(SOURCE.replace("CONDITION", f"sum(1 for i in range({far}, {far} + 2)) == 2"))
    with pytest.raises(SpecError, match=r"has no symbolic encoding: there may be 65,536"):
        prove(Task(spec, "wide"))


def test_what_is_refused_for_its_many_values_is_refused_in_a_few_words() -> None:
    source = """
from quorate import *

class Place(Nat, max=30): pass
class Number(Nat, max=1000): pass

class Drawn(Spec):
    place: Place

    @action
    def go(self, chosen: dict[Place, set[Number]]) -> None:
        self.place = Place(len(chosen[Place(0)]) % 2)
"""
    for engine in ("reference", "native"):
        with pytest.raises(QuorateError, match=r"more than 10\^9,341 arguments|does not cover"):
            check(generated.load(source), engine=engine)
    nested = f"len({{frozenset({{{FAR}}}) for x in self.levels}}) == 3"
    with pytest.raises(QuorateError, match=r"a computed set over more than 10\^19,728 values"):
        check(generated.load(SOURCE.replace("CONDITION", nested)), engine="native")
