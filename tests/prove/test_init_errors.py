"""An error of @init is a claim of every proof, as that of any action is."""

from __future__ import annotations

import pytest
from quorate.language.system import Failure
from quorate.outcome import Unfinished
from quorate.prove.proof import Task, prove

from tests import generated

SOURCE = """
from quorate import Nat, Spec, action, init, invariant


class Term(Nat, max=3):
    '''A number.'''


class Drawn(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        assert t < LIMIT
        self.n = t

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def small(self) -> bool:
        return self.n < LIMIT
"""


@pytest.mark.parametrize("method", ["induction", "kinduction", "bmc", "any size"])
def test_an_error_of_init_is_no_proof(method: str) -> None:
    spec = generated.load(SOURCE.replace("LIMIT", "2"))
    task = Task(spec, "spec", any_size=True) if method == "any size" else Task(spec, "spec", method=method)
    with pytest.raises(Failure, match=r"start\(2\) raises an error"):
        prove(task)


def test_an_error_of_init_beyond_the_bounds_is_no_proof_for_any_size() -> None:
    spec = generated.load(SOURCE.replace("LIMIT", "5"))
    found = prove(Task(spec, "spec", any_size=True)).outcome
    assert isinstance(found, Unfinished) and "@init raises an error" in found.reason
