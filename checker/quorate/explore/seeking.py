"""Shortest runs from a given state: to one where an expression is true, to a violation, a deadlock or a goal.

The question becomes a specification: the same actions, and one property, that what is looked for never comes. Any engine explores it
from the given state instead of the initial ones; the shortest violation is the run. What names a member of a sort is kept for it in a
variable that no action changes, so that the engines' reduction by symmetry, which cannot tell members apart, stays right.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

from quorate.errors import UsageError
from quorate.explore.checking import Naming, check_system
from quorate.explore.every import judgeable, never, only
from quorate.explore.limits import Watch
from quorate.kinds import DEADLOCK, SAFETY_PROPER
from quorate.language.declarations import Declaration, SpecBase, original
from quorate.language.sorts import Identity
from quorate.language.spec import Spec, derived, without
from quorate.language.system import Arguments, State, System
from quorate.language.written import free_name, written
from quorate.outcome import Outcome

Starts = Sequence[tuple[Arguments, State]]
"""Where to look from: states, with the arguments of @init for initial ones."""


@dataclass(frozen=True)
class Aim:
    """What is looked for: `kind` is `expression`, `goal` or `property`, of the text or name `what`; `violation` of any safety
    property, or `deadlock`."""

    kind: str
    what: str = ""


def seek(
    spec: type[Spec], starts: Starts, aim: Aim, watch: Watch, workers: int = 1, naming: Naming | None = None
) -> Outcome:
    """The shortest run from one of some states to what is looked for: `Violated`, with the run as its trace.

    `Holds`: there is none; `HoldsWithinBounds`: none within the bounds; `Unfinished`: it was not found until the watch said stop.
    `spec` is configured, and the states are of it. Raises UsageError if the aim is none of this specification.
    """
    names: dict[str, Identity] = {}
    system = _Started(_asked(spec, aim, names), starts, names)
    return check_system(system, engine="auto", symmetry=True, watch=watch, workers=workers, naming=naming)


class _Started(System):
    """A system that begins in given states; `names` are the values of the variables that keep members.

    Reduction by symmetry needs no set of initial states that is closed under renaming: what is reached from a state, renamed, is
    reached from the renamed state, and the search keeps one of each orbit.
    """

    def __init__(self, spec: type[Spec], starts: Starts, names: dict[str, Identity]) -> None:
        self._names = names
        super().__init__(spec)
        known = {variable.name for variable in self.variables} - set(names)
        before = [variable.name for variable in self.variables if variable.name in known]
        self._starts = [
            (arguments, self._extended(dict(zip(before, state, strict=True)) | names)) for arguments, state in starts
        ]

    def _extended(self, values: dict[str, Any]) -> State:
        return tuple(values[variable.name] for variable in self.variables)

    def zero(self, before_init: bool = False) -> State:
        """The defaults; what keeps a member has it from the start."""
        values = super().zero(before_init=True)
        return tuple(
            self._names.get(variable.name, value) for variable, value in zip(self.variables, values, strict=True)
        )

    def initial(self) -> Iterator[tuple[Arguments, State]]:
        """The given states."""
        yield from self._starts

    def begins(self, state: State) -> bool:
        """Whether a given state is one in which the specification begins."""
        return state in self._beginnings

    @cached_property
    def _beginnings(self) -> frozenset[State]:
        return frozenset(state for _, state in self.begun())

    def excluded_initially(self) -> Counter[str]:
        """As usual where it is looked from the beginning; no constraint excludes what is given."""
        begins = self.constraints and any(self.begins(state) for _, state in self._starts)
        return super().excluded_initially() if begins else Counter()

    def _like(self, spec: type[SpecBase]) -> Self:
        """What it refines begins as it says."""
        return cast(Self, System(spec))


def _asked(spec: type[Spec], aim: Aim, names: dict[str, Identity]) -> type[Spec]:
    """The specification whose violations are what is looked for; `names` receives the variables that it has for members of sorts."""
    match aim.kind:
        case "expression":
            return _with_expression(spec, aim.what, names)
        case "goal":
            return never(spec, aim.what)
        case "property":
            return only(spec, [aim.what])
        case "violation":
            safety = [method.name for method in System(spec).of(*SAFETY_PROPER)]
            if not safety:
                raise UsageError(f"{original(spec).__name__} declares no safety property that could be violated.")
            return only(spec, safety)
        case "deadlock":
            if DEADLOCK in judgeable(spec):
                return only(spec, [DEADLOCK])
            return _with_method(without(spec, judgeable(spec).values()), "terminal", "never_ends", "return False", {})
    raise UsageError(
        f"{aim.kind!r} is nothing to look for: an expression, a goal, a property, a violation or a deadlock."
    )


def _with_expression(spec: type[Spec], text: str, names: dict[str, Identity]) -> type[Spec]:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{text!r} is no expression of Python: {error}.") from None
    system = System(spec)
    with system:
        members = {
            repr(member): member for sort in system.sizes if issubclass(sort, Identity) for member in sort.members()
        }
    keepers = {name: free_name(spec, f"the_{name}") for name in members}
    put = _Named(frozenset(system.index), keepers, _bound(tree))
    condition = ast.unparse(put.visit(tree))
    names |= {keepers[name]: members[name] for name in put.used}
    kept = {name: type(member) for name, member in names.items()}
    return _with_method(
        without(spec, judgeable(spec).values()), "invariant", "never_reached", f"return not ({condition})", kept
    )


def _with_method(spec: type[Spec], kind: str, name: str, body: str, variables: dict[str, Any]) -> type[Spec]:
    """A specification with one method more, which has a source of its own, since the typed model reads sources."""
    name = free_name(spec, name)
    source = f"def {name}(self):\n    {body}\n"
    file = f"<what is looked for in {original(spec).__name__}: {body}>"
    module = original(spec).__module__
    method = written(name, source, file, vars(sys.modules[module]))
    method.__annotations__ = {"return": bool}
    method.__module__, method.__qualname__ = module, f"{original(spec).__name__}.{name}"
    method.__quorate__ = Declaration(kind)
    return derived(spec, **{name: method, "__annotations__": variables})


def _bound(tree: ast.AST) -> frozenset[str]:
    """The names that an expression binds itself, in comprehensions."""
    return frozenset(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )


class _Named(ast.NodeTransformer):
    """Variables by their names, and members of sorts by theirs, become what a method can say: `keepers` are the variables that keep
    members."""

    def __init__(self, variables: frozenset[str], keepers: dict[str, str], bound: frozenset[str]) -> None:
        self._variables, self._keepers, self._bound = variables, keepers, bound
        self.used: dict[str, None] = {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = node.id
        if name in self._bound or name == "self":
            return node
        if name in self._keepers:
            self.used[name] = None
            name = self._keepers[name]
        elif name not in self._variables:
            return node
        return ast.copy_location(ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load()), node)
