"""Steps of a relation one after the other, as clauses."""

from __future__ import annotations

from quorate.explore.engine import Instance
from quorate.prove.transition.partial_order import Exchange, Group, exchanges
from quorate.prove.transition.relation import Relation
from quorate.prove.transition.ternary_simulation import Foresight


class Unrolled:
    """A first state and steps from it. The solver's variables of copy k are those of the state number k."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.clauses = relation.clauses()
        self._choices: dict[int, dict[str, int]] = {}
        self._started = False
        self._foresight: Foresight | None = None
        self._exchanges: list[Exchange] = []
        self.legal(0)

    def fork(self) -> Unrolled:
        """The same steps, to go on from here on their own."""
        other = Unrolled.__new__(Unrolled)
        other.relation, other.clauses = self.relation, self.clauses.fork()
        other._choices = dict(self._choices)
        other._started, other._foresight, other._exchanges = self._started, self._foresight, self._exchanges
        return other

    def legal(self, state: int) -> None:
        """Require of a state what the types say."""
        for condition in self.relation.legal:
            self.clauses.require(condition, state)

    def start(self) -> None:
        """Require that the first state is an initial one."""
        self.clauses.require(self.relation.initial, 0)
        self._started = True
        if self.relation.reductions.ternary_simulation:
            self._foresight = Foresight(self.relation)
        if self.relation.reductions.partial_order:
            self._exchanges = exchanges(self.relation)
        self._foresee(0)

    def lengthen(self, length: int) -> list[int]:
        """Add the step after `length` others. One of the literals that are returned must be true for it to be taken.

        In runs from an initial state, members of symmetric sorts occur in their order, and so do steps that commute,
        but for the last one.
        """
        self.legal(length + 1)
        self._foresee(length + 1)
        self._choices[length] = {fired.action.name: self.clauses.fresh() for fired in self.relation.fired}
        for fired, choice in zip(self.relation.fired, self._choices[length].values(), strict=True):
            self.clauses.require(fired.step, length, [-choice])
            if self._started:
                self.clauses.require(fired.orderly, length, [-choice])
        if length > 1:
            self._ascend(length - 2)
        return list(self._choices[length].values())

    def _ascend(self, step: int) -> None:
        """Require of a step and the next one that they are in order if they commute in the state before."""
        literals: dict[tuple[tuple[int, ...], int], int] = {}

        def literal(group: Group, copy: int) -> int:
            """One that is true if a step is of the group."""
            if (group.key, copy) not in literals:
                literals[group.key, copy] = self.clauses.fresh()
                chosen = self._choices[copy][group.fired.action.name]
                self.clauses.require(group.condition ^ 1, copy, [-chosen, literals[group.key, copy]])
            return literals[group.key, copy]

        for exchange in self._exchanges:
            both = [-literal(exchange.first, step), -literal(exchange.second, step + 1)]
            self.clauses.require(exchange.possible ^ 1, step, both)

    def _foresee(self, state: int) -> None:
        """In runs from an initial state: write what is certain of a state, and simplify with it what is said of it."""
        if self._foresight is not None:
            for condition in self._foresight.before(state):
                self.clauses.require(condition, state)
            self.clauses.know(state, self._foresight.known(state).value)

    def instances(self, length: int, true: frozenset[int]) -> tuple[Instance, ...]:
        """The first steps of a solution: each action and its arguments."""
        return tuple(self._instance(step, true) for step in range(length))

    def _instance(self, step: int, true: frozenset[int]) -> Instance:
        for fired in self.relation.fired:
            if self._choices[step][fired.action.name] in true:
                reader = self.relation.reader(self.clauses.cells, true, step)
                return fired.action.method, self.relation.arguments(fired.arguments, fired.action.parameters, reader)
        raise AssertionError("a step of a solution has no action")
