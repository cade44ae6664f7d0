"""Values that a formula defines, for any size: the greatest, the single one, and whether a set is a quorum.

No set is an object of the logic: every set that a formula asks about is a formula with parameters, a *family*, and
the axioms are written for the families at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import z3

from quorate.model.nodes import Expr, Model
from quorate.model.ranges import is_number
from quorate.prove.encode.anysize.comprehensions import Comprehensions
from quorate.prove.encode.anysize.containers import SetV, Value, as_formula, as_number, as_set
from quorate.prove.encode.anysize.quantifiers import Env
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.shapes import printable
from quorate.prove.encode.anysize.sizes import Counted, Size, name_of
from quorate.prove.encode.anysize.terms import Formula, Number, Term, quantified

QUORUM = "quorum of "
"""So begin the names of the predicates that stand for "this set is a quorum"."""


LITERAL_MAX = 4
"""A threshold that is written as a number is written out as so many different members, up to here."""


Symbol = Callable[[Sequence[Term]], Value]
"""A function, of values of any type."""


@dataclass(frozen=True)
class Family:
    """A formula over parameters that canonical constants stand for, and the function of this name that stands for what
    was defined of it. A set has a `size`, and its formula is about a `standing` member."""

    name: str
    parameters: tuple[Term, ...]
    formulas: tuple[Formula, ...]
    symbol: Symbol
    size: Size | None = None
    standing: Term | None = None

    @property
    def member(self) -> Term:
        """The member that the formula of a set is about."""
        assert self.standing is not None
        return self.standing

    def predicate(self, parameters: Sequence[Term]) -> Formula:
        """That the set of these parameters is a quorum."""
        return as_formula(self.symbol(parameters))

    def has(self, parameters: Sequence[Term]) -> Formula:
        """That the member is in the set of these parameters: its formula, or the name of one that has quantifiers."""
        if quantified(self.formulas[0]):
            return as_formula(self._inside(*parameters, self.member))
        return z3.substitute(self.formulas[0], *zip(self.parameters, parameters, strict=True))

    def naming(self) -> list[Formula]:
        """What the name of a formula with quantifiers means. Without it, the axioms about a set would have quantifiers
        inside of quantifiers, for each pair of sets again."""
        if not quantified(self.formulas[0]):
            return []
        inside = self._inside(*self.parameters, self.member)
        return [z3.ForAll([*self.parameters, self.member], inside == self.formulas[0], patterns=[inside])]

    @property
    def _inside(self) -> z3.FuncDeclRef:
        sorts = [term.sort() for term in (*self.parameters, self.member)]
        return z3.Function(f"in {self.name}", *sorts, z3.BoolSort())


Definition = tuple[str, Size | None, tuple[str, ...], tuple[str, ...]]
"""What tells families apart: what is defined, the size, the formulas, and the sorts of the parameters."""


class Definitions(Comprehensions):
    """Families of formulas and what is known of them."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.families: dict[Definition, Family] = {}
        self.definitions: list[Formula] = []

    def fork(self) -> Self:
        """A machine that goes on from here on its own; what this one has written stays valid there."""
        other = type(self)(self.model)
        other.symbols, other.families, other.definitions = (
            self.symbols.fork(),
            dict(self.families),
            list(self.definitions),
        )
        other._names, other._arguments, other._counter = set(self._names), set(self._arguments), self._counter
        return other

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What this machine writes inside is forgotten afterwards.

        A transition's values are worked out when they are asked for, by the machine that made them. A fork of it that asks would name
        what it defines itself by the same names, and not know which constants are bound around what the other defines."""
        symbols, families, definitions = self.symbols, dict(self.families), list(self.definitions)
        names, arguments, counter = set(self._names), set(self._arguments), self._counter
        self.symbols = symbols.fork()
        try:
            yield
        finally:
            self.symbols, self.families, self.definitions = symbols, families, definitions
            self._names, self._arguments, self._counter = names, arguments, counter

    # What a formula defines: the extreme, the single value, majorities

    def family(
        self,
        label: str,
        formulas: Sequence[Formula],
        make: Callable[[str, list[Term]], Symbol],
        size: Size | None = None,
        member: Term | None = None,
    ) -> tuple[Family, list[Term]]:
        """The family of these formulas and its parameters here; `make(name, parameters)` builds its symbol when it is
        new."""
        actual = self.free(*formulas) if member is None else self._parameters(formulas[0], member)
        bound = [
            term for term in actual if not self._arguments.issuperset(name.decl().name() for name in self.free(term))
        ]
        actual = (
            bound or actual
        )  # The arguments of the action stand for themselves, unless the formula is about them alone.
        canonical = [z3.Const(f"p{position}!{term.sort()}", term.sort()) for position, term in enumerate(actual)]
        self._names.update(term.decl().name() for term in canonical)
        pairs = list(zip(actual, canonical, strict=True))
        standing = None
        if member is not None:
            standing = z3.Const(f"member!{member.sort()}", member.sort())
            self._names.add(standing.decl().name())
            pairs.append((member, standing))
        general = tuple(z3.substitute(formula, *pairs) for formula in formulas)
        key = (
            label,
            size,
            tuple(_nameless(formula) for formula in general),
            tuple(str(term.sort()) for term in canonical),
        )
        if key not in self.families:
            name = f"{label}!{len(self.families)}"
            self.families[key] = Family(name, tuple(canonical), general, make(name, canonical), size, standing)
        return self.families[key], actual

    def _parameters(self, formula: Formula, member: Term) -> list[Term]:
        """The greatest terms inside a set's formula that do not depend on the member, so that `votes(leader(t))` is a
        case of
        `votes(s)`; under quantifiers only the constants."""
        found: dict[int, Term] = {}
        seen: set[int] = set()
        stack: list[Term] = [formula]
        while stack:
            term = stack.pop()
            if term.get_id() in seen:
                continue
            seen.add(term.get_id())
            inside = self.free(term)
            if z3.is_quantifier(term):
                found |= {name.get_id(): name for name in inside if not name.eq(member)}
            elif z3.is_bool(term) or any(name.eq(member) for name in inside):
                stack.extend(reversed(term.children()))
            elif inside:
                found[term.get_id()] = term
        return list(found.values())

    def op_majority(self, node: Expr, env: Env) -> Value:
        return self._quorum(node, as_set(self.value(node.args[0], env)), Size(None))

    def op_quorum(self, node: Expr, env: Env) -> Value:
        whole, size = self.values(node.args, env)
        members = as_set(whole)
        if not z3.is_int_value(size):
            raise NoAnySize(
                "A quorum whose size is computed has no any-size meaning.", "Make the size a ClassVar.", node.location
            )
        least, name = size.as_long(), name_of(node.args[1], self.model.configured)
        if least <= 0:
            if name:
                self.symbols.conditions.add(f"{Size(least, name)} of {node.data} is 0 or less")
            return self.true
        if not name and least <= LITERAL_MAX:
            return self._so_many(node, members, least)
        return self._quorum(node, members, Size(least, name))

    def _so_many(self, node: Expr, members: SetV, least: int) -> Formula:
        """That a set has so many different members."""
        names = [self.constant_named("member", self.symbols.sort(node.data)) for _ in range(least)]
        different = [z3.Distinct(names)] if least > 1 else []
        return self.exists(names, *different, *map(members.has, names))

    def _quorum(self, node: Expr, members: SetV, size: Size) -> Formula:
        member = self.constant_named("member", self.symbols.sort(node.data))
        formula = members.has(member)

        def make(name: str, parameters: list[Term]) -> Symbol:
            return z3.Function(name, *[term.sort() for term in parameters], z3.BoolSort())

        family, actual = self.family(f"{QUORUM}{node.data}", [formula], make, size, member)
        return family.predicate(actual)

    def quorum_labels(self) -> set[str]:
        """What the quorums are called that formulas speak of, by sort."""
        return {label for (label, *_), family in self.families.items() if family.standing is not None}

    def quorum_axioms(
        self, totals: Mapping[str, int], given: Set[str], asked: Set[str]
    ) -> list[tuple[Formula, frozenset[str], str]]:
        """Quorums meet, two or three of them, and what has a quorum inside is one, for sets by name: each axiom with the sets
        that it is about, and the condition on the number of members under which it is true ("": it always is).

        `totals` are the numbers of members that are configured; the conditions are true of them. `given` are sets that are
        said to be quorums, `asked` those of which it would help to know that they are (see `quorums_in`). That two quorums
        meet can matter for given ones only; that a larger set is a quorum, for a given and an asked one. What else the
        axioms say of other sets follows.
        """
        families = {
            family.name: (label, family) for (label, *_), family in self.families.items() if family.standing is not None
        }
        found = [(name, *families[name]) for name in families if name in given | asked]
        axioms: list[tuple[Formula, frozenset[str], str]] = []
        for position, (name, label, first) in enumerate(found):
            counted = Counted(label.removeprefix(QUORUM), totals[label.removeprefix(QUORUM)])
            alone = frozenset((name,))
            axioms += [(meaning, alone, "") for meaning in first.naming()]
            if name in asked and (condition := counted.full(first.size)) is not None:
                axioms.append((self._full(first), alone, condition))
            if name in given and counted.meet(first.size, first.size) is None:
                axioms.append((self._inhabited(first), alone, counted.inhabited(first.size)))
            for other, (other_name, other_label, second) in enumerate(found):
                if label != other_label:
                    continue
                both = frozenset((name, other_name))
                if (
                    other >= position
                    and both <= given
                    and (condition := counted.meet(first.size, second.size)) is not None
                ):
                    axioms.append((self._pair(first, second, True), both, condition))
                if other != position and name in given and other_name in asked:
                    condition = counted.implies(first.size, second.size)
                    if condition is not None:
                        axioms.append((self._pair(first, second, False), both, condition))
                if other != position and first.parameters and _sorts(first) == _sorts(second):
                    axioms.append((self._mention(first, second), both, ""))
                if other >= position and both <= given and first.size == second.size:
                    for third_name, third_label, third in found:
                        condition = counted.meet_two(first.size, third.size)
                        if condition is not None and third_label == label and third_name in given:
                            axioms.append((self._three(first, second, third), both | {third_name}, condition))
        return axioms

    def _mention(self, first: Family, second: Family) -> Formula:
        """Where the solver considers one set, it shall consider the other with the same parameters.

        This says nothing (`considered` is a predicate that may always be true), but a lemma about the second set is
        instantiated only for terms that are there.
        """
        quorum = first.predicate(first.parameters)
        considered = z3.Function("considered", z3.BoolSort(), z3.BoolSort())
        return z3.ForAll(list(first.parameters), considered(second.predicate(first.parameters)), patterns=[quorum])

    def _full(self, family: Family) -> Formula:
        quorum = family.predicate(family.parameters)
        claim = z3.Implies(z3.ForAll([family.member], family.has(family.parameters)), quorum)
        return z3.ForAll(list(family.parameters), claim, patterns=[quorum]) if family.parameters else claim

    def _inhabited(self, family: Family) -> Formula:
        """A quorum of at least one has a member; for those of which two meet, that follows."""
        quorum = family.predicate(family.parameters)
        claim = z3.Implies(quorum, z3.Exists([family.member], family.has(family.parameters)))
        return z3.ForAll(list(family.parameters), claim, patterns=[quorum]) if family.parameters else claim

    def _pair(self, first: Family, second: Family, meet: bool) -> Formula:
        renamed = [z3.Const(f"q{term.decl().name()}", term.sort()) for term in second.parameters]
        here, there = first.has(first.parameters), second.has(renamed)
        left, right = first.predicate(first.parameters), second.predicate(renamed)
        if meet:
            claim = z3.Implies(z3.And(left, right), z3.Exists([first.member], z3.And(here, there)))
        else:
            claim = z3.Implies(z3.And(left, z3.ForAll([first.member], z3.Implies(here, there))), right)
        names = [*first.parameters, *renamed]
        if not names:
            return claim
        patterns = [pattern for pattern in (left, right) if pattern.num_args()]
        return z3.ForAll(names, claim, patterns=[z3.MultiPattern(*patterns)])

    def _three(self, first: Family, second: Family, third: Family) -> Formula:
        """Three quorums have a member in common."""
        sets = [
            (family, [z3.Const(f"q{which}{term.decl().name()}", term.sort()) for term in family.parameters])
            for which, family in enumerate((first, second, third))
        ]
        quorums = [family.predicate(names) for family, names in sets]
        common = z3.Exists([first.member], z3.And([family.has(names) for family, names in sets]))
        names = [name for _, own in sets for name in own]
        claim = z3.Implies(z3.And(quorums), common)
        patterns = [quorum for quorum in quorums if quorum.num_args()]
        return z3.ForAll(names, claim, patterns=[z3.MultiPattern(*patterns)]) if names else claim

    def _defined(
        self,
        node: Expr,
        env: Env,
        label: str,
        axiom: Callable[[Value, Callable[[Callable[[Value], Formula]], Formula]], Formula],
    ) -> Value:
        """A value that an axiom defines from what a comprehension yields; of values with the same definition there is
        one."""
        frozen = env.copy()
        probe = self.symbols.defined(node.type, f"probe of {label} of {printable(node.type)}", [])
        formula = self._some(node, frozen, lambda value: self.equal(value, probe))

        def make(name: str, parameters: list[Term]) -> Symbol:
            return lambda terms: self.symbols.defined(node.type, name, terms)

        known = len(self.families)
        family, actual = self.family(label, [formula], make)
        value = family.symbol(actual)
        if len(self.families) > known:
            fact = axiom(value, lambda claim: self._some(node, frozen, claim))
            if is_number(node.type):
                parts: list[Number] = []

                def seen(part: Value) -> Formula:
                    parts.append(as_number(part))
                    return self.true

                self._some(node, frozen, seen)
                self.symbols.observe(node.type, as_number(family.symbol(family.parameters)), parts)
            self.definitions.append(z3.ForAll(actual, fact) if actual else fact)
        return value

    def _yields(self, node: Expr, env: Env) -> Formula:
        """Whether a comprehension yields anything; notes its events."""
        return self._each(node, env.copy(), lambda inner: (self.value(node.args[0], inner), self.true)[1], False)

    def _extreme(self, node: Expr, env: Env, beyond: Callable[[Value, Value], Formula]) -> Value:
        some = self._yields(node, env)
        value = self._defined(
            node,
            env,
            node.op.value,
            lambda found, any_value: self.implies(
                any_value(lambda _: self.true),
                self.both(
                    [
                        any_value(lambda value: self.equal(value, found)),
                        self.negate(any_value(lambda value: beyond(value, found))),
                    ]
                ),
            ),
        )
        return self._or_default(node, env, some, value, f"{node.op.value} of nothing")

    def _or_default(self, node: Expr, env: Env, some: Formula, value: Value, why: str) -> Value:
        if len(node.args) == 2:
            with self.under(self.negate(some)):
                return self.select(some, value, self.value(node.args[1], env))
        self.stop("error", self.negate(some), why, node.location)
        return value

    def op_max_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, lambda value, found: self.less(found, value, node.type))

    def op_min_of(self, node: Expr, env: Env) -> Value:
        return self._extreme(node, env, lambda value, found: self.less(value, found, node.type))

    def op_the(self, node: Expr, env: Env) -> Value:
        frozen = env.copy()
        some = self._yields(node, env)
        several = self._some(
            node, frozen, lambda one: self._some(node, frozen, lambda other: self.negate(self.equal(one, other)))
        )
        self.stop("error", several, "the(...) finds two different values", node.location)
        value = self._defined(
            node,
            env,
            "the",
            lambda found, any_value: self.either(
                (
                    any_value(lambda one: any_value(lambda other: self.negate(self.equal(one, other)))),
                    self.negate(any_value(lambda value: self.negate(self.equal(value, found)))),
                )
            ),
        )
        return self._or_default(node, env, some, value, "the(...) finds no value")


def quorums_in(formula: Formula) -> tuple[set[str], set[str]]:
    """The names of the sets that a formula says are quorums, and of those that it says something about if they are:
    what stands under a negation."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    seen: set[tuple[int, bool]] = set()
    stack: list[tuple[Term, bool]] = [(formula, True)]
    while stack:
        term, positive = stack.pop()
        if (term.get_id(), positive) in seen:
            continue
        seen.add((term.get_id(), positive))
        if z3.is_quantifier(term):
            stack.append((term.body(), positive))
        elif z3.is_not(term):
            stack.append((term.arg(0), not positive))
        elif z3.is_and(term) or z3.is_or(term):
            stack.extend((part, positive) for part in term.children())
        elif z3.is_app(term):
            if term.decl().name().startswith(QUORUM):
                found[positive].add(term.decl().name())
            stack.extend((part, sign) for part in term.children() if z3.is_bool(part) for sign in (True, False))
    return found[True], found[False]


def _nameless(formula: Formula) -> str:
    """A formula as a text in which quantified names are numbered, so that it is the same however they are called."""
    found: dict[str, str] = {}
    stack, seen = list[Term]([formula]), set[int]()
    while stack:
        term = stack.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_quantifier(term):
            for position in range(term.num_vars()):
                found.setdefault(term.var_name(position), f"bound!{len(found)}")
            stack.append(term.body())
        else:
            stack.extend(reversed(term.children()))
    text = str(formula.sexpr())
    return re.sub(r"\|([^|]*)\||[^\s()|]+", lambda name: found.get(name[1] or name[0], name[0]), text)


def _sorts(family: Family) -> list[z3.SortRef]:
    return [term.sort() for term in family.parameters]
