"""Auxiliary variables are told along runs, and make no states different: the model that engines get is the one without them."""

from __future__ import annotations

import re

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.traces.replay import replay, with_values
from quorate.language.system import System
from quorate.model import Model, build
from quorate.report.text import trace_text

from tests import generated

SOURCE = """
from typing import Annotated
from quorate import *

class Server(Scalarset, size=2):
    "A server."

class Term(Nat, max=3):
    "A term."

@record
class Event:
    who: Server
    term: Term

class Election(Spec):
    leader: Server | None
    term: Term
    elections: Annotated[int, auxiliary] = 10
    history: Annotated[list[Event], auxiliary]
    led: Annotated[dict[Server, int], auxiliary]
    known: Annotated[set[Server], auxiliary]
    last: Annotated[Server | None, auxiliary]

    @action
    def lead(self, s: Server) -> None:
        require(self.leader != s)
        self.last = self.leader
        self.leader = s
        self.term += 1
        self.elections += 1
        self.history.append(Event(s, self.term))
        self.note(s)

    def note(self, s: Server) -> None:
        self.led[s] += len(self.history) * 100_000
        if self.term > 1:
            self.known.add(s)

    @action
    def rest(self) -> None:
        self.elections = 0

    @invariant
    def early(self) -> bool:
        return self.term < 3
"""
AUXILIARY = ("elections", "history", "led", "known", "last")
PLAIN = (
    "\n".join(line for line in SOURCE.splitlines() if not any(name in line for name in AUXILIARY))
    .replace("def rest(self) -> None:", "def rest(self) -> None:\n        pass")
    .replace("        if self.term > 1:", "        pass")
)


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("symmetry", [True, False])
def test_states_are_those_of_the_specification_without_them(engine: str, symmetry: bool) -> None:
    with_them = check(generated.load(SOURCE, "Election"), engine=engine, symmetry=symmetry)
    without = check(generated.load(PLAIN, "Election"), engine=engine, symmetry=symmetry)
    assert with_them.verdict == without.verdict == "violated"
    for field in ("states", "transitions", "depth", "cuts", "actions"):
        assert getattr(with_them.statistics, field) == getattr(without.statistics, field)


def test_they_are_told_along_the_run_that_is_found_and_alike_by_both_engines() -> None:
    spec = generated.load(SOURCE, "Election")
    traces = [check(spec, engine=engine).trace for engine in ("reference", "native")]
    trace = traces[0]
    assert trace is not None and traces[0] == traces[1]
    told = {(change.variable, change.key): change.new for step in trace.steps for change in step.changes}
    assert trace.initial["elections"] == 10 and told["elections", ()] == 13
    assert [event["fields"]["term"] for event in told["history", ()]] == [1, 2, 3]
    assert told["led", ("s1",)] == 400_000 and told["led", ("s2",)] == 200_000
    assert told["last", ()] == "s2"
    assert "elections 12 → 13" in trace_text(trace) and replay(trace, spec).reproduced
    shown = with_values(trace, spec, ["elections * 2", "len(self.history)"])
    assert [change.new for change in shown.steps[-1].changes[-2:]] == [26, 3]


def test_no_step_is_said_to_depend_on_them() -> None:
    trace = check(generated.load(SOURCE, "Election"), engine="reference").trace
    assert trace is not None
    assert not {place[0] for step in trace.steps for place in step.reads or ()} & set(AUXILIARY)


def said(model: Model) -> str:
    """What engines read of a model, without its places in the source, and without the name of the module that classes are of."""
    parts: list[object] = [
        [(variable.name, variable.type) for variable in model.variables],
        [
            (action.name, action.parameters, action.ranges, action.body, sorted(action.reads))
            for action in model.actions
        ],
        [(prop.name, prop.body) for prop in model.properties],
    ]
    return re.sub(r"drawn_\d+", "", repr(parts))


@pytest.mark.parametrize("seed", range(25))
def test_the_model_of_a_drawn_specification_stays_the_same(seed: int) -> None:
    source = generated.write(seed, histories=False)
    plain = build(generated.load(source))
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        if inside and not line.strip():
            lines += ["        self.told += 1", "        self.tale.append(self.told)"]
            inside = False
        lines.append(line)
        inside = inside or bool(re.match(r"    def act\d+\(", line))
        if re.match(r"class (Base|Drawn)\(Spec\):", line):
            lines += ["    told: Annotated[int, auxiliary]", "    tale: Annotated[list[int], auxiliary]"]
    model = build(generated.load("\n".join(lines) + "\n"))
    assert said(model) == said(plain)
    assert set(model.system.auxiliary) == {"told", "tale"}


REFUSED = {
    "a guard": ("require(«self.n» > 0)\nself.x = True", "no guard, no other variable, no property"),
    "a compared variable": ("self.x = «self.n» > 0", "no guard, no other variable, no property"),
    "a condition": ("if «self.n» > 0:\n    self.x = True", "no guard, no other variable, no property"),
    "a local name": ("k = «self.n»\nself.n = k + 1", "no guard, no other variable, no property"),
    "a loop": ("for k in «self.xs»:\n    self.x = True", "no guard, no other variable, no property"),
    "two targets": ("«self.n», self.x = 1, True", "no guard, no other variable, no property"),
    "a method": ("self.n = self.half()", "no guard, no other variable, no property"),
    "an index": ("«self.n = self.xs[0]»", "may fail here, or pass a bound"),
    "a place": ("«self.xs[0] = 1»", "may fail here, or pass a bound"),
    "pop": ("«self.xs.pop()»", "may fail here, or pass a bound"),
    "a bound": ("«self.low += 1»", "may fail here, or pass a bound"),
    "an order": ("«for s in Server:\n    self.who.append(s)»", "in a loop whose order is nobody's"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_make_states_different_is_refused_at_its_place(case: str) -> None:
    body, says = REFUSED[case]
    source = f"""
from typing import Annotated
from quorate import *

class Server(Scalarset, size=2):
    "A server."

class Low(Nat, max=2):
    "A number."

class Marked(Spec):
    x: bool
    n: Annotated[int, auxiliary]
    low: Annotated[Low, auxiliary]
    xs: Annotated[list[int], auxiliary]
    who: Annotated[list[Server], auxiliary]
    @action
    def act(self) -> None:
{generated_body(body)}
    def half(self) -> int:
        return self.n // 2
"""
    spec = generated.load(source, "Marked")
    with pytest.raises(SpecError, match=re.escape(says)) as error:
        build(spec)
    place = error.value.location
    assert place is not None
    if "«" in body:
        marked = body[body.index("«") + 1 : body.index("»")].split("\n")[0]
        assert place.text[place.column : place.column + place.length].startswith(marked), place
    with pytest.raises(SpecError, match=re.escape(says)):
        check(spec, engine="reference").verdict  # noqa: B018


def generated_body(body: str) -> str:
    return "\n".join(" " * 8 + line for line in body.replace("«", "").replace("»", "").split("\n"))


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("@invariant\n    def p(self) -> bool:\n        return self.n == 0", "no part of the state"),
        ("@constraint\n    def c(self) -> bool:\n        return self.n == 0", "no part of the state"),
        ("@step\n    def g(self, old: Self) -> bool:\n        return old.n <= self.n", "no part of the state"),
        ("@init\n    def i(self) -> None:\n        self.n = 1", "begin with their defaults"),
    ],
)
def test_properties_constraints_and_init_do_not_know_of_them(member: str, says: str) -> None:
    source = f"""
from typing import Annotated, Self
from quorate import *

class Marked(Spec):
    x: bool
    n: Annotated[int, auxiliary]
    @action
    def act(self) -> None:
        self.n += 1
    {member}
"""
    spec = generated.load(source, "Marked")
    with pytest.raises(SpecError, match=says):
        build(spec)


def test_a_network_is_no_auxiliary_variable() -> None:
    source = SOURCE.replace("known: Annotated[set[Server], auxiliary]", "known: Annotated[Network[Event], auxiliary]")
    with pytest.raises(SpecError, match="a network is part of the state"):
        System(generated.load(source, "Election"))
