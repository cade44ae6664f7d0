"""Unusual Python in small specs means in every engine what it means in CPython."""

from __future__ import annotations

import pytest
from quorate.explore.native import library
from quorate.language.system import System

from tests.costs import shares
from tests.generated import HEADER, load
from tests.model.small import around
from tests.model.test_python_meaning import HELPERS, METHODS, SAME
from tests.native.agreement import QUICK_FLAGS, means_the_same
from tests.native.large_agreement import outcomes
from tests.prove.test_agreement import compare

SOURCES = {name: around(body, METHODS, HELPERS) for name, body in SAME.items()}
PARTS = 4

RANGED = """\
def odd(a: int) -> int | None:
    return None if a % 2 == 0 else a


class Drawn(Spec):
    top: Level
    on: bool
    holder: Note | None
    logs: dict[Node, Annotated[list[set[Node]], up_to(Size)]]
    picks: set[Level | Color | None]

    @action
    def tick(self) -> None:
        require(self.top < 2)
        self.top += 1

    @action
    def put(self, p: Node) -> None:
        require(len(self.logs[p]) == 0)
        self.logs[p].append({{p}})
        self.picks.add(Color.RED)
        self.picks.add(self.top)

    @action
    def go(self, {parameters}) -> None:
        require({guard})
        self.on = not self.on
"""
RANGES = {
    "tuples with a number beyond": ("p: Node, t: tuple[Level, Node]", "t in {(self.top + 1, p)}"),
    "tuples with a number below": ("p: Node, t: tuple[Level, Node]", "t in [(self.top - 1, p), (1, p)]"),
    "numbers beyond": ("d: Level", "d in {self.top + 1, self.top - 1, 9}"),
    "optional numbers beyond": ("d: Level", "d in [odd(self.top + 1), None]"),
    "optional numbers for an optional": ("d: Level | None", "d in {odd(self.top + 1), None}"),
    "an alternative of some": ("d: Level | None", "d in self.picks"),
    "a collection that is cut": ("p: Node, d: Level, e: Level", "d in {Note(p, p, self.top + 1).level}"),
    "a collection that fails": ("m: Node", "m in self.logs[the(n for n in Node)][0]"),
    "a collection that fails for some": ("p: Node, d: Node", "d in self.logs[p][0]"),
    "a collection of None": ("d: Level", "d in [self.holder.level]"),
    "what stands before it fails": ("d: Level", "1 // self.top > 0 and d in self.picks"),
}
"""Guards that a parameter ranges over, or cannot: a collection whose elements are not simply of its type, or that may fail."""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_native_engine_agrees(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    sources = {name: SOURCES[name] for name in list(SOURCES)[part::PARTS]}
    found = outcomes(sources)
    told = {name: said for name, said in found.items() if not said.startswith("same verdict")}
    assert told == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", shares(PARTS, 1, deep=0.5))
def test_the_symbolic_engine_agrees(part: int) -> None:
    for name in list(SOURCES)[part::PARTS]:
        compare(load(SOURCES[name]), 2)


@pytest.mark.slow
def test_a_parameter_ranges_over_what_it_would_be_found_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    header = HEADER.format(nodes=2, levels=2)
    sources = {
        name: f"{header}\n\n{RANGED.format(parameters=parameters, guard=guard)}"
        for name, (parameters, guard) in RANGES.items()
    }
    found = outcomes(sources)
    assert {name: said for name, said in found.items() if not said.startswith("same verdict")} == {}
    for source in sources.values():
        means_the_same(System(load(source)))
        compare(load(source), 2)
