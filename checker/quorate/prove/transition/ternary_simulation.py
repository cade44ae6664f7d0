"""What is certain of the first states of all runs: which cells cannot have changed yet, and which values cannot have come up.

After one step of a protocol most of its state is as it was, and most messages cannot have been sent. A solver that gets
one step's circuit ten times does not see that: that a cell is false after the first step follows only from looking at
each action apart. So this is done here: for every step, the circuit is evaluated with three values (false, true, unknown)
from what is certain before, for each action apart, and what all actions agree on is certain after.

A value is followed by its *atoms*: conditions that say which of its values a cell has, each under a path. What lies in an
alternative of a union that is not there, or behind the end of a list, has no meaning: it may be taken to be anything that
a value of its type can be, so whatever the actions agree on that do give it a meaning is taken. Where nothing gives it one
in truth, because an action cannot happen, or because the branch that does is always cut, what would follow need not be a
value at all: a number beyond its bound is none of those that the cell may have. So a solver is asked which actions can
happen, and whether some state has all the atoms; those that contradict each other are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quorate.prove.encode.fixed.circuit import FALSE, TRUE, Circuit
from quorate.prove.encode.fixed.parts import Leaf, Mask, Queues, Seq, Slots, Table, Tally, Value
from quorate.prove.encode.values import ABSENT, Union
from quorate.prove.solvers.sat import Dialogue
from quorate.prove.transition.relation import Cells, Fired, Relation

SECONDS = 60.0
"""How long a solver may take for all questions about the first states; then the check is undecided."""

Path = tuple[Any, ...]


class Ternary:
    """A circuit in which some conditions are known."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._values: dict[int, bool | None] = {0: False}

    def copy(self) -> Ternary:
        """What is known, without what followed for other conditions."""
        other = Ternary(self._circuit)
        other._values = {node: value for node, value in self._values.items() if value is not None}
        return other

    def know(self, condition: int) -> None:
        """Take a condition to be true; so are the parts of a conjunction, and the last part of a clause."""
        stack = [condition]
        while stack:
            part = stack.pop()
            if part <= TRUE or self._values.get(part >> 1) is not None:
                continue
            self._values[part >> 1] = not part & 1
            parts = self._circuit.parts(part >> 1)
            if parts is None:
                continue
            if not part & 1:
                stack.extend(parts)
            else:
                open_ones = [one for one in parts if self.value(one) is not True]
                if len(open_ones) == 1:
                    stack.append(open_ones[0] ^ 1)

    def value(self, condition: int) -> bool | None:
        """Whether a condition is true, as far as that is known."""
        values, circuit = self._values, self._circuit
        stack = [condition >> 1]
        while stack:
            node = stack[-1]
            if node in values:
                stack.pop()
                continue
            parts = circuit.parts(node)
            if parts is None:
                values[node] = None
                continue
            missing = [part >> 1 for part in parts if part >> 1 not in values]
            if missing:
                stack.extend(missing)
                continue
            result: bool | None = True
            for part in parts:
                known = values[part >> 1]
                if known is None:
                    result = None
                elif known == bool(part & 1):
                    result = False
                    break
            values[node] = result
            stack.pop()
        found = values[condition >> 1]
        return found if found is None else found != bool(condition & 1)


class Foresight:
    """What is certain in the state after so many steps of every run."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self._before = dict(_atoms_of(relation.before, relation.before))
        self._after = dict(_atoms_of(relation.after, relation.after))
        self._clauses, self._dialogue = relation.clauses(), Dialogue(SECONDS)
        for legal in relation.legal:
            self._clauses.require(legal, 0)
        self._happens = {fired.action.name: self._literal_of(fired) for fired in relation.fired}
        condition, state, _ = relation.start
        known = Ternary(relation.machine.circuit)
        known.know(condition)
        self._certain = [self._agreed([self._of(state, known)])]

    def before(self, step: int) -> list[int]:
        """The conditions that are certain of the state before a step."""
        while len(self._certain) <= step:
            self._certain.append(self._next())
        return _conditions(self._before, self._certain[step])

    def known(self, step: int) -> Ternary:
        """The circuit of a step with what is certain before and after it."""
        known = Ternary(self.relation.machine.circuit)
        self.before(step + 1)
        for condition in (*self.before(step), *_conditions(self._after, self._certain[step + 1])):
            known.know(condition)
        return known

    def _next(self) -> dict[Path, bool]:
        """What is certain after one step more."""
        certain = self._certain[-1]
        if len(self._certain) > 1 and self._certain[-2] == certain:
            return certain
        known = Ternary(self.relation.machine.circuit)
        for condition in _conditions(self._before, certain):
            known.know(condition)
        given = self._given(certain)
        results = [
            self._after_action(fired, known)
            for fired in self.relation.fired
            if self._dialogue.possible("the first states", self._happens[fired.action.name], *given)
        ]
        return self._agreed(results) if results else certain

    def _literal_of(self, fired: Fired) -> int:
        """One whose truth implies that an action can happen."""
        literal = self._clauses.fresh()
        for condition in (*fired.legal, fired.orderly, fired.ok):
            self._clauses.require(condition, 0, [-literal])
        return literal

    def _after_action(self, fired: Fired, known: Ternary) -> dict[Path, bool | None]:
        """What an action that can happen leaves of each atom."""
        taken = known.copy()
        for condition in (*fired.legal, fired.orderly, fired.ok):
            taken.know(condition)
        return self._of(fired.after, taken)

    def _of(self, state: Cells, known: Ternary) -> dict[Path, bool | None]:
        known = known.copy()
        return {path: known.value(condition) for path, condition in _atoms_of(self.relation.before, state, known)}

    def _given(self, certain: dict[Path, bool]) -> list[int]:
        """Literals whose truth implies what is certain, one for each path."""
        given = [self._clauses.literal(condition, 0) for condition in _conditions(self._before, certain)]
        self._dialogue.add(self._clauses.text())
        return given

    def _agreed(self, results: Sequence[dict[Path, bool | None]]) -> dict[Path, bool]:
        """What all results agree on that give a path a meaning, as far as a state can have it."""
        agreed: dict[Path, bool] = {}
        for path in self._before:
            values = {result[path] for result in results if path in result}
            value = values.pop() if len(values) == 1 else None
            if value is not None:
                agreed[path] = value
        return self._together(agreed)

    def _together(self, atoms: dict[Path, bool]) -> dict[Path, bool]:
        """Of some atoms, those that a state can have together."""
        literals = dict(zip(atoms, self._given(atoms), strict=True))
        while literals and not self._dialogue.possible("the first states", *literals.values()):
            needed = self._dialogue.needed() or frozenset(literals.values())
            literals = {path: literal for path, literal in literals.items() if literal not in needed}
        return {path: atoms[path] for path in literals}


def _conditions(atoms: dict[Path, int], certain: dict[Path, bool]) -> list[int]:
    return [atoms[path] if value else atoms[path] ^ 1 for path, value in certain.items()]


def _atoms_of(form: Cells, state: Cells, known: Ternary | None = None) -> Iterator[tuple[Path, int]]:
    """The conditions that say what a state is, for the parts that cells of this form have and that mean something."""
    for name, inner in form.items():
        yield from _atoms(inner, state[name], known, (name,))


def _atoms(form: Value, value: Value, known: Ternary | None, path: Path) -> Iterator[tuple[Path, int]]:
    """The same for a value."""
    if value is ABSENT or form is None:
        return
    match form, value:
        case int(), int():
            yield path, value
        case Leaf(), Leaf():
            yield from (((*path, key), value.get(key, FALSE)) for key in form)
        case Mask(), Mask():
            yield from (((*path, key), value.get(key, FALSE)) for key in form)
        case Tally(), Tally():
            for key, counts in form.items():
                yield from _atoms(counts, value.times(key), known, (*path, key))
        case Union(), Union():
            for alternative, (_, inner) in form.items():
                guard, part = value.get(alternative, (FALSE, ABSENT))
                yield (*path, alternative, "is there"), guard
                if guard != FALSE and (known is None or known.value(guard) is not False):
                    yield from _atoms(inner, part, known, (*path, alternative))
        case Seq(length=length, items=items), Seq():
            yield from _atoms(length, value.length, known, (*path, "length"))
            for position, inner in enumerate(items[: len(value.items)]):
                longer = [guard for number, guard in value.length.items() if number > position]
                if any(known is None or known.value(guard) is not False for guard in longer):
                    yield from _atoms(inner, value.items[position], known, (*path, position))
        case Table(), Table():
            for key, inner in form.items():
                yield from _atoms(inner, value[key], known, (*path, key))
        case Queues(), Queues():
            for pair, queue in form.items():
                yield from _atoms(queue, value[pair], known, (*path, pair))
        case tuple(), tuple():
            for position, (inner, part) in enumerate(zip(form, value, strict=True)):
                yield from _atoms(inner, part, known, (*path, position))
        case Slots(), Slots():
            return  # Slots of one set can hold the same elements in another order: nothing is said of them.
        case _:
            raise TypeError(f"{value!r} has not the form of {form!r}")
