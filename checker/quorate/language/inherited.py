"""What a class says that one behind it has said before: each name has one role in a class and in all that it inherits from.

Python takes what it finds first. Of a specification that is a loss without a word: an invariant whose name an heir gives to an action is
judged no more, and every engine agrees. So each way to say a name twice has a rule here:

| a name is | and stands before | rule |
|---|---|---|
| anything | what a class says that it does not inherit from | refused, unless they say the same, or the first calls `super()` |
| a variable or a constant, a marked method, a class | something of another role | refused (`@lemma` and `@invariant` may change places) |
| a plain value | a method with laws | refused |
| a plain method | a marked method | takes its place, under its mark |
| a plain value | a variable, a constant | is its value from there on |
| a method, a class, what is computed | a variable, a constant | refused |
| a class, such as a sort | a class | refused: what is inherited keeps the first one |
| a variable without a value | anything that gives its name one | refused: Python would keep that value |
| a variable of a class that is no Spec | nothing that makes it one | refused: it would be a plain attribute |
| a `@mapping` | one that is `live` or `fair` | refused, unless it is, too: its promises would be lost |
| a constant | `bounds` of a base that asks for another value | refused |
| anything | `omits` of a base, which names it | refused |

Otherwise plain methods, and plain values, stand before one another as they do everywhere in Python.
"""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from quorate.errors import SpecError
from quorate.kinds import MAPPING
from quorate.language.declarations import Declaration, SpecBase, VariableSlot, authored, original
from quorate.language.known import is_alone, is_computed, mark
from quorate.language.resolve import is_classvar

VARIABLE, CONSTANT, CLASS = "a variable", "a constant", "a class"
A_MAPPING, WITH_LAWS = f"a @{MAPPING}", "a method with laws"
NOTHING: Any = object()
"""What stands for a value where none is given."""
MAY_CHANGE = frozenset({"an @invariant", "a @lemma"})
"""Roles that an heir may give to one another's methods: they say one thing of the states."""


@dataclass(frozen=True, eq=False)
class Said:
    """What a class of its own says of a name."""

    where: type
    name: str
    role: str | None
    """None for plain values, methods and descriptors: what they are is a matter of what they stand before."""
    hint: Any
    value: Any

    def __str__(self) -> str:
        return f"{self.where.__name__}.{self.name}"

    def hands_on(self) -> bool:
        """Whether it is a method that calls what stands behind it, `super().name(...)`."""
        function = self.value
        return (
            type(function) is FunctionType
            and "__class__" in function.__code__.co_freevars
            and {"super", self.name} <= set(function.__code__.co_names)
        )

    def is_abstract(self) -> bool:
        """Whether it only says that heirs have one."""
        return mark(self.value, "__isabstractmethod__") is True

    def is_bare(self) -> bool:
        """Whether it is an annotation of a class that is no specification, which only readers and type checkers need."""
        return self.role == VARIABLE and self.value is NOTHING

    def keeps(self) -> set[str]:
        """What a @mapping asks of runs."""
        declaration = mark(self.value, "__quorate__")
        return {
            f"{name}=True" for name, asks in (("live", declaration.live), ("fair", declaration.keeps_fairness)) if asks
        }

    @property
    def given(self) -> Any:
        """The value that the class gives, of a variable as of anything else; NOTHING if it gives none."""
        if type(self.value) is not VariableSlot:
            return self.value
        return self.value.default if self.value.is_given else NOTHING


def check_names(cls: type[SpecBase]) -> None:
    """Raises SpecError where a name of a class would hide what a base says of it."""
    names: dict[str, list[Said]] = {}
    for one in _all_said(cls):
        names.setdefault(one.name, []).append(one)
    for sayings in names.values():
        for at, near in enumerate(sayings):
            for far in sayings[at + 1 :]:
                _check_pair(near, far)
        _check_lost(cls, sayings)
        _check_lost(cls, [one for one in sayings if one.hint is not None])
        _check_installed(sayings)
    if original(cls) is cls:  # What is made from it says anew what engines ask for, also of what is omitted.
        _check_omits(cls, names)
    _check_asked(cls)


def _all_said(cls: type[SpecBase]) -> Iterator[Said]:
    """What a class and its bases say, the nearest first."""
    for base in authored(cls):
        hints = inspect.get_annotations(base)
        for name in dict.fromkeys((*hints, *vars(base))):
            if name in vars(SpecBase) or name in vars(ABC) or (name.startswith("__") and name.endswith("__")):
                continue  # What is said of the whole specification, and what Python keeps of a class.
            value, hint = vars(base).get(name, NOTHING), hints.get(name)
            yield Said(base, name, _role(value, hint), hint, value)


def _role(value: Any, hint: Any) -> str | None:
    if type(value) is VariableSlot:
        return VARIABLE
    if hint is not None:
        return CONSTANT if is_constant(hint) else VARIABLE
    declaration = mark(value, "__quorate__")
    if type(declaration) is Declaration:
        article = "an" if declaration.kind[0] in "aeiou" else "a"
        return f"{article} @{declaration.kind}"
    if mark(value, "__quorate_claim__") is not None:
        return WITH_LAWS
    return CLASS if is_class(value) else None


def is_class(value: Any) -> bool:
    """Whether something is a class, whatever it says of itself."""
    return issubclass(type(value), type)


def is_method(value: Any) -> bool:
    """Whether something is a method, a class or what is computed: nothing that a variable or a constant could be."""
    return type(value) is not VariableSlot and (is_class(value) or is_computed(value))


def is_constant(hint: Any) -> bool:
    """Whether an annotation, which may be a text still, is `ClassVar[...]`."""
    return is_classvar(hint) or (isinstance(hint, str) and hint.startswith(("ClassVar", "typing.ClassVar")))


def _check_pair(near: Said, far: Said) -> None:
    """Raises SpecError where what stands before something else may not."""
    if (
        type(near.value) is VariableSlot
        and near.given is NOTHING
        and far.given is not NOTHING
        and not is_method(far.value)
    ):
        raise SpecError(
            f"{near} is annotated again, without a value, and {far.where.__name__} gives it one, which it would keep in Python: write "
            f"the value, too."
        )
    if far.role is None:
        return
    if near.role is None:
        if far.role in (VARIABLE, CONSTANT) and (is_method(near.value) or far.role == VARIABLE):
            raise _other(near, far)
        if far.role == WITH_LAWS and not is_method(near.value):
            raise _other(near, far)
    elif near.role != far.role and not {near.role, far.role} <= MAY_CHANGE:
        raise _other(near, far)
    elif near.role == CLASS:
        raise SpecError(
            f"{near} is {CLASS}, and so is {far}, which all that {far.where.__name__} declares goes on to mean: give it another name, or "
            f"say another size with `bounds`."
        )
    elif far.role == A_MAPPING and not near.keeps() >= far.keeps():
        raise SpecError(
            f"{near} is {A_MAPPING} again, without {' and '.join(sorted(far.keeps() - near.keeps()))}, which {far} has: write that, "
            f"too, or leave out the mark, which it keeps."
        )


def _check_lost(cls: type, sayings: list[Said]) -> None:
    """Raises SpecError where what is found first is of a class that knows nothing of another one that says something else."""
    for at, near in enumerate(sayings):
        if near.hands_on():
            continue
        for far in sayings[at + 1 :]:
            if not (issubclass(near.where, far.where) or _same(near, far) or far.is_abstract() or far.is_bare()):
                raise SpecError(
                    f"{cls.__name__} inherits {near} and {far}, and only the first would count: {near.where.__name__} does not inherit "
                    f"from {far.where.__name__}. Say in {cls.__name__} what {near.name} is, or give one of them another name."
                )
        return


def _check_omits(cls: type[SpecBase], names: Mapping[str, list[Said]]) -> None:
    """Raises SpecError where a class omits what one says that it does not inherit from, or stands before one that omits other names."""
    omitting = [base for base in authored(cls) if "omits" in vars(base)]
    for near in omitting[:1]:
        omitted = vars(near)["omits"]
        for one in (one for name in omitted for one in names.get(name, ())):
            if not issubclass(near, one.where) or (one.where is near and one.role is not None):
                raise SpecError(
                    f"{near.__name__} omits {one.name}, and {one}, which {cls.__name__} has, would be left out, too: give it another name, "
                    f"or write `omits` without it in {cls.__name__}."
                )
        for far in omitting[1:]:
            if not issubclass(near, far) and {*vars(far)["omits"]} - {*omitted}:
                raise SpecError(
                    f"{cls.__name__} inherits {near.__name__}.omits and {far.__name__}.omits, and only the first would count: write "
                    f"`omits` in {cls.__name__}."
                )


def _check_installed(sayings: list[Said]) -> None:
    """Raises SpecError where only bases that are no specifications declare a variable."""
    declares = next((one for one in sayings if one.role == VARIABLE), None)
    if declares is not None and not any(type(one.value) is VariableSlot for one in sayings):
        raise SpecError(
            f"{declares} is annotated like a variable, and {declares.where.__name__} is no Spec: let it inherit from Spec, or write "
            f"`{declares.name}: ClassVar[...]` for a constant."
        )


def _other(near: Said, far: Said) -> SpecError:
    what = near.role or ("a method" if is_method(near.value) else "a plain value")
    return SpecError(
        f"{near} is {what}, and {far} is {far.role}: a name means one thing in a class and all that it inherits from. Give one of them "
        f"another name; what a variant leaves out is named in `omits`."
    )


def _same(near: Said, far: Said) -> bool:
    """Whether two classes that know nothing of one another say the same: one method, or one variable or constant with one value."""
    if near.value is far.value and type(near.value) is FunctionType:
        return True
    is_one_type = near.hint == far.hint and (
        near.where.__module__ == far.where.__module__ or not isinstance(near.hint, str)
    )
    if near.value is NOTHING:
        return is_one_type
    if type(near.value) is not type(far.value):  # A plain attribute before a variable would hide it.
        return False
    is_one_value = near.given is far.given or (is_alone(near.given) and near.given == far.given)
    return is_one_type and is_one_value and type(near.given) is type(far.given)


def _check_asked(cls: type[SpecBase]) -> None:
    """Raises SpecError where a class gives a constant another value than the bounds of a base, which would replace it."""
    asked: dict[str, int] = {}
    replaced: dict[str, type] = {}
    for base in reversed(authored(cls)):
        own = vars(base)
        replaced |= {
            name: base
            for name, size in asked.items()
            if name in own and type(own[name]) is not VariableSlot and own[name] != size
        }
        asked |= own.get("bounds", {})
        replaced = {name: where for name, where in replaced.items() if name not in own.get("bounds", {})}
    for name, where in replaced.items():
        raise SpecError(
            f"{where.__name__}.{name} is {vars(where)[name]!r}, and bounds of a base make it {asked[name]}: write "
            f"`bounds = {{{name!r}: ...}}` in {cls.__name__}."
        )
