"""Lists, sets and maps inside messages: no false property of them is proven for any size, and broken axioms are noticed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import z3
from quorate.explore import check
from quorate.explore.limits import Limits, Watch
from quorate.outcome import Violated
from quorate.prove.any_size.obligations import Prover, model_of_any_size
from quorate.prove.encode.anysize.objects import Objects
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.solvers.smt import selected

from tests import generated
from tests.costs import shares

DRAWN, SHARE = 150, 10

HEADER = """
from typing import Annotated
from quorate import *

class Node(Scalarset, size=2):
    pass

class Level(Nat, max=1):
    pass

class Size(Nat, max=2):
    pass

@record
class Pack:
    source: Node
    path: Annotated[list[Node], up_to(Size)]
    group: set[Node]
    marks: dict[Node, Level]

class Drawn(Spec):
    log: Annotated[list[Node], up_to(Size)]
    seen: set[Node]
    level: dict[Node, Level]
    wire: Network[Pack] = Network(capacity=3)

    @action
    def start(self, p: Node, q: Node) -> None:
        {start}
        self.wire.send(Pack({first}))

    @action
    def go_on(self, m: Pack, p: Node) -> None:
        require(m in self.wire)
        {guard}
        {effect}
        self.wire.send(Pack({then}))
"""
LISTS = ["[]", "[p]", "self.log", "self.log + [p]", "self.log[1:]", "self.log[:1]"]
SETS = ["{p}", "self.seen", "self.seen | {p}", "self.seen - {p}", "{n for n in Node if self.level[n] == 0}"]
MAPS = ["self.level", "{k: Level(1 if k == p else 0) for k in Node}", "{k: Level(0) for k in Node}"]
EFFECTS = [
    "self.log = m.path",
    "self.seen |= m.group",
    "self.level = m.marks",
    "self.log.append(p)",
    "self.seen.add(p)",
    "self.level[p] = Level(1)",
]
CLAIMS = [
    "len(m.path) <= 1",
    "len(m.path) == len(self.log)",
    "m.path == self.log",
    "m.source in m.group",
    "m.group <= self.seen",
    "self.seen <= m.group",
    "m.marks == self.level",
    "m.marks[a] <= self.level[a]",
    "a in m.path",
    "a not in m.group",
    "m.marks[m.source] == 0",
    "(len(m.path) == 0 or m.path[0] == m.source)",
    "all(m.path == k.path for k in self.wire if k.source == m.source)",
    "all(m.group <= k.group or k.group <= m.group for k in self.wire)",
]


def write(seed: int) -> str:
    random = Random(seed)

    def message(more: bool) -> str:
        lists = [*LISTS, "m.path", "m.path + [p]", "m.path[1:]"] if more else LISTS
        sets = [*SETS, "m.group", "m.group | {p}", "m.group & self.seen"] if more else SETS
        maps = [*MAPS, "m.marks"] if more else MAPS
        return ", ".join(
            (random.choice(["p", "m.source"] if more else ["p", "q"]), *map(random.choice, (lists, sets, maps)))
        )

    text = HEADER.replace("{start}", random.choice(["pass", "self.seen.add(q)", "self.log.append(q)"]))
    text = text.replace("{first}", message(False)).replace("{then}", message(True))
    text = text.replace("{guard}", random.choice(["pass", "require(p in m.group)", "require(p not in m.path)"]))
    text = text.replace("{effect}", random.choice(EFFECTS))
    for number, claim in enumerate(random.sample(CLAIMS, 3)):
        body = f"        return all({claim} for m in self.wire)"
        text += f"\n    @invariant\n    def claim{number}(self, a: Node) -> bool:\n{body}\n"
    return text


def kept(spec: Any) -> set[str] | None:
    """The properties that are inductive together for any size; None if something is refused."""
    try:
        model = model_of_any_size(spec)
        with model.system:
            prover = Prover(model)
            names = [prop.name for prop in prover.inductive]
            while True:
                bad = {one.name[1] for one in prover.queries(names, names) if selected(one).status != "unsat"}
                if not bad:
                    return set(names)
                names = [name for name in names if name not in bad]
    except NoAnySize:
        return None


def disagreement(seed: int) -> str | None:
    """What is proven although a run violates it."""
    spec = generated.load(write(seed))
    found = check(spec, engine="reference", symmetry=False, watch=Watch(Limits(states=300)))
    if not isinstance(found, Violated):
        return None
    return found.property if found.property in (kept(spec) or ()) else None


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, SHARE, deep=0.87))
def test_what_a_run_violates_is_not_proven_for_any_size(begin: int) -> None:
    assert {seed: name for seed in range(begin, begin + SHARE) if (name := disagreement(seed)) is not None} == {}


FIRST = {
    "{start}": "pass",
    "{first}": "p, [p], {p}, self.level",
    "{guard}": "pass",
    "{effect}": "self.level[p] = Level(1)",
    "{then}": "p, m.path + [p], m.group | {p}, self.level",
}


def handwritten(claim: str) -> Any:
    text = HEADER
    for place, value in FIRST.items():
        text = text.replace(place, value)
    return generated.load(text + f"\n    @invariant\n    def claim(self) -> bool:\n        return {claim}\n")


@pytest.mark.parametrize(
    "claim",
    [
        "all(len(m.path) <= 1 for m in self.wire)",
        "all(m.path == k.path for m in self.wire for k in self.wire)",
        "all(m.group == k.group for m in self.wire for k in self.wire)",
        "all(m.marks == self.level for m in self.wire)",
    ],
)
def test_a_false_property_of_what_was_sent_is_not_proven(claim: str) -> None:
    spec = handwritten(claim)
    found = check(spec, engine="reference")
    assert isinstance(found, Violated) and found.property == "claim"
    assert kept(spec) == set()


TRUE = "all(m.source in m.group for m in self.wire)"


def firing() -> dict[str, str]:
    """What the solver says of each action: whether it can happen where the property is true."""
    model = model_of_any_size(handwritten(TRUE))
    with model.system:
        prover = Prover(model)
        return {action.name: selected(prover.fires(action, ["claim"])).status for action in model.actions}


def test_a_true_property_of_what_was_sent_is_proven_by_actions_that_are_not_excluded() -> None:
    assert kept(handwritten(TRUE)) == {"claim"}
    assert "unsat" not in firing().values()


def test_a_contradiction_among_the_axioms_of_what_is_sent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def contradictory(self: Objects, value: Any, kind: Any) -> None:
        self.definitions.append(z3.BoolVal(False))

    monkeypatch.setattr(Objects, "_materialize_one", contradictory)
    assert set(firing().values()) == {"unsat"}
