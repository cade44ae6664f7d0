"""An error in one round of a loop and its end in another: which comes first depends on names, and no state stands for its renamings."""

from __future__ import annotations

import importlib
from enum import Enum

import pytest
from quorate import Int, Nat, Scalarset, Spec, action, invariant, reachable, require
from quorate.explore import account, check
from quorate.explore.account import Account
from quorate.explore.engine import Disagreement, EngineUnavailable
from quorate.explore.native import library
from quorate.outcome import Failed, Outcome

from tests.costs import shares
from tests.explore import drawn_rounds
from tests.native.agreement import QUICK_FLAGS


class Node(Scalarset, size=3):
    """A node."""


class Kind(Enum):
    """What a node is."""

    NEW = "new"
    GOOD = "good"
    BAD = "bad"


class Level(Nat, max=1):
    """A level."""


class Marked(Spec):
    """One node may become good, and another one bad: the least renaming has the good one first."""

    kind: dict[Node, Kind]

    @action
    def mark(self, n: Node, k: Kind) -> None:
        """A new node becomes the first of its kind."""
        require(self.kind[n] == Kind.NEW and k not in {self.kind[other] for other in Node})
        self.kind[n] = k

    def is_good(self, n: Node) -> bool:
        """Whether a node is good; it must not be asked of a bad one."""
        assert self.kind[n] != Kind.BAD
        return self.kind[n] == Kind.GOOD

    def both(self) -> bool:
        """Whether there is a good node and a bad one."""
        return {Kind.GOOD, Kind.BAD} <= {self.kind[n] for n in Node}


class Quantifier(Marked):
    """`any` ends at the good node."""

    @invariant
    def some_is_good(self) -> bool:
        """True of the least renaming, an error in others."""
        return not self.both() or any(self.is_good(n) for n in Node)


class OfASet(Marked):
    """As `Quantifier`, over a set of nodes."""

    @invariant
    def some_is_good(self) -> bool:
        """True of the least renaming, an error in others."""
        marked = {n for n in Node if self.kind[n] != Kind.NEW}
        return not self.both() or not all(not self.is_good(n) for n in marked)


class Return(Marked):
    """A loop that returns at the good node."""

    def some(self) -> bool:
        """Whether a node is good."""
        for n in Node:
            known = self.is_good(n)
            if known:
                return True
        return False

    @invariant
    def some_is_good(self) -> bool:
        """True of the least renaming, an error in others."""
        return not self.both() or self.some()


class Sparing(Marked):
    """After the good node a loop asks no more, though it goes on."""

    def some(self) -> bool:
        """Whether a node is good."""
        found = False
        for n in Node:
            found = found or self.is_good(n)
        return found

    @invariant
    def some_is_good(self) -> bool:
        """True of the least renaming, an error in others."""
        return not self.both() or self.some()


class SparingInTheState(Marked):
    """As `Sparing`, in a procedure that notes in the state what it has found."""

    bad: bool

    def look(self, n: Node) -> None:
        """Note a node that is not good."""
        self.bad = self.bad and not self.is_good(n)

    @action
    def look_at_all(self) -> None:
        """An error, but in the least renaming."""
        require(self.both())
        self.bad = True
        for n in Node:
            self.look(n)

    @invariant
    def none_is_bad(self) -> bool:
        """There is a good one."""
        return not self.bad


class CutOrError(Marked):
    """The good node passes a bound, the bad one raises an error."""

    level: dict[Node, Level]

    @action
    def rise(self) -> None:
        """A cut in the least renaming, an error in others."""
        require(self.both())
        for n in Node:
            if self.kind[n] == Kind.BAD:
                assert self.level[n] > 0
            elif self.kind[n] == Kind.GOOD:
                self.level[n] += 2

    @invariant
    def nothing_rises(self) -> bool:
        """There is no other way."""
        return all(self.level[n] == 0 for n in Node)


class Debt(Int, min=-1, max=1):
    """What a node owes: a number below the least is cut, too."""


class CutBelowOrError(Marked):
    """The good node passes the lower end of a bound, the bad one raises an error."""

    debt: dict[Node, Debt]

    @action
    def pay(self) -> None:
        """A cut in the least renaming, an error in others."""
        require(self.both())
        for n in Node:
            assert self.kind[n] != Kind.BAD
            self.debt[n] -= 2 if self.kind[n] == Kind.GOOD else 0

    @invariant
    def nobody_owes(self) -> bool:
        """There is no other way."""
        return all(self.debt[n] == 0 for n in Node)


WRONG = (Quantifier, OfASet, Return, Sparing, SparingInTheState, CutOrError, CutBelowOrError)


def _without_the_look(spec: type[Spec], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    with monkeypatch.context() as patched:
        patched.setattr(importlib.import_module("quorate.model.build"), "deciding_sorts", lambda model: {})
        patched.setattr(account, "PATIENCE_S", 60.0)
        with pytest.raises(Disagreement):  # CPython's own account has no symmetry.
            check(spec, engine="reference")
        patched.setattr(Account, "look", lambda _: None)
        return check(spec, engine="reference")


@pytest.mark.parametrize("spec", WRONG)
def test_an_error_that_another_round_may_hide_is_found_in_spite_of_symmetry(
    spec: type[Spec], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = _without_the_look(spec, monkeypatch)
    assert hidden.symmetry == ("Node",) and not isinstance(hidden, Failed)
    found = check(spec, engine="reference")
    assert isinstance(found, Failed) and isinstance(check(spec, engine="reference", symmetry=False), Failed)
    assert found.symmetry == ()
    assert any("no symmetry reduction over Node: an error or cut in one round" in note for note in found.notes)


class Guarded(Marked):
    """Nobody is asked who must not be."""

    chosen: dict[Node, Node | None]
    log: dict[Node, list[Level]]

    def last(self, n: Node, i: Level) -> Level:
        """The entry before `i`, if there is one."""
        return self.log[n][i - 1] if 0 < i <= len(self.log[n]) else Level(0)

    @invariant
    def some_is_good(self) -> bool:
        """No round can fail: the conditions before say so."""
        return all(
            (self.chosen[n] is None or self.kind[self.chosen[n]] != Kind.BAD)  # type: ignore[index]
            and self.last(n, Level(len(self.log[n]))) <= 1
            and (len(self.log[n]) == 0 or self.log[n][-1] <= 1)
            and all(self.log[n][i] <= 1 for i in range(len(self.log[n])))
            for n in Node
        )


def test_a_sort_is_kept_where_no_round_can_fail() -> None:
    outcome = check(Guarded, engine="reference")
    assert outcome.exit_code == 0 and outcome.symmetry == ("Node",)


class TwoBounds(Marked):
    """The good node passes one bound, the bad one another."""

    level: dict[Node, Level]
    debt: dict[Node, Debt]

    @action
    def rise(self) -> None:
        """Counted under the bound that the first of the two passes."""
        require(self.both())
        for n in Node:
            if self.kind[n] == Kind.BAD:
                self.level[n] += 2
            elif self.kind[n] == Kind.GOOD:
                self.debt[n] += 2

    @invariant
    def nothing_rises(self) -> bool:
        """There is no other way."""
        return all(self.level[n] == 0 for n in Node)


def test_cuts_of_two_rounds_are_counted_under_the_bounds_that_they_have_without_symmetry() -> None:
    explored = check(TwoBounds, engine="reference")
    assert explored.symmetry == () and explored.statistics.cuts.keys() == {"Level", "Debt"}


class Unordered(Marked):
    """A map and a set of which the good node's part passes a bound, and the bad one's is an error."""

    level: dict[Node, Level]
    levels: set[tuple[Node, Level]]

    def part(self, n: Node) -> int:
        """Above the bound, below zero, or neither."""
        return 2 if self.kind[n] == Kind.GOOD else -1 if self.kind[n] == Kind.BAD else 0

    @invariant
    def nothing_rises(self) -> bool:
        """There is no other way."""
        return all(self.level[n] == 0 for n in Node)


class InAMap(Unordered):
    @action
    def rise(self) -> None:
        require(self.both())
        self.level = {n: self.part(n) for n in Node}  # type: ignore[misc]


class InASet(Unordered):
    @action
    def rise(self) -> None:
        require(self.both())
        self.levels = {(n, self.part(n)) for n in Node}  # type: ignore[misc]


class Added(Unordered):
    @action
    def rise(self) -> None:
        require(self.both())
        self.levels.update({(n, self.part(n)) for n in Node})  # type: ignore[misc]


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("spec", [InAMap, InASet, Added])
def test_an_error_in_one_element_comes_before_what_cuts_another(spec: type[Spec], engine: str) -> None:
    """Their order would be that of names, or of Python's hashes."""
    explored = check(spec, engine=engine)
    assert isinstance(explored, Failed) and explored.symmetry == ("Node",)


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(120, 40, deep=0.6))
def test_drawn_loops_end_with_symmetry_as_without_it(begin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/README.md` tells of a deeper run."""
    drawn = range(begin, begin + 40)
    tally = drawn_rounds.compared(drawn)
    assert tally["differ"] == 0 and tally["refused"] < 5 and min(tally["error"], tally["holds"]) > 4
    monkeypatch.setattr(importlib.import_module("quorate.model.build"), "deciding_sorts", lambda model: {})
    monkeypatch.setattr(Account, "look", lambda _: None)
    assert drawn_rounds.compared(drawn)["differ"] > 0, "and they would show it if the look missed something"


class OfThose(Marked):
    """What is true of the members of a set is true of each, also where a method returns the set."""

    peer: dict[Node, Node | None]

    def with_peer(self, k: Kind) -> set[Node]:
        """The nodes of a kind that have a peer."""
        return {n for n in Node if self.peer[n] is not None and self.kind[n] == k}

    @invariant
    def peers_are_good(self) -> bool:
        """No round can fail."""
        return all(
            all(self.kind[self.peer[n]] == Kind.GOOD for n in self.with_peer(k))  # type: ignore[index]
            and not any(n in self.with_peer(k) and self.kind[self.peer[n]] == Kind.BAD for n in Node)  # type: ignore[index]
            for k in Kind
        )


class OfOthers(OfThose):
    """The members of another set have no peer."""

    def with_peer(self, k: Kind) -> set[Node]:
        """The nodes of a kind that have none."""
        return {n for n in Node if self.peer[n] is None and self.kind[n] == k}


def test_what_the_members_of_a_set_have_in_common_is_known_of_each() -> None:
    assert check(OfThose, engine="reference").symmetry == ("Node",)
    assert check(OfOthers, engine="reference").symmetry == ()


class Height(Nat, max=3):
    """What one may have."""


class Goals(Spec):
    """What is asked for fails of a state, or with an argument, that may come before one for which it is true."""

    level: dict[Node, Height]
    log: list[Height]

    @action
    def part(self, a: Node, b: Node) -> None:
        require(a != b and all(self.level[n] == 0 for n in Node))
        self.level[a] = Height(1)
        self.level[b] = Height(2)

    @action
    def rise(self, n: Node, to: Height) -> None:
        require(all(self.level[m] == 0 for m in Node) and to > 2)
        self.level[n] = to

    @action
    def go_on(self, n: Node) -> None:
        require(self.level[n] == 3)
        self.level[n] = Height(1)


class OfAnotherNode(Goals):
    """In one state, with another argument."""

    @reachable
    def two(self, n: Node) -> bool:
        return self.level[n] == 2 or (self.level[n] == 1 and self.log[0] == 1)


class OfAnotherState(Goals):
    """In another state that is as far away."""

    @reachable
    def three(self) -> bool:
        return any(self.level[n] == 3 for n in Node) or (any(self.level[n] == 2 for n in Node) and self.log[0] == 1)


class OfALaterState(Goals):
    """In a state that is further away: it is reached by then."""

    @reachable
    def three(self, n: Node) -> bool:
        alone = self.level[n] == 1 and all(self.level[m] == 0 for m in Node if m != n)
        return self.level[n] == 3 or (alone and self.log[0] == 1)


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize(("spec", "fails"), [(OfAnotherNode, True), (OfAnotherState, True), (OfALaterState, False)])
def test_an_error_in_what_is_asked_for_does_not_depend_on_the_order(
    spec: type[Spec], fails: bool, symmetry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    outcome = check(spec, engine="reference", symmetry=symmetry)
    assert isinstance(outcome, Failed) is fails and outcome.verdict == ("error" if fails else "holds")
    for workers in (1, 4):
        if fails:
            with pytest.raises(EngineUnavailable, match="the reference engine says where"):
                check(spec, engine="native", symmetry=symmetry, workers=workers)
        else:
            assert check(spec, engine="native", symmetry=symmetry, workers=workers).verdict == "holds"
