"""What comprehensions mean for any size: quantifiers around what they yield."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product

from quorate.language.types import (
    MapType,
    SetType,
)
from quorate.model.nodes import Expr, For, Op
from quorate.prove.encode.anysize.containers import (
    MapV,
    SetV,
    Value,
)
from quorate.prove.encode.anysize.conversions import Conversions
from quorate.prove.encode.anysize.quantifiers import Env
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.terms import Formula

AT_HAND_MAX = 16
"""So many choices of arguments at hand are written beside a quantifier."""


class Comprehensions(Conversions):
    """Ranging over what a source yields."""

    def _each(self, node: Expr, env: Env, visit: Callable[[Env], Formula], universal: bool) -> Formula:
        """A comprehension's clauses as quantifiers around `visit`, which is called once the names are bound.

        It ends at the first round that decides it, so whether a bound cuts in a later round is not said: of an action
        that leaves more runs, not fewer.
        """
        self._in_expression += 1
        try:
            return self._ranged(node, env, visit, universal)
        finally:
            self._in_expression -= 1

    def _ranged(self, node: Expr, env: Env, visit: Callable[[Env], Formula], universal: bool) -> Formula:
        inner = env.copy()

        def clauses(position: int) -> Formula:
            if position == len(node.clauses):
                return visit(inner)
            clause = node.clauses[position]
            if not isinstance(clause, For):
                condition = self.condition(clause.condition, inner)
                if self.is_false(condition):
                    return self.true if universal else self.false
                with self.under(condition):
                    rest = clauses(position + 1)
                return self.implies(condition, rest) if universal else self.both((condition, rest))
            parts = []
            for found in self.rounds(self.value(clause.source, inner), clause.name, node.location):
                inner.local[clause.name] = found.element
                with self.within(found):
                    rest = clauses(position + 1)
                parts.append(
                    self.forall(found.constants, found.guard, rest)
                    if universal
                    else self.exists(found.constants, found.guard, rest)
                )
            return self.both(parts) if universal else self.either(parts)

        return clauses(0)

    def op_all(self, node: Expr, env: Env) -> Value:
        return self._each(node, env, lambda inner: self.condition(node.args[0], inner), True)

    def op_any(self, node: Expr, env: Env) -> Value:
        some = self._each(node, env, lambda inner: self.condition(node.args[0], inner), False)
        taken = list(self._taken_at_hand(node, env)) if node.args[0].op is Op.TAKES and self.at_hand else []
        return self.either(taken) if taken else some

    def _taken_at_hand(self, node: Expr, env: Env) -> Iterator[Formula]:
        """That an abstract action is taken with arguments of the action that is looked at: some instances of the quantifier."""
        ranging = [clause for clause in node.clauses if isinstance(clause, For)]
        known = [[value for kind, value in self.at_hand if kind == clause.type] for clause in ranging]
        for values in islice(product(*known), AT_HAND_MAX):
            inner = env.copy()
            inner.local |= {clause.name: value for clause, value in zip(ranging, values, strict=True)}
            with self.muted():
                yield self.condition(node.args[0], inner)

    def _some(self, node: Expr, env: Env, claim: Callable[[Value], Formula]) -> Formula:
        """Whether some value that the comprehension yields satisfies a claim; its events have been noted already."""
        with self.muted():
            return self._each(node, env, lambda inner: claim(self.value(node.args[0], inner)), False)

    def op_set_of(self, node: Expr, env: Env) -> Value:
        assert isinstance(node.type, SetType)
        frozen, again = env.copy(), self.again()
        self._each(node, frozen, lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

        def has(found: Value) -> Formula:
            with again():
                return self._some(node, frozen, lambda value: self.equal(value, found))

        return SetV(node.type.element, has)

    def op_map_of(self, node: Expr, env: Env) -> Value:
        frozen, clause, again = env.copy(), node.clauses[0], self.again()
        assert isinstance(clause, For) and isinstance(node.type, MapType)
        self._each(node, frozen, lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

        def at(key: Value) -> Value:
            inner = frozen.copy()
            inner.local[clause.name] = key
            with again():
                return self.value(node.args[0], inner)

        return MapV(node.type.key, at)

    def _no_meaning(self, node: Expr, what: str, instead: str) -> Value:
        raise NoAnySize(what, instead, node.location)

    def op_list_of(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A list comprehension has no any-size meaning.", "Use a set comprehension, any or all."
        )

    def op_sorted(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(node, "A sorted list has no any-size meaning.", "Use min, max, any or all.")

    def op_linearizable(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node,
            "linearizable(...) has no any-size meaning.",
            "State what an operation may return as an invariant, and prove that alone: `--invariant NAME`.",
        )

    def op_sum(self, node: Expr, env: Env) -> Value:
        return self._no_meaning(
            node, "A sum over unboundedly many has no any-size meaning.", "Use any, all, is_majority or is_quorum."
        )
