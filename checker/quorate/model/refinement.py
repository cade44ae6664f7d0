"""A refinement as properties of the typed model, so that every engine judges it as it judges any step property.

The abstract state of the author's mapping is held by local names: those of `BEFORE` for the state before a step, those of `AFTER` for the
one after. Each abstract action becomes a function of both and of its arguments, which `TAKES` asks whether the action leads from
the one to the other; it has the action's body, in which the variables of the abstract specification are parameters. The claim is
that nothing has changed, or that some action is taken for some arguments; of an initial state, that @init can give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from quorate.errors import Location
from quorate.language.system import UNSET, Method, System
from quorate.language.types import BoolType, ListType, SetType, Type
from quorate.model import nodes as ir
from quorate.model.conversion import element_type
from quorate.model.nodes import Op
from quorate.model.rebuilding import rebuilt
from quorate.model.source import Source

BOOL = BoolType()
BEFORE, AFTER, ASIDE = "00", "01", "02"
"""What the names of the locals begin with that hold the abstract state, and of a mapping's own where they might be taken for those of a
property; no author's name and no temporary of the lowering does."""


@dataclass(frozen=True)
class Claims:
    """What a mapping claims of every step, and of initial states."""

    step: ir.Property
    beginning: ir.Property
    carried: Mapping[str, ir.Property]
    """What the specification that is refined promises of its runs, of these."""


@dataclass(frozen=True)
class Abstract:
    """The specification that is refined, with its own functions. A mapping's body has its variables as `STATE`, and the concrete
    ones as `OLD`."""

    system: System
    init: ir.Action | None
    actions: Sequence[ir.Action]
    functions: Mapping[str, ir.Function]
    promises: Sequence[ir.Property] = ()


class Refinement:
    """Writes the claims of one mapping; functions go to `made`, under a new `key` each."""

    def __init__(self, abstract: Abstract, made: dict[str, ir.Function], key: Callable[[str], str]) -> None:
        self.abstract, self.made, self.key = abstract, made, key
        self._kinds = {variable.name: variable.type for variable in abstract.system.variables}
        self._acting = _Moved(abstract.functions, made, key, self._kinds, BEFORE, Op.OLD)

    def claims(
        self, method: Method, source: Source, mapping: tuple[ir.Stmt, ...], carried: Mapping[str, Method]
    ) -> Claims:
        """The claims of a mapping with this body, which carries some properties of runs over. Raises OutsideSubset where it does not give
        every variable a value."""
        self._check(source, mapping)
        place = source.location(source.tree)
        before = _Moved(self.made, self.made, self.key, self._kinds, BEFORE, Op.OLD).body(mapping)
        after = _Moved(self.made, self.made, self.key, self._kinds, AFTER, Op.STATE).body(mapping)
        scopes = [ir.Scope(method.name, body, place) for body in (before, after)]
        unchanged = self._all_equal([self._local(BEFORE, name) for name in self._kinds], place)
        taken = [self._taken(action, place) for action in self.abstract.actions]
        step = ir.Return(ir.Expr(Op.OR, BOOL, (unchanged, *taken), None, place), place)
        return Claims(
            self._property(method, method.declaration.kind, (*scopes, step)),
            self._property(method, "invariant", (scopes[1], ir.Return(self._begun(place), place))),
            {
                one.name: self._carried(one, carried[one.name], scopes[1])
                for one in self.abstract.promises
                if one.name in carried
            },
        )

    def _carried(self, promise: ir.Property, method: Method, seen: ir.Scope) -> ir.Property:
        """A property of runs, asked of the abstract state. The locals of the mapping have names that no parameter has."""
        states = [(f"{AFTER}{name}", kind) for name, kind in self._kinds.items()]
        body = _Moved(self.abstract.functions, self.made, self.key, self._kinds, AFTER, Op.OLD).body(promise.body)
        result = next(part.value.type for part in ir.statements(body) if isinstance(part, ir.Return) and part.value)
        asked = ir.Function(self.key(promise.name), (*states, *promise.parameters), body, result)
        self.made[asked.key] = asked
        given = tuple(ir.Expr(Op.LOCAL, kind, (), name) for name, kind in asked.parameters)
        call = ir.Return(ir.Expr(Op.CALL, result, given, asked.key, seen.location), seen.location)
        found = self._property(method, promise.kind, (rebuilt(seen, _aside), call))
        return replace(found, parameters=promise.parameters)

    def _property(self, method: Method, kind: str, body: tuple[ir.Stmt, ...]) -> ir.Property:
        found = ir.reads(body, self.made) | ir.reads(body, self.made, old=True)
        return ir.Property(method.name, kind, method, (), body, found)

    def _check(self, source: Source, mapping: tuple[ir.Stmt, ...]) -> None:
        for statement in ir.statements(mapping):
            if isinstance(statement, ir.Require):
                raise source.error(source.tree, "`require` guards actions; a mapping says what each state is.")
        for name in self._kinds:
            if not ir.assigned_first(name, mapping, self.made):
                raise source.outside(
                    source.tree,
                    f"{source.tree.name} does not assign {name} of {self.abstract.system.name} as a whole, on every path and before "
                    f"it is read.",
                    f"Write `abstract.{name} = ...`, on a line that is in no `if` and no loop.",
                )

    # Expressions

    def _local(self, when: str, name: str) -> ir.Expr:
        return ir.Expr(Op.LOCAL, self._kinds[name], (), f"{when}{name}")

    def _all_equal(self, values: Iterable[ir.Expr], place: Location) -> ir.Expr:
        """That these are the abstract state after."""
        pairs = zip(values, self._kinds, strict=True)
        return ir.Expr(
            Op.AND,
            BOOL,
            tuple(ir.Expr(Op.EQ, BOOL, (value, self._local(AFTER, name)), None, place) for value, name in pairs),
            None,
            place,
        )

    def _begun(self, place: Location) -> ir.Expr:
        """That the abstract state after is an initial one. What @init assigns before anything reads it may be anything before."""
        zeros = zip(self._kinds.items(), self.abstract.system.zero(before_init=True), strict=True)
        start = [
            self._local(AFTER, name) if zero is UNSET else ir.Expr(Op.CONST, kind, (), zero)
            for (name, kind), zero in zeros
        ]
        if self.abstract.init is None:
            return self._all_equal(start, place)
        return self._taken(self.abstract.init, place, start)

    def _taken(self, action: ir.Action, place: Location, start: Sequence[ir.Expr] | None = None) -> ir.Expr:
        """That an action leads from the abstract state before to the one after, for some arguments."""
        states = [(f"{when}{name}", kind) for when in (BEFORE, AFTER) for name, kind in self._kinds.items()]
        held = [ir.Expr(Op.LOCAL, kind, (), name) for name, kind in states]
        ended = self._all_equal(held[: len(self._kinds)], place)
        body = (ir.Scope(action.name, self._acting.body(action.body)), ir.Return(ended, place))
        leads = ir.Function(self.key(f"{action.name}_leads"), (*states, *action.parameters), body, BOOL, partial=True)
        self.made[leads.key] = leads
        clauses, arguments = self._ranges(action)
        claim = ir.Expr(Op.TAKES, BOOL, (*held, *arguments), leads.key, place)
        if clauses:
            claim = ir.Expr(Op.ANY, BOOL, (claim,), tuple(clauses), place)
        some = ir.Function(self.key(f"{action.name}_happens"), tuple(states), (ir.Return(claim, place),), BOOL)
        self.made[some.key] = some
        given = (*(held[: len(self._kinds)] if start is None else start), *held[len(self._kinds) :])
        return ir.Expr(Op.CALL, BOOL, given, some.key, place)

    def _ranges(self, action: ir.Action) -> tuple[list[ir.Clause], list[ir.Expr]]:
        """The clauses that give an action its arguments, and those. Only from collections of their very type they are taken: the
        guards decide anyway."""
        clauses: list[ir.Clause] = []
        arguments = []
        for (name, kind), source in zip(action.parameters, action.ranges, strict=True):
            element = ir.Expr(Op.LOCAL, kind, (), name)
            arguments.append(element)
            held = None if source is None else element_type(source.type)
            if source is not None and held == kind:
                clauses.append(ir.For(name, kind, self._acting.expression(source), isinstance(source.type, ListType)))
            else:
                domain = ir.Expr(Op.DOMAIN, SetType(kind, None, ""))
                clauses.append(ir.For(name, kind, domain, not kind.scalarsets))
        return clauses, arguments


def _aside(node: Any) -> Any:
    """A node of a mapping whose own locals have names that begin with `ASIDE`."""

    def named(name: str) -> str:
        return name if name.startswith(AFTER) else f"{ASIDE}{name}"

    match node:
        case ir.Expr(op=Op.LOCAL, data=name):
            return replace(node, data=named(name))
        case ir.For(name=name) | ir.Loop(name=name):
            return replace(node, name=named(name))
        case ir.Place(root=root, state=False):
            return replace(node, root=named(root))
    return node


@dataclass
class _Moved:
    """Moves bodies to where the variables of `kinds`, their `STATE`, are local names that begin with `when`, and `OLD` is `old`.
    Functions that read a variable get it as a parameter."""

    functions: Mapping[str, ir.Function]
    made: dict[str, ir.Function]
    key: Callable[[str], str]
    kinds: Mapping[str, Type]
    when: str
    old: Op
    _known: dict[str, tuple[str, tuple[ir.Expr, ...]]] = field(default_factory=dict)

    def _local(self, name: str) -> ir.Expr:
        return ir.Expr(Op.LOCAL, self.kinds[name], (), f"{self.when}{name}")

    def expression(self, node: ir.Expr) -> ir.Expr:
        """An expression, moved."""
        if node.op is Op.STATE:
            return replace(self._local(node.data), location=node.location)
        if node.op is Op.OLD:
            return replace(node, op=self.old)
        clauses = tuple(
            replace(clause, source=self.expression(clause.source))
            if isinstance(clause, ir.For)
            else ir.Where(self.expression(clause.condition))
            for clause in node.clauses
        )
        args, data = tuple(map(self.expression, node.args)), clauses or node.data
        if node.op in ir.CALLS:
            data, read = self._function(node.data)
            args = (*read, *args)
        return replace(node, args=args, data=data)

    def _function(self, key: str) -> tuple[str, tuple[ir.Expr, ...]]:
        """What a function is called there, and the variables that it wants before its arguments."""
        if key not in self._known:
            function = self.functions[key]
            wanted = ir.reads(function.body, dict(self.functions))
            read = tuple(self._local(name) for name in self.kinds if name in wanted)
            old = ir.reads(function.body, dict(self.functions), old=True)
            if self.functions is self.made and not (wanted or (old and self.old is not Op.OLD)):
                self._known[key] = key, ()
            else:
                body = self.body(function.body)  # What it calls stands before it.
                parameters = (*((part.data, part.type) for part in read), *function.parameters)
                moved = self.key(key)
                self.made[moved] = replace(function, key=moved, parameters=parameters, body=body)
                self._known[key] = moved, read
        return self._known[key]

    def body(self, body: tuple[ir.Stmt, ...]) -> tuple[ir.Stmt, ...]:
        """Statements, moved."""
        return tuple(map(self._statement, body))

    def _place(self, place: ir.Place) -> ir.Place:
        selectors = tuple(map(self.expression, place.selectors))
        root = f"{self.when}{place.root}" if place.state else place.root
        return replace(place, root=root, state=False, selectors=selectors)

    def _statement(self, statement: ir.Stmt) -> ir.Stmt:
        match statement:
            case ir.Assign(target=target, value=value):
                return replace(statement, target=self._place(target), value=self.expression(value))
            case ir.Mutate(target=target, args=args):
                return replace(statement, target=self._place(target), args=tuple(map(self.expression, args)))
            case ir.Require(condition=condition) | ir.Within(condition=condition) | ir.Assert(condition=condition):
                return replace(statement, condition=self.expression(condition))
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                found = self.expression(condition)
                return replace(statement, condition=found, then=self.body(then), otherwise=self.body(otherwise))
            case ir.Loop(source=source, body=inner):
                return replace(statement, source=self.expression(source), body=self.body(inner))
            case ir.Scope(body=inner):
                return replace(statement, body=self.body(inner))
            case ir.Return(value=value):
                return replace(statement, value=None if value is None else self.expression(value))
            case ir.Continue() | ir.Break():
                return statement
            case _:
                assert_never(statement)
