"""All clauses of the grammar that no known state refutes, strongest first, and weaker ones when these fail.

Listed are the minimal clauses that the explored states allow. A state that an invariant has to allow, although it was
not explored, refutes some of them: these are dead. Weaker clauses, with one more literal over the same variables or one
more equation of variables, may be alive; but there are far too many to list them. They are made on demand: to exclude a
certain state, a dead clause that is false there takes one more literal that is false there as well. Where no alive clause
excludes a state, no weakening that does has an alive clause inside, since that would be false in the state too: nothing
has to be compared. The explored states allow what is weaker than what they allow; the others are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from quorate.language.system import State, System, is_of_spec
from quorate.prove.discovery.clauses import Clause, Literal, literals_of
from quorate.prove.discovery.samples import Form, Table, choices, form_of
from quorate.prove.discovery.variables import Name

LITERALS_MAX = 3
"""Literals of a clause."""
WEAKENINGS_MAX = 100_000
"""Weaker clauses that are made of one universe, false ones among them."""


class Held(NamedTuple):
    """A clause of a universe, by the numbers of its scope and of the literals and equations there."""

    scope: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Scope:
    """What clauses over one choice of variables are made of. The literals have the first numbers, the equations of
    variables the next; `readings` has for each literal its form, and which of the form's values each row has."""

    context: tuple[Name, ...]
    literals: tuple[Literal, ...]
    equations: tuple[tuple[str, str], ...]
    equal: tuple[int, ...]
    readings: tuple[tuple[Form, tuple[int, ...]], ...]
    full: int

    def places(self) -> dict[str, int]:
        """The numbers of literals and equations, by their text."""
        texts = (*(literal.text for literal in self.literals), *(f"{one} == {two}" for one, two in self.equations))
        return {text: number for number, text in enumerate(texts)}

    def clause(self, parts: Sequence[int]) -> Clause:
        """A clause as text."""
        count = len(self.literals)
        guards = tuple(self.equations[number - count] for number in parts if number >= count)
        return Clause(self.context, guards, tuple(self.literals[number] for number in parts if number < count))


def scope_of(table: Table) -> Scope:
    """The literals of a table."""
    context, literals = table.context, tuple(literals_of(table)[0])
    rows, places = choices(context), {name.text: place for place, name in enumerate(context)}
    equations = tuple(table.equal)
    equal = tuple(
        sum(1 << number for number, row in enumerate(rows) if row[places[one]] == row[places[two]])
        for one, two in equations
    )
    readings = tuple(form_of(literal.atom, context) for literal in literals)
    return Scope(context, literals, equations, equal, readings, (1 << len(rows)) - 1)


class Columns:
    """Which literals are false in one state: for each scope, when it is asked for, a bit for every row. An atom that raises
    an error is false, and so is its negation."""

    def __init__(self, universe: Universe, state: State) -> None:
        self._universe = universe
        self._view = universe.system.view(state)
        self._truths: dict[Form, tuple[str, str]] = {}
        self._columns: dict[int, list[int]] = {}

    def of(self, scope: int) -> list[int]:
        """The columns of the literals and equations of a scope."""
        columns = self._columns.get(scope)
        if columns is None:
            columns = self._columns[scope] = list(self._read(self._universe.scopes[scope]))
        return columns

    def missing(self, held: Held) -> int:
        """The rows in which a clause is false."""
        columns, left = self._columns.get(held[0]) or self.of(held[0]), -1
        for number in held[1]:
            left &= columns[number]
            if not left:
                break
        return left

    def _read(self, scope: Scope) -> Iterator[int]:
        for literal, (form, rows) in zip(scope.literals, scope.readings, strict=True):
            if form not in self._truths:
                self._truths[form] = self._evaluated(form)
            text = self._truths[form][not literal.positive]
            yield int("".join(text[number] for number in reversed(rows)), 2)
        yield from (scope.full & ~column for column in scope.equal)

    def _evaluated(self, form: Form) -> tuple[str, str]:
        """For each row "1" where the form is not true, and where it is not false."""
        function, rows = self._universe.function(form)
        not_true, not_false = [], []
        for row in rows:
            try:
                truth: bool | None = bool(function(self._view, *row))
            except BaseException as error:
                if not is_of_spec(error):
                    raise
                truth = None
            not_true.append("01"[truth is not True])
            not_false.append("01"[truth is not False])
        return "".join(not_true), "".join(not_false)


class Universe:
    """The clauses over some scopes. Use it inside `with system`."""

    def __init__(
        self,
        system: System,
        namespace: dict[str, Any],
        scopes: Sequence[Scope],
        clauses: Iterable[Clause],
        near: frozenset[str] = frozenset(),
        literals_max: int = LITERALS_MAX,
    ) -> None:
        """`clauses` are the minimal ones that explored states allow; those about the variables `near` come first. Weaker
        ones have up to so many literals."""
        self._literals_max = literals_max
        self.system, self.scopes, self._near, self._namespace = system, tuple(scopes), near, namespace
        self._functions: dict[Form, Any] = {}
        numbers = {scope.context: number for number, scope in enumerate(scopes)}
        places = [scope.places() for scope in scopes]
        self.alive: list[Held] = []
        for clause in sorted(clauses, key=self._order):
            scope = numbers[clause.context]
            named = (*(literal.text for literal in clause.literals), *(f"{one} == {two}" for one, two in clause.guards))
            self.alive.append(Held(scope, tuple(sorted(places[scope][name] for name in named))))
        self.listed, self.weakened, self.exhausted = len(self.alive), 0, False
        self._dead: list[Held] = []
        self._made = set(self.alive)
        self._allowed: list[Columns] = []

    def function(self, form: Form) -> tuple[Any, list[tuple[Any, ...]]]:
        """A form as a function, and the values of its variables."""
        if form not in self._functions:
            self._functions[form] = form.function(self._namespace), form.rows()
        found: tuple[Any, list[tuple[Any, ...]]] = self._functions[form]
        return found

    def forms(self) -> list[Form]:
        """All forms, in order."""
        return list(dict.fromkeys(form for scope in self.scopes for form, _ in scope.readings))

    def clause(self, held: Held) -> Clause:
        """A clause as text."""
        return self.scopes[held.scope].clause(held.parts)

    def columns(self, state: State) -> Columns:
        """What is true in a state."""
        return Columns(self, state)

    def allow(self, columns: Columns) -> list[Held]:
        """Take a state for one that must not be excluded. What is false there is dead, and returned."""
        alive, dead = list[Held](), list[Held]()
        for held in self.alive:
            (dead if columns.missing(held) else alive).append(held)
        self.alive = alive
        self._dead += dead
        self._allowed.append(columns)
        return dead

    def excluding(self, columns: Columns) -> Held | None:
        """The first clause that is false in a state, if there is one or can be made."""
        for held in self.alive:
            if columns.missing(held):
                return held
        made = sorted(self._weakened(columns), key=lambda held: self._order(self.clause(held)))
        self.alive += made
        return made[0] if made else None

    def _order(self, clause: Clause) -> tuple[int, int, tuple[int, int, int, str]]:
        return len(clause.literals), len(clause.variables - self._near), clause.cost

    def _weakened(self, columns: Columns) -> list[Held]:
        """The clauses with a dead one inside that are false in a state, and true in all that must be allowed."""
        found = []
        for held in self._dead:  # Which grows.
            missing = columns.missing(held)
            if not missing:
                continue
            if self.weakened >= WEAKENINGS_MAX:
                self.exhausted = True
                break
            refuting = [(other.of(held.scope), rows) for other in self._allowed if (rows := other.missing(held))]
            for weaker in self._weaker(held, columns.of(held.scope), missing):
                self.weakened += 1
                number = next(part for part in weaker.parts if part not in held.parts)
                if not any(rows & column[number] for column, rows in refuting):
                    found.append(weaker)
                else:
                    self._dead.append(weaker)
        return found

    def _weaker(self, held: Held, columns: Sequence[int], missing: int) -> Iterator[Held]:
        """A clause with one part more, false in some of the missing rows, if it is not made yet."""
        scope = self.scopes[held.scope]
        count = len(scope.literals)
        full = sum(number < count for number in held.parts) >= self._literals_max
        for number in range(count if full else 0, len(columns)):
            if missing & columns[number] and number not in held.parts:
                weaker = Held(held.scope, tuple(sorted((*held.parts, number))))
                if weaker not in self._made:
                    self._made.add(weaker)
                    yield weaker
