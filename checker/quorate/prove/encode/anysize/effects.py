"""Loops with effects over an unbounded sort or set, all rounds at once.

The rounds of an unordered loop were shown to commute (`quorate.model.order`), so the state after the loop can be said
place by place from the state before it: a place that the loop variable indexes is what its own round leaves there; a
set to which rounds add has what it had and what some round adds; a maximum is the greatest of what the rounds give.
That an assignment adds to its place is read off its value: what does not read the place replaces it, so that the last round
decides. What has no such form is an error that names the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import z3

from quorate.errors import Location
from quorate.language.types import MapType, NetworkType, Type
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op
from quorate.model.order import reads_place
from quorate.model.ranges import is_number
from quorate.prove.encode.anysize.containers import (
    BagV,
    MapV,
    SetV,
    Value,
    as_bag,
    as_formula,
    as_map,
    as_number,
    as_set,
)
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.shapes import printable
from quorate.prove.encode.anysize.terms import Formula, Number, operands

if TYPE_CHECKING:
    from quorate.prove.encode.anysize.definitions import Definitions
    from quorate.prove.encode.anysize.quantifiers import Env, Round

INSTEAD = (
    "Write it as loops that update every place, add to a set, send to all, or take a maximum; or compute the new value with a "
    "comprehension."
)
GROWING = frozenset({Change.ADD, Change.SEND})
SHRINKING = frozenset({Change.DISCARD, Change.REMOVE, Change.DROP, Change.RECEIVE})
FOLDS = {Op.MAX: "max", Op.MIN: "min", Op.OR: "or", Op.AND: "and", Op.UNION: "grow", Op.INTERSECT: "shrink"}


@dataclass(frozen=True)
class Effect:
    """One statement's effect on a variable: the place, and a name for how rounds combine there."""

    place: ir.Place
    how: str
    location: Location | None
    constant: ir.Expr | None = None


def all_rounds(machine: Definitions, loop: ir.Loop, env: Env) -> None:
    """Execute every round of a loop; `env` is changed in place."""
    _reject_exits(loop)
    if loop.ordered and not _commutes(loop, env, machine.model.functions):
        raise NoAnySize("A loop over a list or a range has no any-size meaning.", INSTEAD, loop.location)
    source = machine.value(loop.source, env)
    for found in machine.rounds(source, loop.name, loop.location):
        with machine.within(found):
            after = env.copy()
            after.local[loop.name] = found.element
            machine.run(loop.body, after)
    before, again = env.copy(), machine.again()

    def left_by(element: Value) -> Env:
        after = before.copy()
        after.local[loop.name] = element
        with again():
            machine.run(loop.body, after)
        return after

    for state, root in _roots(loop, env):
        holder, was = (env.state, before.state) if state else (env.local, before.local)
        effects = [
            effect for effect in _effects(loop.body) if effect.place.root == root and effect.place.state == state
        ]

        def reached(element: Value, state: bool = state, root: str = root) -> Value:
            after = left_by(element)
            return (after.state if state else after.local)[root]

        kind = effects[0].place.types[0]
        paths = [effect.place.selectors for effect in effects]
        holder[root] = Combination(machine, loop, source, effects).combined(was[root], kind, paths, reached)


def _reject_exits(loop: ir.Loop) -> None:
    def inside(body: tuple[ir.Stmt, ...]) -> None:
        for statement in body:
            match statement:
                case ir.Scope():
                    continue
                case ir.Break(location=location) | ir.Return(location=location):
                    raise NoAnySize("Leaving a loop early has no any-size meaning.", "Use any, all or the.", location)
                case ir.Loop(body=inner):
                    inside(inner)
                case ir.If(then=then, otherwise=otherwise):
                    inside(then)
                    inside(otherwise)
                case ir.Assign() | ir.Mutate() | ir.Require() | ir.Within() | ir.Assert() | ir.Continue():
                    pass
                case _:
                    assert_never(statement)

    inside(loop.body)


def _commutes(loop: ir.Loop, env: Env, functions: dict[str, ir.Function]) -> bool:
    """Whether the rounds of an ordered loop do nothing but add to sets and networks that no round reads."""
    effects = [effect for effect in _effects(loop.body) if effect.place.state or effect.place.root in env.local]
    changed = {(effect.place.state, effect.place.root) for effect in effects}
    read = {(True, name) for name in ir.reads(loop.body, functions)}
    read |= {
        (False, part.data)
        for expression in ir.expressions(loop.body)
        for part in expression.walk()
        if part.op is Op.LOCAL
    }
    return all(effect.how == "grow" for effect in effects) and not changed & read


def _effects(body: tuple[ir.Stmt, ...]) -> list[Effect]:
    found = []
    for statement in ir.statements(body):
        match statement:
            case ir.Mutate(change=Change.RECEIVE, target=target) if isinstance(target.type, NetworkType):
                continue  # The message stays.
            case ir.Mutate(change=change, target=target, location=location):
                how = "grow" if change in GROWING else "shrink" if change in SHRINKING else "other"
                found.append(Effect(target, how, location))
            case ir.Assign(target=target, value=value, location=location):
                while value.op in (Op.FIT, Op.COERCE, Op.NARROW):
                    value = value.args[0]
                if value.op is Op.CONST:
                    found.append(Effect(target, "constant", location, value))
                else:
                    folds = len(value.args) == 2 and reads_place(value.args[0], target)
                    found.append(Effect(target, FOLDS.get(value.op, "other") if folds else "other", location))
    return found


def _roots(loop: ir.Loop, env: Env) -> list[tuple[bool, str]]:
    """The variables and the locals from before the loop that it changes."""
    found = dict.fromkeys((effect.place.state, effect.place.root) for effect in _effects(loop.body))
    return [(state, root) for state, root in found if state or root in env.local]


@dataclass(frozen=True)
class Combination:
    """How the rounds of one loop combine at one variable."""

    machine: Definitions
    loop: ir.Loop
    source: Value
    effects: Sequence[Effect]

    @property
    def hows(self) -> set[str]:
        """How the rounds change the variable."""
        return {effect.how for effect in self.effects}

    @property
    def location(self) -> Location | None:
        """The first statement that changes it."""
        return self.effects[0].location

    def _rounds(self) -> Sequence[Round]:
        """What the loop ranges over, with names of its own each time: one claim about a round may stand inside another."""
        return self.machine.rounds(self.source, self.loop.name, self.loop.location)

    def _error(self) -> NoAnySize:
        return NoAnySize("This effect of a loop over unboundedly many has no any-size meaning.", INSTEAD, self.location)

    def combined(
        self, was: Value, kind: Type, paths: list[tuple[ir.Expr, ...]], reached: Callable[[Value], Value]
    ) -> Value:
        """What the rounds leave of a value `was`, where `reached(element)` is what one round alone leaves of it."""
        first = [path[0] if path else None for path in paths]
        if all(key is not None and key.op is Op.LOCAL and key.data == self.loop.name for key in first):
            return self._own_places(as_map(was), reached)
        if any(key is not None for key in first):
            if not isinstance(kind, MapType) or any(key is None or self._varies(key) for key in first):
                raise self._error()
            before = as_map(was)
            return MapV(
                kind.key,
                lambda key: self.combined(
                    before.at(key),
                    kind.value,
                    [path[1:] for path in paths],
                    lambda element: as_map(reached(element)).at(key),
                ),
            )
        if self.hows == {"constant"}:
            return self._constant(was, kind, reached)
        if isinstance(was, SetV):
            return self._set(was, reached)
        if isinstance(was, BagV):
            return self._bag(was, reached)
        return self._folded(was, kind, reached)

    def _varies(self, key: ir.Expr) -> bool:
        """Whether a key depends on the loop variable (an inner loop's variable has been dealt with by that loop)."""
        return any(part.op is Op.LOCAL and part.data == self.loop.name for part in key.walk())

    def _member(self, element: Value) -> Formula:
        """Whether a value is one that the loop ranges over."""
        machine = self.machine
        return machine.either(
            [machine.exists(one.constants, one.guard, machine.equal(one.element, element)) for one in self._rounds()]
        )

    def _own_places(self, was: MapV, reached: Callable[[Value], Value]) -> MapV:
        """A map that each round changes at its own key only."""
        return MapV(
            was.key, lambda key: self.machine.select(self._member(key), as_map(reached(key)).at(key), was.at(key))
        )

    def _some(self, claim: Callable[[Value], Formula]) -> Formula:
        machine = self.machine
        return machine.either([machine.exists(one.constants, one.guard, claim(one.element)) for one in self._rounds()])

    def _constant(self, was: Value, kind: Type, reached: Callable[[Value], Value]) -> Value:
        """A place to which rounds assign one and the same constant: it has it if some round does."""
        machine, constants = self.machine, [effect.constant for effect in self.effects]
        first = constants[0]
        assert first is not None
        if any(other is None or (other.type, other.data) != (first.type, first.data) for other in constants):
            raise self._error()
        value = machine.coerce(machine.constant(first.data, first.type), first.type, kind)
        return machine.select(self._some(lambda element: machine.equal(reached(element), value)), value, was)

    def _set(self, was: SetV, reached: Callable[[Value], Value]) -> SetV:
        machine = self.machine
        if self.hows == {"grow"}:
            return SetV(
                was.element,
                lambda found: self._grown(was.has(found), lambda element: as_set(reached(element)).has(found)),
            )
        if self.hows == {"shrink"}:
            return SetV(
                was.element,
                lambda found: machine.both(
                    (
                        was.has(found),
                        machine.negate(self._some(lambda element: machine.negate(as_set(reached(element)).has(found)))),
                    )
                ),
            )
        raise self._error()

    def _grown(self, before: Formula, after: Callable[[Value], Formula]) -> Formula:
        """Membership before the loop or after some round; what a round says that was said before is left out."""
        known = {part.get_id() for part in (operands(before) if z3.is_or(before) else [before])}

        def news(element: Value) -> Formula:
            whole = after(element)
            parts = operands(whole) if z3.is_or(whole) else [whole]
            return self.machine.either([part for part in parts if part.get_id() not in known])

        return self.machine.either((before, self._some(news)))

    def _bag(self, was: BagV, reached: Callable[[Value], Value]) -> BagV:
        """A bag from or to which each round takes or puts messages of its own: two rounds with the same one are an
        error."""
        if self.hows not in ({"grow"}, {"shrink"}):
            raise self._error()
        machine, by = self.machine, 1 if self.hows == {"grow"} else -1

        def moved(element: Value, found: Value) -> Number:
            return z3.simplify(by * (as_bag(reached(element)).count(found) - was.count(found)))

        def touched(element: Value, found: Value) -> Formula:
            return z3.simplify(moved(element, found) > 0)

        def twice(found: Value) -> Formula:
            return self._some(
                lambda one: self._some(
                    lambda other: machine.both(
                        (machine.negate(machine.equal(one, other)), touched(one, found), touched(other, found))
                    )
                )
            )

        whole = SetV(was.element, lambda _: machine.true)
        ambiguous = [
            machine.exists(one.constants, one.guard, twice(one.element))
            for one in machine.rounds(whole, "m", self.location)
        ]
        machine.stop(
            "error", machine.either(ambiguous), "two rounds of the loop take or send the same message", self.location
        )

        def times(number: int, found: Value) -> Number:
            return z3.If(self._some(lambda element: moved(element, found) == number), number, 0)

        def left(found: Value) -> Number:
            """A round takes or puts at most as many of one message as it has statements that do."""
            numbers = range(1, len(self.effects) + 1)
            return was.count(found) + by * z3.Sum([times(number, found) for number in numbers])

        return BagV(was.element, left)

    def _folded(self, was: Value, kind: Type, reached: Callable[[Value], Value]) -> Value:
        machine = self.machine

        def holds(element: Value) -> Formula:
            return as_formula(reached(element))

        if self.hows == {"or"}:
            return machine.either((as_formula(was), self._some(holds)))
        if self.hows == {"and"}:
            fails = self._some(lambda element: machine.negate(holds(element)))
            return machine.both((as_formula(was), machine.negate(fails)))
        if self.hows in ({"max"}, {"min"}):
            return self._extreme(was, kind, reached, self.hows == {"max"})
        raise self._error()

    def _extreme(self, was: Value, kind: Type, reached: Callable[[Value], Value], greatest: bool) -> Value:
        """The greatest (or least) of a value and of what the rounds make of it; a name for it with its definition."""
        machine = self.machine

        def beyond(value: Value, found: Value) -> Formula:
            return machine.less(found, value, kind) if greatest else machine.less(value, found, kind)

        def definition(found: Value) -> Formula:
            return machine.both(
                (
                    machine.negate(beyond(was, found)),
                    machine.negate(self._some(lambda element: beyond(reached(element), found))),
                    machine.either(
                        (machine.equal(was, found), self._some(lambda element: machine.equal(reached(element), found)))
                    ),
                )
            )

        probe = machine.symbols.defined(kind, f"probe of a fold of {printable(kind)}", [])
        known = len(machine.families)
        family, actual = machine.family(
            "fold", [definition(probe)], lambda name, _: lambda terms: machine.symbols.defined(kind, name, terms)
        )
        value = family.symbol(actual)
        if len(machine.families) > known:
            fact = definition(value)
            if is_number(kind):
                parts = [as_number(was), *(as_number(reached(one.element)) for one in self._rounds())]
                machine.symbols.observe(kind, as_number(family.symbol(family.parameters)), parts)
            machine.definitions.append(z3.ForAll(actual, fact) if actual else fact)
        return value
