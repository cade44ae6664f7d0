"""What happens in CPython is not ruled out by what proofs for any size say of it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from quorate.errors import SpecError
from quorate.prove.encode.anysize.conversions import Conversions
from quorate.prove.encode.anysize.effects import Combination
from quorate.prove.encode.anysize.execution import AnySize

from tests import generated
from tests.prove import false_claims, grounded, wider_claims

CHUNK = 4
SIZES = ({"Server": 2, "Term": 2, "Big": 1, "Rank": 2}, {"Server": 1, "Term": 1, "Big": 2, "Rank": 1})


def of_seeds(first: int) -> list[grounded.Grounded]:
    found = []
    for seed in range(first, first + CHUNK):
        source = (false_claims, wider_claims)[seed % 2].write(seed)
        try:
            spec = generated.load(source).bounded(**SIZES[seed // 2 % 2])
            found.append(grounded.judged(spec, Random(seed)))
        except (SpecError, grounded.Failure):
            continue
    return found


@pytest.mark.parametrize("first", [0, *(pytest.param(at * CHUNK, marks=pytest.mark.deep) for at in range(1, 60))])
def test_no_real_step_is_ruled_out(first: int) -> None:
    found = of_seeds(first)
    assert [step for one in found for step in one.ruled_out] == []
    assert sum(one.possible for one in found) >= CHUNK


LOOP = """
from quorate import *

class Server(Scalarset, size=2):
    pass

class Term(Nat, max=2):
    pass

class Drawn(Spec):
    top: Term
    term: dict[Server, Term]
    up: set[Server]
    seen: set[Term]

    @action
    def go(self, s: Server, t: Term) -> None:
        WHAT
"""


@pytest.mark.parametrize(
    ("what", "owner", "name", "mistake"),
    [
        ("for p in {s}: self.seen.add(t)", Combination, "_grown", lambda _, before, __: before),
        ("self.top = max((x for x in {t}), default=Term(0))", Conversions, "less", lambda self, *_: self.true),
        ("self.up = self.up | {s}", AnySize, "op_union", AnySize.op_intersect),
    ],
)
def test_a_planted_mistake_is_seen(
    what: str, owner: type, name: str, mistake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = generated.load(LOOP.replace("WHAT", what))
    assert not grounded.judged(spec, Random(1)).ruled_out
    monkeypatch.setattr(owner, name, mistake)
    assert grounded.judged(spec, Random(1)).ruled_out
