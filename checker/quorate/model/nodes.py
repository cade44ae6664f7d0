"""The typed model: what a spec means, as data. Every engine but the reference one reads this and nothing else.

A `Model` is a spec under one choice of bounds: variables with resolved types, and actions and properties as trees of
`Expr` and `Stmt`. Everything Python leaves implicit is explicit here: each node has its type, each conversion is a
node, each point where a bound can cut or an error can arise is an operator that says so. `interpret.py` is the
precise meaning, in a page of Python; `verify.py` holds the legal shapes as a table.

Evaluation is strict, left to right, except `AND`, `OR`, `IF` and the quantifiers, which stop early as in Python. An
action ends in one of four ways, whichever comes first: it finishes; a `Require` is false (disabled); a `FIT` or a
full container cuts it (the bound has a name); or something is an error in the spec (a bad index, a failed `NARROW`,
an `Assert`).

Types are those of `quorate.language.types` and `IntType`, the range of a computed number (`integers.py`). A container that is only
computed has capacity None (sets) or its exact greatest length (lists), and an empty bound name: nothing is cut there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Any, assert_never

from quorate.errors import Location
from quorate.kinds import known_kinds
from quorate.language.system import Method, System, Variable
from quorate.language.types import MapType, Type


class Op(StrEnum):
    """The operators of expressions. `a, b, c` are the arguments; `data` is what stands beside them."""

    # Values
    CONST = auto()  # data: the frozen value
    STATE = auto()  # data: the name of a state variable
    OLD = auto()  # data: the name of a state variable, before the step
    LOCAL = auto()  # data: the name of a local, parameter or loop variable
    DOMAIN = auto()  # all values of the element type, as a set (`Server`, `bool`, the keys of a map)
    RANGE = auto()  # the list a, a+1, ..., b-1
    # Structure
    FIELD = auto()  # a.data of a record
    COMPONENT = auto()  # a[data] of a tuple
    LOOKUP = auto()  # a[b] of a map; error if a computed number is no key
    INDEX = auto()  # a[b] of a list; negative counts from the end; error if out of range
    QUEUE = auto()  # the list of what is on the way in channels a from b to c
    SLICE = auto()  # a[b:c] of a list, clamped as in Python
    RECORD = auto()  # args: the fields in order, already of the field types
    TUPLE = auto()
    SET = auto()  # set display
    LIST = auto()  # list display
    # Numbers
    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()  # floor division; error if b is 0
    MOD = auto()  # sign of the divisor; error if b is 0
    NEG = auto()
    ABS = auto()
    MIN = auto()  # of two comparable values
    MAX = auto()
    POSITION = auto()  # the number of a member of an Ordered sort, from 0
    MEMBER = auto()  # the member, of the expression's type, with the number a; error if there is none
    # Truth
    EQ = auto()  # both sides have the same type, up to the ranges of numbers
    LT = auto()  # numbers, Ordered, tuples of those (lexicographic)
    LE = auto()
    AND = auto()  # n-ary, left to right, stops at the first false
    OR = auto()
    NOT = auto()
    IF = auto()  # b if a else c
    # Sets, lists, networks
    IN = auto()  # a in b: set, list, or deliverable message of a network; a number may be out of range
    SUBSET = auto()  # a <= b on sets
    UNION = auto()
    INTERSECT = auto()
    DIFFERENCE = auto()
    LEN = auto()  # of a set, list or network
    CONCAT = auto()
    SORTED = auto()  # ascending list of a set or list; data: True for descending
    # Types
    COERCE = auto()  # to a wider type; never fails
    FIT = auto()  # hold against a type: above a Nat's maximum or a capacity cuts, below zero is an error
    NARROW = auto()  # a union's value as one of its alternatives (or a smaller union); error if it is another
    IS = auto()  # whether a union's value is of one of the types in data (a tuple)
    # Comprehensions: args (body,) or (body, default); data: the clauses
    ALL = auto()
    ANY = auto()
    SUM = auto()
    MIN_OF = auto()  # error if empty and there is no default
    MAX_OF = auto()
    THE = auto()  # the single distinct value; error if none (without default) or several
    SET_OF = auto()
    LIST_OF = auto()
    MAP_OF = auto()  # a total map; one clause, over the key domain
    # Calls
    MAJORITY = auto()  # 2 * len(a) > number of members; data: the sort's type
    QUORUM = auto()  # len(a) >= b; data: the sort's type
    CALL = auto()  # data: key in Model.functions
    TAKES = auto()  # the same of a function whose body is an action's: false also where a `Require` or a bound ends it
    POSSIBLE = auto()  # as TAKES, and true where a bound ends it
    LINEARIZABLE = auto()  # a: history, b: initial state; data: key of the sequential model in Model.functions


@dataclass(frozen=True)
class For:
    """A clause `for name in source`. `ordered` is true when the order of iteration is that of a list or an ordered
    domain.
    """

    name: str
    type: Type
    source: Expr
    ordered: bool


@dataclass(frozen=True)
class Where:
    """A clause `if condition`."""

    condition: Expr


Clause = For | Where


@dataclass(frozen=True)
class Expr:
    """A typed expression."""

    op: Op
    type: Type
    args: tuple[Expr, ...] = ()
    data: Any = None
    location: Location | None = field(default=None, compare=False, repr=False)

    def __hash__(self) -> int:
        """Computed once: expressions are deep, and are keys of much that is remembered of them."""
        found: int | None = self.__dict__.get("_hash")
        if found is None:
            found = self.__dict__["_hash"] = hash((self.op, self.type, self.args, self.data))
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash, which is of this process alone."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of a comprehension; none for other operators."""
        return self.data if self.op in COMPREHENSIONS else ()

    def children(self) -> Iterator[Expr]:
        """The expressions directly inside, in order of evaluation (a comprehension's clauses before its body)."""
        for clause in self.clauses:
            yield clause.source if isinstance(clause, For) else clause.condition
        yield from self.args

    def walk(self) -> Iterator[Expr]:
        """This expression and everything inside it."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            if node.op in COMPREHENSIONS:
                pending.extend(reversed(list(node.children())))
            else:
                pending.extend(reversed(node.args))


def conjuncts(node: Expr) -> Iterator[Expr]:
    """The parts of an `and`, in order; the expression itself if it is none."""
    if node.op is Op.AND:
        for part in node.args:
            yield from conjuncts(part)
    else:
        yield node


ATTEMPTS = frozenset({Op.TAKES, Op.POSSIBLE})
"""What evaluates a function that is `partial`."""
CALLS = frozenset({Op.CALL, *ATTEMPTS, Op.LINEARIZABLE})
"""What evaluates a function of the model, `data`."""
COMPREHENSIONS = frozenset({Op.ALL, Op.ANY, Op.SUM, Op.MIN_OF, Op.MAX_OF, Op.THE, Op.SET_OF, Op.LIST_OF, Op.MAP_OF})


@dataclass(frozen=True)
class Place:
    """Where a value is put: a state variable or a local, then keys of maps and indices of lists.

    `types` has the type of the root, then the type after each selector; the last one is the type of the place.
    """

    root: str
    state: bool
    selectors: tuple[Expr, ...]
    types: tuple[Type, ...]

    @property
    def type(self) -> Type:
        """The type of what the place holds."""
        return self.types[-1]

    def read(self, location: Location | None = None) -> Expr:
        """What the place holds, as an expression."""
        value = Expr(Op.STATE if self.state else Op.LOCAL, self.types[0], (), self.root, location)
        for selector, kind in zip(self.selectors, self.types[1:], strict=True):
            op = Op.LOOKUP if isinstance(value.type, MapType) else Op.INDEX
            value = Expr(op, kind, (value, selector), None, location)
        return value


@dataclass(frozen=True)
class Assign:
    """`target = value`; the value already has the place's type."""

    target: Place
    value: Expr
    location: Location | None = field(default=None, compare=False, repr=False)


class Change(StrEnum):
    """The ways to change a container in place."""

    ADD = auto()  # set: add an element; a full set is a cut
    DISCARD = auto()  # set: remove an element if it is there
    REMOVE = auto()  # set: remove an element; error if it is not there
    CLEAR = auto()  # set, list
    APPEND = auto()  # list; a full list is a cut
    POP = auto()  # list: drop the last element; error if empty
    SEND = auto()  # network; a full one is a cut
    RECEIVE = auto()  # network: error if not deliverable; Network keeps it, Bag and Channels take it off
    DROP = auto()  # network: error if not deliverable; all take it off


@dataclass(frozen=True)
class Mutate:
    """A change of a container in place; `args` already have the element type."""

    change: Change
    target: Place
    args: tuple[Expr, ...]
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Require:
    """Disables the action if the condition is false."""

    condition: Expr
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Within:
    """Ends an action: the constraint of this name cuts it if the condition, of the state after (and the one before, as `OLD`), is
    false."""

    constraint: str
    condition: Expr
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Assert:
    """An error in the spec if the condition is false."""

    condition: Expr
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class If:
    """`if condition: then else: otherwise`."""

    condition: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...]
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Loop:
    """`for name in source: body`. The source is evaluated once, before the first round. Unordered loops were shown
    not to depend on the order.
    """

    name: str
    type: Type
    source: Expr
    body: tuple[Stmt, ...]
    ordered: bool
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Scope:
    """An inlined procedure. A `Return` inside leaves the scope only."""

    name: str
    body: tuple[Stmt, ...]
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Return:
    """Leave the enclosing scope, function, property or action (value None: an action or procedure)."""

    value: Expr | None
    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Continue:
    """Go on with the next round of the innermost loop."""

    location: Location | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Break:
    """Leave the innermost loop, which is ordered."""

    location: Location | None = field(default=None, compare=False, repr=False)


Stmt = Assign | Mutate | Require | Within | Assert | If | Loop | Scope | Return | Continue | Break


@dataclass(frozen=True)
class Function:
    """A pure function or method for one choice of argument types. Its body may read `STATE` (or `OLD`). One that is `partial` has
    `Require`s: `TAKES` and `POSSIBLE` ask for it, and nothing else does."""

    key: str
    parameters: tuple[tuple[str, Type], ...]
    body: tuple[Stmt, ...]
    result: Type
    partial: bool = False


@dataclass(frozen=True)
class Action:
    """An action, @init or the loss of a lossy network.

    `ranges[i]` is the collection that parameter i ranges over (from a leading `require(p in collection)`, which is
    still in the body), or None for its whole type. It reads the state and earlier parameters only; elements of other
    types are skipped. `fair_if` says where an instance is fair, if not everywhere; its parameters are some of the action's.
    """

    name: str
    method: Method
    parameters: tuple[tuple[str, Type], ...]
    ranges: tuple[Expr | None, ...]
    body: tuple[Stmt, ...]
    reads: frozenset[str]
    writes: frozenset[str]
    fair_if: Function | None = None


@dataclass(frozen=True)
class Property:
    """An invariant, lemma, step, reachable, eventually, leads_to or terminal. The body returns a bool (leads_to: a
    pair). That of a mapping is about a step; what it says of initial states is in `Model.beginnings`, as invariants.
    """

    name: str
    kind: str
    method: Method
    parameters: tuple[tuple[str, Type], ...]
    body: tuple[Stmt, ...]
    reads: frozenset[str]


@dataclass(frozen=True)
class Model:
    """A spec under one choice of bounds. `symmetric` are the scalarsets whose members are interchangeable: all that
    it uses but the `deciding` ones, whose names decide how a loop ends (`rounds`), each with the first such loop. Actions end with
    the `constraints` as `Within`; of initial states they are asked where these are made. `beginnings` are claims about initial states
    alone. `endings` are claims about steps: a property of runs that has the name and the parameters of one is fulfilled also by the steps
    from states that do not fulfil it of which that is true. `configured` are the class variables that are read as numbers, by the places
    where they are: a constant is there what it is as configured.
    """

    name: str
    system: System
    variables: tuple[Variable, ...]
    init: Action | None
    actions: tuple[Action, ...]
    properties: tuple[Property, ...]
    functions: dict[str, Function]
    symmetric: tuple[type, ...]
    constraints: tuple[Property, ...] = ()
    deciding: Mapping[type, Location | None] = field(default_factory=dict)
    beginnings: tuple[Property, ...] = ()
    endings: tuple[Property, ...] = ()
    configured: Mapping[Location | None, str] = field(default_factory=dict)

    def of(self, *kinds: str) -> tuple[Property, ...]:
        """The properties of these kinds, in order of definition. Raises LookupError for a kind that there is not."""
        wanted = known_kinds(*kinds)
        return tuple(found for found in self.properties if found.kind in wanted)


def statements(body: tuple[Stmt, ...], scopes: bool = True) -> Iterator[Stmt]:
    """All statements of a body, nested ones included; those of inlined procedures only with `scopes`."""
    for statement in body:
        yield statement
        match statement:
            case If(then=then, otherwise=otherwise):
                yield from statements(then, scopes)
                yield from statements(otherwise, scopes)
            case Loop(body=inner):
                yield from statements(inner, scopes)
            case Scope(body=inner):
                yield from statements(inner) if scopes else ()
            case Assign() | Mutate() | Require() | Within() | Assert() | Return() | Continue() | Break():
                pass
            case _:
                assert_never(statement)


def expressions(body: tuple[Stmt, ...]) -> Iterator[Expr]:
    """The outermost expressions of a body, in order."""
    for statement in statements(body):
        match statement:
            case Assign(target=target, value=value):
                yield from target.selectors
                yield value
            case Mutate(target=target, args=args):
                yield from target.selectors
                yield from args
            case (
                Require(condition=condition)
                | Within(condition=condition)
                | Assert(condition=condition)
                | If(condition=condition)
            ):
                yield condition
            case Loop(source=source):
                yield source
            case Return(value=value):
                if value is not None:
                    yield value
            case Scope() | Continue() | Break():
                pass
            case _:
                assert_never(statement)


def called(body: tuple[Stmt, ...], functions: dict[str, Function]) -> dict[str, Function]:
    """The functions that a body calls, by their keys, and those that these call."""
    found: dict[str, Function] = {}
    waiting = [body]
    while waiting:
        for expression in expressions(waiting.pop()):
            for node in expression.walk():
                if node.op in CALLS and node.data not in found:
                    found[node.data] = functions[node.data]
                    waiting.append(found[node.data].body)
    return found


def reads(body: tuple[Stmt, ...], functions: dict[str, Function], old: bool = False) -> frozenset[str]:
    """The state variables that a body reads, through its calls too."""
    wanted = Op.OLD if old else Op.STATE
    bodies = (body, *(function.body for function in called(body, functions).values()))
    return frozenset(
        node.data
        for part in bodies
        for expression in expressions(part)
        for node in expression.walk()
        if node.op is wanted
    )


def changes(body: tuple[Stmt, ...]) -> Iterator[Assign | Mutate]:
    """The statements that change a variable or a local, nested ones included."""
    return (statement for statement in statements(body) if isinstance(statement, Assign | Mutate))


def assigned_first(name: str, body: tuple[Stmt, ...], functions: dict[str, Function]) -> bool:
    """Whether a variable is assigned as a whole on every path, before anything reads it."""
    for position, statement in enumerate(body):
        left = any(isinstance(part, Return) for part in statements(body[:position], scopes=False))
        if isinstance(statement, Scope) and assigned_first(name, statement.body, functions):
            return not left and name not in reads(body[:position], functions)
        if (
            isinstance(statement, Assign)
            and statement.target.root == name
            and statement.target.state
            and not statement.target.selectors
        ):
            before = (
                (*body[:position], Return(statement.value))
                if name in reads((statement,), functions)
                else body[:position]
            )
            return not left and name not in reads(before, functions)
    return False


def writes(body: tuple[Stmt, ...]) -> frozenset[str]:
    """The state variables that a body may change."""
    return frozenset(change.target.root for change in changes(body) if change.target.state)
