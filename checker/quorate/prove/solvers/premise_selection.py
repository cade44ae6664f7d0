"""Lemmas on demand: a query is asked with few assumptions first, and a model of these says which one is missing.

A proof of one step rests on a handful of lemmas, and the others are a burden: each brings instances of its own, and a
query that takes a hundredth of a second with the four that matter may be unknown after minutes with forty. So the first
question assumes only that the property itself was true before. If the solver finds a model, some lemma is false in it
(or the step is not provable): it is added, and the question is asked again. Adding lemmas can only turn "sat" into
"unsat", so "unsat" is believed at once, and "sat" only when the model satisfies all lemmas.

Of several lemmas that are false in a model the first in an *order* is taken; one order may lead astray where another
does not, so there are several. Where the solver gives up and has no model to choose by, lemmas are added in order until
there is a proof or none is left. Effort is measured in Z3's own units, not in time: which lemmas are chosen does not
depend on the machine or on what else it does.

The idea is that of abstraction refinement for axioms (as in Isabelle's and Vampire's premise selection by models).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import inf
from time import monotonic

import z3

from quorate.prove.solvers.query import Query, Status, limit

EFFORT = 400_000
"""Z3's resource limit for one question, in its own units: some tenths of a second."""

EXCHANGES = 4
"""So often a lemma with which the solver gives up is exchanged for another."""

ARGUED = tuple(product((EFFORT, 10 * EFFORT), range(3)))
"""Its limits and seeds for a question with the lemmas that the author names. Whether the solver finds the few instances that matter
among all that it could make depends on where it begins."""

MODEL_EFFORT = 50_000
"""Its limit for the question whether a lemma is false in a model."""


Order = Callable[[str, frozenset[str]], tuple[int, ...]]
"""How to choose among lemmas, the least first: given a lemma and what symbols the question has so far."""


@dataclass(frozen=True)
class Selected:
    """The outcome: the status, and the lemmas that were assumed (after "unsat": that are needed)."""

    status: Status
    lemmas: tuple[str, ...]


class Selection:
    """Answers one query with a growing set of its lemmas, in so many seconds: with many lemmas Z3 can exceed its own limit by far."""

    def __init__(self, asked: Query, seconds: float = inf) -> None:
        self._asked = asked
        self._deadline = monotonic() + seconds
        self._context = z3.Context()
        self._formulas = list(z3.parse_smt2_string(asked.text, ctx=self._context))
        if len(self._formulas) != len(asked.labels):
            raise AssertionError(f"{asked.name}: {len(self._formulas)} assertions were read of {len(asked.labels)}")
        self._lemmas = {label: position for position, label in enumerate(asked.labels) if label}

    def answer(self, useful: Sequence[str] = (), blindly: bool = False) -> Selected:
        """The answer of the first order that leads to one. `useful` are lemmas that are likely to matter, best first;
        `blindly` adds lemmas without a model to choose by, which takes longer."""
        if found := self._argued():
            return found
        tried = Selected("unknown", ())
        for order in self._orders(useful):
            tried = self._refined(order)
            if tried.status != "unknown":
                return tried
            if len(tried.lemmas) < 2:
                break  # No model came up that an order could choose by.
        if blindly:
            return next((found for order in self._orders(useful) if (found := self._widened(order))), tried)
        return tried

    def _argued(self) -> Selected | None:
        """The proof from the lemmas that the author names, or None. That there is none with these alone says nothing."""
        named = [name for name in self._lemmas if name in (*self._asked.because, self._asked.name[-1])]
        if self._asked.because and any(self._asked_with(named, *one)[0] == "unsat" for one in ARGUED):
            return Selected("unsat", self._needed(named))
        return None

    def _widened(self, order: Order) -> Selected | None:
        """The proof with the fewest first lemmas in an order, or None. A model of some lemmas only is no answer."""
        own = self._asked.name[-1]
        chosen = [own] if own in self._lemmas else []
        left = [name for name in self._lemmas if name not in chosen]
        while left:
            known = self._known(chosen)
            chosen.append(min(left, key=lambda name: order(name, known)))
            left.remove(chosen[-1])
            if self._asked_with(chosen)[0] == "unsat":
                return Selected("unsat", self._needed(chosen))
        return None

    def _orders(self, useful: Sequence[str]) -> list[Order]:
        """The orders to try, one after the other."""
        names = list(self._lemmas)
        symbols = self._asked.symbols

        def news(name: str, known: frozenset[str]) -> int:
            return len(symbols[self._lemmas[name]] - known)

        def familiar(name: str, known: frozenset[str]) -> tuple[int, ...]:
            return news(name, known), names.index(name)

        def proven_useful(name: str, known: frozenset[str]) -> tuple[int, ...]:
            return useful.index(name) if name in useful else len(useful), *familiar(name, known)

        def declared(name: str, known: frozenset[str]) -> tuple[int, ...]:
            return (names.index(name),)

        def latest(name: str, known: frozenset[str]) -> tuple[int, ...]:
            return (-names.index(name),)

        return [proven_useful, declared, latest] if useful else [familiar, declared, latest]

    def _refined(self, order: Order) -> Selected:
        """The answer with lemmas added in an order, as long as the solver finds models without them.

        A lemma that makes the solver give up is exchanged, a few times, for another that is false in the same model.
        """
        own = self._asked.name[-1]
        chosen = [own] if own in self._lemmas else []
        missing: list[str] = []
        patience = EXCHANGES
        while True:
            status, solver = self._asked_with(chosen)
            if status == "unsat":
                return Selected("unsat", self._needed(chosen))
            if status == "unknown":
                if not missing or not patience:
                    return Selected("unknown", tuple(chosen))
                patience -= 1
                chosen[-1] = missing.pop(0)
                continue
            known, model = self._known(chosen), solver.model()
            left = sorted((name for name in self._lemmas if name not in chosen), key=lambda name: order(name, known))
            missing = list(islice((name for name in left if self._is_false(model, name)), 1 + patience))
            if not missing:
                return self._all_true(chosen, left)
            chosen.append(missing.pop(0))

    def _all_true(self, chosen: Sequence[str], left: Sequence[str]) -> Selected:
        """The model seems to satisfy all lemmas: it does if the solver says so of all of them together."""
        status, _ = self._asked_with([*chosen, *left])
        return Selected(status, self._needed([*chosen, *left]) if status == "unsat" else (*chosen, *left))

    def _needed(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """The lemmas without the ones that a proof does not need."""
        needed = list(chosen)
        for name in chosen:
            fewer = [other for other in needed if other != name]
            if self._asked_with(fewer)[0] == "unsat":
                needed = fewer
        return tuple(needed)

    def rests_on(self, chosen: Sequence[str]) -> frozenset[str]:
        """The conditions of the axioms that a proof with these lemmas needs: those of a core, which has no solution by itself. All of them
        where the solver does not find it again."""
        conditions = self._asked.conditions
        if not conditions:
            return frozenset()
        known, solver = self._known(chosen), self._solver(EFFORT)
        for position, (label, formula) in enumerate(zip(self._asked.labels, self._formulas, strict=True)):
            if position in conditions and self._asked.axioms[position] <= known:
                solver.assert_and_track(formula, z3.Bool(f"axiom {position}", self._context))
            elif label in chosen or (not label and self._asked.axioms.get(position, known) <= known):
                solver.add(formula)
        if self._checked(solver) != "unsat":
            return frozenset(conditions.values())
        return frozenset(conditions[int(str(name).split()[1])] for name in solver.unsat_core())

    def _known(self, chosen: Sequence[str]) -> frozenset[str]:
        """The symbols of a question."""
        asked = self._asked
        parts = [
            part
            for position, (label, part) in enumerate(zip(asked.labels, asked.symbols, strict=True))
            if label in chosen or (not label and position not in asked.axioms)
        ]
        return frozenset[str]().union(*parts)

    def _asked_with(self, chosen: Sequence[str], effort: int | None = None, seed: int = 0) -> tuple[Status, z3.Solver]:
        """The status of the question with these lemmas, and the solver. Axioms about symbols that nothing else
        mentions are left out."""
        known = self._known(chosen)
        solver = self._solver(EFFORT if effort is None else effort)
        solver.set("random_seed", seed)
        for position, (label, formula) in enumerate(zip(self._asked.labels, self._formulas, strict=True)):
            if label in chosen or (not label and self._asked.axioms.get(position, known) <= known):
                solver.add(formula)
        return self._checked(solver), solver

    def _solver(self, effort: int) -> z3.Solver:
        """A solver with so much effort, and the time that is left."""
        solver = z3.Solver(ctx=self._context)
        solver.set("rlimit", effort)
        if self._deadline < inf:
            limit(solver, self._deadline - monotonic())
        return solver

    def _checked(self, solver: z3.Solver) -> Status:
        """What a solver says, which does not know when time is over."""
        if monotonic() >= self._deadline:
            return "unknown"
        status: Status = str(solver.check())  # type: ignore[assignment]
        return status

    def _is_false(self, model: z3.ModelRef, name: str) -> bool:
        """Whether a lemma is false in a model; where the solver does not know, it is not."""
        claim = model.eval(self._formulas[self._lemmas[name]], model_completion=True)
        if z3.is_true(claim) or z3.is_false(claim):
            return bool(z3.is_false(claim))
        solver = self._solver(MODEL_EFFORT)
        solver.add(z3.Not(claim))
        return self._checked(solver) == "sat"
