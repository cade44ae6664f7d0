"""From annotations to types: reads what an author declared, gives every bound its name and its size.

Sorts carry their configured size on the class (`Server.bound`), so that `for s in Server` works in plain Python.
Capacities of containers have no class of their own; the configuration that is in force holds them.
"""

from __future__ import annotations

import enum
import inspect
import sys
import types as pytypes
import typing
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from quorate.errors import SpecError, counted
from quorate.language.known import hides, home, is_computed, meaning, raw, special
from quorate.language.networks import Bag, Channels, Network, Wire
from quorate.language.places import declaration, placed
from quorate.language.sorts import NUMBER_MAX, Identity, Int, Nat, Ordered, Scalarset, SortMeta, Whole
from quorate.language.types import (
    MASK_MAX,
    BagType,
    BoolType,
    ChannelsType,
    EnumType,
    ListType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    OrderedType,
    PartialMapType,
    RecordType,
    ScalarsetType,
    SetType,
    TupleType,
    Type,
    UnionType,
    WholeType,
    WireType,
    is_record,
)

LIST_CAPACITY = 4
SET_CAPACITY = 16
CHANNEL_CAPACITY = 3
BAG_CAPACITY = 8
"""Default capacities, for containers that declare none."""


@dataclass(frozen=True)
class UpTo:
    """The mark that `up_to` leaves in an annotation."""

    limit: type[Int] | int


def up_to(limit: type[Int] | int) -> UpTo:
    """The capacity of a list or set: `Annotated[list[Entry], up_to(Index)]` holds at most `Index.max` entries.

    With a `Nat` the bound carries its name; with a number it is named after the variable.
    """
    return UpTo(limit)


class Partial:
    """The mark that `partial` leaves in an annotation."""

    def __repr__(self) -> str:
        return "partial"


partial = Partial()
"""`leases: Annotated[dict[Client, Term], partial]`: a map of which keys may be absent. It begins empty."""


@dataclass
class Configuration:
    """The sizes in force. `capacities` overrides those that containers declare; `found` collects every bound met."""

    capacities: Mapping[str, int] = field(default_factory=dict)
    found: dict[str, Bound] = field(default_factory=dict)
    records: dict[type, RecordType] = field(default_factory=dict)
    sorts: set[type] = field(default_factory=set)
    """Those that were found to be what sorts are."""
    ambiguous: set[str] = field(default_factory=set)
    """The names of several capacities, of a list of lists, say, that are not declared alike: one number is asked for all of them."""
    of_one_spec: bool = True
    """False for records that are built outside any spec: those of unrelated specs may use one name for two bounds."""

    def note(self, bound: Bound) -> None:
        """Remember a bound. Two different ones must not share a name."""
        known = self.found.setdefault(bound.name, bound)
        if known.sort is not bound.sort and self.of_one_spec:
            raise two_bounds(bound.name)
        if known.default != bound.default:
            self.ambiguous.add(bound.name)


def two_bounds(name: str) -> SpecError:
    """Two sorts, or a sort and a capacity, have one name."""
    return SpecError(
        f"Two bounds are called {name!r}. Rename one of the sorts or variables: every bound is changed by its name."
    )


@dataclass(frozen=True)
class Bound:
    """A named bound: its default and what it limits. `sort` is None for the capacity of a container."""

    name: str
    default: int
    kind: str
    sort: type | None = None


_ACTIVE: list[Configuration] = [Configuration(of_one_spec=False)]


def active() -> Configuration:
    """The configuration in force."""
    return _ACTIVE[-1]


def activate(configuration: Configuration) -> None:
    """Put a configuration in force, until `deactivate`."""
    _ACTIVE.append(configuration)


def deactivate() -> None:
    """Return to the configuration that was in force before."""
    _ACTIVE.pop()


def record_type(cls: type) -> RecordType:
    """The resolved type of a `@record` class under the active configuration."""
    configuration = active()
    if type(cls) is not type:
        _check_metaclass(cls, type, cls.__qualname__)
    found = configuration.records.get(cls)
    if found is None:
        declared = hints(cls)
        if meaning(cls) != vars(cls)["__quorate_record__"] or any(hides(cls, name) for name in declared):
            raise SpecError(
                f"The record {cls.__name__} is not what it was declared as: its fields or special methods were replaced since."
            )
        fields = []
        for name, hint in declared.items():
            try:
                where = f"{cls.__name__}.{name}"
                fields.append((name, resolve(hint, where, configuration)))
            except SpecError as error:
                raise placed(error, declaration(cls, name)) from None
        found = configuration.records[cls] = RecordType(cls, tuple(fields))
    return found


def hold_records(value: Any) -> None:
    """Raises what building the records in a value, which may have been built before, would raise under the active configuration."""
    if is_record(type(value)):
        for name, kind in record_type(type(value)).fields:
            hold_records(kind.check(getattr(value, name)))
    elif isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            hold_records(part)
    elif isinstance(value, Sequence | Set) and not isinstance(value, str):
        for part in value:
            hold_records(part)


def hints(of: Any, scope: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The evaluated annotations of a class or function; `scope` are the names of the class that a method is written in. What a class
    inherits means what it means where it was written: another file may have other sorts of the same names. Raises SpecError if one cannot
    be evaluated.
    """
    try:
        if not isinstance(of, type):
            inspect.unwrap(of)  # Raises ValueError where it is wrapped in itself, which typing would follow for ever.
            return get_type_hints(of, localns=scope, include_extras=True)
        return {name: hint for base in reversed(of.__mro__) for name, hint in _own_hints(base).items()}
    except NameError as error:
        raise SpecError(
            f"{of.__name__}: an annotation uses the unknown name {error.name!r}. Import or define it above."
        ) from None
    except Exception as error:  # Subscripting a class of the author's runs the author's code.
        raise SpecError(f"{of.__name__}: an annotation is not a type: {error}.") from None


def _own_hints(cls: type) -> dict[str, Any]:
    alone = type(cls.__name__, (), {"__annotations__": inspect.get_annotations(cls), "__module__": cls.__module__})
    return get_type_hints(alone, vars(sys.modules[cls.__module__]), scope_of(cls), include_extras=True)


def scope_of(cls: type) -> dict[str, Any]:
    """What names mean in the annotations of a class, also where these are texts (`from __future__ import annotations`): what its body
    gives to types, such as a sort of its own, else what they meant where the class statement stands."""
    outside: Mapping[str, Any] = cls.__dict__.get("__quorate_namespace__", {})
    body = {name: value for name, value in vars(cls).items() if not (name.startswith("__") or is_computed(value))}
    return {**outside, **body}


ALLOWED = (
    "a Nat, Int, Scalarset or Ordered subclass, bool, an Enum, a @record, T | None or another union, tuple[...], dict[K, V], "
    "set[T], list[T], Network[M], Bag[M] or Channels[M]"
)

CONTENTS: Mapping[Any, int] = {dict: 2, set: 1, frozenset: 1, list: 1}
"""How many types a container is given. Python counts those of its own classes only."""


def resolve(hint: Any, name: str, configuration: Configuration, default: Any = None) -> Type:
    """The type that an annotation means. `name` is the variable or `Record.field` that declares it, for messages and
    for the bound of a container; `default` the value given in the class, which carries the options of a network.
    """
    limit: UpTo | None = None
    marks: list[Any] = []
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        limit = next((mark for mark in marks if isinstance(mark, UpTo)), None)
    origin, arguments = get_origin(hint), get_args(hint)
    if partial in marks:
        if origin is not dict:
            raise SpecError(f"{name}: only the keys of a map may be absent, `Annotated[dict[K, V], partial]`.")
        key, value = (resolve(part, name, configuration) for part in arguments)
        return _partial(key, value, name)
    if hint is None or hint is pytypes.NoneType:
        return NoneType()
    if isinstance(hint, type) and origin is None:
        return _class_type(hint, name, configuration)
    if origin in (Union, pytypes.UnionType):
        return _union(tuple(resolve(part, name, configuration) for part in arguments), name)
    if len(arguments) != CONTENTS.get(origin, len(arguments)):
        raise SpecError(
            f"{name}: in {_show(hint)} there {'is' if len(arguments) == 1 else 'are'} {len(arguments)} between the brackets, and a "
            f"{origin.__name__} has {CONTENTS[origin]}. How much it holds is a bound: `Annotated[..., up_to(3)]`."
        )
    if origin is tuple and arguments and Ellipsis not in arguments:
        return TupleType(tuple(_whole(resolve(part, name, configuration), name) for part in arguments))
    if origin is dict:
        return _map(resolve(arguments[0], name, configuration), resolve(arguments[1], name, configuration), name)
    if origin in (set, frozenset):
        element = _whole(resolve(arguments[0], name, configuration), name)
        unbounded = limit is None and element.cardinality <= MASK_MAX and name not in configuration.capacities
        capacity, bound = (None, name) if unbounded else _capacity(limit, SET_CAPACITY, name, configuration)
        return SetType(element, capacity, bound)
    if origin is list:
        capacity, bound = _capacity(limit, LIST_CAPACITY, name, configuration)
        return ListType(_whole(resolve(arguments[0], name, configuration), name), capacity, bound)
    if isinstance(origin, type) and issubclass(origin, Wire):
        return _wire(origin, resolve(arguments[0], name, configuration), name, configuration, default)
    if isinstance(hint, pytypes.FunctionType):  # Annotations that are read late find the class's own names first.
        raise SpecError(f"{name}: the method {hint.__qualname__} has the name of its type: choose another one.")
    raise SpecError(f"{name}: {_show(hint)} is not a type of the language. Use {ALLOWED}.")


def _show(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _class_type(hint: type, name: str, configuration: Configuration) -> Type:
    if hint is bool:
        return BoolType()
    if is_record(hint):
        return record_type(hint)
    if issubclass(hint, enum.Enum):
        if not len(hint):
            raise SpecError(f"{name}: the Enum {hint.__name__} has no members.")
        if issubclass(hint, enum.Flag):
            raise SpecError(
                f"{name}: the values of the Flag {hint.__name__} are sets of its members. Use set[...] of an Enum."
            )
        _check_metaclass(hint, enum.EnumMeta, name)
        _check_members(hint, name)
        return EnumType(hint)
    if isinstance(hint, SortMeta) and hint not in SORTS:
        _check_metaclass(
            hint, SortMeta, name
        )  # Before anything is asked of it: one of its own may say that it equals another sort.
        if hint not in configuration.sorts:
            _check_sort(hint, name)
            configuration.sorts.add(hint)
        _note_sort(hint, configuration)
        if issubclass(hint, Int):
            members = hint.members()
            if hint is Whole:
                return WholeType(hint, members[-1], members[0])
            return NatType(hint, members[-1], members[0])
        assert issubclass(hint, Identity)
        return (ScalarsetType if issubclass(hint, Scalarset) else OrderedType)(hint, hint.bound)
    if hint is int:
        raise SpecError(
            f"{name}: int is infinite. Declare `class Name(Nat, max=3)` and use it, so that the state space is finite."
        )
    if hint in (dict, set, list, tuple, frozenset, Network, Bag, Channels):
        raise SpecError(f"{name}: {hint.__name__} needs the types of its contents, such as `{hint.__name__}[...]`.")
    raise SpecError(f"{name}: {hint.__name__} is not a type of the language. Use {ALLOWED}.")


def _check_sort(hint: SortMeta, name: str) -> None:
    """Raises SpecError where members of a sort would not be told apart, ordered and numbered as those of sorts are."""
    taken = {one for base in _own_bases(hint) for one in (DEFINED & vars(base).keys()) | special(base)}
    if taken:
        raise SpecError(
            f"{name}: the sort {hint.__name__} has a {min(taken)} of its own. What is called so in a sort is how members are told "
            f"apart, ordered and numbered: choose another name."
        )


def _note_sort(sort: SortMeta, configuration: Configuration) -> None:
    """Note the bound of a sort, and of those from which its size is computed."""
    for part in (sort, *sort.rests_on()):
        kind = "largest number" if issubclass(part, Int) else "number of members"
        configuration.note(Bound(part.__name__, part.default, kind, part))


SORTS = (Nat, Int, Identity, Scalarset, Ordered)
DEFINED = frozenset(name for sort in SORTS for name in vars(sort) if not name.startswith("__")) | {"index"}
DEFINED -= {"prefix", "_interned", "_declared", "_configured", "_range", "_lower"}
"""What the members of a sort can do, in Python and in every engine; what a sort says of itself is not among it."""


def _check_members(hint: type[enum.Enum], name: str) -> None:
    """Raises SpecError where the members of an Enum are not told apart by what they are."""
    own = {one for base in _own_bases(hint) for one in special(base) - MADE}
    if own:
        raise SpecError(
            f"{name}: the Enum {hint.__name__} has a {min(own)} of its own; its members are compared by name."
        )
    members = list(hint)
    if raw(hint, "__eq__") is not object.__eq__ and any(
        (one == other) is not (one is other) for one in members for other in members
    ):
        raise SpecError(f"{name}: members of the Enum {hint.__name__} do not equal themselves alone. Use plain values.")


MADE = frozenset({"__new__", "__new_member__", "__init__", "__repr__", "__str__", "__format__", "__reduce_ex__"})
"""What Python gives an Enum, and what makes its members, once, and writes them: nothing that tells them apart, or says what they do."""


def _check_metaclass(cls: type, wanted: type, name: str) -> None:
    if type(cls) is not wanted:
        raise SpecError(
            f"{name}: {cls.__name__} has the metaclass {type(cls).__name__}, which could range over anything, and make anything of a call."
        )


def _own_bases(cls: type) -> list[type]:
    """The classes that an author wrote, of a class and its bases."""
    return [
        base for base in cls.__mro__ if base not in SORTS and home(base) not in ("builtins", "enum", "typing", "abc")
    ]


def _union(parts: tuple[Type, ...], name: str) -> Type:
    flat: list[Type] = []
    for part in parts:
        flat.extend(part.kinds if isinstance(part, UnionType) else (part,))
    flat.sort(key=lambda part: not isinstance(part, NoneType))
    classes: list[object] = [
        part.sort if isinstance(part, RecordType | EnumType | ScalarsetType | OrderedType) else type(part)
        for part in flat
    ]
    if len(set(classes)) < len(classes):
        raise SpecError(
            f"{name}: the alternatives of a union must differ by their Python class; wrap one of them in a @record."
        )
    if {BoolType, NatType} <= set(classes):
        raise SpecError(
            f"{name}: bool and a Nat cannot be alternatives of one union, because True == 1 in Python; use an Enum."
        )
    if sum(map(may_equal_another, flat)) > 1:
        mixed = " and ".join(str(part) for part in flat if may_equal_another(part))
        raise SpecError(
            f"{name}: {mixed} cannot be alternatives of one union, because members of an enum that is a number or a text equal "
            f"plain ones in Python. Use a plain Enum."
        )
    if len(flat) == 2 and NoneType() in flat and isinstance(flat[1], ListType):
        return UnionType(tuple(flat))
    for part in flat:
        if isinstance(part, MapType | ListType | SetType | NetworkType | BagType | ChannelsType):
            raise SpecError(
                f"{name}: {part} cannot be an alternative of a union; wrap it in a @record, or use an empty one for None."
            )
    return UnionType(tuple(flat))


def may_equal_another(kind: Type) -> bool:
    """Whether values of a type may equal values of another one in Python: numbers, truths (True == 1), and enums that are numbers or
    texts too. A union has one such alternative at most."""
    if isinstance(kind, EnumType):
        return getattr(kind.sort, "_member_type_", object) is not object
    return isinstance(kind, NatType | BoolType)


KEYS_MAX = 4096


def _map(key: Type, value: Type, name: str) -> Type:
    if any(
        isinstance(part, MapType | ListType | SetType | NetworkType | BagType | ChannelsType) for part in key.walk()
    ):
        raise SpecError(
            f"{name}: a map's keys are identities, numbers, enums, tuples or records of those; {key} is not."
        )
    if key.cardinality > KEYS_MAX:
        raise SpecError(
            f"{name}: a map is total, and {key} has {counted(key.cardinality)} values; at most {KEYS_MAX:,} keys are allowed."
        )
    return MapType(key, value)


def _partial(key: Type, value: Type, name: str) -> Type:
    if NoneType() in (value, *value.children()):
        raise SpecError(
            f"{name}: what is absent from a partial map is not there, and what is there is not None: write `dict[{key}, "
            f"{value}]` for a map in which None is a value, or leave None out."
        )
    if any(isinstance(part, MapType | ListType | SetType | WireType) for part in (value, *value.children())):
        raise SpecError(f"{name}: the values of a partial map are no containers; wrap {value} in a @record.")
    whole = _map(key, value, name)
    assert isinstance(whole, MapType)
    optional = _union((NoneType(), value), name)
    assert isinstance(optional, UnionType)
    return PartialMapType(whole.key, optional)


def _whole(part: Type, name: str) -> Type:
    """What a collection or a tuple holds, in which every map is total, unless a record is around it."""
    if _is_partial(part):
        raise SpecError(
            f"{name}: a partial map is a variable, a parameter or a field of a @record, or what a map in one of these has for each key; "
            f"wrap it in a @record."
        )
    return part


def _is_partial(part: Type) -> bool:
    inside = () if isinstance(part, RecordType) else part.children()
    return isinstance(part, PartialMapType) or any(map(_is_partial, inside))


def _capacity(limit: UpTo | None, default: int, name: str, configuration: Configuration) -> tuple[int, str]:
    if limit is not None and not isinstance(limit.limit, int):
        kind = _class_type(limit.limit, name, configuration)
        if not isinstance(kind, NatType) or kind.maximum < 0:
            raise SpecError(f"{name}: the capacity up_to({kind}) is no number from 0: use a Nat, or a number.")
        return kind.maximum, kind.bound
    declared = default if limit is None else limit.limit
    if not isinstance(declared, int) or not 1 <= declared <= NUMBER_MAX:
        raise SpecError(f"{name}: a capacity is a whole number from 1 to {NUMBER_MAX:,}, not {declared!r}.")
    configuration.note(Bound(name, declared, "capacity"))
    return configuration.capacities.get(name, declared), name


def _wire(origin: type, message: Type, name: str, configuration: Configuration, default: Any) -> Type:
    if default is not None and not isinstance(default, origin):
        raise SpecError(f"{name}: its default must be a {origin.__name__}, such as `{origin.__name__}(lossy=True)`.")
    lossy = isinstance(default, Wire) and default.lossy
    declared = default.capacity if isinstance(default, Wire) else None
    limit = None if declared is None else UpTo(declared)
    if origin is Network:
        if limit is None and message.cardinality <= MASK_MAX and name not in configuration.capacities:
            return NetworkType(message, None, name, lossy, name)
        capacity, bound = _capacity(limit, SET_CAPACITY, name, configuration)
        return NetworkType(message, capacity, bound, lossy, name)
    if origin is Bag:
        capacity, bound = _capacity(limit, BAG_CAPACITY, name, configuration)
        return BagType(message, capacity, bound, lossy, name)
    capacity, bound = _capacity(limit, CHANNEL_CAPACITY, name, configuration)
    source, target = _endpoint(message, "source", name), _endpoint(message, "target", name)
    return ChannelsType(message, capacity, bound, lossy, name, source, target)


def _endpoint(message: Type, end: str, name: str) -> Type:
    parts = message.kinds if isinstance(message, UnionType) else (message,)
    found = {part.field(end) if isinstance(part, RecordType) else None for part in parts}
    if len(found) > 1 or None in found:
        raise SpecError(
            f"{name}: every message of Channels is a @record with the fields `source` and `target`, of the same types; "
            f"{message} is not."
        )
    kind = found.pop()
    assert kind is not None
    return kind


def is_classvar(hint: Any) -> bool:
    """Whether an annotation is `ClassVar[...]`: a parameter of the spec, not a variable of its state."""
    return hint is typing.ClassVar or get_origin(hint) is typing.ClassVar
