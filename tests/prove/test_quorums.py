"""Quorums meet exactly when the arithmetic says so."""

from itertools import combinations
from math import inf
from typing import ClassVar

import pytest
import z3
from click.testing import CliRunner
from quorate import Scalarset, Spec, action, init, invariant, is_majority, is_quorum, require
from quorate.commands.prove import command
from quorate.errors import UsageError
from quorate.explore import check
from quorate.outcome import Proven
from quorate.prove.any_size.quorums import SYSTEMS, examine, report
from quorate.prove.encode.anysize.sizes import Counted, Size
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.query import limit


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


@pytest.mark.parametrize(
    ("name", "given"), [("fast", {"N": 10, "F": 1}), ("fast", {"F": 1, "Q": 2}), ("byzantine", {"N": 2})]
)
def test_what_no_value_of_the_open_parameters_makes_meet_does_not(name: str, given: dict[str, int]) -> None:
    meeting = examine(name, **given)
    assert not meeting.meets and meeting.groups
    if name == "fast":
        said, good = report(given)
        assert not good and "NOT so for any " in said


def test_the_report_says_what_it_needs() -> None:
    text, good = report({"N": 5, "R": 2, "W": 3})
    assert not good and "it needs 2 + 3 > 5" in text
    assert report({"N": 5, "R": 3, "W": 3})[1]


@pytest.mark.parametrize(("name", "given"), [("magic", {}), ("majority", {"R": 1}), ("read-write", {"N": 3, "R": 4})])
def test_what_makes_no_sense_is_said(name: str, given: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        examine(name, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--any-size", "no meaning for quorums"),
        ("--bound N=3", "no meaning for quorums"),
        ("--format json", "no meaning for quorums"),
        ("--method bmc", "no meaning for quorums"),
        ("--timeout nan", "not a number"),
        ("--timeout 1e400", "not in the range"),
    ],
)
def test_what_says_nothing_of_quorums_is_refused(given: str, said: str) -> None:
    result = CliRunner().invoke(command, ["quorums", *given.split()], standalone_mode=False)
    assert said in str(result.exception)


@pytest.mark.parametrize("seconds", [0.0, 2.0**32 / 1000, 1e9, inf])
def test_a_limit_of_any_length_is_one(seconds: float) -> None:
    solver = z3.Solver()
    limit(solver, seconds)
    assert str(solver.check()) == "sat"


SIZES = [(n, f) for n in (1, 2, 3, 4, 5) for f in range(1, n + 1)]


@pytest.mark.parametrize(("n", "f"), SIZES)
def test_a_proof_takes_three_quorums_to_meet_just_where_enumeration_says_so(n: int, f: int) -> None:
    nodes = range(n)
    for q in (None, *range(1, n + 1)):
        once = Size(q, "" if q is None else "Q")
        fast, classic = ([set(found) for found in combinations(nodes, size)] for size in (f, once.at(n)))
        meet = all(a & b & c for a in fast for b in fast for c in classic)
        assert (Counted("Node", n).meet_two(Size(f, "F"), once) is not None) is meet
        assert examine("fast", N=n, F=f, Q=once.at(n)).meets is meet


def test_that_three_quorums_meet_is_never_taken_for_granted_of_numbers_that_go_with_no_size() -> None:
    """Of 3 without a name nothing says that it grows with the members; of three majorities it is true of one, two and four members only."""
    assert Counted("Node", 4).meet_two(Size(3), Size(None)) is None
    assert Counted("Node", 4).meet_two(Size(None), Size(None)) is None
    assert Counted("Node", 4).meet_two(Size(None), Size(3, "F")) is None


class Node(Scalarset, size=4):
    """A member."""


class Three(Spec):
    """Two large quorums and a majority, whichever they are."""

    large: ClassVar[int] = 3

    first: set[Node]
    second: set[Node]
    third: set[Node]

    @init
    def draw(self, first: set[Node], second: set[Node], third: set[Node]) -> None:
        require(is_quorum(first, self.large, Node) and is_quorum(second, self.large, Node) and is_majority(third, Node))
        self.first, self.second, self.third = first, second, third

    @action
    def swap(self) -> None:
        self.first, self.second = self.second, self.first

    @invariant
    def they_meet(self) -> bool:
        return any(n in self.first and n in self.second and n in self.third for n in Node)


@pytest.mark.parametrize(
    ("n", "f"),
    [pytest.param(*size, marks=([], [pytest.mark.slow], [pytest.mark.deep])[max(0, size[0] - 3)]) for size in SIZES],
)
def test_what_is_proven_of_three_quorums_is_true_and_the_proof_says_of_which_sizes(n: int, f: int) -> None:
    spec = Three.bounded(Node=n, large=f)
    outcome = prove(Task(spec, "three", any_size=True, depth=1)).outcome
    assert isinstance(outcome, Proven) is (check(spec, engine="reference").verdict == "holds")
    if isinstance(outcome, Proven):
        said = f"any two of large ({f}) and any majority of Node have a member in common, all three"
        assert f"only for sizes of which this is true: {said}" in outcome.rests_on


def test_a_size_is_one_of_another_name_on_a_condition() -> None:
    counted, large, small = Counted("Node", 4), Size(3, "large"), Size(2, "small")
    assert counted.implies(large, small) == "large (3) of Node is at least small (2)"
    assert counted.implies(large, Size(3, "wide")) == "large (3) of Node is at least wide (3)"
    assert counted.implies(small, large) is None
    assert counted.implies(Size(3), Size(2)) == counted.implies(large, large) == ""
