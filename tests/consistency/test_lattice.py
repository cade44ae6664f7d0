"""The lattice of levels: what the documentation says is what enumeration finds, and brute force agrees with every
litmus test."""

from __future__ import annotations

import pytest
from oracles import OBJECT_LEVELS
from quorate.consistency.survey import implied, strongest
from transaction_oracles import TRANSACTION_LEVELS

from bench.lattice import (
    BEGIN,
    DOCS,
    END,
    OBJECTS,
    TRANSACTIONS,
    direct,
    few,
    objects,
    of_transactions,
    page,
    separations,
)


def test_transactional_levels_form_this_lattice() -> None:
    assert direct(TRANSACTIONS, of_transactions()) == [
        ("consistent-view", "update-atomic"),
        ("cursor-stability", "read-committed"),
        ("prefix", "read-atomic"),
        ("read-atomic", "read-committed"),
        ("read-committed", "read-uncommitted"),
        ("repeatable-read", "cursor-stability"),
        ("serializable", "repeatable-read"),
        ("serializable", "snapshot-isolation"),
        ("snapshot-isolation", "consistent-view"),
        ("snapshot-isolation", "prefix"),
        ("strict-serializable", "strong-session-serializable"),
        ("strict-serializable", "strong-snapshot-isolation"),
        ("strong-session-serializable", "serializable"),
        ("strong-session-serializable", "strong-session-snapshot-isolation"),
        ("strong-session-snapshot-isolation", "snapshot-isolation"),
        ("strong-session-snapshot-isolation", "transactional-causal"),
        ("strong-snapshot-isolation", "strong-session-snapshot-isolation"),
        ("transactional-causal", "read-atomic"),
        ("update-atomic", "cursor-stability"),
        ("update-atomic", "read-atomic"),
    ]


@pytest.mark.slow
def test_the_levels_that_a_survey_takes_for_implied_are_those_of_the_lattice() -> None:
    apart = separations(of_transactions())
    for one in TRANSACTIONS:
        found = {other for other in TRANSACTIONS if other != one and (one, other) not in apart}
        assert implied(one) == found


@pytest.mark.slow
def test_levels_of_single_objects_form_this_lattice_and_the_documentation_shows_it() -> None:
    assert direct(OBJECTS, objects()) == [
        ("causal", "monotonic-reads"),
        ("causal", "monotonic-writes"),
        ("causal", "read-your-writes"),
        ("causal", "writes-follow-reads"),
        ("causal-convergence", "causal"),
        ("causal-memory", "causal"),
        ("linearizable", "convergent"),
        ("linearizable", "regular"),
        ("linearizable", "sequential"),
        ("regular", "monotonic-writes"),
        ("regular", "read-your-writes"),
        ("regular", "safe"),
        ("regular", "writes-follow-reads"),
        ("sequential", "causal-convergence"),
        ("sequential", "causal-memory"),
    ]
    for one in OBJECTS:
        apart = separations(objects())
        assert implied(one) == {other for other in OBJECTS if other != one and (one, other) not in apart}
    text = (DOCS / "consistency.md").read_text(encoding="utf-8")
    assert text[text.index(BEGIN) : text.index(END) + len(END)] == page(), "run python -m bench.lattice"
    for slug, classes in (("objects", objects()), ("transactions", of_transactions())):
        pictures = sorted((DOCS / "consistency").glob(f"{slug}-*.svg"))
        assert len(pictures) == len(few(classes)), "run python -m bench.lattice"
        for number, litmus in enumerate(few(classes), 1):
            picture = (DOCS / "consistency" / f"{slug}-{number}.svg").read_text(encoding="utf-8")
            assert picture.count('class="node"') >= len(litmus.history)
    for litmus in objects():
        if len(litmus.history) <= 4:
            for level in litmus.asked:
                assert OBJECT_LEVELS[level](litmus.history, litmus.model) == (level in litmus.satisfied), (
                    level,
                    litmus.history,
                )


def test_brute_force_agrees_with_the_litmus_tests_of_transactions() -> None:
    for litmus in of_transactions():
        for level in TRANSACTIONS:
            assert TRANSACTION_LEVELS[level](litmus.history) == (level in litmus.satisfied), (level, litmus.history)


def test_the_strongest_are_those_that_no_other_implies() -> None:
    assert strongest(["prefix", "repeatable-read", "serializable", "snapshot-isolation"]) == ["serializable"]
    assert strongest(["repeatable-read", "snapshot-isolation"]) == ["repeatable-read", "snapshot-isolation"]
    assert strongest(["read-uncommitted", "read-committed", "cursor-stability"]) == ["cursor-stability"]
    assert strongest(["causal-memory", "causal", "causal-convergence"]) == ["causal-memory", "causal-convergence"]
