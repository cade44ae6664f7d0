"""What a specification says of all members of an open sort must not depend on there being no others than those that were met."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from quorate import Nat, Ordered, Scalarset, Spec, action, init, is_majority, require
from quorate.conform import OPEN, Conforms, Differs, Map, NotDecided, Verdict, validate
from quorate.errors import UsageError

from tests.conform.runs import Line, write


class P(Scalarset, size=2):
    """A voter."""


class N(Nat, max=9):
    """A number."""


class Voters(Spec):
    """Votes, and what is asked of all voters and numbers. What is asked counts itself."""

    voted: set[P]
    weight: dict[P, N]
    seen: set[N]
    asked: N

    @action
    def vote(self, p: P) -> None:
        self.voted.add(p)

    @action
    def weigh(self, p: P, n: N) -> None:
        self.weight[p] = n

    @action
    def see(self, n: N) -> None:
        self.seen.add(n)

    # The same, however many others there are.

    @action
    def some(self) -> None:
        require(any(p in self.voted for p in P))
        self.asked += 1

    @action
    def count(self) -> None:
        self.asked = sum(1 for p in P if p in self.voted)

    @action
    def total(self) -> None:
        self.asked = sum(self.weight[p] for p in P)

    @action
    def heaviest(self) -> None:
        self.asked = max(self.weight.values())

    @action
    def forget(self) -> None:
        for p in P:
            self.weight[p] = 0

    @action
    def largest(self) -> None:
        self.asked = max((n for n in N if n in self.seen), default=0)

    # Another thing with every other that there is.

    @action
    def every(self) -> None:
        require(all(p in self.voted for p in P))
        self.asked += 1

    @action
    def most(self) -> None:
        require(is_majority(self.voted, P))
        self.asked += 1

    @action
    def crowd(self) -> None:
        require(len(P) >= 3)
        self.asked += 1

    @action
    def number(self) -> None:
        self.asked = sum(1 for _ in P)

    @action
    def lightest(self) -> None:
        self.asked = min(self.weight.values())

    @action
    def raise_all(self) -> None:
        for p in P:
            self.weight[p] += 1

    @action
    def even(self) -> None:
        require(len(P) % 2 == 0)
        self.asked += 1

    @action
    def four_left(self) -> None:
        require(sum(1 for p in P if p not in self.voted) >= 4)
        self.asked += 1

    @action
    def two_left(self) -> None:
        require(sum(1 for n in N if n not in self.seen) >= 2)
        self.asked += 1

    @action
    def all_seen(self) -> None:
        require(all(n in self.seen for n in N))
        self.asked += 1


SETTLED = ("some", "count", "total", "heaviest", "forget", "largest")
UNSETTLED = ("every", "most", "crowd", "number", "lightest", "raise_all", "even", "four_left", "two_left", "all_seen")


class Weighed(Voters):
    """Every voter has a weight in the beginning."""

    @init
    def begin(self) -> None:
        self.weight = {p: N(1) for p in P}


class Joining(Voters):
    """Who joins has not voted, and has then; those leave who have, those stay who have not."""

    @action
    def join(self, p: P) -> None:
        require(p not in self.voted)
        self.voted.add(p)
        self.asked += 1

    @action
    def leave(self, p: P) -> None:
        require(p in self.voted)
        self.voted.remove(p)
        self.asked += 1

    @action
    def stay(self, p: P) -> None:
        require(p in {q for q in P if q not in self.voted})
        self.asked += 1


def heavy(state: Voters) -> int:
    """How many voters have a weight."""
    return sum(1 for p in P if state.weight[p] > 0)


def light(state: Voters) -> int:
    """How many voters have none."""
    return sum(1 for p in P if state.weight[p] == 0)


ENOUGH = ("a", "b", "c", "d", "e", "f")
"""More voters than a log names."""


def judged(folder: Path, lines: list[Line], spec: type[Spec] = Voters, members: Any = OPEN, **options: Any) -> Verdict:
    mapping = Map(members={"P": members}, **options)
    return validate([write(folder / "log.jsonl", lines)], spec, mapping, "voters")


def asking(name: str, told: dict[str, Any] | None = None) -> list[Line]:
    begun: list[Line] = [
        {"event": "vote", "args": {"p": "a"}, "vars": {"voted": ["a"]}},
        {"event": "weigh", "args": {"p": "a", "n": 1}},
        *({"event": "see", "args": {"n": n}} for n in range(10)),
    ]
    return [*begun, {"event": name, "vars": told or {}}]


@pytest.mark.parametrize("name", UNSETTLED)
def test_what_others_could_change_is_not_decided(name: str, tmp_path: Path) -> None:
    verdict = judged(tmp_path, asking(name))
    assert isinstance(verdict, NotDecided)
    sort = "N" if name in ("all_seen", "two_left") else "P"
    assert f"{name} ranges over all of {sort}, and would do something else if there were more" in verdict.reason


@pytest.mark.parametrize(("name", "asked"), [("some", 1), ("count", 1), ("total", 1), ("heaviest", 1), ("largest", 9)])
def test_what_no_other_could_change_is_decided(name: str, asked: int, tmp_path: Path) -> None:
    assert isinstance(judged(tmp_path, asking(name, {"asked": asked})), Conforms)
    assert isinstance(judged(tmp_path, asking(name, {"asked": asked + 1})), Differs)


def test_a_beginning_that_says_something_of_all_is_not_decided(tmp_path: Path) -> None:
    lines = [{"event": "weigh", "args": {"p": name, "n": 2}, "vars": {"weight": {name: 2}}} for name in ENOUGH]
    verdict = judged(tmp_path, lines, Weighed)
    assert isinstance(verdict, NotDecided) and "@init ranges over all of P" in verdict.reason
    assert isinstance(judged(tmp_path, lines, Weighed, ENOUGH), Conforms)


def test_a_view_that_says_something_of_all_is_not_decided(tmp_path: Path) -> None:
    lines = [{"event": "weigh", "args": {"p": "a", "n": 2}, "vars": {"heavy": 1}}]
    assert isinstance(judged(tmp_path, lines, views=(heavy,)), Conforms)
    lines = [{"event": "weigh", "args": {"p": "a", "n": 2}, "vars": {"light": 0}}]
    verdict = judged(tmp_path, lines, views=(light,))
    assert isinstance(verdict, NotDecided) and "light ranges over all of P" in verdict.reason


def of_voter(state: Voters, p: P) -> int:
    """A weight."""
    return state.weight[p]


def test_a_complete_view_tells_of_those_that_are_met_by_the_event(tmp_path: Path) -> None:
    lines = [{"event": "vote", "args": {"p": "a"}, "vars": {"voted": ["a"]}}]
    lines += [{"event": "weigh", "args": {"p": name, "n": 2}} for name in ENOUGH]
    for complete in ("weight", "of_voter"):
        verdict = judged(tmp_path, lines, views=(of_voter,), complete=(complete,))
        assert isinstance(verdict, Differs) and verdict.event.line == 2


def drawn(random: Random) -> list[Line]:
    """Votes, weights, and questions with their answers, as far as they are known."""
    lines: list[Line] = []
    voted: set[str] = set()
    weight: dict[str, int] = {}
    asked = 0
    for _ in range(random.randrange(1, 7)):
        match random.randrange(3):
            case 0:
                voted.add(name := random.choice(ENOUGH[:3]))
                lines.append({"event": "vote", "args": {"p": name}, "vars": {"voted": sorted(voted)}})
            case 1:
                name = random.choice(ENOUGH[:3])
                weight[name] = random.randrange(3)
                lines.append({"event": "weigh", "args": {"p": name, "n": weight[name]}, "vars": {}})
            case _:
                asked = random.choice(
                    (asked, asked + 1, len(voted), sum(weight.values()), max(weight.values(), default=0))
                )
                lines.append({"event": random.choice(SETTLED + UNSETTLED), "vars": {"asked": asked}})
    return lines


def test_what_is_decided_is_decided_alike_with_more_members(tmp_path: Path) -> None:
    found = {Conforms: 0, Differs: 0, NotDecided: 0}
    for seed in range(80):
        lines = drawn(Random(seed))
        verdict = judged(tmp_path, lines)
        found[type(verdict)] += 1
        if not isinstance(verdict, NotDecided):
            for members in (ENOUGH, ENOUGH[:3]):
                assert type(judged(tmp_path, lines, members=members)) is type(verdict), (seed, lines)
    assert min(found.values()) > 8, found


def test_an_argument_that_is_not_told_may_be_a_member_that_was_not_met(tmp_path: Path) -> None:
    """Both may have joined, but only if the second is another one."""
    lines: list[Line] = [{"event": "join", "vars": {"asked": number}} for number in (1, 2)]
    verdict = judged(tmp_path, lines, Joining)
    assert isinstance(verdict, NotDecided) and "does not tell all of its arguments" in verdict.reason
    assert isinstance(judged(tmp_path, lines, Joining, ENOUGH), Conforms)
    for members in (OPEN, ENOUGH):
        assert isinstance(judged(tmp_path, lines[1:], Joining, members), Differs)


def test_an_argument_that_is_taken_from_all_others_may_be_one_that_was_not_met(tmp_path: Path) -> None:
    vote = {"event": "vote", "args": {"p": "a"}, "vars": {}}
    for name, expected in (("leave", Differs), ("stay", NotDecided)):
        lines = [
            {"event": name, "vars": {"asked": 1}},
            vote,
            {"event": "leave", "args": {"p": "a"}, "vars": {"asked": 2}},
        ]
        lines += [{"event": "leave", "args": {"p": "b"}, "vars": {"asked": 3}}]
        assert isinstance(judged(tmp_path, lines, Joining), expected), name


class Leases(Spec):
    """A lease is made longer by at least three."""

    until: N
    renewed: bool

    @action
    def renew(self, n: N) -> None:
        require(n > self.until + 2)
        self.until = n
        self.renewed = True


@pytest.mark.parametrize("renewed", [True, False])
def test_a_number_that_is_not_told_may_be_some_larger_than_what_was_met(renewed: bool, tmp_path: Path) -> None:
    told: list[Line] = [{"event": "renew", "args": {"n": 30}, "vars": {"until": 30}}]
    log = write(tmp_path / "log.jsonl", [*told, {"event": "renew", "vars": {"renewed": renewed}}])
    verdict = validate([log], Leases, Map(members={}), "leases")
    assert isinstance(verdict, NotDecided if renewed else Differs)
    log = write(tmp_path / "other.jsonl", [*told, {"event": "renew", "vars": {"until": 32}}])
    assert isinstance(validate([log], Leases, Map(members={}), "leases"), Differs)


class Ballot(Ordered, size=3):
    """A proposal's number."""


class Ballots(Spec):
    """Later ballots only."""

    last: Ballot | None

    @action
    def begin(self, b: Ballot) -> None:
        require(self.last is None or self.last < b)
        self.last = b


def test_the_members_of_an_ordered_sort_are_listed(tmp_path: Path) -> None:
    """Which of them comes first is not said by which was named first."""
    log = write(tmp_path / "log.jsonl", [{"event": "begin", "args": {"b": b}, "vars": {"last": b}} for b in (7, 3)])
    with pytest.raises(UsageError, match="The members of Ballot are ordered"):
        validate([log], Ballots, Map(members={"Ballot": OPEN}), "ballots")
    assert isinstance(validate([log], Ballots, Map(members={"Ballot": range(9)}), "ballots"), Differs)
