"""Symbolic execution of the typed model with merging of paths: one formula per place, whatever the number of paths.

A `Machine` runs the statements and expressions of `quorate.model.nodes` over symbolic values. It knows control flow,
records, unions and calls; what a number, a set, a map or a list is, and how a loop goes round, is said by its two
heirs: `fixed.execution.Fixed` (every value is one of finitely many) and `anysize.execution.AnySize` (maps are functions, sets predicates,
loops quantifiers).

Where the interpreter raises, the machine notes an `Event`: the condition under which this point stops the run. The
events stand in the order of execution, so the first one that is true is what happens. A run that no event stops is a
transition.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Generic, assert_never

from quorate.errors import Location
from quorate.language.types import (
    RecordType,
    Type,
)
from quorate.model import nodes as ir
from quorate.model.nodes import Change, Op
from quorate.prove.encode.values import ABSENT, Cond, Event, Part, Union, Value, Values, class_key, parts_of
from quorate.prove.solvers.sat import Undecided

STORING = frozenset({Change.ADD, Change.SEND, Change.APPEND})
"""Changes that put in what they are given; others look for it."""


@dataclass
class Env(Generic[Cond, Part]):
    """What a body sees: state variables, those before the step, and local names."""

    state: dict[str, Value[Cond, Part]]
    old: dict[str, Value[Cond, Part]] | None
    local: dict[str, Value[Cond, Part]] = field(default_factory=dict)

    def copy(self) -> Env[Cond, Part]:
        return Env(dict(self.state), self.old, dict(self.local))


@dataclass(frozen=True)
class Exits(Generic[Cond, Part]):
    """How a block ends, relative to its start: the conditions are exclusive and exhaustive unless an event stops the
    run."""

    go: Cond
    returned: Cond
    continued: Cond
    broken: Cond
    value: Value[Cond, Part] = ABSENT


@dataclass(frozen=True)
class Transition(Generic[Cond, Part]):
    """An action as formulas over the state before and the arguments: the state after, and what stops it."""

    action: ir.Action
    after: dict[str, Value[Cond, Part]]
    events: tuple[Event[Cond], ...]


class Machine(Values[Cond, Part]):
    """Runs bodies over symbolic values. Raises Undecided where it would go on after the `deadline`, a time of `time.monotonic`: formulas
    can be too many to be written, before a solver is asked anything."""

    def __init__(self, model: ir.Model) -> None:
        super().__init__(model)
        self.deadline = inf
        self._table: dict[Op, Callable[[ir.Expr, Env[Cond, Part]], Value[Cond, Part]]] = {
            op: getattr(self, f"op_{op.value}") for op in Op
        }

    def stateless(self, parameters: Sequence[tuple[str, Type]], values: Sequence[Value[Cond, Part]]) -> Env[Cond, Part]:
        """What an expression sees that reads no state."""
        return Env({}, None, dict(zip((name for name, _ in parameters), values, strict=True)))

    # Expressions

    def value(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        """The value of an expression."""
        if monotonic() > self.deadline:
            raise Undecided("no time is left to write the formulas")
        return self._table[node.op](node, env)

    def values(self, nodes: Sequence[ir.Expr], env: Env[Cond, Part]) -> list[Value[Cond, Part]]:
        """The values of several expressions, left to right."""
        return [self.value(node, env) for node in nodes]

    def condition(self, node: ir.Expr, env: Env[Cond, Part]) -> Cond:
        """The value of an expression that is true or false."""
        return self.truth(self.value(node, env))

    def op_const(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.constant(node.data, node.type)

    def op_state(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return env.state[node.data]

    def op_old(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        assert env.old is not None
        return env.old[node.data]

    def op_local(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return env.local[node.data]

    def op_field(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        whole, kind = self.value(node.args[0], env), node.args[0].type
        assert isinstance(kind, RecordType)
        return ABSENT if whole is ABSENT else parts_of(whole)[kind.names.index(node.data)]

    def op_component(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        whole = self.value(node.args[0], env)
        return ABSENT if whole is ABSENT else parts_of(whole)[node.data]

    def op_tuple(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return tuple(self.values(node.args, env))

    op_record = op_tuple

    def op_and(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self._connected(node, env, lambda part: part, self.both)

    def op_or(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self._connected(node, env, self.negate, self.either)

    def _connected(
        self, node: ir.Expr, env: Env[Cond, Part], goes_on: Callable[[Cond], Cond], joined: Callable[[list[Cond]], Cond]
    ) -> Cond:
        parts: list[Cond] = []
        for part in node.args:
            with self.under(self.both([goes_on(earlier) for earlier in parts])):
                if self.is_false(self.path):
                    break
                parts.append(self.condition(part, env))
        return joined(parts)

    def op_not(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.negate(self.condition(node.args[0], env))

    def op_if(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        condition = self.condition(node.args[0], env)
        found: list[Value[Cond, Part]] = []
        for guard, branch in ((condition, node.args[1]), (self.negate(condition), node.args[2])):
            with self.under(guard):
                found.append(ABSENT if self.is_false(self.path) else self.value(branch, env))
        return self.select(condition, found[0], found[1])

    def op_eq(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.equal(*self.values(node.args, env))

    def op_coerce(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.coerce(self.value(node.args[0], env), node.args[0].type, node.type)

    def op_fit(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.fit(self.value(node.args[0], env), node.args[0].type, node.type, node.location)

    def op_narrow(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.narrow(self.value(node.args[0], env), node.args[0].type, node.type, node.location)

    def op_is(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        value, wanted = self.value(node.args[0], env), {class_key(kind) for kind in node.data}
        if isinstance(value, Union):
            return self.either([guard for key, (guard, _) in value.items() if key in wanted])
        return self.true if class_key(node.args[0].type) in wanted else self.false

    def op_call(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self.apply(self.model.functions[node.data], self.values(node.args, env), env)

    def op_takes(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self._attempt(node, env, beyond=False)

    def op_possible(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        return self._attempt(node, env, beyond=True)

    def _attempt(self, node: ir.Expr, env: Env[Cond, Part], beyond: bool) -> Value[Cond, Part]:
        """Whether the run of a function comes to its end and is true there: `beyond` where a bound stops it first, and an error where one
        does."""
        arguments = self.values(node.args, env)
        outside, self.events = self.events, []
        value = self.truth(self.apply(self.model.functions[node.data], arguments, env))
        inside, self.events = self.events, outside
        earlier: list[Cond] = []
        found: list[Cond] = []

        def first(event: Event[Cond]) -> Cond:
            return self.both((event.condition, self.negate(self.either(earlier))))

        for event in inside:
            if event.kind == "error":
                self.stop("error", first(event), event.what, event.location)
            elif event.kind == "cut" and beyond:
                found.append(first(event))
            earlier.append(event.condition)
        return self.either([self.both((value, self.negate(self.either(earlier)))), *found])

    def apply(
        self, function: ir.Function, arguments: Sequence[Value[Cond, Part]], env: Env[Cond, Part]
    ) -> Value[Cond, Part]:
        """The result of a pure function."""
        local = dict(zip((name for name, _ in function.parameters), arguments, strict=True))
        return self.run(function.body, Env(env.state, env.old, local)).value

    # Statements

    def run(self, body: tuple[ir.Stmt, ...], env: Env[Cond, Part]) -> Exits[Cond, Part]:
        """Execute statements; `env` is changed in place."""
        for position, statement in enumerate(body):
            exits = self._step(statement, env)
            if self.is_true(exits.go):
                continue
            rest = body[position + 1 :]
            if self.is_false(exits.go) or not rest:
                return exits
            branch = env.copy()
            with self.under(exits.go):
                tail = self.run(rest, branch)
            self._merge(exits.go, branch, env)
            return self._followed(exits, tail)
        return self._going()

    def _going(self) -> Exits[Cond, Part]:
        return Exits(self.true, self.false, self.false, self.false)

    def _followed(self, first: Exits[Cond, Part], tail: Exits[Cond, Part]) -> Exits[Cond, Part]:
        """The exits of a block after which, where it goes on, another one follows."""

        def joined(left: Cond, right: Cond) -> Cond:
            return self.either((left, self.both((first.go, right))))

        return Exits(
            self.both((first.go, tail.go)),
            joined(first.returned, tail.returned),
            joined(first.continued, tail.continued),
            joined(first.broken, tail.broken),
            self.select(first.returned, first.value, tail.value),
        )

    def _merge(self, condition: Cond, branch: Env[Cond, Part], env: Env[Cond, Part]) -> None:
        """Take over what a branch changed, where the condition is true."""
        for mine, theirs in ((env.state, branch.state), (env.local, branch.local)):
            for name, value in theirs.items():
                mine[name] = self.select(condition, value, mine.get(name, ABSENT))

    def _step(self, statement: ir.Stmt, env: Env[Cond, Part]) -> Exits[Cond, Part]:
        match statement:
            case ir.Assign(target=target, value=value, location=location):
                self._put(target, self.value(value, env), env, location)
            case ir.Mutate():
                self._mutate(statement, env)
            case ir.Require(condition=condition, location=location):
                self.stop("disabled", self.negate(self.condition(condition, env)), "", location)
            case ir.Within(constraint=constraint, condition=condition, location=location):
                self.hold_within(constraint, condition, env, location)
            case ir.Assert(condition=condition, location=location):
                self.stop("error", self.negate(self.condition(condition, env)), "an assert is false", location)
            case ir.If():
                return self._branch(statement, env)
            case ir.Loop():
                return self.loop(statement, env)
            case ir.Scope(body=body):
                self.run(body, env)
            case ir.Return(value=result):
                given = ABSENT if result is None else self.value(result, env)
                return Exits(self.false, self.true, self.false, self.false, given)
            case ir.Continue():
                return Exits(self.false, self.false, self.true, self.false)
            case ir.Break():
                return Exits(self.false, self.false, self.false, self.true)
            case _:
                assert_never(statement)
        return self._going()

    def _branch(self, statement: ir.If, env: Env[Cond, Part]) -> Exits[Cond, Part]:
        condition = self.condition(statement.condition, env)
        if self.is_true(condition) or self.is_false(condition):
            return self.run(statement.then if self.is_true(condition) else statement.otherwise, env)
        then, otherwise = env.copy(), env.copy()
        with self.under(condition):
            first = self.run(statement.then, then)
        with self.under(self.negate(condition)):
            second = self.run(statement.otherwise, otherwise)
        for name, value in otherwise.state.items():
            env.state[name] = self.select(condition, then.state[name], value)
        for name in [*then.local, *(name for name in otherwise.local if name not in then.local)]:
            env.local[name] = self.select(condition, then.local.get(name, ABSENT), otherwise.local.get(name, ABSENT))

        def chosen(one: Cond, other: Cond) -> Cond:
            return self.truth(self.select(condition, one, other))

        return Exits(
            chosen(first.go, second.go),
            chosen(first.returned, second.returned),
            chosen(first.continued, second.continued),
            chosen(first.broken, second.broken),
            self.select(condition, first.value, second.value),
        )

    @abstractmethod
    def loop(self, statement: ir.Loop, env: Env[Cond, Part]) -> Exits[Cond, Part]:
        """Execute a loop; `env` is changed in place."""

    @abstractmethod
    def at(
        self, whole: Value[Cond, Part], kind: Type, key: Value[Cond, Part], location: Location | None
    ) -> Value[Cond, Part]:
        """What a map or list holds at a key; an error where there is no such key."""

    @abstractmethod
    def sought(self, node: ir.Expr, env: Env[Cond, Part]) -> Value[Cond, Part]:
        """The value of what is looked for, as a key or an element: no bound applies to it."""

    @abstractmethod
    def require_key(self, key: Value[Cond, Part], whole: Type, location: Location | None) -> None:
        """An error where a value is no key that a map has, if `at` does not see that."""

    @abstractmethod
    def replaced(
        self, whole: Value[Cond, Part], kind: Type, key: Value[Cond, Part], value: Value[Cond, Part]
    ) -> Value[Cond, Part]:
        """A map or list with another value at a key that it has."""

    @abstractmethod
    def changed(
        self,
        change: Change,
        whole: Value[Cond, Part],
        kind: Type,
        args: list[Value[Cond, Part]],
        location: Location | None,
    ) -> Value[Cond, Part]:
        """A container after a change in place, other than CLEAR."""

    @abstractmethod
    def hold_within(self, constraint: str, condition: ir.Expr, env: Env[Cond, Part], location: Location | None) -> None:
        """Hold the end of an action to a constraint."""

    def _put(self, target: ir.Place, value: Value[Cond, Part], env: Env[Cond, Part], location: Location | None) -> None:
        holder = env.state if target.state else env.local
        keys = self._keys(target, env, location)
        holder[target.root] = self._stored(holder.get(target.root, ABSENT), target.types, keys, value, location)

    def _keys(self, target: ir.Place, env: Env[Cond, Part], location: Location | None) -> list[Value[Cond, Part]]:
        """The keys and indices that lead to a place."""
        keys = [self.sought(selector, env) for selector in target.selectors]
        for key, kind in zip(keys, target.types, strict=False):
            self.require_key(key, kind, location)
        return keys

    def _stored(
        self,
        whole: Value[Cond, Part],
        types: Sequence[Type],
        keys: list[Value[Cond, Part]],
        value: Value[Cond, Part],
        location: Location | None,
    ) -> Value[Cond, Part]:
        if not keys:
            return value
        inner = self.at(whole, types[0], keys[0], location)
        return self.replaced(whole, types[0], keys[0], self._stored(inner, types[1:], keys[1:], value, location))

    def _mutate(self, statement: ir.Mutate, env: Env[Cond, Part]) -> None:
        target = statement.target
        whole = (env.state if target.state else env.local)[target.root]
        for key, kind in zip(self._keys(target, env, statement.location), target.types, strict=False):
            whole = self.at(whole, kind, key, statement.location)
        if statement.change is Change.CLEAR:
            changed = self.constant(target.type.zero(), target.type)
        else:
            stored = statement.change in STORING
            args = [self.value(part, env) if stored else self.sought(part, env) for part in statement.args]
            changed = self.changed(statement.change, whole, target.type, args, statement.location)
        self._put(target, changed, env, statement.location)

    # Actions and properties

    def fire(
        self, action: ir.Action, state: dict[str, Value[Cond, Part]], arguments: Sequence[Value[Cond, Part]]
    ) -> Transition[Cond, Part]:
        """An action as formulas over a state and arguments."""
        self.events = []
        local = dict(zip((name for name, _ in action.parameters), arguments, strict=True))
        env = Env(dict(state), dict(state), local)
        self.run(action.body, env)
        events, self.events = tuple(self.events), []
        return Transition(action, env.state, events)

    def enabled(self, transition: Transition[Cond, Part]) -> Cond:
        """When the action finishes: nothing disables, cuts or breaks it."""
        return self.negate(self.either([event.condition for event in transition.events]))

    def stopped(self, transition: Transition[Cond, Part], kind: str) -> list[tuple[Cond, Event[Cond]]]:
        """The events of a kind, each with the condition that it is the first to happen."""
        found: list[tuple[Cond, Event[Cond]]] = []
        earlier: list[Cond] = []
        for event in transition.events:
            if event.kind == kind:
                found.append((self.both((event.condition, self.negate(self.either(earlier)))), event))
            earlier.append(event.condition)
        return found

    def judge(
        self,
        prop: ir.Property,
        state: dict[str, Value[Cond, Part]],
        arguments: Sequence[Value[Cond, Part]],
        old: dict[str, Value[Cond, Part]] | None = None,
    ) -> tuple[Value[Cond, Part], Cond]:
        """The value of a property, and the condition under which it raises an error instead of having one."""
        self.events = []
        local = dict(zip((name for name, _ in prop.parameters), arguments, strict=True))
        value = self.run(prop.body, Env(dict(state), old, local)).value
        raised, self.events = self.either([event.condition for event in self.events]), []
        return value, raised

    def holds(
        self,
        prop: ir.Property,
        state: dict[str, Value[Cond, Part]],
        arguments: Sequence[Value[Cond, Part]],
        old: dict[str, Value[Cond, Part]] | None = None,
    ) -> Cond:
        """That a property, whose value is a bool, is true and raises no error."""
        value, raised = self.judge(prop, state, arguments, old)
        return self.both((self.truth(value), self.negate(raised)))
