"""Loops that begin at a least number mean what they meant."""

from __future__ import annotations

import ast

import pytest
from quorate import Nat, Spec, action, require
from quorate.conform.narrowing import narrowed
from quorate.explore import check
from quorate.language.loaded import definition_of
from quorate.language.system import System
from quorate_specs.consensus.raft import Raft

LEAST = 2
HALF = 1.5


class Index(Nat, max=3):
    """A position."""


class Loops(Spec):
    """Loops of which some can begin later, and some cannot."""

    seen: set[Index]
    top: Index

    def later(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j >= i)

    def after(self, i: Index) -> int:
        return sum(j for j in Index if j > i and j in self.seen)

    def from_constant(self) -> bool:
        return all(j in self.seen for j in Index if j >= 2)

    def from_itself(self) -> bool:
        return any(j in self.seen for j in Index if j >= j)

    def with_upper_end(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j <= i)

    def of_expression(self) -> bool:
        return any(j in self.seen for j in Index if j >= self.top + 1)

    def second_condition(self, i: Index) -> bool:
        return any(j in self.seen for j in Index if j in self.seen and j >= i)

    def statement(self, i: Index) -> None:
        for j in Index:
            if j >= i:
                self.seen.add(j)

    def moves_its_end(self, i: Index) -> None:
        for j in Index:
            if j >= i:
                i = j
                self.seen.add(j)

    def from_a_global(self) -> bool:
        return all(j in self.seen for j in Index if j >= LEAST)

    def from_a_fraction(self) -> bool:
        return all(j in self.seen for j in Index if j >= 1.5)

    def from_a_global_fraction(self) -> bool:
        return all(j in self.seen for j in Index if j >= HALF)

    def with_a_name_of_python(self, max: Index) -> bool:
        return any(j in self.seen for j in Index if j >= max)

    def with_a_local_name_of_python(self, i: Index) -> bool:
        range = len(self.seen)
        return any(j in self.seen and range > 0 for j in Index if j >= i)

    def with_the_name_of_the_sort(self, i: int) -> bool:
        Index = [0, 7]
        return any(j > 3 for j in Index if j >= i)

    @action
    def look(self, i: Index) -> None:
        require(not self.later(i))
        self.statement(i)
        self.top = Index(min(self.after(i), 3))


def test_only_loops_that_mean_the_same_are_narrowed() -> None:
    changed = {name for name in vars(narrowed(Loops)) if name in vars(Loops)} - {
        "__doc__",
        "__module__",
        "__qualname__",
    }
    assert changed - {"__quorate_namespace__"} == {
        "later",
        "after",
        "from_constant",
        "statement",
        "from_a_global",
    }


def test_all_methods_mean_the_same() -> None:
    asked = {"later": (1,), "after": (0,), "with_a_name_of_python": (2,), "with_the_name_of_the_sort": (5,)}
    asked |= {"with_a_local_name_of_python": (1,), "from_a_fraction": (), "from_a_global_fraction": ()}
    asked |= {"from_a_global": (), "from_constant": (), "from_itself": (), "of_expression": ()}
    for spec in (Loops, narrowed(Loops)):
        with System(spec) as system:
            after = system.fire(next(system.initial())[1], system.action("look"), (Index(1),))
            assert after is not None
            state = system.view(after.state)
            told = {name: getattr(state, name)(*arguments) for name, arguments in asked.items()}
            assert told == {
                "later": True,
                "after": 6,
                "with_a_name_of_python": True,
                "with_the_name_of_the_sort": True,
                "with_a_local_name_of_python": True,
                "from_a_fraction": True,
                "from_a_global_fraction": True,
                "from_a_global": True,
                "from_constant": True,
                "from_itself": True,
                "of_expression": False,
            }


def test_the_text_that_others_read_stays_as_it_is() -> None:
    texts = [ast.unparse(definition_of(function)) for function in (Loops.later, Loops.statement)]
    narrowed(Loops)
    assert [ast.unparse(definition_of(function)) for function in (Loops.later, Loops.statement)] == texts


@pytest.mark.slow
def test_narrowed_specifications_have_the_same_states() -> None:
    for spec, bounds in ((Loops, {}), (Raft, {"Term": 1, "Index": 1})):
        plain = check(spec.bounded(**bounds), engine="reference", symmetry=False)
        fast = check(narrowed(spec).bounded(**bounds), engine="reference", symmetry=False)
        assert fast.verdict == plain.verdict
        assert (fast.statistics.states, fast.statistics.transitions, fast.statistics.actions) == (
            plain.statistics.states,
            plain.statistics.transitions,
            plain.statistics.actions,
        )
