"""Candidates for lemmas: clauses over the atoms that no explored state refutes, the strongest ones.

A clause is a disjunction of up to three literals (atoms or negated atoms), true for all values of its variables. Of two
clauses that the states allow, one inside the other, only the smaller is a candidate: it says more. If that one turns out
not to be inductive, `universe` makes larger ones of it. A clause that random states allow as well, reachable or
not, says nothing (`x != A or x != B`).

Variables of one type may be equal. A clause that is true only where they differ gets the equations that it needs, `s1 ==
s2 or ...`, which do not count as literals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

from quorate.prove.discovery.grammar import Atom
from quorate.prove.discovery.samples import Table
from quorate.prove.discovery.variables import Name

WIDTH = 112
"""Columns that the line of a lemma may have before it is broken."""


@dataclass(frozen=True)
class Literal:
    """An atom or its negation, as Python."""

    atom: Atom
    positive: bool

    @property
    def text(self) -> str:
        """The literal as Python."""
        return self.atom.text if self.positive else self.atom.negated


@dataclass(frozen=True)
class Clause:
    """A candidate: for all values of `context`, one of the `guards` (equations of variables) or literals is true."""

    context: tuple[Name, ...]
    guards: tuple[tuple[str, str], ...]
    literals: tuple[Literal, ...]

    @cached_property
    def parts(self) -> list[str]:
        """What is joined by `or`."""
        return [*(f"{one} == {two}" for one, two in self.guards), *(part.text for part in self.literals)]

    @cached_property
    def cost(self) -> tuple[int, int, int, str]:
        """How much there is to read, for an order of candidates."""
        reading = sum(literal.atom.cost for literal in self.literals)
        return len(self.parts), reading, len(self.context), " or ".join(self.parts)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables of the state, and the methods, that it mentions."""
        return frozenset(name for part in self.parts for name in re.findall(r"\bself\.(\w+)", part))

    def method(self, name: str) -> str:
        """The lemma as a method, to be pasted into the class."""
        parameters = ", ".join(["self", *(f"{one.text}: {one.type}" for one in self.context)])
        body = f"        return {' or '.join(self.parts)}"
        if len(body) > WIDTH:
            body = "\n".join(["        return (", f"            {self.parts[0]}"])
            body += "".join(f"\n            or {part}" for part in self.parts[1:]) + "\n        )"
        return f"    @lemma\n    def {name}({parameters}) -> bool:\n{body}\n"


class Known:
    """Which clauses are inside which. A clause counts for every choice of variables that it can be read for."""

    def __init__(self, contexts: Iterable[tuple[Name, ...]]) -> None:
        self._found: dict[tuple[Name, ...], set[frozenset[str]]] = {context: set() for context in contexts}

    def add(self, clause: Clause) -> None:
        """Remember a clause."""
        texts = [literal.text for literal in clause.literals]
        for context, found in self._found.items():
            for names in _embeddings(clause.context, context):
                found.add(frozenset(_renamed(texts, names)))

    def has_part_of(self, clause: Clause) -> bool:
        """Whether a clause, or one inside it, is known."""
        texts, found = [literal.text for literal in clause.literals], self._found[clause.context]
        return any(frozenset(part) in found for size in range(1, len(texts) + 1) for part in combinations(texts, size))


def _embeddings(small: tuple[Name, ...], large: tuple[Name, ...]) -> Iterator[dict[str, str]]:
    """The ways to read the variables of one choice as different ones of another."""
    options = [[name for name in large if name.type == mine.type] for mine in small]
    for chosen in product(*options):
        if len(set(chosen)) == len(chosen):
            yield {mine.text: name.text for mine, name in zip(small, chosen, strict=True)}


def _renamed(texts: Sequence[str], names: dict[str, str]) -> list[str]:
    if all(old == new for old, new in names.items()):
        return list(texts)
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, names))})\b") if names else None
    return [pattern.sub(lambda found: names[found[1]], text) if pattern else text for text in texts]


def candidates(table: Table, known: Known, literals_max: int) -> Iterator[Clause]:
    """The clauses over all variables of a table that no row refutes and that have no known clause inside. Those found
    become known, smaller ones first."""
    literals, columns, arbitrary = literals_of(table)
    base = 0
    for column in table.equal.values():
        base |= column
    search = _Search(columns, table.full & ~base)
    for size in range(1, literals_max + 1):
        for numbers in list(search.true(size)):
            chosen = tuple(literals[number] for number in numbers)
            if frozenset[str]().union(*(literal.atom.names for literal in chosen)) != {
                name.text for name in table.context
            }:
                continue
            if _says_nothing([arbitrary[number] for number in numbers], table):
                continue
            clause = Clause(table.context, _guards(table, [columns[number] for number in numbers]), chosen)
            if not known.has_part_of(clause):
                known.add(clause)
                yield clause


def literals_of(table: Table) -> tuple[list[Literal], list[int], list[int | None]]:
    """The literals that are true in some row, with their columns among explored and among random states."""
    literals, columns, arbitrary = [], [], list[int | None]()
    for atom, column, random in zip(table.atoms, table.columns, table.arbitrary, strict=True):
        for positive, truth, chance in (
            (True, column, random),
            (False, table.full & ~column, None if random is None else table.full_arbitrary & ~random),
        ):
            if truth:
                literals.append(Literal(atom, positive))
                columns.append(truth)
                arbitrary.append(chance)
    return literals, columns, arbitrary


def _says_nothing(columns: Sequence[int | None], table: Table) -> bool:
    """Whether a clause is true in random states as well."""
    truth = 0
    for column in columns:
        if column is None:
            return False
        truth |= column
    return not table.full_arbitrary & ~truth


def _guards(table: Table, columns: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """The equations of variables without which the clause is false somewhere."""
    truth = 0
    for column in columns:
        truth |= column
    needed = dict(table.equal)
    for pair in list(needed):
        rest = truth
        for other, column in needed.items():
            rest |= column if other != pair else 0
        if rest == table.full:
            del needed[pair]
    return tuple(needed)


class _Search:
    """The minimal disjunctions of columns that cover all rows of `wanted`."""

    def __init__(self, columns: Sequence[int], wanted: int) -> None:
        self._columns, self._wanted = columns, wanted
        self._in_row: dict[int, list[int]] = {}

    def true(self, size: int) -> Iterator[tuple[int, ...]]:
        """Those of so many columns of which no part covers already, in order."""
        if not self._wanted:
            return
        yield from self._further((), self._wanted, size)

    def _further(self, chosen: tuple[int, ...], left: int, size: int) -> Iterator[tuple[int, ...]]:
        start = chosen[-1] + 1 if chosen else 0
        if size == 1:
            for number in self._row(left):
                if number >= start and not left & ~self._columns[number]:
                    yield (*chosen, number)
            return
        for number in range(start, len(self._columns)):
            rest = left & ~self._columns[number]
            if rest and rest != left:
                yield from self._further((*chosen, number), rest, size - 1)

    def _row(self, left: int) -> list[int]:
        """The columns that cover the lowest row that is left."""
        row = left & -left
        found = self._in_row.get(row)
        if found is None:
            found = self._in_row[row] = [number for number, column in enumerate(self._columns) if column & row]
        return found
