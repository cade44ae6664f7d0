"""Which candidates are inductive together, at fixed bounds (Flanagan & Leino 2001, "Houdini, an Annotation Assistant").

All candidates are assumed before every action. A solution of "some candidate is false after it" is a step that refutes
those that are false there; without them the question is asked again. What is left when no action refutes any is the
largest inductive set among the candidates: it does not depend on the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any

import z3

from checker.model.nodes import Model, Property
from checker.prove.bounded import Undecided
from checker.prove.relation import Fired, Relation


class Houdini:
    """The queries about one model, whose lemmas and invariants are the candidates. Use it inside `with model.system`.

    `deadline` is a time of `time.monotonic`; Undecided is raised when it has passed.
    """

    def __init__(self, model: Model, deadline: float, progress: Callable[[str], None] = lambda _: None) -> None:
        self.model, self.deadline, self.progress = model, deadline, progress
        self.relation = Relation(model)
        self.names = tuple(prop.name for prop in model.of("invariant", "lemma"))
        self._before: dict[str, Any] = {}
        self._after: dict[str, Any] = {}
        for prop in model.of("invariant", "lemma"):
            progress(f"writing {prop.name}")
            self._before[prop.name] = self.relation.formula(self.relation.always(prop, self.relation.before))
            self._after[prop.name] = self.relation.formula(self.relation.always(prop, self.relation.after))
        self._solvers = {fired.action.name: self._solver(fired) for fired in self.relation.fired}

    def _solver(self, fired: Fired) -> Any:
        """The step of an action, with a name for each candidate before it and after it."""
        solver = self.relation.solver(1.0)
        solver.add(*self.relation.legality(0), *self.relation.legality(1), self.relation.formula(fired.step))
        for name in self.names:
            solver.add(z3.Implies(_assumed(name), self._before[name]))
            solver.add(z3.Implies(_broken(name), z3.Not(self._after[name])))
        return solver

    def initially(self, names: Iterable[str]) -> list[str]:
        """Those that are true in all initial states."""
        relation, left = self.relation, list(names)
        while left:
            solver = relation.solver(max(self.deadline - monotonic(), 0.001))
            solver.add(*relation.legality(0), relation.formula(relation.initial[0]))
            solver.add(z3.Or([z3.Not(self._before[name]) for name in left]))
            if not self._sat(solver, []):
                break
            solution = solver.model()
            left = [name for name in left if z3.is_true(solution.eval(self._before[name], model_completion=True))]
        return left

    def inductive(self, names: Sequence[str]) -> list[str]:
        """The largest set among these that every action keeps."""
        left, quiet = list(names), 0
        actions = [fired.action.name for fired in self.relation.fired]
        position = 0
        while left and quiet < len(actions):
            action = actions[position % len(actions)]
            self.progress(f"{len(left)} candidates, {action}")
            refuted = self._refuted(action, left)
            if refuted:
                left, quiet = [name for name in left if name not in refuted], 0
            else:
                position, quiet = position + 1, quiet + 1
        return left

    def _refuted(self, action: str, names: Sequence[str]) -> set[str]:
        """Candidates that a step of an action breaks from a state that satisfies all of them."""
        solver = self._solvers[action]
        solver.push()
        solver.add(z3.Or([_broken(name) for name in names]))
        found: set[str] = set()
        if self._sat(solver, [_assumed(name) for name in names]):
            solution = solver.model()
            found = {name for name in names if not z3.is_true(solution.eval(self._after[name], model_completion=True))}
        solver.pop()
        return found

    def steps_kept(self, names: Sequence[str]) -> list[str]:
        """The @step properties that every action has from states that satisfy these."""
        return [
            prop.name
            for prop in self.model.of("step")
            if not any(self._breaks(solver, prop, names) for solver in self._solvers.values())
        ]

    def _breaks(self, solver: Any, prop: Property, names: Sequence[str]) -> bool:
        judged, machine = self.relation.judge(prop), self.relation.machine
        solver.push()
        solver.add(self.relation.formula(machine.both((*judged.legal, machine.either((judged.false, judged.raises))))))
        found = self._sat(solver, [_assumed(name) for name in names])
        solver.pop()
        return found

    def minimal(self, goals: Sequence[str], names: Sequence[str]) -> list[str]:
        """A set among inductive candidates that has the goals and is inductive, and of which none can be left out.

        Whole parts are left out first, from the end: `names` should begin with those that a reader likes best. When
        time is over, the smallest set so far.
        """
        left, size = list(names), max(len(names) // 2, 1)
        try:
            while True:
                end = len(left)
                while end > 0:
                    self.progress(f"{len(left)} lemmas are enough; fewer?")
                    start, part = max(end - size, 0), set(left[max(end - size, 0) : end]) - set(goals)
                    smaller = self.sufficient(goals, [name for name in left if name not in part]) if part else None
                    left = left if smaller is None else smaller
                    end = min(start, len(left))
                if size == 1:
                    return left
                size //= 2
        except Undecided:
            return left

    def sufficient(self, goals: Sequence[str], names: Sequence[str]) -> list[str] | None:
        """What is inductive among these, if it has the goals."""
        found = self.inductive(names)
        states = {name for name in goals if name in self.names}
        enough = states <= set(found) and set(goals) - states <= set(self.steps_kept(found))
        return found if enough else None

    def _sat(self, solver: Any, assumptions: Sequence[Any]) -> bool:
        left = self.deadline - monotonic()
        if left <= 0:
            raise Undecided("the time for lemmas is over")
        solver.set("timeout", max(1, int(left * 1000)))
        verdict = solver.check(*assumptions)
        if verdict == z3.unknown:
            raise Undecided(f"the time for lemmas is over ({solver.reason_unknown()})")
        return bool(verdict == z3.sat)


def _assumed(name: str) -> Any:
    return z3.Bool(f"assumed {name}")


def _broken(name: str) -> Any:
    return z3.Bool(f"broken {name}")
