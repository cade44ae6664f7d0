"""Explored states as columns of bits: which atoms are true in which states, for which values of the variables.

A clause that is false somewhere among a few thousand reachable states is no lemma, and `or` of whole columns tells.
The states are taken at random from the frontier, so that deep ones are among them, and by a fixed seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from random import Random
from time import monotonic
from typing import Any

from checker.errors import SpecError
from checker.explore.choices import Choices
from checker.explore.properties import Properties
from checker.language.control import Cut
from checker.language.system import Method, State, System
from checker.prove.discovery.grammar import Atom, Name

SEED = 20140614


@dataclass(frozen=True)
class Explored:
    """Reachable states in random order, and a property that a run refutes, if one was met."""

    states: list[State]
    refuted: str | None = None


def explored(system: System, count: int, seconds: float, goals: Sequence[str] = ()) -> Explored:
    """All initial states, and others up to `count`, or as many as there is time for; no more when one of the goals is
    false. Raises Failure if the specification raises an error on the way."""
    deadline, random = monotonic() + seconds, Random(SEED)
    choices = [(action, Choices(system, action)) for action in system.actions]
    wanted = _Goals(system, goals)
    frontier = list(dict.fromkeys(state for _, state in system.initial()))
    seen = dict.fromkeys(frontier)
    refuted = next((name for state in frontier if (name := wanted.refuted(state))), None)
    while frontier and refuted is None and len(seen) < count and monotonic() < deadline:
        position = random.randrange(len(frontier))
        frontier[position], frontier[-1] = frontier[-1], frontier[position]
        state = frontier.pop()
        for successor in _successors(system, choices, state):
            fresh = successor not in seen
            refuted = refuted or wanted.refuted(successor if fresh else None, state, successor)
            if fresh:
                seen[successor] = None
                frontier.append(successor)
    found = list(seen)
    random.shuffle(found)
    return Explored(found, refuted)


def _successors(system: System, choices: Sequence[tuple[Method, Choices]], state: State) -> Iterator[State]:
    for action, options in choices:
        for arguments in options(state):
            try:
                successor = system.fire(state, action, arguments)
            except Cut:
                continue
            if successor is not None:
                yield successor.state


class _Goals:
    """The properties that shall be proven, evaluated on what is explored."""

    def __init__(self, system: System, names: Sequence[str]) -> None:
        self._properties = Properties(system)
        of_states, of_steps = self._properties.invariants, self._properties.steps
        self._properties.invariants = [one for one in of_states if one[0].name in names]
        self._properties.steps = [one for one in of_steps if one[0].name in names]

    def refuted(self, state: State | None, *transition: State) -> str | None:
        """A goal that is false in a state, or of a transition."""
        found = self._properties.falsified(state) if state is not None else None
        if found is None and transition:
            found = self._properties.falsified_by_step(*transition)
        if found is not None and found.failure is not None:
            raise found.failure
        return None if found is None else found.method.name


def arbitrary(system: System, count: int) -> list[State]:
    """Random states, reachable or not."""
    random = Random(SEED)
    return [
        tuple(variable.type.decode(random.randrange(variable.type.cardinality)) for variable in system.variables)
        for _ in range(count)
    ]


@dataclass(frozen=True)
class Table:
    """The columns of atoms over one choice of variables: bit k of a column is the atom's truth in row k, a state with
    values of the variables. `full` has a bit for every row; `equal` the rows where two variables of one type are equal.
    `arbitrary` are the columns in random states, reachable or not (None for an atom that raises an error there), of
    which all rows that matter, those without equal variables, are `full_arbitrary`."""

    context: tuple[Name, ...]
    atoms: tuple[Atom, ...]
    columns: tuple[int, ...]
    full: int
    equal: dict[tuple[str, str], int]
    arbitrary: tuple[int | None, ...]
    full_arbitrary: int


class Samples:
    """The truth of atoms in states. An atom is evaluated once for the variables that occur in it, whatever they are
    called and whatever others there are. Use it inside `with system`."""

    def __init__(self, system: System, states: Sequence[State], namespace: dict[str, Any]) -> None:
        self.states, self._namespace = states, namespace
        self._views = [system.view(state) for state in states]
        self._known: dict[tuple[str, tuple[str, ...]], tuple[int, ...] | None] = {}

    def columns(self, context: tuple[Name, ...], atoms: Sequence[Atom], rows: int) -> tuple[list[int | None], int]:
        """The columns of atoms, in so many states that there are about `rows` rows, and the column that is true
        everywhere. None is the column of an atom that raises an error somewhere."""
        choices = _choices(context)
        used = min(len(self._views), max(1, rows // len(choices)))
        return [self._column(atom, context, choices, used) for atom in atoms], (1 << used * len(choices)) - 1

    def _column(
        self, atom: Atom, context: tuple[Name, ...], choices: Sequence[tuple[int, ...]], used: int
    ) -> int | None:
        places = [place for place, name in enumerate(context) if name.text in atom.names]
        names = tuple(context[place] for place in places)
        truths = self._truths(atom, names)
        if truths is None:
            return None
        own = list(product(*(range(name.type.cardinality) for name in names)))
        position = {values: number for number, values in enumerate(own)}
        spread = [position[tuple(row[place] for place in places)] for row in reversed(choices)]
        texts: dict[int, str] = {}
        for truth in set(truths[:used]):
            texts[truth] = "".join("01"[truth >> number & 1] for number in spread)
        return _joined([texts[truth] for truth in truths[:used]])

    def _truths(self, atom: Atom, names: tuple[Name, ...]) -> tuple[int, ...] | None:
        """For each state a number with a bit for each choice of values of the atom's own variables."""
        text = atom.text
        for number, name in enumerate(names):
            text = re.sub(rf"(?<![\w.]){name.text}\b", f"v{number}", text)
        key = text, tuple(str(name.type) for name in names)
        if key not in self._known:
            self._known[key] = self._evaluated(text, names)
        return self._known[key]

    def _evaluated(self, text: str, names: tuple[Name, ...]) -> tuple[int, ...] | None:
        parameters = ", ".join(["self", *(f"v{number}" for number in range(len(names)))])
        rows = list(product(*(list(name.type.values()) for name in names)))
        try:
            function = eval(compile(f"lambda {parameters}: {text}", "<atom>", "eval"), self._namespace)
            return tuple(
                sum(1 << number for number, row in enumerate(rows) if function(view, *row)) for view in self._views
            )
        except (
            Cut,
            SpecError,
            SyntaxError,
            NameError,
            LookupError,
            TypeError,
            ValueError,
            ArithmeticError,
            AttributeError,
        ):
            return None


def table(reachable: Samples, arbitrary: Samples, context: tuple[Name, ...], atoms: Sequence[Atom], rows: int) -> Table:
    """The table of atoms; those that raise an error in a reachable state are left out."""
    columns, full = reachable.columns(context, atoms, rows)
    kept = [(atom, column) for atom, column in zip(atoms, columns, strict=True) if column is not None]
    chance, full_arbitrary = arbitrary.columns(context, [atom for atom, _ in kept], rows)
    choices = _choices(context)
    used = full.bit_length() // len(choices)
    equal, random = {}, full_arbitrary
    for (one, first), (two, second) in combinations(enumerate(context), 2):
        if first.type == second.type:
            row = "".join("01"[choice[one] == choice[two]] for choice in reversed(choices))
            equal[first.text, second.text] = _joined([row] * used)
            random &= ~_joined([row] * (full_arbitrary.bit_length() // len(choices)))
    found, truths = tuple(atom for atom, _ in kept), tuple(column for _, column in kept)
    return Table(context, found, truths, full, equal, tuple(chance), random)


def _choices(context: tuple[Name, ...]) -> list[tuple[int, ...]]:
    return list(product(*(range(name.type.cardinality) for name in context)))


def _joined(parts: Sequence[str]) -> int:
    """The bits of all states, those of the first the lowest."""
    return int("".join(reversed(parts)) or "0", 2)
