"""A partial map is a dict to its author, and a total map to `V | None` to every engine."""

from __future__ import annotations

from typing import Annotated

import pytest
from quorate import Nat, Network, Scalarset, Spec, action, invariant, lemma, partial, record, require, violates
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.traces.replay import replay
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.outcome import Violated
from quorate.prove.proof import prove
from quorate.prove.results import Task
from quorate.trace import Trace

from tests.generated import load
from tests.language.one_action import end_of, source
from tests.model.test_interpreter import agree
from tests.model.test_rejections import rejected


class Client(Scalarset, size=3):
    """Who may hold a lease."""


class Left(Nat, max=2):
    """How long a lease still lasts."""


@record
class Snapshot:
    """What leases there were when a client asked."""

    lease: Annotated[dict[Client, Left], partial]
    by: Client


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


TABLE = """

@record
class Table:
    held: Annotated[dict[Node, Level], partial]
    by: Node
"""


def drawn(body: str, more: str = "bool", parameters: str = "p: Node, q: Node, n: Level") -> str:
    """The source of a specification whose action has this body, with two partial maps, and one in a record."""
    variables = [
        "level: Annotated[dict[Node, Level], partial]",
        "shelf: Annotated[dict[Level, Note], partial]",
        "total: dict[Node, Level]",
        "maybe: dict[Node, Level | None]",
        "table: Table | None",
        "seen: set[Table]",
        "wire: Network[Table | Ack]",
        "flag: bool",
        f"more: {more}",
    ]
    return source(variables, parameters, body, TABLE)


ENDS = {
    "a value of an absent key": ("self.flag = self.level[p] == 0", "error"),
    "a value of a present key": ("self.level[p] = 1\nself.flag = self.level[p] == 1", "ends"),
    "an absent key changed in place": ("self.level[p] += 1", "error"),
    "an absent key deleted": ("del self.level[p]", "error"),
    "an absent key popped": ("self.level.pop(p)", "error"),
    "an absent key popped for a name": ("x = self.level.pop(p)\nself.level[q] = x", "error"),
    "an absent key popped with None": ("self.level.pop(p, None)\nself.flag = len(self.level) == 0", "ends"),
    "a key that is None only elsewhere": (
        "c = p if n == 0 else None\nself.level[q] = 1\nif c is not None:\n    self.level.pop(c, None)\n"
        "    self.flag = self.level.get(c) is None",
        "ends",
    ),
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
    "None left out of the values": ("self.level = {k: v for k, v in self.maybe.items() if v is not None}", "ends"),
    "the later of two equal keys": ("self.level = {p: 1, q: 2}\nassert self.level[q] == 2", "ends"),
    "a key for each member of a set": (
        "self.level = {k: 2 for k in {p, q} if k != q}\nassert len(self.level) == (0 if p == q else 1)",
        "ends",
    ),
    "a set that is not there": ("self.level = {k: 2 for k in [{p}][1]}", "error"),
    "a field without keys": ("self.table = Table({}, p)\nassert self.table == Table({}, p)", "ends"),
    "a value of an absent key of a field": ("self.table = Table({}, p)\nself.flag = self.table.held[q] == 0", "error"),
    "a field of a record that is not there": ("self.level = {k: 0 for k in self.table.held}", "error"),
    "keys of a field": (
        "x = self.table\nif x is None:\n    x = Table({q: 1}, p)\nself.level = {k: 2 for k in x.held}\nassert self.level[q] == 2",
        "ends",
    ),
    "a field of another record": (
        "x = Table({p: n}, q)\ny = replace(x, held={k: v for k, v in x.held.items() if v > 2})\nassert len(y.held) == 0 and p in x.held",
        "ends",
    ),
    "a field from a variable that changes then": (
        "self.level[p] = 1\nself.table = Table(self.level, p)\ndel self.level[p]\nassert self.table.held[p] == 1",
        "ends",
    ),
    "a record in a set": (
        "self.seen.add(Table({p: 1}, p))\nself.level = {p: 1}\nassert Table(self.level, p) in self.seen and Table({}, p) not in self.seen",
        "ends",
    ),
    "a message": (
        "self.wire.send(Table({p: 1}, q))\nassert any(isinstance(m, Table) and m.held.get(p) == 1 for m in self.wire)",
        "ends",
    ),
    "a field beyond its bound": ("self.table = Table({p: n + 3}, p)", "cut"),
    "keys in order": (
        "self.shelf = {k: Note(p, q, k) for k in Level if k != 1}\nassert list(self.shelf) == [0, 2]",
        "ends",
    ),
}


@pytest.mark.parametrize("body, end", ENDS.values(), ids=ENDS)
def test_the_model_ends_as_cpython_does(body: str, end: str) -> None:
    assert end_of(drawn(body)) == end or end == "either"


REJECTED = {
    "a total map for a partial one": "«self.level = self.total»",
    "a partial map for a total one": "«self.total = self.level»",
    "None as a value": "«self.level[p] = None»",
    "None among the values": "self.level = {k: «self.maybe[k]» for k in Node}",
    "a key that may be none": "self.flag = self.shelf.get(«n + 1») is None",
    "a popped key that may be none": "self.shelf.pop(«n + 1», None)",
    "a popped key that may be none, for a name": "x = self.shelf.pop(«n - 1», None)\nself.flag = x is None",
    "a popped key that may be None": "self.level.pop(«p if n == 0 else None», None)",
    "popitem": "«self.level.popitem()»",
    "setdefault": "«self.level.setdefault(p, 1)»",
    "a default that is not None": "«self.level.pop(p, 1)»",
    "del of a whole": "«del self.level»",
    "del of a total map": "«del self.total[p]»",
    "a round over a set that may fail": "self.level = «{k: self.level[k] for k in {p, q}}»",
    "keys that are computed": "self.level = «{q: v for k, v in self.level.items()}»",
    "a local one that changes": "x = self.level\n«x»[p] = 1",
    "a field that changes": "«self.table.held»[p] = 1",
    "a total map in a field": "self.table = Table(«self.total», p)",
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
        ("set[tuple[Client, Annotated[dict[Client, Left], partial]]]", "wrap it in a @record"),
        ("Annotated[list[dict[Client, Annotated[dict[Client, Left], partial]]], up_to(1)]", "wrap it in a @record"),
        ("Annotated[dict[Client, Left], partial] | None", "cannot be an alternative of a union"),
    ],
)
def test_where_it_has_no_place_it_is_refused(hint: str, said: str) -> None:
    more = hint.replace("Client", "Node").replace("Left", "Level")
    with pytest.raises(SpecError, match=said):
        System(load(drawn("self.flag = True", more)))


GIVEN = "g: Annotated[dict[Node, Level], partial]"


def test_a_parameter_ranges_over_all_of_them() -> None:
    system = System(load(drawn("self.level = g", parameters=GIVEN)))
    with system:
        model, ((_, state),) = build(system), system.initial()
        given = [arguments for (arguments,) in system.choices(system.actions[0].parameters)]
        assert len(given) == len(set(given)) == 4**2 and {len(one) for one in given} == {0, 1, 2}
        assert agree(system, model, 20) > 0
        reached = [system.fire(state, system.actions[0], (one,)) for one in given]
        assert [found.state[0] for found in reached if found is not None] == given


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


class Stored(Leases):
    """What was stored is given back."""

    last: Snapshot | None
    wire: Network[Snapshot]

    @action
    def store(self, c: Client) -> None:
        require(self.last is None)
        self.last = Snapshot(self.lease, c)
        self.wire.send(self.last)

    @action
    def restore(self, m: Snapshot, given: Annotated[dict[Client, Left], partial]) -> None:
        require(m in self.wire and all(m.lease.get(c) == given.get(c) for c in Client))
        self.lease = given

    @invariant
    def one_is_stored(self, c: Client, d: Client) -> bool:
        return c == d or self.last is None or c not in self.last.lease or d not in self.last.lease

    @lemma
    def one_is_sent(self, m: Snapshot, c: Client, d: Client) -> bool:
        return c == d or m not in self.wire or c not in m.lease or d not in m.lease


class GivesAnything(Stored):
    """What is given back is not what was stored."""

    expect = violates("one_has_a_lease")

    @action
    def restore(self, m: Snapshot, given: Annotated[dict[Client, Left], partial]) -> None:
        require(m in self.wire)
        self.lease = given


SMALL = {"Client": 2}


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [True, False])
def test_engines_count_alike_where_records_messages_and_parameters_have_them(symmetry: bool) -> None:
    for spec, verdict in ((Stored.bounded(**SMALL), "holds"), (GivesAnything.bounded(**SMALL), "violated")):
        found = [check(spec, engine=engine, symmetry=symmetry) for engine in ("reference", "native")]
        counts = [
            (one.verdict, one.statistics.states, one.statistics.transitions, one.statistics.depth) for one in found
        ]
        assert counts[0] == counts[1] and counts[0][0] == verdict
        if not symmetry and isinstance(found[0], Violated) and isinstance(found[1], Violated):
            assert found[0].trace == found[1].trace and found[0].trace is not None
            assert replay(found[0].trace, spec).reproduced
            assert Trace.from_json(found[0].trace.to_json()) == found[0].trace


@pytest.mark.slow
@pytest.mark.parametrize("any_size", [False, True])
def test_what_is_stored_is_proven_and_its_mistake_is_found(any_size: bool) -> None:
    for spec, verdict in ((Stored, "proven"), (GivesAnything, "violated")):
        task = Task(spec if any_size else spec.bounded(**SMALL), "stored", any_size=any_size)
        assert prove(task).outcome.verdict == verdict
