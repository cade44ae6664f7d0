"""Well-formed messages of any type, with arbitrary contents."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
from msgspec import inspect

NAMES = ("", "n1", "n2", "client", "x" * 40)


def classes(union: Any) -> Iterator[type[msgspec.Struct]]:
    """The classes of messages in a union, or the only one."""
    info = inspect.type_info(union)
    for each in info.types if isinstance(info, inspect.UnionType) else (info,):
        assert isinstance(each, inspect.StructType)
        yield each.cls


def sample(kind: Any, random: Random, depth: int = 3) -> Any:
    """A value of a type, such as could be decoded. Containers have up to three elements, and nested ones fewer."""
    return _drawn(inspect.type_info(kind), random, depth)


def _drawn(info: inspect.Type, random: Random, depth: int) -> Any:
    def some(item: inspect.Type) -> list[Any]:
        return [_drawn(item, random, depth - 1) for _ in range(random.randint(0, depth))] if depth > 0 else []

    match info:
        case inspect.IntType(gt=gt, ge=ge):
            least = gt + 1 if gt is not None else ge
            return random.choice((0, 1, 2, 7, 2**40) if least is None else (least, least + 1, least + 7, 2**40))
        case inspect.StrType():
            return random.choice(NAMES)
        case inspect.BytesType():
            return random.randbytes(random.choice((0, 1, 32, 64)))
        case inspect.BoolType():
            return random.random() < 0.5
        case inspect.FloatType():
            return random.random()
        case inspect.NoneType():
            return None
        case inspect.EnumType(cls=cls):
            return random.choice(list(cls))
        case inspect.LiteralType(values=values):
            return random.choice(values)
        case inspect.UnionType(types=types):
            return _drawn(random.choice(types), random, depth)
        case inspect.VarTupleType(item_type=item):
            return tuple(some(item))
        case inspect.ListType(item_type=item):
            return some(item)
        case inspect.TupleType(item_types=items):
            return tuple(_drawn(each, random, depth - 1) for each in items)
        case inspect.DictType(key_type=key, value_type=value):
            return {each: _drawn(value, random, depth - 1) for each in some(key)}
        case inspect.StructType(cls=cls, fields=fields):
            return cls(**{each.name: _drawn(each.type, random, depth - 1) for each in fields})
        case inspect.Metadata(type=inner):
            return _drawn(inner, random, depth)
    raise AssertionError(info)
