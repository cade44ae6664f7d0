"""Passes over the model change how something is computed, and nothing that anybody can see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.control import Cut
from quorate.language.system import System
from quorate.model import Model, build
from quorate.model.interpret import Interpreter
from quorate.model.nodes import Expr, For, Op, Within, expressions, statements
from quorate.model.passes import PASSES, improved
from quorate.model.verify import verify

from tests.generated import load, write
from tests.model.small import small
from tests.naive import METHODS

STATES = 12


def _attempt(run: Callable[..., object], *arguments: object) -> object:
    try:
        return run(*arguments)
    except Cut as cut:
        return f"cut by {cut.bound}"
    except SpecError:
        return "an error"


def _agree(system: System, first: Model, second: Model) -> Counter[object]:
    """Hold what two models do in some states against each other, and count how it ends."""
    one, two = Interpreter(first), Interpreter(second)
    frontier = [state for _, state in system.initial()]
    seen, ends = set(frontier), Counter[object]()
    for state in frontier:
        for before, after in zip(first.actions, second.actions, strict=True):
            for arguments in one.choices(state, before):
                wanted = _attempt(one.fire, state, before, arguments)
                assert _attempt(two.fire, state, after, arguments) == wanted, (before.name, state, arguments)
                ends["goes on" if isinstance(wanted, tuple) else wanted] += 1
                if isinstance(wanted, tuple) and wanted not in seen and len(seen) < STATES:
                    seen.add(wanted)
                    frontier.append(wanted)
        for prop, other in zip(first.properties, second.properties, strict=True):
            for arguments in system.choices(prop.method.parameters):
                wanted = _attempt(one.evaluate, prop, state, arguments, state)
                assert _attempt(two.evaluate, other, state, arguments, state) == wanted, (prop.name, state, arguments)
                ends[wanted] += 1
    return ends


@pytest.mark.parametrize("begin", [0, 1_000])
def test_each_pass_keeps_what_drawn_specs_mean(begin: int) -> None:
    """Values, errors and cuts; what newcomers write is drawn, and much of it can fail."""
    changed, ends = Counter[str](), Counter[object]()
    for seed in range(begin, begin + 25):
        system = System(load(write(seed, naive=True)))
        model = build(system)
        with system:
            for name, change in PASSES.items():
                after = change(model)
                verify(after)
                if (after.actions, after.properties) != (model.actions, model.properties):
                    changed[name] += 1
                    ends += _agree(system, model, after)
                model = after
    assert changed.keys() == PASSES.keys() and min(changed.values()) >= 3, changed
    assert min(ends[True], ends[False], ends["an error"], ends[None], ends["goes on"]) > 50, ends


def _guard(condition: str) -> tuple[Expr, Expr]:
    """A guard as it is written and after the passes."""
    methods = "mail: set[Note | Ack]\n" + "\n".join(line[4:] for line in METHODS)
    system = System(small(f"require({condition})\nself.flag = True", methods))
    with system:
        model = build(system)
        return _first(model), _first(improved(model))


def _first(model: Model) -> Expr:
    action = next(action for action in model.actions if action.name == "act")
    return next(expressions(action.body))


def _sources(node: Expr) -> Iterator[str]:
    """What the comprehensions in an expression range over."""
    for part in node.walk():
        for clause in part.clauses:
            if isinstance(clause, For):
                yield str(clause.source.data if clause.source.op is Op.STATE else clause.source.op)


@pytest.mark.parametrize(
    "condition",
    [
        "any(isinstance(m, Note) and m.source == p and m.target == q and m.level == 1 for m in self.mail)",
        "any(m.source == p and m.target == q and m.level == self.top for m in self.notes(p, 1))",
        "Note(p, q, Level(1)) in {m for m in self.mail if isinstance(m, Note) and m.level > 0}",
        "any(isinstance(m, Ack) and p == m.source and q == m.target for m in self.mail)",
        "all(any(m.source == k for m in self.acks(p)) for k in self.seen)",
    ],
)
def test_what_is_determined_is_looked_up(condition: str) -> None:
    before, after = _guard(condition)
    assert "mail" in _sources(before) or any(node.op is Op.CALL for node in before.walk())
    assert not {"mail", "call", "set_of"} & set(_sources(after))
    assert any(node.op is Op.IN for node in after.walk())


@pytest.mark.parametrize(
    ("condition", "op"),
    [
        ("len({m for m in self.mail if isinstance(m, Ack)}) > 0", Op.ANY),
        ("len({m.source for m in self.mail if isinstance(m, Ack)}) >= 1", Op.ANY),
        ("len({m for m in self.mail if isinstance(m, Ack)}) == 0", Op.NOT),
        ("len({m for m in self.mail if isinstance(m, Ack)}) == 1", Op.EQ),
    ],
)
def test_sets_that_are_only_tested_or_counted_are_not_built(condition: str, op: Op) -> None:
    before, after = _guard(condition)
    assert any(node.op is Op.SET_OF for node in before.walk())
    assert after.op is op and not any(node.op is Op.SET_OF for node in after.walk())


@pytest.mark.parametrize(
    "condition",
    [
        "any(m.level == 1 and m.source == p and m.target == q for m in self.mail)",  # An Ack has no level.
        "len({m for m in self.mail if isinstance(m, Note) and 1 // m.level > 0}) > 0",
        "len({m.source for m in self.mail}) > 1",  # Two may have one source.
        "any(isinstance(m, Note) and m.level == 1 for m in self.mail)",  # There are many such.
        "self.share(len(self.mail) - 1)",
    ],
)
def test_what_can_fail_or_is_something_else_stays(condition: str) -> None:
    before, after = _guard(condition)
    assert list(_sources(before)) == list(_sources(after))


EVERYTHING = (
    "any(isinstance(m, Ack) and p == m.source and q == m.target for m in {o for o in self.mail if self.is_ack(o)})"
)
IS_ACK = """
def is_ack(self, m: Note | Ack) -> bool:
    return isinstance(m, Ack)
"""


@pytest.mark.parametrize("name", PASSES)
def test_each_pass_can_be_switched_off(name: str) -> None:
    spec = small(f"require({EVERYTHING})\nself.flag = True", f"mail: set[Note | Ack]\n{IS_ACK}")
    system = System(spec)
    with system:
        model = build(system)
        assert _first(improved(model)) != _first(improved(model, [name]))
        assert improved(model, PASSES) == model


CONSTRAINED = """
from quorate import Nat, Spec, action, constraint, invariant

class T(Nat, max=9):
    "A number."

class Drawn(Spec):
    x: T
    y: T

    @action
    def grow(self) -> None:
        self.x += 1

    @action
    def rise(self) -> None:
        self.y = T(self.y + 2)

    @constraint
    def few(self) -> bool:
        return self.x <= 3

    @constraint
    def slow(self, old: "Drawn") -> bool:
        return self.y <= old.y + 2 and self.y < 6

    @invariant
    def small(self) -> bool:
        return self.x + self.y < 9
"""


def test_constraints_stay_functions() -> None:
    """What would cut an action is an error in a constraint: the engine has a way of its own to ask one."""
    spec = load(CONSTRAINED)
    model = improved(build(System(spec)))
    asked = [one.condition for action in model.actions for one in statements(action.body) if isinstance(one, Within)]
    assert len(asked) == 4 and all(one.op is Op.CALL and one.data in model.functions for one in asked)
    counts = [check(spec, engine=engine).statistics for engine in ("reference", "native")]
    assert [(one.states, one.transitions, one.cuts) for one in counts] == [(12, 18, {"few": 3, "slow": 4})] * 2


def test_conditions_that_go_on_to_the_same_rest_are_not_multiplied() -> None:
    """Written out, each of them would double what follows."""
    conditions = "\n".join(
        f"    if self.top == {i % 3}:\n        if self.flag:\n            return {bool(i % 2)}" for i in range(40)
    )
    for last, changes in (
        (conditions, False),
        ("    if self.top == 1:\n        if self.flag:\n            return True", True),
    ):
        system = System(
            small("require(self.deep())\nself.flag = True", f"def deep(self) -> bool:\n{last}\n    return False")
        )
        with system:
            model = build(system)
            after = PASSES["calls"](model)
            assert (after.actions != model.actions) is changes
            verify(after)
            _agree(system, model, after)
