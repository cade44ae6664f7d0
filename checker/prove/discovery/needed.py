"""Which lemmas a proof for any number of nodes needs: from the unsatisfiable cores, beginning with the properties.

Houdini's survivors are inductive at the configured bounds; for any size, most are never asked about. A property's proof
names the lemmas that it uses, theirs name others, and so on, until nothing new is named. What is named already is tried
first, and all that is left only if it does not suffice. A lemma that is not shown to be kept is forgotten, with every
proof that used it.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from checker.language.spec import Spec
from checker.model.nodes import Action, Property
from checker.prove.bounded import Undecided
from checker.prove.proof import Task
from checker.prove.solving import Query, ask_z3, selected
from checker.prove.unbounded import INIT, Prover, model_of_any_size

SECONDS = 2.0
"""For each attempt at a query that lemmas on demand do not decide."""
SEEDS = 2


class Needed:
    """The search among the lemmas of `spec`. Undecided is raised when `deadline`, a time of `time.monotonic`, has
    passed."""

    def __init__(self, spec: type[Spec], goals: Sequence[str], task: Task, deadline: float) -> None:
        self.model, self.goals, self.task, self.deadline = model_of_any_size(spec), list(goals), task, deadline
        with self.model.system:
            self.prover = Prover(self.model, goals)
        self.properties = {prop.name: prop for prop in (*self.prover.inductive, *self.prover.steps)}
        self._cores: dict[tuple[str, str], frozenset[str]] = {}

    def lemmas(self) -> list[str] | None:
        """What the proofs of the goals need, themselves included, in the order of the specification; None if a goal
        cannot be shown with all lemmas. Of what is returned, none can be left out (unless time is over)."""
        with self.model.system:
            left = self._among([prop.name for prop in self.prover.inductive])
            try:
                for name in reversed(left or []):
                    if left is not None and name in left and name not in self.goals:
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
                return [name for name in self.properties if name in needed]
            if lost in self.goals or lost not in assumed:
                return None
            assumed.remove(lost)

    def _closure(self, assumed: Sequence[str]) -> tuple[list[str], str | None]:
        """The needed properties, or those up to the first one that is not shown, which is named."""
        needed, position = list(self.goals), 0
        while position < len(needed):
            prop, position = self.properties[needed[position]], position + 1
            self.task.progress(f"any size: {len(needed)} needed so far, {prop.name}")
            if not self._is_initial(prop):
                return needed, prop.name
            for action in self.model.actions:
                if prop.kind != "step" and not action.writes & prop.reads:
                    continue
                core = self._core(action, prop, needed, assumed)
                if core is None:
                    return needed, prop.name
                needed += sorted(core - set(needed))
        return needed, None

    def _is_initial(self, prop: Property) -> bool:
        """Whether a property is shown to be true in the initial states."""
        if prop.kind == "step" or (INIT, prop.name) in self._cores:
            return True
        core = self._shown(self.prover.initial(prop), ())
        if core is not None:
            self._cores[INIT, prop.name] = core
        return core is not None

    def _core(
        self, action: Action, prop: Property, needed: Sequence[str], assumed: Sequence[str]
    ) -> frozenset[str] | None:
        """The lemmas that show that an action keeps a property, or None."""
        known = self._cores.get((action.name, prop.name))
        if known is not None and known <= set(assumed):
            return known
        few = [name for name in needed if name in set(assumed)]
        for names in (few, assumed):
            found = self._shown(self.prover.kept(action, prop, names), few)
            if found is not None:
                self._cores[action.name, prop.name] = found
                return found
        return None

    def _shown(self, query: Query, useful: Sequence[str]) -> frozenset[str] | None:
        """The core of a query that has no solution; None for any other answer."""
        if monotonic() > self.deadline:
            raise Undecided("the time for lemmas is over")
        answer = selected(query, useful)
        if answer.status == "unknown":
            for seed in range(SEEDS):
                status, core, _ = ask_z3(query, SECONDS, seed, tracked=True)
                if status != "unknown":
                    return core if status == "unsat" else None
        return answer.core if answer.status == "unsat" else None
