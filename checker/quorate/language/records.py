"""Records: immutable values with named fields, such as messages and log entries."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from dataclasses import replace as _replace
from typing import Any, TypeVar, dataclass_transform

from quorate.errors import SpecError
from quorate.language.known import meaning, special
from quorate.language.places import declaration
from quorate.language.resolve import record_type
from quorate.language.types import is_record

R = TypeVar("R")
T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Declare a record: `@record class Vote: term: Term; source: Server`.

    Every field is held against its type when a record is built: a number above its bound cuts the transition. Records
    compare by content, and are hashable, so they can be sent, stored in sets and used as keys.
    """
    _check_class(cls)
    _check_again(cls)
    cls.__quorate_namespace__ = dict(sys._getframe(1).f_locals)  # type: ignore[attr-defined]
    built = dataclass(frozen=True, repr=False)(cls)
    names = [field.name for field in fields(built)]  # type: ignore[arg-type]
    if not names:
        _check_empty(cls)
    for field in fields(built):  # type: ignore[arg-type]
        _check_field(cls, field)
    built.__init__ = _constructor(built)  # type: ignore[method-assign]
    plain_hash = built.__hash__

    def cached_hash(self: Any) -> Any:
        contents = self.__dict__
        if "_hash" not in contents:
            contents["_hash"] = plain_hash(self)
        return contents["_hash"]

    def show(self: Any) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    built.__hash__ = cached_hash  # type: ignore[method-assign]
    built.__repr__ = show  # type: ignore[method-assign]
    built.__quorate_record__ = meaning(built)  # type: ignore[attr-defined]
    return built


def _check_class(cls: type) -> None:
    """Raises SpecError where a class, or one that it inherits from, has what Python looks up by itself, and could say otherwise what a
    record is: its fields, equal to what has the same ones."""
    for base in cls.__mro__[:-1]:
        if is_record(base):
            continue
        for name in sorted(special(base)):
            raise SpecError(
                f"The record {cls.__name__} has a {name} of its own. Records are compared, copied and built by all of "
                f"their fields: write a method with another name, or leave the field out."
            )
        if base is not cls and inspect.get_annotations(base):
            raise SpecError(
                f"The record {cls.__name__} inherits fields from {base.__name__}, which is no record: mark it with @record."
            )


def _check_again(cls: type) -> None:
    """Raises SpecError where a class says a name again that stands for a field, or for the value of one, in a class behind it, and Python
    would not mean what is written: a dataclass takes the default of a field from where it is annotated, or from anywhere behind."""
    own = inspect.get_annotations(cls)
    for base in cls.__mro__[1:]:
        for name in inspect.get_annotations(base) if is_record(base) else ():
            if name in vars(cls) and name not in own:
                raise SpecError(
                    f"{cls.__name__}.{name} has no annotation, and {base.__name__}.{name} is a field: write `{name}: <its type> = ...` for "
                    f"another default, or choose another name."
                )
        for name in own.keys() & vars(base).keys() - vars(cls).keys():
            raise SpecError(
                f"{cls.__name__}.{name} is annotated again, without a value, and {base.__name__} gives it one, which it would keep in "
                f"Python: write the value, too."
            )


def _check_empty(cls: type) -> None:
    """A record without fields is its class alone, such as a request that says nothing more. Raises SpecError where fields were meant."""
    for name, value in vars(cls).items():
        if not name.startswith("__") and not callable(value):
            raise SpecError(
                f"{cls.__name__}.{name} has no annotation, and is no field: write `{name}: <its type> = {value!r}`.",
                declaration(cls, name),
            )


def _check_field(cls: type, field: Field[Any]) -> None:
    """Raises SpecError for the options of `dataclasses.field` that make a record something other than its fields."""
    options = {
        "compare=False": not field.compare,
        "init=False": not field.init,
        "hash=...": field.hash is not None and not field.hash,
        "kw_only=True": bool(field.kw_only),
        "default_factory=...": field.default_factory is not MISSING,
    }
    if field.name.startswith("_"):
        raise SpecError(
            f"{cls.__name__}.{field.name}: names of fields do not begin with an underscore.",
            declaration(cls, field.name),
        )
    for option, given in options.items():
        if given:
            raise SpecError(
                f"{cls.__name__}.{field.name}: field({option}) has no place in a record, which is built from all of its "
                f"fields and compared by them. Give a plain default, or take the field out of the record.",
                declaration(cls, field.name),
            )


def _constructor(cls: type) -> Any:
    """An `__init__` that holds every field against its type, and freezes containers. It is written out for the class: records are what
    actions make most of, and the one of a frozen dataclass goes through `object.__setattr__` for each field. No field has a name with
    an underscore in front."""
    scope: dict[str, Any] = {"_checks_of": _checks_of, "_misfit": _misfit, "_SpecError": SpecError}
    parameters, checked = "", ""
    for at, field in enumerate(fields(cls)):
        default = ""
        if field.default is not MISSING:
            default = f"=_{field.name}"
            scope[f"_{field.name}"] = field.default
        parameters += f", {field.name}{default}"
        checked += f"        _contents[{field.name!r}] = _checks[{at}]({field.name})\n"
    source = (
        f"def __init__(self{parameters}):\n"
        "    _checks, _contents = _checks_of(self.__class__), self.__dict__\n"
        f"    try:\n{checked or '        pass'}\n"
        "    except _SpecError as _error:\n"
        "        raise _misfit(self, _error) from None\n"
    )
    exec(source, scope)
    return scope["__init__"]


def _checks_of(cls: type) -> tuple[Callable[[Any], Any], ...]:
    """For each field of a record, what holds a value against its type."""
    return record_type(cls).checks


def _misfit(made: Any, error: SpecError) -> SpecError:
    """The same error with the field that it is about: the first one that a record which is being made does not have yet."""
    name = fields(made)[len(made.__dict__)].name
    return SpecError(f"{type(made).__name__}.{name}: {error}")


def replace(value: R, /, **changes: Any) -> R:
    """A copy of a record with other values in some fields."""
    if not is_record(type(value)):
        raise SpecError(f"replace() takes a record; {value!r} is not one.")
    known = [field.name for field in fields(value)]  # type: ignore[arg-type]
    for name in changes:
        if name not in known:
            raise SpecError(f"{type(value).__name__} has no field {name!r}; it has {', '.join(known)}.")
    return _replace(value, **changes)  # type: ignore[type-var]
