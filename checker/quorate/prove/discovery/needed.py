"""Which lemmas a proof needs: from the unsatisfiable cores, beginning with the properties.

Most of Houdini's survivors say nothing that matters. A property's proof names the lemmas that it uses, theirs name
others, and so on, until nothing new is named. What is named already is tried first, and all that is left only if it
does not suffice. A lemma that is not shown to be kept is forgotten, with every proof that used it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Protocol

from quorate.kinds import STEPS
from quorate.language.spec import Spec
from quorate.prove.any_size.obligations import INIT, NO_ERROR, Prover, model_of_any_size
from quorate.prove.solvers.query import Query
from quorate.prove.solvers.sat import Undecided
from quorate.prove.solvers.smt import ask_z3, selected

SECONDS = 2.0
"""For each attempt at a query for any size that lemmas on demand do not decide."""
SEEDS = 2

Progress = Callable[[str], None]


class Judge(Protocol):
    """Who decides about claims: that an action keeps a property, or raises no error."""

    def claims(self, name: str) -> Sequence[str]:
        """The actions for which there is something to show about a property."""

    def core(self, action: str, name: str, assumed: Sequence[str], hard: bool = False) -> frozenset[str] | None:
        """The assumed lemmas that show it, or None if it is not shown. The first ones are those that are most likely to
        matter; `hard`: it is worth some time."""


class Needed:
    """The search for few lemmas that show the goals, and that no action raises an error.

    `hints` is asked first which lemmas may matter for a claim: a proof at the bounds is a good guess for any size.
    """

    def __init__(self, judge: Judge, goals: Sequence[str], progress: Progress, hints: Judge | None = None) -> None:
        self._judge, self._goals, self._progress, self._hints = judge, list(goals), progress, hints
        self.open = ""
        """What was not shown, in words, if something was not."""
        self._cores: dict[tuple[str, str], frozenset[str]] = {}
        self._failed: dict[tuple[str, str], list[frozenset[str]]] = {}

    def lemmas(self, names: Sequence[str]) -> list[str] | None:
        """What the proofs of the goals need among these, in this order; None if a goal cannot be shown with all of them.

        Of what is returned none can be left out, unless time is over before that is known.
        """
        left = self.sufficient(names)
        try:
            for name in reversed(left or []):
                if left is not None and name in left and name not in self._goals:
                    fewer = [other for other in left if other != name]
                    left = self.sufficient(fewer) or left
        except Undecided:
            pass
        return left

    def sufficient(self, names: Sequence[str]) -> list[str] | None:
        """What proofs of the goals use, if these may be used; None if a goal cannot be shown."""
        assumed = list(names)
        while True:
            needed, lost = self._closure(assumed)
            if lost is None:
                return [name for name in names if name in needed]
            if lost in self._goals or lost not in assumed:
                self.open = "the absence of errors" if lost == NO_ERROR else lost
                return None
            assumed.remove(lost)

    def _closure(self, assumed: Sequence[str]) -> tuple[list[str], str | None]:
        """The needed properties, or those up to the first one that is not shown, which is named."""
        needed, position = [NO_ERROR, *self._goals], 0
        while position < len(needed):
            name, position = needed[position], position + 1
            self._progress(f"{len(needed) - 1} of {len(assumed)} lemmas are needed so far; {name}")
            for action in self._judge.claims(name):
                core = self._core(action, name, needed, assumed)
                if core is None:
                    return needed, name
                needed += sorted(core - set(needed))
        return needed, None

    def _core(self, action: str, name: str, needed: Sequence[str], assumed: Sequence[str]) -> frozenset[str] | None:
        """The lemmas that show a claim, or None: found among those that are needed already, if these do, then with those
        that the hints name, then among all."""
        allowed, claim = set(assumed), (action, name)
        known = self._cores.get(claim)
        if known is not None and known <= allowed:
            return known
        few = [other for other in needed if other in allowed]
        for names in self._attempts(claim, few, assumed):
            failed = self._failed.setdefault(claim, [])
            if any(set(names) <= others for others in failed):
                continue
            found = self._judge.core(action, name, names, hard=len(names) == len(assumed))
            if found is not None:
                self._cores[claim] = found
                return found
            failed.append(frozenset(names))
        return None

    def _attempts(self, claim: tuple[str, str], few: list[str], assumed: Sequence[str]) -> Iterator[list[str]]:
        yield few
        hint = None
        if self._hints is not None:
            hint = self._hints.core(*claim, few) or self._hints.core(*claim, assumed)
        if hint is not None and not hint <= set(few):
            few = [*few, *sorted(hint - set(few))]
            yield few
        yield [*few, *(name for name in assumed if name not in set(few))]


class AnySize:
    """Decides for any number of nodes. Use it inside `with judge.model.system`; Undecided is raised when `deadline`, a
    time of `time.monotonic`, has passed."""

    def __init__(self, spec: type[Spec], goals: Sequence[str], deadline: float) -> None:
        """Raises NoAnySize if a goal has no meaning for any size."""
        self.model, self.deadline = model_of_any_size(spec), deadline
        with self.model.system:
            self._prover = Prover(self.model, goals)
        self._properties = {prop.name: prop for prop in (*self._prover.inductive, *self._prover.steps)}
        self._actions = {action.name: action for action in self.model.actions}

    def initially(self, names: Sequence[str]) -> list[str]:
        """Those that have a meaning for any size and are true in all initial states."""
        return [name for name in names if name in self._properties and self.core(INIT, name, ()) is not None]

    def claims(self, name: str) -> list[str]:
        """The actions that might break a property. That it is true initially is asked before: see `initially`."""
        if name == NO_ERROR:
            return [query.name[0] for query in self._prover.errors(())]
        prop = self._properties[name]
        return [action.name for action in self.model.actions if prop.kind in STEPS or action.writes & prop.reads]

    def core(self, action: str, name: str, assumed: Sequence[str], hard: bool = False) -> frozenset[str] | None:
        """The core of a query that has no solution; None for any other answer."""
        if monotonic() > self.deadline:
            raise Undecided("the time for lemmas is over")
        query = self._query(action, name, assumed)
        answer = selected(query, assumed)
        if answer.status == "unknown" and hard:
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
