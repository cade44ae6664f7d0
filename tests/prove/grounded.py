"""What CPython does, held against the encoding for any size: a real step is one of its steps, a real error one of its errors.

The sorts are given the members that they have at some bounds, and a set the quorums that it is; then the state before, the arguments and
the state after are said to be those of a real step. Where that has no solution, the encoding (or what it takes for granted of quorums,
extremes and numbers) rules out what happens, and might prove what is false. No invariant has to be drawn for which that would matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

import z3
from quorate import Spec
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System
from quorate.language.types import (
    BagType,
    IdentityType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.language.types.partial import PartialMapType
from quorate.model.build import build
from quorate.model.nodes import Action
from quorate.prove.any_size.obligations import at_any_bound
from quorate.prove.encode.anysize.containers import BagV, MapV, SeqV, SetV, Value, as_formula
from quorate.prove.encode.anysize.definitions import QUORUM
from quorate.prove.encode.anysize.execution import AnySize
from quorate.prove.encode.values import Union, class_key

ASKED_MILLISECONDS = 1500
WALKS, WALK_STEPS, INSTANCES = 4, 6, 3


@dataclass
class Grounded:
    """The steps that were asked about, how many of them have a solution, and those that have none."""

    asked: int = 0
    possible: int = 0
    ruled_out: list[str] = field(default_factory=list)


def judged(spec: type[Spec], random: Random) -> Grounded:
    """Some real steps and errors of a specification. Raises NoAnySize where it has no meaning for any size."""
    found, system = Grounded(), System(spec)
    any_size = at_any_bound(build(spec))
    with system:
        states = _reached(system, random)
        for action in any_size.actions:
            method = next(one for one in system.actions if one.name == action.name)
            for state in random.sample(states, min(INSTANCES, len(states))):
                given = list(islice(system.choices(method.parameters), 200))
                for arguments in random.sample(given, min(INSTANCES, len(given))):
                    try:
                        after = system.fire(state, method, arguments)
                    except Cut:
                        continue
                    except Failure:
                        _ask(found, _Asked(any_size, system, action), state, arguments, None)
                        continue
                    if after is not None:
                        _ask(found, _Asked(any_size, system, action), state, arguments, after.state)
    return found


def _reached(system: System, random: Random) -> list[State]:
    states = list(dict.fromkeys(state for _, state in islice(system.initial(), 40)))
    found = dict.fromkeys(states)
    for _ in range(WALKS):
        state = random.choice(states)
        for _ in range(WALK_STEPS):
            action = random.choice(system.actions)
            arguments = random.choice(list(islice(system.choices(action.parameters), 200)))
            try:
                after = system.fire(state, action, arguments)
            except (Cut, Failure):
                continue
            if after is not None:
                state = after.state
                found[state] = None
    return list(found)


def _ask(found: Grounded, asked: _Asked, state: State, arguments: tuple[Any, ...], after: State | None) -> None:
    solver = z3.Solver()
    solver.set("timeout", ASKED_MILLISECONDS)
    solver.add(*asked.step(state, arguments, after))
    said = solver.check()
    found.asked += 1
    found.possible += said == z3.sat
    if said == z3.unsat:
        found.ruled_out.append(f"{asked.action.name}{arguments}: {state} -> {after}")


class _Asked:
    """One action over a state that is not known, at the bounds of a system."""

    def __init__(self, model: Any, system: System, action: Action) -> None:
        self.model, self.system, self.action = model, system, action
        self.machine = AnySize(model)
        self.before = {
            one.name: self.machine.symbols.symbol(one.type, f"self.{one.name}", []) for one in model.variables
        }
        self.given = [self.machine.parameter(kind, f"{name} of {action.name}") for name, kind in action.parameters]
        self.transition = self.machine.fire(action, self.before, self.given)

    def step(self, state: State, arguments: tuple[Any, ...], after: State | None) -> list[z3.BoolRef]:
        """That this state is before, and this one after; that an error is raised, if there is none."""
        machine, parameters = self.machine, [kind for _, kind in self.action.parameters]
        parts = [
            machine.equal(one, self.lifted(two, kind))
            for one, two, kind in zip(self.given, arguments, parameters, strict=True)
        ]
        parts += self._is(self.before, state)
        if after is None:
            parts.append(machine.either([condition for condition, _ in machine.stopped(self.transition, "error")]))
        else:
            parts += [machine.enabled(self.transition), *self._is(self.transition.after, after)]
        return [*parts, *self._bounds(), *self._quorums(), *machine.definitions, *machine.symbols.known]

    def _is(self, values: dict[str, Value], state: State) -> Iterator[z3.BoolRef]:
        for variable, value in zip(self.model.variables, state, strict=True):
            yield self.machine.equal(values[variable.name], self.lifted(value, variable.type))

    def _bounds(self) -> Iterator[z3.BoolRef]:
        """The members and the greatest numbers of the sorts that occur."""
        symbols, bounds = self.machine.symbols, self.system.bounds
        declared = [*(one.type for one in self.model.variables), *(kind for _, kind in self.action.parameters)]
        for kind in dict.fromkeys(part for one in declared for part in one.walk()):
            if isinstance(kind, NatType):
                yield symbols.greatest(kind) == bounds[kind.sort.__name__]
            elif isinstance(kind, IdentityType):
                members, any_member = (
                    self._members(kind.sort.__name__, symbols.sort(kind)),
                    z3.Const("any", symbols.sort(kind)),
                )
                yield z3.Distinct(members) if len(members) > 1 else z3.BoolVal(True)
                yield z3.ForAll([any_member], z3.Or([any_member == one for one in members]))
                if kind.sort in symbols.orders:
                    less = symbols.orders[kind.sort]
                    pairs = ((first, second) for first in range(len(members)) for second in range(len(members)))
                    yield from (less(members[one], members[two]) == z3.BoolVal(one < two) for one, two in pairs)

    def _members(self, sort: str, symbolic: z3.SortRef) -> list[z3.ExprRef]:
        return [z3.Const(f"{sort}#{index}", symbolic) for index in range(self.system.bounds[sort])]

    def _quorums(self) -> Iterator[z3.BoolRef]:
        """Which sets are quorums, by counting, and what is taken for granted of them."""
        names = set[str]()
        for (label, *_), family in self.machine.families.items():
            if family.standing is None or family.size is None:
                continue
            names.add(family.name)
            members = self._members(label.removeprefix(QUORUM), family.member.sort())
            inside = [z3.substitute(family.formulas[0], (family.member, one)) for one in members]
            least = family.size.at(len(members))
            enough = z3.BoolVal(least <= 0) if not 0 < least <= len(members) else z3.AtLeast(*inside, least)
            said = family.predicate(family.parameters) == enough
            yield z3.ForAll(list(family.parameters), said) if family.parameters else said
        yield from (axiom for axiom, _, _ in self.machine.quorum_axioms(self.system.bounds, names, names))

    def lifted(self, value: Any, kind: Type) -> Value:
        """A value of CPython as one of the encoding."""
        machine = self.machine
        match kind:
            case RecordType(fields=fields):
                return tuple(self.lifted(getattr(value, name), part) for name, part in fields)
            case TupleType(kinds=kinds):
                return tuple(self.lifted(part, inner) for part, inner in zip(value, kinds, strict=True))
            case UnionType():
                _, chosen = kind.alternative(value)
                return Union({class_key(chosen): (machine.true, self.lifted(value, chosen))})
            case IdentityType():
                return z3.Const(f"{kind.sort.__name__}#{value.index}", machine.symbols.sort(kind))
            case MapType():
                pairs = [(self.lifted(key, kind.key), self.lifted(part, kind.value)) for key, part in value.items()]
                rest = self.lifted(None, kind.value) if isinstance(kind, PartialMapType) else pairs[-1][1]
                return MapV(
                    kind.key, lambda key: self._chosen(((machine.equal(key, one), part) for one, part in pairs), rest)
                )
            case SetType(element=element) | NetworkType(message=element):
                members = [self.lifted(part, element) for part in value]
                return SetV(element, lambda found: machine.either([machine.equal(found, one) for one in members]))
            case BagType(message=element):
                counts = [(self.lifted(part, element), times) for part, times in value.counts.items()]
                return BagV(
                    element,
                    lambda found: z3.Sum(
                        [z3.IntVal(0), *(z3.If(machine.equal(found, one), times, 0) for one, times in counts)]
                    ),
                )
            case ListType(element=element):
                items = [self.lifted(part, element) for part in value]
                other = items[-1] if items else machine.symbols.symbol(element, "no element", [])
                return SeqV(
                    element,
                    z3.IntVal(len(items)),
                    lambda at: self._chosen(((as_formula(at == place), one) for place, one in enumerate(items)), other),
                )
        return machine.constant(value, kind)

    def _chosen(self, options: Iterable[tuple[z3.BoolRef, Value]], rest: Value) -> Value:
        for condition, value in reversed(list(options)):
            rest = self.machine.select(condition, value, rest)
        return rest


__all__ = ["Failure", "Grounded", "judged"]
