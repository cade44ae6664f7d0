"""Lemmas on demand: the few that a proof needs are found, and nothing is said to be proven that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import z3
from quorate.prove.solvers.premise_selection import Selection
from quorate.prove.solvers.query import Query, query
from quorate.prove.solvers.smt import selected

X, Y, U = z3.Ints("x y u")
P, Q = (z3.Function(name, z3.IntSort(), z3.BoolSort()) for name in "pq")


def asked(goal: object, *lemmas: tuple[str, object]) -> Query:
    return query(("step", "goal"), [*lemmas, ("", goal)])


def test_only_the_lemmas_that_are_needed_are_named() -> None:
    many = [(f"idle{number}", number != U) for number in range(20)]
    found = Selection(asked(X > Y, ("above", X <= 0), *many, ("below", Y >= 0))).answer()
    assert found.status == "unsat" and set(found.lemmas) == {"above", "below"}


def test_the_property_itself_comes_first_and_may_suffice() -> None:
    found = Selection(asked(X > 0, ("other", Y > 0), ("goal", X <= 0))).answer()
    assert found.status == "unsat" and found.lemmas == ("goal",)


def test_a_claim_that_does_not_follow_is_refuted_by_a_model_of_all_lemmas() -> None:
    found = Selection(asked(X > 0, ("a", Y > 0), ("b", U > 3))).answer()
    assert found.status == "sat"


def test_quantified_lemmas_are_judged_in_models() -> None:
    lemmas = [
        ("all_p", z3.ForAll([X], z3.Implies(P(X), Q(X)))),
        ("none", z3.ForAll([X], z3.Not(Q(X)))),
        ("idle", Y > 2),
    ]
    found = Selection(asked(P(U), *lemmas)).answer()
    assert found.status == "unsat" and set(found.lemmas) == {"all_p", "none"}


def test_lemmas_known_to_be_useful_are_tried_first() -> None:
    lemmas = [("first", X < 5), ("second", z3.And(X < 0, U > 7))]
    assert Selection(asked(X > 8, *lemmas)).answer(["second"]).lemmas == ("second",)


def test_axioms_about_what_is_not_mentioned_are_left_out_until_it_is() -> None:
    false = z3.And(P(U), z3.Not(P(U)))
    unrelated = query(("step", "goal"), [("", X > 0)], [(false, frozenset({"p"}), "")])
    assert Selection(unrelated).answer().status == "sat"
    mentioned = query(("step", "goal"), [("", P(U))], [(z3.Not(P(U)), frozenset({"p"}), "")])
    assert Selection(mentioned).answer().status == "unsat"


BLIND = z3.ForAll([X], z3.Implies(P(X), P(X * X + X)))
"""The solver makes instances of it without end, and has no model."""


def test_the_lemmas_that_the_author_names_are_tried_before_the_solver_is_asked_for_a_model() -> None:
    lemmas = [("endless", BLIND), ("first", z3.ForAll([X], z3.Not(Q(X)))), ("second", z3.Implies(P(U), Q(U)))]
    named = replace(asked(z3.And(P(U), U > 1), *lemmas), because=("second", "first"))
    found = Selection(named).answer()
    assert found.status == "unsat" and set(found.lemmas) == {"first", "second"}


@pytest.mark.parametrize("because", [("a",), ("a", "b"), ("nobody",)])
def test_what_the_author_names_is_an_advice_and_proves_nothing(because: tuple[str, ...]) -> None:
    named = replace(asked(X > 0, ("a", Y > 0), ("b", U > 3)), because=because)
    assert Selection(named).answer().status == "sat"
    wrong = replace(asked(X > 0, ("a", Y > 0), ("right", X < 0)), because=because)
    assert Selection(wrong).answer().lemmas == ("right",)


def test_without_time_nothing_is_known() -> None:
    false = asked(z3.And(X > 0, X < 0))
    assert Selection(false, seconds=0.0).answer().status == "unknown"
    assert Selection(false, seconds=60.0).answer().status == "unsat"


def test_a_proof_rests_on_the_conditions_of_a_core() -> None:
    """Of the axioms that are true on conditions only those are said that the contradiction needs."""
    axioms = [
        (X < 5, frozenset({"x"}), "few"),
        (Y < 50, frozenset({"y"}), "some"),
        (z3.Not(P(U)), frozenset({"p"}), "none"),
    ]
    needed = selected(query(("step", "goal"), [("", X > 20), ("", X > Y)], axioms))
    assert needed.status == "unsat" and needed.conditions == {"few"}
    assert selected(query(("step", "goal"), [("", X > 20), ("", X < 10)], axioms)).conditions == frozenset()
    assert selected(query(("step", "goal"), [("", X > 20)], axioms[1:])).conditions == frozenset()
