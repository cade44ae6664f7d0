"""Mutants are one change away from what they were made of, and most of them are still specifications."""

from __future__ import annotations

from quorate.errors import SpecError
from quorate.loading import load
from quorate.model.build import build

from tests import mutants

KINDS = {
    "guard",
    "conjunct",
    "comparison",
    "constant",
    "effect",
    "quantifier",
    "quorum",
    "extreme",
    "condition",
    "arithmetic",
    "claim",
}


def test_every_kind_of_mistake_is_made_in_raft() -> None:
    assert {one.kind for one in mutants.of_spec(load("raft").main)} == KINDS


def test_every_part_is_changed() -> None:
    found = list(mutants.of_spec(load("vector_clock").main))
    assert {"property", "action", "function"} <= {one.part for one in found}


def test_the_same_mutants_come_in_the_same_order() -> None:
    spec = load("two_phase_commit").main
    assert list(map(str, mutants.of_spec(spec))) == list(map(str, mutants.of_spec(spec)))


def test_a_mutant_is_a_specification_with_the_change() -> None:
    found = [one for one in mutants.of_spec(load("two_phase_commit").main) if one.kind == "guard"]
    good = 0
    for one in found:
        assert one.source.count("require(") == found[0].source.count("require(")
        try:
            good += bool(build(one.load()).actions)
        except SpecError:
            continue
    assert good == len(found)
