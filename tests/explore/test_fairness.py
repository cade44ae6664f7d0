"""The four forms of fairness, weak and strong: what each of them demands, as TLC says, and how mistakes are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    eventually,
    eventually_always,
    eventually_from,
    infinitely_often,
    init,
    leads_to,
    require,
    up_to,
)
from quorate.errors import OutsideSubset, SpecError
from quorate.explore import check, liveness
from quorate.explore.graph import build
from quorate.explore.limits import Watch
from quorate.explore.native import library
from quorate.explore.native import liveness as native
from quorate.explore.native.search import compiled
from quorate.language.system import System
from quorate.model import build as model
from quorate.outcome import Failed, Holds, Violated

from tests.generated import load
from tests.native.agreement import QUICK_FLAGS
from tests.native.liveness_agreement import compare_spec

ENGINES = pytest.mark.parametrize("engine", ["native", "reference"])


class S(Scalarset, size=2):
    """A server."""


class M(Nat, max=1):
    """A message."""


class Deliver(Spec):
    """Each server has a message that may change until it is delivered, and may forget that it was. One server is honest."""

    message: dict[S, M]
    got: dict[S, bool]
    honest: S

    @init
    def choose(self, s: S) -> None:
        self.honest = s

    @action
    def swap(self, s: S) -> None:
        require(not self.got[s])
        self.message[s] = M(1 - self.message[s])

    @action
    def deliver(self, s: S, m: M) -> None:
        require(self.message[s] == m and not self.got[s])
        self.got[s] = True

    @action
    def reset(self, s: S) -> None:
        require(self.got[s])
        self.got[s] = False

    def is_honest(self, s: S) -> bool:
        return s == self.honest

    @eventually
    def somebody(self) -> bool:
        return any(self.got[s] for s in S)

    @eventually
    def everybody_in_turn(self, s: S) -> bool:
        return self.got[s]

    @infinitely_often
    def again(self, s: S) -> bool:
        return self.got[s]

    @eventually_from
    def the_honest_one(self, s: S) -> tuple[bool, bool]:
        return s == self.honest, self.got[s]

    @leads_to
    def the_honest_one_again(self, s: S) -> tuple[bool, bool]:
        return s == self.honest, self.got[s]

    @eventually_always
    def settles(self) -> bool:
        return any(self.got[s] for s in S)


FORMS: dict[str, dict[str, Any]] = {
    "weak_instance": {"fair": "weak"},
    "weak_action": {"fair": "weak", "fair_per": "action"},
    "weak_server": {"fair": "weak", "fair_per": ("s",)},
    "weak_honest": {"fair": "weak", "fair_if": "is_honest"},
    "weak_honest_server": {"fair": "weak", "fair_per": ("s",), "fair_if": "is_honest"},
    "strong_instance": {"fair": "strong"},
    "strong_action": {"fair": "strong", "fair_per": "action"},
    "strong_server": {"fair": "strong", "fair_per": ("s",)},
    "strong_honest": {"fair": "strong", "fair_if": "is_honest"},
    "strong_honest_server": {"fair": "strong", "fair_per": ("s",), "fair_if": "is_honest"},
}
HOLD_IN_TLC: dict[str, set[str]] = {
    "weak_instance": set(),
    "weak_action": {"somebody"},
    "weak_server": {"somebody", "everybody_in_turn", "again", "the_honest_one", "the_honest_one_again"},
    "weak_honest": set(),
    "weak_honest_server": {"somebody", "the_honest_one", "the_honest_one_again"},
    "strong_instance": {"somebody", "everybody_in_turn", "again", "the_honest_one", "the_honest_one_again"},
    "strong_action": {"somebody"},
    "strong_server": {"somebody", "everybody_in_turn", "again", "the_honest_one", "the_honest_one_again"},
    "strong_honest": {"somebody", "the_honest_one", "the_honest_one_again"},
    "strong_honest_server": {"somebody", "the_honest_one", "the_honest_one_again"},
}
"""What TLC 2.18 said of `Deliver.tla`, which stands beside this file, with each SPECIFICATION and each PROPERTY."""


def under(form: dict[str, Any]) -> type[Spec]:
    """The protocol with one form of fairness of `deliver`."""

    class Fair(Deliver):
        @action(**form)
        def deliver(self, s: S, m: M) -> None:
            super().deliver(s, m)

    return Fair


def holding(engine: str, spec: type[Spec]) -> set[str]:
    """The properties that hold."""
    system = System(spec)
    with system:
        if engine == "reference":
            found = list(liveness.answers(build(system)))
        else:
            initial, code = compiled(system, ())
            check = native.Check(system, code, initial, (), Watch())
            with check.opened():
                found = list(check.answers())
    assert all(answer.judged for answer in found)
    broken = {answer.method.name for answer in found if answer.finding is not None}
    return {answer.method.name for answer in found} - broken


@ENGINES
@pytest.mark.parametrize("form", FORMS)
def test_each_form_demands_what_tlc_takes_it_to_demand(engine: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same model in TLA+, with WF and SF of the actions as the names say, under TLC 2.18: 60 verdicts."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    assert holding(engine, under(FORMS[form])) == HOLD_IN_TLC[form]


class Flips(Spec):
    """Some process flips its switch, again and again; nobody says which."""

    on: dict[S, bool]

    @action(fair="weak", fair_per="action")
    def flip(self, p: S) -> None:
        self.on[p] = not self.on[p]

    @leads_to
    def served(self, p: S) -> tuple[bool, bool]:
        return True, self.on[p]


class EachFlips(Flips):
    """Each does."""

    @action(fair="weak")
    def flip(self, p: S) -> None:
        super().flip(p)


class Moving(Spec):
    """Which instance is possible moves; that some instance is does not."""

    x: M
    done: bool

    @action
    def toggle(self) -> None:
        require(not self.done)
        self.x = M(1 - self.x)

    @action(fair="weak", fair_per="action")
    def act(self, b: M) -> None:
        require(b == self.x and not self.done)
        self.done = True

    @eventually
    def ends(self) -> bool:
        return self.done


class MovingEach(Moving):
    """No single instance stays possible."""

    @action(fair="weak")
    def act(self, b: M) -> None:
        super().act(b)


@pytest.mark.slow
@ENGINES
def test_fairness_of_the_whole_and_of_each_instance_imply_one_another_in_neither_direction(engine: str) -> None:
    """As published specifications have it, `WF(\\E p: Flip(p))`; the verdicts are TLC's."""
    whole, each = check(Flips, engine=engine), check(EachFlips, engine=engine)
    assert isinstance(whole, Violated) and whole.property == "served" and isinstance(each, Holds)
    whole, each = check(Moving, engine=engine), check(MovingEach, engine=engine)
    assert isinstance(whole, Holds) and isinstance(each, Violated) and each.property == "ends"


MISTAKES = {
    "parameter": (
        '@action(fair="weak", fair_per=("q",))',
        "fair_per names 'q', which is no parameter of it: it has p.",
    ),
    "method": ('@action(fair="weak", fair_if="never")', "fair_if names 'never', which is no pure method of the class"),
    "property": ('@action(fair="weak", fair_if="true")', "fair_if names 'true', which is no pure method of the class"),
    "arguments": ('@action(fair="weak", fair_if="other")', "other takes r: Node, which is no parameter of the action"),
}
SOURCE = """\
from quorate import *


class Node(Scalarset, size=2):
    pass


class Drawn(Spec):
    on: dict[Node, bool]

    {decorator}
    def act(self, p: Node) -> None:
        self.on[p] = True

    def other(self, r: Node) -> bool:
        return self.on[r]

    def effect(self, p: Node) -> bool:
        while self.on[p]:
            pass
        return True

    @eventually
    def true(self) -> bool:
        return True
"""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_form_is_told_at_its_place(mistake: str) -> None:
    decorator, message = MISTAKES[mistake]
    with pytest.raises(SpecError) as caught:
        System(load(SOURCE.format(decorator=decorator)))
    assert message in caught.value.message and caught.value.location is not None
    line, at = caught.value.location.text, caught.value.location.column
    assert line.strip() == decorator and line[at:].startswith("fair_")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fair_per": "action"}, "say how"),
        ({"fair_if": "x"}, "say how"),
        ({"fair": "weak", "fair_per": "server"}, "use"),
        ({"fair": "weak", "fair_per": ()}, "use"),
        ({"fair": "some"}, "unknown"),
    ],
)
def test_a_form_that_there_is_not_is_refused(options: dict[str, Any], message: str) -> None:
    decorate: Callable[..., Any] = action
    with pytest.raises(SpecError, match=message):
        decorate(**options)


def test_a_condition_outside_the_compiled_subset_is_told_at_its_line() -> None:
    spec = load(SOURCE.format(decorator='@action(fair="weak", fair_if="effect")'))
    with pytest.raises(OutsideSubset, match="while"):
        model(spec)
    assert isinstance(check(spec), Holds)


class Doubtful(Moving):
    """Its condition raises where x is 1."""

    @action(fair="weak", fair_if="rarely")
    def act(self, b: M) -> None:
        super().act(b)

    def rarely(self) -> bool:
        return 1 // (1 - self.x) == 1


@ENGINES
def test_a_condition_that_raises_is_an_error_of_the_spec(engine: str) -> None:
    outcome = check(Doubtful, engine=engine)
    assert isinstance(outcome, Failed) and "rarely" in outcome.message and "ZeroDivisionError" in outcome.message


def test_a_condition_may_read_parameters_of_every_size() -> None:
    """Arguments are unpacked in C as they were packed: a wide one between narrow ones, in any order."""

    class Wide(Deliver):
        @action(fair="weak", fair_if="chosen", fair_per=("b",))
        def several(self, a: S, seen: tuple[M, M, S], b: M) -> None:
            require(seen[0] == b and seen[2] != a)
            self.got[a] = not self.got[a]

        def chosen(self, seen: tuple[M, M, S], a: S) -> bool:
            return seen[1] == 0 and self.got[a] and seen[2] != self.honest

    compare_spec(Wide, 1_000)


def test_a_condition_may_read_parameters_that_are_containers() -> None:
    """Their bounds are those of the action's parameters."""

    class Listed(Deliver):
        @action(fair="weak", fair_if="chosen")
        def several(self, seen: set[S], order: Annotated[list[S], up_to(1)]) -> None:
            require(len(seen) == 1 and len(order) == 1 and order[0] not in seen)
            self.got[order[0]] = not self.got[order[0]]

        def chosen(self, order: Annotated[list[S], up_to(1)], seen: set[S]) -> bool:
            return self.honest in seen and len(order) > 0 and self.got[order[0]]

    compare_spec(Listed, 1_000)
