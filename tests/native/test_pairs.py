"""Every kind of property with every store and number of workers: all verdicts are those of the reference engine, or are refused.

What one part does alone is tested where it is. Here the pairs are: a store that no kind of property has been tried with is found by
compiling it. The specs are tiny, and all of them are compiled at once for each store; workers share levels however small these are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from quorate import Spec
from quorate.errors import UsageError
from quorate.explore import Watch
from quorate.explore.checking import Naming, check_system, symmetric_sorts
from quorate.explore.native import library, search
from quorate.explore.native.search import rendering, switched_off
from quorate.kinds import KINDS, LIVENESS
from quorate.language.system import System
from quorate.outcome import Outcome

from tests.generated import load
from tests.native.agreement import QUICK_FLAGS, SMALL
from tests.native.batch import compile_batch

TOKENS = '''
class Spec0(Spec):
    """A token is taken, and given back when something was done with it."""

    holder: Node | None
    count: dict[Node, Count]

    @action(fair="weak")
    def take(self, n: Node) -> None:
        require(self.holder is None)
        self.holder = n

    @action(fair="strong")
    def work(self, n: Node) -> None:
        require(self.holder == n and self.count[n] < 2)
        self.count[n] += 1
        self.holder = None

    @action
    def shirk(self, n: Node) -> None:
        require(self.holder == n and self.count[n] == 1)
        self.count[n] = Count(0)
'''
LEASES = '''
class Spec0(Spec):
    """Leases are granted, renewed past their bound, and given up."""

    lease: Annotated[dict[Node, Count], partial]
    last: Node | None

    @init
    def begin(self, n: Node) -> None:
        self.lease[n] = Count(0)

    @action(fair="weak")
    def renew(self, n: Node) -> None:
        require(n in self.lease)
        self.lease[n] += 1
        self.last = n

    @action(fair="weak")
    def grant(self, n: Node) -> None:
        require(n not in self.lease and len(self.lease) < 2)
        self.lease[n] = Count(0)

    @action
    def give_up(self, n: Node) -> None:
        require(self.lease.get(n) == 1 and self.last == n)
        del self.lease[n]
        self.last = None
'''
LETTERS = '''
@record
class Ask:
    source: Node
    count: Count


@record
class Answer:
    target: Node
    lost: bool


class Spec0(Spec):
    """Whose turn it is asks by a letter, which may be lost, until it is answered."""

    times: dict[Node, Count]
    turn: Node | None
    letters: Network[Ask | Answer] = Network(lossy=True, capacity=2)
    sent: Annotated[int, auxiliary]

    @init
    def one_begins(self, n: Node) -> None:
        self.turn = n

    @init
    def others_may_have_asked(self, before: Count) -> None:
        require(before < 2)
        self.times = {n: Count(0) if n == self.turn else before for n in Node}

    @action(fair="weak", fair_if="is_its_turn")
    def ask(self, n: Node) -> None:
        require(self.is_its_turn(n) and self.times[n] < 2)
        self.letters.send(Ask(n, self.times[n]))
        self.times[n] += 1
        self.sent += 1

    def is_its_turn(self, n: Node) -> bool:
        return self.turn == n

    @action(fair="strong", fair_per="action")
    def answer(self, m: Ask) -> None:
        require(m in self.letters)
        self.letters.drop(m)
        self.letters.send(Answer(m.source, m.count > 0))

    @action
    def hear(self, m: Answer) -> None:
        require(m in self.letters and self.turn == m.target)
        self.letters.drop(m)
        self.turn = the((n for n in Node if n != m.target), None)
'''


@dataclass(frozen=True)
class Subject:
    """A spec, and of it state predicates: one that is `true`, one that is `false` somewhere, one that raises an `error` somewhere, and one
    that is `seldom` true. `node`, `other` and `more` are its variables; what it is mapped to lacks the action `omitted`."""

    text: str
    true: str
    false: str
    error: str
    seldom: str
    node: str
    other: str
    omitted: str
    more: tuple[str, ...] = ()


SUBJECTS = {
    "tokens": Subject(
        TOKENS,
        true="self.count[n] <= 2",
        false="self.count[n] < 2",
        error="10 // (2 - self.count[n]) > 0",
        seldom="self.count[n] == 2 and self.holder != n",
        node="holder",
        other="count",
        omitted="shirk",
    ),
    "leases": Subject(
        LEASES,
        true="n not in self.lease or self.lease[n] < 3",
        false="self.lease.get(n) != 2",
        error="10 // (2 - self.lease.get(n, Count(0))) > 0",
        seldom="self.lease.get(n) == 2 and self.last != n",
        node="last",
        other="lease",
        omitted="give_up",
    ),
    "letters": Subject(
        LETTERS,
        true="self.times[n] <= 2",
        false="self.times[n] < 2",
        error="10 // (2 - self.times[n]) > 0",
        seldom="self.times[n] == 2 and self.turn != n",
        node="turn",
        other="times",
        omitted="hear",
        more=("letters",),
    ),
}
HEAD = """
from typing import Annotated, Self
from quorate import *


class Node(Scalarset, size=2):
    pass


class Count(Nat, max=2):
    pass

"""
FORMS = {
    "step": "(self, old: Self, n: Node) -> bool:\n        return {}",
    "reachable": "(self, n: Node) -> bool:\n        return not ({})",
    "terminal": "(self) -> bool:\n        return all({} for n in Node)",
    "constraint": "(self) -> bool:\n        return all({} for n in Node)",
}
PAIR = "(self, n: Node) -> tuple[bool, bool]:\n        return self.{} is None, {}"
STATE = "(self, n: Node) -> bool:\n        return {}"
MAPPED = """

class Above(Spec0):
    omits = {omitted!r}


class Below(Spec0):
    refines = Above

    @mapping
    def is_above(self, abstract: Above) -> None:
        abstract.{node} = self.{node}
        if not all({condition} for n in Node):
            abstract.{node} = None
        abstract.{other} = self.{other}
"""
STORES = ("exact", "tree", "fingerprint", "disk")


@dataclass(frozen=True)
class Case:
    """A spec with one property; `name` says of which kind, and what is asked."""

    name: str
    kind: str
    spec: type[Spec]


def cases(subject: Subject) -> Iterator[Case]:
    """Of a spec every kind of property, and a constraint, with each predicate."""
    for kind in (*KINDS, "constraint"):
        for what in ("true", "false", "error", *(["seldom"] if kind in LIVENESS else [])):
            predicate = getattr(subject, what)
            if kind == "mapping":
                less = () if what == "true" else (subject.omitted,)
                mapped = MAPPED.format(node=subject.node, other=subject.other, omitted=less, condition=predicate)
                mapped += "".join(f"        abstract.{name} = self.{name}\n" for name in subject.more)
                yield Case(f"{kind}, {what}", kind, load(HEAD + subject.text + mapped, "Below"))
                continue
            pair = kind in KINDS and KINDS[kind].is_pair
            form = PAIR.replace("{}", subject.node, 1) if pair else FORMS.get(kind, STATE)
            lines = [HEAD, subject.text, f"    @{kind}", f"    def asked{form.format(predicate)}"]
            if kind == "constraint":
                lines += ["    @invariant", f"    def low{STATE.format(subject.false)}"]
            yield Case(f"{kind}, {what}", kind, load("\n".join(lines), "Spec0"))


def summary(outcome: Outcome, exact: bool) -> tuple[object, ...]:
    """What all engines must say; without symmetry also the run itself."""
    found = outcome.statistics
    trace = getattr(outcome, "trace", None)
    judged = [(one.property, one.status, one.trace and len(one.trace)) for one in outcome.judgements]
    counts = found.states, found.transitions, found.depth, found.cuts, found.actions, found.levels
    return (
        outcome.verdict,
        int(outcome.exit_code),
        judged,
        counts,
        trace and (trace.steps if exact else len(trace)),
        getattr(outcome, "message", None),
    )


@dataclass(frozen=True)
class Asked:
    """A case with one choice of symmetry, and what the reference engine says."""

    case: Case
    system: System
    symmetry: bool
    expected: tuple[object, ...]


@cache
def table(subject: str) -> list[Asked]:
    """What the reference engine says of all cases, of every second one with symmetry."""
    found = []
    for number, case in enumerate(cases(SUBJECTS[subject])):
        system, symmetry = System(case.spec), number % 2 == 1
        outcome = check_system(
            system, engine="reference", symmetry=symmetry, watch=Watch(), workers=1, naming=Naming("drawn")
        )
        found.append(Asked(case, system, symmetry, summary(outcome, not symmetry)))
    return found


@pytest.mark.slow
def test_every_kind_is_true_and_false_and_an_error_somewhere() -> None:
    for kind in (*KINDS, "constraint"):
        verdicts = {str(asked.expected[0]) for asked in table("tokens") if asked.case.kind == kind}
        assert verdicts >= {"violated", "error"}, (kind, verdicts)
        assert any(verdict.startswith("holds") for verdict in verdicts), (kind, verdicts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store", "subject"),
    [
        pytest.param(store, subject, marks=[pytest.mark.deep] if store == "exact" or subject != "tokens" else [])
        for store in STORES
        for subject in SUBJECTS
    ],
)
def test_verdicts_are_those_of_the_reference_engine(
    store: str, subject: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, *SMALL.get(store, ()), "-DSOLO_MAX=0"))
    watch: dict[str, Any] = {"disk": tmp_path} if store == "disk" else {"store": store}
    without = switched_off(Watch(**watch))
    models = []
    for asked in table(subject):
        with asked.system as system:
            sorts = symmetric_sorts(system)[0] if asked.symmetry else ()
            initial = list(system.initial())
            models.append((sorts, initial, rendering(system, [state for _, state in initial], sorts, without)))
    batch = compile_batch([rendered for _, _, rendered in models], store)
    monkeypatch.setattr("quorate.cc.built", lambda *_: pytest.fail("a model is compiled by itself"))
    for number, (asked, (sorts, initial, _)) in enumerate(zip(table(subject), models, strict=True)):
        engine = batch.choose(number)
        search.lend(asked.system, tuple(sorts), initial, engine, store, without)
        for workers in (1, 2, 4):
            try:
                outcome = check_system(
                    asked.system,
                    engine="auto",
                    symmetry=asked.symmetry,
                    watch=Watch(at_once=0, **watch),
                    workers=workers,
                    naming=Naming("drawn"),
                )
            except UsageError as refused:
                assert refusal(asked.case, store, workers) in str(refused), asked.case.name
            else:
                assert refusal(asked.case, store, workers) == "", (asked.case.name, store, workers)
                assert summary(outcome, not asked.symmetry) == asked.expected, (asked.case.name, store, workers)
    assert list(tmp_path.iterdir()) == []


def refusal(case: Case, store: str, workers: int) -> str:
    """What is said of a pair that does not go together; nothing if it does."""
    if store == "disk" and workers > 1:
        return "A search with --disk cannot do that: it has one worker"
    if store == "disk" and case.kind in LIVENESS:
        return "A search with --disk cannot do that: asked can only be judged in memory"
    if store != "exact" and case.name.startswith("reachable, error"):
        return "Only the native engine keeps"  # An error in a goal is for the reference engine to say where.
    return ""
