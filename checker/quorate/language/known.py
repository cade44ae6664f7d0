"""What an object means without running anything of its author's: classes and attributes that Python looks up by its plain rules.

A model is made once from what names and attributes are; CPython asks again each time. The two are the same only where the answer is in a
dictionary: a property, a descriptor, a `__getattr__`, a metaclass of the author's may say something else at each reading. What
is not plain is `UNKNOWN`, whatever it would say now, and who asks refuses it.
"""

from __future__ import annotations

import enum
import gc
import inspect
import sys
from abc import ABCMeta
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType, SimpleNamespace
from typing import Any

from quorate.language.sorts import SortMeta

UNKNOWN: Any = object()
"""What is not known without running something."""

METACLASSES = (type, enum.EnumMeta, SortMeta, ABCMeta)
"""The classes of classes of which attributes are known."""


def raw(cls: type, name: str) -> Any:
    """What stands in the dictionary of a class, or of the first of its bases that has the name; UNKNOWN if none has."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), UNKNOWN)


def home(one: FunctionType | type) -> str:
    """The module that a class or a function was written in; "" where that is not one that has it, whatever it says of itself: a wrapper
    says what it was told to."""
    if isinstance(one, FunctionType):
        name, names = one.__globals__.get("__name__"), one.__globals__
        return name if isinstance(name, str) and getattr(sys.modules.get(name), "__dict__", None) is names else ""
    name = type.__dict__["__module__"].__get__(one)
    found: Any = sys.modules.get(name) if isinstance(name, str) else None
    for part in one.__qualname__.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return name if isinstance(name, str) and found is one else ""


def is_computed(value: Any) -> bool:
    """Whether reading it from a class or an instance calls something."""
    return raw(type(value), "__get__") is not UNKNOWN


def attribute(of: Any, name: str) -> Any:
    """What `of.name` is, or UNKNOWN."""
    kind = type(of)
    if issubclass(kind, type):
        return _of_class(of, name) if kind in METACLASSES else UNKNOWN
    if kind is ModuleType or kind is SimpleNamespace or kind is FunctionType:
        return vars(of).get(name, UNKNOWN) if raw(kind, name) is UNKNOWN else UNKNOWN
    if type(kind) is enum.EnumMeta and raw(kind, "__getattribute__") is object.__getattribute__:
        return _of_member(of, name)
    if type(kind) in (type, ABCMeta) and raw(kind, "__getattribute__") in PLAIN_READING:
        return _of_instance(of, name)
    return UNKNOWN


PLAIN_READING = (object.__getattribute__, tuple.__getattribute__)
"""How instances are read that look in dictionaries only."""
FIELDS = (MemberDescriptorType, type(vars(namedtuple("One", "field"))["field"]))
"""What stands in a class for a field that its instances keep outside of a dictionary, and says nothing but that."""


def _of_class(cls: Any, name: str) -> Any:
    if isinstance(cls, enum.EnumMeta) and name in cls.__members__:
        return cls.__members__[name]
    if isinstance(cls, SortMeta) and name == "default":
        return cls.default
    found = raw(cls, name)
    if type(found) is classmethod and type(found.__func__) is FunctionType:
        return found.__get__(None, cls)
    if type(found) is staticmethod:
        found = found.__func__
    return found if type(found) is FunctionType or not is_computed(found) else UNKNOWN


def _of_member(member: Any, name: str) -> Any:
    if name in ("name", "value") and raw(type(member), name) is vars(enum.Enum)[name]:
        return vars(member)[f"_{name}_"]
    of_class = raw(type(member), name)
    if of_class is UNKNOWN:
        return vars(member).get(name, UNKNOWN)
    return of_class if name not in vars(member) and not is_computed(of_class) else UNKNOWN


def _of_instance(one: Any, name: str) -> Any:
    kind = type(one)
    of_class, keeps = raw(kind, name), raw(kind, "__dict__")
    if type(of_class) in FIELDS:
        with suppress(AttributeError, IndexError):  # It may have no value.
            return of_class.__get__(one, kind)
        return UNKNOWN
    if is_computed(of_class) or (keeps is not UNKNOWN and type(keeps) is not GetSetDescriptorType):
        return UNKNOWN
    return of_class if keeps is UNKNOWN else keeps.__get__(one, kind).get(name, of_class)


def mark(value: Any, name: str) -> Any:
    """What a decorator of the language has left on an object; None if there is nothing."""
    if type(value) is FunctionType:
        return vars(value).get(name)
    return None if type(value) in PLAIN else inspect.getattr_static(value, name, None)


PLAIN = frozenset({bool, int, float, str, bytes, type(None), tuple, list, dict, set, frozenset, GetSetDescriptorType})
"""Classes of values that no decorator marks, and that stand in the place of no function."""


def is_alone(value: Any) -> bool:
    """Whether an object can have no other function behind it: most of what stands in a class."""
    kind = type(value)
    return kind in PLAIN or (kind is FunctionType and not any(kept(value)))


def behind(value: Any) -> Iterator[FunctionType]:
    """The functions that a function, or what can be called or read in the place of one, keeps in closures, defaults and attributes, or in
    containers there."""
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or issubclass(type(one), type):
            continue
        seen.add(id(one))
        if type(one) is FunctionType:
            yield one
            waiting += kept(one)
        elif type(one) in KEEPING or any(raw(type(one), name) is not UNKNOWN for name in STANDING_IN):
            waiting += gc.get_referents(one)


def kept(function: FunctionType) -> tuple[Any, ...]:
    """What a function keeps for when it is called."""
    return tuple(filter(None, (function.__closure__, function.__defaults__, function.__kwdefaults__, vars(function))))


KEEPING = (CellType, dict, tuple, list, set, frozenset)
"""Classes of what keeps objects and does nothing else."""
STANDING_IN = ("__call__", "__get__")
"""What an object has that stands in the place of a function."""


def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """The parameters that Python binds when a function is called, whatever it says of itself in attributes such as `__signature__`."""
    if type(function) is FunctionType:
        plain = FunctionType(function.__code__, function.__globals__, None, function.__defaults__, function.__closure__)
        plain.__kwdefaults__ = function.__kwdefaults__
        function = plain
    return tuple(inspect.signature(function).parameters.values())


def positional(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that can be given by position."""
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(parameter.name for parameter in parameters(function) if parameter.kind in plain)


NEUTRAL = frozenset(
    {"__module__", "__qualname__", "__doc__", "__parameters__", "__orig_bases__", "__type_params__"}
    | {"__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__", "__conditional_annotations__"}
    | {"__firstlineno__", "__static_attributes__", "__abstractmethods__", "__final__", "__test__"}
)
"""Special names of a class that say nothing of its instances, to Python; to type checkers `@final`, to pytest `__test__ = False`."""


KEPT = ("__dict__", "__weakref__")
"""What Python itself gives a class whose instances keep something."""


def special(cls: type) -> set[str]:
    """The special names that a class itself gives a meaning to, which Python looks up by itself."""
    return {
        name
        for name, value in vars(cls).items()
        if name.startswith("__")
        and name.endswith("__")
        and not (
            name in NEUTRAL or name.startswith("__quorate_") or (name in KEPT and type(value) is GetSetDescriptorType)
        )
    }


def meaning(cls: type) -> dict[str, Any]:
    """What decides how the instances of a class are made, read and compared."""
    return {name: raw(cls, name) for base in cls.__mro__ for name in special(base)}


def hides(cls: type, name: str) -> bool:
    """Whether something in a class is found before what its instances have under a name."""
    kind = type(raw(cls, name))
    return raw(kind, "__set__") is not UNKNOWN or raw(kind, "__delete__") is not UNKNOWN


def shown(value: Any) -> str:
    """What an author's object is called in an error, whatever it says of itself."""
    try:
        return f"A {type(value).__name__}" if raw(type(value), "__repr__") is object.__repr__ else repr(value)
    except Exception:
        return f"A {type(value).__name__}"


def is_plain_class(named: Any) -> bool:
    """Whether what is asked is a class whose instances are those of it and its subclasses, and no others."""
    return type(named) in METACLASSES[:3]
