"""What a log does not tell is searched: orders of the same time, arguments that its values tell of, parts that may not be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from quorate import Nat, Scalarset, Spec, action, init, record, require
from quorate.conform import OPEN, Conforms, Differs, Map, NotDecided, Verdict, validate
from quorate.conform.logs import LogError

from tests.conform.runs import Line, write


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=3):
    """A number."""


@record
class Pair:
    """Two numbers."""

    a: N
    b: N


@record
class Box:
    """Some numbers."""

    items: set[N]


class Evens:
    """What contains more than it ranges over."""

    def __contains__(self, other: object) -> bool:
        return other in (0, 2)

    def __iter__(self) -> Iterator[int]:
        yield 0
        raise RuntimeError


EVENS = Evens()


class Open(Spec):
    """Processes are given, and take; what is said, is said of pairs."""

    n: N
    given: dict[P, N]
    said: tuple[Pair, N] | None
    box: Box | None

    @action
    def set(self, n: N) -> None:
        self.n = n

    @action
    def give(self, p: P) -> None:
        self.given[p] += 1

    @action
    def take(self, p: P) -> None:
        require(self.given[p] > 0)
        self.given[p] -= 1

    @action
    def say(self, pair: Pair, n: N) -> None:
        self.said = pair, n

    @action
    def hush(self) -> None:
        self.said = None

    @action
    def fill(self) -> None:
        self.box = Box({N(1), N(2)})

    @action
    def pick(self, n: N) -> None:
        require(n in self.box.items)
        self.n = n

    @action
    def pick_one(self, n: N) -> None:
        require(n in self.said)
        self.n = n

    @action
    def pick_any(self, n: N) -> None:
        require(n in self.n)
        self.n = n

    @action
    def pick_even(self, n: N) -> None:
        require(n in EVENS)
        self.n = n

    @action
    def pick_true(self, n: N) -> None:
        require(n in {True, 2})
        self.n = n

    @action
    def pick_quotient(self, n: N) -> None:
        require(n in (6 // (i - 2) for i in (3, 2, 5)))
        self.n = n

    def is_late(self, n: N, *, least: int = 1) -> bool:
        return any(j == n for j in N if j >= least)

    @action
    def later(self, n: N) -> None:
        require(self.is_late(n))
        self.n = n


def judged(folder: Path, *logs: list[Line], **options: Any) -> Verdict:
    files = [write(folder / f"{number}.jsonl", lines) for number, lines in enumerate(logs)]
    return validate(files, Open, Map(members={"P": ("a", "b")}, **options), "open")


def event(name: str, told: dict[str, Any], clock: float | None = None, **args: Any) -> Line:
    return {"event": name, "args": args, "vars": told} | ({} if clock is None else {"clock": clock})


GIVE, TAKE = event("give", {"given": {"a": 1}}, 5, p="a"), event("take", {"given": {"a": 0}}, 5, p="a")


@pytest.mark.parametrize("logs", [([GIVE], [TAKE]), ([TAKE], [GIVE])])
def test_events_of_the_same_time_may_have_happened_in_either_order(logs: Any, tmp_path: Path) -> None:
    verdict = judged(tmp_path, *logs)
    assert isinstance(verdict, Conforms) and verdict.coverage.events == 2


@pytest.mark.parametrize("clock", [5, None])
@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_counted_is_what_happened_in_the_order_that_fits(
    clock: float | None, swapped: bool, tmp_path: Path
) -> None:
    first = event("give", {"n": 0, "given": {"a": 1}}, clock, p="a")
    later = [event("set", {}, clock, n=1), event("set", {}, clock, n=2)]
    logs = [[first], later]
    verdict = judged(tmp_path, *(logs[::-1] if swapped else logs))
    assert isinstance(verdict, Conforms)
    assert verdict.coverage.events == 3 and verdict.coverage.actions == {"give": 1, "set": 2}
    assert verdict.coverage.values == {"n": 1, "given": 1}
    wrong = [*later, event("set", {"n": 0}, clock, n=3)]
    verdict = judged(tmp_path, [first], wrong)
    assert isinstance(verdict, Differs) and verdict.event.line == 3
    assert verdict.coverage.events == 3 and verdict.coverage.actions == {"give": 1, "set": 2}


def test_what_is_counted_happened_on_one_way_to_the_end(tmp_path: Path) -> None:
    maybe, quiet = event("maybe", {"said": None}), event("quiet", {"given": {"a": 0}})
    events = {"maybe": ("give", ""), "quiet": ""}
    verdict = judged(tmp_path, [maybe, maybe, event("quiet", {"given": {"a": 0, "b": 0}})], events=events)
    assert isinstance(verdict, NotDecided) and not verdict.coverage.actions  # Whatever the first event may have been.
    verdict = judged(tmp_path, [maybe, quiet, event("quiet", {"given": {"b": 1}})], events=events)
    assert isinstance(verdict, Conforms) and verdict.coverage.actions == {"give": 1}


def test_what_is_not_logged_is_counted(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [event("take", {"given": {"a": 0}}, p="a"), event("hush", {"n": 0})], silent=("give",))
    assert isinstance(verdict, Conforms)
    assert verdict.coverage.actions == {"give": 1, "hush": 1, "take": 1} and "give" not in verdict.coverage.never


@pytest.mark.parametrize(("give", "take", "fits"), [(4, 5, True), (5, 4, False), (5.5, 5, False), (5, 5.5, True)])
@pytest.mark.parametrize("swapped", [False, True])
def test_events_of_different_times_happened_in_their_order(
    give: float, take: float, fits: bool, swapped: bool, tmp_path: Path
) -> None:
    logs = [[GIVE | {"clock": give}], [TAKE | {"clock": take}]]
    verdict = judged(tmp_path, *(logs[::-1] if swapped else logs))
    assert isinstance(verdict, Conforms if fits else Differs)
    if isinstance(verdict, Differs):
        assert verdict.event.name == "take" and verdict.waiting == ()


def test_events_of_one_log_are_in_its_order_whatever_the_time(tmp_path: Path) -> None:
    other = [event("set", {"n": 1}, 5, n=1)]
    assert isinstance(judged(tmp_path, [GIVE, TAKE], other), Conforms)
    assert isinstance(judged(tmp_path, [TAKE, GIVE], other), Differs)
    with pytest.raises(LogError, match="goes back"):
        judged(tmp_path, [GIVE, TAKE | {"clock": 4}], other)


@pytest.mark.parametrize(("told", "fits"), [({"n": 2}, True), ({"n": 70}, True), ({"n": "x"}, None)])
def test_a_number_that_the_event_tells_may_be_its_argument(told: Any, fits: bool | None, tmp_path: Path) -> None:
    lines = [event("set", told), event("set", {"n": 1}, n=1)]
    if fits is None:
        with pytest.raises(LogError):
            judged(tmp_path, lines)
    else:
        assert isinstance(judged(tmp_path, lines), Conforms if fits else Differs)


def test_a_number_that_is_only_told_is_none_that_others_range_over(tmp_path: Path) -> None:
    assert isinstance(judged(tmp_path, [event("give", {"n": 70}, p="a")]), Differs)
    assert isinstance(judged(tmp_path, [event("later", {"n": 70})]), Conforms)


@pytest.mark.parametrize("name", ["hush", "say"])
def test_what_is_not_there_has_no_parts(name: str, tmp_path: Path) -> None:
    told = {"said": [{"a": 1}, 2]}
    first = event("say", told, pair={"a": 1, "b": 1}, n=2)
    assert isinstance(judged(tmp_path, [first]), Conforms)
    wrong = event("hush", told) if name == "hush" else event("say", told, pair={"a": 2, "b": 1}, n=2)
    assert isinstance(judged(tmp_path, [wrong]), Differs)


def test_what_an_argument_is_taken_from_may_fail(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [event("pick", {"n": 1})])
    assert isinstance(verdict, Differs) and "raises an error" in verdict.misfits[0].reason
    assert isinstance(judged(tmp_path, [event("fill", {"n": 0}), event("pick", {"n": 1})]), Conforms)
    assert isinstance(judged(tmp_path, [event("fill", {"n": 0}), event("pick", {"n": 3})]), Differs)


@pytest.mark.parametrize(
    ("name", "told", "fits"),
    [
        ("pick_one", 1, False),
        ("pick_any", 1, False),
        ("pick_even", 2, True),
        ("pick_even", 1, False),
        ("pick_true", 1, True),
        ("pick_true", 3, False),
        ("pick_quotient", 6, True),
        ("pick_quotient", 2, False),
    ],
)
def test_what_an_argument_is_taken_from_may_not_say_by_its_members_what_is_in_it(
    name: str, told: int, fits: bool, tmp_path: Path
) -> None:
    assert isinstance(judged(tmp_path, [event(name, {"n": told})]), Conforms if fits else Differs)
    assert isinstance(judged(tmp_path, [event("hush", {"n": told})]), Differs)


def test_defaults_of_keywords_are_those_of_the_method(tmp_path: Path) -> None:
    assert isinstance(judged(tmp_path, [event("later", {"n": 2}, n=2)]), Conforms)
    assert isinstance(judged(tmp_path, [event("later", {"n": 0}, n=0)]), Differs)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([event("give", {}, p="b"), event("give", {}), event("take", {"given": {"c": 0}}, p="c")], NotDecided),
        ([event("give", {}, p="b"), event("give", {}, p="c"), event("take", {"given": {"c": 0}}, p="c")], Conforms),
        ([event("give", {}, p="b"), event("give", {}, p="b"), event("take", {"given": {"c": 0}}, p="c")], Differs),
        ([event("set", {}), event("pick_any", {"n": 50}, n=50)], NotDecided),
        ([event("set", {}, n=3), event("pick_any", {"n": 50}, n=50)], Differs),
    ],
)
def test_what_may_have_been_another_member_decides_nothing(lines: Any, expected: Any, tmp_path: Path) -> None:
    """Of an open sort, whose members are those that the log names."""
    file = write(tmp_path / "log.jsonl", lines)
    assert isinstance(validate([file], Open, Map(members={"P": OPEN}), "open"), expected)


class Chosen(Spec):
    """Somebody leads from the beginning on, with a number."""

    leader: P
    n: N
    led: dict[P, N]

    @init
    def begin(self, leader: P, n: N) -> None:
        self.leader = leader
        self.n = n

    @action
    def lead(self, p: P) -> None:
        require(p == self.leader)
        self.led[p] = N(1)

    @action
    def rest(self, p: P) -> None:
        require(p != self.leader)
        self.led[p] = N(0)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([event("rest", {}, p="b"), event("lead", {"led": {"c": 1}}, p="c")], NotDecided),
        ([event("init", {}, n=1), event("rest", {}, p="b"), event("lead", {"led": {"c": 1}}, p="c")], NotDecided),
        ([event("init", {"n": 50})], NotDecided),
        ([event("init", {}, leader="c"), event("lead", {"led": {"c": 1}}, p="c")], Conforms),
        ([event("init", {}, leader="c", n=1), event("rest", {}, p="b"), event("lead", {}, p="c")], NotDecided),
        ([event("init", {}, leader="c", n=1), event("rest", {}, p="b"), event("lead", {}, p="b")], Differs),
        ([event("init", {"n": 2}, leader="c", n=1)], Differs),
    ],
)
def test_what_it_began_with_may_have_been_another_member(lines: Any, expected: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "log.jsonl", lines)
    assert isinstance(validate([file], Chosen, Map(members={"P": OPEN}), "chosen"), expected)
