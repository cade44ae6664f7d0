"""Lemmas for a goal, one by one, guided by counterexamples to induction.

A step that breaks a goal begins in a state that some clause should exclude: the strongest one that is false there, and
true in all states that are known to be allowed, is assumed. When the goal is kept, what was assumed and is used has to
be shown in the same way. If nothing excludes the state before a step, the step shows that the state after it is
allowed: whatever is inductive among the clauses is true before the step, and therefore after it. So clauses that are
false there are no lemmas, and weaker ones take their place (`universe`).

A goal is shown if Houdini, given all clauses of the universe, also those that other clauses imply, would keep it, and
only then, as long as the universe has not reached its limit; but only clauses that might matter are asked of a solver. The
number of clauses is finite, and every answer adds one that is assumed, or a state that refutes one: the search ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random

from quorate.kinds import STEPS
from quorate.language.system import Failure, State
from quorate.model.nodes import Property
from quorate.prove.any_size.obligations import NO_ERROR
from quorate.prove.discovery.houdini import Houdini
from quorate.prove.discovery.samples import SEED, Form, Steps
from quorate.prove.discovery.universe import Held, Universe
from quorate.prove.transition.relation import Relation

WALK_STEPS = 10
"""Steps of a random walk from a state that is allowed: the states on the way are allowed as well."""

Progress = Callable[[str], None]


class Written:
    """Clauses of a universe as conditions of a relation; `forms` are the properties that say what the forms say."""

    def __init__(self, relation: Relation, universe: Universe, forms: Mapping[Form, Property]) -> None:
        self._relation, self._universe, self._forms = relation, universe, forms
        self._known: dict[tuple[Form, bool, int], int] = {}

    def always(self, held: Held) -> int:
        """That a clause is true before the step."""
        scope, machine = self._universe.scopes[held.scope], self._relation.machine
        literals = [number for number in held.parts if number < len(scope.literals)]
        equal = 0
        for number in held.parts:
            if number >= len(scope.literals):
                equal |= scope.equal[number - len(scope.literals)]
        rows = [row for row in range(scope.full.bit_length()) if not equal >> row & 1]
        return machine.both(
            [machine.either([self._literal(held.scope, number, row) for number in literals]) for row in rows]
        )

    def reads(self, held: Held) -> frozenset[str]:
        """The variables of the state that a clause depends on."""
        scope = self._universe.scopes[held.scope]
        forms = (scope.readings[number][0] for number in held.parts if number < len(scope.literals))
        return frozenset[str]().union(*(self._forms[form].reads for form in forms))

    def _literal(self, number: int, place: int, row: int) -> int:
        scope, machine = self._universe.scopes[number], self._relation.machine
        (form, rows), positive = scope.readings[place], scope.literals[place].positive
        key = form, positive, rows[row]
        if key not in self._known:
            prop, values = self._forms[form], form.rows()[rows[row]]
            cells = [machine.constant(value, kind) for value, (_, kind) in zip(values, prop.parameters, strict=True)]
            value, raises = machine.judge(prop, self._relation.before, cells)
            true = machine.truth(value)
            self._known[key] = machine.both((true if positive else true ^ 1, raises ^ 1))
        return self._known[key]


class Guided:
    """The search for lemmas that show the goals, and that no action raises an error."""

    def __init__(
        self, houdini: Houdini, universe: Universe, written: Written, goals: Sequence[str], progress: Progress
    ) -> None:
        self._houdini, self._universe, self._written = houdini, universe, written
        self._goals, self._progress = list(goals), progress
        self.names: dict[str, Held] = {}
        """The clauses that were assumed, dead ones among them."""
        self.open = ""
        """What was not shown, in words, if something was not."""
        self._own = houdini.initially(houdini.names)
        given = {prop.name for prop in houdini.model.of("lemma")} | set(self._goals)
        self._given = [name for name in self._own if name in given]
        self._assumed: dict[str, Held | None] = {}
        self._steps, self._random = Steps(universe.system), Random(SEED)
        self._cores: dict[tuple[str, str], frozenset[str]] = {}

    def lemmas(self) -> list[str] | None:
        """What the proofs of the goals use, themselves among it; None if a goal cannot be shown."""
        steps = {prop.name for prop in self._houdini.model.of(*STEPS)}
        for goal in self._goals:
            if goal not in steps and goal not in self._own:
                self.open = goal
                return None
        while True:
            needed, claim = self._first_open()
            if claim is None:
                return [name for name in needed if name != NO_ERROR and name not in steps]
            if not self._settled(*claim, needed):
                self.open = "the absence of errors" if claim[1] == NO_ERROR else claim[1]
                return None

    def _first_open(self) -> tuple[list[str], tuple[str, str] | None]:
        """What is needed as far as it is known, and the first claim about it that is not shown."""
        needed, position, alive = [NO_ERROR, *self._goals], 0, {*self._own, *self._assumed}
        while position < len(needed):
            name, position = needed[position], position + 1
            for action in self._houdini.claims(name):
                core = self._cores.get((action, name))
                if core is None or not core <= alive:
                    return needed, (action, name)
                needed += sorted(core - set(needed))
        return needed, None

    def _settled(self, action: str, name: str, needed: Sequence[str]) -> bool:
        """Show a claim, or find that its property is no lemma; False if a goal is lost."""
        alive = {*self._own, *self._assumed}
        few = [other for other in needed if other in alive]
        core = self._houdini.core(action, name, few)
        while core is None:
            self._progress(
                f"{len(self._assumed)} lemmas assumed, {len(needed) - 1} needed, {len(self._universe.alive)} clauses; "
                f"{action}: {name}"
            )
            rest = [other for other in self._assumed if other not in few]
            core = self._houdini.core(action, name, [*few, *rest])
            if core is not None:
                core = self._smaller(action, name, core, set(few))
            elif not self._excluded():
                return self._refuted(name)
        self._cores[action, name] = core
        return True

    def _smaller(self, action: str, name: str, core: frozenset[str], needed: set[str]) -> frozenset[str]:
        """A core of which nothing can be left out that is not needed anyhow."""
        for other in sorted(core - needed):
            if other in core:
                core = self._houdini.core(action, name, sorted(core - {other})) or core
        return core

    def _refuted(self, name: str) -> bool:
        """Take the step just found for one that refutes what is false after it; False if a goal is."""
        lost = self._houdini.false_after(self._own)
        if name in (NO_ERROR, *self._goals) or any(goal in lost for goal in self._goals):
            return False
        for own in lost:
            self._own.remove(own)
            self._assumed.pop(own, None)
        after = self._houdini.state_after()
        self._allow(after)
        with suppress(Failure):
            for state in self._steps.walk(after, self._random, WALK_STEPS):
                self._allow(state)
        return True

    def _excluded(self) -> bool:
        """Assume one more property that is false before the step just found, if there is one: a lemma that was given, a
        clause, or else another invariant."""
        own = self._houdini.false_before(self._own)
        given = [name for name in own if name in self._given]
        if given:
            self._assumed[given[0]] = None
            return True
        columns = self._universe.columns(self._houdini.state_before())
        while (held := self._universe.excluding(columns)) is not None:
            name = self._named(held)
            state = self._houdini.initial_without(name)
            if state is None:
                self._assumed[name] = held
                return True
            self._allow(state)
        if own:
            self._assumed[own[0]] = None
        return bool(own)

    def _named(self, held: Held) -> str:
        """A name for a clause, which is a candidate now."""
        name = f"candidate_{len(self.names)}"
        self._houdini.add(name, self._written.always(held), self._written.reads(held))
        self.names[name] = held
        return name

    def pool(self, most: int) -> list[str]:
        """What is inductive together of what was assumed, and of the first clauses, so many at most."""
        known = set(self._assumed.values())
        for held in [held for held in self._universe.alive if held not in known][:most]:
            self._assumed[self._named(held)] = held
        clauses = [name for name, held in self._assumed.items() if held is not None]
        clauses.sort(key=lambda name: self._universe.clause(self.names[name]).cost)
        return self._houdini.inductive(self._houdini.initially([*self._own, *clauses]))

    def _allow(self, state: State) -> None:
        dead = set(self._universe.allow(self._universe.columns(state)))
        self._assumed = {name: held for name, held in self._assumed.items() if held not in dead}
