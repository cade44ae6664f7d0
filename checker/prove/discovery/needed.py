"""Which lemmas a proof needs: from the unsatisfiable cores, beginning with the properties.

Most of Houdini's survivors say nothing that matters. A property's proof names the lemmas that it uses, theirs name
others, and so on, until nothing new is named. What is named already is tried first, and all that is left only if it
does not suffice. A lemma that is not shown to be kept is forgotten, with every proof that used it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from checker.language.spec import Spec
from checker.prove.sat import Undecided
from checker.prove.solving import Query, ask_z3, selected
from checker.prove.unbounded import INIT, NO_ERROR, Prover, model_of_any_size

SECONDS = 2.0
"""For each attempt at a query for any size that lemmas on demand do not decide."""
SEEDS = 2

Progress = Callable[[str], None]


class Judge(Protocol):
    """Who decides about claims: that an action keeps a property, or raises no error, or that it is true initially."""

    def claims(self, name: str) -> Sequence[str]:
        """The actions for which there is something to show about a property, and `INIT`."""

    def core(self, action: str, name: str, assumed: Sequence[str], useful: Sequence[str]) -> frozenset[str] | None:
        """The assumed lemmas that show it, or None if it is not shown. `useful` are those that may well matter."""


class Needed:
    """The search for few lemmas that show the goals, and that no action raises an error."""

    def __init__(self, judge: Judge, goals: Sequence[str], progress: Progress) -> None:
        self._judge, self._goals, self._progress = judge, list(goals), progress
        self._cores: dict[tuple[str, str], frozenset[str]] = {}

    def lemmas(self, names: Sequence[str]) -> list[str] | None:
        """What the proofs of the goals need among these, in this order; None if a goal cannot be shown with all of them.

        Of what is returned none can be left out, unless time is over before that is known.
        """
        left = self._among(names)
        try:
            for name in reversed(left or []):
                if left is not None and name in left and name not in self._goals:
                    left = self._among([other for other in left if other != name]) or left
        except Undecided:
            pass
        return left

    def _among(self, names: Sequence[str]) -> list[str] | None:
        """What the proofs need, if these may be used; None if a goal cannot be shown."""
        assumed = list(names)
        while True:
            needed, lost = self._closure(assumed)
            if lost is None:
                return [name for name in names if name in needed]
            if lost in self._goals or lost not in assumed:
                return None
            assumed.remove(lost)

    def _closure(self, assumed: Sequence[str]) -> tuple[list[str], str | None]:
        """The needed properties, or those up to the first one that is not shown, which is named."""
        needed, position = [NO_ERROR, *self._goals], 0
        while position < len(needed):
            name, position = needed[position], position + 1
            self._progress(f"{len(needed) - 1} are needed so far; {name}")
            for action in self._judge.claims(name):
                core = self._core(action, name, needed, assumed)
                if core is None:
                    return needed, name
                needed += sorted(core - set(needed))
        return needed, None

    def _core(self, action: str, name: str, needed: Sequence[str], assumed: Sequence[str]) -> frozenset[str] | None:
        """The lemmas that show a claim, or None."""
        known = self._cores.get((action, name))
        if known is not None and known <= set(assumed):
            return known
        few = [other for other in needed if other in set(assumed)]
        for names in (few, assumed):
            found = self._judge.core(action, name, names, few)
            if found is not None:
                self._cores[action, name] = found
                return found
        return None


class AnySize:
    """Decides for any number of nodes. Undecided is raised when `deadline`, a time of `time.monotonic`, has passed."""

    def __init__(self, spec: type[Spec], goals: Sequence[str], deadline: float) -> None:
        """Raises NoAnySize if a goal has no meaning for any size."""
        self.model, self.deadline = model_of_any_size(spec), deadline
        with self.model.system:
            self._prover = Prover(self.model, goals)
        self._properties = {prop.name: prop for prop in (*self._prover.inductive, *self._prover.steps)}
        self._actions = {action.name: action for action in self.model.actions}

    def claims(self, name: str) -> list[str]:
        """The actions that might break a property, and the initial states."""
        if name == NO_ERROR:
            return [query.name[0] for query in self._prover.errors(())]
        prop = self._properties[name]
        if prop.kind == "step":
            return list(self._actions)
        return [INIT, *(action.name for action in self.model.actions if action.writes & prop.reads)]

    def core(self, action: str, name: str, assumed: Sequence[str], useful: Sequence[str]) -> frozenset[str] | None:
        """The core of a query that has no solution; None for any other answer."""
        if monotonic() > self.deadline:
            raise Undecided("the time for lemmas is over")
        query = self._query(action, name, [other for other in assumed if other in self._properties])
        answer = selected(query, useful)
        if answer.status == "unknown":
            for seed in range(SEEDS):
                status, core, _ = ask_z3(query, SECONDS, seed, tracked=True)
                if status != "unknown":
                    return core if status == "unsat" else None
        return answer.core if answer.status == "unsat" else None

    def _query(self, action: str, name: str, assumed: Sequence[str]) -> Query:
        if name == NO_ERROR:
            return next(query for query in self._prover.errors(assumed) if query.name[0] == action)
        if action == INIT:
            return self._prover.initial(self._properties[name])
        return self._prover.kept(self._actions[action], self._properties[name], assumed)
