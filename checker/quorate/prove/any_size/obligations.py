"""Proofs for any number of nodes: what has to be shown, as one query per action and property.

A property is proven if it is true in the initial states and if every action keeps it, given that all the invariants
and lemmas are true before. The negation of each such claim goes to the solvers: "unsat" is a proof of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, cast

import z3

from quorate.errors import Location, OutsideSubset, SpecError, UsageError
from quorate.kinds import INVARIANTS, MAPPING, SAFETY, STEPS
from quorate.language.places import declaration
from quorate.language.sorts import IDENTITIES_MAX, NUMBER_MAX, Int
from quorate.language.spec import Spec, without
from quorate.language.types import NatType, RecordType, Type
from quorate.language.types.base import Bounded
from quorate.model.build import build
from quorate.model.nodes import Action, Expr, Model, Op, Property, expressions
from quorate.prove.encode.anysize.containers import SetV, Value, as_formula
from quorate.prove.encode.anysize.definitions import QUORUM, quorums_in
from quorate.prove.encode.anysize.execution import AnySize
from quorate.prove.encode.anysize.quantifiers import Transition
from quorate.prove.encode.anysize.refusal import NoAnySize, require_natural
from quorate.prove.encode.anysize.sizes import constants_in
from quorate.prove.encode.anysize.terms import Formula, Term
from quorate.prove.encode.values import parts_of
from quorate.prove.solvers.query import Query, query

INIT = "initial states"
NO_ERROR = "no error"
FOLLOWS = "follows from lemmas"
"""What stands in the place of an action or property: none is called so."""
KINDS = SAFETY

State = dict[str, Value]


def model_of_any_size(spec: type[Spec]) -> Model:
    """The model of a spec to be proven for any size. Raises NoAnySize where it computes with the configured sizes."""
    model = build(spec)
    for variable in model.variables:
        for part in variable.type.walk():
            if isinstance(part, NatType):
                try:
                    require_natural(part)
                except NoAnySize as error:
                    where = declaration(spec, variable.name)
                    raise error if where is None else error.at(where) from None
    at_any_bound(model)
    return model


LARGE = (NUMBER_MAX, 4_095, 255, 15)
"""Greatest numbers to try; a sort whose numbers are keys of maps cannot have as many as others."""
LONG = (15,)
"""Those of a sort that says how long lists are: longer ones have too many values to be counted."""


def at_any_bound(model: Model) -> Model:
    """The model with one member more of every sort and with numbers as large as the specification can have. What is
    checked there is checked at any bound: `10 - self.term` is not below zero as long as terms end at 3."""
    if model.constraints:
        model = build(without(cast(type[Spec], model.system.spec), [one.name for one in model.constraints]))
    sizes, spec = model.system.sizes, cast(type[Spec], model.system.spec)
    bounds = {
        sort.__name__: size + 1 for sort, size in sizes.items() if not issubclass(sort, Int) and size < IDENTITIES_MAX
    }
    capacities = {
        part.bound for variable in model.variables for part in variable.type.walk() if isinstance(part, Bounded)
    }
    for sort, size in sizes.items():
        if issubclass(sort, Int):
            name = sort.__name__
            bounds[name] = _largest(spec, bounds, name, size, LONG if name in capacities else LARGE)
    try:
        larger = build(spec.bounded(**bounds))
    except OutsideSubset as error:
        raise NoAnySize(f"{error.found} That is so at other bounds.", error.instead, error.location) from None
    same_constants(_bodies(model), _bodies(larger))
    return larger


def _largest(spec: type[Spec], bounds: dict[str, int], name: str, size: int, numbers: Sequence[int]) -> int:
    for largest in numbers:
        if largest > size:
            try:
                spec.bounded(**(bounds | {name: largest}))
            except (SpecError, UsageError):
                continue
            return largest
    return size


def _bodies(model: Model) -> Iterator[Expr]:
    initial = () if model.init is None else (model.init,)
    for part in (*initial, *model.actions, *model.of(*KINDS), *model.functions.values()):
        yield from expressions(part.body)


def same_constants(mine: Iterable[Expr], other: Iterable[Expr]) -> None:
    """Raises NoAnySize where expressions have other constants at other sizes. What else differs are conversions, and
    functions for numbers of other ranges."""
    known, found = _constants(mine), _constants(other)
    for place in known.keys() | found.keys():
        if known.get(place) != found.get(place):
            said = ", ".join(map(str, sorted(known.get(place, ())))) or "computed in this way"
            raise NoAnySize(
                f"This is {said} only at the configured size.",
                "Write `all(s in x for s in Sort)`, is_majority(x, Sort) or is_quorum(x, n, Sort) instead of computing "
                "with the number of nodes, and no largest number.",
                place,
            )


def _constants(bodies: Iterable[Expr]) -> dict[Location | None, set[int]]:
    """The whole numbers and truths in expressions, by their places."""
    found: dict[Location | None, set[int]] = {}
    for body in bodies:
        for part in body.walk():
            if part.op is Op.CONST and isinstance(part.data, int):
                found.setdefault(part.location, set()).add(part.data)
    return found


class Prover:
    """Writes the queries of one model."""

    def __init__(self, model: Model, required: Sequence[str] | None = None) -> None:
        """`required` are the properties that must have an any-size meaning; None: all. Others are `skipped` where
        they have none."""
        self.model = model
        self._any = at_any_bound(model)
        self._machine = AnySize(self._any)
        self._before = {
            variable.name: self._machine.symbols.symbol(
                variable.type, f"self.{variable.name}", [], declaration(model.system.spec, variable.name)
            )
            for variable in self._any.variables
        }
        self._hypotheses: dict[str, tuple[str, Formula]] = {}
        self._transitions: dict[str, tuple[AnySize, Transition]] = {}
        self._given: dict[str, list[Value]] = {}
        # What is known of formulas, by their numbers; a number stays theirs as long as they are here.
        self._symbols: dict[int, tuple[Formula, frozenset[str]]] = {}
        self._quorums: dict[int, tuple[Formula, set[str], set[str]]] = {}
        self._premises: dict[tuple[Any, ...], Query] = {}
        """By an action and the numbers of the definitions, which are among the formulas that `_symbols` holds: no other gets them."""
        self.conditions: set[str] = set()
        """What is supposed of what is configured, in what was asked so far; what sizes of quorums must satisfy is said with each answer."""
        self.skipped: dict[str, NoAnySize] = {}
        for prop in self._any.of(*INVARIANTS):
            try:
                self._hypotheses[prop.name] = (prop.name, self._closed(self._machine, prop, self._before))
            except NoAnySize as error:
                if required is None or prop.name in required:
                    raise
                self.skipped[prop.name] = error
        for prop in (*self._any.of(*STEPS), *self._any.beginnings):
            machine = self._machine.fork()
            try:
                machine.holds(prop, self._before, self._case(machine, prop), self._before)
            except NoAnySize as error:
                if required is None or prop.name in required:
                    raise
                self.skipped[prop.name] = error
        self.inductive = tuple(prop for prop in self._any.of(*INVARIANTS) if prop.name not in self.skipped)
        self.steps = tuple(prop for prop in self._any.of(*STEPS) if prop.name not in self.skipped)

    def refused(self) -> tuple[str, NoAnySize] | None:
        """The first action that has no any-size meaning, or @init, and why; None if all have one."""
        name = INIT
        try:
            self._initial_state(AnySize(self._any))
            for action in self._any.actions:
                name = action.name
                self._fired(action, ())
        except NoAnySize as error:
            return name, error
        return None

    def queries(self, wanted: Sequence[str], assumed: Sequence[str]) -> list[Query]:
        """The queries for the named properties, given the named ones before each action."""
        named = set(wanted)
        beginnings = [prop for prop in self._any.beginnings if prop.name not in self.skipped]
        found = [self.initial(prop) for prop in (*self.inductive, *beginnings) if prop.name in named]
        for action in self._any.actions:
            for prop in (*self.inductive, *self.steps):
                if prop.name in named and (prop.kind in STEPS or action.writes & prop.reads):
                    found.append(self.kept(action, prop, assumed))
        return found

    def follows(self, prop: Property, assumed: Sequence[str]) -> Query:
        """The query that an invariant is true wherever the assumed lemmas are: then it needs no induction of its own.

        Lemmas are never shown in this way, so that no two properties rest on each other alone.
        """
        machine, hypotheses = self._known(assumed)
        lemmas = {lemma.name for lemma in self._any.of("lemma")}
        goal = machine.negate(self._hypotheses[prop.name][1])
        return self._query(
            (FOLLOWS, prop.name), machine, [*(part for part in hypotheses if part[0] in lemmas), ("", goal)]
        )

    def errors(self, assumed: Sequence[str]) -> list[Query]:
        """The queries that neither @init nor an action raises an error."""
        found = []
        if self._any.init is not None:
            machine = AnySize(self._any)
            raised = machine.either([condition for condition, _ in machine.stopped(self._first(machine), "error")])
            self.conditions |= set(self._supposed(machine))
            if not machine.is_false(raised):
                found.append(self._query((INIT, NO_ERROR), machine, [("", raised)]))
        for action in self._any.actions:
            machine, transition, hypotheses = self._fired(action, assumed)
            with machine.aside():
                raised = machine.either([condition for condition, _ in machine.stopped(transition, "error")])
                self.conditions |= set(self._supposed(machine))
                if not machine.is_false(raised):
                    found.append(self._query((action.name, NO_ERROR), machine, [*hypotheses, ("", raised)]))
        return found

    def satisfiable(self) -> Query:
        """The query whether the axioms have an initial state: "unsat" makes every proof worthless."""
        machine = AnySize(self._any)
        _, facts = self._initial_state(machine)
        return self._query(("axioms", INIT), machine, [("", fact) for fact in facts])

    def initial(self, prop: Property) -> Query:
        """The query that a property is true initially."""
        machine = AnySize(self._any)
        state, facts = self._initial_state(machine)
        goal = machine.negate(self._closed(machine, prop, state))
        return self._query((INIT, prop.name), machine, [*(("", fact) for fact in facts), ("", goal)])

    def kept(self, action: Action, prop: Property, assumed: Sequence[str]) -> Query:
        """The query that an action keeps a property, given the assumed ones before it. That it is an abstract action with some of its
        own arguments is asked first, of which more is true and less has to be found: an alternation of quantifiers over maps took
        the solvers minutes."""
        asked = self._kept(action, prop, assumed, ())
        if prop.kind == MAPPING and action.parameters:
            return replace(asked, narrower=self._kept(action, prop, assumed, self._at_hand(action)))
        return asked

    def _at_hand(self, action: Action) -> Iterator[tuple[Type, Value]]:
        """The arguments of an action, and their fields."""
        for (_, kind), value in zip(action.parameters, self._given[action.name], strict=True):
            yield kind, value
            if isinstance(kind, RecordType):
                yield from zip(kind.kinds, parts_of(value), strict=True)

    def _kept(
        self, action: Action, prop: Property, assumed: Sequence[str], at_hand: Iterable[tuple[Type, Value]]
    ) -> Query:
        machine, transition, hypotheses = self._fired(action, assumed)
        machine.at_hand = list(at_hand)
        with machine.aside():
            arguments = self._case(machine, prop)
            goal = machine.negate(machine.holds(prop, transition.after, arguments, self._before))
            premises = [*hypotheses, ("", machine.enabled(transition))]
            known = tuple(term.get_id() for term in machine.definitions)
            if known and (action.name, *known) not in self._premises:
                self._premises[action.name, *known] = self._query((action.name, prop.name), machine, premises)
            return self._query((action.name, prop.name), machine, [*premises, *_mentions(goal), ("", goal)])

    @property
    def premises(self) -> list[Query]:
        """What the claims so far assume, without what they claim, where that takes definitions: "unsat" makes them
        worthless, "sat" shows that the definitions do not contradict each other."""
        return list(self._premises.values())

    @property
    def constants(self) -> dict[str, object]:
        """The class variables that are read as numbers, as they are configured. What is changed as bounds are is no size here."""
        read = set[str]().union(*(constants_in(body, self.model.configured) for body in _bodies(self.model)))
        return {name: self.model.system.bounds[name] for name in sorted(read)}

    @property
    def axioms(self) -> list[str]:
        """What is taken for granted of values of any size, in words."""
        said = [f"{name} are totally ordered" for name in sorted(map(_name_of, self._machine.symbols.orders))]
        sorts = sorted(
            {label.removeprefix(QUORUM) for machine in self._machines() for label in machine.quorum_labels()}
        )
        said += [f"majorities and quorums of {name}: larger sets are ones, too; two majorities meet" for name in sorts]
        if any(machine.definitions for machine in self._machines()):
            said.append("extremes, single values and contents of messages as they are defined")
        return said

    def _machines(self) -> list[AnySize]:
        return [self._machine, *(machine for machine, _ in self._transitions.values())]

    @staticmethod
    def _case(machine: AnySize, prop: Property) -> list[Value]:
        """A case where a property is false: unknown values of its parameters."""
        return [machine.parameter(kind, f"{name} of {prop.name}", False) for name, kind in prop.parameters]

    def fires(self, action: Action, assumed: Sequence[str]) -> Query:
        """The query whether an action can happen, given the assumed properties and all axioms that its run writes:
        "unsat" makes every proof about it worthless."""
        machine, transition, hypotheses = self._fired(action, assumed)
        with machine.aside():
            parts = [*hypotheses, ("", machine.enabled(transition))]
            return self._query((action.name, "can happen"), machine, parts)

    # Parts

    def _fired(self, action: Action, assumed: Sequence[str]) -> tuple[AnySize, Transition, list[tuple[str, Formula]]]:
        """The machine of an action, its transition, and the assumed properties of the state before: each written once for all
        queries, which ask aside."""
        machine, hypotheses = self._known(assumed)
        if action.name not in self._transitions:
            self._given[action.name] = self._arguments(machine, action)
            self._transitions[action.name] = machine, machine.fire(action, self._before, self._given[action.name])
        machine, transition = self._transitions[action.name]
        return machine, transition, hypotheses

    def _known(self, assumed: Sequence[str]) -> tuple[AnySize, list[tuple[str, Formula]]]:
        """A machine that has written all properties of the state before, and the assumed ones of them."""
        named = set(assumed)
        return self._machine.fork(), [part for name, part in self._hypotheses.items() if name in named]

    def _arguments(self, machine: AnySize, action: Action) -> list[Value]:
        return [machine.parameter(kind, f"{name} of {action.name}") for name, kind in action.parameters]

    def _closed(self, machine: AnySize, prop: Property, state: State, old: State | None = None) -> Formula:
        """A property for all values of its parameters."""
        ranges = [machine.rounds(SetV(kind, lambda _: machine.true), name, None) for name, kind in prop.parameters]
        claims = []
        for choice in product(*ranges):
            guard = machine.both([found.guard for found in choice])
            constants = [constant for found in choice for constant in found.constants]
            with machine.under(guard):  # A number that is an index does not count from the end of a list.
                claim = machine.holds(prop, state, [found.element for found in choice], old)
            claims.append(machine.forall(constants, guard, claim))
        return machine.both(claims)

    def _initial_state(self, machine: AnySize) -> tuple[State, list[Formula]]:
        """The state of all defaults after @init, and what is known of it."""
        if self._any.init is None:
            return self._zero(machine), []
        transition = self._first(machine)
        return transition.after, [machine.enabled(transition)]

    def _zero(self, machine: AnySize) -> State:
        """The state of all defaults."""
        return {
            variable.name: self._default(machine, variable.name, variable.type, variable.default)
            for variable in self._any.variables
        }

    def _first(self, machine: AnySize) -> Transition:
        """@init as a transition from the defaults."""
        action = self._any.init
        assert action is not None
        return machine.fire(action, self._zero(machine), self._arguments(machine, action))

    def _default(self, machine: AnySize, name: str, kind: Type, default: Any) -> Value:
        try:
            return machine.constant(kind.zero() if default is None or hasattr(kind, "message") else default, kind)
        except NoAnySize:
            raise
        except SpecError:
            return machine.symbols.symbol(kind, f"initial {name}", [])

    def _supposed(self, machine: AnySize) -> Iterator[str]:
        """What is supposed of sizes and of the greatest numbers, which has to be true of the configured ones."""
        yield from machine.symbols.conditions
        for sort, number in machine.symbols.suppositions.items():
            if number > self.model.system.sizes[sort]:
                raise NoAnySize(f"{number} is no {sort.__name__} at the configured size.", "Raise that bound.")
            yield f"{sort.__name__} goes up to {number}, or further"

    def _query(self, name: tuple[str, str], machine: AnySize, parts: list[tuple[str, Formula]]) -> Query:
        """A query whose last two parts are the step and the negated goal; the axioms that these call for are added."""
        given, asked = set[str](), set[str]()
        for _, formula in parts:
            if formula.get_id() not in self._quorums:
                self._quorums[formula.get_id()] = formula, *quorums_in(formula)
            given |= self._quorums[formula.get_id()][1]
            asked |= self._quorums[formula.get_id()][2]
        axioms = machine.quorum_axioms(self.model.system.bounds, given, asked)
        self.conditions |= set(self._supposed(machine))
        facts = [("", fact) for fact in (*machine.definitions, *machine.symbols.known)]
        because = self._any.system.spec.because.get(name[1], ())
        return replace(query(name, [*parts, *facts], axioms, self._symbols), because=because)


def _name_of(sort: type) -> str:
    return f"members of {sort.__name__}"


def _mentions(goal: Formula) -> list[tuple[str, Formula]]:
    """The terms about nothing but the action and the property's parameters that stand under quantifiers of the goal,
    as facts that say
    nothing.

    A solver instantiates an assumption for the terms that it sees, and does not look under quantifiers.
    """
    found: dict[int, Term] = {}
    known: dict[tuple[int, bool], bool] = {}

    def varies(term: Term, inside: bool) -> bool:
        key = (term.get_id(), inside)
        if key not in known:
            if z3.is_quantifier(term):
                varies(term.body(), True)
                known[key] = True
            else:
                known[key] = bool(z3.is_var(term)) or any(varies(part, inside) for part in term.children())
                if inside and not known[key] and not z3.is_bool(term) and term.num_args():
                    found[key[0]] = term
        return known[key]

    varies(goal, False)
    return [("", _mentioned(term)) for term in found.values()]


def _mentioned(term: Term) -> Formula:
    return as_formula(z3.Function(f"mentioned {term.sort()}", term.sort(), z3.BoolSort())(term))


__all__ = ["FOLLOWS", "INIT", "NO_ERROR", "Prover", "at_any_bound", "model_of_any_size", "same_constants"]
