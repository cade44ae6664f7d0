"""One small specification for each thing the reference engine promises."""

from __future__ import annotations

import random
from enum import Enum
from typing import Annotated, Self

import networkx
import pytest
from quorate import (
    Bag,
    Nat,
    Network,
    Ordered,
    Scalarset,
    Spec,
    action,
    eventually,
    init,
    invariant,
    lemma,
    reachable,
    record,
    require,
    step,
    terminal,
    up_to,
    violates,
)
from quorate.errors import SpecError, UsageError
from quorate.explore import as_expected, check
from quorate.explore.choices import Choices, collections_of
from quorate.explore.every import check_all, check_expected
from quorate.explore.graph import state_graph
from quorate.explore.simulate import simulate
from quorate.explore.symmetry import affordable
from quorate.language.system import System
from quorate.outcome import Failed, Holds, HoldsWithinBounds, NotJudged, Outcome, Violated
from quorate.report.problems import problems_of
from quorate.trace import Trace


class Node(Scalarset, size=2):
    pass


class Count(Nat, max=3):
    pass


class Rank(Ordered, size=3):
    pass


@record
class Token:
    source: Node
    target: Node
    hops: Count


def trace(outcome: Outcome) -> Trace:
    assert isinstance(outcome, Violated | Failed) and outcome.trace is not None, outcome
    return outcome.trace


class Counter(Spec):
    """Counts to its bound."""

    count: dict[Node, Count]

    @action
    def up(self, n: Node) -> None:
        self.count[n] += 1


class Small(Counter):
    @invariant
    def never_beyond(self) -> bool:
        return all(self.count[n] <= 3 for n in Node)


class Bounded(Counter):
    @reachable
    def far(self) -> bool:
        """Beyond the bound, where the search cannot look."""
        return any(self.count[n] > 3 for n in Node)


class Racing(Counter):
    expect = violates("apart")

    @invariant
    def apart(self, a: Node, b: Node) -> bool:
        """No node is two ahead of another."""
        return self.count[a] < self.count[b] + 2


class Jumping(Counter):
    @action
    def jump(self, n: Node) -> None:
        require(self.count[n] == 1)
        self.count[n] = Count(3)

    @step
    def one_at_a_time(self, old: Self, n: Node) -> bool:
        """A count goes up by one."""
        return self.count[n] <= old.count[n] + 1

    @lemma
    def small(self) -> bool:
        return all(self.count[n] <= 3 for n in Node)


class Stuck(Counter):
    @action
    def up(self, n: Node) -> None:
        require(self.count[n] < 2)
        self.count[n] += 1

    @terminal
    def done(self) -> bool:
        return False


class StuckAndWrong(Stuck):
    @invariant
    def unfinished(self) -> bool:
        return not all(self.count[n] == 2 for n in Node)


class CutNotStuck(Counter):
    @terminal
    def done(self) -> bool:
        return False


class Raising(Counter):
    @action
    def divide(self, n: Node) -> None:
        require(self.count[n] == 2)
        self.count[n] = Count(1 // (self.count[n] - 2))


class RaisingInvariant(Counter):
    @invariant
    def careless(self, n: Node) -> bool:
        return 6 // (self.count[n] - 2) < 9


class NotABool(Counter):
    @invariant
    def forgets(self) -> bool:
        return None  # type: ignore[return-value]


class NoStart(Counter):
    @init
    def start(self, n: Node) -> None:
        require(self.count[n] > 0)


class Idle(Counter):
    @action
    def never(self, n: Node) -> None:
        require(self.count[n] > 9)
        self.count[n] = Count(0)


def test_cuts_are_counted_by_bound_and_the_verdict_says_so() -> None:
    outcome = check(Small)
    assert isinstance(outcome, HoldsWithinBounds)
    assert (outcome.statistics.states, outcome.statistics.cuts) == (10, {"Count": 5})
    assert outcome.statistics.depth == 6 and outcome.symmetry == ("Node",)


def test_a_goal_beyond_the_bounds_is_not_reached_and_the_reason_names_the_bounds() -> None:
    outcome = check(Bounded)
    assert isinstance(outcome, NotJudged) and outcome.exit_code == 3
    (far,) = outcome.judgements
    assert (far.property, far.kind, far.status) == ("far", "reachable", "not-reached")
    assert "transitions were cut (Count 5)" in far.reason


def test_without_properties_nothing_is_said_to_hold() -> None:
    outcome = check(Counter)
    assert isinstance(outcome, NotJudged) and outcome.exit_code == 3 and "declares no property" in outcome.reason


def test_an_invariant_is_quantified_over_its_parameters_which_are_the_witnesses() -> None:
    outcome = check(Racing)
    found = trace(outcome)
    assert (found.kind, found.property, len(found)) == ("invariant", "apart", 2)
    witnesses = {witness.name: witness.value for witness in found.witnesses}
    assert witnesses["a"] == "n1" and witnesses["b"] == "n2"
    assert witnesses["count[n1]"] == 2 and as_expected(Racing, outcome)


def test_a_step_property_is_checked_on_the_transition_under_symmetry_too() -> None:
    for symmetry in (True, False):
        found = trace(check(Jumping, symmetry=symmetry))
        assert (found.kind, found.property) == ("step", "one_at_a_time")
        assert [move.action for move in found.steps] == ["up", "jump"]
        assert {"old.count[n1]": 1, "count[n1]": 3}.items() <= {w.name: w.value for w in found.witnesses}.items()


def test_a_deadlock_comes_before_an_invariant_violation_found_on_the_same_level() -> None:
    assert (trace(check(Stuck)).kind, len(trace(check(Stuck)))) == ("deadlock", 4)
    assert trace(check(StuckAndWrong)).kind == "invariant"
    assert isinstance(check(CutNotStuck), HoldsWithinBounds), "a cut transition is not a deadlock"


@pytest.mark.parametrize("symmetry", [True, False])
def test_an_exception_in_an_action_is_an_error_with_the_run_that_reaches_it(symmetry: bool) -> None:
    outcome = check(Raising, symmetry=symmetry)
    assert isinstance(outcome, Failed) and outcome.exit_code == 2
    assert "ZeroDivisionError" in outcome.message and "1 // (self.count[n] - 2)" in outcome.message
    assert [move.action for move in trace(outcome).steps] == ["up", "up", "divide"]


def test_what_was_found_before_an_error_is_kept() -> None:
    class Climbs(Spec):
        level: Count

        @action
        def climb(self) -> None:
            assert self.level < 2
            self.level += 1

        @invariant
        def low(self) -> bool:
            return self.level < 1

        @invariant
        def lower(self) -> bool:
            return self.level < 2

    outcome = check_all(Climbs, engine="reference")
    assert isinstance(outcome, Failed)
    assert [(one.property, one.status, len(one.trace or ())) for one in outcome.judgements] == [
        ("low", "violated", 1),
        ("lower", "violated", 2),
    ]
    assert [method.name for method in outcome.methods] == ["climb", "low", "lower"]
    assert [problem.rule.id.rpartition(".")[2] for problem in problems_of(outcome)] == ["low", "lower", "error"]


def test_an_error_is_none_of_what_is_announced() -> None:
    """A goal that no state satisfies is known to be violated before a property of runs raises an error."""

    class Raises(Spec):
        expect = violates("high")
        level: Count
        log: list[Count]

        @action
        def climb(self) -> None:
            require(self.level < 2)
            self.level += 1

        @reachable
        def high(self) -> bool:
            return self.level == 3

        @eventually
        def logged(self) -> bool:
            return self.level == 1 and self.log[0] == 1

    outcome = check_expected(Raises, engine="reference")
    assert isinstance(outcome, Failed) and outcome.violated == ("high",)
    assert not as_expected(Raises, outcome)


def test_an_exception_in_an_invariant_is_an_error_with_the_run_that_reaches_it() -> None:
    outcome = check(RaisingInvariant)
    assert isinstance(outcome, Failed) and len(trace(outcome)) == 2 and trace(outcome).property == "careless"


def test_a_property_must_return_a_bool() -> None:
    outcome = check(NotABool)
    assert isinstance(outcome, Failed) and "must return True or False, and returned None" in outcome.message


def test_no_initial_state_is_an_error() -> None:
    outcome = check(NoStart)
    assert isinstance(outcome, Failed) and "has no initial state" in outcome.message


def test_an_action_that_never_fires_is_a_note() -> None:
    assert check(Idle).notes == ("the action never never fired",)


# Choices


class Phase(Enum):
    IDLE = 0
    BUSY = 1


class Ring(Spec):
    """Passes a token around a ring; messages range over the network, not over their type."""

    phase: dict[Node, Phase]
    history: Annotated[list[Count], up_to(3)]
    network: Bag[Token] = Bag(lossy=True, capacity=2)

    @init
    def start(self, n: Node) -> None:
        self.phase[n] = Phase.BUSY

    @action
    def send(self, a: Node, b: Node) -> None:
        """Hand the token on."""
        require(self.phase[a] == Phase.BUSY and a != b)
        self.phase[a] = Phase.IDLE
        self.network.send(Token(a, b, Count(0)))

    @action
    def receive(self, m: Token) -> None:
        require(m in self.network and self.phase[m.target] == Phase.IDLE)
        self.network.receive(m)
        self.phase[m.target] = Phase.BUSY

    @invariant
    def one_token(self) -> bool:
        return len(self.network) + sum(1 for n in Node if self.phase[n] == Phase.BUSY) <= 1

    @reachable
    def lost(self) -> bool:
        return len(self.network) == 0 and all(self.phase[n] == Phase.IDLE for n in Node)


def test_leading_requires_give_the_collections_to_range_over() -> None:
    system = System(Ring)
    names = {action.name: set(collections_of(action)) for action in system.actions}
    assert names == {"send": set(), "receive": {"m"}, "lose": {"message"}}


def test_choices_from_a_collection_and_from_the_type_enable_the_same_instances() -> None:
    system = System(Ring)
    with system:
        state = next(state for _, state in system.initial())
        send = system.action("send")
        for arguments in system.choices(send.parameters):
            sent = system.fire(state, send, arguments)
            if sent is None:
                continue
            receive = system.action("receive")
            ranged = list(Choices(system, receive)(sent.state))
            every = [
                chosen for chosen in system.choices(receive.parameters) if system.fire(sent.state, receive, chosen)
            ]
            assert ranged == every and len(every) == 1


def test_a_lossy_network_loses_and_the_loss_is_drawn() -> None:
    outcome = check(Ring)
    assert isinstance(outcome, Holds) and outcome.statistics.actions["lose"] > 0


class Wide(Spec):
    seen: dict[Node, Count]

    @action
    def guess(
        self, a: tuple[Count, Count, Count, Count, Count], b: tuple[Count, Count, Count, Count, Count, Count]
    ) -> None:
        require(a[0] == b[0])
        self.seen = dict.fromkeys(Node, a[0])


def test_too_many_arguments_are_refused_with_advice() -> None:
    with pytest.raises(SpecError, match=r"require\(m in self.network\)"):
        check(Wide)


class Many(Scalarset, size=12):
    pass


class ManyNodes(Spec):
    inside: set[Many]

    @action
    def enter(self, m: Many) -> None:
        self.inside.add(m)


def test_a_sort_with_too_many_permutations_is_left_out_with_a_note() -> None:
    system = System(ManyNodes)
    with system:
        sorts, notes = affordable(system, (Many,))
    assert sorts == () and "12 members have too many permutations" in notes[0]


class TieBreaking(Spec):
    """Compares interchangeable identities by their internals, which the typed model does not accept."""

    first: Node | None

    @action
    def choose(self, n: Node) -> None:
        require(n.index == 0)
        self.first = n


def test_a_specification_outside_the_model_is_explored_without_symmetry_and_says_so() -> None:
    outcome = check(TieBreaking, engine="reference")
    assert outcome.symmetry == () and any("no symmetry reduction" in note for note in outcome.notes)


# Random runs and the state graph


def test_random_runs_are_repeatable_and_find_a_violation() -> None:
    first, second = (simulate(Racing, seed=7, runs=50, length=6) for _ in range(2))
    assert first == second and first.violation is not None and first.violation.property == "apart"
    state = random.getstate()
    simulate(Racing, seed=8)
    assert random.getstate() == state, "simulation must not touch the global generator"


def test_a_random_run_without_violation_is_a_trace_of_its_own() -> None:
    found = simulate(Ring, seed=1, length=10)
    assert found.violation is None and found.last is not None and found.last.kind == "run"


def test_the_state_graph_is_a_networkx_graph() -> None:
    graph = state_graph(Counter)
    assert len(graph) == 16 and graph.nodes[0]["initial"] and graph.nodes[0]["label"]["count"]
    assert networkx.is_directed_acyclic_graph(graph)
    assert len(state_graph(Counter, symmetry=True)) == 10
    with pytest.raises(UsageError, match="more than 5 states"):
        state_graph(Counter, states_max=5)


class Talk(Spec):
    """Says and hears on a network that keeps its messages."""

    heard: dict[Node, Count]
    network: Network[Token]

    @action
    def say(self, a: Node, b: Node) -> None:
        require(a != b)
        self.network.send(Token(a, b, self.heard[a]))

    @action
    def hear(self, m: Token) -> None:
        require(m in self.network)
        self.heard[m.target] += 1

    @action(mark="loss")
    def vanish(self, m: Token) -> None:
        require(m in self.network)
        self.network.drop(m)

    @invariant
    def few(self) -> bool:
        return all(self.heard[n] < 2 for n in Node)


def test_a_message_that_is_heard_twice_is_the_same_message_and_a_copy() -> None:
    found = trace(check(Talk))
    assert [move.action for move in found.steps] == ["say", "hear", "hear"]
    once, twice = found.steps[1].received[0], found.steps[2].received[0]
    assert (once.id, once.copy, twice.id, twice.copy) == ("m1", False, "m1", True)
    assert found.lanes == ("n1", "n2") and [move.lane for move in found.steps] == ["n1", "n2", "n2"]
    assert found.steps[2].changes[0].relevant


class Overheard(Talk):
    lanes = ("porter", Node, "street")

    @action(lane="attic")
    def nothing(self) -> None:
        require(len(self.network) > 99)


def test_the_lanes_are_in_the_order_in_which_the_spec_names_them() -> None:
    assert trace(check(Overheard)).lanes == ("porter", "n1", "n2", "street", "attic")


def test_a_message_sent_again_after_its_loss_is_a_new_one() -> None:
    from quorate.explore.engine import Finding
    from quorate.explore.traces.tracing import trace as traced

    system = System(Talk)
    with system:
        one, two = Node.members()
        say, vanish = system.action("say"), system.action("vanish")
        token = Token(one, two, Count(0))
        steps = ((say, (one, two)), (say, (one, two)), (vanish, (token,)), (say, (one, two)))
        found = traced(system, Finding("run", None, (), steps), "talk", None)
    assert [[message.id for message in move.sent] for move in found.steps] == [["m1"], [], [], ["m2"]]
    assert [message.id for message in found.steps[2].lost] == ["m1"] and found.steps[2].lane == "net"


class Unmet(Spec):
    """A goal that cannot be asked, where an invariant is false after as many steps."""

    left: Count
    log: list[Count]

    @action
    def up(self) -> None:
        require(self.left < 2)
        self.left += 1

    @invariant
    def none(self) -> bool:
        return self.left < 1

    @reachable
    def begun(self) -> bool:
        return self.left == 0 or self.log[0] == 1

    @reachable
    def logged(self) -> bool:
        return self.left == 1 and self.log[0] == 1


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_a_goal_that_raises_an_error_is_not_reached(engine: str) -> None:
    found = check(Unmet, engine=engine)
    assert isinstance(found, Violated)
    assert {one.property: one.status for one in found.judgements} == {
        "none": "violated",
        "begun": "holds",
        "logged": "not-judged",
    }


class Unended(Spec):
    """A goal that no state satisfies, and runs that there may be no time to judge."""

    left: Count

    @action(fair="weak")
    def up(self) -> None:
        require(self.left < 3)
        self.left += 1

    @reachable
    def beyond(self) -> bool:
        return self.left < 0

    @eventually
    def ends(self) -> bool:
        return self.left == 3

    @terminal
    def over(self) -> bool:
        return self.left == 3


def test_a_goal_out_of_reach_is_violated_whether_or_not_runs_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    from quorate.explore import liveness
    from quorate.explore.engine import Lasting

    whole = check(Unended, engine="reference")
    monkeypatch.setattr(liveness, "explore", lambda *_: Lasting(0, 0, stopped="the limit is reached"))
    ended = check(Unended, engine="reference")
    assert whole.violated == ended.violated == ("beyond",)
    assert isinstance(whole, Violated) and isinstance(ended, Violated)
    assert {one.property: one.status for one in ended.judgements}["ends"] == "not-judged"


def test_where_states_may_end_is_not_asked_for_if_it_is_said_but_not_judged() -> None:
    assert not any("say so with @terminal" in note for note in check_all(Unended).notes)
