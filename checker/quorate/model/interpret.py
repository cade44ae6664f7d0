"""The meaning of the typed model, as short as it can be said: an interpreter over frozen values.

Tests compare it with CPython's run of the same class; engine writers read it as the definition of every operator. It
is no engine: it favours being obvious over being fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, assert_never

from quorate.errors import SpecError
from quorate.language.containers import FrozenList, Log
from quorate.language.control import Cut
from quorate.language.functions import linearizable
from quorate.language.system import State
from quorate.language.types import (
    IdentityType,
    ListType,
    MapType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op


class ModelError(SpecError):
    """The model's run meets an error in the spec, as CPython's run would."""


class _Disabled(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Continue(Exception):
    pass


class _Break(Exception):
    pass


class Run:
    """One execution: the state's variables (replaced, never changed), the state before, and the locals of the current
    body.
    """

    def __init__(
        self, model: ir.Model, state: dict[str, Any], old: dict[str, Any] | None, local: dict[str, Any]
    ) -> None:
        self.model, self.state, self.old, self.local = model, state, old, local

    # Expressions

    def value(self, node: ir.Expr) -> Any:
        """The value of an expression."""
        return EVALUATE[node.op](self, node)

    def all(self, nodes: Iterable[ir.Expr]) -> list[Any]:
        """The values of several expressions, left to right."""
        return [self.value(node) for node in nodes]

    def yielded(self, node: ir.Expr) -> Iterator[Any]:
        """The values that a comprehension's body takes."""
        saved = dict(self.local)
        yield from self._clauses(node, 0)
        self.local = saved

    def _clauses(self, node: ir.Expr, position: int) -> Iterator[Any]:
        if position == len(node.clauses):
            yield self.value(node.args[0])
            return
        clause = node.clauses[position]
        if not isinstance(clause, ir.For):
            if self.value(clause.condition):
                yield from self._clauses(node, position + 1)
            return
        for element in elements(self.value(clause.source), clause.source.type):
            self.local[clause.name] = element
            yield from self._clauses(node, position + 1)

    def call(self, function: ir.Function, arguments: Iterable[Any]) -> Any:
        """The result of a pure function."""
        inner = self.inside(dict(zip((name for name, _ in function.parameters), arguments, strict=True)))
        return inner.returned(function.body)

    def inside(self, local: dict[str, Any]) -> Run:
        """The run of a function that is called here, with these locals."""
        return Run(self.model, self.state, self.old, local)

    def returned(self, body: tuple[ir.Stmt, ...]) -> Any:
        """What a body returns; None if it ends by itself."""
        try:
            self.execute(body)
        except _Return as result:
            return result.value
        return None

    # Statements

    def execute(self, body: tuple[ir.Stmt, ...]) -> None:
        """Run statements in order."""
        for statement in body:
            self.statement(statement)

    def statement(self, statement: ir.Stmt) -> None:
        """Run one statement."""
        match statement:
            case ir.Assign(target=target, value=value):
                self._put(target, self.value(value))
            case ir.Mutate():
                self._mutate(statement)
            case ir.Require(condition=condition):
                if not self.value(condition):
                    raise _Disabled
            case ir.Within(constraint=constraint, condition=condition):
                try:
                    within = self.value(condition)
                except Cut as cut:
                    raise ModelError(
                        f"{constraint}: a value passes the bound {cut.bound}, which only an action may do."
                    ) from None
                if not within:
                    raise Cut(constraint)
            case ir.Assert(condition=condition):
                if not self.value(condition):
                    raise ModelError("An assert is false.", statement.location)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                self.execute(then if self.value(condition) else otherwise)
            case ir.Loop():
                self._loop(statement)
            case ir.Scope(body=body):
                self.returned(body)
            case ir.Return(value=result):
                raise _Return(None if result is None else self.value(result))
            case ir.Continue():
                raise _Continue
            case ir.Break():
                raise _Break
            case _:
                assert_never(statement)

    def _loop(self, loop: ir.Loop) -> None:
        for element in list(elements(self.value(loop.source), loop.source.type)):
            self.local[loop.name] = element
            try:
                self.execute(loop.body)
            except _Continue:
                continue
            except _Break:
                break

    def _put(self, target: ir.Place, value: Any) -> None:
        """Replace what a place holds, building new containers on the way down to it."""
        holder = self.state if target.state else self.local
        keys = self.all(target.selectors)
        holder[target.root] = _replaced(holder.get(target.root), target.types, keys, value)

    def _mutate(self, statement: ir.Mutate) -> None:
        target = statement.target
        whole = (self.state if target.state else self.local)[target.root]
        for key, kind in zip(self.all(target.selectors), target.types, strict=False):
            whole = _at(whole, kind, key)
        kind = target.type
        if statement.change is Change.CLEAR:
            self._put(target, kind.zero())
            return
        draft = kind.thaw(whole, Log())
        try:
            method = getattr(draft, statement.change.value)
            method(*self.all(statement.args))
        except (KeyError, IndexError) as error:
            raise ModelError(
                f".{statement.change}() of an element that is not there: {error}", statement.location
            ) from None
        self._put(target, kind.freeze(draft))


def _replaced(whole: Any, types: tuple[Type, ...], keys: list[Any], value: Any) -> Any:
    if not keys:
        return value
    inner = _replaced(_at(whole, types[0], keys[0]), types[1:], keys[1:], value)
    if isinstance(kind := types[0], MapType):
        return kind.of(inner if key == keys[0] else old for key, old in zip(kind.keys, kind.parts(whole), strict=True))
    copy = list(whole)
    copy[keys[0]] = inner
    return FrozenList(copy)


def _at(whole: Any, kind: Type, key: Any) -> Any:
    try:
        return kind.at(whole, key) if isinstance(kind, MapType) else whole[key]
    except (KeyError, IndexError):
        raise ModelError(f"{key!r} is no {'key' if isinstance(kind, MapType) else 'index'} of {whole!r}.") from None


def elements(whole: Any, kind: Type) -> Iterator[Any]:
    """What a loop over a value yields; canonical order for sets and networks."""
    if isinstance(kind, SetType):
        return iter(sorted(whole, key=kind.element.encode))
    return iter(whole)


def _of_type(values: Iterable[Any], kind: Type) -> Iterator[Any]:
    """Those that are values of a type: numbers may be out of its range."""
    for value in values:
        if kind.accepts(value):
            try:
                yield kind.check(value)
            except (Cut, SpecError):
                continue


def _set(values: Iterable[Any], kind: Type) -> Any:
    assert isinstance(kind, SetType)
    return kind._frozen(values)


def _coerced(value: Any, have: Type, want: Type) -> Any:
    """A value in the containers of a wider type; nothing is checked."""
    if isinstance(want, SetType):
        return want._frozen(value)
    if isinstance(want, ListType):
        return FrozenList(value)
    return value


def _narrowed(node: ir.Expr, value: Any) -> Any:
    if not _belongs(value, node.type):
        raise ModelError(f"{value!r} is not a {node.type} here.", node.location)
    return value


def _belongs(value: Any, kind: Type) -> bool:
    if isinstance(kind, UnionType):
        return any(_belongs(value, part) for part in kind.kinds)
    if isinstance(kind, TupleType):
        return isinstance(value, tuple) and len(value) == len(kind.kinds)
    return kind.accepts(value)


def _compare(node: ir.Expr, left: Any, right: Any) -> bool:
    return bool(left < right if node.op is Op.LT else left <= right)


def _index(run: Run, node: ir.Expr) -> Any:
    whole, position = run.all(node.args)
    try:
        return whole[position]
    except IndexError:
        raise ModelError(f"The list has {len(whole)} elements; there is no index {position}.", node.location) from None


def _lookup(run: Run, node: ir.Expr) -> Any:
    whole, key = run.all(node.args)
    kind = node.args[0].type
    assert isinstance(kind, MapType)
    try:
        return kind.at(whole, key)
    except KeyError:
        raise ModelError(f"{key!r} is no key of this map.", node.location) from None


def _divided(run: Run, node: ir.Expr) -> Any:
    left, right = run.all(node.args)
    if right == 0:
        raise ModelError("Division by zero.", node.location)
    return left // right if node.op is Op.DIV else left % right


def _fit(run: Run, node: ir.Expr) -> Any:
    value = run.value(node.args[0])
    if isinstance(node.type, UnionType) and not node.type.accepts(value):
        raise ModelError(f"{value!r} is not a {node.type}.", node.location)
    return node.type.check(value)


def _extreme(run: Run, node: ir.Expr) -> Any:
    values = list(run.yielded(node))
    if values:
        return min(values) if node.op is Op.MIN_OF else max(values)
    if len(node.args) == 2:
        return run.value(node.args[1])
    raise ModelError(f"{'min' if node.op is Op.MIN_OF else 'max'} of nothing.", node.location)


def _the(run: Run, node: ir.Expr) -> Any:
    found: list[Any] = []
    for value in run.yielded(node):
        if found and found[0] != value:
            raise ModelError(f"the(...) finds two different values, {found[0]!r} and {value!r}.", node.location)
        found.append(value)
    if found:
        return found[0]
    if len(node.args) == 2:
        return run.value(node.args[1])
    raise ModelError("the(...) finds no value.", node.location)


def _map_of(run: Run, node: ir.Expr) -> Any:
    assert isinstance(node.type, MapType)
    return node.type.of(run.yielded(node))


def _majority(run: Run, node: ir.Expr) -> bool:
    assert isinstance(node.data, IdentityType)
    return 2 * len(run.value(node.args[0])) > node.data.size


def _takes(run: Run, node: ir.Expr) -> bool:
    arguments = run.all(node.args)
    try:
        return bool(run.call(run.model.functions[node.data], arguments))
    except (_Disabled, Cut):
        return False


def _possible(run: Run, node: ir.Expr) -> bool:
    arguments = run.all(node.args)
    try:
        return bool(run.call(run.model.functions[node.data], arguments))
    except _Disabled:
        return False
    except Cut:
        return True


def _linearizable(run: Run, node: ir.Expr) -> bool:
    history, initial = run.all(node.args)
    function = run.model.functions[node.data]
    return linearizable(history, lambda state, event: run.call(function, (state, event)), initial)


def _member(run: Run, node: ir.Expr) -> bool:
    element, whole = run.all(node.args)
    return element in whole


def _binary(compute: Callable[[Any, Any], Any]) -> Callable[[Run, ir.Expr], Any]:
    return lambda run, node: compute(*run.all(node.args))


def _numbered(run: Run, node: ir.Expr) -> Any:
    """MEMBER."""
    number = run.value(node.args[0])
    if not 0 <= number < node.type.cardinality:
        raise ModelError(f"{node.type} has no member number {number}.", node.location)
    return node.type.decode(number)


EVALUATE: dict[Op, Callable[[Run, ir.Expr], Any]] = {
    Op.CONST: lambda run, node: node.data,
    Op.STATE: lambda run, node: run.state[node.data],
    Op.OLD: lambda run, node: run.old[node.data] if run.old is not None else None,
    Op.LOCAL: lambda run, node: run.local[node.data],
    Op.DOMAIN: lambda run, node: _set(node.type.children()[0].values(), node.type),
    Op.RANGE: _binary(lambda low, high: FrozenList(range(low, high))),
    Op.FIELD: lambda run, node: getattr(run.value(node.args[0]), node.data),
    Op.COMPONENT: lambda run, node: run.value(node.args[0])[node.data],
    Op.LOOKUP: _lookup,
    Op.INDEX: _index,
    Op.QUEUE: lambda run, node: run.value(node.args[0]).queue(*run.all(node.args[1:])),
    Op.SLICE: lambda run, node: FrozenList(run.value(node.args[0])[run.value(node.args[1]) : run.value(node.args[2])]),
    Op.RECORD: lambda run, node: node.type.sort(*run.all(node.args)),
    Op.TUPLE: lambda run, node: tuple(run.all(node.args)),
    Op.SET: lambda run, node: _set(run.all(node.args), node.type),
    Op.LIST: lambda run, node: FrozenList(run.all(node.args)),
    Op.ADD: _binary(lambda left, right: left + right),
    Op.SUB: _binary(lambda left, right: left - right),
    Op.MUL: _binary(lambda left, right: left * right),
    Op.DIV: _divided,
    Op.MOD: _divided,
    Op.NEG: lambda run, node: -run.value(node.args[0]),
    Op.ABS: lambda run, node: abs(run.value(node.args[0])),
    Op.POSITION: lambda run, node: run.value(node.args[0]).index,
    Op.MEMBER: _numbered,
    Op.MIN: _binary(min),
    Op.MAX: _binary(max),
    Op.EQ: _binary(lambda left, right: left == right),
    Op.LT: lambda run, node: _compare(node, *run.all(node.args)),
    Op.LE: lambda run, node: _compare(node, *run.all(node.args)),
    Op.AND: lambda run, node: all(run.value(part) for part in node.args),
    Op.OR: lambda run, node: any(run.value(part) for part in node.args),
    Op.NOT: lambda run, node: not run.value(node.args[0]),
    Op.IF: lambda run, node: run.value(node.args[1] if run.value(node.args[0]) else node.args[2]),
    Op.IN: _member,
    Op.SUBSET: _binary(lambda left, right: left <= right),
    Op.UNION: lambda run, node: _set(frozenset.union(*run.all(node.args)), node.type),
    Op.INTERSECT: lambda run, node: _set(frozenset.intersection(*run.all(node.args)), node.type),
    Op.DIFFERENCE: lambda run, node: _set(frozenset.difference(*run.all(node.args)), node.type),
    Op.LEN: lambda run, node: len(run.value(node.args[0])),
    Op.CONCAT: _binary(lambda left, right: FrozenList([*left, *right])),
    Op.SORTED: lambda run, node: FrozenList(sorted(run.value(node.args[0]), reverse=bool(node.data))),
    Op.COERCE: lambda run, node: _coerced(run.value(node.args[0]), node.args[0].type, node.type),
    Op.FIT: _fit,
    Op.NARROW: lambda run, node: _narrowed(node, run.value(node.args[0])),
    Op.IS: lambda run, node: any(_belongs(run.value(node.args[0]), kind) for kind in node.data),
    Op.ALL: lambda run, node: all(run.yielded(node)),
    Op.ANY: lambda run, node: any(run.yielded(node)),
    Op.SUM: lambda run, node: sum(run.yielded(node)),
    Op.MIN_OF: _extreme,
    Op.MAX_OF: _extreme,
    Op.THE: _the,
    Op.SET_OF: lambda run, node: _set(run.yielded(node), node.type),
    Op.LIST_OF: lambda run, node: FrozenList(run.yielded(node)),
    Op.MAP_OF: _map_of,
    Op.MAJORITY: _majority,
    Op.QUORUM: _binary(lambda members, size: len(members) >= size),
    Op.CALL: lambda run, node: run.call(run.model.functions[node.data], run.all(node.args)),
    Op.TAKES: _takes,
    Op.POSSIBLE: _possible,
    Op.LINEARIZABLE: _linearizable,
}


class Interpreter:
    """Runs actions and properties of a model on the states of its system (use it inside `with model.system`)."""

    def __init__(self, model: ir.Model) -> None:
        self.model = model
        self._names = [variable.name for variable in model.variables]

    def run(self, state: dict[str, Any], old: dict[str, Any] | None, local: dict[str, Any]) -> Run:
        """An execution that begins."""
        return Run(self.model, state, old, local)

    def _variables(self, state: State) -> dict[str, Any]:
        return dict(zip(self._names, state, strict=True))

    def fire(self, state: State, action: ir.Action, arguments: tuple[Any, ...]) -> State | None:
        """The next state, or None if the action is disabled. Raises Cut, or ModelError for an error in the spec."""
        local = dict(zip((name for name, _ in action.parameters), arguments, strict=True))
        run = self.run(self._variables(state), self._variables(state), local)
        try:
            run.returned(action.body)
        except _Disabled:
            return None
        return tuple(run.state[name] for name in self._names)

    def evaluate(self, prop: ir.Property, state: State, arguments: tuple[Any, ...], old: State | None = None) -> Any:
        """The value of a property. Raises ModelError for an error in the spec, a cut included."""
        local = dict(zip((name for name, _ in prop.parameters), arguments, strict=True))
        before = None if old is None else self._variables(old)
        try:
            return self.run(self._variables(state), before, local).returned(prop.body)
        except Cut as cut:
            raise ModelError(
                f"{prop.name}: a value passes the bound {cut.bound}, which only an action may do."
            ) from None

    def choices(self, state: State, action: ir.Action) -> Iterator[tuple[Any, ...]]:
        """The arguments to try: each parameter ranges over its type, or over the collection that its range names."""
        yield from self._choices(Run(self.model, self._variables(state), None, {}), action, 0, ())

    def _choices(
        self, run: Run, action: ir.Action, position: int, chosen: tuple[Any, ...]
    ) -> Iterator[tuple[Any, ...]]:
        if position == len(action.parameters):
            yield chosen
            return
        name, kind = action.parameters[position]
        source = action.ranges[position]
        values: Iterable[Any] = kind.values()
        if source is not None:
            values = sorted(set(_of_type(elements(run.value(source), source.type), kind)), key=kind.encode)
        for value in values:
            run.local[name] = value
            yield from self._choices(run, action, position + 1, (*chosen, value))
