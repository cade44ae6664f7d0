"""Questions to solvers: one query is a text in SMT-LIB, so that every run of it is the same, in whichever process.

The same formulas built twice in one process get other numbers inside Z3, and its heuristics follow those numbers: one
query took 0.15 s and 10 s. Printed and read into a fresh context, a query runs the same way each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from z3 import BoolRef, ExprRef, Solver

Status = Literal["unsat", "sat", "unknown"]

LEAST_MILLISECONDS = 100
"""Z3 can miss a shorter time limit, which is over before the search begins, and then goes on without one."""
MOST_MILLISECONDS = 2**32 - 1
"""What it counts up to, which is 49 days."""


@dataclass(frozen=True)
class Query:
    """A satisfiability question. `text` is SMT-LIB; its assertions have the `labels`, "" for those that are not worth
    naming, and use these `symbols`. Some are `axioms`, by position, about symbols that must occur elsewhere for the axiom
    to matter, and some of these are true on `conditions` only. Where the `narrower` question, if there is one, has no solution, this one
    has none; it is asked first. `because` are lemmas from which the author says that it follows."""

    name: tuple[str, ...]
    text: str
    labels: tuple[str, ...]
    symbols: tuple[frozenset[str], ...]
    axioms: dict[int, frozenset[str]]
    narrower: Query | None = None
    because: tuple[str, ...] = ()
    conditions: dict[int, str] = field(default_factory=dict)

    def resting_on(self, conditions: frozenset[str], lemmas: frozenset[str]) -> str:
        """The text without the axioms that are true on other conditions, and without other lemmas."""
        left_out = {position for position, said in self.conditions.items() if said not in conditions}
        left_out |= {position for position, label in enumerate(self.labels) if label and label not in lemmas}
        if not left_out:
            return self.text
        import z3

        context = z3.Context()
        solver = z3.Solver(ctx=context)
        for position, formula in enumerate(z3.parse_smt2_string(self.text, ctx=context)):
            if position not in left_out:
                solver.add(formula)
        return solver.sexpr()


def limit(solver: Solver, seconds: float) -> None:
    """Give Z3 so much time for a question."""
    solver.set("timeout", max(LEAST_MILLISECONDS, int(min(seconds * 1000, MOST_MILLISECONDS))))


def query(
    name: tuple[str, ...],
    parts: Sequence[tuple[str, BoolRef]],
    axioms: Sequence[tuple[BoolRef, frozenset[str], str]] = (),
    known: dict[int, tuple[BoolRef, frozenset[str]]] | None = None,
) -> Query:
    """A query from labelled Z3 formulas, and from axioms with the symbols that these are about and the conditions ("": none).

    `known` remembers the symbols of formulas by their number; it holds the formulas too, for a number is given again
    when its formula is gone.
    """
    import z3

    kept = [(label, formula) for label, formula in parts if not z3.is_true(formula)]
    solver = z3.Solver()
    for _, formula in kept:
        solver.add(formula)
    for formula, _, _ in axioms:
        solver.add(formula)
    labels = (*(label for label, _ in kept), *("" for _ in axioms))
    known = {} if known is None else known
    symbols = []
    for formula in (*(formula for _, formula in kept), *(formula for formula, _, _ in axioms)):
        if formula.get_id() not in known:
            known[formula.get_id()] = formula, symbols_of(formula)
        symbols.append(known[formula.get_id()][1])
    about = {len(kept) + position: defined for position, (_, defined, _) in enumerate(axioms)}
    conditions = {len(kept) + position: said for position, (_, _, said) in enumerate(axioms) if said}
    return Query(name, solver.sexpr(), labels, tuple(symbols), about, conditions=conditions)


def symbols_of(formula: BoolRef) -> frozenset[str]:
    """The names of the uninterpreted functions in a formula."""
    import z3

    found: set[str] = set()
    seen: set[int] = set()
    stack: list[ExprRef] = [formula]
    while stack:
        term = stack.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_quantifier(term):
            stack.append(term.body())
            continue
        if z3.is_app(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found.add(term.decl().name())
        stack.extend(term.children())
    return frozenset(found)
