"""A specification with history variables, for proofs: `proven_by` names the heir that has them.

Why a protocol is right may be a matter of what is gone. A history variable remembers it: actions write it, no step reads it, so it takes
no run away and adds none, and what is proven of the heir is true of the specification (Abadi & Lamport 1991, "The Existence
of Refinement Mappings", section 2.4: history variables). That it is so is not believed but checked: without the history, the heir
is the specification.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable
from typing import Annotated, Any, cast

from quorate.errors import SpecError
from quorate.kinds import SAFETY
from quorate.language.auxiliary import auxiliary
from quorate.language.declarations import declared, original
from quorate.language.places import class_location, declaration
from quorate.language.spec import Spec, derived, with_lemmas
from quorate.language.types import NatType, Type
from quorate.model.build import build
from quorate.model.nodes import Assign, Expr, Model, Mutate, Op, Scope, Stmt, called, expressions, statements

FREE = ("bounds", "omits", "because")
"""What an heir may say anew. What it omits is looked at, and bounds are those of the specification."""


def with_history(spec: type[Spec]) -> type[Spec]:
    """The heir that a specification is proven by, at its bounds; the specification itself if it names none. Raises SpecError where the
    heir is something else than the specification with history variables."""
    named = vars(original(spec)).get("proven_by")
    if named is None:
        return spec
    heir = _heir(original(spec), named)
    if heir.__bases__ != (original(spec),):
        raise _refused(heir, f"is no subclass of {original(spec).__name__} alone, which is to be proven by it")
    configured = heir.bounded(**spec.bounds)
    _require_the_same(build(spec), build(configured), heir, configured)
    return configured


def history_of(spec: type[Spec], heir: type[Spec]) -> tuple[str, ...]:
    """The variables that the heir has and the specification has not."""
    return tuple(name for name in declared(heir) if name not in declared(spec))


def as_argued(spec: type[Spec], names: Iterable[str]) -> type[Spec]:
    """The specification that a counterexample to induction is a step of, given the variables and the property that it names: the heir, if
    the specification has not all of them; if it is expected to break, with the lemmas of its bases."""
    known = all(name in declared(spec) or hasattr(spec, name) for name in names)
    return with_lemmas(spec if known else with_history(spec))


def _heir(spec: type[Spec], named: str) -> type[Spec]:
    module, _, name = named.rpartition(":")
    try:
        heir = getattr(importlib.import_module(module) if module else sys.modules[spec.__module__], name)
    except (ImportError, AttributeError) as error:
        raise _refused(spec, f"is proven by {named!r}, which there is not ({error})") from None
    if not (isinstance(heir, type) and issubclass(heir, Spec)):
        raise _refused(spec, f"is proven by {named!r}, which is no specification")
    return heir


def _require_the_same(model: Model, more: Model, heir: type[Spec], configured: type[Spec]) -> None:
    """Raises SpecError unless the heir without what it remembers is the specification: its actions write history after they have done what
    they inherit, nothing else is inherited in another way, and no property is left out but lemmas."""
    base = original(cast(type[Spec], model.system.spec))
    actions = [action.name for action in model.actions]
    changed = [
        name
        for name in vars(heir)
        if hasattr(base, name) and not (name.startswith("__") or name in FREE or name in actions)
    ]
    if changed:
        raise _refused(heir, f"changes {', '.join(changed)}")
    kept = {prop.name for prop in more.of(*SAFETY)}
    lost = [prop.name for prop in model.of(*SAFETY) if prop.kind != "lemma" and prop.name not in kept]
    if lost:
        raise _refused(heir, f"leaves out {', '.join(lost)}")
    bare = _without_history(history_of(base, heir), more, heir, configured)
    _require_no_bound(more, history_of(base, heir))
    same = bare.variables == model.variables and bare.init == model.init and bare.constraints == model.constraints
    if not same or [action.name for action in bare.actions] != actions:
        raise _refused(heir, "has other variables, initial states or actions")
    different = [
        action.name
        for action, inherited in zip(bare.actions, model.actions, strict=True)
        if action.parameters != inherited.parameters
        or _inherited(action.body) != inherited.body
        or called(inherited.body, bare.functions) != called(inherited.body, model.functions)
    ]
    if different:
        raise _refused(heir, f"does more in {', '.join(different)} than what is inherited, and then history")


def _require_no_bound(more: Model, history: Iterable[str]) -> None:
    """Raises SpecError where history may pass a bound at other sizes, though not at these: what is cut there is a run that is taken away.
    Every number that is remembered is one of the sort that it is remembered in, or 0."""
    names = set(history)
    for variable in more.variables:
        if variable.name in names and _numbers(variable.type) and variable.default not in (None, variable.type.zero()):
            where = declaration(cast(type[Spec], more.system.spec), variable.name)
            raise SpecError(
                f"{variable.name} begins with other numbers than 0, which there are not at all sizes.", where
            )
    for action in more.actions:
        written = tuple(
            statement
            for statement in statements(action.body)
            if isinstance(statement, Assign | Mutate) and statement.target.state and statement.target.root in names
        )
        for body in (written, *(function.body for function in called(written, more.functions).values())):
            for node in (node for expression in expressions(body) for node in expression.walk()):
                if _is_of_another_sort(node):
                    raise SpecError(
                        "This number is of another sort than what remembers it, and may pass its bound at other sizes. "
                        "Remember it in a variable of its own sort.",
                        node.location,
                    )


def _is_of_another_sort(node: Expr) -> bool:
    if node.op is Op.CONST:
        return isinstance(node.type, NatType) and node.data != 0
    return node.op is Op.COERCE and not _numbers(node.type) <= _numbers(node.args[0].type)


def _numbers(kind: Type) -> set[Type]:
    """The sorts of numbers in a type."""
    return {part for part in kind.walk() if isinstance(part, NatType)}


def _without_history(history: Iterable[str], more: Model, heir: type[Spec], configured: type[Spec]) -> Model:
    """The model of the heir without what it remembers, and without the lemmas that speak of it."""
    hints = inspect.get_annotations(heir, locals=dict(vars(heir)["__quorate_namespace__"]), eval_str=True)
    names = set(history)
    told: dict[str, Any] = {name: Annotated[hints[name], auxiliary] for name in names}
    values = {name: slot.default for name, slot in declared(configured).items() if name in names and slot.is_given}
    reading = [prop.name for prop in more.properties if prop.reads & names]
    try:
        return build(derived(configured, __annotations__=told, omits=(*configured.omits, *reading), **values))
    except SpecError as error:
        raise SpecError(f"{heir.__name__} remembers {', '.join(history)}. {error.message}", error.location) from None


def _inherited(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """The statements of the inherited action, if its call is all that there is."""
    match body:
        case (Scope(body=inner),):
            return inner
    return body


def _refused(cls: type[Spec], what: str) -> SpecError:
    return SpecError(
        f"{cls.__name__} {what}. An heir that proves has history variables, which its actions write after `super()`, and lemmas.",
        class_location(cls),
    )


__all__ = ["as_argued", "history_of", "with_history"]
