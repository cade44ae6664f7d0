"""`@mapping(fair=True)`: fair runs are fair in the more abstract specification, held to the definition on drawn systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import ClassVar

import networkx
import pytest
from quorate import Scalarset, Spec, action, holds, mapping, require, violates
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.every import only
from quorate.explore.traces.replay import replay
from quorate.language.system import System

from tests.generated import load

DRAWN = 60


class Server(Scalarset, size=2):
    """Who has work to do."""


class Asked(Spec):
    """Whoever has asked is served."""

    waiting: set[Server]

    @action
    def ask(self, s: Server) -> None:
        require(s not in self.waiting)
        self.waiting.add(s)

    @action(fair="weak")
    def serve(self, s: Server) -> None:
        require(s in self.waiting)
        self.waiting.remove(s)


class Queued(Spec):
    """They are served in the order in which they have asked."""

    refines = Asked
    expect = holds()

    queue: list[Server]
    bounds: ClassVar[dict[str, int]] = {"queue": 2}

    @action
    def ask(self, s: Server) -> None:
        require(s not in self.queue)
        self.queue.append(s)

    @action(fair="weak", fair_per="action")
    def serve(self, s: Server) -> None:
        require(len(self.queue) > 0 and self.queue[0] == s)
        self.queue.pop(0)

    @mapping(fair=True)
    def refines_asked(self, abstract: Asked) -> None:
        abstract.waiting = set(self.queue)


class Stacked(Queued):
    """Who has asked last is served first, and asks again: the other one waits for ever."""

    expect = violates("serve_is_fair")

    def last(self) -> Server:
        return self.queue[-1]

    @action(fair="weak", fair_per="action")
    def serve(self, s: Server) -> None:
        require(len(self.queue) > 0 and self.last() == s)
        self.queue.pop()


class Idle(Queued):
    """Nobody has to serve."""

    expect = violates("serve_is_fair")

    @action
    def serve(self, s: Server) -> None:
        super().serve(s)


ENGINES = ["reference", pytest.param("auto", marks=pytest.mark.slow)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_queue_serves_everybody_and_a_stack_does_not(engine: str) -> None:
    assert check(Queued, engine=engine).verdict == "holds"
    stacked = check(Stacked, engine=engine)
    assert (stacked.verdict, stacked.violated) == ("violated", ("serve_is_fair",))
    assert stacked.trace is not None and stacked.trace.loop is not None
    beside = [step.abstract.action for step in stacked.trace.steps if step.abstract is not None]
    assert set(beside) == {"ask", "serve"}, "both levels are shown"
    assert stacked.trace.witnesses[0].name == "s", "and who is not served"
    assert replay(stacked.trace, Stacked).reproduced
    idle = check(Idle, engine=engine)
    assert idle.violated == ("serve_is_fair",) and idle.trace is not None and len(idle.trace.steps) == 1


def test_what_is_carried_over_has_to_be_there_under_a_name_of_its_own() -> None:
    class Unfair(Asked):
        @action
        def serve(self, s: Server) -> None:
            super().serve(s)

    class Nothing(Queued):
        refines = Unfair

    class Twice(Queued):
        def serve_is_fair(self) -> bool:
            return True

    with pytest.raises(SpecError, match="no action of Unfair is"):
        System(Nothing)
    with pytest.raises(SpecError, match="serve_is_fair of its own"):
        System(Twice)


# Against the definition

Edge = tuple[int, int]
SOURCE = """
from quorate import *


class Place(Nat, max={places}):
    pass


class Spot(Nat, max={spots}):
    pass


class Above(Spec):
    at: Spot
{above}

class Below(Spec):
    refines = Above
    at: Place
{below}
    @mapping(fair=True)
    def seen(self, abstract: Above) -> None:
        abstract.at = {seen}[self.at]
"""
ACT = """
    @action{fair}
    def {name}(self, {one}: {sort}) -> None:
        require((self.at, {one}) in {edges})
        self.at = {one}
"""


@dataclass
class Act:
    """An action that goes along some edges, its argument the place that it comes to."""

    name: str
    edges: list[Edge]
    fair: str | None
    whole: bool

    def demands(self) -> dict[int | None, list[Edge]]:
        """The edges of each demand, those that change nothing left out."""
        found: dict[int | None, list[Edge]] = {}
        for edge in self.edges:
            if edge[0] != edge[1]:
                found.setdefault(None if self.whole else edge[1], []).append(edge)
        return found if self.fair else {}

    def written(self, sort: str) -> str:
        per = ', fair_per="action"' if self.whole else ""
        fair = f'(fair="{self.fair}"{per})' if self.fair else ""
        return ACT.format(fair=fair, name=self.name, one="to", sort=sort, edges=f"[{', '.join(map(str, self.edges))}]")


def acts(random: Random, stem: str, count: int, places: int, edges: int) -> list[Act]:
    def edge() -> Edge:
        return random.randrange(places), random.randrange(places)

    return [
        Act(
            f"{stem}{number}",
            sorted({edge() for _ in range(random.randint(1, edges))}),
            random.choice([None, "weak", "weak", "strong"] if stem == "low" else ["weak", "strong"]),
            random.random() < 0.5,
        )
        for number in range(count)
    ]


def runs(start: int, below: Sequence[Act], places: int) -> Iterator[tuple[frozenset[int], frozenset[Edge]]]:
    """The states and the changing steps that a run may go through for ever."""
    every = {edge for act in below for edge in act.edges}
    whole = networkx.DiGraph(every)
    whole.add_node(start)
    reached = {start, *networkx.descendants(whole, start)}
    changing = sorted(edge for edge in every if edge[0] != edge[1] and edge[0] in reached)
    yield from ((frozenset({place}), frozenset()) for place in reached)
    for count in range(1, len(changing) + 1):
        for chosen in combinations(changing, count):
            graph = networkx.DiGraph(chosen)
            if networkx.is_strongly_connected(graph):
                yield frozenset(graph.nodes), frozenset(chosen)


def is_fair(states: frozenset[int], taken: frozenset[Edge], kind: str | None, demand: Sequence[Edge]) -> bool:
    possible = [any(edge[0] == state for edge in demand) for state in states]
    asked = all(possible) if kind == "weak" else any(possible)
    return not asked or any(edge in taken for edge in demand)


def expected(below: Sequence[Act], act: Act, seen: Sequence[int], places: int) -> bool:
    """Whether every fair run is fair to an abstract action."""
    for states, taken in runs(0, below, places):
        if all(is_fair(states, taken, one.fair, demand) for one in below for demand in one.demands().values()):
            above = frozenset(seen[state] for state in states)
            steps = frozenset((seen[a], seen[b]) for a, b in taken if seen[a] != seen[b])
            if not all(is_fair(above, steps, act.fair, demand) for demand in act.demands().values()):
                return False
    return True


@pytest.mark.slow
def test_verdicts_are_those_of_the_definition() -> None:
    tally: Counter[str] = Counter()
    for seed in range(DRAWN):
        random = Random(seed)
        places, spots = random.randint(2, 4), random.randint(2, 3)
        below, above = acts(random, "low", random.randint(1, 3), places, 3), acts(random, "high", 2, spots, 3)
        seen = [random.randrange(spots) for _ in range(places)]
        source = SOURCE.format(
            places=places - 1,
            spots=spots - 1,
            seen=seen,
            above="".join(act.written("Spot") for act in above),
            below="".join(act.written("Place") for act in below),
        )
        spec = load(source, "Below")
        for act in above:
            outcome = check(only(spec, [f"{act.name}_is_fair"]), engine="reference")
            wanted = "holds" if expected(below, act, seen, places) else "violated"
            assert outcome.verdict == wanted, (seed, act, outcome)
            tally[f"{act.fair} {wanted}"] += 1
    assert len(tally) == 4 and min(tally.values()) > 5, tally
