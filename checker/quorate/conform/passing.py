"""Messages that can never matter again, as it follows from the text of a specification.

A network that keeps what it delivers holds every message that was ever sent, and a log is as long as it is. But a server that
has entered a term takes no message of an earlier one. So a class of messages *passes* by a field and a variable, its clock, if

- the clock never goes back: every action that sets it sets it to a number which is not less; and
- whatever the actions ask of the network is about messages whose field is at least the clock of somebody: `Vote(self.term[s], v, s)
  in self.network`, or `require(m in self.network and m.term >= self.term[s])`.

Then a message whose field is less than the clock of everybody is never asked for again, and a state without it goes on as the
state with it does. This is read from the typed model; where it is not seen, nothing passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from quorate.errors import QuorateError
from quorate.language.spec import Spec
from quorate.language.types import IdentityType, MapType, NatType, NetworkType, RecordType, Type, UnionType
from quorate.model import nodes as ir
from quorate.model.build import build
from quorate.model.facts import Facts, assigned, bare, known, without
from quorate.model.integers import INT_MAX, INT_MIN, IntType
from quorate.model.nodes import Change, Op


@dataclass(frozen=True)
class Passing:
    """Messages of a class in a network pass when their field is less than the clock: a number, or the least one of a map."""

    network: str
    record: type
    field: str
    clock: str


def passing(spec: type[Spec]) -> tuple[Passing, ...]:
    """What passes in a specification; of one that has no typed model, nothing."""
    try:
        model = build(spec)
    except QuorateError:  # It need not have one to be held to.
        return ()
    clocks = [one.name for one in model.variables if _is_clock(one.type) and _grows(one.name, model)]
    found: list[Passing] = []
    for variable in model.variables:
        if isinstance(variable.type, NetworkType) and not variable.type.lossy:
            for record in _records(variable.type.message):
                named = [(part, clock) for part, kind in record.fields if isinstance(kind, NatType) for clock in clocks]
                for part, clock in named:
                    if _is_bounded(model, variable.name, record, part, clock):
                        found.append(Passing(variable.name, record.sort, part, clock))
                        break
    return tuple(found)


def _is_clock(kind: Type) -> bool:
    if isinstance(kind, MapType):
        return isinstance(kind.key, IdentityType) and isinstance(kind.value, NatType)
    return isinstance(kind, NatType)


def _records(kind: Type) -> Iterator[RecordType]:
    if isinstance(kind, RecordType):
        yield kind
    elif isinstance(kind, UnionType):
        for part in kind.kinds:
            yield from _records(part)


# The clock never goes back


def _grows(clock: str, model: ir.Model) -> bool:
    return all(_grows_in(clock, action.body, frozenset())[0] for action in model.actions)


def _grows_in(clock: str, body: tuple[ir.Stmt, ...], facts: Facts) -> tuple[bool, Facts]:
    """Whether no statement sets the clock back, and what is known after them."""
    for statement in body:
        match statement:
            case ir.Assign(target=target, value=value):
                if target.state and target.root == clock and not _is_not_less(target, value, facts):
                    return False, facts
                facts = without(facts, {target.root}) | assigned(target, value)
            case ir.Mutate(target=target):
                if target.state and target.root == clock:
                    return False, facts
                facts = without(facts, {target.root})
            case ir.Require(condition=condition) | ir.Assert(condition=condition):
                facts |= known(condition, True)
            case ir.If(condition=condition, then=then, otherwise=otherwise):
                for branch, true in ((then, True), (otherwise, False)):
                    if not _grows_in(clock, branch, facts | known(condition, true))[0]:
                        return False, facts
                facts = without(facts, _set_in((statement,)))
            case ir.Loop(name=name, body=inner):
                facts = without(facts, _set_in((statement,)) | {name})
                if not _grows_in(clock, inner, facts)[0]:
                    return False, facts
            case ir.Scope(body=inner):
                if not _grows_in(clock, inner, facts)[0]:
                    return False, facts
                facts = without(facts, _set_in((statement,)))
            case ir.Within() | ir.Return() | ir.Continue() | ir.Break():
                pass
            case _:
                assert_never(statement)
    return True, facts


def _set_in(body: tuple[ir.Stmt, ...]) -> set[str]:
    """The variables and locals that statements set."""
    loops = {statement.name for statement in ir.statements(body) if isinstance(statement, ir.Loop)}
    return {change.target.root for change in ir.changes(body)} | loops


def _is_not_less(target: ir.Place, value: ir.Expr, facts: Facts) -> bool:
    """Whether a number that is put into a place is at least the one that is there."""
    old, new = _plain(target.read()), _plain(value)
    if isinstance(target.type, MapType):
        return False
    if new == old or (new.op is Op.MAX and old in map(_plain, new.args)):
        return True
    if new.op is Op.ADD and old in map(_plain, new.args):
        (more,) = [part for part in new.args if _plain(part) != old] or [new.args[1]]
        return bare(more).op is Op.CONST and bare(more).data >= 0
    return any(fact.op in (Op.LT, Op.LE) and [*map(_plain, fact.args)] == [old, new] for fact in facts)


def _plain(value: ir.Expr) -> ir.Expr:
    """A value without conversions, and without what they make of its type."""
    value = bare(value)
    return ir.Expr(value.op, NUMBER, tuple(map(_plain, value.args)), value.data)


NUMBER = IntType(INT_MIN, INT_MAX)
"""Stands for every type where two values are compared as what they say."""


# All that is asked of the network is about messages that have not passed


def _is_bounded(model: ir.Model, network: str, record: RecordType, name: str, clock: str) -> bool:
    asked = _Asked(model, network, record, name, clock)
    return all(asked.is_bounded(action) for action in model.actions)


class _Asked:
    def __init__(self, model: ir.Model, network: str, record: RecordType, name: str, clock: str) -> None:
        self.model, self.network, self.record, self.name, self.clock = model, network, record, name, clock
        self.functions: dict[str, bool] = {}

    def is_bounded(self, action: ir.Action) -> bool:
        """Whether an action asks only for what has not passed."""
        set_there = _set_in(action.body)
        guarded = {
            parameter
            for parameter, kind in action.parameters
            if parameter not in set_there and self._is_guarded(parameter, action.body)
        }
        harmless = {parameter for parameter, kind in action.parameters if not self._may_be_it(kind)} - set_there
        messages = frozenset(guarded | harmless)
        for (parameter, _), source in zip(action.parameters, action.ranges, strict=True):
            is_of_network = source is not None and self._is_network(source) and parameter in messages
            if source is not None and not is_of_network and not self._in_expression(source, messages):
                return False
        return self._in_body(action.body, messages)

    def _is_guarded(self, parameter: str, body: tuple[ir.Stmt, ...]) -> bool:
        """Whether the first statements require that the field of a message is at least the clock of somebody. The clock only grows, so
        that it was not more before."""
        for statement in body:
            match statement:
                case ir.Require(condition=condition):
                    if self._implies(condition, parameter):
                        return True
                case ir.Assign(target=target) if not target.state:
                    pass
                case _:
                    return False
        return False

    def _implies(self, condition: ir.Expr, parameter: str) -> bool:
        if condition.op is Op.AND:
            return any(self._implies(part, parameter) for part in condition.args)
        if condition.op is Op.OR:
            return all(self._implies(part, parameter) for part in condition.args)
        if condition.op in (Op.LE, Op.LT):
            least, number = condition.args
            return self._is_clock(least) and self._is_field(number, parameter)
        if condition.op is Op.EQ:
            return any(
                self._is_clock(one) and self._is_field(other, parameter)
                for one, other in (condition.args, condition.args[::-1])
            )
        return False

    def _is_clock(self, value: ir.Expr) -> bool:
        value = bare(value)
        if value.op is Op.LOOKUP:
            value = value.args[0]
        return value.op is Op.STATE and value.data == self.clock

    def _is_field(self, value: ir.Expr, parameter: str) -> bool:
        value = bare(value)
        if value.op is not Op.FIELD or value.data != self.name:
            return False
        (whole,) = value.args
        while whole.op in (Op.COERCE, Op.NARROW):
            (whole,) = whole.args
        return whole.op is Op.LOCAL and whole.data == parameter

    def _may_be_it(self, kind: Type) -> bool:
        return not isinstance(kind, RecordType) or kind.sort is self.record.sort

    def _is_network(self, value: ir.Expr) -> bool:
        return value.op is Op.STATE and value.data == self.network

    def _in_body(self, body: tuple[ir.Stmt, ...], messages: frozenset[str]) -> bool:
        for change in ir.changes(body):
            if isinstance(change, ir.Mutate) and change.target.state and change.target.root == self.network:
                if change.change is Change.RECEIVE and not self._is_harmless(change.args[0], messages):
                    return False
                if change.change not in (Change.SEND, Change.RECEIVE):
                    return False
            elif change.target.state and change.target.root == self.network:
                return False
        return all(self._in_expression(one, messages) for one in ir.expressions(body))

    def _in_expression(self, value: ir.Expr, messages: frozenset[str]) -> bool:
        if value.op is Op.IN and self._is_network(value.args[1]):
            return self._is_harmless(value.args[0], messages) and self._in_expression(value.args[0], messages)
        if self._is_network(value):
            return False
        if value.op in ir.CALLS and not self._in_function(value.data):
            return False
        messages -= {clause.name for clause in value.clauses if isinstance(clause, ir.For)}
        return all(self._in_expression(part, messages) for part in value.children())

    def _in_function(self, key: str) -> bool:
        if key not in self.functions:
            self.functions[key] = True  # Of itself it asks what it asks.
            self.functions[key] = self._in_body(self.model.functions[key].body, frozenset())
        return self.functions[key]

    def _is_harmless(self, message: ir.Expr, messages: frozenset[str]) -> bool:
        """Whether a message that is asked for is of another class, or has not passed."""
        message = bare(message)
        if message.op is Op.LOCAL and message.data in messages:
            return True
        if not self._may_be_it(message.type):
            return True
        if message.op is not Op.RECORD:
            return False
        return self._is_clock(message.args[self.record.names.index(self.name)])
