"""A partial map is a dict to its author, and a total map to `V | None` to every engine."""

from __future__ import annotations

from typing import Annotated

import pytest
from quorate import Nat, Scalarset, Spec, action, invariant, partial, require
from quorate.conform.wide.system import Wide
from quorate.errors import SpecError, UsageError
from quorate.explore import check
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.prove.proof import prove
from quorate.prove.results import Task

from tests.generated import HEADER, load
from tests.model.test_interpreter import agree
from tests.model.test_rejections import rejected


class Client(Scalarset, size=3):
    """Who may hold a lease."""


class Left(Nat, max=2):
    """How long a lease still lasts."""


class Leases(Spec):
    """At most one client has a lease."""

    lease: Annotated[dict[Client, Left], partial]

    @action
    def grant(self, c: Client) -> None:
        require(not any(d in self.lease for d in Client))
        self.lease[c] = Left(2)

    @action
    def wait(self, c: Client) -> None:
        require(c in self.lease)
        if self.lease[c] == 0:
            del self.lease[c]
        else:
            self.lease[c] -= 1

    @invariant
    def one_has_a_lease(self, c: Client, d: Client) -> bool:
        return c == d or c not in self.lease or d not in self.lease


class Optional(Spec):
    """The same with a total map."""

    lease: dict[Client, Left | None]

    @action
    def grant(self, c: Client) -> None:
        require(all(self.lease[d] is None for d in Client))
        self.lease[c] = Left(2)

    @action
    def wait(self, c: Client) -> None:
        left = self.lease[c]
        require(left is not None)
        self.lease[c] = None if left == 0 else Left(left - 1)

    @invariant
    def one_has_a_lease(self, c: Client, d: Client) -> bool:
        return c == d or self.lease[c] is None or self.lease[d] is None


@pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=pytest.mark.slow)])
@pytest.mark.parametrize("symmetry", [True, False])
def test_it_has_the_states_of_the_total_map_to_what_may_be_none(engine: str, symmetry: bool) -> None:
    here, there = (check(spec, engine=engine, symmetry=symmetry) for spec in (Leases, Optional))
    assert here.verdict == there.verdict == "holds"
    for outcome in (here, there):
        statistics = outcome.statistics
        assert (statistics.states, statistics.transitions, statistics.depth) == ((4, 7, 3) if symmetry else (10, 13, 3))


@pytest.mark.parametrize("any_size", [False, True])
def test_it_is_proven(any_size: bool) -> None:
    assert prove(Task(Leases, "leases", any_size=any_size)).outcome.verdict == "proven"


def drawn(body: str) -> str:
    """The source of a specification whose action has this body, with two partial maps."""
    lines = [
        "class Drawn(Spec):",
        "    level: Annotated[dict[Node, Level], partial]",
        "    shelf: Annotated[dict[Level, Note], partial]",
    ]
    lines += [
        "    total: dict[Node, Level]",
        "    maybe: dict[Node, Level | None]",
        "    flag: bool",
        "",
        "    @action",
    ]
    lines += [
        "    def act(self, p: Node, q: Node, n: Level) -> None:",
        *("        " + line for line in body.split("\n")),
    ]
    return HEADER.format(nodes=2, levels=2) + "\n\n" + "\n".join(lines) + "\n"


ENDS = {
    "a value of an absent key": ("self.flag = self.level[p] == 0", "error"),
    "a value of a present key": ("self.level[p] = 1\nself.flag = self.level[p] == 1", "ends"),
    "an absent key changed in place": ("self.level[p] += 1", "error"),
    "an absent key deleted": ("del self.level[p]", "error"),
    "an absent key popped": ("self.level.pop(p)", "error"),
    "an absent key popped for a name": ("x = self.level.pop(p)\nself.level[q] = x", "error"),
    "an absent key popped with None": ("self.level.pop(p, None)\nself.flag = len(self.level) == 0", "ends"),
    "two keys deleted": ("self.level = {p: 1, q: 2}\ndel self.level[p], self.level[q]", "either"),
    "a key beyond its sort": ("self.shelf[n + 1] = Note(p, q, 0)", "either"),
    "a value beyond its bound": ("self.level[p] = n + 1", "either"),
    "keys deleted on the way": ("self.level = {p: 1, q: 2}\nfor k in self.level:\n    del self.level[k]", "ends"),
    "a map replaced on the way": (
        "self.shelf = {0: Note(p, q, 1), 1: Note(q, p, 2)}\nm = 0\nfor k, v in self.shelf.items():\n    self.shelf = {}\n"
        "    m += v.level\nassert m == 3",
        "ends",
    ),
    "a key asked for that is no key": ("self.flag = n + 1 in self.shelf", "ends"),
    "None among the values": ("self.level = {k: self.maybe[k] for k in Node}", "error"),
    "None left out of the values": ("self.level = {k: v for k, v in self.maybe.items() if v is not None}", "ends"),
    "the later of two equal keys": ("self.level = {p: 1, q: 2}\nassert self.level[q] == 2", "ends"),
    "a key for each member of a set": (
        "self.level = {k: 2 for k in {p, q} if k != q}\nassert len(self.level) == (0 if p == q else 1)",
        "ends",
    ),
    "a set that is not there": ("self.level = {k: 2 for k in [{p}][1]}", "error"),
    "keys in order": (
        "self.shelf = {k: Note(p, q, k) for k in Level if k != 1}\nassert list(self.shelf) == [0, 2]",
        "ends",
    ),
}


@pytest.mark.parametrize("body, end", ENDS.values(), ids=ENDS)
def test_the_model_ends_as_cpython_does(body: str, end: str) -> None:
    system = System(load(drawn(body)))
    model = build(system)
    with system:
        assert agree(system, model, 12) > 0
        ((_, state),) = system.initial()
        first = next(iter(system.choices(system.actions[0].parameters)))
        if end != "either":
            try:
                system.fire(state, system.actions[0], first)
            except Failure:
                assert end == "error"
            else:
                assert end == "ends"


REJECTED = {
    "a total map for a partial one": "«self.level = self.total»",
    "a partial map for a total one": "«self.total = self.level»",
    "None as a value": "«self.level[p] = None»",
    "a key that may be none": "self.flag = self.shelf.get(«n + 1») is None",
    "popitem": "«self.level.popitem()»",
    "setdefault": "«self.level.setdefault(p, 1)»",
    "a default that is not None": "«self.level.pop(p, 1)»",
    "del of a whole": "«del self.level»",
    "del of a total map": "«del self.total[p]»",
    "a round over a set that may fail": "self.level = «{k: self.level[k] for k in {p, q}}»",
    "keys that are computed": "self.level = «{q: v for k, v in self.level.items()}»",
    "a local one that changes": "x = self.level\n«x»[p] = 1",
}


@pytest.mark.parametrize("body", REJECTED.values(), ids=REJECTED)
def test_what_is_not_understood_is_refused_at_its_place(body: str) -> None:
    rejected(drawn(body))


@pytest.mark.parametrize(
    "hint, said",
    [
        ("Annotated[dict[Client, Left | None], partial]", "leave None out"),
        ("Annotated[dict[Client, set[Client]], partial]", "wrap set"),
        ("Annotated[set[Client], partial]", "only the keys of a map"),
        ("set[tuple[Client, Annotated[dict[Client, Left], partial]]]", "a partial map is a variable"),
    ],
)
def test_where_it_has_no_place_it_is_refused(hint: str, said: str) -> None:
    source = drawn("self.flag = True").replace("    flag: bool", f"    flag: bool\n    more: {hint}")
    with pytest.raises(SpecError, match=said):
        System(load(source.replace("Client", "Node").replace("Left", "Level")))


def test_no_parameter_ranges_over_them() -> None:
    source = drawn("self.flag = True").replace("n: Level", "n: Annotated[dict[Node, Level], partial]")
    with pytest.raises(SpecError, match="no parameter ranges over partial maps"):
        System(load(source))


def test_a_property_cannot_change_one() -> None:
    method = (
        "\n    @invariant\n    def changes(self) -> bool:\n        self.level.pop(Node, None)\n        return True\n"
    )
    source = drawn("self.flag = True") + method
    system = System(load(source))
    with system:
        ((_, state),) = system.initial()
        with pytest.raises(Failure, match="immutable"):
            system.evaluate(system.of("invariant")[0], state, ())


def test_a_log_is_not_held_to_one() -> None:
    """It would be read as a total map."""
    with pytest.raises(UsageError, match=r"a log is not held to a partial dict\[Client, Left\]"):
        Wide(Leases, {})
