"""Relations that never change: what @init requires of them is an axiom, for every engine and at any size; of axioms that contradict each
other nothing is proven."""

from __future__ import annotations

import pytest
from quorate import Scalarset, Spec, action, init, invariant, lemma, require, violates
from quorate.explore import check
from quorate.explore.limits import Limits, Watch
from quorate.outcome import Outcome, Proven
from quorate.prove.proof import prove
from quorate.prove.results import Task


class Server(Scalarset, size=3):
    """A voter."""


class Quorum(Scalarset, size=2):
    """A name for a set of them."""


class Value(Scalarset, size=2):
    """What is chosen."""


class Voting(Spec):
    """Quorums are any sets of which each two meet."""

    members: dict[Quorum, set[Server]]
    voted: dict[Server, Value | None]
    chosen: set[Value]

    @init
    def quorums_meet(self, members: dict[Quorum, set[Server]]) -> None:
        require(all(any(s in members[p] and s in members[q] for s in Server) for p in Quorum for q in Quorum))
        self.members = members

    @action
    def vote(self, s: Server, v: Value) -> None:
        require(self.voted[s] is None)
        self.voted[s] = v

    @action
    def choose(self, q: Quorum, v: Value) -> None:
        require(all(self.voted[s] == v for s in self.members[q]))
        self.chosen.add(v)

    @lemma
    def they_meet(self, p: Quorum, q: Quorum) -> bool:
        return any(s in self.members[p] and s in self.members[q] for s in Server)

    @lemma
    def a_quorum_has_voted(self, v: Value) -> bool:
        return v not in self.chosen or any(all(self.voted[s] == v for s in self.members[q]) for q in Quorum)

    @invariant
    def one_is_chosen(self, v: Value, w: Value) -> bool:
        return v == w or v not in self.chosen or w not in self.chosen


class NotEmpty(Voting):
    """It is not enough that each quorum has a member."""

    expect = violates("one_is_chosen")
    omits = ("they_meet",)

    @init
    def quorums_meet(self, members: dict[Quorum, set[Server]]) -> None:
        require(all(any(s in members[p] for s in Server) for p in Quorum))
        self.members = members


class Contradicting(Voting):
    """No relation is like this."""

    @init
    def quorums_meet(self, members: dict[Quorum, set[Server]]) -> None:
        require(all(any(s in members[p] and s not in members[p] for s in Server) for p in Quorum))
        self.members = members


def _proof(spec: type[Spec], any_size: bool) -> Outcome:
    return prove(Task(spec, spec.__name__, None, any_size=any_size)).outcome


@pytest.mark.parametrize("any_size", [False, True])
def test_axioms_are_known_in_proofs(any_size: bool) -> None:
    assert isinstance(_proof(Voting, any_size), Proven)
    assert _proof(NotEmpty, any_size).verdict == "violated"


@pytest.mark.parametrize("any_size", [False, True])
def test_axioms_that_contradict_each_other_prove_nothing(any_size: bool) -> None:
    found = _proof(Contradicting, any_size)
    assert found.verdict == "unfinished" and "initial state" in str(found)


def test_all_relations_that_satisfy_the_axioms_are_initial() -> None:
    found = check(Voting, engine="reference", symmetry=False)
    meeting = sum(bool(p & q) for p in range(1, 8) for q in range(1, 8))
    assert found.verdict == "holds" and found.statistics.levels[0] == meeting
    assert check(NotEmpty, engine="reference").verdict == "violated"
    assert "no initial state" in str(check(Contradicting, engine="reference"))


class Between(Spec):
    """There are 2 ** 27 relations among three members."""

    btw: set[tuple[Server, Server, Server]]
    seen: bool

    @init
    def is_cyclic(self, btw: set[tuple[Server, Server, Server]]) -> None:
        require(all((b, c, a) in btw for a in Server for b in Server for c in Server if (a, b, c) in btw))
        self.btw = btw

    @action
    def look(self) -> None:
        self.seen = True

    @invariant
    def stays_cyclic(self, a: Server, b: Server, c: Server) -> bool:
        return (a, b, c) not in self.btw or (b, c, a) in self.btw


def test_limits_are_kept_while_relations_are_listed() -> None:
    for engine in ("reference", "native"):
        found = check(Between, engine=engine, watch=Watch(Limits(seconds=0.1)))
        assert found.verdict == "unfinished" and "choices of @init" in str(found)


@pytest.mark.slow
def test_proofs_list_no_relations() -> None:
    assert isinstance(_proof(Between, True), Proven)
