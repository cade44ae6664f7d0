"""Mutants as classes: the specification with methods written anew.

A property keeps its meaning. Where it reads a method that a mutant changes, the actions get one of another name, and so do the methods
on the way there that properties read as well.
"""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import FunctionType
from typing import Any

from quorate.language.loaded import as_compiled, private_prefix
from quorate.language.spec import Spec, derived, without
from quorate.language.written import keep_source
from quorate.mutate.changes import changes
from quorate.mutate.memory import losses
from quorate.mutate.protocol import IN_MUTANT, Protocol, Written
from quorate.mutate.text import Edit, Span, Text

_numbers = count()


@dataclass(frozen=True)
class Mutant:
    """One change of a specification. `span` is what is removed or weakened, `before` its source; `instead` what it becomes, "" if it is
    gone. `method` is where, or the variable that is forgotten."""

    kind: str
    method: str
    span: Span
    before: str
    instead: str
    make: Callable[[], type[Spec]] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.method}:{self.span.line} {self.says}"

    @property
    def says(self) -> str:
        """What it does, in the words of the source."""
        if self.kind == "memory":
            return f"{self.before} {self.instead}"
        return f"{self.instead} instead of {self.before}" if self.instead else f"without {self.before}"


def mutants(spec: type[Spec]) -> list[Mutant]:
    """All mutants of a specification, in the order of its file. Some may be no legal specification."""
    protocol = Protocol(spec)
    with protocol.system:
        found = [*_of_methods(protocol), *_of_actions(protocol), *_of_memory(protocol)]
    return sorted(found, key=lambda mutant: (mutant.span.line, mutant.kind != "action", mutant.span.column))


def _of_methods(protocol: Protocol) -> Iterator[Mutant]:
    """Parts of methods, removed or weakened."""
    for method in protocol.methods.values():
        renamed = protocol.shared_above(method.name)
        if renamed is None:
            continue
        for change in changes(method, protocol.system):
            edit = Edit(protocol.text.span(change.node), change.text)
            span = protocol.text.span(change.part)
            make = partial(_rewritten, protocol, method, edit, renamed)
            yield Mutant(change.kind, method.name, span, protocol.text.at(span), change.instead, make)


def _of_actions(protocol: Protocol) -> Iterator[Mutant]:
    """Actions left out."""
    for action in protocol.system.actions:
        method = protocol.methods.get(action.name)
        if method is not None and len(protocol.system.actions) > 1:
            line, column = method.node.lineno, protocol.text.span(method.node).column
            span = Span(line, column, line, column + len(f"def {action.name}"))
            make = partial(without, protocol.spec, [action.name])
            yield Mutant("action", action.name, span, f"the action {action.name}", "", make)


def _of_memory(protocol: Protocol) -> Iterator[Mutant]:
    """Variables that a restart forgets."""
    for loss in losses(protocol):
        make: Callable[[], type[Spec]]
        if loss.action is not None:
            make = partial(derived, protocol.spec, **{loss.action.__name__: loss.action})
        else:
            assert loss.restart is not None and loss.edit is not None
            make = partial(_rewritten, protocol, loss.restart, loss.edit, frozenset())
        yield Mutant("memory", loss.variable, loss.span, loss.variable, loss.says, make)


def _rewritten(protocol: Protocol, method: Written, edit: Edit, renamed: frozenset[str]) -> type[Spec]:
    """The class with one method changed, and with those `renamed` under another name wherever the protocol calls them."""
    made: dict[str, Any] = {}
    for other in protocol.methods.values():
        edits = [Edit(span, f"{other.own}.{_other(name)}") for span, name in _mentions(protocol.text, other, renamed)]
        if other is method:
            edits.append(edit)
        if edits:
            name = _other(other.name) if other.name in renamed else other.name
            made[name] = _compiled(protocol.text.edited(edits), other, name)
    return derived(protocol.spec, **made)


def _other(name: str) -> str:
    return f"{name}{IN_MUTANT}"


def _mentions(text: Text, method: Written, names: frozenset[str]) -> Iterator[tuple[Span, str]]:
    """Where a method takes one of these from `self`."""
    if not method.calls & names:
        return
    for node in ast.walk(method.node):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=called) if name == method.own and called in names:
                yield text.span(node), called


def _compiled(contents: str, method: Written, name: str) -> FunctionType:
    """A method of a file with these contents, in which lines have their numbers, under a name."""
    file = f"<mutant {next(_numbers)} of {method.name}>"
    keep_source(file, contents)
    original = method.function
    node = next(
        node
        for node in ast.walk(ast.parse(contents))
        if isinstance(node, ast.FunctionDef) and (node.name, node.lineno) == (method.node.name, method.node.lineno)
    )
    code = original.__code__
    node = as_compiled(node, private_prefix(code))
    flags = code.co_flags & __future__.annotations.compiler_flag
    module = compile(ast.Module([node], []), file, "exec", flags, dont_inherit=True)
    scope: dict[str, Any] = {}
    exec(module, original.__globals__, scope)
    made: FunctionType = scope[node.name]
    made.__code__ = made.__code__.replace(co_qualname=code.co_qualname)  # It says what private names are called.
    made.__name__, made.__qualname__ = name, original.__qualname__
    return made
