"""A specification as a state machine of Hypothesis: what it runs are runs of the specification, and a violation shrinks."""

from __future__ import annotations

from typing import Any

import pytest
import quorate
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from quorate import Nat, Scalarset, Spec, action, init, invariant, mapping, require, stateful, step, violates

QUICK = settings(max_examples=30, stateful_step_count=8)
SHRINKING = settings(QUICK, max_examples=100, phases=[Phase.generate, Phase.shrink])


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=5):
    """A number."""


class Count(Spec):
    """Processes count, and stop."""

    n: dict[P, N]
    first: P

    @init
    def begin(self, p: P) -> None:
        self.first = p

    @action
    def teardown(self, p: P) -> None:
        require(self.n[p] < self.most())
        self.n[p] += 1

    def most(self) -> int:
        return 3

    @invariant
    def small(self, p: P) -> bool:
        return self.n[p] <= 3

    @step
    def grows(self, old: Count) -> bool:
        return all(old.n[p] <= self.n[p] for p in P)


class More(Count):
    expect = violates("small")

    def most(self) -> int:
        return 9


class Shifted(Count):
    """Begins where what it refines does not."""

    refines = Count
    expect = violates("refines_count")

    def most(self) -> int:
        return 2

    @mapping
    def refines_count(self, abstract: Count) -> None:
        abstract.n = {p: self.n[p] + 1 for p in P}
        abstract.first = self.first


class Less(Count):
    expect = violates("grows")

    @action
    def reset(self, p: P) -> None:
        require(self.n[p] == 2)
        self.n[p] = 0


class Again(Count):
    """Has actions of names that a machine of Hypothesis has, and that such an action would get."""

    expect = violates("grows")

    @action
    def teardown_(self, p: P) -> None:
        require(self.n[p] == 2)
        self.n[p] = 0

    @action
    def teardown__(self) -> None:
        require(False)


def run(machine: Any, how: settings) -> None:
    run_state_machine_as_test(machine, settings=how)


def test_runs_that_hold_pass_also_where_they_end() -> None:
    run(stateful(Count, P=1), QUICK)
    assert stateful(Count).TestCase.__name__


def test_a_violation_is_found_and_shrunk_to_the_steps_that_it_takes() -> None:
    with pytest.raises(AssertionError, match=r"small\(p\d\) is violated in More") as found:
        run(stateful(More), SHRINKING)
    notes = "\n".join(getattr(found.value, "__notes__", ()))
    assert notes.count("state.teardown_(data=data(...))") == 4


@pytest.mark.parametrize("spec", [Less, Again])
def test_properties_of_steps_are_asserted(spec: type[Spec]) -> None:
    with pytest.raises(AssertionError, match=rf"grows\(\) is violated in {spec.__name__}"):
        run(stateful(spec), SHRINKING)


def test_the_facade_has_the_names_that_it_lists_and_no_others() -> None:
    scope: dict[str, object] = {}
    exec("from quorate import *", scope)
    assert set(quorate.__all__) <= set(scope)
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        quorate.nonesuch  # noqa: B018


def test_a_run_begins_as_what_is_refined_does() -> None:
    with pytest.raises(AssertionError, match="refines_count"):
        run(stateful(Shifted), QUICK)
