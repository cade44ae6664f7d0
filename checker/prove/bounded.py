"""Proofs and refutations at fixed bounds: bounded checking, induction, and small counterexamples to induction.

All three ask whether a run of some length exists between cells: from an initial state to one where a property is
false (bounded checking; the lengths are tried in turn, so the first is a shortest), or from any state that satisfies
the properties to one that does not (induction; k of those states in a row for k-induction). The queries are
propositional, and Z3 decides them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import z3

from checker.explore.engine import Finding, Instance
from checker.explore.tracing import trace
from checker.language.system import Arguments, Method, State
from checker.model.nodes import Model, Property
from checker.prove.relation import Fired, Judged, Relation
from checker.trace import Json, Trace

Progress = Callable[[str], None]
SHRINK_SECONDS = 5.0
"""For making a counterexample to induction small."""


class Undecided(Exception):
    """A solver ran out of time; the text says where."""


@dataclass(frozen=True)
class Induction:
    """A counterexample to induction: `before` satisfies what is assumed (for k-induction, so do the states that lead
    there), and the action leads to `after`, where the property is false for `witnesses`, or raises an error.

    `places` are the variables with their values before and after in JSON; `trace` is the step as a run of its own, for
    pictures.
    """

    property: str
    action: Method
    arguments: Arguments
    before: State
    after: State
    witnesses: Arguments
    places: tuple[tuple[str, Json, Json], ...] = ()
    path: tuple[State, ...] = ()
    trace: Trace | None = None


class Bounded:
    """The queries of one model. Make and use it inside `with model.system`."""

    def __init__(self, model: Model, seconds: float = 60.0, progress: Progress = lambda _: None) -> None:
        self.model, self.seconds, self.progress = model, seconds, progress
        self.relation = Relation(model)
        self.inductive = model.of("invariant", "lemma")
        self.steps = model.of("step")
        self._kept: dict[str, int] = {}

    # Bounded checking

    def search(self, depth: int, names: Sequence[str]) -> tuple[Finding | None, int]:
        """A shortest violation of the named properties (or an error in the spec) within `depth` steps, and how deep
        it was looked.

        Raises Undecided if the time does not suffice.
        """
        relation, deadline = self.relation, monotonic() + self.seconds
        judged = [relation.judge(prop) for prop in (*self.inductive, *self.steps) if prop.name in set(names)]
        initial, initial_arguments = relation.initial
        solver = relation.solver(self.seconds)
        solver.add(*relation.legality(0), relation.formula(initial))
        for length in range(depth + 1):
            self.progress(f"depth {length}")
            false = self._violation(solver, [one for one in judged if one.prop.kind != "step"], length, deadline)
            if false is not None:
                return self._finding(solver, false, initial_arguments, length), length
            self._extend(solver, length)
            found = self._last_step(solver, judged, length, deadline)
            if found is not None:
                return self._finding(solver, found, initial_arguments, length), length + 1
            if not self._checked(
                solver, deadline, f"whether a step is possible after {length}", [self._chosen(length)]
            ):
                return None, length
            solver.add(self._chosen(length))
        return None, depth

    def _checked(self, solver: Any, deadline: float, what: str, assumptions: Sequence[Any]) -> bool:
        left = deadline - monotonic()
        if left <= 0:
            raise Undecided(f"{what}: no time is left")
        solver.set("timeout", max(1, int(left * 1000)))
        verdict = solver.check(*assumptions)
        if verdict == z3.unknown:
            raise Undecided(f"{what}: {solver.reason_unknown()}")
        return bool(verdict == z3.sat)

    def _extend(self, solver: Any, length: int) -> None:
        """Add the step number `length`: which action it is, is a choice."""
        relation = self.relation
        solver.add(*relation.legality(length + 1))
        for fired in relation.fired:
            solver.add(z3.Implies(self._choice(fired, length), relation.formula(fired.step, length)))

    @staticmethod
    def _choice(fired: Fired, length: int) -> Any:
        return z3.Bool(f"{fired.action.name}@{length}")

    def _chosen(self, length: int) -> Any:
        return z3.Or([self._choice(fired, length) for fired in self.relation.fired])

    def _violation(self, solver: Any, judged: Sequence[Judged], length: int, deadline: float) -> Judged | None:
        """The first property that is false, or raises an error, in the last state."""
        for one in judged:
            bad = self.relation.machine.both((*one.legal, self.relation.machine.either((one.false, one.raises))))
            if self._checked(
                solver, deadline, f"{one.prop.name} at depth {length}", [self.relation.formula(bad, length)]
            ):
                return one
        return None

    def _last_step(self, solver: Any, judged: Sequence[Judged], length: int, deadline: float) -> Judged | Fired | None:
        """The first action that raises an error in the last state, or @step property that the last step breaks."""
        relation = self.relation
        for fired in relation.fired:
            raised = relation.machine.both(
                (*fired.legal, relation.machine.either([condition for condition, _ in fired.errors]))
            )
            if raised and self._checked(
                solver, deadline, f"{fired.action.name} at depth {length}", [relation.formula(raised, length)]
            ):
                return fired
        for one in judged:
            if one.prop.kind == "step":
                bad = relation.machine.both((*one.legal, relation.machine.either((one.false, one.raises))))
                if self._checked(
                    solver,
                    deadline,
                    f"{one.prop.name} at depth {length}",
                    [relation.formula(bad, length), self._chosen(length)],
                ):
                    return one
        return None

    def _finding(self, solver: Any, found: Judged | Fired, initial_arguments: Sequence[Any], length: int) -> Finding:
        relation, solution = self.relation, solver.model()
        init = self.model.init
        started = (
            relation.arguments(initial_arguments, init.parameters, relation.reader(solution))
            if init is not None
            else ()
        )
        instances = [self._instance(solution, step) for step in range(length)]
        true = relation.reader(solution, length)
        if isinstance(found, Fired):
            instance = (found.action.method, relation.arguments(found.arguments, found.action.parameters, true))
            why = next(event.what for condition, event in found.errors if true(condition))
            return Finding("error", found.action.method, started, (*instances, instance), message=why, in_step=True)
        if found.prop.kind == "step":
            instances.append(self._instance(solution, length))
        arguments = relation.arguments(found.arguments, found.prop.parameters, true)
        kind = "error" if true(found.raises) else "step" if found.prop.kind == "step" else "invariant"
        message = f"{found.prop.name} raises an error" if kind == "error" else None
        return Finding(kind, found.prop.method, started, tuple(instances), arguments, message=message)

    def _instance(self, solution: Any, step: int) -> Instance:
        for fired in self.relation.fired:
            if z3.is_true(solution.eval(self._choice(fired, step))):
                true = self.relation.reader(solution, step)
                return fired.action.method, self.relation.arguments(fired.arguments, fired.action.parameters, true)
        raise AssertionError("a step of a solution has no action")

    # Induction

    def initial_violation(self, prop: Property) -> Arguments | None:
        """Arguments for which a property is false in an initial state, or None."""
        relation = self.relation
        judged = relation.judge(prop)
        solver = relation.solver(self.seconds)
        solver.add(*relation.legality(0), relation.formula(relation.initial[0]), relation.formula(self._bad(judged)))
        if not self._checked(solver, monotonic() + self.seconds, f"initial states, {prop.name}", []):
            return None
        return relation.arguments(judged.arguments, prop.parameters, relation.reader(solver.model()))

    def has_initial_state(self) -> bool:
        """Whether there is an initial state at all."""
        solver = self.relation.solver(self.seconds)
        solver.add(*self.relation.legality(0), self.relation.formula(self.relation.initial[0]))
        return self._checked(solver, monotonic() + self.seconds, "initial states", [])

    def can_fire(self, fired: Fired, assumed: Sequence[str]) -> bool:
        """Whether an action can happen in a state that satisfies the assumed properties: if not, what it keeps is no
        news."""
        solver = self._assuming(assumed, 1)
        solver.add(self.relation.formula(fired.step, 0), *self.relation.legality(1))
        return self._checked(solver, monotonic() + self.seconds, f"{fired.action.name} can happen", [])

    def broken_by(
        self, fired: Fired, prop: Property, assumed: Sequence[str], depth: int = 1, small: bool = True
    ) -> Induction | None:
        """A counterexample to the claim that an action keeps a property after `depth` states that satisfy the assumed
        ones."""
        relation, last = self.relation, depth - 1
        if prop.kind != "step" and not fired.action.writes & prop.reads:
            return None
        solver = self._assuming(assumed, depth)
        for step in range(last):
            self._extend(solver, step)
            solver.add(self._chosen(step))
        solver.add(*relation.legality(depth), relation.formula(fired.step, last))
        judged = relation.judge(prop)
        bad, place = self._bad(judged), last if prop.kind == "step" else depth
        solver.add(relation.formula(bad, place))
        deadline = monotonic() + self.seconds
        if not self._checked(solver, deadline, f"{fired.action.name}, {prop.name}", []):
            return None
        solution = self._shrunk(solver, last) if small else solver.model()
        true = relation.reader(solution, last)
        before, after = relation.state(solution, last), relation.state(solution, depth)
        induction = Induction(
            prop.name,
            fired.action.method,
            relation.arguments(fired.arguments, fired.action.parameters, true),
            before,
            after,
            relation.arguments(judged.arguments, prop.parameters, relation.reader(solution, place)),
            self._places(before, after),
            tuple(relation.state(solution, step) for step in range(last)),
        )
        return replace(induction, trace=self._drawn(induction, prop))

    def _places(self, before: State, after: State) -> tuple[tuple[str, Json, Json], ...]:
        return tuple(
            (variable.name, variable.type.to_json(old), variable.type.to_json(new))
            for variable, old, new in zip(self.model.variables, before, after, strict=True)
        )

    def _drawn(self, found: Induction, prop: Property) -> Trace:
        """A counterexample to induction as a run of one step."""
        kind = "step" if prop.kind == "step" else "invariant"
        finding = Finding(kind, prop.method, (), ((found.action, found.arguments),), found.witnesses)
        return trace(self.model.system, finding, self.model.name, None, start=found.before)

    def raises(self, fired: Fired, assumed: Sequence[str]) -> Induction | None:
        """A state that satisfies the assumed properties and where an action raises an error, or None."""
        relation = self.relation
        raised = relation.machine.both(
            (*fired.legal, relation.machine.either([condition for condition, _ in fired.errors]))
        )
        if not raised:
            return None
        solver = self._assuming(assumed, 1)
        solver.add(relation.formula(raised))
        if not self._checked(solver, monotonic() + self.seconds, f"{fired.action.name}, no error", []):
            return None
        solution = self._shrunk(solver, 0)
        true, before = relation.reader(solution), relation.state(solution)
        arguments = relation.arguments(fired.arguments, fired.action.parameters, true)
        places = self._places(before, before)
        return Induction("no error", fired.action.method, arguments, before, before, (), places)

    def _bad(self, judged: Judged) -> int:
        machine = self.relation.machine
        return int(machine.both((*judged.legal, machine.either((judged.false, judged.raises)))))

    def _assuming(self, assumed: Sequence[str], states: int) -> Any:
        """A solver for as many states in a row that satisfy the assumed properties."""
        relation, solver = self.relation, self.relation.solver(self.seconds)
        for prop in self.inductive:
            if prop.name in set(assumed):
                solver.add(*(relation.formula(self._always(prop), step) for step in range(states)))
        for step in range(states):
            solver.add(*relation.legality(step))
        return solver

    def _always(self, prop: Property) -> int:
        if prop.name not in self._kept:
            self._kept[prop.name] = self.relation.always(prop, self.relation.before)
        return self._kept[prop.name]

    def _shrunk(self, solver: Any, step: int) -> Any:
        """A solution whose state at a step has few values that differ from the defaults.

        The parts of the state are made simple in order, each if those before allow it; as many at once as go together.
        """
        deadline = monotonic() + SHRINK_SECONDS
        best = solver.model()
        left = [self._simple(step)]
        while left and monotonic() < deadline:
            cells = left.pop()
            if not all(z3.is_true(best.eval(cell, model_completion=True)) for cell in cells):
                if solver.check(*cells) != z3.sat:
                    middle = len(cells) // 2
                    left += [cells[middle:], cells[:middle]] if middle else []
                    continue
                best = solver.model()
            solver.add(*cells)
        return best

    def _simple(self, step: int) -> list[Any]:
        """For each part of the state, that it is as simple as can be: false, empty, or the default."""
        relation = self.relation
        zero = relation.constant(self.model.system.zero(before_init=True))
        cells = [
            part
            for variable in self.model.variables
            for part in _parts(relation, relation.before[variable.name], zero[variable.name])
        ]
        return [relation.formula(part, step) for part in cells]


def _parts(relation: Relation, value: Any, zero: Any) -> list[int]:
    """The conditions that the parts of a value are those of its default."""
    from checker.prove.encode.fixed.cells import Mask, Table

    if isinstance(value, Mask):
        return [guard ^ 1 for guard in value.values()]
    if isinstance(value, Table):
        return [part for key, inner in value.items() for part in _parts(relation, inner, zero[key])]
    return [relation.machine.equal(value, zero)]
