"""What the lowering of one function body knows: names, the types found for them so far, and where they are defined."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from quorate.errors import Location, SpecError
from quorate.language.known import UNKNOWN, attribute
from quorate.language.places import placed
from quorate.language.resolve import Configuration, hints, is_classvar, resolve
from quorate.language.system import System
from quorate.language.types import NoneType, Type
from quorate.model.conversion import adapt, join, widen
from quorate.model.facts import Facts, without
from quorate.model.nodes import Expr, Function, Op
from quorate.model.source import MISSING, Source

PASSES_EXACT = 3
"""Passes over a body before growing ranges of numbers are given up on."""

CALLS_MAX = 1_000
"""A body makes so many calls, with all that is called by them: passes and engines look at each. No body of the library makes over 59."""


@dataclass
class Findings:
    """What survives from one pass over a body to the next: the types of its locals and of its result."""

    types: dict[str, Type] = field(default_factory=dict)
    result: Type | None = None
    passes: int = 0
    changed: bool = False
    writes_auxiliary: bool = False
    calls: int = 0

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


Shared = dict[str, dict[str, int]]
"""For each local name the roots that its container may hang below, and their versions when it was named (see `aliases`)."""


@dataclass(eq=False)  # Two ways are two, also where the same is so on both.
class Path:
    """What is so at the end of one way through a body."""

    defined: set[str]
    aliases: Shared
    known: Facts


@dataclass(frozen=True)
class Before:
    """What was so before a loop."""

    defined: frozenset[str]
    bindings: dict[str, Expr]
    aliases: Shared
    versions: dict[str, int]

    def changed(self, versions: dict[str, int]) -> frozenset[str]:
        """The roots whose containers have changed since."""
        return frozenset(root for root, version in versions.items() if self.versions.get(root, 0) != version)


def merged(first: Shared, second: Shared) -> Shared:
    """What names may share where two paths meet; the older version of a root counts."""
    found = {local: dict(parts) for local, parts in first.items()}
    for local, parts in second.items():
        known = found.setdefault(local, {})
        for part, version in parts.items():
            known[part] = min(version, known.get(part, version))
    return found


class Builder(Protocol):
    """What the lowering of a body asks of whoever builds the model."""

    system: System
    functions: dict[str, Function]
    configured: dict[Location | None, str]
    """The class variables that are read as numbers, by the places where they are."""
    rules: Mapping[type[ast.expr], Rule]
    calls: dict[str, int]
    """How many calls each function makes, with those that these make."""

    def function(
        self,
        ctx: Context,
        node: ast.AST,
        function: Any,
        owner: type | None,
        self_op: Op | None,
        parameters: tuple[tuple[str, Type], ...],
        result: Type | None = None,
    ) -> Function:
        """A pure function for these argument types, built on first use."""


class Context:
    """The state of lowering one body. Inlined procedures and comprehensions work in a copy of the bindings."""

    def __init__(
        self, builder: Builder, source: Source, self_names: dict[str, Op], findings: Findings, pure: bool
    ) -> None:
        self.builder, self.source, self.findings, self.pure = builder, source, findings, pure
        self.self_names = self_names
        self.systems: Mapping[str, System] = {}
        self.bindings: dict[str, Expr] = {}
        self.defined: set[str] = set()
        self.taken: set[str] = set()
        self.versions: dict[str, int] = {}
        self.aliases: Shared = {}
        self.known: Facts = frozenset()
        """Conditions that are true here (`narrowing`)."""
        self.writes_auxiliary = False
        self.auxiliary_writes = 0
        self.inlining: tuple[Any, ...] = ()
        self.calls = 0
        self.sources: dict[tuple[Any, type | None], Source] = {}
        self.declared_result: Type | None = None
        self.wanted_result: Type | None = None

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Names bound inside are gone afterwards, and what was known of them."""
        saved, known = dict(self.bindings), self.known
        yield
        self.bindings, self.known = saved, known

    @contextmanager
    def branch(self) -> Iterator[Path]:
        """One of several ways that a body may take: what it defines, shares and finds out is in the path, and undone afterwards."""
        before = Path(set(self.defined), dict(self.aliases), self.known)
        path = Path(self.defined, self.aliases, self.known)
        yield path
        path.defined, path.aliases, path.known = self.defined, self.aliases, self.known
        self.defined, self.aliases, self.known = before.defined, before.aliases, before.known

    def meet(self, *paths: Path) -> None:
        """Go on where these paths meet: what is defined and known on all of them is, what is shared on one of them may be."""
        if paths:
            self.defined = set.intersection(*(path.defined for path in paths))
            self.known = frozenset.intersection(*(path.known for path in paths))
            self.aliases = functools.reduce(merged, (path.aliases for path in paths))

    @contextmanager
    def loop(self) -> Iterator[Before]:
        """A body that may run, or not: the names that it binds and defines are gone afterwards, what it shares may be shared."""
        before = Before(frozenset(self.defined), dict(self.bindings), dict(self.aliases), dict(self.versions))
        yield before
        self.aliases = merged(before.aliases, self.aliases)
        self.defined, self.bindings = set(before.defined), dict(before.bindings)

    @contextmanager
    def inlined(
        self, source: Source, bindings: dict[str, Expr], self_names: dict[str, Op], function: Any
    ) -> Iterator[None]:
        """The body of a procedure, in the place of its call: its own source and names, the caller's state."""
        outside = self.source, self.bindings, self.self_names, self.inlining
        self.source, self.bindings, self.self_names, self.known = source, bindings, self_names, frozenset()
        self.inlining = (*self.inlining, function)
        yield
        self.source, self.bindings, self.self_names, self.inlining = outside
        self.known = frozenset()

    def source_of(self, function: Any, owner: type | None) -> Source:
        """The source of a procedure, read once for all its calls."""
        if (function, owner) not in self.sources:
            self.sources[function, owner] = Source.of(function, owner)
        return self.sources[function, owner]

    def count(self, node: ast.AST, calls: int) -> None:
        """Count calls that this body makes. Raises OutsideSubset for more than a model can write out."""
        self.calls += calls
        if self.calls > CALLS_MAX:
            raise self.source.outside(
                node,
                f"Methods that call others more than once: written out, these are more than {CALLS_MAX:,} calls.",
                "Call once, and keep what is returned in a local name.",
            )

    def system_of(self, name: str) -> System:
        """The specification whose variables a name such as `self` has."""
        return self.systems.get(name, self.builder.system)

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

    def forget(self, root: str) -> None:
        """A variable or local name has another value now, or holds something else."""
        self.known = without(self.known, {root})

    def hide(self, names: Iterable[str]) -> None:
        """Let names have no value from here on, until something gives them one."""
        self.bindings |= {name: Expr(Op.LOCAL, NoneType(), (), f"0hidden_{name}") for name in names}

    def temporary(self, stem: str, kind: Type, node: ast.AST) -> Expr:
        """A new local that stands for a value on the way. Its name begins with a digit: no author can write it, and no
        name of an author's is bound to it."""
        unique = self.fresh(f"0{stem}")
        self.defined.add(unique)
        return Expr(Op.LOCAL, kind, (), unique, self.location(node))

    def adapt(self, value: Expr, want: Type, node: ast.AST) -> Expr:
        """`value` converted to `want`; an error at `node` if that is impossible."""
        return adapt(value, want, self.complain(node), self.location(node))

    def static(self, node: ast.AST) -> Any:
        """The Python object that an expression names without looking at the state or running anything, or MISSING."""
        if isinstance(node, ast.Name) and not {node.id} & (
            self.bindings.keys() | self.self_names.keys() | self.source.stored
        ):
            return self.source.resolve(node.id)
        if isinstance(node, ast.Attribute):
            base = self.static(node.value)
            found = UNKNOWN if base is MISSING else attribute(base, node.attr)
            try:
                self.builder.system.require_asked(base, node.attr)
            except SpecError as error:
                raise self.source.error(node, error.message) from None
            return MISSING if found is UNKNOWN else found
        return MISSING

    def annotation(self, node: ast.expr, name: str) -> Type:
        """The type that an annotation inside a body means."""
        try:
            names = getattr(self.source.owner, "__quorate_namespace__", {}) | self.source.namespace
            hint = eval(compile(ast.Expression(node), self.source.file, "eval"), names)
        except Exception as error:
            raise self.source.error(node, f"The annotation of {name} is not a type: {error}.") from None
        return resolve(hint, name, Configuration())

    def parameter_hints(self, function: Any, owner: type | None) -> dict[str, Type]:
        """The annotated types of a function's parameters and result, where they are types of the language."""
        try:
            known = self.builder.system.method_hints(function) if owner is not None else hints(function)
        except SpecError as error:
            raise placed(error, self.location(self.source.tree)) from None
        found: dict[str, Type] = {}
        for name, hint in known.items():
            if is_classvar(hint):
                continue
            try:
                found[name] = resolve(hint, f"{function.__name__}.{name}", Configuration())
            except SpecError:
                continue  # a helper may take an int, which is no type of a variable but a fine one of an argument
        return found


Rule = Callable[[Context, Any, Type | None], Expr]
"""How one kind of expression is lowered: the context, the syntax, and the type that is expected where that is known."""
