"""Questions about clauses: whether assumptions can be true together, and where they are.

A `Question` is complete in itself, so that another process can answer it; the answer is the same there. A `Dialogue`
keeps one solver, with what it has learned, while clauses are added: for the lengths of a bounded check, which share
all but the last steps.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from quorate.prove.solvers.query import Status, limit

if TYPE_CHECKING:
    from z3 import BoolRef, FuncDeclRef, ModelRef

TRUE_VARIABLE = re.compile(r"k!(\d+) \(\) Bool\s+true\)")
"""A true variable in the text of a model, whose name in the DIMACS format is a number: asked one by one, Z3 takes four
times as long."""
SHRINK_SECONDS = 5.0
"""For making one solution simple."""


class Undecided(Exception):
    """Time ran out, for a solver or for what it is to be asked; the text says where."""


@dataclass(frozen=True)
class Question:
    """Clauses in the DIMACS format, and literals to assume.

    The answer to an unsatisfiable question names the `labels` of the assumptions that it needs ("" for those not worth
    naming). `wishes` are literals of which a solution shall make as many true as it can, the earlier ones first.
    """

    name: tuple[str, ...]
    texts: tuple[str, ...]
    assumed: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    wishes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What the solver said: the labels that an "unsat" needs, the variables that are true in a solution, or the reason
    of an "unknown"."""

    name: tuple[str, ...]
    status: Status
    seconds: float
    needs: frozenset[str] = frozenset()
    true: frozenset[int] = frozenset()
    reason: str = ""


class _Valuation(Container[int]):
    """The true variables of a model of Z3."""

    def __init__(self, model: ModelRef) -> None:
        import z3

        self._z3, self._model, self._known = z3, model, dict[int, bool]()

    def __contains__(self, number: object) -> bool:
        assert isinstance(number, int)
        if number not in self._known:
            self._known[number] = self._z3.is_true(self._model.eval(self._z3.Bool(number)))
        return self._known[number]


class Dialogue:
    """A solver to which clauses are added between questions."""

    def __init__(self, seconds: float) -> None:
        """`seconds` are for all questions together."""
        import z3

        self._z3 = z3
        self._solver = z3.SolverFor("QF_FD")
        self._deadline = monotonic() + seconds
        self._valuation: _Valuation | None = None

    def add(self, text: str) -> None:
        """Add clauses in the DIMACS format."""
        self._solver.from_string(text)

    def possible(self, what: str, *assumed: int) -> bool:
        """Whether the literals can be true together. Raises Undecided with `what` if there is no time left."""
        left = self._deadline - monotonic()
        if left <= 0:
            raise Undecided(f"{what}: no time is left")
        limit(self._solver, left)
        self._valuation = None
        verdict = self._solver.check(*map(self._literal, assumed))
        if verdict == self._z3.unknown:
            raise Undecided(f"{what}: {self._solver.reason_unknown()}")
        return bool(verdict == self._z3.sat)

    def _literal(self, number: int) -> BoolRef:
        variable = self._z3.Bool(abs(number))
        return variable if number > 0 else self._z3.Not(variable)

    def solution(self) -> frozenset[int]:
        """The variables that are true in the solution of the last question."""
        return frozenset(map(int, TRUE_VARIABLE.findall(self._solver.model().sexpr())))

    def valuation(self) -> Container[int]:
        """The same for a few variables: each is looked up when it is asked for."""
        if self._valuation is None:
            self._valuation = _Valuation(self._solver.model())
        return self._valuation

    def needed(self) -> frozenset[int]:
        """The assumed literals that the last answer, an impossibility, needs."""
        core = self._solver.unsat_core()
        return frozenset(
            -_number(part.arg(0).decl()) if self._z3.is_not(part) else _number(part.decl()) for part in core
        )

    def simplified(self, wishes: Sequence[int], assumed: Sequence[int]) -> frozenset[int]:
        """A solution that makes as many of the wishes true as can be, as far as the time for it goes."""
        deadline = monotonic() + SHRINK_SECONDS
        best, granted = self.solution(), list(assumed)
        for wish in wishes:
            if monotonic() > deadline:
                break
            if (abs(wish) in best) != (wish > 0):
                try:
                    if not self.possible("a simpler solution", *granted, wish):
                        continue
                except Undecided:
                    break
                best = self.solution()
            granted.append(wish)
        return best


def _number(declaration: FuncDeclRef) -> int:
    """The number of a variable of the DIMACS format, whose name is an integer symbol."""
    return int(declaration.name().removeprefix("k!"))


def answered(question: Question, seconds: float) -> Reply:
    """The answer to one question by a solver of its own."""
    started = perf_counter()
    dialogue = Dialogue(seconds)
    for text in question.texts:
        dialogue.add(text)
    try:
        possible = dialogue.possible("it", *question.assumed)
    except Undecided as undecided:
        return Reply(question.name, "unknown", perf_counter() - started, reason=str(undecided).removeprefix("it: "))
    if possible:
        true = dialogue.simplified(question.wishes, question.assumed)
        return Reply(question.name, "sat", perf_counter() - started, true=true)
    needed = dialogue.needed()
    labels = frozenset(
        label for literal, label in zip(question.assumed, question.labels, strict=False) if literal in needed and label
    )
    return Reply(question.name, "unsat", perf_counter() - started, needs=labels)
