"""`Spec`, the base class of every protocol."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from types import NoneType
from typing import Any, Self, cast

from quorate.errors import SpecError
from quorate.language.declarations import Expectation, SpecBase, VariableSlot, check_own, declared, install, original
from quorate.language.inherited import check_names, is_constant, is_method
from quorate.language.places import class_location
from quorate.language.system import State, System


class Spec(SpecBase):
    """A protocol: annotated variables, actions that change them, properties that must hold.

    Class attributes that authors may set: `expect`: what the checker finds (`holds()` or `violates(name)`); `bounds`:
    defaults for named bounds, over those of the sorts; `omits`: names of inherited actions and properties that this
    variant leaves out; `lanes`: the sorts and names that are lanes of the space-time diagram, if the default is not
    wanted; `coloured_by`: the enum variable that colours the lanes; `refines`: the more abstract specification that a
    `@mapping` leads to; `because`: for a property, the lemmas from which it follows, as an advice to proofs for any size;
    `proven_by`: an heir with history variables and lemmas, `module:Class` or a class of the same module, that proofs for any
    size are made with; `mutant_bounds`: bounds at which `quorate why` explores the mutants of this class (of its heirs not),
    over `bounds`, where it would explore for hours what is checked in seconds.

    `Spec()` is a live instance in the initial state: its actions can be called from a Python prompt, a debugger or a
    test. A false `require` then raises `Disabled`.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__quorate_namespace__" not in cls.__dict__:
            cls.__quorate_namespace__ = dict(sys._getframe(1).f_locals)  # type: ignore[attr-defined]
        check_own(cls)
        variables = [name for name, hint in inspect.get_annotations(cls).items() if not is_constant(hint)]
        if "bounded" in (*cls.__dict__, *variables):
            raise SpecError(
                f"{cls.__name__}: bounded is a method of every Spec, which sets its bounds; choose another name."
            )
        for name, (kinds, example) in _MEANT.items():
            said = [vars(base)[name] for base in cls.__mro__ if name in vars(base) and base not in (Spec, SpecBase)]
            if name in variables or not all(isinstance(value, kinds) for value in said):
                raise SpecError(
                    f"{cls.__name__}.{name} says something of every specification, as in `{name} = {example}`: write it so, or choose "
                    f"another name."
                )
        for name in variables:
            install(cls, name)
        for name, value in list(cls.__dict__.items()):
            inherited = next((base.__dict__[name] for base in cls.__mro__[1:] if name in base.__dict__), None)
            if type(inherited) is VariableSlot and type(value) is not VariableSlot and not is_method(value):
                install(cls, name)
        check_names(cls)

    def __init__(self) -> None:
        system = System(type(self))
        with system:
            self._begin(system, system.zero())

    def _begin(self, system: System, state: State) -> None:
        """Make this a live instance in a state."""
        system.draft(state, self)
        self.__dict__["_live"] = system, state

    def __copy__(self) -> Self:
        """A live instance in the same state, which does not see what happens to this one. Raises SpecError for `self` in an action."""
        if "_live" not in self.__dict__:
            raise SpecError(
                "Only a live instance is copied, as `Raft()` makes one; copy what you need of its variables."
            )
        system, state = self.__dict__["_live"]
        made = object.__new__(type(self))
        with system:
            made._begin(system, system.committed(state, self))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __eq__(self, other: object) -> bool:
        """Whether two instances of one spec are in equal states."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in declared(type(self)))

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["_write"](name, value)

    def __repr__(self) -> str:
        variables = [name for name in declared(type(self)) if hasattr(self, name)]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in variables)})"

    @classmethod
    def bounded(cls, **sizes: int) -> type[Self]:
        """The same spec with other bounds: `Raft.bounded(Server=5, Term=2)`. Raises UsageError for an unknown bound."""
        body = {
            "bounds": cls.bounds | sizes,
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "_configured_from": original(cls),
            "__quorate_namespace__": {},
        }
        configured = cast(type[Self], type(cls.__name__, (cls,), body))
        try:
            System(configured)
        except SpecError as error:
            if error.location is not None:
                raise
            raise SpecError(error.message, class_location(original(cls))) from None
        return configured


_MEANT: dict[str, tuple[tuple[type, ...], str]] = {
    "expect": ((Expectation,), 'violates("one_leader")'),
    "bounds": ((dict,), '{"Server": 2}'),
    "omits": ((tuple,), '("crash",)'),
    "lanes": ((tuple,), "(Server,)"),
    "coloured_by": ((str, NoneType), '"role"'),
    "because": ((dict,), '{"one_leader": ("votes_bind",)}'),
    "refines": ((type, NoneType), "Abstract"),
    "proven_by": ((str, NoneType), '"lemmas:RaftSafety"'),
    "mutant_bounds": ((dict,), '{"Index": 2}'),
}
"""What an author may set, with what it is and an example."""


def with_lemmas(cls: type[Spec]) -> type[Spec]:
    """A spec that is expected to break, with the lemmas of its bases all the same: they say why the base is right, and a
    proof tells which of them the variant does not keep. Any other spec is returned as it is.
    """
    if cls.expect.violated is None:
        return cls
    return derived(cls, _argued=True)


def without(cls: type[Spec], names: Iterable[str]) -> type[Spec]:
    """A spec without some of its actions and properties."""
    return derived(cls, omits=(*cls.omits, *(name for name in names if name not in cls.omits)))


def derived(cls: type[Spec], **attributes: Any) -> type[Spec]:
    """The same spec, under the same name, with other class attributes."""
    body: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "_configured_from": original(cls),
        "__quorate_namespace__": {},
    }
    return cast(type[Spec], type(cls.__name__, (cls,), body | attributes))
