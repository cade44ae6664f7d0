"""cvc5, which is asked where Z3 gives up."""

from __future__ import annotations

import pytest
import z3
from quorate.loading import load
from quorate.prove.proof import Task, prove
from quorate.prove.solvers import smt
from quorate.prove.solvers.query import Query, query
from quorate.prove.solvers.smt import Answer, Effort, ask, ask_cvc5

NODE = z3.DeclareSort("Node")
LEADER, VOTED = z3.Function("leader", NODE, z3.BoolSort()), z3.Function("voted", NODE, NODE)
X, Y = z3.Consts("x y", NODE)
WITHOUT_Z3 = Effort(z3_seconds=(), cvc5_seconds=20)


def two_leaders(one_vote: bool) -> Query:
    """Two leaders that a voter has voted for; impossible if a leader has the votes of all."""
    parts = [("two leaders", z3.And(LEADER(X), LEADER(Y), X != Y))]
    if one_vote:
        parts.append(("everybody votes for the leader", z3.ForAll([X, Y], z3.Implies(LEADER(X), VOTED(Y) == X))))
    return query(("win", "one_leader"), parts)


@pytest.fixture
def z3_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lemmas on demand find nothing."""
    monkeypatch.setattr(smt, "selected", lambda asked, *_: Answer(asked.name, "unknown", 0.0, "", reason="z3: tired"))


def test_it_answers_both_ways() -> None:
    status, core, reason = ask_cvc5(two_leaders(one_vote=True), 20)
    assert (status, core, reason) == ("unsat", {"two leaders", "everybody votes for the leader"}, "")
    assert ask_cvc5(two_leaders(one_vote=False), 20) == ("sat", frozenset(), "")


def test_what_it_cannot_read_or_decide_is_unknown() -> None:
    asked = two_leaders(one_vote=True)
    status, _, reason = ask_cvc5(
        Query(asked.name, "(assert (no-such-function 1))", asked.labels, asked.symbols, {}), 20
    )
    assert status == "unknown" and reason
    n = z3.Int("n")
    fermat = query(
        ("a", "b"), [("", z3.ForAll([n], z3.Implies(n > 2, z3.Exists([z3.Int("m")], z3.Int("m") ** 3 == n))))]
    )
    assert ask_cvc5(fermat, 0.3)[0] in ("unknown", "unsat")


@pytest.mark.usefixtures("z3_gives_up")
@pytest.mark.parametrize(("one_vote", "status"), [(True, "unsat"), (False, "sat")])
def test_it_is_asked_when_z3_gives_up(one_vote: bool, status: str) -> None:
    answer = ask(two_leaders(one_vote), WITHOUT_Z3)
    assert (answer.status, answer.solver) == (status, "cvc5")


@pytest.mark.usefixtures("z3_gives_up")
def test_without_it_the_reason_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt, "find_spec", lambda name: None)
    answer = ask(two_leaders(one_vote=True), WITHOUT_Z3)
    assert answer.status == "unknown"
    assert answer.reason == "z3: tired; cvc5 is not installed, so there is no second opinion"


@pytest.mark.slow
@pytest.mark.usefixtures("z3_gives_up")
def test_it_proves_two_phase_commit_by_itself() -> None:
    task = Task(load("two_phase_commit").main, "two_phase_commit", any_size=True, effort=WITHOUT_Z3)
    outcome = prove(task).outcome
    assert outcome.verdict == "proven"
