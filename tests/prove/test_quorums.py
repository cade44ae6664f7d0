"""Quorums meet exactly when the arithmetic says so."""

from itertools import combinations

import pytest
from quorate.errors import UsageError
from quorate.prove.any_size.quorums import SYSTEMS, examine, report


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_of_the_library_meets_for_every_size_exactly_under_its_condition(name: str) -> None:
    meeting = examine(name)
    assert meeting.meets and meeting.exact


@pytest.mark.parametrize(
    ("n", "r", "w"), [(n, r, w) for n in (1, 2, 3, 4, 5) for r in range(1, n + 1) for w in range(1, n + 1)]
)
def test_reads_meet_writes_just_as_enumeration_says(n: int, r: int, w: int) -> None:
    nodes = range(n)
    meet = all(set(a) & set(b) for a in combinations(nodes, r) for b in combinations(nodes, w))
    assert examine("read-write", N=n, R=r, W=w).meets is meet


def test_the_article_reads_two_and_writes_three_of_five_which_need_not_meet() -> None:
    meeting = examine("read-write", N=5, R=2, W=3)
    assert not meeting.meets
    assert (len(meeting.groups["A"]), len(meeting.groups["B"])) == (2, 3)
    assert not meeting.groups["A"] & meeting.groups["B"]
    assert meeting.drawn().splitlines()[1:] == ["A  #  #  .  .  .", "B  .  .  #  #  #"]


@pytest.mark.parametrize(
    ("name", "given", "broken"),
    [
        ("byzantine-available", {"N": 3, "t": 1}, {"N": 4, "t": 1}),
        ("fast", {"N": 4, "F": 3, "Q": 2}, {"N": 4, "F": 3, "Q": 3}),
        ("flexible", {"N": 6, "Q1": 3, "Q2": 3}, {"N": 6, "Q1": 4, "Q2": 3}),
        ("write-write", {"N": 4, "W": 2}, {"N": 4, "W": 3}),
    ],
)
def test_a_configuration_at_the_edge_fails_and_the_next_one_does_not(
    name: str, given: dict[str, int], broken: dict[str, int]
) -> None:
    failing = examine(name, **given)
    assert not failing.meets and failing.groups
    assert examine(name, **broken).meets


def test_open_parameters_give_the_exact_condition() -> None:
    meeting = examine("read-write", N=5)
    assert meeting.meets and meeting.exact and meeting.condition == "R + W > 5"


def test_the_report_says_what_it_needs() -> None:
    text, good = report({"N": 5, "R": 2, "W": 3})
    assert not good and "it needs 2 + 3 > 5" in text
    assert report({"N": 5, "R": 3, "W": 3})[1]


@pytest.mark.parametrize(("name", "given"), [("magic", {}), ("majority", {"R": 1}), ("read-write", {"N": 3, "R": 4})])
def test_what_makes_no_sense_is_said(name: str, given: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        examine(name, **given)
