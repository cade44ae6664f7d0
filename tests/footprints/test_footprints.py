"""What footprints promise, held against runs: of CPython, of both orders of independent steps, of invariants that need no look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from quorate import Spec, action
from quorate.explore.native import library
from quorate.explore.native.render import groups as grouping
from quorate.explore.native.render.groups import Apart, Groups
from quorate.explore.native.render.ranging import opening
from quorate.language.system import System
from quorate.loading import load as load_spec
from quorate.loading import names
from quorate.model.abstract import Answer, Built, Exactly, Some
from quorate.model.accesses import Access, Way
from quorate.model.build import build
from quorate.model.footprints import _Run, footprint
from quorate.model.nodes import Op

from tests.costs import shares
from tests.footprints.checks import check_all, check_drawn
from tests.footprints.recording import recorded_action
from tests.footprints.test_spared_work import AsksWhetherNoted, Level
from tests.native.agreement import QUICK_FLAGS, compare

DRAWN, BATCH, STATES = 300, 50, 6


@pytest.mark.library
@pytest.mark.parametrize("name", names())
def test_footprints_of_the_library(name: str) -> None:
    tally = check_all(System(load_spec(name).main), 8)
    assert tally["accesses"] > 300


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(DRAWN, BATCH))
def test_footprints_of_drawn_specs(begin: int) -> None:
    """`tests/README.md` tells of a deeper run."""
    tally = sum((check_drawn(seed, STATES) for seed in range(70_000 + begin, 70_000 + begin + BATCH)), Counter())
    assert tally["specs"] > BATCH / 2 and min(tally["pairs in both orders"], tally["evaluations spared"]) > 0


def test_a_footprint_that_is_too_small_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If "maybe" is taken for "surely", or if reads or changes are left out."""
    system = System(AsksWhetherNoted)
    check_all(system)
    with monkeypatch.context() as patched, pytest.raises(AssertionError, match="quiet"):
        patched.setattr(Answer, "certain", property(lambda answer: answer.possible))
        check_all(system)
    for way in (Way.READ, Way.WRITE):
        with monkeypatch.context() as patched, pytest.raises(AssertionError):
            patched.setattr(_Run, "note", _noting_all_but(way))
            check_all(System(load_spec("raft_election").main))


def _noting_all_but(left_out: Way) -> Callable[..., None]:
    plain = _Run.note

    def note(self: _Run, way: Way, *arguments: Any) -> None:
        if way is not left_out:
            plain(self, way, *arguments)

    return note


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
    assert apart == Apart(2), "by term and voter; which candidate makes no difference"
    voters = [{bit % 3 for bit in range(9) if row >> bit & 1} for row in rows[first : first + 3]]
    assert voters == [{0}, {1}, {2}]


@pytest.fixture
def few_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter with more than three values does not tell instances apart."""
    monkeypatch.setattr(grouping, "FIRST_MAX", 3)
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


@pytest.mark.usefixtures("few_instances")
def test_of_a_message_with_many_values_the_first_fields_tell_instances_apart() -> None:
    system = System(load_spec("paxos").main)
    with system:
        model = build(system)
        promises_are_kept = next(prop for prop in model.properties if prop.name == "promises_are_kept")
        rows, apart = Groups(model, symmetric=False).to_check(promises_are_kept)
    assert apart == Apart(fields=1), "by acceptor"
    assert all(row.bit_length() <= 3 for row in rows) and len(set(rows)) > 3


@pytest.mark.slow
@pytest.mark.usefixtures("few_instances")
def test_no_instance_that_a_field_tells_apart_is_passed_over() -> None:
    assert compare(load_spec("paxos").variant("HalfIsEnough")) == ["plain", "violation", "symmetry", "violation"]
    tally = check_all(System(load_spec("paxos").main), 5)
    assert tally["evaluations spared"] > 1_000


def test_of_messages_that_are_compared_in_pairs_those_of_their_class_are_read() -> None:
    """What a filter rules out is not seen by the loop that follows it."""
    with (system := System(load_spec("raft").main)):
        model = build(system)
        pairs = next(prop for prop in model.properties if prop.name == "sent_entries_match")
        sought = [access.element for access in footprint(model, pairs.body, {})]
    assert {element.kind.sort.__name__ for element in sought if isinstance(element, Built)} == {"AppendEntries"}
    assert all(isinstance(element, Built) for element in sought)


def test_an_action_does_not_ask_again_for_the_message_that_it_was_called_with() -> None:
    system = System(load_spec("raft").main)
    with system:
        action = next(action for action in build(system).actions if action.name == "handle_append")
    guards, rest = opening(action)
    assert len(guards) == 2, "another server's message, of no older term"
    assert not any(part.op is Op.IN for guard in guards for part in guard.condition.walk())
    assert len(rest) == len(action.body) - 2, "neither the guard nor the reception of what stays in the network"


class AddsWhatIsNotThere(Spec):
    """`note` fails before it has looked at the set that it would add to; `keep` looks at all of it."""

    log: list[Level]
    seen: set[Level]
    kept: set[Level]

    @action
    def note(self) -> None:
        """There is no first entry."""
        self.seen.add(self.log[0])

    @action
    def keep(self) -> None:
        """Copy the set."""
        self.kept = set(self.seen)


def test_a_set_that_an_argument_fails_before_it_is_read_is_not_read() -> None:
    system = System(AddsWhatIsNotThere)
    with system:
        state = system.zero()
        ways = {}
        for action in system.actions:
            noted, _, _ = recorded_action(system, state, action, ())
            ways[action.name] = {(access.way, access.variable) for access in noted}
    assert ways == {
        "note": {(Way.READ, "log")},
        "keep": {(Way.READ, "seen"), (Way.WRITE, "kept")},
    }
    check_all(system)
