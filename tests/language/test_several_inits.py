"""Several @init methods are one beginning: they run one after the other, and each variable begins with one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from quorate import Nat, Scalarset, Spec, action, init, invariant, reachable, require
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.traces.replay import replay
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.model.verify import verify
from quorate.outcome import Holds, Violated
from quorate.prove.proof import prove
from quorate.prove.results import Task

from tests.generated import load, write
from tests.model.test_interpreter import agree_initially
from tests.wider import as_one

DRAWN = 60


class Server(Scalarset, size=3):
    """A server."""


class Term(Nat, max=2):
    """A term."""


class Led(Spec):
    """Somebody leads."""

    leader: Server

    @init
    def anybody_leads(self, s: Server) -> None:
        t = s
        self.leader = t

    @action
    def hand_over(self, s: Server) -> None:
        self.leader = s


class Served(Led):
    """Some are up, the leader not alone; or all."""

    up: set[Server]
    epoch: Term

    @init
    def some_are_up(self, t: Server, late: bool) -> None:
        require(t != self.leader)
        if late:
            self.epoch = Term(1)
            self.up = set(Server)
            return
        s: set[Server] = {self.leader, t}
        self.up = s

    @action
    def crash(self, s: Server) -> None:
        require(s in self.up and any(t in self.up and t != s for t in Server))
        self.up.remove(s)

    @invariant
    def somebody_is_up(self) -> bool:
        return any(s in self.up for s in Server)

    @invariant
    def epochs_are_early(self) -> bool:
        return self.epoch < 2

    @reachable
    def late(self) -> bool:
        return self.epoch == 1


class Alone(Served):
    """Another beginning in the place of an inherited one, under its name."""

    def some_are_up(self, t: Server, late: bool) -> None:
        self.up = {t}
        self.epoch = Term(2 if late else 0)


class Replaced(Served):
    """An inherited one left out, and another one for its variables."""

    omits = ("some_are_up", "late")

    @init
    def all_are_up(self) -> None:
        self.up = set(Server)


def begun(spec: type[Spec]) -> list[tuple[int, ...]]:
    system = System(spec)
    with system:
        return [
            tuple(variable.type.encode(value) for variable, value in zip(system.variables, state, strict=True))
            for _, state in system.initial()
        ]


def test_all_choices_of_all_of_them_begin() -> None:
    system = System(Served)
    with system:
        initial = list(system.initial())
    assert len(initial) == 3 * 2 * 2 and len({state for _, state in initial}) == 3 * (2 + 1)
    assert all(arguments[0] == state[0] and arguments[0] != arguments[1] for arguments, state in initial)


@pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=pytest.mark.slow)])
@pytest.mark.parametrize("symmetry", [True, False])
def test_they_are_explored(engine: str, symmetry: bool) -> None:
    """A leader and those that are up: any, of whom all are only in the late epoch."""
    outcome = check(Served, engine=engine, symmetry=symmetry)
    assert isinstance(outcome, Holds) and outcome.statistics.states == (5 + 4 if symmetry else 3 * (7 + 6))


def test_a_violation_in_the_beginning_tells_the_arguments_of_all() -> None:
    outcome = check(Alone, engine="reference")
    assert isinstance(outcome, Violated) and outcome.property == "epochs_are_early" and len(outcome.trace) == 0
    assert outcome.trace.initial_arguments == {"s": "s1", "t": "s1", "late": True}
    assert replay(outcome.trace, Alone).reproduced


def test_one_that_is_overridden_is_replaced_and_one_that_is_omitted_left_out() -> None:
    assert len(begun(Alone)) == 3 * 3 * 2 and len(begun(Replaced)) == 3


@pytest.mark.parametrize(
    "task", [Task(Served, "served"), Task(Served, "served", any_size=True)], ids=["bounds", "any size"]
)
def test_proofs_take_them_as_one(task: Task) -> None:
    assert prove(task).outcome.verdict == "proven"


@pytest.mark.slow
def test_drawn_parts_begin_as_one_method_does_and_mean_the_same_in_the_model() -> None:
    seen = 0
    for seed in range(DRAWN):
        source = write(seed, wider=True)
        parts, whole = load(source), load(as_one(source))
        try:
            expected = begun(whole)
        except Failure:
            with pytest.raises(Failure):
                begun(parts)
            continue
        assert begun(parts) == expected, seed
        seen += len(set(expected)) > 1
        system = System(parts)
        model = build(system)
        verify(model)
        with system:
            agree_initially(system, model)
    assert seen > DRAWN / 4


def refused(*methods: str) -> Iterator[str]:
    """What is said of a specification with these two methods; on any engine, where this is found at all, and by the model."""
    lines = [line for one in methods for line in ["@init", *one.split("\n"), ""]]
    source = "\n".join(["from quorate import *", *SORTS, *("    " + line for line in lines), *ACTION])
    for judge in (lambda spec: list(begun(spec)), lambda spec: [build(System(spec))]):
        try:
            judge(load(source))
        except SpecError as error:
            place = getattr(error, "location", None)
            yield f"{error} at {place.text.strip() if place is not None else ''}"
        else:
            yield ""


SORTS = """\
class Node(Scalarset, size=2):
    pass


class Level(Nat, max=2):
    pass


class Drawn(Spec):
    seen: set[Node]
    level: Level
""".splitlines()
ACTION = """
    @action
    def act(self, n: Node) -> None:
        self.seen.add(n)
""".splitlines()


def test_parameters_have_names_of_their_own() -> None:
    first, second = (
        "def a(self, n: Node) -> None:\n    self.seen = {n}",
        "def b(self, n: Node) -> None:\n    require(n in {n})",
    )
    for said in refused(first, second):
        assert "have a parameter 'n' each" in said and said.endswith("def b(self, n: Node) -> None:")


def test_a_variable_begins_with_one_of_them() -> None:
    """What somebody writes who means one beginning or the other."""
    for said in refused("def a(self) -> None:\n    self.level = 1", "def b(self) -> None:\n    self.level = 2"):
        assert "Drawn.a and Drawn.b are both marked @init, and assign self.level" in said and "which" in said


def test_none_reads_what_a_later_one_assigns() -> None:
    ran, modelled = refused(
        "def a(self) -> None:\n    require(self.level == 0)", "def b(self) -> None:\n    self.level = 1"
    )
    assert ran == "" and "Drawn.a reads self.level" in modelled and modelled.endswith("def a(self) -> None:")


def test_a_variable_without_a_zero_is_assigned_by_one_of_them() -> None:
    class Unled(Led):
        omits = ("anybody_leads",)

        @init
        def one(self) -> None:
            """Nothing."""

        @init
        def two(self) -> None:
            """Nothing."""

    with pytest.raises(SpecError, match="one_and_two"):
        begun(Unled)
    with pytest.raises(SpecError, match=r"one_and_two does not assign self\.leader"):
        build(System(Unled))
