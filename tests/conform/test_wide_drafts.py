"""Types without bounds change where types with bounds do: no change of a container is lost, however Python is asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from operator import add
from random import Random
from typing import Any, ClassVar

import pytest
from quorate import Bag, Channels, Nat, Network, Ordered, Scalarset, Spec, action, init, record, require
from quorate.conform import Map
from quorate.conform.subject import wide_system
from quorate.conform.wide.collections import CHANGES
from quorate.conform.wide.lists import SharedList, Sharing, WideDraftList, WideListType
from quorate.explore.traces.witnesses import plain_json
from quorate.language.containers import Log
from quorate.language.control import Cut
from quorate.language.declarations import Declaration
from quorate.language.spec import derived
from quorate.language.system import Failure, System
from quorate.language.types import NatType
from quorate.language.written import written


class P(Scalarset, size=2):
    """A process."""


class T(Nat, max=9):
    """A number."""


@record
class Note:
    t: T
    source: P
    target: P


class Kept(Spec):
    """Containers with something in them."""

    numbers: set[T]
    line: list[T]
    of: dict[P, T]
    seen: dict[P, set[T]]
    logs: dict[P, list[T]]
    lines: list[list[T]]
    network: Network[Note] = Network(capacity=9)
    bag: Bag[Note] = Bag(capacity=9)
    links: Channels[Note] = Channels(capacity=9)
    bounds: ClassVar[dict[str, int]] = {"line": 9, "logs": 9, "lines": 9}

    @init
    def something(self) -> None:
        self.numbers = {T(1), T(3)}
        self.line = [T(3), T(1)]
        self.lines = [[T(3), T(1)], []]
        for p in P:
            self.of[p] = T(1)
            self.seen[p] = {T(1)}
            self.logs[p] = [T(3), T(1)]
            self.network.send(Note(T(0), p, p))
            self.bag.send(Note(T(0), p, p))
            self.links.send(Note(T(0), p, p))


SETS = ("self.numbers", "self.seen[p]")
LISTS = ("self.line", "self.logs[p]", "self.lines[0]")
OF_SETS = {
    "add": "(T(2))",
    "clear": "()",
    "difference_update": "({T(1)})",
    "discard": "(T(1))",
    "intersection_update": "({T(3)})",
    "pop": "()",
    "remove": "(T(1))",
    "symmetric_difference_update": "({T(1), T(2)})",
    "update": "({T(2)})",
    "__iand__": " &= {T(3)}",
    "__ior__": " |= {T(2)}",
    "__isub__": " -= {T(1)}",
    "__ixor__": " ^= {T(1), T(2)}",
}
OF_LISTS = {
    "append": "(T(2))",
    "clear": "()",
    "extend": "([T(2)])",
    "insert": "(0, T(2))",
    "pop": "()",
    "remove": "(T(1))",
    "reverse": "()",
    "sort": "()",
    "__delitem__": "del {}[0]",
    "__iadd__": " += [T(2)]",
    "__imul__": " *= 2",
    "__setitem__": "[0] = T(2)",
}
OTHERS = (
    "self.of[p] = T(2)",
    "self.of = {q: T(2) for q in P}",
    "self.seen[p].add(T(4)); self.seen[p], self.seen[q] = self.seen[q], self.seen[p]",
    "self.lines.append([T(1)])",
    "self.lines[1].append(T(1))",
    "self.lines *= 2; self.lines[0].append(T(5))",
    "self.network.send(Note(T(1), p, q))",
    "self.network.drop(Note(T(0), p, p))",
    "self.bag.send(Note(T(0), p, p))",
    "self.bag.receive(Note(T(0), p, p))",
    "self.links.send(Note(T(1), p, p)); self.links.receive(Note(T(0), p, p))",
    "self.seen[p] = self.numbers; self.numbers.add(T(5))",
    "m = self.logs[p]; self.logs[q] = m; m.append(T(5))",
)


def statements() -> list[str]:
    found = list(OTHERS)
    for places, changes in ((SETS, OF_SETS), (LISTS, OF_LISTS)):
        for place in places:
            for name, text in changes.items():
                for before, it in (("", place), (f"m = {place}; ", "m")):
                    changed = (
                        text.format(it) if "{}" in text else f"{it}{text if text[0] in ' [' else f'.{name}{text}'}"
                    )
                    found.append(f"{before}{changed}")
    return found


def after(system: System) -> list[Any]:
    """The state after each action."""
    found = []
    with system:
        state = next(system.initial())[1]
        for action in system.actions:
            successor = system.fire(state, action, ())
            assert successor is not None
            found.append([plain_json(value) for value in successor.state])
    return found


def changing(*statements: str) -> type[Spec]:
    """A specification with an action for each of these, in order."""
    actions: dict[str, Any] = {}
    for number, statement in enumerate(statements):
        name = f"change_{number:03}"
        source = f"def {name}(self):\n    p, q = P.members()\n    {statement}\n"
        actions[name] = method = written(name, source, f"<{statement}>", globals())
        method.__annotations__ = {"return": None}
        method.__quorate__ = Declaration("action")  # type: ignore[attr-defined]
    return derived(Kept, **actions)


def test_no_change_is_lost() -> None:
    spec = changing("pass", *statements())
    bounded = after(System(spec))
    wide = after(wide_system(spec, Map(members={"P": ("a", "b")}))[0])
    assert bounded[0] == wide[0]
    for statement, narrow, other in zip(statements(), bounded[1:], wide[1:], strict=True):
        assert narrow == other != bounded[0], statement


def test_every_way_to_change_is_known() -> None:
    for plain, same, tested in ((set, frozenset, OF_SETS), (list, tuple, OF_LISTS)):
        ways = set(dir(plain)) - set(dir(same)) - {"copy", "__reversed__"}
        assert ways == set(tested)
    assert set(CHANGES) == set(OF_SETS)
    assert set(OF_LISTS) <= vars(WideDraftList).keys()


def test_every_method_of_a_list_is_one_of_lists_that_share() -> None:
    """What CPython keeps in them is empty, and no method may look at it."""
    of_all_objects = {
        "__init__",
        "__new__",
        "__getattribute__",
        "__class_getitem__",
        "__doc__",
        "__sizeof__",
        "__hash__",
    }
    reading = vars(list).keys() - set(OF_LISTS) - of_all_objects
    assert reading <= vars(Sharing).keys()


def test_lists_that_share_are_lists() -> None:
    """Random changes of lists that come from each other, beside those of plain lists; the frozen ones stay what they are."""
    random = Random(7)
    with System(Shelf):
        kind = WideListType(NatType(T, 9), 2**62, "one")
        frozen: list[tuple[SharedList, list[int]]] = [(kind.zero(), [])]
        for number in range(3_000):
            before, plain = random.choice(frozen[-6:])
            draft, now = kind.thaw(before, Log()), list(plain)
            for _ in range(random.randrange(3)):
                at = random.randrange(-3, 12)
                match random.randrange(8):
                    case 0 | 1 | 2:
                        draft.append(T(number % 10))
                        now.append(number % 10)
                    case 3:
                        draft, now = kind.own(draft[:at], Log()), now[:at]
                    case 4 if now:
                        draft[at % len(now)] = T(3)
                        now[at % len(now)] = 3
                    case 5:
                        draft.extend([T(1), T(2)])
                        now.extend([1, 2])
                    case 6:
                        draft, now = kind.own(draft[at:], Log()), now[at:]
                    case _:
                        draft.insert(at, T(4))
                        now.insert(at, 4)
            after = kind.freeze(draft)
            frozen.append((after, now))
            for shared in (draft, after):
                assert shared == now and now == shared and list(shared) == [*shared] == now
                assert len(shared) == len(now) and bool(shared) == bool(now) and sorted(shared) == sorted(now)
                assert add(shared, [1]) == [*now, 1] and add([1], shared) == [1, *now] and tuple(shared) == tuple(now)
                assert all(shared[i] == now[i] for i in range(-len(now), len(now)))
                assert [shared[i:j:k] for i, j, k in SLICES] == [now[i:j:k] for i, j, k in SLICES]
                assert json.dumps(shared) == json.dumps(now) and repr(shared) == repr(now)
                for beyond in (len(now), -len(now) - 1):
                    with pytest.raises(IndexError):
                        shared[beyond]
            if number % 300 == 0:
                assert all(shared == same and hash(shared) == hash(tuple(same)) for shared, same in frozen)
                assert all(list(shared) == same for shared, same in frozen)


SLICES = ((None, 2, None), (1, None, None), (0, -1, 1), (None, None, -1), (-3, None, 2), (5, 2, None))


@pytest.mark.parametrize(
    "statement",
    [
        "self.numbers.symmetric_difference_update({T(12)})",
        "m = self.numbers; m ^= {T(12)}",
        "m = self.line; m *= 5",
        "m = self.logs[p]; m *= 5",
    ],
)
def test_bounds_are_kept_by_whatever_changes_a_container(statement: str) -> None:
    with pytest.raises(Cut):
        after(System(changing(statement)))


def test_an_element_that_is_popped_is_the_first_in_canonical_order() -> None:
    spec = changing("self.line = [self.numbers.pop(), self.numbers.pop()]")
    assert after(System(spec))[0][System(spec).index["line"]] == [1, 3]
    with pytest.raises(Failure, match="empty"):
        after(System(changing("self.numbers.clear(); self.numbers.pop()")))


class Side(Ordered, size=2):
    """Left and right."""


class Shelf(Spec):
    """Lists and sets that are looked at, changed, and put in the place of others: what one action had is what the next one begins with,
    and it is of one place alone."""

    one: dict[Side, list[T]]
    other: dict[Side, list[T]]
    marks: dict[Side, set[T]]
    bounds: ClassVar[dict[str, int]] = {"one": 60, "other": 60}

    @action
    def look(self, s: Side, t: T) -> None:
        require(len(self.one[s]) >= 0 and t not in self.marks[s])

    @action
    def put(self, s: Side, t: T) -> None:
        self.one[s].append(t)
        self.marks[s].add(t)

    @action
    def put_all(self, t: T) -> None:
        for s in Side:
            self.one[s].append(t)

    @action
    def take_over(self, s: Side, t: T) -> None:
        self.one[s].append(t)
        self.other = self.one
        self.other[s].append(t)

    @action
    def hold(self, s: Side, t: T) -> None:
        before = self.one
        before[s].append(t)
        self.one = before
        self.one[s].append(t)
        self.one[Side[0]] = before[s]

    @action
    def exchange(self, s: Side, t: T) -> None:
        before = self.one
        self.one = self.other
        self.other = before
        self.one[s].append(t)
        self.one[Side[0]] = self.one[s]
        self.one[s].append(t)
        self.marks[s] = self.marks[Side[0]]
        self.marks[s].discard(t)

    @action
    def fail(self, s: Side, t: T) -> None:
        self.one[s].append(t)
        require(t in self.marks[s])
        self.one[s] = self.one[s][:1]


def test_what_an_action_leaves_is_not_seen_in_another_place() -> None:
    random = Random(4)
    bounded = System(Shelf)
    wide, _ = wide_system(Shelf, Map(members={"Side": ("left", "right")}))
    steps = [(random.choice(bounded.actions).name, random.randrange(2), random.randrange(9)) for _ in range(400)]

    def states(system: System) -> list[Any]:
        found = []
        with system:
            ((_, state),) = system.initial()
            earlier = state
            for number, (name, side, t) in enumerate(steps):
                if number % 50 == 49:  # A search goes on from earlier states, too.
                    state = earlier
                if number % 50 == 25:
                    earlier = state
                named = {"s": Side.at(side), "t": t}
                action = system.action(name)
                after = system.fire(state, action, tuple(named[one.name] for one in action.parameters))
                if after is not None:
                    state = after.state
                found.append([plain_json(dict(value)) for value in state])
        return found

    assert states(bounded) == states(wide)


@record
class Held:
    """A map inside a record, which is frozen."""

    level: dict[P, T]


class Asked(Spec):
    """Maps about which something is asked, some entries of which are zero."""

    level: dict[P, T]
    other: dict[P, T]
    maybe: dict[P, T | None]
    grid: dict[P, dict[P, T]]
    held: Held
    seen: set[Held]

    @action
    def change(self, p: P, t: T) -> None:
        self.level[p] = t
        self.grid[p] = {q: t if p == q else T(0) for q in P}
        self.held = Held({q: self.level[q] for q in P})

    @action
    def remember(self) -> None:
        self.other = {p: self.level[p] for p in P}
        self.maybe = {p: None if self.level[p] == 0 else self.level[p] for p in P}
        self.seen.add(self.held)

    @action
    def ask(self, t: T) -> None:
        require(t < len(QUESTIONS) and QUESTIONS[t](self))


def last() -> Any:
    """A process."""
    return list(P)[-1]


QUESTIONS: list[Callable[[Any], bool]] = [
    lambda s: s.level == {p: T(0) for p in P},
    lambda s: {p: T(0) for p in P} == s.level,
    lambda s: s.level != {p: T(0) for p in P},
    lambda s: s.level == s.other,
    lambda s: s.level != s.other,
    lambda s: s.level == {**s.other},
    lambda s: s.maybe == dict.fromkeys(P),
    lambda s: s.maybe == s.level,
    lambda s: s.maybe != s.other,
    lambda s: s.grid == {p: {q: T(0) for q in P} for p in P},
    lambda s: s.grid == dict.fromkeys(P, s.held.level),
    lambda s: s.level in [s.other, {p: T(1) for p in P}],
    lambda s: (s.level, 1) == (s.held.level, 1),
    lambda s: s.level == {},
    lambda s: s.level != None,  # noqa: E711
    lambda s: s.held.level.get(last()) == 0,
    lambda s: (s.level | {last(): 7})[next(iter(P))] == 0,
    lambda s: ({last(): 7} | s.held.level)[last()] == 0,
    lambda s: s.held.level.copy() == s.level and [*reversed(s.level)] == [*reversed(list(P))],
    lambda s: s.level.keys() >= {last()} and s.level.items() == dict.fromkeys(P, 0).items(),
    lambda s: s.held in {Held({p: T(0) for p in P})},
    lambda s: s.held in s.seen and Held(s.level) in s.seen,
    lambda s: s.level == [] or s.level == 0,
]


def test_what_is_asked_of_a_map_is_asked_of_all_its_entries() -> None:
    """A wide map leaves zeros out; nobody can tell, in an action or a property."""
    small = System(Asked.bounded(T=len(QUESTIONS)))
    wide, _ = wide_system(Asked, Map(members={"P": ("p1", "p2")}))
    told: list[set[tuple[Any, ...]]] = []
    for system in (small, wide):
        found: set[tuple[Any, ...]] = set()
        with system:
            begin = next(iter(system.initial()))[1]
            for steps in product((None, *((p, T(t)) for p in P for t in (0, 2))), repeat=2):
                state, before = begin, begin
                for step in steps:
                    name, arguments = ("remember", ()) if step is None else ("change", step)
                    after = system.fire(state, system.action(name), arguments)
                    assert after is not None
                    before, state = state, after.state
                for number, question in enumerate(QUESTIONS):
                    asked = system.fire(state, system.action("ask"), (T(number),)) is not None
                    assert question(system.view(state)) is asked
                    found.add((repr(steps), number, asked, before == state))
        told.append(found)
    assert told[0] == told[1] and len({(number, asked) for _, number, asked, _ in told[0]}) > 1.5 * len(QUESTIONS)
