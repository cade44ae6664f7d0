"""The places of a specification at which runs are counted: statements, and the conditions that decide something.

A *condition* is what stands in a `require`, an `if`, an `assert`, a conditional expression, a filter of a comprehension or the body of
`all` and `any`; of an `and` or an `or`, wherever it is, each operand by itself. Two parts of the model that come from one place of the
source, such as a procedure that two actions call, are one point.

A point is known by the node that stands for it in this model: the interpreter and the C that is rendered from it count at the same nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from quorate.errors import Location
from quorate.kinds import GOALS, INVARIANTS, MAPPING, STEPS
from quorate.model import nodes as ir
from quorate.model.nodes import Op

COUNTED = tuple(kind for kind in (*INVARIANTS, *STEPS, *GOALS) if kind != MAPPING)
"""The kinds of properties whose places are counted: those about a state or a step, which are asked of every one."""
JOINED = (Op.AND, Op.OR)


@dataclass(frozen=True)
class Point:
    """A place. `acts` says whether an action comes there, itself or in what it calls; otherwise only properties do.

    `in_order`: how often something comes by may depend on the order of members that have none, because an `all`, an `any` or a loop
    goes no further than it must. Then the counters of a representative are not those of every state of its orbit."""

    location: Location
    is_condition: bool
    acts: bool
    in_order: bool


class Points:
    """The points of a model, numbered in the order in which its actions, its properties and what these call have them.

    Point i has two counters: `2 * i` of a statement that runs, and of a condition that is false; `2 * i + 1` of one that is true."""

    def __init__(self, model: ir.Model) -> None:
        self.model = model
        self.all: list[Point] = []
        self._statements: dict[int, int] = {}
        self._conditions: dict[int, int] = {}
        self._numbers: dict[tuple[Location, bool], int] = {}
        self._seen: set[str] = set()
        bodies = [action.body for action in model.actions]
        bodies += [prop.body for prop in model.of(*COUNTED)]
        bodies += [function.body for function in model.functions.values()]
        ordered = [node.data for body in bodies for node in _nodes(body) if node.op is Op.LINEARIZABLE]
        self._uncounted = _called(model, ordered)
        self._in_order = _called(model, [key for body in bodies for key in _called_in_order(body)])
        self._ranges = [source for action in model.actions for source in action.ranges if source is not None]
        for action in model.actions:
            self._body(action.body, True, False)
        for prop in model.of(*COUNTED):
            self._body(prop.body, False, False)

    def __len__(self) -> int:
        return len(self.all)

    def statement(self, statement: ir.Stmt) -> int | None:
        """The point of a statement, if it is one."""
        return self._statements.get(id(statement))

    def condition(self, node: ir.Expr) -> int | None:
        """The point of a condition, if it is one."""
        return self._conditions.get(id(node))

    def _number(self, location: Location, is_condition: bool, acts: bool, in_order: bool) -> int:
        number = self._numbers.setdefault((location, is_condition), len(self.all))
        if number == len(self.all):
            self.all.append(Point(location, is_condition, acts, in_order))
        elif in_order and not self.all[number].in_order:
            self.all[number] = replace(self.all[number], in_order=True)
        return number

    def _body(self, body: tuple[ir.Stmt, ...], acts: bool, in_order: bool, above: Location | None = None) -> None:
        """Statements in order. What one statement of the source became is counted once, at the first."""
        for statement in body:
            here = statement.location
            if here is not None and here != above and not isinstance(statement, ir.Within):
                self._statements[id(statement)] = self._number(here, False, acts, in_order)
            decides = isinstance(statement, ir.Require | ir.If | ir.Assert)
            for node in ir.expressions((_alone(statement),)):
                self._expression(node, acts, in_order, decides)
            for block in _inside(statement):
                self._body(block, acts, in_order or _may_be_left(statement), here)
            above = here

    def _is_so(self, node: ir.Expr) -> bool:
        """Whether a condition decides nothing because of how actions are tried: a parameter ranges over the collection that it is said to
        be in."""
        return node.op is Op.CONST or (node.op is Op.IN and node.args[1] in self._ranges)

    def _expression(self, node: ir.Expr, acts: bool, in_order: bool, decides: bool) -> None:
        """An expression, which `decides` something or not. Where one comparison of the source has become several, it is one condition;
        a field of a union, which is looked for in one class after the other, is none."""
        parts = node.op in JOINED and all(part.location not in (None, node.location) for part in node.args)
        if decides and not parts and node.location is not None and not self._is_so(node):
            self._conditions[id(node)] = self._number(node.location, True, acts, in_order)
        inside = in_order or _stops_early(node)
        for clause in node.clauses:
            if isinstance(clause, ir.For):
                self._expression(clause.source, acts, inside, False)
            else:
                self._expression(clause.condition, acts, inside, True)
        for position, part in enumerate(node.args):
            first = position == 0 and node.op in (Op.IF, Op.ALL, Op.ANY) and part.location != node.location
            self._expression(part, acts, inside, parts or first)
        if node.op in ir.CALLS and node.data not in self._uncounted and node.data not in self._seen:
            self._seen.add(node.data)
            self._body(self.model.functions[node.data].body, acts, node.data in self._in_order)


def _inside(statement: ir.Stmt) -> tuple[tuple[ir.Stmt, ...], ...]:
    """The blocks of a compound statement."""
    match statement:
        case ir.If(then=then, otherwise=otherwise):
            return then, otherwise
        case ir.Loop(body=body) | ir.Scope(body=body):
            return (body,)
        case _:
            return ()


def _alone(statement: ir.Stmt) -> ir.Stmt:
    """A statement without its blocks."""
    match statement:
        case ir.If():
            return replace(statement, then=(), otherwise=())
        case ir.Loop() | ir.Scope():
            return replace(statement, body=())
        case _:
            return statement


def _called(model: ir.Model, keys: list[str]) -> set[str]:
    """These functions and all that they call. A search for an order of events calls a sequential object as often as it likes, so that
    counting there says nothing."""
    found: set[str] = set()
    while keys:
        key = keys.pop()
        if key not in found:
            found.add(key)
            keys += [node.data for node in _nodes(model.functions[key].body) if node.op in ir.CALLS]
    return found


def _stops_early(node: ir.Expr) -> bool:
    """Whether it goes over members without an order, and may end before the last: it is a quantifier, or a value may pass a bound."""
    if all(not isinstance(clause, ir.For) or clause.ordered for clause in node.clauses):
        return False
    return node.op in (Op.ALL, Op.ANY) or any(inner.op is Op.FIT for inner in node.walk())


def _may_be_left(statement: ir.Stmt) -> bool:
    """Whether it is a loop over members without an order: nearly every round may end it, by a `return`, at a bound, or in an error."""
    return isinstance(statement, ir.Loop) and not statement.ordered


def _called_in_order(body: tuple[ir.Stmt, ...]) -> Iterator[str]:
    """What is called where members have no order and one may end it."""
    quantified = [node for node in _nodes(body) if _stops_early(node)]
    looped = [
        statement.body
        for statement in ir.statements(body)
        if isinstance(statement, ir.Loop) and _may_be_left(statement)
    ]
    inside = [
        *(node for outer in quantified for node in outer.walk()),
        *(node for inner in looped for node in _nodes(inner)),
    ]
    return (node.data for node in inside if node.op in ir.CALLS)


def _nodes(body: tuple[ir.Stmt, ...]) -> Iterator[ir.Expr]:
    for expression in ir.expressions(body):
        yield from expression.walk()
