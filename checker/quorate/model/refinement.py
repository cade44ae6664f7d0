"""A refinement as properties of the typed model, so that every engine judges it as it judges any step property.

The abstract state of the author's mapping is held by local names: those of `BEFORE` for the state before a step, those of `AFTER` for the
one after. Each abstract action becomes a function of both and of its arguments, which `TAKES` asks whether the action leads from
the one to the other; it has the action's body, in which the variables of the abstract specification are parameters. The claim is
that nothing has changed, or that some action is taken for some arguments; of an initial state, that @init can give it.

That fair runs are fair to an abstract action is a property of runs for each demand: it is fulfilled by a state where no instance that
serves it is `POSSIBLE`, and by a step that one of them takes, an ending of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from quorate.errors import Location
from quorate.language.declarations import FAIR
from quorate.language.methods import kept_positions
from quorate.language.system import UNSET, Method, System
from quorate.language.types import BoolType, ListType, SetType, Type
from quorate.model import nodes as ir
from quorate.model.comprehensions import rounds
from quorate.model.conversion import element_type
from quorate.model.integers import IntType
from quorate.model.nodes import Op
from quorate.model.ranges import summed
from quorate.model.rebuilding import rebuilt
from quorate.model.source import Source

Parameters = tuple[tuple[str, Type], ...]

BOOL = BoolType()
BIT = IntType(0, 1)
ZERO, ONE = (ir.Expr(Op.CONST, BIT, (), number) for number in (0, 1))
BEFORE, AFTER, ASIDE = "00", "01", "02"
"""What the names of the locals begin with that hold the abstract state, and of a mapping's own where they might be taken for those of a
property; no author's name and no temporary of the lowering does."""


@dataclass(frozen=True)
class Claims:
    """What a mapping claims of every step, and of initial states."""

    step: ir.Property
    beginning: ir.Property
    carried: Mapping[str, ir.Property]
    """What the specification that is refined promises of its runs, and that these are fair there, of these."""
    endings: tuple[ir.Property, ...]


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
        self._before = tuple((f"{BEFORE}{name}", kind) for name, kind in self._kinds.items())
        self._after = tuple((f"{AFTER}{name}", kind) for name, kind in self._kinds.items())
        self._leading: dict[str, str] = {}

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
        claim = self._property(method, method.declaration.kind, (*scopes, step))
        beginning = self._property(method, "invariant", (scopes[1], ir.Return(self._begun(place), place)))
        promised = {
            one.name: self._carried(one, carried[one.name], scopes[1])
            for one in self.abstract.promises
            if one.name in carried
        }
        endings = []
        for action in self.abstract.actions:
            claimed = carried.get(FAIR.format(action.name))
            if claimed is not None and claimed.taken is not None:
                promised[claimed.name] = self._not_demanded(action, claimed, scopes[1])
                endings.append(self._served(action, claimed, scopes))
        return Claims(claim, beginning, promised, tuple(endings))

    def _carried(self, promise: ir.Property, method: Method, seen: ir.Scope) -> ir.Property:
        """A property of runs, asked of the abstract state."""
        body = _Moved(self.abstract.functions, self.made, self.key, self._kinds, AFTER, Op.OLD).body(promise.body)
        result = next(part.value.type for part in ir.statements(body) if isinstance(part, ir.Return) and part.value)
        asked = ir.Function(self.key(promise.name), (*self._after, *promise.parameters), body, result)
        return self._asked(asked, self._after, method, promise.kind, [seen])

    def _not_demanded(self, action: ir.Action, method: Method, seen: ir.Scope) -> ir.Property:
        """That no instance which serves a demand of a fair abstract action is possible in the abstract state. An error in any of them is
        one, so all are asked."""
        place, served = seen.location, self._demand(action)
        moved = ir.Expr(Op.NOT, BOOL, (self._all_equal(_locals(self._before), place),), None, place)
        body = (ir.Scope(action.name, self._acting.body(action.body)), ir.Return(moved, place))
        moves = (*self._before, *self._after, *action.parameters)
        leaves = ir.Function(self.key(f"{action.name}_leaves"), moves, body, BOOL, partial=True)
        self.made[leaves.key] = leaves
        given = (*_locals(self._before), *_locals(self._before), *served.arguments)
        possible = self._all(ir.Expr(Op.POSSIBLE, BOOL, given, leaves.key, place), *served.condition)
        if served.clauses:
            kind = summed(BIT, rounds(served.clauses))
            counted = ir.Expr(Op.IF, BIT, (possible, ONE, ZERO), None, place)
            number = ir.Expr(Op.SUM, kind, (counted,), served.clauses, place)
            claim = ir.Expr(Op.EQ, BOOL, (number, ZERO), None, place)
        else:
            claim = ir.Expr(Op.NOT, BOOL, (possible,), None, place)
        key = self.key(f"{action.name}_impossible")
        asked = ir.Function(key, (*self._before, *served.parameters), (ir.Return(claim, place),), BOOL)
        return self._asked(asked, self._after, method, method.declaration.kind, [seen])

    def _served(self, action: ir.Action, method: Method, seen: Sequence[ir.Scope]) -> ir.Property:
        """That a step changes the abstract state as an instance does which serves a demand of a fair abstract action."""
        place, served = seen[1].location, self._demand(action)
        states = (*self._before, *self._after)
        given = (*_locals(states), *served.arguments)
        taken = self._all(ir.Expr(Op.TAKES, BOOL, given, self._leads(action, place), place), *served.condition)
        if served.clauses:
            taken = ir.Expr(Op.ANY, BOOL, (taken,), served.clauses, place)
        moved = ir.Expr(Op.NOT, BOOL, (self._all_equal(_locals(self._before), place),), None, place)
        claim = ir.Return(self._all(moved, taken), place)
        asked = ir.Function(self.key(f"{action.name}_is_taken"), (*states, *served.parameters), (claim,), BOOL)
        return self._asked(asked, states, method, "step", seen)

    def _asked(
        self, function: ir.Function, states: Parameters, method: Method, kind: str, seen: Sequence[ir.Scope]
    ) -> ir.Property:
        """A property that is what a function of abstract states, and of its own parameters, says. The locals of the mapping have names
        that no parameter has."""
        self.made[function.key] = function
        place, parameters = seen[0].location, function.parameters[len(states) :]
        given = _locals((*states, *parameters))
        call = ir.Return(ir.Expr(Op.CALL, function.result, given, function.key, place), place)
        found = self._property(method, kind, (*(rebuilt(scope, _aside) for scope in seen), call))
        return replace(found, parameters=parameters)

    def _demand(self, action: ir.Action) -> _Demand:
        """The instances of a fair abstract action that serve a demand."""
        kept = kept_positions(action.method)
        clauses, arguments = self._ranges(action)
        return _Demand(
            tuple(action.parameters[position] for position in kept),
            tuple(clause for position, clause in enumerate(clauses) if position not in kept),
            tuple(arguments),
            () if action.fair_if is None else (self._fair_if(action.fair_if),),
        )

    def _fair_if(self, condition: ir.Function) -> ir.Expr:
        """Where the instances of an abstract action are fair, of the abstract state before."""
        parameters = (*self._before, *condition.parameters)
        body = self._acting.body(condition.body)
        function = replace(condition, key=self.key(condition.key), parameters=parameters, body=body)
        self.made[function.key] = function
        return ir.Expr(Op.CALL, BOOL, _locals(parameters), function.key)

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

    def _all(self, *conditions: ir.Expr) -> ir.Expr:
        return (
            conditions[0] if len(conditions) == 1 else ir.Expr(Op.AND, BOOL, conditions, None, conditions[0].location)
        )

    def _all_equal(self, values: Iterable[ir.Expr], place: Location | None) -> ir.Expr:
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
        states = (*self._before, *self._after)
        clauses, arguments = self._ranges(action)
        claim = ir.Expr(Op.TAKES, BOOL, (*_locals(states), *arguments), self._leads(action, place), place)
        if clauses:
            claim = ir.Expr(Op.ANY, BOOL, (claim,), tuple(clauses), place)
        some = ir.Function(self.key(f"{action.name}_happens"), states, (ir.Return(claim, place),), BOOL)
        self.made[some.key] = some
        given = (*(_locals(self._before) if start is None else start), *_locals(self._after))
        return ir.Expr(Op.CALL, BOOL, given, some.key, place)

    def _leads(self, action: ir.Action, place: Location | None) -> str:
        """The function that says whether an action leads from the abstract state before to the one after."""
        if action.name not in self._leading:
            ended = self._all_equal(_locals(self._before), place)
            body = (ir.Scope(action.name, self._acting.body(action.body)), ir.Return(ended, place))
            parameters = (*self._before, *self._after, *action.parameters)
            leads = ir.Function(self.key(f"{action.name}_leads"), parameters, body, BOOL, partial=True)
            self.made[leads.key] = leads
            self._leading[action.name] = leads.key
        return self._leading[action.name]

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


@dataclass(frozen=True)
class _Demand:
    """The instances of an abstract action that serve a demand, which the `parameters` tell from others: for all of what the `clauses` give,
    those with these `arguments`, where the `condition` is true, if there is one."""

    parameters: Parameters
    clauses: tuple[ir.Clause, ...]
    arguments: tuple[ir.Expr, ...]
    condition: tuple[ir.Expr, ...]


def _locals(parameters: Parameters) -> tuple[ir.Expr, ...]:
    return tuple(ir.Expr(Op.LOCAL, kind, (), name) for name, kind in parameters)


def _aside(node: Any) -> Any:
    """A node of a mapping whose own locals have names that begin with `ASIDE`."""

    def named(name: str) -> str:
        return name if name.startswith((BEFORE, AFTER)) else f"{ASIDE}{name}"

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
