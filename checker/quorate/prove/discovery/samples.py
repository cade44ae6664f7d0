"""Explored states as columns of bits: which atoms are true in which states, for which values of the variables.

A clause that is false somewhere among a few thousand reachable states is no lemma, and `or` of whole columns tells.
The first states come from random walks, so that deep ones are among them; then states are taken at random from the
frontier. The seed is fixed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from random import Random
from time import monotonic
from typing import Any

from quorate.explore.choices import Choices
from quorate.explore.properties import Properties
from quorate.language.control import Cut
from quorate.language.system import State, System, is_of_spec
from quorate.language.types import Type
from quorate.prove.discovery.grammar import Atom
from quorate.prove.discovery.variables import Name

SEED = 20140614
WALKS = 100
WALK_STEPS = 40
"""Random walks from initial states, and how long they are."""


@dataclass(frozen=True)
class Explored:
    """Reachable states in random order, and a property that a run refutes, if one was met."""

    states: list[State]
    refuted: str | None = None


def explored(system: System, count: int, seconds: float, goals: Sequence[str] = ()) -> Explored:
    """All initial states, and others up to `count`, or as many as there is time for; no more when one of the goals is
    false. Raises Failure if the specification raises an error on the way."""
    deadline, random = monotonic() + seconds, Random(SEED)
    steps, wanted = Steps(system), _Goals(system, goals)
    seen = dict.fromkeys(state for _, state in system.initial())
    initial = list(seen)
    refuted = next((name for state in initial if (name := wanted.refuted(state))), None)

    def enough(most: int) -> bool:
        return refuted is not None or len(seen) >= most or monotonic() > deadline

    for _ in range(WALKS):
        before = random.choice(initial)
        for state in steps.walk(before, random, WALK_STEPS):
            if enough(count // 2):
                break
            refuted = wanted.refuted(None if state in seen else state, before, state)
            seen[state], before = None, state
    frontier = list(seen)
    while frontier and not enough(count):
        position = random.randrange(len(frontier))
        frontier[position], frontier[-1] = frontier[-1], frontier[position]
        state = frontier.pop()
        for successor in steps.successors(state):
            fresh = successor not in seen
            refuted = refuted or wanted.refuted(successor if fresh else None, state, successor)
            if fresh:
                seen[successor] = None
                frontier.append(successor)
    found = list(seen)
    random.shuffle(found)
    return Explored(found, refuted)


class Steps:
    """The steps of a system. Use it inside `with system`."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._actions = [(action, Choices(system, action)) for action in system.actions]

    def successors(self, state: State) -> Iterator[State]:
        """The states after all steps from a state. Raises Failure where a step raises an error."""
        for action, options in self._actions:
            for arguments in options(state):
                try:
                    successor = self._system.fire(state, action, arguments)
                except Cut:
                    continue
                if successor is not None:
                    yield successor.state

    def walk(self, state: State, random: Random, length: int) -> Iterator[State]:
        """The states of a random walk after a state, at most so many."""
        for _ in range(length):
            following = list(self.successors(state))
            if not following:
                return
            state = random.choice(following)
            yield state


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


@dataclass(frozen=True)
class Form:
    """An atom with variables `v0`, `v1`, ... of these types: the same atom over other variables has the same form."""

    text: str
    types: tuple[Type, ...]

    @property
    def parameters(self) -> str:
        """Its parameters, as those of a function of a state."""
        return ", ".join(["self", *(f"v{number}" for number in range(len(self.types)))])

    def rows(self) -> list[tuple[Any, ...]]:
        """All values of its variables."""
        return list(product(*(list(kind.values()) for kind in self.types)))

    def function(self, namespace: dict[str, Any]) -> Callable[..., object]:
        """Its truth as a Python function. Raises SyntaxError if it is no expression."""
        function: Callable[..., object] = eval(
            compile(f"lambda {self.parameters}: {self.text}", "<atom>", "eval"), namespace
        )
        return function


def form_of(atom: Atom, context: tuple[Name, ...]) -> tuple[Form, tuple[int, ...]]:
    """The form of an atom, and which of its variable's values each choice of values for all of `context` has."""
    places = [place for place, name in enumerate(context) if name.text in atom.names]
    names = {context[place].text: f"v{number}" for number, place in enumerate(places)}  # All at once: one may be v1.
    pattern = rf"(?<![\w.])({'|'.join(map(re.escape, names))})\b"
    text = re.sub(pattern, lambda found: names[found[1]], atom.text) if names else atom.text
    own = list(product(*(range(context[place].type.cardinality) for place in places)))
    position = {values: number for number, values in enumerate(own)}
    rows = tuple(position[tuple(row[place] for place in places)] for row in choices(context))
    return Form(text, tuple(context[place].type for place in places)), rows


class Samples:
    """The truth of atoms in states. An atom is evaluated once for the variables that occur in it, whatever they are
    called and whatever others there are. Use it inside `with system`."""

    def __init__(self, system: System, states: Sequence[State], namespace: dict[str, Any]) -> None:
        self.states, self._namespace = states, namespace
        self._views = [system.view(state) for state in states]
        self._known: dict[Form, tuple[int, ...] | None] = {}

    def columns(self, context: tuple[Name, ...], atoms: Sequence[Atom], rows: int) -> tuple[list[int | None], int]:
        """The columns of atoms, in so many states that there are about `rows` rows, and the column that is true
        everywhere. None is the column of an atom that raises an error somewhere."""
        width = len(choices(context))
        used = min(len(self._views), max(1, rows // width))
        return [self._column(atom, context, used) for atom in atoms], (1 << used * width) - 1

    def _column(self, atom: Atom, context: tuple[Name, ...], used: int) -> int | None:
        form, rows = form_of(atom, context)
        if form not in self._known:
            self._known[form] = self._evaluated(form)
        truths = self._known[form]
        if truths is None:
            return None
        texts: dict[int, str] = {}
        for truth in set(truths[:used]):
            texts[truth] = "".join("01"[truth >> number & 1] for number in reversed(rows))
        return _joined([texts[truth] for truth in truths[:used]])

    def _evaluated(self, form: Form) -> tuple[int, ...] | None:
        """For each state a number with a bit for each choice of values of the atom's own variables."""
        rows = form.rows()
        try:
            function = form.function(self._namespace)
            return tuple(
                sum(1 << number for number, row in enumerate(rows) if function(view, *row)) for view in self._views
            )
        except (
            BaseException
        ) as error:  # It has no value in some state, and a function of the author's raises what it likes there.
            if not is_of_spec(error):
                raise
            return None


def table(reachable: Samples, arbitrary: Samples, context: tuple[Name, ...], atoms: Sequence[Atom], rows: int) -> Table:
    """The table of atoms; those that raise an error in a reachable state are left out."""
    columns, full = reachable.columns(context, atoms, rows)
    kept = [(atom, column) for atom, column in zip(atoms, columns, strict=True) if column is not None]
    chance, full_arbitrary = arbitrary.columns(context, [atom for atom, _ in kept], rows)
    rows_of_state = choices(context)
    used = full.bit_length() // len(rows_of_state)
    equal, random = {}, full_arbitrary
    for (one, first), (two, second) in combinations(enumerate(context), 2):
        if first.type == second.type:
            row = "".join("01"[choice[one] == choice[two]] for choice in reversed(rows_of_state))
            equal[first.text, second.text] = _joined([row] * used)
            random &= ~_joined([row] * (full_arbitrary.bit_length() // len(rows_of_state)))
    found, truths = tuple(atom for atom, _ in kept), tuple(column for _, column in kept)
    return Table(context, found, truths, full, equal, tuple(chance), random)


def choices(context: tuple[Name, ...]) -> list[tuple[int, ...]]:
    """All values of the variables, by their numbers."""
    return list(product(*(range(name.type.cardinality) for name in context)))


def _joined(parts: Sequence[str]) -> int:
    """The bits of all states, those of the first the lowest."""
    return int("".join(reversed(parts)) or "0", 2)
