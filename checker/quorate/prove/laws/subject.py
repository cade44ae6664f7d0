"""A marked function, read: its types, its laws as expressions of the typed model, and the function itself to run.

Bounds belong to specifications, so the types of a function's parameters are resolved in a specification made for it,
its *carrier*: a subclass of the function's own if it is a method. Nothing of it is ever run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quorate.errors import SpecError
from quorate.language.declarations import action
from quorate.language.known import positional
from quorate.language.laws import Marked
from quorate.language.resolve import hints
from quorate.language.sorts import AnySort
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate.language.types import BoolType, IdentityType, NatType, Type
from quorate.model.build import Builder
from quorate.model.context import Context, Findings
from quorate.model.nodes import Expr, Function, Model, Op, reads
from quorate.model.source import Source
from quorate.prove.laws.algebra import ARGUMENTS, EMPTY, Law, Run, Shown, Structure, Words, laws_of

BOOL = BoolType()
RESULTS = {"law": BOOL, "order": BOOL, "equal": BOOL, "valid": BOOL}


class Tree(Structure):
    """The laws as expressions of the typed model."""

    def __init__(self, marked: Marked, functions: dict[str, Function]) -> None:
        super().__init__(marked.claim)
        self.functions = functions

    def call(self, role: str, *values: Expr) -> Expr:
        """A call of the function that was lowered for this role."""
        made = self.functions[role]
        return Expr(Op.CALL, made.result, values, made.key)

    def same(self, a: Expr, b: Expr) -> Expr:
        """Equality."""
        return Expr(Op.EQ, BOOL, (a, b))

    def both(self, *parts: Expr) -> Expr:
        """Conjunction."""
        return Expr(Op.AND, BOOL, parts)

    def implies(self, left: Expr, right: Expr) -> Expr:
        """Implication."""
        return Expr(Op.OR, BOOL, (Expr(Op.NOT, BOOL, (left,)), right))

    def defined(self, value: Expr) -> Expr:
        """True, after the value was computed."""
        return self.same(value, value)

    def never(self) -> Expr:
        """What is true of nothing."""
        return Expr(Op.CONST, BOOL, (), False)


@dataclass(frozen=True)
class Sentence:
    """A law as expressions over the arguments `parameters`: where the premise is true, so is the claim."""

    law: Law
    parameters: tuple[tuple[str, Type], ...]
    premise: Expr
    claim: Expr


@dataclass(frozen=True)
class Lowered:
    """A marked function under one choice of bounds. `model` has its functions and nothing else."""

    model: Model
    sentences: tuple[Sentence, ...]

    @property
    def system(self) -> System:
        """The carrier, configured."""
        return self.model.system


class Subject:
    """A function marked with `@merge` or `@law`. Raises SpecError if its parameters or result are not what the mark
    needs."""

    def __init__(self, marked: Marked) -> None:
        self.marked, self.claim = marked, marked.claim
        self.parameters = self._declared()
        self.laws = laws_of(self.claim, marked.function.__name__, len(self.parameters))
        self.words = Words(self.claim, {role: function.__name__ for role, function in self.functions.items()})

    @cached_property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The functions that the laws speak of, by role; of a method, those in force in its class."""
        claim = self.claim
        roles = {claim.kind: self.marked.function, "order": claim.order, "equal": claim.equal, "valid": claim.valid}
        return {role: self._in_force(function) for role, function in roles.items() if function is not None}

    def _in_force(self, function: Callable[..., Any]) -> Callable[..., Any]:
        found = self._class_of(function) and getattr(self.marked.owner, function.__name__)
        return found or function

    def _class_of(self, function: Callable[..., Any]) -> type | None:
        """The class whose method a function is; None for functions of a module and static ones."""
        bases = self.marked.owner.__mro__ if self.marked.owner is not None else ()
        return next((cls for cls in bases if cls.__dict__.get(function.__name__) is function), None)

    def _declared(self) -> dict[str, Any]:
        """The parameters with their annotations."""
        function = self.marked.function
        names = positional(function)[self._class_of(function) is not None :]
        known = self._hints(function)
        for name in names:
            if name not in known:
                raise self._wrong(f"{self.marked.name}: the parameter {name!r} has no annotation. Give its type.")
        if self.claim.kind == "merge" and (
            len(names) != 2 or not known[names[0]] == known[names[1]] == known.get("return")
        ):
            raise self._wrong(
                f"{self.marked.name}: @merge stands before a function of two values of one type that returns one of "
                f"that type, such as `def join(a: Write, b: Write) -> Write`."
            )
        if self.claim.kind == "law" and (not names or known.get("return") is not bool):
            raise self._wrong(
                f"{self.marked.name}: @law stands before a predicate, such as `def symmetric(a: T, b: T) -> bool`."
            )
        return {name: known[name] for name in names}

    def _hints(self, function: Callable[..., Any]) -> dict[str, Any]:
        return hints(function) if self.marked.owner is None else System(self.marked.owner).method_hints(function)

    def _wrong(self, message: str) -> SpecError:
        source = Source.of(self.marked.function)
        return source.error(source.tree, message)

    @cached_property
    def carrier(self) -> type[Spec]:
        """A specification with the types of the parameters. All values of a merge have one type, so one variable."""
        kinds = dict(list(self.parameters.items())[: 1 if self.claim.kind == "merge" else None])
        taken = {name for base in (self.marked.owner or Spec).__mro__ for name in base.__dict__}
        names = {name: name if name not in taken else f"{name}_of_law" for name in kinds}
        body: dict[str, Any] = {
            "__annotations__": {names[name]: hint for name, hint in kinds.items()},
            "__module__": self.marked.function.__module__,
            "__quorate_namespace__": {},
        }
        if self.marked.owner is None:
            body["nothing_happens"] = action(_nothing_happens)
        return type(self.marked.function.__name__, (self.marked.owner or Spec,), body)

    @cached_property
    def sorts(self) -> dict[str, AnySort]:
        """The numbers and identities in the parameters, by the names of their bounds."""
        found: dict[str, AnySort] = {}
        for variable in System(self.carrier).variables[-len(self._carried) :]:
            for part in variable.type.walk():
                if isinstance(part, NatType | IdentityType):
                    found[part.sort.__name__] = part.sort
        return dict(sorted(found.items()))

    @property
    def _carried(self) -> tuple[str, ...]:
        return tuple(self.carrier.__annotations__)

    def lowered(self, **bounds: int) -> Lowered:
        """The laws at these bounds. Raises SpecError or OutsideSubset where a function is not in the language."""
        system = System(self.carrier.bounded(**bounds))
        with system:
            kinds = [system.variable(name).type for name in self._carried]
            kinds = kinds * 2 if self.claim.kind == "merge" else kinds
            builder = Builder(system)
            made = {
                role: self._lower(builder, role, function, kinds, kinds[0]) for role, function in self.functions.items()
            }
            tree = Tree(self.marked, made)
            sentences = tuple(self._sentence(tree, law, kinds) for law in (*self.laws, *self._restricted))
            model = Model(system.name, system, (), None, (), (), builder.functions, (), configured=builder.configured)
            return Lowered(model, sentences)

    def _lower(
        self, builder: Builder, role: str, function: Callable[..., Any], kinds: list[Type], value: Type
    ) -> Function:
        """A function of the claim for values of the resolved types."""
        owner = self._class_of(function)
        source = Source.of(function, owner)
        names = positional(function)[owner is not None :]
        given = kinds if role in ("merge", "law") else [value] * (1 if role == "valid" else 2)
        if len(names) != len(given):
            raise source.error(source.tree, f"{role}={function.__name__} takes {len(given)} values, not {len(names)}.")
        ctx = Context(builder, source, {}, Findings(), True)
        parameters = tuple(zip(names, given, strict=True))
        made = builder.function(
            ctx, source.tree, function, owner, None if owner is None else Op.STATE, parameters, RESULTS.get(role, value)
        )
        read = sorted(reads(made.body, builder.functions))
        if read:
            raise source.error(
                source.tree,
                f"{function.__name__} reads self.{read[0]}: a law is about values alone. Make it a parameter.",
            )
        return made

    def _sentence(self, tree: Tree, law: Law, kinds: list[Type]) -> Sentence:
        given = kinds if self.claim.kind == "law" else kinds[:1] * law.arity
        parameters = tuple(zip(self.names(law), given, strict=True))
        values = [Expr(Op.LOCAL, kind, (), name) for name, kind in parameters]
        valid = [tree.call("valid", value) for value in values] if self.claim.valid is not None else []
        premise = [] if law.premise is None else [law.premise(tree, *values)]
        return Sentence(law, parameters, tree.both(*valid, *premise), law.claim(tree, *values))

    @property
    def _restricted(self) -> tuple[Law, ...]:
        """What must not be so for the laws to say something."""
        return () if self.claim.valid is None else (EMPTY,)

    def names(self, law: Law) -> tuple[str, ...]:
        """What the arguments of a law are called."""
        return tuple(self.parameters) if self.claim.kind == "law" else ARGUMENTS[: law.arity]

    def sentence(self, law: Law) -> str:
        """A law in words."""
        return self.words.sentence(law, self.names(law))

    # In CPython

    def run(self, system: System, law: Law, values: tuple[Any, ...]) -> tuple[bool, dict[str, Any]]:
        """Whether a law is true of concrete values, and the calls it made with their results. Raises Cut where a
        value passes a bound, and whatever the functions raise. Use it inside `with system`."""
        kind = system.variable(self._carried[0]).type

        def checked(role: str, function: Callable[..., Any]) -> Callable[..., Any]:
            bound = self._bound(function)
            return (lambda *args: kind.check(bound(*args))) if role == "merge" else bound

        run = Run(self.claim, self.words, {role: checked(role, one) for role, one in self.functions.items()})
        shown = tuple(Shown(name, value) for name, value in zip(self.names(law), values, strict=True))
        return run.holds(law, shown), run.results

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A method without an instance: it reads no state."""
        if self._class_of(function) is None:
            return function
        instance: Any = object.__new__(self.carrier)
        return lambda *values: function(instance, *values)


def _nothing_happens(self: Any) -> None:
    """Laws are about values; a specification needs an action all the same."""
