"""Atoms from what a specification says itself: its own predicates, and the conditions of its guards and properties.

Authors name what matters. A guard such as `is_majority({v for v in Server if Vote(self.term[s], v, s) in
self.network}, Server)` is an atom about `s`, and, since a lemma must often say the same of another term, one about `s`
and any `t` in the place of `self.term[s]`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any, get_type_hints

from quorate.errors import SpecError
from quorate.kinds import GOALS, SAFETY
from quorate.language.loaded import column_in
from quorate.language.resolve import Configuration, resolve
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.language.types import IdentityType, NatType, RecordType, Type
from quorate.model.build import build
from quorate.model.nodes import Model
from quorate.model.source import Source
from quorate.prove.discovery.grammar import Atom
from quorate.prove.discovery.pasting import extended, namespace
from quorate.prove.discovery.variables import Name

BOUND = ("x", "y", "z", "w")
"""What variables of comprehensions are called, so that they are not those of a lemma."""
NAMES_MAX = 3
COST = 3


@dataclass(frozen=True)
class Template:
    """An atom with holes: an expression over parameters of these types."""

    tree: ast.expr
    parameters: tuple[tuple[str, Type], ...]

    def atom(self, names: Sequence[Name]) -> Atom:
        """The atom with these variables in place of the parameters."""
        tree = _renamed(self.tree, dict(zip((name for name, _ in self.parameters), names, strict=True)))
        text = _plain(ast.unparse(tree))
        return Atom(text, f"not {text}", frozenset(name.text for name in names), COST, pure=False)


def comparisons(spec: type[Spec], model: Model) -> list[tuple[str, RecordType]]:
    """The functions in a specification's file that tell whether something is so of two records of one type, if a lemma
    can use them."""
    records = {
        part.sort: part for variable in model.variables for part in variable.type.walk() if isinstance(part, RecordType)
    }
    found = []
    for name, function in namespace(spec).items():
        if inspect.isfunction(function) and not function.__module__.startswith("quorate."):
            hints = get_type_hints(function)
            result, kinds = hints.pop("return", None), list(hints.values())
            if result is bool and len(kinds) == 2 and kinds[0] is kinds[1] and kinds[0] in records:
                kind = records[kinds[0]]
                probe = f"    @lemma\n    def probe(self, a: {kind}, b: {kind}) -> bool:\n        return {name}(a, b)\n"
                with suppress(SpecError):
                    build(extended(spec, [probe]))
                    found.append((name, kind))
    return found


class OwnAtoms:
    """The templates of a specification."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._terms: dict[str, Type] = {}
        found: dict[str, Template] = {}
        for template in self._templates():
            found.setdefault(_key(template), template)
        self.templates = tuple(found.values())

    def atoms(self, context: Sequence[Name], pure_only: bool) -> list[Atom]:
        """The atoms over these variables."""
        if pure_only:
            return []
        found: dict[str, Atom] = {}
        for template in self.templates:
            options = [[name for name in context if name.type == kind] for _, kind in template.parameters]
            for names in product(*options):
                atom = template.atom(names)
                found.setdefault(atom.text, atom)
        return list(found.values())

    def _templates(self) -> Iterator[Template]:
        for function, parameters in self._functions():
            for tree in _conditions(function):
                template = self._template(tree, parameters)
                if template is not None and any(isinstance(node, ast.Call) for node in ast.walk(tree)):
                    yield template
                    yield from self._generalized(template)

    def _functions(self) -> Iterator[tuple[Callable[..., Any], dict[str, Type]]]:
        """All methods with the parameters that a lemma can have variables for, and calls of the pure predicates."""
        for method in self.system.of("action", *SAFETY, *GOALS):
            yield method.function, {parameter.name: parameter.type for parameter in method.parameters}
        for name in dir(self.system.spec):
            function = inspect.getattr_static(self.system.spec, name)
            if inspect.isfunction(function) and not hasattr(function, "__quorate__") and not hasattr(Spec, name):
                kinds = self._resolved(function)
                if kinds is not None:
                    yield function, kinds

    def _resolved(self, function: Callable[..., Any]) -> dict[str, Type] | None:
        """The types of the parameters of a pure predicate; None for other methods."""
        try:
            known = self.system.method_hints(function)
            if known.pop("return", None) is not bool:
                return None
            return {name: resolve(hint, name, Configuration()) for name, hint in known.items()}
        except SpecError:
            return None

    def _template(self, tree: ast.expr, parameters: dict[str, Type]) -> Template | None:
        free = sorted(_free(tree) & parameters.keys())
        kinds = [parameters[name] for name in free]
        usable = len(free) <= NAMES_MAX and all(isinstance(kind, IdentityType | NatType | RecordType) for kind in kinds)
        return Template(tree, tuple(zip(free, kinds, strict=True))) if usable else None

    def _generalized(self, template: Template) -> Iterator[Template]:
        """The template with one term of the state replaced by a variable."""
        seen, bound = set(), set(_bound(template.tree))
        for node in ast.walk(template.tree):
            kind = self._looked_up(node)
            inside = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            if kind is None or ast.unparse(node) in seen or inside & bound:
                continue
            seen.add(ast.unparse(node))
            tree = _Replace(ast.unparse(node)).visit(deepcopy(template.tree))
            left = tuple((name, known) for name, known in template.parameters if name in _free(tree))
            if len(left) < NAMES_MAX:
                yield Template(tree, (*left, (_Replace.HOLE, kind)))

    def _looked_up(self, node: ast.AST) -> Type | None:
        """The type of `self.x` or `self.x[..]`, if a variable can have it."""
        keys = 0
        while isinstance(node, ast.Subscript):
            node, keys = node.value, keys + 1
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"):
            return None
        if node.attr not in self.system.index:
            return None
        kind = self.system.variable(node.attr).type
        for _ in range(keys):
            children = kind.children()
            kind = children[-1] if len(children) == 2 else kind
        return kind if isinstance(kind, IdentityType | NatType) else None


def _conditions(function: Callable[..., Any]) -> Iterator[ast.expr]:
    """The atomic conditions of a method: of its `require`s, and of what it returns, with its local names written out."""
    try:
        source = Source.of(function)
    except SpecError:
        return
    values: dict[str, ast.expr] = {}
    for statement in source.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _Substitute(values).visit(deepcopy(value))
            case ast.Expr(value=ast.Call(func=ast.Name(id="require"), args=[condition])):
                yield from _leaves(_Substitute(values).visit(deepcopy(condition)))
            case ast.If(test=test):
                yield from _leaves(_Substitute(values).visit(deepcopy(test)))
            case ast.Return(value=ast.expr() as value):
                yield from _leaves(_Substitute(values).visit(deepcopy(value)))


def _leaves(tree: ast.expr) -> Iterator[ast.expr]:
    match tree:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _leaves(part)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            yield from _leaves(part)
        case ast.Compare(left=left, ops=[ast.NotIn()], comparators=right):
            yield ast.Compare(left, [ast.In()], right)
        case ast.Compare() | ast.Call() | ast.Attribute() | ast.Subscript():
            yield tree


class _Substitute(ast.NodeTransformer):
    """Local names replaced by their values."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return deepcopy(self.values.get(node.id, node)) if isinstance(node.ctx, ast.Load) else node


class _Replace(ast.NodeTransformer):
    """A subexpression replaced by a name."""

    HOLE = "hole"

    def __init__(self, text: str) -> None:
        self.text = text

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and ast.unparse(node) == self.text:
            return ast.Name(self.HOLE, ast.Load())
        return super().generic_visit(node)


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def _plain(text: str) -> str:
    """Source without the second pair of parentheses that `unparse` puts around a generator: `any((x for x in xs))`."""
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            start, end = (column_in(text, at or 0) for at in (node.args[0].col_offset, node.args[0].end_col_offset))
            if text[start - 1] == "(" and text[end : end + 1] == ")":
                return _plain(text[:start] + text[start + 1 : end - 1] + text[end:])
    return text


def _bound(tree: ast.expr) -> list[str]:
    """The variables of the comprehensions in an expression, in order."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension):
            found |= dict.fromkeys(name.id for name in ast.walk(node.target) if isinstance(name, ast.Name))
    return list(found)


def _free(tree: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(_bound(tree))


def _renamed(tree: ast.expr, names: dict[str, Name]) -> ast.expr:
    """An expression with other names for its parameters, and for the variables of its comprehensions where they are in
    the way."""
    taken = {name.text for name in names.values()} | _free(tree)
    spare = (name for name in BOUND if name not in taken)
    chosen = {name: name if name not in taken else next(spare, f"{name}_") for name in _bound(tree)}
    renamed: ast.expr = _Rename(chosen | {old: new.text for old, new in names.items()}).visit(deepcopy(tree))
    return renamed


def _key(template: Template) -> str:
    """Templates that differ in the names of their parameters are one."""
    names = {name: Name(f"_{position}", kind) for position, (name, kind) in enumerate(template.parameters)}
    return ast.unparse(_renamed(template.tree, names)) + " : " + ", ".join(str(kind) for _, kind in template.parameters)
