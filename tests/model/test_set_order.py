"""What depends on the order of a set is an error, where the reference engine alone runs a specification; what does not is none, and
nothing that the typed model accepts does."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from quorate import Spec
from quorate.conform.mapping import Map
from quorate.conform.validation import validate
from quorate.conform.verdicts import Differs
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.difference import Compared, difference
from quorate.explore.limits import Limits, Watch
from quorate.explore.reference import Search
from quorate.explore.simulate import simulate
from quorate.language.system import Again, Failure, System
from quorate.loading import load, names
from quorate.model.build import build
from quorate.model.determinism import SET_ORDER, functions_of
from quorate.model.set_order import in_other_orders
from quorate.outcome import Failed, Holds, HoldsWithinBounds

from tests import generated

SPEC = """
import functools
import heapq
import itertools
import operator
from collections import Counter
from enum import Enum
from functools import reduce
from quorate import Nat, Ordered, Spec, action, init, invariant, record, replace, require

class Phase(Enum):
    A = 1
    B = 2
    C = 3

class Level(Nat, max=9):
    pass

@record
class Box:
    phase: Phase

    def first(self, of: set[Phase]) -> Phase:
        return next(iter(of | {self.phase}))

def first(of: set[Phase]) -> Phase:
    for one in of:
        return one
    return Phase.A

@functools.wraps(heapq.merge)
def called_as_a_library_does(of: set[Phase]) -> list[Phase]:
    return [one for one in of]

def last(of: set[Phase], found: Phase = Phase.A) -> Phase:
    if len(of) == 0:
        return found
    one = first(of)
    return last(of - {one}, one)

def every(of: set[Phase]):
    yield from of

class Longer(list):
    pass

class Counted(list):
    def __init__(self, of: set[Phase]) -> None:
        super().__init__([Phase.A] * len(of) if isinstance(of, set) else [Phase.C])

def join(one: set[Phase], other: set[Phase]) -> set[Phase]:
    return one | other

def second(of: set[Phase]) -> Phase:
    return [*of][1]

class Failing:
    def __getattribute__(self, name):
        raise RuntimeError

FAILING = Failing()

class Picking:
    def __init__(self, how) -> None:
        self.how = how

    def pick(self, of: set[Phase]) -> Phase:
        return [*of][1]

PARTIAL, TABLE, PICKING = functools.partial(second), {"second": [second]}, Picking(second)
PICK = PICKING.pick

def defaulted(of: set[Phase], how=second) -> Phase:
    return how(of)

class Base(Spec):
    some: set[Phase]
    log: list[Phase]
    level: Level

    def pick(self) -> Phase:
        return first(self.some | set())

    @property
    def any(self) -> Phase:
        return [*self.some | {Phase.A}][0]

class Drawn(Base):
    @init
    def begin(self, a: Phase, b: Phase) -> None:
        self.some = {a, b, Phase.C}

    def pick(self) -> Phase:
        return super().pick()

    def __own(self) -> list[Phase]:
        return list(self.some | set())

    @action
    def go(self) -> None:
        require(len(self.log) == 0)
        while True:  # No typed model has it.
            break
        made = self.some | {Phase.A}
        LINE

    @invariant
    def low(self) -> bool:
        return self.level < 9
"""
DEPENDS = (
    "self.log = called_as_a_library_does(made)",
    "for one in made: self.log.append(one)",
    "self.log = [one for one in made]",
    "self.log = list(made)",
    "self.log = [*made][:1]",
    "self.log += made",
    "self.log.extend(made)",
    "self.log = list(itertools.chain(made, made))",
    "self.log.append(functools.reduce(lambda a, b: a, made))",
    "self.log.append(reduce(lambda a, b: b, made))",
    "self.log.append(made.pop())",
    "self.log.append(next(iter(made)))",
    "self.log.append(min(made, key=lambda one: 0))",
    "self.log.append(sorted(made, key=lambda one: 0)[1])",
    "self.log.append(sorted(self.some | made, key=lambda one: 0)[-1])",
    "a, *b = made; self.log.append(a)",
    "for a, *b in [made]: self.log.append(a)",
    "self.log = [a for a, *b in [made]]",
    "self.log = list({one: 1 for one in made})",
    "self.log = list(dict.fromkeys(made))",
    "self.log.append(first(made))",
    "self.log += [first(made) for one in (1,)]",
    "self.log.append(last(made))",
    "self.log.append(self.pick())",
    "self.log.append(self.any)",
    "self.log.append(self.__own()[0])",
    "self.log.append(Box(Phase.A).first(made))",
    "pick = lambda: next(iter(made)); self.log.append(pick())",
    "for at, one in enumerate(made): self.level += at * one.value",
    "self.level = 1 if [one.value for one in made] < [3] else 2",
    "self.log = list(itertools.chain.from_iterable([made]))",
    "self.log.append(next(itertools.cycle(made)))",
    "self.log.append(list(itertools.zip_longest(made, [1]))[0][0])",
    "self.log = list(itertools.filterfalse(lambda one: False, made))",
    "self.log.append(Counter(made).most_common(1)[0][0])",
    "self.log.append(heapq.nsmallest(1, made, key=lambda one: 0)[0])",
    "self.log.append(next(heapq.merge(made, key=lambda one: 0)))",
    "self.log.append(next(every(made)))",
    "self.log = Longer(made)",
    "xs = [Phase.A]; xs[0:0] = made; self.log = xs",
    "self.log.append(made.__iter__().__next__())",
    "mine = sorted; self.log.append(mine(made, key=lambda one: 0)[0])",
    "for one in enumerate(iterable=made): self.log.append(one[1])",
    "xs = operator.iadd([], made); self.log = xs",
    "self.level = 1 if str(made).startswith('{<Phase.A') else 2",
    "self.level = 1 if f'{made}'.startswith('{<Phase.B') else 2",
    "self.level = 1 if '%s' % (made,) < '{<Phase.C' else 2",
    "self.level = 1 if '{}'.format(frozenset(made)).endswith('C: 3>})') else 2",
    "self.level = 1 if str([made]).startswith('[{<Phase.A') else 2",
    "self.level = 1 if f'{({1: [made]},)}'.startswith('({1: [{<Phase.B') else 2",
    # What is kept in other objects is looked into, too.
    "self.log.append(PARTIAL(made))",
    "self.log.append(TABLE['second'][0](made))",
    "self.log.append(PICKING.pick(made) if FAILING else Phase.A)",
    "self.log.append(PICKING.how(made))",
    "self.log.append(PICK(made))",
    "self.log.append(defaulted(made))",
    # Each of the elements comes first once, and last.
    *(f"self.level = 1 if [*made][{at}] == Phase.{one} else 2" for at in (0, -1) for one in "ABC"),
    "self.level = 1 if [one.name for one in made] == ['A', 'C', 'B'] else 2",
)
DOES_NOT = (
    "for one in made: self.level += one.value",
    "self.level = sum(one.value for one in made)",
    "self.level = sum({1, 2, 3} & {1, 3})",
    "self.log = sorted(made, key=lambda one: one.value)",
    "self.level = max(one.value for one in join(made, {Phase.B}))",
    "self.some = made | {Phase.B}",
    "self.some = {one for one in made if one != Phase.B}",
    "self.some = join(self.some, made)",
    "self.level = len({one: 1 for one in made})",
    "self.level = 1 if any(one == Phase.A for one in made) and Phase.B not in made else 2",
    "self.some.update(made); self.some.discard(Phase.A)",
    "self.level = len(list(made))",
    "self.log.append(max(made, key=lambda one: one.value))",
    "for one in self.some: self.log.append(one)",  # What a state holds has an order.
    "self.log.append(self.some.pop())",
    "self.level = len(made.copy().union(made, *[made]))",
    "self.some = reduce(lambda one, other: one | other, [made], {Phase.B})",
    "self.some = dict.fromkeys(Phase, made)[Phase.A]",
    "self.some = max(made, {Phase.B}, key=len)",
    "self.some = min([], default=made)",
    "self.some = list(itertools.accumulate([made], lambda one, other: one | other, initial={Phase.B}))[1]",
    "self.log = Counted(made)",
    "self.level = 1 if str(made).count('A') == 1 and f'{len(made)}' == '3' else 2",
    "self.level = 7 % len(made)",
)


def system(line: str, folder: Path) -> System:
    file = folder / "ordered.py"
    file.write_text(SPEC.replace("LINE", line), encoding="utf-8")
    made = System(load(str(file)).variant("Drawn").bounded(log=9))
    with pytest.raises(SpecError, match="while"), made:
        build(made)
    return made


@pytest.mark.parametrize("line", DEPENDS)
def test_what_depends_on_the_order_of_a_set_is_an_error(line: str, tmp_path: Path) -> None:
    outcome = check(system(line, tmp_path).spec)
    assert isinstance(outcome, Failed), outcome
    assert "goes through a set" in outcome.message and outcome.error_location is not None


@pytest.mark.parametrize("line", DOES_NOT)
def test_what_does_not_is_none(line: str, tmp_path: Path) -> None:
    made = system(line, tmp_path)
    before = {name: method.function.__code__ for name, method in ((one.name, one) for one in made.actions)}
    outcome = check(made.spec)
    assert isinstance(outcome, Holds | HoldsWithinBounds), outcome
    assert {one.name: one.function.__code__ for one in made.actions} == before, "functions are as they were"
    assert not any(name.startswith("@") for name in made.actions[0].function.__globals__)


def test_a_property_may_not_depend_on_it_either(tmp_path: Path) -> None:
    file = tmp_path / "asked.py"
    text = SPEC.replace("LINE", "pass").replace(
        "return self.level < 9", "return next(iter(self.some | set())) != Phase.B"
    )
    file.write_text(text, encoding="utf-8")
    outcome = check(load(str(file)).variant("Drawn").bounded(log=9))
    assert isinstance(outcome, Failed) and "low" in outcome.message and "goes through a set" in outcome.message


@pytest.fixture
def depends(tmp_path: Path) -> type[Spec]:
    return cast(type[Spec], system("self.log = list(made)", tmp_path).spec)


def test_random_runs_do_not_go_by_it(depends: type[Spec]) -> None:
    found = simulate(depends, seed=1, runs=3, engine="reference").violation
    assert found is not None and found.kind == "error" and SET_ORDER in str(found)


def test_two_specifications_are_not_compared_by_it(depends: type[Spec]) -> None:
    with pytest.raises(Failure, match="goes through a set"):
        difference(Compared(depends, "one"), Compared(depends, "other"))


def test_a_log_is_not_held_to_it(depends: type[Spec], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"event": "go"}\n', encoding="utf-8")
    verdict = validate([str(log)], depends, Map({}), "ordered")
    assert isinstance(verdict, Differs) and SET_ORDER in str(verdict)


def complaint(system: System, states: int) -> str | None:
    """What the reference engine says of the order of sets in a specification that the typed model accepts, up to so many states; None if
    the model does not accept it."""
    with system:
        try:
            build(system)
        except SpecError:
            return None
        system.again = (Again(SET_ORDER, in_other_orders(dict(functions_of(system)))),)
        try:
            found = Search(system, (), Watch(Limits(states=states))).run().found
        except Failure as failure:  # @init raises.
            return str(failure) if SET_ORDER in str(failure) else ""
    failure = None if found is None else found.failure
    return str(failure) if failure is not None and SET_ORDER in str(failure) else ""


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("wider", [False, True])
def test_nothing_that_the_typed_model_accepts_depends_on_it(odd: bool, wider: bool) -> None:
    accepted = 0
    for seed in range(3_000, 3_040):
        said = complaint(System(generated.load(generated.write(seed, odd=odd, wider=wider))), states=100)
        assert not said, seed
        accepted += said is not None
    assert accepted > 30


@pytest.mark.parametrize("name", names())
def test_no_protocol_of_the_library_depends_on_it(name: str) -> None:
    protocol = load(name)
    if not protocol.has_only_laws:
        assert complaint(System(protocol.main), states=12) == ""
