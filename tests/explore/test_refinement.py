"""A refinement holds exactly if brute force over the explicit graph says so, in every engine; and it is shown on both levels."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Any

import pytest
from quorate import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    holds,
    init,
    invariant,
    mapping,
    record,
    require,
    violates,
)
from quorate.errors import SpecError, UsageError
from quorate.explore import check
from quorate.explore.limits import Cluster
from quorate.explore.simulate import simulate
from quorate.explore.traces.replay import replay
from quorate.language.system import Failure, System
from quorate.model import build
from quorate.model.verify import verify
from quorate.outcome import Outcome, Proven
from quorate.prove.fixed_bounds import Bounded
from quorate.prove.proof import prove
from quorate.prove.results import Task
from quorate.report.diagram import spacetime
from quorate.report.text import trace_text
from quorate.trace import Trace

from tests.costs import shares
from tests.explore.refinements import distance_of_violation, draw, tables

ENGINES = ("reference", "native")


class RM(Scalarset, size=2, prefix="rm"):
    """A participant."""


class State(Enum):
    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"


class Commit(Spec):
    """All commit, after all are prepared."""

    rm: dict[RM, State]

    @action
    def prepare(self, r: RM) -> None:
        require(self.rm[r] == State.WORKING)
        self.rm[r] = State.PREPARED

    @action
    def commit(self, r: RM) -> None:
        require(self.rm[r] == State.PREPARED and all(self.rm[s] != State.WORKING for s in RM))
        self.rm[r] = State.COMMITTED


class Coordinated(Spec):
    """A coordinator collects votes and tells everybody."""

    refines = Commit
    expect = holds()

    rm: dict[RM, State]
    votes: set[RM]
    decided: bool

    @action
    def vote(self, r: RM) -> None:
        require(self.rm[r] == State.WORKING)
        self.rm[r] = State.PREPARED
        self.votes.add(r)

    @action
    def decide(self) -> None:
        require(self.may_decide() and not self.decided)
        self.decided = True

    def may_decide(self) -> bool:
        return all(r in self.votes for r in RM)

    @action
    def obey(self, r: RM) -> None:
        require(self.decided)
        self.rm[r] = State.COMMITTED

    @mapping
    def refines_commit(self, abstract: Commit) -> None:
        """Each step is one of the commitment."""
        abstract.rm = self.rm


class OneVoteIsEnough(Coordinated):
    expect = violates("refines_commit")

    def may_decide(self) -> bool:
        return len(self.votes) > 0


class BeginsPrepared(Coordinated):
    expect = violates("refines_commit")

    @init
    def begin(self) -> None:
        for r in RM:
            self.rm[r] = State.PREPARED


class SomeBeginPrepared(Coordinated):
    expect = violates("refines_commit")

    @init
    def begin(self, some: set[RM]) -> None:
        for r in RM:
            self.rm[r] = State.PREPARED if r in some else State.WORKING


@pytest.mark.parametrize(
    "options", [{"engine": "reference"}, {"engine": "native", "guided": True}, {"cluster": Cluster()}]
)
@pytest.mark.parametrize("spec", [BeginsPrepared, SomeBeginPrepared])
def test_random_runs_that_begin_in_no_abstract_initial_state_are_violations(
    spec: type[Spec], options: dict[str, Any]
) -> None:
    found = simulate(spec, seed=1, runs=20, **options)
    assert found.violation is not None and found.violation.kind == "refinement" and len(found.violation.steps) == 0
    assert replay(found.violation, spec).reproduced


def steps_of(outcome: Outcome) -> int | str | None:
    """How many steps the violation has; None if there is none, the verdict if it is another."""
    if outcome.verdict in ("holds", "holds-within-bounds"):
        return None
    return len(outcome.trace.steps) if outcome.verdict == "violated" and outcome.trace is not None else outcome.verdict


@pytest.mark.parametrize("symmetry", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_that_is_none_of_the_abstract_specification_violates_it(engine: str, symmetry: bool) -> None:
    assert steps_of(check(Coordinated, engine=engine, symmetry=symmetry)) is None
    assert steps_of(check(OneVoteIsEnough, engine=engine, symmetry=symmetry)) == 3
    assert steps_of(check(BeginsPrepared, engine=engine, symmetry=symmetry)) == 0


@pytest.mark.parametrize("spec", [OneVoteIsEnough, BeginsPrepared])
def test_engines_count_alike_and_the_run_is_possible_again(spec: type[Spec]) -> None:
    one, other = (check(spec, engine=engine) for engine in ENGINES)
    assert one.trace == other.trace
    for field in ("states", "transitions", "depth", "actions"):
        assert getattr(one.statistics, field) == getattr(other.statistics, field)
    assert one.trace is not None and Trace.from_json(one.trace.to_json()) == one.trace
    assert replay(one.trace, spec).reproduced


def test_the_counterexample_shows_both_levels_side_by_side() -> None:
    trace = check(OneVoteIsEnough, engine="reference").trace
    assert trace is not None and trace.kind == "refinement" and trace.abstract is not None
    told = [line.partition("│")[2].strip() for line in trace_text(trace).splitlines() if "│" in line]
    assert told == [
        "Commit",
        "rm {rm1: WORKING, rm2: WORKING}",
        "prepare(r rm1)",
        "rm[rm1] WORKING → PREPARED",
        "",
        "unchanged",
        "",
        "✗ no step",
        "rm[rm1] PREPARED → COMMITTED",
    ]
    picture = spacetime(trace)
    assert "Commit: prepare(r rm1)" in picture and "no step of Commit" in picture


def test_a_refinement_is_proven_at_fixed_bounds_and_for_any_size() -> None:
    class Argued(Coordinated):
        @invariant
        def decided_after_all_votes(self, r: RM) -> bool:
            return not self.decided or r in self.votes

        @invariant
        def votes_are_kept(self, r: RM) -> bool:
            return r not in self.votes or self.rm[r] != State.WORKING

        @invariant
        def committed_when_decided(self, r: RM) -> bool:
            return self.rm[r] != State.COMMITTED or self.decided

        @invariant
        def voted_when_prepared(self, r: RM) -> bool:
            return self.rm[r] == State.WORKING or r in self.votes

    for any_size in (False, True):
        outcome = prove(Task(Argued, "argued", None, any_size=any_size)).outcome
        assert isinstance(outcome, Proven) and "refines_commit" in outcome.properties, outcome


class Ticks(Nat, max=2):
    """A number."""


class Anywhere(Spec):
    """Begins with any number: of initial states nothing is asked."""

    at: Ticks

    @init
    def begin(self, t: Ticks) -> None:
        self.at = t

    @action
    def rise(self) -> None:
        self.at += 1


class Falls(Spec):
    """A number that falls, as if it rose."""

    refines = Anywhere
    at: Ticks

    @init
    def begin(self, t: Ticks) -> None:
        self.at = t

    @action
    def fall(self) -> None:
        require(self.at > 0)
        self.at -= 1

    @mapping
    def as_anywhere(self, abstract: Anywhere) -> None:
        abstract.at = self.at


@pytest.mark.parametrize("any_size", [False, True])
def test_steps_are_not_taken_for_what_is_said_of_initial_states(any_size: bool) -> None:
    """Both have the name of the mapping, and what is said of initial states is true."""
    outcome = prove(Task(Falls, "falls", None, any_size=any_size)).outcome
    assert outcome.verdict == "violated" and outcome.property == "as_anywhere"


def test_bounded_checks_find_the_same_violations() -> None:
    for spec, steps in ((Coordinated, None), (OneVoteIsEnough, 3), (BeginsPrepared, 0)):
        model = build(spec)
        with model.system:
            found = Bounded(model).search(4, ["refines_commit"])
        assert (None if found is None else len(found.steps)) == steps


class Few(Nat, max=1):
    """Fewer numbers."""


class Clock(Spec):
    """Counts for ever."""

    ticks: Ticks

    @action
    def tick(self) -> None:
        self.ticks += 1


class Clocks(Spec):
    """Counts, and resets: a step that no bound of the clock hides."""

    refines = Clock
    few: Few

    @action
    def tick(self) -> None:
        require(self.few == 0)
        self.few += 1

    @action
    def reset(self) -> None:
        require(self.few == 1)
        self.few = Few(0)

    @mapping
    def refines_clock(self, abstract: Clock) -> None:
        abstract.ticks = Ticks(1 + self.few)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_abstract_step_that_passes_a_bound_is_none(engine: str) -> None:
    class Runs(Clocks):
        omits = ("reset",)

        @init
        def begin(self) -> None:
            self.few = Few(0)

        def above(self) -> Ticks:
            return Ticks(2 * self.few)

        @mapping
        def refines_clock(self, abstract: Clock) -> None:
            abstract.ticks = self.above()

    assert steps_of(check(Runs, engine=engine)) == 1  # 0 to 2 in one step
    assert steps_of(check(Clocks, engine=engine)) == 0  # begins with 1


def test_bounds_of_one_name_are_one_bound_and_those_of_the_abstract_specification_are_bounds() -> None:
    assert set(System(Clocks).bounds) == {"Few", "Ticks"}
    wide = System(Clocks.bounded(Ticks=5, Few=3))
    assert wide.abstract is not None and wide.abstract.bounds == {"Ticks": 5} and wide.bounds == {"Few": 3, "Ticks": 5}
    with pytest.raises(UsageError, match="Ticks"):
        Clocks.bounded(Tock=1)
    outcome = check(Clocks.bounded(Ticks=1), engine="reference")
    assert outcome.verdict == "violated"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mapped_value_beyond_its_bound_is_an_error(engine: str) -> None:
    class Beyond(Clocks):
        @mapping
        def refines_clock(self, abstract: Clock) -> None:
            abstract.ticks = Ticks(3 * self.few)

    outcome = check(Beyond, engine=engine)
    assert outcome.verdict == "error" and "passes the bound Ticks" in str(outcome)


@record
class Note:
    number: Few


class Post(Spec):
    """Sends notes, which may be lost."""

    wire: Network[Note] = Network(lossy=True)

    @action
    def send(self, n: Few) -> None:
        self.wire.send(Note(n))


class Poster(Spec):
    """Keeps a copy of each note."""

    refines = Post
    wire: Network[Note] = Network(lossy=True)
    kept: set[Few]

    @action
    def send(self, n: Few) -> None:
        self.wire.send(Note(n))
        self.kept.add(n)

    @action
    def send_all(self) -> None:
        require(len(self.kept) == 1)
        for n in Few:
            self.wire.send(Note(n))

    @mapping
    def refines_post(self, abstract: Post) -> None:
        abstract.wire = self.wire


@pytest.mark.parametrize("engine", ENGINES)
def test_messages_and_losses_are_steps_of_the_abstract_specification_too(engine: str) -> None:
    """Sending the other one of two notes is a step; sending both after the first was lost is none."""
    assert steps_of(check(Poster, engine=engine)) == 3

    class Careful(Poster):
        omits = ("send_all",)

    assert steps_of(check(Careful, engine=engine)) is None


# What is refused


def refused(body: str, head: str = "    refines = Above") -> str:
    source = f"""
from quorate import *

class Level(Nat, max=2):
    "A number."

class Above(Spec):
    n: Level
    m: Level
    @action
    def go(self) -> None:
        self.n += 1
    def low(self) -> bool:
        return self.n == 0

class Below(Spec):
{head}
    n: Level
    @action
    def go(self) -> None:
        self.n += 1
{body}
"""
    from tests.generated import load

    spec = load(source, "Below")
    with pytest.raises(SpecError) as error:
        build(spec)
    return str(error.value)


BOTH = "\n        abstract.n = self.n\n        abstract.m = self.n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("    pass", "refines Above, and no method says how"),
        ("    @mapping\n    def up(self) -> None:\n        pass", r"takes \(self, abstract: Above\)"),
        ("    @mapping\n    def up(self, abstract: Level) -> None:\n        pass", "'abstract' stands where"),
        (f"    @mapping\n    def up(self, abstract: Above, n: Level) -> None:{BOTH}", "a mapping has no parameters"),
        ("    @mapping\n    def up(self, abstract: Above) -> None:\n        abstract.n = self.n", "does not assign m"),
        (
            f"    @mapping\n    def up(self, abstract: Above) -> None:\n        if self.n == 0:\n            return{BOTH}",
            "does not assign n",
        ),
        (
            f"    @mapping\n    def up(self, abstract: Above) -> None:{BOTH}\n        self.n = Level(0)",
            "does not change",
        ),
        (
            f"    @mapping\n    def up(self, abstract: Above) -> None:{BOTH}\n        require(self.n == 0)",
            "guards actions",
        ),
        (
            "    @mapping\n    def up(self, abstract: Above) -> None:\n        abstract.n = self.n\n        abstract.k = self.n",
            "has no variable 'k'",
        ),
        (
            f"    @mapping\n    def up(self, abstract: Above) -> None:{BOTH}\n        abstract.m = Level(1 if abstract.low() else 0)",
            "its methods are not called here",
        ),
        (
            "".join(f"    @mapping\n    def {name}(self, abstract: Above) -> None:{BOTH}\n" for name in ("up", "on")),
            "more than one @mapping",
        ),
    ],
)
def test_what_is_no_mapping_is_refused(body: str, says: str) -> None:
    import re

    assert re.search(says, refused(body)), refused(body)


def test_a_mapping_without_a_specification_to_refine_is_refused() -> None:
    body = f"    @mapping\n    def up(self, abstract: Above) -> None:{BOTH}"
    assert "write `refines = ...`" in refused(body, head="    pass")


# Drawn


@pytest.mark.parametrize("seed", range(12))
def test_drawn_relations_refine_as_their_tables_say(seed: int) -> None:
    drawn = tables(seed)
    assert steps_of(check(drawn.spec(), engine="reference")) == drawn.distance()


def test_tables_are_drawn_of_every_kind() -> None:
    found = Counter(tables(seed).distance() for seed in range(100))
    assert found[None] > 10 and found[0] > 5 and found[1] > 3 and found[2] > 2


def agree(spec: type[Spec], wanted: int | None, symmetries: tuple[bool, ...] = (True, False)) -> None:
    verify(build(spec))
    for engine in ENGINES:
        for symmetry in symmetries:
            assert steps_of(check(spec, engine=engine, symmetry=symmetry)) == wanted, (engine, symmetry)
    model = build(spec)
    with model.system:
        found = Bounded(model, 30.0).search(3, ["refines_it"])
    assert (None if found is None else len(found.steps)) == (wanted if wanted is None or wanted <= 3 else None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", shares(20, 1, deep=0.5))
def test_all_engines_agree_on_drawn_relations(seed: int) -> None:
    drawn = tables(100 + seed)
    agree(drawn.spec(), drawn.distance(), (True,))


def drawn_specifications(count: int) -> list[Any]:
    """So many drawn refinements that hold, and so many that do not, with what brute force says of them."""
    found: dict[bool, list[Any]] = {True: [], False: []}
    seed = 0
    while min(map(len, found.values())) < count:
        seed += 1
        try:
            drawn = draw(seed)
            distance = distance_of_violation(drawn)
        except (Failure, LookupError, SpecError):
            continue
        found[distance is None].append((drawn, distance))
    return [*found[True][:count], *found[False][:count]]


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, pytest.param(5, marks=pytest.mark.deep)])
def test_all_engines_agree_on_drawn_specifications(count: int) -> None:
    """With the whole language: networks, unions, loops, methods, variants. A specification refines itself, and often not itself
    without one of its actions."""
    for drawn, distance in drawn_specifications(count):
        agree(drawn.refined, distance)
