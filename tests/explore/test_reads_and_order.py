"""What the steps of a trace read is told, and of the shortest runs one with few changes of process is shown."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import pytest
from quorate import Nat, Network, Scalarset, Spec, action, holds, init, invariant, record, require
from quorate.explore import check
from quorate.outcome import Violated
from quorate.report.causality import causes
from quorate.trace import Trace


class P(Scalarset, size=3):
    """p"""


class N(Nat, max=6):
    """n"""


def violated(spec: type[Spec], **options: object) -> Trace:
    outcome = check(spec, **options)  # type: ignore[arg-type]
    assert isinstance(outcome, Violated) and outcome.trace is not None
    return outcome.trace


class Lease(Spec):
    """A clock that no lane owns lets a lease pass on while its owner is inside."""

    now: N
    until: N
    owner: P | None
    inside: set[P]
    bored: dict[P, bool]

    @action
    def tick(self) -> None:
        self.now += 1

    @action
    def lend(self, p: P) -> None:
        require(self.owner is None or self.now >= self.until)
        self.owner = p
        self.until = N(self.now + 2)

    @action
    def enter(self, p: P) -> None:
        require(self.owner == p and self.now < self.until)
        self.inside.add(p)

    @invariant
    def one(self, a: P, b: P) -> bool:
        return a == b or a not in self.inside or b not in self.inside


def test_what_lets_a_guard_be_true_is_a_cause_though_it_is_only_read() -> None:
    trace = violated(Lease)
    ticks = {step.index for step in trace.steps if step.action == "tick"}
    past = causes(trace).past
    assert past is not None and len(ticks) == 2 and ticks <= past


class Aside(Lease):
    """Somebody yawns before the other things can happen, and nobody looks."""

    @action
    def yawn(self, p: P) -> None:
        require(not self.bored[p])
        self.bored[p] = True

    @action
    def lend(self, p: P) -> None:
        require(self.owner is None or self.now >= self.until)
        self.owner = p
        self.until = N(self.now + 1)


def test_what_nobody_reads_is_outside() -> None:
    from quorate.explore.engine import Finding
    from quorate.explore.traces.tracing import trace
    from quorate.language.system import System

    system = System(Aside)
    with system:
        a, b, _ = P.members()
        action = system.action
        steps = (
            (action("lend"), (a,)),
            (action("yawn"), (a,)),
            (action("enter"), (a,)),
            (action("yawn"), (b,)),
            (action("tick"), ()),
            (action("lend"), (b,)),
            (action("enter"), (b,)),
        )
        made = trace(system, Finding("invariant", system.of("invariant")[0], (), steps, (a, b)), "Aside", None)
    assert causes(made).past == {1, 3, 5, 6, 7}
    assert made.steps[0].reads == (("owner",), ("now",))
    assert made.steps[1].reads == (("bored", repr(a)),)


@record
class Vote:
    source: P
    target: P


class Votes(Spec):
    """Two votes on the wire are too many, whoever receives them."""

    net: Network[Vote]
    seen: dict[P, bool]

    @action
    def vote(self, p: P, q: P) -> None:
        require(p != q)
        self.net.send(Vote(p, q))

    @action
    def look(self, p: P) -> None:
        require(any(vote.target == p for vote in self.net) and not self.seen[p])
        self.seen[p] = True

    @invariant
    def no_cycle(self, a: P, b: P) -> bool:
        return Vote(a, b) not in self.net or Vote(b, a) not in self.net

    @invariant
    def unseen(self) -> bool:
        return not all(self.seen[p] for p in P)


def test_the_steps_that_sent_what_the_property_reads_on_the_wire_are_decisive() -> None:
    trace = violated(Votes)
    assert trace.looked_at == ("m1", "m2") or set(trace.looked_at) == {"m1", "m2"}
    assert causes(trace).decisive == {1, 2}


def test_a_trace_is_the_same_after_being_stored_and_one_that_tells_no_reads_can_be_loaded() -> None:
    trace = violated(Votes)
    assert Trace.from_json(trace.to_json()) == trace
    old = trace.to_json()
    for name in ("given", "looked_at"):
        del old[name]
    for step in old["steps"]:
        del step["reads"], step["looked_at"]
    assert Trace.from_json(old).steps[0].reads is None


class Begins(Votes):
    """The first state is not all zeros."""

    expect = holds()

    @init
    def begin(self, p: P) -> None:
        self.seen[p] = True


def test_what_init_sets_is_told_by_lane() -> None:
    trace = violated(Begins)
    assert [(change.variable, change.lane, change.old, change.new) for change in trace.given] == [
        ("seen", trace.given[0].lane, False, True)
    ]


# The order of independent steps


class Switches(Spec):
    """Three processes that have nothing to do with each other."""

    pc: dict[P, N]

    @action
    def first(self, p: P) -> None:
        require(self.pc[p] == 0)
        self.pc[p] = N(1)

    @action
    def second(self, p: P) -> None:
        require(self.pc[p] == 1)
        self.pc[p] = N(2)

    @invariant
    def not_all(self) -> bool:
        return not all(self.pc[p] == 2 for p in P)


def switches(trace: Trace) -> int:
    return sum(one.lane != other.lane for one, other in pairwise(trace.steps))


class Handed(Spec):
    """Each turn waits for the other process: no order but one is possible."""

    bounds: ClassVar[dict[str, int]] = {"P": 2}
    turn: P | None
    count: N

    @action
    def take(self, p: P) -> None:
        require(self.turn != p)
        self.turn = p
        self.count += 1

    @invariant
    def few(self) -> bool:
        return self.count < 5


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("symmetry", [True, False])
def test_of_the_shortest_runs_one_stays_with_a_process_as_long_as_it_can(engine: str, symmetry: bool) -> None:
    trace = violated(Switches, engine=engine, symmetry=symmetry)
    assert (len(trace), switches(trace)) == (6, 2)


def test_engines_and_workers_show_the_same_run() -> None:
    reference = violated(Switches, engine="reference", symmetry=False)
    for workers in (1, 2):
        native = violated(Switches, engine="native", symmetry=False, workers=workers)
        assert native.steps == reference.steps


def test_steps_that_wait_for_each_other_keep_their_order() -> None:
    trace = violated(Handed)
    assert (len(trace), switches(trace)) == (5, 4)
