"""What footprints promise, held against runs of the interpreter: nothing outside them changes, and independent transitions commute."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from quorate.explore.native.render.groups import Groups
from quorate.explore.native.render.ranging import opening
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System
from quorate.loading import load as load_spec
from quorate.loading import names
from quorate.model.abstract import Exactly, Some
from quorate.model.accesses import Access, Way
from quorate.model.build import build
from quorate.model.footprints import footprint
from quorate.model.interpret import Interpreter
from quorate.model.nodes import Action, Model, Op

from tests.generated import load, write

STATES = 80
CUT = "cut"

Transition = tuple[int, Action, tuple[Any, ...]]


class Explored:
    """The first states of a model, breadth first, with the transitions that each allows, by group."""

    def __init__(self, system: System) -> None:
        self.model: Model = build(system)
        self.groups = Groups(self.model, symmetric=False)
        self.interpreter = Interpreter(self.model)
        self.states = self._first_states(system)

    def _first_states(self, system: System) -> list[State]:
        found = dict.fromkeys(state for _, state in system.initial())
        for state in (queue := list(found)):
            for transition in self.transitions(state):
                following = self.fire(state, transition)
                if following is not None and following is not CUT and following not in found and len(found) < STATES:
                    found[following] = None
                    queue.append(following)
        return list(found)[:STATES]

    def transitions(self, state: State) -> Iterator[Transition]:
        """All that an action may try in a state."""
        for number, action in enumerate(self.model.actions):
            for arguments in self.interpreter.choices(state, action):
                yield self.group(number, action, arguments), action, arguments

    def group(self, number: int, action: Action, arguments: tuple[Any, ...]) -> int:
        """The group of an action with these arguments."""
        place = 0
        values = dict(zip((name for name, _ in action.parameters), arguments, strict=True))
        for split in self.groups.splits[number]:
            value = values[split.parameter] if split.field is None else getattr(values[split.parameter], split.field)
            place = place * split.kind.cardinality + split.kind.encode(value)
        return self.groups.first[number] + place

    def fire(self, state: State, transition: Transition) -> Any:
        """The next state, None if disabled, CUT if a bound is passed."""
        try:
            return self.interpreter.fire(state, *transition[1:])
        except Cut:
            return CUT

    def room(self, state: State) -> bool:
        """Whether no capacity is near."""
        held = dict(zip((variable.name for variable in self.model.variables), state, strict=True))
        kinds = {variable.name: variable.type for variable in self.model.variables}
        return all(len(held[name]) + needed <= kinds[name].capacity for name, needed in self.groups.room.items())


def check_commuting(explored: Explored) -> int:
    """Independent transitions, taken in both orders from each state where both are possible; how many pairs there were."""
    pairs = 0
    for state in explored.states:
        if not explored.room(state):
            continue
        taken = [
            (step, following)
            for step in explored.transitions(state)
            if (following := explored.fire(state, step)) is not None and following is not CUT
        ]
        for (a, after_a), (b, after_b) in itertools.permutations(taken, 2):
            if explored.groups.independent[a[0]] >> b[0] & 1:
                pairs += 1
                one = explored.fire(after_a, b)
                assert one is not None and one == explored.fire(after_b, a), (a, b, state)
        for a, after_a in taken:
            reachable = {
                step for step in explored.transitions(after_a) if explored.groups.independent[a[0]] >> step[0] & 1
            }
            enabled = {step[1:] for step, _ in taken}
            for step in reachable:
                if step[1:] not in enabled:
                    assert explored.fire(after_a, step) is None or explored.fire(state, step) is not None, (
                        a,
                        step,
                        state,
                    )
    return pairs


def check_changes(explored: Explored) -> None:
    """A transition changes only variables that its footprint may change; an invariant that none of its reads meets keeps its value."""
    names_ = [variable.name for variable in explored.model.variables]
    properties = explored.model.of("invariant", "lemma")
    to_check = [explored.groups.to_check(prop) for prop in properties]
    for state in explored.states:
        for step in explored.transitions(state):
            following = explored.fire(state, step)
            if following is None or following is CUT:
                continue
            allowed = {access.variable for access in explored.groups.footprints[step[0]] if access.way is not Way.READ}
            assert {name for name, old, new in zip(names_, state, following, strict=True) if old != new} <= allowed
            for prop, (wanted, apart) in zip(properties, to_check, strict=True):
                for arguments in itertools.product(*(kind.values() for _, kind in prop.parameters)):
                    instance = 0
                    for (_, kind), argument in zip(prop.parameters[:apart], arguments, strict=False):
                        instance = instance * kind.cardinality + kind.encode(argument)
                    if not wanted[step[0]] >> instance & 1:
                        before = explored.interpreter.evaluate(prop, state, arguments)
                        assert explored.interpreter.evaluate(prop, following, arguments) == before, (
                            prop.name,
                            step,
                            state,
                        )


@pytest.mark.parametrize("name", names())
def test_footprints_of_the_library(name: str) -> None:
    system = System(load_spec(name).main)
    with system:
        explored = Explored(system)
        check_changes(explored)
        assert check_commuting(explored) > 0 or not explored.groups.sleep


@pytest.mark.parametrize("seed", range(40))
def test_footprints_of_drawn_specs(seed: int) -> None:
    system = System(load(write(70_000 + seed)))
    with system:
        try:
            explored = Explored(system)
            check_changes(explored)
            check_commuting(explored)
        except Failure:
            pytest.skip("an error in the drawn spec ends its run")


def test_a_step_of_one_node_is_independent_of_anothers() -> None:
    system = System(load_spec("two_phase_commit").main)
    with system:
        model = build(system)
        prepare = next(action for action in model.actions if action.name == "prepare")
        ((name, kind),) = prepare.parameters
        first, second = (footprint(model, prepare.body, {name: Exactly(kind.decode(i))}) for i in (0, 1))
        anyone = footprint(model, prepare.body, {name: Some(kind)})
    assert not any(a.conflicts(b) for a in first for b in second)
    assert any(a.conflicts(b) for a in first for b in first)
    assert any(a.conflicts(b) for a in first for b in anyone)
    assert {access.variable for access in first if access.way is Way.ADD} == {"network"}


def test_adding_to_one_set_commutes_and_reading_its_size_does_not() -> None:
    add, again = (Access(Way.ADD, "seen", (), Exactly(i)) for i in (1, 2))
    size, member = Access(Way.READ, "seen"), Access(Way.READ, "seen", (), Exactly(1))
    assert not add.conflicts(again) and not add.conflicts(add)
    assert add.conflicts(size) and add.conflicts(member) and not again.conflicts(member)
    assert Access(Way.WRITE, "log", (Exactly(1),)).conflicts(Access(Way.READ, "log"))
    assert not Access(Way.WRITE, "log", (Exactly(1),)).conflicts(Access(Way.READ, "log", (Exactly(2),)))


def test_a_transition_of_a_server_concerns_instances_that_name_it() -> None:
    system = System(load_spec("raft").main)
    with system:
        model = build(system)
        groups = Groups(model, symmetric=False)
        rows, apart = groups.to_check(next(prop for prop in model.properties if prop.name == "votes_bind"))
        first = groups.first[next(i for i, action in enumerate(model.actions) if action.name == "time_out")]
    assert apart == 2, "by term and voter; which candidate makes no difference"
    voters = [{bit % 3 for bit in range(9) if row >> bit & 1} for row in rows[first : first + 3]]
    assert voters == [{0}, {1}, {2}]


def test_an_action_does_not_ask_again_for_the_message_that_it_was_called_with() -> None:
    system = System(load_spec("raft").main)
    with system:
        action = next(action for action in build(system).actions if action.name == "handle_append")
    guards, rest = opening(action)
    assert len(guards) == 2, "another server's message, of no older term"
    assert not any(part.op is Op.IN for guard in guards for part in guard.condition.walk())
    assert len(rest) == len(action.body) - 2, "neither the guard nor the reception of what stays in the network"
