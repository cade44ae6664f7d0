"""Why an action is not possible: the guard that is false, and the values that make it so.

The action is run by CPython until a `require` ends it; the line where that happens, in the action or in a method that it calls, is
looked up in the source, and the operands of the condition's first false part are evaluated where it stands.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import CodeType, FrameType, TracebackType
from typing import Any

from quorate.explore.choices import conjuncts
from quorate.explore.traces.witnesses import plain_json
from quorate.language.control import Cut, Disabled, require
from quorate.language.loaded import definition_in
from quorate.language.networks import Wire
from quorate.language.sorts import Identity
from quorate.language.system import Arguments, Failure, Method, State, System, is_of_spec
from quorate.trace import Json


@dataclass(frozen=True)
class Refusal:
    """Why an instance of an action is not possible. `guard` is the part of a `require` that is false, with the arguments put in;
    `values` what the parts of it are that are no constants. `bound` instead: the bound, or constraint, that it would pass."""

    guard: str = ""
    values: tuple[tuple[str, Json], ...] = ()
    bound: str | None = None


def refusal(system: System, state: State, action: Method, arguments: Arguments) -> Refusal | None:
    """Why an instance is not possible in a state; None if it is possible, or raises. Call it inside the system's configuration."""
    try:
        if system.fire(state, action, arguments) is not None:
            return None
    except Cut as cut:
        return Refusal(bound=cut.bound)
    except Failure:
        return None
    draft, _ = system.draft(state)
    try:
        action.function(draft, *arguments)
    except Disabled as disabled:
        return _explained(disabled.__traceback__)
    return Refusal()


def _explained(traceback: TracebackType | None) -> Refusal:
    """What the `require` says that raised."""
    frames = list(_frames(traceback))
    at = next((number for number, (frame, _) in enumerate(frames) if frame.f_code is require.__code__), len(frames))
    if at == 0 or at == len(frames):
        return Refusal()
    frame, line = frames[at - 1]
    condition = condition_at(frame, line)
    if condition is None:
        return Refusal(linecache.getline(frame.f_code.co_filename, line).strip())
    part = decisive(condition, frame)
    return Refusal(_written(part, frame), tuple(_operands(part, frame)))


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def condition_at(frame: FrameType, line: int) -> ast.expr | None:
    """The condition of the `require` that is called in a line of a function; None where it cannot be read."""
    called = tuple(name for name, value in names_in(frame).items() if value is require)
    return _condition(frame.f_code, line, called)


@lru_cache(maxsize=1024)
def _condition(code: CodeType, line: int, called: Sequence[str]) -> ast.expr | None:
    tree = definition_in(code)
    for node in () if tree is None else ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[condition]) if name in called and node.lineno <= line <= (
                node.end_lineno or node.lineno
            ):
                return condition
    return None


def names_in(frame: FrameType) -> dict[str, Any]:
    """The names that a function sees where it stands."""
    return {**frame.f_globals, **frame.f_locals}


def decisive(condition: ast.expr, frame: FrameType) -> ast.expr:
    """The first conjunct of a condition that is false there; the condition itself where a part has no value outside its function, as
    `super()` has none."""
    for part in conjuncts(condition):
        try:
            if not value_in(part, frame):
                return part
        except BaseException as error:
            if not is_of_spec(error):
                raise
            break
    return condition


def value_in(part: ast.expr, frame: FrameType) -> Any:
    """The value of an expression of a function where it stands."""
    return eval(compile(ast.Expression(part), "<guard>", "eval"), names_in(frame))


def _operands(part: ast.expr, frame: FrameType) -> Iterator[tuple[str, Json]]:
    """The operands of a condition that its text does not already show, with their values."""
    shown: dict[str, Json] = {}
    for operand in _parts(part):
        if isinstance(operand, ast.Constant):
            continue
        try:
            value = value_in(operand, frame)
        except BaseException as error:
            if not is_of_spec(error):
                raise
            continue
        text = _written(operand, frame)
        if not isinstance(value, Wire) and text != _literal(value):
            shown.setdefault(text, plain_json(value))
    yield from shown.items()


def _parts(part: ast.expr) -> list[ast.expr]:
    """What a condition compares or joins; the condition itself is no part: that it is false is known."""
    match part:
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BoolOp(values=values):
            return [each for value in values for each in (_parts(value) or [value])]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _parts(operand) or [operand]
        case ast.Call(args=arguments):
            return [argument for argument in arguments if isinstance(argument, ast.Name)]
        case _:
            return []


def _written(part: ast.expr, frame: FrameType) -> str:
    """The source of an expression as a reader of this instance would write it: arguments put in, and no `self`."""
    return ast.unparse(_Put(frame).visit(ast.parse(ast.unparse(part), mode="eval").body))


class _Put(ast.NodeTransformer):
    def __init__(self, frame: FrameType) -> None:
        self._names, self._state = frame.f_locals, next(iter(frame.f_code.co_varnames), "self")

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = _literal(self._names.get(node.id))
        return node if text is None else ast.copy_location(ast.Name(text, ast.Load()), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        match node.value:
            case ast.Name(id=name) if name == self._state:
                return ast.Name(node.attr, ast.Load())
            case ast.Name(id=name) if name[:1].isupper() and node.attr.isupper():  # A member of an Enum.
                return ast.Name(node.attr, ast.Load())
        self.generic_visit(node)
        return node


def _literal(value: Any) -> str | None:
    """The text of a value that is one word; None for others."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Identity) or (isinstance(value, int) and not isinstance(value, bool)):
        return repr(value)
    return None
