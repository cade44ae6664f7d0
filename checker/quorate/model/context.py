"""What the lowering of one function body knows: names, the types found for them so far, and where they are defined."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quorate.errors import SpecError
from quorate.language.resolve import Configuration, hints, is_classvar, resolve
from quorate.language.types import Type
from quorate.model.conversion import adapt, join, widen
from quorate.model.nodes import Expr, Op
from quorate.model.source import MISSING, Source

if TYPE_CHECKING:
    from quorate.model.build import Builder

PASSES_EXACT = 3
"""Passes over a body before growing ranges of numbers are given up on."""


@dataclass
class Findings:
    """What survives from one pass over a body to the next: the types of its locals and of its result."""

    types: dict[str, Type] = field(default_factory=dict)
    result: Type | None = None
    passes: int = 0
    changed: bool = False

    def grown(self, old: Type | None, new: Type, complain: Any) -> Type:
        """The type that covers both, remembered as a change if it is not `old`."""
        if old is None:
            self.changed = True
            return new
        joined = join(old, new)
        if joined is None:
            raise complain(f"This name holds a {old} and a {new} at different times; use two names.")
        if joined != old:
            self.changed = True
            if self.passes >= PASSES_EXACT:
                joined = widen(old, joined)
        return joined


class Context:
    """The state of lowering one body. Inlined procedures and comprehensions work in a copy of the bindings."""

    def __init__(
        self, builder: Builder, source: Source, self_names: dict[str, Op], findings: Findings, pure: bool
    ) -> None:
        self.builder, self.source, self.findings, self.pure = builder, source, findings, pure
        self.self_names = self_names
        self.bindings: dict[str, Expr] = {}
        self.defined: set[str] = set()
        self.taken: set[str] = set()
        self.versions: dict[str, int] = {}
        self.aliases: dict[str, dict[str, int]] = {}
        self.inlining: tuple[Any, ...] = ()
        self.declared_result: Type | None = None
        self.wanted_result: Type | None = None

    def location(self, node: ast.AST) -> Any:
        """Where a node stands."""
        return self.source.location(node)

    def complain(self, node: ast.AST) -> Any:
        """A maker of errors at a node."""
        return lambda message: self.source.error(node, message)

    def fresh(self, name: str) -> str:
        """A local name that no other local of this body has."""
        unique, number = name, 1
        while unique in self.taken:
            number += 1
            unique = f"{name}_{number}"
        self.taken.add(unique)
        return unique

    def local(self, name: str, kind: Type, node: ast.AST) -> Expr:
        """A new bound name, readable from here on."""
        unique = self.fresh(name)
        self.defined.add(unique)
        expression = Expr(Op.LOCAL, kind, (), unique, self.location(node))
        self.bindings[name] = expression
        return expression

    def adapt(self, value: Expr, want: Type, node: ast.AST) -> Expr:
        """`value` converted to `want`; an error at `node` if that is impossible."""
        return adapt(value, want, self.complain(node), self.location(node))

    def static(self, node: ast.AST) -> Any:
        """The Python object that an expression names without looking at the state, or MISSING."""
        if isinstance(node, ast.Name) and not {node.id} & (
            self.bindings.keys() | self.self_names.keys() | self.source.stored
        ):
            return self.source.resolve(node.id)
        if isinstance(node, ast.Attribute):
            base = self.static(node.value)
            if base is not MISSING:
                return getattr(base, node.attr, MISSING)
        return MISSING

    def annotation(self, node: ast.expr, name: str) -> Type:
        """The type that an annotation inside a body means."""
        try:
            hint = eval(compile(ast.Expression(node), self.source.file, "eval"), dict(self.source.namespace))
        except Exception as error:
            raise self.source.error(node, f"The annotation of {name} is not a type: {error}.") from None
        return resolve(hint, name, Configuration())

    def parameter_hints(self, function: Any, owner: type | None) -> dict[str, Type]:
        """The annotated types of a function's parameters and result, where they are types of the language."""
        known = self.builder.system.method_hints(function) if owner is not None else hints(function)
        found: dict[str, Type] = {}
        for name, hint in known.items():
            if is_classvar(hint):
                continue
            try:
                found[name] = resolve(hint, f"{function.__name__}.{name}", Configuration())
            except SpecError:
                continue  # a helper may take an int, which is no type of a variable but a fine one of an argument
        return found
