"""Evidence: every query of a proof as SMT-LIB with its answer, so that another solver can check it.

A query is written complete and by itself, with the axioms and definitions that it rests on. Of the lemmas, those are written that its
proof needs, and of the axioms that are true on a condition, those that the verdict names: a certificate rests on no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from functools import partial

from quorate.prove.solvers.query import Query, Status
from quorate.prove.solvers.sat import Question

HEADER = "(set-logic {logic})\n(set-info :status {status})\n"


@dataclass(frozen=True)
class Answered:
    """A query, what was answered, and by whom. "unsat" is a claim that is proven, or a search that finds nothing; "sat" a
    counterexample, or something that can happen."""

    name: tuple[str, ...]
    status: Status
    solver: str
    write: Callable[[], str] = field(compare=False, repr=False)
    needs: frozenset[str] = frozenset()
    """The lemmas that it supposes."""

    def text(self) -> str:
        """The query in SMT-LIB 2.6."""
        return self.write()


@dataclass
class Evidence:
    """The queries of a proof, in order."""

    answered: list[Answered] = field(default_factory=list)

    def clauses(self, question: Question, status: Status) -> None:
        """Take down a question about clauses."""
        self.answered.append(Answered(question.name, status, "z3", partial(_clauses_text, question, status)))

    def query(
        self, query: Query, status: Status, solver: str, conditions: frozenset[str], lemmas: frozenset[str]
    ) -> None:
        """Take down a query about formulas; that it has no solution rests on these conditions and lemmas."""
        write = partial(_query_text, query, status, conditions, lemmas)
        self.answered.append(Answered(query.name, status, solver, write, lemmas))

    def forget(self, lemmas: Set[str]) -> None:
        """What rests on one of these lemmas is no part of the proof."""
        self.answered = [one for one in self.answered if not one.needs & lemmas]


def _query_text(query: Query, status: Status, conditions: frozenset[str], lemmas: frozenset[str]) -> str:
    text = query.resting_on(conditions, lemmas) if status == "unsat" else query.text
    return f"{HEADER.format(logic='ALL', status=status)}{text}\n(check-sat)\n"


def _clauses_text(question: Question, status: Status) -> str:
    clauses = [clause for text in question.texts for clause in _clauses(text)]
    clauses += [[literal] for literal in question.assumed]
    numbers = sorted({abs(literal) for clause in clauses for literal in clause})
    lines = [f"(declare-const k{number} Bool)" for number in numbers]
    lines += [f"(assert {_disjunction(clause)})" for clause in clauses]
    return HEADER.format(logic="QF_UF", status=status) + "\n".join([*lines, "(check-sat)", ""])


def _clauses(text: str) -> Iterator[list[int]]:
    """The clauses of a text in the DIMACS format, without the zeros that end them."""
    for line in text.splitlines():
        if line and line[0] not in "pc":
            *literals, end = map(int, line.split())
            assert end == 0
            yield literals


def _disjunction(clause: list[int]) -> str:
    parts = [f"k{literal}" if literal > 0 else f"(not k{-literal})" for literal in clause]
    return "false" if not parts else parts[0] if len(parts) == 1 else f"(or {' '.join(parts)})"
