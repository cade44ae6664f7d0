"""Names that are private to a class, `__x`, are what Python has compiled, whoever reads the text of a method."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate import Nat, Network, Spec, action, constraint, invariant, record, require
from quorate.conform import Conforms, Differs, Map, validate
from quorate.explore import Naming, check
from quorate.explore.choices import collections_of
from quorate.explore.traces.refusals import refusal
from quorate.language.system import System
from quorate.mutate import Original, Verdict, bare, mutants, trial
from quorate.outcome import Violated

from tests.conform.runs import write


class N(Nat, max=3):
    """A number."""


@record
class Note:
    """A number that is sent."""

    n: N


__few = frozenset({0})
_Hidden__few = frozenset({0, 1, 2})


class Hidden(Spec):
    """It counts to two, in ways that are its own."""

    n: N
    last: N
    sent: Network[Note]

    def __fits(self, n: N) -> bool:
        return n <= 2

    @action
    def to(self, n: N) -> None:
        require(n in __few)
        require(self.__fits(n) and n > 0)
        require(any(j == n and self.__fits(j) for j in N if j >= n))
        self.n = n
        self.last = n
        self.sent.send(Note(n))

    @action
    def take(self, m: Note) -> None:
        require(m in self.sent and m.n == self.last)
        self.n = N(0)

    @constraint
    def early(self) -> bool:
        return len(self.sent) < 3

    @invariant
    def small(self) -> bool:
        return all(self.n != j for j in N if not self.__fits(j))

    @invariant
    def low(self) -> bool:
        return not any(j == self.n and self.__fits(j) for j in N if j == 2)


def test_choices_are_taken_from_what_the_class_means() -> None:
    outcome = check(Hidden, engine="reference")
    assert isinstance(outcome, Violated) and outcome.property == "low" and outcome.trace is not None
    assert [step.arguments for step in outcome.trace.steps] == [{"n": 2}]
    assert [(one.name, one.value) for one in outcome.trace.witnesses] == [("j", 2), ("n", 2)]
    assert {name for action in System(Hidden).actions for name in collections_of(action)} == {"n", "m"}


def test_guards_that_are_false_are_shown() -> None:
    system = System(Hidden)
    with system:
        (_, state), *_ = system.initial()
        (to,) = (action for action in system.actions if action.name == "to")
        shown = refusal(system, state, to, (N(0),))
        assert shown is not None and shown.guard == "0 > 0"
        shown = refusal(system, state, to, (N(3),))
        assert shown is not None and shown.guard == "3 in _Hidden__few"


def test_logs_are_held_to_private_methods(tmp_path: Path) -> None:
    line = {"event": "to", "args": {"n": 2}, "vars": {"n": 2}}
    for n, expected in ((2, Conforms), (0, Differs), (3, Differs)):
        log = write(tmp_path / "log.jsonl", [line | {"args": {"n": n}}])
        assert isinstance(validate([log], Hidden, Map(members={}), "hidden"), expected)


def test_mutants_of_private_methods_are_explored() -> None:
    spec = bare(Low)
    original = Original.of(spec, Naming("low"), engine="native")
    found = {
        str(mutant).partition(" ")[2]: trial(original, mutant, engine="native").finding for mutant in mutants(spec)
    }
    assert Verdict.ILLEGAL not in {finding.verdict for finding in found.values()}
    assert found["True instead of n <= 2"].verdict is Verdict.VIOLATED
    assert found["without require(self.__fits(n))"].properties == ("small",)
    assert found["without self.last = n"].verdict is Verdict.NOTHING


class Low(Spec):
    """It counts to two."""

    n: N
    last: N

    def __fits(self, n: N) -> bool:
        return n <= 2

    @action
    def to(self, n: N) -> None:
        require(self.__fits(n))
        self.n = n
        self.last = n

    @invariant
    def small(self) -> bool:
        return self.n <= 2


class Above(Spec):
    """A guard asks what it overrides."""

    n: N

    def fits(self, n: N) -> bool:
        return n <= 2


class Below(Above):
    """It asks above, where a text that stands elsewhere cannot."""

    def fits(self, n: N) -> bool:
        return n > 0

    @action
    def to(self, n: N) -> None:
        require(super().fits(n) and n > 1)
        self.n = n


@pytest.mark.parametrize("n", [0, 3])
def test_a_guard_that_cannot_be_asked_elsewhere_is_shown_as_a_whole(n: int, tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [{"event": "to", "args": {"n": n}, "vars": {"n": n}}])
    verdict = validate([log], Below, Map(members={}), "below")
    assert isinstance(verdict, Differs)
    assert verdict.misfits[0].reason == "its guard is false: super().fits(n) and n > 1"
    system = System(Below)
    with system:
        (_, state), *_ = system.initial()
        shown = refusal(system, state, system.actions[0], (N(n),))
        assert shown is not None and shown.guard == f"super().fits({n}) and {n} > 1"
