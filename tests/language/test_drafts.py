"""What an action may do to its draft, and what becomes of it."""

from __future__ import annotations

from typing import Annotated

import pytest
from quorate import (
    Bag,
    Channels,
    Disabled,
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    init,
    invariant,
    record,
    replace,  # noqa: F401  (the bodies below are text and use it)
    require,
    up_to,
)
from quorate.errors import QuorateError, SpecError, UsageError
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System


class Node(Scalarset, size=2):
    pass


class Level(Nat, max=2):
    pass


@record
class Note:
    source: Node
    target: Node
    level: Level


class Everything(Spec):
    """One variable of every kind of container."""

    level: dict[Node, Level]
    friends: dict[Node, set[Node]]
    log: dict[Node, Annotated[list[Level], up_to(2)]]
    seen: Annotated[set[Node], up_to(1)]
    network: Network[Note] = Network(capacity=2)
    bag: Bag[Note] = Bag(capacity=2)
    wires: Channels[Note] = Channels(capacity=1)

    @init
    def start(self, n: Node) -> None:
        self.level[n] = Level(1)

    @action
    def touch(self, n: Node) -> None:
        self.friends[n].add(n)
        self.log[n].append(self.level[n])
        self.log[n] += [Level(0)]

    @action
    def half(self, n: Node) -> None:
        """Changes things, then finds that it is disabled."""
        self.friends[n].add(n)
        self.network.send(Note(n, n, Level(0)))
        require(False)

    @action
    def alias(self, n: Node) -> None:
        """Puts one draft into two places."""
        self.friends[n].add(n)
        for other in Node:
            self.friends[other] = self.friends[n]
        self.friends[n].discard(n)

    @action
    def mail(self, n: Node, m: Node) -> None:
        for wire in (self.network, self.bag, self.wires):
            wire.send(Note(n, m, self.level[n]))

    @action
    def take(self, m: Note) -> None:
        require(m in self.network and m in self.bag and m in self.wires)
        self.network.receive(m)
        self.bag.receive(m)
        self.wires.receive(m)


def start(system: System) -> State:
    return next(state for _, state in system.initial())


def fire(system: System, state: State, name: str, *arguments: object) -> State:
    successor = system.fire(state, system.action(name), arguments)
    assert successor is not None
    return successor.state


def test_a_state_is_hashable_and_is_not_changed_by_firing() -> None:
    system = System(Everything)
    with system:
        one, _ = Node.members()
        before = start(system)
        copy = tuple(
            variable.type.decode(variable.type.encode(value))
            for variable, value in zip(system.variables, before, strict=True)
        )
        after = fire(system, before, "touch", one)
        assert hash(before) == hash(copy) and before == copy and after != before
        view = system.view(after)
        assert view.friends[one] == {one} and list(view.log[one]) == [1, 0]  # type: ignore[attr-defined]


def test_a_disabled_action_has_no_effect() -> None:
    system = System(Everything)
    with system:
        before = start(system)
        assert system.fire(before, system.action("half"), (Node.members()[0],)) is None
        assert before == start(system)


def test_a_container_put_into_two_places_is_two_containers() -> None:
    system = System(Everything)
    with system:
        one, two = Node.members()
        view = system.view(fire(system, start(system), "alias", one))
        assert view.friends[one] == set() and view.friends[two] == {one}  # type: ignore[attr-defined]


def test_networks_keep_messages_bags_and_queues_give_them_away() -> None:
    system = System(Everything)
    with system:
        one, two = Node.members()
        sent = fire(system, start(system), "mail", one, two)
        note = Note(one, two, Level(1))
        after = system.view(fire(system, sent, "take", note))
        assert note in after.network and note not in after.bag and note not in after.wires  # type: ignore[attr-defined]
        with pytest.raises(Cut, match="wires"):
            system.fire(sent, system.action("mail"), (one, two))


def test_unchanged_variables_keep_their_identity() -> None:
    system = System(Everything)
    with system:
        one, two = Node.members()
        before = fire(system, start(system), "mail", one, two)
        after = fire(system, before, "touch", one)
        kept = [variable.name for variable, old, new in zip(system.variables, before, after, strict=True) if old is new]
        assert kept == ["level", "seen", "network", "bag", "wires"]


def test_a_specification_is_a_live_object_at_the_prompt() -> None:
    class Plain(Spec):
        level: dict[Node, Level]

        @action
        def up(self, n: Node) -> None:
            require(self.level[n] < 2)
            self.level[n] += 1

    plain = Plain()
    one = next(iter(plain.level))
    plain.up(one)
    plain.up(one)
    assert plain.level[one] == 2
    with pytest.raises(Disabled):
        plain.up(one)


def bad(body: str) -> type[Spec]:
    """A specification whose only action has this body."""
    source = (
        "class Bad(Spec):\n    level: dict[Node, Level]\n    seen: Annotated[set[Node], up_to(1)]\n"
        "    log: Annotated[list[Level], up_to(2)]\n    network: Network[Note] = Network(capacity=2)\n"
        f"    @action\n    def act(self, n: Node) -> None:\n        {body}\n"
    )
    namespace = dict(globals())
    exec(source, namespace)
    made: type[Spec] = namespace["Bad"]
    return made


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("self.level[n] = 'x'", "'x' is not a Level"),
        ("self.level[n] -= 1", "-1 is below zero"),
        ("self.level[Level(1)] = Level(1)", "1 is not a key of this map"),
        ("del self.level[n]", "A map is total"),
        ("self.level.clear()", "A map is total"),
        ("self.level = {n: Level(0)}", "is total"),
        ("self.log[0:1] = []", "Assigning to a slice"),
        ("self.seen.add(Level(1))", "1 is not a Node"),
        ("self.network.send('hello')", "'hello' is not a Note"),
        ("self.network.receive(Note(n, n, Level(0)))", "not deliverable"),
        ("self.levle = Level(0)", "Did you mean 'level'?"),
        ("Note(n, n, 'x')", "Note.level: 'x' is not a Level"),
        ("replace(Note(n, n, Level(0)), sorce=n)", "no field 'sorce'"),
        ("Node()", "cannot name a single Node"),
        ("self.log.append(self.log)", "is not a Level"),
    ],
)
def test_a_mistake_in_an_action_is_named_where_it_is_made(body: str, wanted: str) -> None:
    system = System(bad(body))
    with system, pytest.raises(Failure, match="act") as failure:
        system.fire(start(system), system.action("act"), (Node.members()[0],))
    assert wanted in str(failure.value)


@pytest.mark.parametrize(
    ("body", "bound"),
    [
        ("self.level[n] += 3", "Level"),
        ("Note(n, n, Level(7))", "Level"),
        ("self.log += [Level(0), Level(0), Level(0)]", "log"),
        ("self.seen |= set(Node)", "seen"),
        ("self.seen = set(Node)", "seen"),
        ("[self.network.send(Note(n, n, Level(i))) for i in range(3)]", "network"),
    ],
)
def test_passing_a_bound_cuts_under_the_name_of_the_bound(body: str, bound: str) -> None:
    system = System(bad(body))
    with system, pytest.raises(Cut) as cut:
        system.fire(start(system), system.action("act"), (Node.members()[0],))
    assert cut.value.bound == bound


def declared(body: str) -> None:
    """Declare and resolve a specification with this body."""
    namespace = dict(globals())
    exec("class Bad(Spec):\n" + "\n".join(f"    {line}" for line in body.splitlines()), namespace)
    System(namespace["Bad"])


ACT = "\n@action\ndef act(self) -> None: pass"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("n: int" + ACT, "int is infinite"),
        ("n: str" + ACT, "str is not a type of the language"),
        ("n: Nat[3]" + ACT, "Nat[3] is nothing: a number is written as it is"),
        ("n: set" + ACT, "needs the types of its contents"),
        ("n: list[Level, 2]" + ACT, "are 2 between the brackets, and a list has 1"),
        ("n: dict[Node, Level, Level]" + ACT, "are 3 between the brackets, and a dict has 2"),
        ("n: dict[Node]" + ACT, "is 1 between the brackets, and a dict has 2"),
        ("n: bool | Level" + ACT, "True == 1"),
        ("n: Level | set[Node]" + ACT, "cannot be an alternative of a union"),
        ("n: dict[set[Node], Level]" + ACT, "a map's keys"),
        ("n: Annotated[list[Level], up_to(0)]" + ACT, "a capacity is a whole number"),
        ("n: Channels[Level]" + ACT, "`source` and `target`"),
        ("n: Level = [1]" + ACT, "mutable default"),
        ("n: Level = 9" + ACT, "above the bound Level"),
        ("n: Nowhere" + ACT, "Nowhere"),
        ("_n: Level" + ACT, "underscore"),
        ("pass" + ACT, "has no state"),
        ("n: Level", "has no actions"),
        ("n: Level\n@action\ndef act(self, m) -> None: pass", "has no annotation"),
        ("n: Level\nomits = ('nothing',)" + ACT, "omits 'nothing'"),
        ("n: Level\n@invariant\ndef fine() -> bool: return True" + ACT, "takes (self, ...)"),
        ("n: Level\n@action(fair='very')\ndef act(self) -> None: pass", "fair='very' is unknown"),
        ("n: Level\n@action(mark='bang')\ndef act(self) -> None: pass", "mark='bang' is unknown"),
    ],
)
def test_a_mistake_in_a_declaration_is_refused_with_what_is_allowed(body: str, wanted: str) -> None:
    with pytest.raises(SpecError) as error:
        declared(body)
    assert wanted in str(error.value)


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ({"Nod": 3}, "Did you mean 'Node'?"),
        ({"Node": 0}, "from 1 to 64"),
        ({"Node": 1_000_000}, "out of range"),
        ({"Level": -1}, "out of range"),
        ({"seen": True}, "whole number"),
        ({"network": 0}, "out of range"),
    ],
)
def test_a_wrong_bound_is_refused_with_its_range(bounds: dict[str, int], wanted: str) -> None:
    with pytest.raises(UsageError) as error:
        Everything.bounded(**bounds)
    assert wanted in str(error.value)


def test_bounds_are_in_force_inside_a_system_only() -> None:
    wide = System(Everything.bounded(Node=5, Level=9))
    assert (len(Node), len(Level)) == (2, 3)
    with wide:
        assert (len(Node), len(Level)) == (5, 10)
        with System(Everything):
            assert len(Node) == 2
        assert len(Node) == 5
    assert (len(Node), len(Level)) == (2, 3)


class Guarded(Everything):
    @invariant
    def guards(self) -> bool:
        require(len(self.seen) > 9)
        return True

    @invariant
    def meddles(self) -> bool:
        self.seen.add(Node.members()[0])
        return True

    @invariant
    def overflows(self) -> bool:
        return Note(Node.members()[0], Node.members()[0], Level(9)).level == 9


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("guards", "`require` guards actions"),
        ("meddles", "A state is immutable"),
        ("overflows", "passes the bound Level"),
    ],
)
def test_a_property_only_looks(name: str, wanted: str) -> None:
    system = System(Guarded)
    with system, pytest.raises(QuorateError) as error:
        system.evaluate(next(method for method in system.of("invariant") if method.name == name), start(system), ())
    assert wanted in str(error.value)
