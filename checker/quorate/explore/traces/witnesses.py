"""Why a property is false: the values that make it so, and the places of the state that it depends on.

A property is usually one big `all(... for a in Server for b in Server if ...)`. Saying that it is false helps nobody;
the a and b for which it is false do. So the property's own source is evaluated piece by piece: the generators of an
outermost `all` (or `not any`) are run until the first binding that falsifies, then the explanation goes on inside it.
What is read on the way to that last, decisive evaluation is what the property depends on. Where the source has
another form, or cannot be read, everything that the property reads counts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from quorate.explore.choices import namespace_of, parameters_of
from quorate.explore.traces.recording import Place, Recorder
from quorate.language.loaded import definition_of
from quorate.language.networks import Wire
from quorate.language.resolve import record_type
from quorate.language.sorts import Identity
from quorate.language.system import Arguments, Method, State, System
from quorate.language.types import is_record
from quorate.trace import Json

Names = dict[str, Any]
Bindings = list[tuple[str, Any]]


Reads = list[tuple[str, Place]]
Messages = list[tuple[str, str, Any]]


@dataclass
class Explanation:
    """The values bound on the way to the decisive evaluation, the places it reads and the messages on networks that it looks at,
    both labelled "" or "old"."""

    bindings: Bindings = field(default_factory=list)
    places: Reads = field(default_factory=list)
    messages: Messages = field(default_factory=list)


def explain(
    system: System, method: Method, state: State, arguments: Arguments, old: State | None = None
) -> Explanation:
    """Why a property of a state (or, with `old`, of a transition) is false for `arguments`."""
    recorder = Recorder()
    evaluation = _Evaluation(system, method, state, arguments, old, recorder)
    parameters = [(parameter.name, value) for parameter, value in zip(method.parameters, arguments, strict=True)]
    found: Explanation | None = None
    try:
        found = _explained(evaluation)
    except Exception:  # The property itself raises, or an unusual form cannot be evaluated in pieces.
        found = None
    if found is None:
        evaluation.whole()
        found = evaluation.read()
    return Explanation([*parameters, *found.bindings], found.places, found.messages)


class _Evaluation:
    """Evaluates parts of a property's source, noting what each evaluation reads."""

    def __init__(
        self, system: System, method: Method, state: State, arguments: Arguments, old: State | None, recorder: Recorder
    ) -> None:
        self.system, self.method, self.state, self.arguments, self.old = system, method, state, arguments, old
        self.recorder = recorder
        self.definition = definition_of(method.function)

    def views(self) -> list[Any]:
        """Fresh views for `self` and, for a step property, `old`."""
        views = [self.recorder.view(self.system, self.state)]
        if self.old is not None:
            views.append(self.recorder.view(self.system, self.old, "old"))
        return views

    def read(self) -> Explanation:
        """What the last evaluation read."""
        return Explanation([], list(self.recorder.places), list(self.recorder.messages))

    def _begin(self) -> None:
        self.recorder.places.clear()
        self.recorder.messages.clear()

    def whole(self) -> None:
        """Evaluate the whole property, whatever comes of it."""
        self._begin()
        try:
            self.method.function(*self.views(), *self.arguments)
        except Exception:
            return

    def value(self, expression: ast.expr, names: Names) -> tuple[Any, Explanation]:
        """The value of a part, and what it read. Iterating over a network goes on when this has returned: a value that is one is
        iterated over here."""
        assert self.definition is not None
        self._begin()
        heads = parameters_of(self.definition)
        scope = (
            namespace_of(self.method.function) | dict(zip(heads, [*self.views(), *self.arguments], strict=True)) | names
        )
        code = compile(ast.Expression(expression), self.method.function.__code__.co_filename, "eval")
        value = eval(code, scope)
        return (list(value), self.read()) if isinstance(value, Wire) else (value, self.read())


def _explained(evaluation: _Evaluation) -> Explanation | None:
    definition = evaluation.definition
    if definition is None:
        return None
    body = definition.body[1:] if ast.get_docstring(definition, clean=False) is not None else definition.body
    match body:
        case [ast.Return(value=ast.expr() as expression)]:
            return _why(evaluation, expression, {}, False)
        case _:
            return None


def _why(evaluation: _Evaluation, expression: ast.expr, names: Names, truth: bool) -> Explanation:
    """Why `expression` has the value `truth`, which it has."""
    match expression:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _why(evaluation, operand, names, not truth)
        case ast.BoolOp(op=operator, values=operands):
            decides = isinstance(operator, ast.And) != truth  # One operand decides a false `and` and a true `or`.
            if decides:
                operands = [next(part for part in operands if bool(evaluation.value(part, names)[0]) is truth)]
            return _joined(_why(evaluation, operand, names, truth) for operand in operands)
        case ast.Call(func=ast.Name(id=("all" | "any") as quantifier), args=[ast.GeneratorExp() as generator]) if (
            quantifier == "all"
        ) != truth:
            for bound, reads in _bindings(evaluation, generator.generators, names):
                value, _ = evaluation.value(generator.elt, bound)
                if bool(value) is truth:
                    inner = _why(evaluation, generator.elt, bound, truth)
                    new = [(name, bound[name]) for name in _targets(generator)]
                    return _joined(iter([reads, Explanation(new), inner]))
    return evaluation.value(expression, names)[1]


def _joined(parts: Iterator[Explanation]) -> Explanation:
    whole = Explanation()
    for part in parts:
        whole.bindings += part.bindings
        whole.places += part.places
        whole.messages += part.messages
    return whole


def _targets(generator: ast.GeneratorExp) -> list[str]:
    return [
        node.id for clause in generator.generators for node in ast.walk(clause.target) if isinstance(node, ast.Name)
    ]


def _bindings(
    evaluation: _Evaluation, clauses: list[ast.comprehension], names: Names
) -> Iterator[tuple[Names, Explanation]]:
    """Run the clauses of a generator: the names of each round, and what its iterables and conditions read."""
    if not clauses:
        yield names, Explanation()
        return
    clause, *rest = clauses
    values, reads = evaluation.value(clause.iter, names)
    for value in values:
        bound = names | dict(_matched(clause.target, value))
        conditions = [_only(reads, value)]
        if all(_noted(evaluation, condition, bound, conditions) for condition in clause.ifs):
            for final, more in _bindings(evaluation, rest, bound):
                yield final, _joined(iter([*conditions, more]))


def _only(reads: Explanation, value: Any) -> Explanation:
    """What an iterable read, as far as it concerns the round with this value: of a network's messages this one."""
    chosen = [message for message in reads.messages if message[2] == value]
    return Explanation([], reads.places, chosen or reads.messages)


def _noted(evaluation: _Evaluation, condition: ast.expr, names: Names, reads: list[Explanation]) -> bool:
    value, read = evaluation.value(condition, names)
    reads.append(read)
    return bool(value)


def _matched(target: ast.expr, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple):
        for part, element in zip(target.elts, value, strict=True):
            yield from _matched(part, element)
    else:
        raise ValueError("only names and tuples of names are explained")


def plain_json(value: Any) -> Json:
    """The JSON form, as in `quorate.trace`, of a value whose type is not at hand."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Identity):
        return repr(value)
    if is_record(type(value)):
        return record_type(type(value)).to_json(value)
    if isinstance(value, dict):
        return {"map": [[plain_json(key), plain_json(part)] for key, part in value.items()]}
    for kind, form in _COLLECTIONS:
        if isinstance(value, kind):
            return form(value)
    return value if isinstance(value, bool | int | str | type(None)) else repr(value)


_COLLECTIONS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Json]], ...] = (
    (tuple, lambda value: {"tuple": [plain_json(part) for part in value]}),
    ((list, range), lambda value: [plain_json(part) for part in value]),
    ((set, frozenset), lambda value: {"set": sorted((plain_json(part) for part in value), key=repr)}),
    (Wire, lambda value: value._type.to_json(value)),
)
