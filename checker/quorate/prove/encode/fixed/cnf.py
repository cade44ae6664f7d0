"""Conditions of a circuit as clauses: one step's circuit, copied for each step of a run.

The copy number k speaks of the state number k and of the step from it; the cells of the state after a step are those of
the state before the next one, so copies share them. A node of the circuit becomes a variable of the solver where a
clause needs it, and only the implications in the direction that is needed are written (Plaisted & Greenbaum 1986). A
choice between two conditions is written as such, without variables for its branches. Clauses leave as text in the
DIMACS format, which Z3 reads far faster than it takes formulas one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorate.prove.encode.fixed.circuit import TRUE, Circuit

POSITIVE, NEGATIVE = 1, 2

Known = Callable[[int], bool | None]
"""Whether a condition is true, as far as that is known."""


class Copied:
    """The solver's variables for the variables of a circuit, of which the first `width` are cells of the state before a
    step, and as many more the same of the state after it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._known: dict[tuple[int, int], int] = {}

    def _key(self, number: int, step: int) -> tuple[int, int]:
        after = self._width <= number < 2 * self._width
        return (number - self._width, step + 1) if after else (number, step)

    def get(self, number: int, step: int) -> int:
        """The variable in a copy, or 0 where no clause has it."""
        return self._known.get(self._key(number, step), 0)

    def made(self, number: int, step: int, fresh: Callable[[], int]) -> int:
        """The variable in a copy, a fresh one if there is none yet."""
        key = self._key(number, step)
        if key not in self._known:
            self._known[key] = fresh()
        return self._known[key]

    def copy(self) -> Copied:
        """The same, to go on from here on its own."""
        other = Copied(self._width)
        other._known = dict(self._known)
        return other


class Clauses:
    """Clauses for the conditions of a circuit; `cells` are the variables of the copies."""

    def __init__(self, circuit: Circuit, width: int) -> None:
        self._circuit = circuit
        self.cells = Copied(width)
        self._nodes: dict[int, dict[int, int]] = {}
        self._defined: dict[int, dict[int, int]] = {}
        self._known: dict[int, Known] = {}
        self._pending: list[str] = []
        self.variables = 0

    def fork(self) -> Clauses:
        """Clauses that go on from here on their own. What is pending must have been taken."""
        assert not self._pending
        other = Clauses(self._circuit, 0)
        other.cells, other.variables = self.cells.copy(), self.variables
        other._nodes = {step: dict(known) for step, known in self._nodes.items()}
        other._known = dict(self._known)
        other._defined = {step: dict(done) for step, done in self._defined.items()}
        return other

    def fresh(self) -> int:
        """A new variable of the solver."""
        self.variables += 1
        return self.variables

    def _variable(self, node: int, step: int) -> int:
        known = self._nodes.setdefault(step, {})
        if node not in known:
            parts = self._circuit.parts(node)
            known[node] = (
                self.cells.made(self._circuit.number(node), step, self.fresh) if parts is None else self.fresh()
            )
        return known[node]

    def _literal(self, condition: int, step: int) -> int:
        variable = self._variable(condition >> 1, step)
        return -variable if condition & 1 else variable

    def add(self, *literals: int) -> None:
        """Add a clause of the solver's literals."""
        self._pending.append(" ".join(map(str, (*literals, 0))))

    def know(self, step: int, known: Known) -> None:
        """Take as known what a copy's clauses say of some conditions: further clauses are simplified with it."""
        self._known[step] = known

    def _value(self, condition: int, step: int) -> bool | None:
        if condition <= TRUE:
            return bool(condition)
        return self._known[step](condition) if step in self._known else None

    def literal(self, condition: int, step: int) -> int:
        """A literal whose truth implies a condition of a copy."""
        value = self._value(condition, step)
        if value is not None:
            constant = self.fresh()
            if not value:
                self.add(-constant)
            return constant  # Open where the condition is known: it may still be false that something is chosen.
        self._define(condition, step)
        return self._literal(condition, step)

    def require(self, condition: int, step: int, unless: Sequence[int] = ()) -> None:
        """Add that a condition of a copy is true, or one of the literals `unless`."""
        stack = [condition]
        while stack:
            part = stack.pop()
            value = self._value(part, step)
            parts = None if part & 1 else self._circuit.parts(part >> 1)
            if value is False:
                self.add(*unless)
            elif value is None and parts is not None:
                stack.extend(parts)
            elif value is None:
                self._define(part, step)
                self.add(self._literal(part, step), *unless)

    def _define(self, condition: int, step: int) -> None:
        """Write what the truth of a condition implies."""
        defined, circuit = self._defined.setdefault(step, {}), self._circuit
        stack = [condition]
        while stack:
            wanted = stack.pop()
            node, sign = wanted >> 1, NEGATIVE if wanted & 1 else POSITIVE
            done = defined.get(node, 0)
            parts = None if done & sign else circuit.parts(node)
            defined[node] = done | sign
            if parts is None:
                continue
            own = self._literal(wanted, step)
            branches = circuit.branches(node)
            values = [self._value(part, step) for part in parts]
            open_ones = [part for part, value in zip(parts, values, strict=True) if value is None]
            if branches is not None and all(self._value(part, step) is None for part in branches):
                stack += self._choice(own, wanted, branches, step)
            elif sign == POSITIVE:
                if False in values:  # What is known of a part need not have been known of the whole.
                    self.add(-own)
                for part in open_ones:
                    self.add(-own, self._literal(part, step))
                stack += open_ones
            elif False not in values:
                self.add(-own, *(-self._literal(part, step) for part in open_ones))
                stack += [part ^ 1 for part in open_ones]

    def _choice(self, own: int, wanted: int, branches: tuple[int, int, int], step: int) -> list[int]:
        """Write that `own` implies a choice (its negation where the node itself is wanted), and name what this needs."""
        condition, first, second = branches
        if not wanted & 1:
            first, second = first ^ 1, second ^ 1
        test = self._literal(condition, step)
        self.add(-own, -test, self._literal(first, step))
        self.add(-own, test, self._literal(second, step))
        return [condition, condition ^ 1, first, second]

    def text(self) -> str:
        """The clauses since the last call, in the DIMACS format."""
        lines, self._pending = self._pending, []
        return "\n".join([f"p cnf {self.variables} {len(lines)}", *lines, ""])
