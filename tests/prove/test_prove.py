"""Proofs of the library, and honesty about what is not proven."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import Self

import pytest
from quorate import Channels, Nat, Scalarset, Spec, action, init, invariant, lemma, proven, record, require, step
from quorate.errors import UsageError
from quorate.language.spec import without
from quorate.loading import load
from quorate.outcome import Exit, Proven, Unfinished, Violated
from quorate.prove.proof import METHODS, Claim, Proof, Task, prove
from quorate.prove.solvers import premise_selection
from quorate.prove.solvers.smt import Effort

REGISTER = ("regular", "no_new_old_inversion")
"""What a read returns; `atomic` is about whole histories, which have no any-size meaning."""
ORDERS = ("never_oversold", "confirmed_orders_have_their_units", "bought_once")
"""What counts no units; a sum over all clients has no any-size meaning."""
ANY_SIZE = [
    pytest.param("two_phase_commit", (), id="two_phase_commit"),
    pytest.param("paxos", (), id="paxos", marks=pytest.mark.slow),
    pytest.param("multi_paxos", (), id="multi_paxos", marks=pytest.mark.slow),
    pytest.param("fast_paxos", (), id="fast_paxos", marks=pytest.mark.deep),
    pytest.param("raft_election", (), id="raft_election"),
    pytest.param("pbft", (), id="pbft", marks=pytest.mark.slow),
    pytest.param("lww_register", (), id="lww_register"),
    pytest.param("vector_clock", (), id="vector_clock", marks=pytest.mark.slow),
    pytest.param("primary_backup", ("one_primary_per_epoch",), id="primary_backup"),
    pytest.param("quorum_register", REGISTER, id="quorum_register", marks=pytest.mark.slow),
    pytest.param("hybrid_clock", (), id="hybrid_clock", marks=pytest.mark.slow),
    pytest.param("crdt", ("convergence",), id="crdt"),
    pytest.param("lease_lock", ("tokens_are_unique", "mutual_exclusion"), id="lease_lock"),
    pytest.param("cache_aside", (), id="cache_aside"),
    pytest.param("order_inventory", ORDERS, id="order_inventory", marks=pytest.mark.slow),
]


def proof(spec: type[Spec], **options: object) -> Proof:
    return prove(Task(spec, spec.__name__, **options))  # type: ignore[arg-type]


@pytest.mark.library
@pytest.mark.parametrize(("name", "properties"), ANY_SIZE)
def test_it_is_proven_for_any_size(name: str, properties: tuple[str, ...]) -> None:
    found = proof(load(name).main, any_size=True, invariants=properties)
    assert isinstance(found.outcome, Proven) and found.outcome.any_size, found.outcome


def test_the_lemmas_that_a_proof_needs_are_named() -> None:
    found = proof(load("two_phase_commit").main, any_size=True, invariants=("atomicity",))
    assert isinstance(found.outcome, Proven)
    needs = frozenset[str]().union(*(claim.needs or () for claim in found.claims if claim.property == "atomicity"))
    assert {"committing_needs_all_votes", "votes_are_kept"} <= needs
    assert "counted_votes_were_sent" not in needs


class Node(Scalarset, size=3):
    """Somebody."""


class Count(Nat, max=3):
    """A small number."""


class Light(Enum):
    """Two colours."""

    RED = "red"
    GREEN = "green"


class Token(Spec):
    """One token goes round."""

    holder: Node | None
    light: dict[Node, Light]

    @action
    def take(self, n: Node) -> None:
        require(self.holder is None)
        self.holder = n
        self.light[n] = Light.GREEN

    @action
    def drop(self, n: Node) -> None:
        require(self.holder == n)
        self.holder = None
        self.light[n] = Light.RED

    @invariant
    def one_is_green(self, a: Node, b: Node) -> bool:
        """At most one light is green."""
        return a == b or self.light[a] == Light.RED or self.light[b] == Light.RED

    @lemma
    def green_holds(self, a: Node) -> bool:
        """Whoever has green has the token."""
        return self.light[a] == Light.RED or self.holder == a


class FalseLemma(Token):
    """A lemma that is false, and that every proof would like to have."""

    @lemma
    def nobody_is_green(self, a: Node) -> bool:
        """No light is ever green."""
        return self.light[a] == Light.RED


class NotInductive(Token):
    """Without its lemma."""

    omits = ("green_holds",)


class NoInitialState(Token):
    """A specification of nothing."""

    @init
    def never(self) -> None:
        require(self.holder is not None)


class IdleAction(Token):
    """An action that can never happen keeps everything."""

    @action
    def impossible(self, n: Node) -> None:
        require(self.holder == n and self.holder is None)
        self.light[n] = Light.GREEN


class Counts(Spec):
    """Counts the members of a set."""

    inside: set[Node]

    @action
    def enter(self, n: Node) -> None:
        require(len(self.inside) < 2)
        self.inside.add(n)

    @invariant
    def few(self) -> bool:
        """Never more than two."""
        return len(self.inside) <= 2


class CountsInAnAction(Counts):
    """Has an action and a property that count nothing, too."""

    @action
    def leave(self, n: Node) -> None:
        require(n in self.inside)
        self.inside.discard(n)

    @step
    def nobody_leaves(self, old: Self, n: Node) -> bool:
        """Not so: whoever is inside stays there."""
        return n in self.inside or n not in old.inside


@record
class Letter:
    """A message in a queue."""

    source: Node
    target: Node


class Queued(Spec):
    """Sends through queues."""

    queues: Channels[Letter] = Channels(capacity=2)

    @action
    def send(self, a: Node, b: Node) -> None:
        self.queues.send(Letter(a, b))

    @invariant
    def nothing(self) -> bool:
        """Nothing is promised."""
        return True


@pytest.mark.parametrize("any_size", [False, True])
def test_a_small_protocol_is_proven(any_size: bool) -> None:
    assert isinstance(proof(Token, any_size=any_size).outcome, Proven)


@pytest.mark.parametrize("method", METHODS)
def test_the_methods_by_name_in_one_call(method: str) -> None:
    assert isinstance(proven(Token, method=method), Unfinished if method == "bmc" else Proven)
    assert proven.__doc__ is not None and f'"{method}"' in proven.__doc__
    with pytest.raises(UsageError, match="at least 1, not -1"):
        proven(Token, method=method, depth=-1)


@pytest.mark.parametrize("any_size", [False, True])
def test_a_false_lemma_is_reported_with_a_run(any_size: bool) -> None:
    outcome = proof(FalseLemma, any_size=any_size).outcome
    assert isinstance(outcome, Violated) and outcome.property == "nobody_is_green"


@pytest.mark.parametrize("any_size", [False, True])
def test_what_needs_a_lemma_is_unfinished_with_a_small_counterexample_that_cannot_happen(any_size: bool) -> None:
    found = proof(NotInductive, any_size=any_size)
    assert isinstance(found.outcome, Unfinished) and "take breaks it" in found.outcome.reason
    failed: list[Claim] = [claim for claim in found.failed if claim.counterexample is not None]
    assert [claim.action for claim in failed] == ["take"]
    assert failed[0].counterexample is not None and failed[0].counterexample.step.trace is not None
    assert failed[0].counterexample.hint == "cannot happen at these bounds: a lemma can exclude it"


@pytest.mark.parametrize("any_size", [False, True])
@pytest.mark.parametrize(
    ("spec", "why"), [(NoInitialState, "initial state"), (IdleAction, "impossible can never happen")]
)
def test_a_vacuous_proof_is_no_proof(spec: type[Spec], why: str, any_size: bool) -> None:
    outcome = proof(spec, any_size=any_size).outcome
    assert isinstance(outcome, Unfinished) and why in outcome.reason


def test_a_solver_without_time_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(premise_selection, "EFFORT", 1)
    found = proof(load("two_phase_commit").main, any_size=True, effort=Effort((), 0.0), seconds=0.001)
    assert isinstance(found.outcome, Unfinished) and "the solvers do not know whether" in found.outcome.reason


@pytest.mark.parametrize("options", [{}, {"method": "kinduction"}, {"method": "bmc", "depth": 9}])
def test_formulas_that_are_too_many_to_be_written_end_with_the_time(options: dict[str, object]) -> None:
    """Histories of any length up to the bound, over all orders in which operations may have taken effect."""
    spec = load("consistency_ladder").main
    found = proof(spec, invariants=("is_linearizable",), seconds=0.3, **options)
    assert isinstance(found.outcome, Unfinished)
    assert "no time is left" in " ".join(
        (*found.outcome.notes, found.outcome.reason, *(claim.reason for claim in found.claims))
    )


def test_k_induction_proves_what_two_steps_exclude() -> None:
    assert isinstance(proof(Token, method="kinduction", depth=2).outcome, Proven)


def test_a_bounded_check_proves_nothing_beyond_its_depth() -> None:
    outcome = proof(Token, method="bmc", depth=3).outcome
    assert isinstance(outcome, Unfinished) and "depth 3" in outcome.reason


def test_counting_has_no_any_size_meaning_and_the_error_says_where() -> None:
    from quorate.prove.encode.anysize.refusal import NoAnySize

    with pytest.raises(NoAnySize, match="is_majority") as error:
        proof(Counts, any_size=True, invariants=("few",))
    assert error.value.location is not None and "len(self.inside)" in error.value.location.text


def test_where_an_action_has_no_any_size_meaning_each_property_says_so() -> None:
    """`nobody_leaves` could be stated, but not that `enter` keeps it and raises no error."""
    outcome = proof(CountsInAnAction, any_size=True).outcome
    assert isinstance(outcome, Unfinished) and outcome.exit_code == Exit.OPEN
    assert outcome.reason == "no property is stated for any size, since the action enter is not"
    assert [(one.property, one.status) for one in outcome.judgements] == [
        ("few", "not-judged"),
        ("nobody_leaves", "not-judged"),
    ]
    (reason,) = {one.reason for one in outcome.judgements}
    line = inspect.getsourcelines(CountsInAnAction.enter)[1] + 2
    assert (
        f"not stated for any size, since the action enter is not (test_prove.py, line {line}): The size of a set"
        in reason
    )


def test_where_no_property_has_an_any_size_meaning_each_says_why() -> None:
    outcome = proof(without(CountsInAnAction, ["nobody_leaves", "enter"]), any_size=True).outcome
    (judged,) = outcome.judgements
    assert isinstance(outcome, Unfinished) and outcome.reason == "no property is stated for any size"
    assert (judged.property, judged.status) == ("few", "not-judged") and "The size of a set" in judged.reason


def test_a_variable_without_any_size_meaning_is_shown_where_it_is_declared() -> None:
    from quorate.prove.encode.anysize.refusal import NoAnySize

    with pytest.raises(NoAnySize, match="Use a Network") as error:
        proof(Queued, any_size=True)
    assert error.value.location is not None and error.value.location.text.strip().startswith("queues: Channels[Letter]")
