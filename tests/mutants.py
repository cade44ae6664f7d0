"""Specifications with one mistake each: every place of a class where a small change of its source leaves it readable.

A mutant is made from source text, so that whatever reads a specification reads the same mistake: CPython, the compiled model and
the proofs. Most mutants violate something; whether they do is for exploring to say.
"""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import linecache
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from quorate.language.spec import Spec, original

PROPERTIES = frozenset({"invariant", "lemma", "step", "reachable", "eventually", "leads_to", "terminal"})

Change = Callable[[ast.AST], ast.AST | None]
"""What a node becomes, a new one, or None if it cannot be changed so."""

_numbers = itertools.count()


@dataclass(frozen=True)
class Mutant:
    """One change. `kind` is what was changed ("guard", "conjunct", "comparison", "constant", "effect", "quantifier", "quorum",
    "extreme", "condition", "arithmetic", "claim"); `part` is where ("property", "action", "init", "function"), in the
    method or function `method`; `before` and `after` are its source."""

    kind: str
    part: str
    method: str
    line: int
    before: str
    after: str
    name: str
    make: Callable[[], str] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}.{self.method}:{self.line} {self.kind}: {self.before!r} -> {self.after!r}"

    @cached_property
    def source(self) -> str:
        """The whole module with the change; it has the class `name`."""
        return self.make()

    def load(self) -> type[Spec]:
        """The class with the change. Raises whatever the change makes Python or the language object to."""
        return load(self.source, self.name)


def load(source: str, name: str) -> type[Spec]:
    """A class of a module that is given as text."""
    module = types.ModuleType(f"mutant_{next(_numbers)}")
    module.__file__ = f"<{module.__name__}>"
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)
    found: type[Spec] = module.__dict__[name]
    return found


def of_spec(spec: type[Spec]) -> Iterator[Mutant]:
    """All mutants of a class in a file of its own."""
    written = original(spec)
    file = inspect.getsourcefile(written)
    assert file is not None
    return mutants(Path(file).read_text(encoding="utf-8"), written.__name__)


def mutants(source: str, name: str = "Drawn") -> Iterator[Mutant]:
    """All mutants of a class in a module that is given as text, always in the same order.

    Its methods are changed, those of its bases in the module, and the functions of the module.
    """
    tree = ast.parse(source)
    for number, (part, function) in enumerate(_functions(tree, name)):
        for position, node in enumerate(ast.walk(function)):
            for kind, change in _changes(node, part):
                fresh = change(node)
                if fresh is not None:
                    line = getattr(node, "lineno", function.lineno)
                    make = partial(_changed, tree, name, (number, position), change)
                    yield Mutant(kind, part, function.name, line, ast.unparse(node), ast.unparse(fresh), name, make)


def _changed(tree: ast.Module, name: str, place: tuple[int, int], change: Change) -> str:
    """A module with a change at a place: a function, by its number, and a node of it."""
    changed = copy.deepcopy(tree)
    _, function = list(_functions(changed, name))[place[0]]
    target = next(itertools.islice(ast.walk(function), place[1], None))
    fresh = change(target)
    assert fresh is not None
    _Replace(target, fresh).visit(function)
    start = next(number for number, node in enumerate(changed.body) if not _comes_first(node))
    changed.body.insert(start, ast.parse("from quorate import is_quorum").body[0])
    return f"{ast.unparse(ast.fix_missing_locations(changed))}\n"


def _comes_first(node: ast.stmt) -> bool:
    """Whether a statement is the module's docstring or an import from the future."""
    return isinstance(node, ast.Expr) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _functions(tree: ast.Module, name: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The methods of a class and of its bases in the module, and the functions of the module, each with its part."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    wanted, todo = [name], [name]
    while todo:
        for base in classes[todo.pop()].bases:
            if isinstance(base, ast.Name) and base.id in classes and base.id not in wanted:
                wanted.append(base.id)
                todo.append(base.id)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "function", node
        elif isinstance(node, ast.ClassDef) and node.name in wanted:
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield _part(method), method


def _part(method: ast.FunctionDef) -> str:
    marks = {part.id for mark in method.decorator_list for part in ast.walk(mark) if isinstance(part, ast.Name)}
    return (
        "property"
        if marks & PROPERTIES
        else "init"
        if "init" in marks
        else "action"
        if "action" in marks
        else "function"
    )


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
CALLED = {"all": "any", "any": "all", "max": "min", "min": "max"}
MUTATED = {"add": "discard", "discard": "add"}


def _changes(node: ast.AST, part: str) -> Iterator[tuple[str, Change]]:
    """What can be changed at a node."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="require"))):
            yield "guard", lambda _: ast.Pass()
        case ast.Expr(value=ast.Call(func=ast.Attribute())) | ast.Assign() | ast.AugAssign() if part != "property":
            yield "effect", lambda _: ast.Pass()
        case ast.BoolOp(values=values):
            yield "conjunct", _other_connective
            for number in range(len(values)):
                yield "conjunct", _without(number)
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            for other in COMPARED[type(op)]:
                yield "comparison", _compared(other)
        case ast.Constant(value=bool()):
            yield "constant", lambda found: ast.Constant(not found.value)  # type: ignore[attr-defined]
        case ast.Constant(value=int()):
            for by in (1, -1):
                yield "constant", _moved(by)
        case ast.If():
            yield "condition", _negated_test
        case ast.Return(value=value) if value is not None and part == "property":
            yield "claim", lambda found: ast.Return(ast.UnaryOp(ast.Not(), found.value))  # type: ignore[attr-defined]
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield "arithmetic", _other_sign
        case ast.Call(func=ast.Name(id="is_majority" | "is_quorum")):
            yield from (("quorum", change) for change in QUORUMS)
        case ast.Call(func=ast.Name(id=called)) if called in CALLED:
            yield ("quantifier" if called in ("all", "any") else "extreme"), _called
        case ast.Call(func=ast.Attribute(attr=attribute)) if attribute in MUTATED:
            yield "effect", _mutated


def _other_connective(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    return ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _without(number: int) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.BoolOp)
        left = [value for position, value in enumerate(node.values) if position != number]
        return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    return change


def _compared(other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Compare)
        return ast.Compare(node.left, [other()], node.comparators)

    return change


def _moved(by: int) -> Change:
    def change(node: ast.AST) -> ast.AST | None:
        assert isinstance(node, ast.Constant) and isinstance(node.value, int)
        return ast.Constant(node.value + by) if node.value + by >= 0 else None

    return change


def _negated_test(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If)
    return ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)


def _other_sign(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp)
    return ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right)


def _called(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return ast.Call(ast.Name(CALLED[node.func.id], ast.Load()), node.args, node.keywords)


def _mutated(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(node.func.value, MUTATED[node.func.attr], ast.Load()), node.args, node.keywords)


def _one_is_enough(node: ast.AST) -> ast.AST:
    """A quorum of one member."""
    assert isinstance(node, ast.Call)
    return ast.Call(ast.Name("is_quorum", ast.Load()), [node.args[0], ast.Constant(1), node.args[-1]], [])


def _one_less(node: ast.AST) -> ast.AST | None:
    """A quorum of one member less, where its size is a number of its own."""
    assert isinstance(node, ast.Call)
    if len(node.args) != 3:
        return None
    less = ast.BinOp(node.args[1], ast.Sub(), ast.Constant(1))
    return ast.Call(ast.Name("is_quorum", ast.Load()), [node.args[0], less, node.args[2]], [])


QUORUMS: tuple[Change, ...] = (_one_is_enough, _one_less)
