"""Which arguments an action is tried with.

A parameter ranges over its type. An action that begins with `require(m in self.network)` would throw away nearly all
of those choices, so such a parameter ranges over the collection instead. Both give the same enabled instances in the
same order: the order of the parameter's type. What counts as the beginning: the `require` statements right after the
docstring, for as long as each of them (or the first operand of its `and`) says that a parameter is `in` an expression
of `self`, of parameters before it and of names outside the method. Where that expression fails, or has members of which it is not plain
what they equal, the parameter ranges over its type.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Any

from quorate.errors import SpecError, counted
from quorate.explore.engine import Disagreement
from quorate.language.control import Cut, require
from quorate.language.declarations import SpecBase
from quorate.language.loaded import definition_of
from quorate.language.sorts import Identity
from quorate.language.system import Arguments, Method, Parameter, State, System
from quorate.language.types import IdentityType, NoneType, RecordType, Type, UnionType
from quorate.language.types.base import Leaf
from quorate.language.types.structured import is_record

INSTANCES_MAX = 1_000_000
"""More choices than this for one method are refused: it would be tried with each of them in every state."""

REMEMBERED_MAX = 100_000
"""How many different collections the choices of one parameter are remembered for."""

UNDERSTOOD = ("builtins", "collections", "enum", "quorate")
"""Where collections are defined that contain what they range over."""

SEED = 20110301
BEYOND = 4
"""So many choices are drawn each time that it is looked whether one that is left out can happen."""

Collection = Callable[..., Any]


def collections_of(method: Method) -> dict[str, Collection]:
    """For each parameter that ranges over a collection: a function of `self` and the parameters before it that gives
    the collection. Empty where the source of the method cannot be read.
    """
    names = [parameter.name for parameter in method.parameters]
    found: dict[str, Collection] = {}
    definition = definition_of(method.function)
    if definition is None or not names:
        return found
    own, *_ = parameters_of(definition)
    for condition in _leading(method.function, definition):
        match conjuncts(condition)[0]:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.In()], comparators=[expression]) if name in names:
                before = names[: names.index(name)]
                free = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
                if name in found or free & set(names) - set(before):
                    break
                found[name] = _function(method.function, [own, *before], expression)
            case _:
                break
    return found


def memberships(method: Method) -> list[tuple[Collection, Collection]]:
    """The `x in collection` that the leading `require`s of an action demand, each as two functions of `self` and the
    parameters: the member and the collection."""
    definition = definition_of(method.function)
    found: list[tuple[Collection, Collection]] = []
    if definition is None:
        return found
    parameters = parameters_of(definition)
    for condition in _leading(method.function, definition):
        for conjunct in conjuncts(condition):
            match conjunct:
                case ast.Compare(left=member, ops=[ast.In()], comparators=[collection]):
                    found.append(
                        (
                            _function(method.function, parameters, member),
                            _function(method.function, parameters, collection),
                        )
                    )
    return found


def parameters_of(definition: ast.FunctionDef) -> list[str]:
    """The names of the parameters that are given by position, `self` among them."""
    return [argument.arg for argument in (*definition.args.posonlyargs, *definition.args.args)]


def _leading(function: Callable[..., Any], definition: ast.FunctionDef) -> Iterator[ast.expr]:
    """The conditions of the leading `require`s, whatever the function calls it. A function of the author's that is called so is another."""
    body, names = definition.body, namespace_of(function)
    if ast.get_docstring(definition, clean=False) is not None:
        body = body[1:]
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id=called), args=[condition], keywords=[])) if (
                names.get(called) is require and called not in function.__code__.co_varnames
            ):
                yield condition
            case _:
                return


def conjuncts(condition: ast.expr) -> list[ast.expr]:
    """The operands of nested `and`s, from the left; the condition itself if it has none."""
    if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And):
        return [part for value in condition.values for part in conjuncts(value)]
    return [condition]


def namespace_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The names that a function's body sees besides its own."""
    return {**function.__globals__, **inspect.getclosurevars(function).nonlocals}


def _function(method: Callable[..., Any], parameters: list[str], expression: ast.expr) -> Collection:
    """`lambda self, *parameters: expression`, in the namespace of the method."""
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in parameters], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    node = ast.Expression(ast.Lambda(arguments, expression))
    code = compile(ast.fix_missing_locations(node), method.__code__.co_filename, "eval")
    made: Collection = eval(code, namespace_of(method))
    return made


def always(parameter: Parameter, contents: Any) -> bool:
    """A parameter ranges over what it is taken from, whatever that is."""
    return True


class Choices:
    """The arguments that one method is tried with, in canonical order; a function of the state. `within` says which parameters range
    over what they are taken from, and which over their types all the same. No more than `most` are listed: drawn ones, or, where
    they are taken from something, the first.

    Raises SpecError when there are too many.
    """

    def __init__(
        self,
        system: System,
        method: Method,
        within: Callable[[Parameter, Any], bool] = always,
        most: int | None = None,
    ) -> None:
        self._system, self._method, self._within, self._most = system, method, within, most
        self._collections = collections_of(method) if method.declaration.kind == "action" else {}
        self._remembered: list[dict[Hashable, list[Any]]] = [{} for _ in method.parameters]
        count = 1
        for parameter in method.parameters:
            if parameter.name not in self._collections:
                count *= parameter.type.cardinality
        if count > INSTANCES_MAX:
            raise SpecError(self._too_many(count))
        self._calls, self._chance = 0, Random(SEED)
        self.fixed: tuple[Arguments, ...] | None = None
        """All choices, where they are the same in every state."""
        if not self._collections:
            drawn = None if most is None or count <= most else self._drawn(most)
            self.fixed = tuple(drawn or system.choices(method.parameters))

    def _too_many(self, count: int) -> str:
        where = f"{self._system.name}.{self._method.name} would be tried with {counted(count)} arguments in every state"
        sizes = ", ".join(
            f"{parameter.name}: {parameter.type} has {counted(parameter.type.cardinality)} values"
            for parameter in self._method.parameters
            if parameter.name not in self._collections
        )
        remedy = (
            "Start the action with `require(m in self.network)`, so that m ranges over what is there, or lower a bound."
            if self._method.declaration.kind == "action"
            else "Lower a bound, or quantify inside over what is there."
        )
        return f"{where} ({sizes}); at most {INSTANCES_MAX:,} are allowed. {remedy}"

    def __call__(self, state: State) -> Sequence[Arguments]:
        """The choices to try in `state`. Raises Failure if the expression of a collection raises, and there are too many to try.
        Raises Disagreement if one that is left out can happen: that is looked at now and then, ever more seldom."""
        if self.fixed is not None:
            return self.fixed
        found = list(islice(self._combinations(self._system.view(state), 0, ()), self._most))
        self._calls += 1
        if self._calls & (self._calls - 1) == 0 and len(found) != self._most:
            self._look_beyond(state, found)
        return found

    def _look_beyond(self, state: State, found: Sequence[Arguments]) -> None:
        for arguments in self._drawn(BEYOND):
            if arguments in found:
                continue
            try:
                can_happen = self._system.fire(state, self._method, arguments) is not None
            except Cut:
                can_happen = True
            if can_happen:
                call = self._method.call(arguments)
                raise Disagreement(
                    f"{self._system.name}.{call} can happen, and was left out of what an action is tried with"
                )

    def _drawn(self, count: int) -> Iterator[Arguments]:
        """So many arguments of the right types, drawn."""
        kinds = [parameter.type for parameter in self._method.parameters]
        for _ in range(count):
            yield tuple(kind.decode(self._chance.randrange(kind.cardinality)) for kind in kinds)

    def _combinations(self, view: SpecBase, position: int, chosen: Arguments) -> Iterator[Arguments]:
        if position == len(self._method.parameters):
            yield chosen
            return
        for value in self._values(view, position, chosen):
            yield from self._combinations(view, position + 1, (*chosen, value))

    def _values(self, view: SpecBase, position: int, chosen: Arguments) -> Sequence[Any]:
        parameter = self._method.parameters[position]
        collection = self._collections.get(parameter.name)
        remembered = self._remembered[position]
        if collection is not None:
            try:
                contents = collection(view, *chosen)
                if self._within(parameter, contents):
                    return self._known(parameter, remembered, contents)
            except (Cut, Exception) as error:  # The action meets it again, and says of every instance how it ends.
                if parameter.type.cardinality > INSTANCES_MAX:
                    raise self._system.failure(self._method, chosen, error) from error
        if None not in remembered:
            remembered[None] = list(parameter.type.values())
        return remembered[None]

    def _known(self, parameter: Parameter, remembered: dict[Hashable, list[Any]], contents: Any) -> list[Any]:
        require_understood(contents)
        try:
            found = remembered.get(contents)
        except TypeError:  # A list or set that the expression has just built cannot be a key.
            return of_type(parameter.type, contents)
        if found is None:
            if len(remembered) >= REMEMBERED_MAX:
                remembered.clear()
            found = remembered[contents] = of_type(parameter.type, contents)
        return found


class Doubtful(Exception):
    """What the members of a collection equal is not plain."""


def require_understood(contents: Any) -> None:
    """Raises Doubtful for a collection that may contain other values than those that it ranges over. In a text are all its parts."""
    if type(contents) is str or type(contents).__module__.partition(".")[0] not in UNDERSTOOD:
        raise Doubtful


def members_of(kind: Type, contents: Any) -> Iterator[Any]:
    """The members of a collection that are of a type. Raises Doubtful if other values of the type may be in it: in Python `1 in {True}` is
    true."""
    for value in contents:
        if kind.accepts(value):
            yield value
        elif _may_equal(kind, value):
            raise Doubtful


def of_type(kind: Type, contents: Any) -> list[Any]:
    """The values of a type that are in a collection, each once, in canonical order. Raises Doubtful as `members_of` does."""
    values: dict[int, Any] = {}
    for value in members_of(kind, contents):
        try:
            checked = kind.check(value)
        except Cut:
            continue
        except SpecError:
            if isinstance(kind, Leaf):
                continue
            raise Doubtful from None
        values[kind.encode(checked)] = checked
    return [values[code] for code in sorted(values)]


def _may_equal(kind: Type, value: Any) -> bool:
    """Whether a value that is none of a type may equal one. Records, identities and None equal nothing of another class."""
    if value is None or isinstance(value, Identity) or is_record(type(value)):
        return False
    kinds = kind.kinds if isinstance(kind, UnionType) else (kind,)
    return not all(isinstance(one, NoneType | IdentityType | RecordType) for one in kinds)
