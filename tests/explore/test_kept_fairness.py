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
from quorate import Scalarset, Spec, action, eventually, holds, mapping, require, violates
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.every import only
from quorate.explore.native import library
from quorate.explore.traces.replay import replay
from quorate.language.system import System
from quorate.outcome import Failed, Violated
from quorate_specs.consensus.paxos import Acceptor, Ballot, Value
from quorate_specs.consensus.voting import Consensus, Voting
from quorate_specs.transactions.transaction_commit import ResourceManager, TransactionCommit
from quorate_specs.transactions.two_phase_commit import Prepared, RefinesTransactionCommit

from tests.costs import shares
from tests.generated import load
from tests.native.agreement import QUICK_FLAGS
from tests.native.liveness_agreement import case, compare_all, compare_spec

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


def test_a_queue_serves_everybody_and_a_stack_does_not() -> None:
    assert check(Queued, engine="reference").verdict == "holds"
    stacked = check(Stacked, engine="reference")
    assert (stacked.verdict, stacked.violated) == ("violated", ("serve_is_fair",))
    assert stacked.trace is not None and stacked.trace.loop is not None
    beside = [step.abstract.action for step in stacked.trace.steps if step.abstract is not None]
    assert set(beside) == {"ask", "serve"}, "both levels are shown"
    assert stacked.trace.witnesses[0].name == "s", "and who is not served"
    assert replay(stacked.trace, Stacked).reproduced
    idle = check(Idle, engine="reference")
    assert idle.violated == ("serve_is_fair",) and idle.trace is not None and len(idle.trace.steps) == 1


@pytest.mark.slow
def test_the_native_engine_judges_it_itself() -> None:
    native, reference = (check(Stacked, engine=engine) for engine in ("native", "reference"))
    assert isinstance(native, Violated) and isinstance(reference, Violated) and native.engine == "native"
    assert native.trace == reference.trace and not any("reference" in note for note in native.notes)


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


def test_what_its_fairness_is_called_is_the_name_of_nothing_else() -> None:
    class Promised(Asked):
        @eventually
        def serve_is_fair(self) -> bool:
            return len(self.waiting) == 0

    class Called(Queued):
        refines = Promised

    with pytest.raises(SpecError, match="Promised has a serve_is_fair"):
        System(Called)


class Raising(Asked):
    """Whoever is served must be alone."""

    @action(fair="weak", fair_per="action")
    def serve(self, s: Server) -> None:
        require(s in self.waiting)
        assert len(self.waiting) == 1
        self.waiting.remove(s)


class RefinesRaising(Queued):
    """They are not alone, whoever is first."""

    refines = Raising


def test_an_error_of_an_abstract_action_is_one_of_the_claim_where_it_may_be_possible() -> None:
    found = check(only(RefinesRaising, ["serve_is_fair"]), engine="reference")
    assert isinstance(found, Failed) and found.trace is not None and len(found.trace.steps) == 2


class Emptied(Queued):
    """The abstract state says who is next, whoever is there."""

    @mapping(fair=True)
    def refines_asked(self, abstract: Asked) -> None:
        abstract.waiting = {self.queue[0], self.queue[1]} if len(self.queue) > 0 else set()


class Strict(Asked):
    """Two never wait."""

    @action
    def ask(self, s: Server) -> None:
        assert len(self.waiting) == 0
        super().ask(s)


class RefinesStrict(Stacked):
    """They do; of what is only asked about `serve`, that is no error."""

    refines = Strict
    expect = holds()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_errors_in_what_is_seen_are_those_of_states_in_their_order(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step is seen at both of its ends, and it is the state that raises."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    found = check(only(Emptied, ["serve_is_fair"]), engine=engine)
    assert isinstance(found, Failed) and found.trace is not None and found.engine == engine
    assert len(found.trace.steps) == 1 and found.trace.abstract is None
    lasso = check(only(RefinesStrict, ["serve_is_fair"]), engine=engine)
    assert isinstance(lasso, Violated) and lasso.trace is not None and lasso.trace.loop is not None
    assert any(step.abstract is not None and step.abstract.action is None for step in lasso.trace.steps)


# In the library


class FairConsensus(Consensus):
    """A value is chosen at some time."""

    @action(fair="weak", fair_per="action")
    def choose(self, v: Value) -> None:
        super().choose(v)


class VotesAtLast(Voting.bounded(Ballot=2)):  # type: ignore[misc]
    """Whoever can vote does: ballots may be used up before a value is chosen."""

    refines = FairConsensus

    @action(fair="weak")
    def vote(self, a: Acceptor, b: Ballot, v: Value, q: set[Acceptor]) -> None:
        super().vote(a, b, v, q)

    @mapping(fair=True)
    def refines_consensus(self, abstract: FairConsensus) -> None:
        abstract.chosen = {v for v in Value if self.is_chosen(v)}


class CommitsAtLast(TransactionCommit):
    """Whoever can commit does, unless an abort comes first."""

    @action(fair="weak")
    def commit(self, r: ResourceManager) -> None:
        super().commit(r)


class Obeyed(RefinesTransactionCommit):
    """Verdicts reach everybody, if there are any."""

    refines = CommitsAtLast

    @action(fair="weak")
    def obey_commit(self, r: ResourceManager) -> None:
        super().obey_commit(r)

    @action(fair="weak")
    def obey_abort(self, r: ResourceManager) -> None:
        super().obey_abort(r)

    @mapping(fair=True)
    def refines_transaction_commit(self, abstract: CommitsAtLast) -> None:
        abstract.rm = self.rm


class Decided(Obeyed):
    """And the transaction manager makes one."""

    @action(lane="TM", fair="weak")
    def receive_prepared(self, m: Prepared) -> None:
        super().receive_prepared(m)

    @action(lane="TM", fair="weak")
    def commit(self) -> None:
        super().commit()


@pytest.mark.deep
def test_specs_of_the_library_are_judged_alike() -> None:
    assert compare_spec(VotesAtLast, 10_000) == Counter(stays=1)
    assert compare_spec(Obeyed, 10_000) == Counter(stays=3)
    assert compare_spec(Decided, 10_000) == Counter(holds=3)


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
    def {name}_counts(self, {one}: {sort}) -> bool:
        return (self.at + {one}) % 2 == 0

    @action{fair}
    def {name}(self, {one}: {sort}) -> None:
        require((self.at, {one}) in {edges})
        self.at = {one}
"""
BEYOND = """
    @action{fair}
    def {name}(self) -> None:
        require(self.at in {places})
        self.at = self.at + 9
"""


@dataclass
class Act:
    """An action that goes along some edges, its argument the place that it comes to."""

    name: str
    edges: list[Edge]
    fair: str | None
    whole: bool
    even: bool
    """Whether an instance is fair only where its argument and the place have an even sum."""

    def demands(self) -> dict[int | None, list[Edge]]:
        """The edges of each demand, those that change nothing left out."""
        found: dict[int | None, list[Edge]] = {}
        for edge in self.edges:
            if edge[0] != edge[1] and not (self.even and sum(edge) % 2):
                found.setdefault(None if self.whole else edge[1], []).append(edge)
        return found if self.fair else {}

    def written(self, sort: str) -> str:
        per = ', fair_per="action"' if self.whole else ""
        where = f', fair_if="{self.name}_counts"' if self.even else ""
        fair = f'(fair="{self.fair}"{per}{where})' if self.fair else ""
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
            random.random() < 0.2,
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


@dataclass
class Drawn:
    """A system, and the one that it refines, or not."""

    below: list[Act]
    above: list[Act]
    seen: list[int]
    beyond: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, seed: int, cuts: bool = False) -> Drawn:
        """The one of a seed; with actions that pass a bound if there are to be `cuts`."""
        random = Random(seed)
        places, spots = random.randint(2, 4), random.randint(2, 3)
        below, above = acts(random, "low", random.randint(1, 3), places, 3), acts(random, "high", 2, spots, 3)
        found = cls(below, above, [random.randrange(spots) for _ in range(places)])
        if cuts:
            fair = ["", '(fair="weak")', '(fair="strong")']
            where = [sorted({random.randrange(count) for _ in range(2)}) for count in (places, spots)]
            found.beyond = (
                BEYOND.format(name="leave", fair=random.choice(fair), places=where[0]),
                BEYOND.format(name="pass_by", fair=random.choice(fair[1:]), places=where[1]),
            )
        return found

    @property
    def places(self) -> int:
        return len(self.seen)

    def spec(self) -> type[Spec]:
        """It as a specification."""
        source = SOURCE.format(
            places=self.places - 1,
            spots=2,
            seen=self.seen,
            above="".join(act.written("Spot") for act in self.above) + self.beyond[1],
            below="".join(act.written("Place") for act in self.below) + self.beyond[0],
        )
        return load(source, "Below")


@pytest.mark.slow
def test_verdicts_are_those_of_the_definition() -> None:
    tally: Counter[str] = Counter()
    for seed in range(DRAWN):
        drawn = Drawn.of(seed)
        spec = drawn.spec()
        for act in drawn.above:
            outcome = check(only(spec, [f"{act.name}_is_fair"]), engine="reference")
            wanted = "holds" if expected(drawn.below, act, drawn.seen, drawn.places) else "violated"
            assert outcome.verdict == wanted, (seed, act, outcome)
            tally[f"{act.fair} {wanted}"] += 1
    assert len(tally) == 4 and min(tally.values()) > 5, tally


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, DRAWN // 3))
def test_the_native_engine_finds_the_same_lassos_and_says_the_same_of_bounds(
    begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all claims of the systems above, with all arguments, and of half as many where steps pass a bound, on one level or both."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    seeds = range(begin, begin + DRAWN // 3)
    drawn = [*map(Drawn.of, seeds), *(Drawn.of(seed, cuts=True) for seed in seeds[::2])]
    specs = [*(one.spec() for one in drawn), *((Queued, Stacked, Idle, RefinesRaising) if begin == 0 else ())]
    tally = compare_all([case(f"system {number}", spec) for number, spec in enumerate(specs)])
    assert tally["error"] == (begin == 0)
    assert tally["loop"] > 0 and min(tally[what] for what in ("holds", "unjudged", "stays")) > 10, tally
