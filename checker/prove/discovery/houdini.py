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

from checker.model.nodes import Model
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

    def needed(self, goal: str, names: Sequence[str]) -> set[str]:
        """Those among inductive candidates that are used to show that every action keeps the goal."""
        found: set[str] = set()
        for solver in self._solvers.values():
            solver.push()
            solver.add(_broken(goal))
            if self._sat(solver, [_assumed(name) for name in names]):
                raise AssertionError(f"{goal} is not kept, although it is among what is inductive")
            found |= {str(name).removeprefix("assumed ") for name in solver.unsat_core()}
            solver.pop()
        return found

    def minimal(self, goals: Sequence[str], names: Sequence[str]) -> list[str]:
        """A set among inductive candidates that has the goals, is inductive, and of which none can be left out.

        The last ones are left out first, so `names` should begin with those that a reader likes best.
        """
        left = self._closure(goals, names)
        for name in reversed(left):
            if name not in goals and name in left:
                self.progress(f"{len(left)} lemmas, without {name}?")
                smaller = self.inductive([other for other in left if other != name])
                if set(goals) <= set(smaller):
                    left = [other for other in self._closure(goals, smaller) if other in smaller]
        return left

    def _closure(self, goals: Sequence[str], names: Sequence[str]) -> list[str]:
        """The goals and what their proofs use, directly or not, in the given order."""
        found, todo = set(goals), list(goals)
        while todo:
            fresh = self.needed(todo.pop(), names) - found
            found |= fresh
            todo += sorted(fresh)
        return [name for name in names if name in found]

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
