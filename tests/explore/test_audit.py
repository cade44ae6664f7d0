"""What a search or a proof says is held against runs of CPython: whatever is said wrongly is found, and nothing else.

    python -m tests.explore.test_audit two_phase_commit:TwoPhaseCommit ...

takes mutants of protocols for mistakes of the translation: the C of a mutant is explored as if it were that of the specification. Of
each that lacks states it says whether the audit sees it with little and with more effort.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import pytest
from quorate import (
    Nat,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    is_quorum,
    mapping,
    reachable,
    require,
    step,
    terminal,
)
from quorate.errors import QuorateError
from quorate.explore import audit as auditing
from quorate.explore.audit import Said, audit
from quorate.explore.checking import check, symmetric_sorts
from quorate.explore.choices import Choices
from quorate.explore.engine import Disagreement
from quorate.explore.limits import Limits, Watch
from quorate.explore.native import search
from quorate.explore.native.library import Library
from quorate.explore.properties import Properties
from quorate.explore.reference import Search
from quorate.language.system import System
from quorate.loading import load
from quorate.outcome import Failed, Proven
from quorate.prove import at_any_size
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.smt import Answer

from tests import mutants
from tests.native.agreement import QUICK_FLAGS

T = TypeVar("T")


class Node(Scalarset, size=2):
    """Who counts."""


class Most(Nat, max=4):
    """How far is counted."""


class Seat(Nat, max=23):
    """Where somebody sits."""


class Counting(Spec):
    """Each node counts up to three, and no further than two before the other has begun."""

    count: dict[Node, Most]

    @init
    def start(self) -> None:
        for n in Node:
            self.count[n] = 0

    @action
    def up(self, n: Node) -> None:
        require(self.count[n] < 3)
        require(self.count[n] < 2 or all(self.count[m] > 0 for m in Node))
        self.count[n] += 1

    @action
    def begin_anew(self) -> None:
        require(all(self.count[n] == 3 for n in Node))
        for n in Node:
            self.count[n] = 0

    @invariant
    def at_most_three(self) -> bool:
        return all(self.count[n] <= 3 for n in Node)

    @step
    def one_at_a_time(self, old: Counting) -> bool:
        return all(self.count[n] <= old.count[n] + 1 for n in Node)

    @reachable
    def both_are_done(self) -> bool:
        return all(self.count[n] == 3 for n in Node)


class Stuck(Counting):
    """The same without a new beginning, and never at its end."""

    @action
    def begin_anew(self) -> None:
        require(False)

    @terminal
    def ended(self) -> bool:
        return False


class Further(Counting):
    """Counts past its bound."""

    @action
    def up(self, n: Node) -> None:
        require(self.count[n] < 5)
        self.count[n] += 1

    @invariant
    def at_most_three(self) -> bool:
        return True


class Failing(Counting):
    """Divides by zero where both are done."""

    @action
    def begin_anew(self) -> None:
        require(all(self.count[n] == 3 for n in Node))
        self.count[min(Node)] = 1 // (self.count[min(Node)] - 3)


class Asking(Stuck):
    """Divides by zero where it is asked for its end, and for its goal."""

    @terminal
    def ended(self) -> bool:
        return 1 // (sum(self.count[n] for n in Node) - 6) > 0

    @reachable
    def both_are_done(self) -> bool:
        return 1 // (sum(self.count[n] for n in Node) - 4) > 5


class Four(Counting):
    """One may count to four."""

    @action
    def up(self, n: Node) -> None:
        require(self.count[n] < 4)
        self.count[n] += 1


class Leaping(Counting):
    """Counts by two where both are done."""

    @action
    def begin_anew(self) -> None:
        require(all(self.count[n] == 1 for n in Node))
        for n in Node:
            self.count[n] = 3


def seen(spec: type[Spec], **lies: Any) -> str:
    """What an audit finds where a search, or a proof, has said what is not so; empty if nothing. Nobody looked at any of it before."""
    system = System(spec)
    with system:
        said = {"fired": {action.name for action in system.actions}, "reached": {"both_are_done"}}
        try:
            audit(system, list(system.initial()), Said(Properties(system), **(said | lies)), 0.2)
        except Disagreement as found:
            return str(found)
    return ""


@pytest.mark.parametrize(
    ("spec", "lies", "what"),
    [
        (Counting, {"met": lambda state: sum(state[0].values()) < 6}, "a state that was not met"),
        (Counting, {"fired": {"up"}}, "begin_anew() happens"),
        (Counting, {"reached": set()}, "both_are_done comes true"),
        (Further, {"cut": False}, "passes the bound Most"),
        (Four, {}, "at_most_three is not true"),
        (Leaping, {}, "one_at_a_time is not true"),
        (Failing, {}, "begin_anew() raises an error"),
        (Stuck, {}, "nothing can happen any more"),
        (Asking, {"reached": {"both_are_done"}}, "Asking.ended() raises an error"),
        (Asking, {"reached": set()}, "Asking.both_are_done() raises an error"),
    ],
)
def test_whatever_is_said_wrongly_is_seen(spec: type[Spec], lies: dict[str, Any], what: str) -> None:
    found = seen(spec, **lies)
    assert what in found
    assert found.startswith(f"{spec.__name__}: ") and ", after @init() -> up(" in found  # The run can be taken again.


@pytest.mark.parametrize("lies", [{}, {"cut": False}, {"fired": None}, {"reached": None}])
def test_nothing_is_seen_where_nothing_is_said_wrongly(lies: dict[str, Any]) -> None:
    assert seen(Counting, **lies) == ""


def test_it_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least number of tries is kept whatever the time, but a specification that is slow in CPython ends them."""
    calls = Counter[str]()
    fire = System.fire

    def counting(self: System, *instance: Any) -> Any:
        calls["tries"] += 1
        return fire(self, *instance)

    monkeypatch.setattr(System, "fire", counting)
    monkeypatch.setattr(auditing, "TRIES_MIN", 10)
    system = System(Counting)
    with system:
        initial = list(system.initial())
        calls.clear()
        audit(system, initial, Said(Properties(system)), 0.0)
        assert 10 <= calls["tries"] < 15
        calls.clear()
        monkeypatch.setattr(auditing, "PATIENCE_S", 0.0)
        audit(system, initial, Said(Properties(system)), 0.0)
        assert calls["tries"] == 0
        watch = Watch()
        watch.interrupt()
        audit(system, initial, Said(Properties(system)), 1.0, watch)
    assert calls["tries"] == 0


class Meeting(Spec):
    """Six of those who are there, of whom there are 24: an engine in C throws most of these 191 million away at once."""

    here: set[Seat]
    met: bool

    @init
    def start(self) -> None:
        self.here = set(Seat)

    @action
    def meet(self, a: Seat, b: Seat, c: Seat, d: Seat, e: Seat, f: Seat) -> None:
        require(a in self.here and a == max(self.here))
        require(b in self.here and c in self.here and d in self.here and e in self.here and f in self.here)
        self.met = True


class Apart(Meeting):
    """Two who need not be there."""

    @action
    def meet(self, a: Seat, b: Seat) -> None:
        require(a != b)
        self.met = True


class Quorums(Spec):
    """All of the nodes are enough, at the sizes at which there are enough of them."""

    enough: ClassVar[int] = 2
    up: set[Node]

    @action
    def rise(self, n: Node) -> None:
        self.up.add(n)

    @invariant
    def all_are_enough(self) -> bool:
        return is_quorum(self.up, self.enough, Node) or any(n not in self.up for n in Node)


def test_of_many_arguments_few_are_listed() -> None:
    with (apart := System(Apart)):
        given = Choices(apart, apart.actions[0], most=100).fixed or ()
        assert len(given) == 100 and max(a for a, _ in given) > 20
    system = System(Meeting)
    with system:
        (meet,), ((_, state),) = system.actions, system.initial()
        assert len(Choices(system, meet, most=7)(state)) == 7
        audit(system, [((), state)], Said(Properties(system)), 0.0)


def test_a_check_and_a_proof_are_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both end with what CPython finds, if everything before it is fooled: here CPython has an action that changes its mind."""
    told = Counter[str]()

    def telling(system: System, initial: Any, said: Said, *_: Any) -> None:
        told["met" if said.fired is not None else "proven"] += 1
        raise Disagreement(system.name)

    monkeypatch.setattr(search, "audit", telling)
    monkeypatch.setattr("quorate.prove.attempt.audit", telling)
    with pytest.raises(Disagreement, match="Counting"):
        check(Counting, engine="native", watch=Watch(at_once=0))
    with pytest.raises(Disagreement, match="Counting"):
        prove(Task(Counting, "counting"))
    assert told == {"met": 1, "proven": 1}
    check(
        Counting, engine="native", watch=Watch(Limits(states=3), at_once=0)
    )  # What did not end says nothing of all runs.
    assert told == {"met": 1, "proven": 1}
    with pytest.raises(Disagreement, match="Quorums"):
        prove(Task(Quorums, "quorums", any_size=True))
    assert told == {"met": 1, "proven": 2}


class Alone(Spec):
    """Somebody is always left out, if there are two."""

    up: set[Node]

    @init
    def begin(self, n: Node) -> None:
        self.up = {n}

    @action
    def leave(self, n: Node) -> None:
        require(n in self.up)
        self.up.remove(n)

    @invariant
    def somebody_is_left_out(self) -> bool:
        return any(n not in self.up for n in Node)


def test_what_is_proven_for_any_size_is_audited_at_other_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a solver that agrees to everything, CPython finds what is false with one node only."""
    monkeypatch.setattr(
        at_any_size, "ask_all", lambda queries, *_: [Answer(one.name, "unsat", 0.0, "z3") for one in queries]
    )
    monkeypatch.setattr(at_any_size.AtAnySize, "_worthless", lambda *_: None)
    with pytest.raises(Disagreement, match=r"somebody_is_left_out is not true, after @init.*, with Node=1"):
        prove(Task(Alone, "alone", any_size=True))


class Up(Spec):
    """Who is up; there is room for all at the configured size."""

    up: set[Node]
    bounds: ClassVar = {"up": 2}

    @action
    def rise(self, n: Node) -> None:
        require(n not in self.up)
        self.up.add(n)


class Awake(Spec):
    """It is so, whatever room there is."""

    refines = Up

    up: set[Node]

    @action
    def wake(self, n: Node) -> None:
        require(n not in self.up)
        self.up.add(n)

    @mapping
    def as_up(self, abstract: Up) -> None:
        abstract.up = self.up


def test_a_capacity_of_what_is_refined_is_no_mistake_of_a_proof_for_any_size() -> None:
    assert isinstance(check(Awake.bounded(Node=4), engine="reference"), Failed)
    assert isinstance(prove(Task(Awake, "awake", any_size=True)).outcome, Proven)


# Mistakes of the translation


def mistaken(spec: type[Spec], seconds: Sequence[float]) -> Iterator[tuple[mutants.Mutant, list[bool]]]:
    """Mutants whose C, explored in the place of a specification's own, finds nothing wrong and lacks states: whether an audit of so many
    seconds sees it. Whoever has more than all states says nothing wrong of them."""
    system = System(spec)
    with system:
        states = Search(system).run().states
        sorts, _ = symmetric_sorts(system)
        initial, own = search.compiled(system, sorts)
    for mutant in mutants.of_spec(spec):
        if mutant.part == "property":
            continue
        try:
            other = System(mutant.load())
            with other:
                beginning, library = search.compiled(other, sorts)
                if search.run(other, library, beginning, Watch(Limits(seconds=20)), 1, sorts).finding is not None:
                    continue
        except QuorateError:
            continue
        library.rendered = replace(library.rendered, layout=own.rendered.layout)
        lacks = _asked(system, library, initial, sorts, lambda said: not all(map(said.met, states)))
        if lacks:
            yield mutant, [_is_seen(system, library, initial, sorts, one) for one in seconds]


def _asked(system: System, library: Library, initial: Any, sorts: Any, ask: Callable[[Said], T]) -> T:
    """What is asked of what a search says."""
    usual, answers = search.audit, list[T]()
    search.audit = lambda system, initial, said, *_: answers.append(ask(said))  # type: ignore[assignment]
    try:
        with system:
            search.run(system, library, initial, Watch(), 1, sorts)
    finally:
        search.audit = usual
    return answers[0]


def _is_seen(system: System, library: Library, initial: Any, sorts: Any, seconds: float) -> bool:
    def looked(said: Said) -> bool:
        try:
            audit(system, initial, said, seconds)
        except Disagreement:
            return True
        return False

    return _asked(system, library, initial, sorts, looked)


def test_most_mistakes_of_the_translation_are_seen_with_the_least_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the mutants of two-phase commit that lack states without violating anything."""
    monkeypatch.setattr("quorate.explore.native.library.FLAGS", QUICK_FLAGS)
    found = [seen for _, (seen,) in mistaken(load("two_phase_commit").classes["TwoPhaseCommit"], [0.0])]
    assert len(found) >= 8
    assert found.count(False) <= len(found) // 4


if __name__ == "__main__":
    for name in sys.argv[1:]:
        protocol, _, variant = name.partition(":")
        tally = Counter[tuple[bool, ...]]()
        for mutant, found in mistaken(load(protocol).classes[variant], [0.0, 0.05, 1.0]):
            tally[tuple(found)] += 1
            if not all(found):
                print(f"{mutant}: {found}", flush=True)
        print(f"{name}: {sum(tally.values())} mistakes, seen with the least effort, in 0.05 s, in 1 s: {dict(tally)}")
