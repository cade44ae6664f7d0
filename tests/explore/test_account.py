"""A second account is right by itself, and whatever an engine says otherwise is found.

    python -m tests.explore.test_account

says of each variant of the library that violates a property of runs whether an account that is told that it holds sees otherwise, with the
least effort, in 0.2 s, in 1 s and in 5 s.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    eventually,
    eventually_always,
    infinitely_often,
    invariant,
    leads_to,
    mapping,
    reachable,
    require,
)
from quorate.explore import account, liveness, reference
from quorate.explore.account import Account
from quorate.explore.checking import check
from quorate.explore.choices import Choices
from quorate.explore.engine import Answer, Covered, Disagreement, Lasting
from quorate.explore.fair_runs import Demand, Runs
from quorate.explore.graph import Graph
from quorate.explore.limits import Watch
from quorate.explore.liveness import fairness
from quorate.explore.liveness.fairness import Fairness, Reading
from quorate.explore.liveness.lasso import Lasso, Pending
from quorate.explore.symmetry import Symmetry
from quorate.kinds import LIVENESS
from quorate.language.system import System
from quorate.loading import load, names
from quorate.outcome import Failed, Holds, HoldsWithinBounds, NotJudged, Violated


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many instances are tried, however busy the machine is."""
    monkeypatch.setattr(account, "PATIENCE_S", 60.0)


class Guest(Scalarset, size=2):
    """Who wants to sit."""


class Round(Nat, max=2):
    """How often it was asked."""


class Inn(Spec):
    """Guests wait for one bed, which each leaves again."""

    waiting: set[Guest]
    bed: Guest | None

    @action
    def ask(self, g: Guest) -> None:
        require(g != self.bed)
        self.waiting.add(g)

    @action(fair="strong")
    def lie_down(self, g: Guest) -> None:
        require(g in self.waiting and self.bed is None)
        self.waiting.remove(g)
        self.bed = g

    @action(fair="weak", fair_per="action")
    def get_up(self, g: Guest) -> None:
        require(self.bed == g)
        self.bed = None

    @invariant
    def nobody_waits_in_bed(self) -> bool:
        return self.bed not in self.waiting

    @reachable
    def both_are_served(self) -> bool:
        return self.bed is not None and len(self.waiting) == 1

    @leads_to
    def served(self, g: Guest) -> tuple[bool, bool]:
        return g in self.waiting, self.bed == g


class Choosy(Inn):
    """Some are served only if they are alone."""

    @action(fair="strong", fair_if="is_alone")
    def lie_down(self, g: Guest) -> None:
        super().lie_down(g)

    def is_alone(self, g: Guest) -> bool:
        return self.waiting == {g}


class Weak(Inn):
    """Whoever waits need not be served."""

    @action(fair="weak")
    def lie_down(self, g: Guest) -> None:
        super().lie_down(g)


class Turns(Spec):
    """Taken in turns, of which no single one stays possible."""

    turn: bool
    done: bool

    @action(fair="weak", fair_per="action")
    def end(self, at: bool) -> None:
        require(at == self.turn and not self.done)
        self.done = True

    @action
    def go_on(self) -> None:
        require(not self.done)
        self.turn = not self.turn

    @eventually
    def ends(self) -> bool:
        return self.done


class Single(Turns):
    """Each turn for itself."""

    @action(fair="weak")
    def end(self, at: bool) -> None:
        super().end(at)


class Rounds(Spec):
    """Goes round, and on beyond the bound."""

    round: Round
    resting: bool

    @action(fair="weak")
    def advance(self) -> None:
        self.round += 1

    @action
    def rest(self) -> None:
        require(self.round == 1)
        self.resting = not self.resting

    @eventually
    def is_first(self) -> bool:
        return self.round == 1

    @eventually
    def is_last(self) -> bool:
        return self.round == 2 and self.resting


class Settles(Rounds):
    """Says something of the end."""

    @infinitely_often
    def awake(self) -> bool:
        return not self.resting

    @eventually_always
    def late(self) -> bool:
        return self.round >= 1


class Soon(Rounds):
    """Its goal raises an error where nobody asks for it any more."""

    @reachable
    def begun(self) -> bool:
        return 1 // (1 - self.round) == 1


class Never(Soon):
    """Its goal raises an error before it is reached."""

    @reachable
    def begun(self) -> bool:
        return 1 // (1 - self.round) == 7


class Lamp(Spec):
    """It is switched again and again."""

    on: bool

    @action(fair="weak")
    def switch(self) -> None:
        self.on = not self.on


class Counted(Spec):
    """So is this one, while rounds are counted beyond all bounds."""

    refines = Lamp

    on: bool
    round: Round

    @action(fair="weak")
    def switch(self) -> None:
        self.on = not self.on

    @action
    def count(self) -> None:
        self.round += 1

    @mapping(fair=True)
    def as_lamp(self, abstract: Lamp) -> None:
        abstract.on = self.on


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [
        (Inn, Holds),
        (Choosy, Violated),
        (Weak, Violated),
        (Turns, Holds),
        (Single, Violated),
        (Rounds, NotJudged),
        (Settles, NotJudged),
        (Soon, NotJudged),
        (Never, Failed),
        (Counted, HoldsWithinBounds),
    ],
)
def test_what_engines_say_is_confirmed(spec: type[Spec], verdict: type) -> None:
    assert isinstance(check(spec, engine="reference"), verdict)


def lists_fewer(self: Choices, state: Any) -> Any:
    found = ALL_CHOICES(self, state)
    return found[1:] if self._method.name == "lie_down" else found


def counts(**wrong: Any) -> Callable[..., Covered]:
    return lambda *counted, **more: replace(Covered(*counted, **more), **wrong)


def reads(**wrong: Callable[[Fairness], Reading]) -> Callable[[Fairness, Graph], None]:
    def made(self: Fairness, graph: Graph) -> None:
        READ(self, graph)
        for name, reading in wrong.items():
            setattr(self, name, reading(self))

    return made


ALL_CHOICES, READ, EVERYTHING = Choices.__call__, Fairness.__init__, liveness._reaching
MISTAKES: Mapping[str, tuple[type[Spec], Any, str, Any, str]] = {
    "arguments are left out": (Inn, Choices, "__call__", lists_fewer, "states"),
    "states are taken for others": (
        Inn,
        Symmetry,
        "__call__",
        lambda self, state: self.representative(state if state[1] is None else (frozenset(), state[1]))[0],
        "both_are_served comes true",
    ),
    "states of an orbit are kept apart": (Inn, Symmetry, "__call__", lambda _, state: state, "states"),
    "transitions are lost": (Inn, reference, "Covered", counts(transitions=7), "transitions"),
    "actions are mixed up": (
        Inn,
        reference,
        "Covered",
        counts(actions={"ask": 3, "lie_down": 9, "get_up": 9}),
        "actions",
    ),
    "cuts are forgotten": (Rounds, reference, "Covered", counts(cuts={}), "Round cuts"),
    "a goal is reached that is not": (Turns, reference, "Covered", counts(reached=frozenset({"x"})), "goals"),
    "an error of a goal is not seen": (Never, reference.Search, "_check_reachable", lambda *_: None, "an error"),
    "an action never happens": (Inn, reference, "Covered", counts(actions={"ask": 10}), "lie_down happens"),
    "levels are mixed up": (Turns, reference, "Covered", counts(depth=4), "depth"),
    "no lasso is found": (Weak, Lasso, "find", lambda _: None, "served is violated"),
    "no obligation is pending": (Single, Pending, "region", lambda *_: set(), "ends is violated"),
    "a condition of fairness is not asked": (
        Choosy,
        fairness,
        "demand_of",
        lambda _, instance, __: (instance[0].name, instance[1]) if instance[0].declaration.fair else None,
        "served is violated",
    ),
    "instances are served by others": (Single, fairness, "kept_positions", lambda _: (), "ends is violated"),
    "instances are not served by others": (
        Turns,
        fairness,
        "kept_positions",
        lambda action: range(len(action.parameters)),
        "ends holds",
    ),
    "weak is taken for strong": (
        Weak,
        Fairness,
        "__init__",
        reads(specified=lambda self: replace(self.specified, strong=self.specified.weak)),
        "served is violated",
    ),
    "strong is taken for nothing": (
        Inn,
        Fairness,
        "__init__",
        reads(specified=lambda self: replace(self.specified, strong=[frozenset()] * len(self.specified.strong))),
        "served holds",
    ),
    "what is cut is not possible": (
        Rounds,
        Fairness,
        "__init__",
        reads(specified=lambda self: self.bounded),
        "is_last is not judged",
    ),
    "what is cut is possible in the bounded system": (
        Rounds,
        Fairness,
        "__init__",
        reads(bounded=lambda self: self.specified),
        "is_last is not judged",
    ),
    "runs always stay inside the bounds": (
        Settles.bounded(Round=1),
        liveness,
        "_reaching",
        lambda graph, *_: set(range(len(graph.states))),
        "is not judged",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_an_engine_is_found(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, where, name, wrong, what = MISTAKES[mistake]
    monkeypatch.setattr(where, name, wrong)
    with pytest.raises(Disagreement, match=what):
        check(spec, engine="reference")


class Divides(Inn):
    """Fails where both wait."""

    @leads_to
    def served(self, g: Guest) -> tuple[bool, bool]:
        return 1 // (2 - len(self.waiting)) > 5, False


class Fails(Inn):
    @action(fair="weak", fair_per="action")
    def get_up(self, g: Guest) -> None:
        require(self.bed == g)
        self.bed = list(Guest)[2 - len(self.waiting) * 2]


class Wakes(Inn):
    @invariant
    def nobody_waits_in_bed(self) -> bool:
        return self.bed is None or len(self.waiting) == 0


def seen(spec: type[Spec], seconds: float = 0.0) -> str:
    """What an account finds that is told that nothing is wrong; empty if that is nothing."""
    system, watch = System(spec), Watch()
    watch._begin -= seconds / account.SHARE
    with system:
        own = Account(system, watch)
        try:
            own.look()
            holding = tuple(Answer(method, ()) for method in system.of(*LIVENESS))
            changing = sum(target != number for number, one in own._seen.items() for _, target in one.steps)
            own.compare_runs(Lasting(len(own._states), changing, holding))
        except Disagreement as found:
            return str(found)
    return ""


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (Inn, "^$"),
        (Fails, "IndexError"),
        (Wakes, r"nobody_waits_in_bed\(\) is not true"),
        (Divides, "served is violated"),
        (Weak, "served is violated"),
        (Settles, "is_last is not judged"),
    ],
)
def test_what_is_wrong_is_found(spec: type[Spec], what: str) -> None:
    assert re.search(what, seen(spec))


def test_a_part_of_the_states_contradicts_only_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "TRIES_MIN", 400)
    assert "served is violated" in seen(Weak.bounded(Guest=4))
    monkeypatch.setattr(Account, "is_whole", False)
    assert "is violated" in seen(Single)
    assert seen(Inn.bounded(Guest=4)) == seen(Inn) == seen(Turns) == ""


def test_an_account_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Counter[str]()
    monkeypatch.setattr(System, "fire", lambda *_: tries.update(["fire"]))
    seen(Inn.bounded(Guest=8))
    whole = tries.total()
    monkeypatch.setattr(account, "TRIES_MIN", 10)
    seen(Inn.bounded(Guest=8))
    assert tries.total() - whole < 10 < whole


def test_where_runs_can_stay_is_looked_for_no_longer_than_there_is_time() -> None:
    """Strong fairness leaves out one state after the other, and each time all others are looked at again."""
    many = 50
    demands = [("go", (number,)) for number in range(many)]
    steps: dict[int, list[tuple[Demand | None, int]]] = {
        number: [(demand, number + 1), (None, 0)] for number, demand in enumerate(demands)
    }
    looked = Counter[str]()
    runs = Runs(
        steps | {many: []}, dict(enumerate({demand} for demand in demands)), ["go"], lambda: looked.update([""])
    )
    assert list(runs.homes(set(range(many)))) == []
    assert looked.total() == many


def main() -> None:
    tally = Counter[tuple[bool, ...]]()
    for name in names():
        for variant, spec in load(name).classes.items():
            system = System(spec)
            if not set(spec.expect.names) & {method.name for method in system.of(*LIVENESS)}:
                continue
            found = tuple("is violated" in seen(spec, seconds=seconds) for seconds in (0.0, 0.2, 1.0, 5.0))
            tally[found] += 1
            print(f"{name}:{variant}: {found}", flush=True)
    print(dict(tally))


if __name__ == "__main__":
    main()
