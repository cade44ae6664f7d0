"""Who does what: the lanes of a space-time diagram, and the lane of each step.

The lanes are what `Spec.lanes` says. Without it they are the members of the node sort, which is the sort used most as
a key of maps, as a parameter of actions and as `source` or `target` of messages, of every other sort that is a
`source` or `target`, and the names that actions give with `lane=`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from quorate.language.sorts import Identity
from quorate.language.system import Arguments, Method, System
from quorate.language.types import EnumType, IdentityType, MapType, RecordType, Type, WireType, is_record

ENVIRONMENT = "env"
"""The lane of a step that belongs to no other lane, such as a client's request."""
NETWORK = "net"
"""The lane of what happens to the network itself."""
ENDS = ("source", "target")
NETWORK_MARKS = ("loss", "partition", "heal")


class Lanes:
    """The lanes of one system. Make and use it inside the system's configuration."""

    def __init__(self, system: System) -> None:
        self._system = system
        declared = system.spec.lanes
        self.sorts: tuple[type[Identity], ...] = tuple(
            lane for lane in declared if isinstance(lane, type) and issubclass(lane, Identity)
        )
        if not declared:
            self.sorts = _node_sorts(system)
        columns: list[str] = []
        for lane in declared or self.sorts:
            if isinstance(lane, str):
                columns.append(lane)
            elif lane in self.sorts:
                columns += map(repr, lane.members())
        named = [action.declaration.lane for action in system.actions if action.declaration.lane is not None]
        self.names = tuple(dict.fromkeys([*columns, *named]))

    def of_step(self, action: Method, arguments: Arguments) -> str:
        """Where a step happens: the declared lane, else the first argument that is a lane, else the target of a
        message, else another lane inside a message, else the network (for a loss) or the environment."""
        if action.declaration.lane is not None:
            return action.declaration.lane
        if action.declaration.mark in NETWORK_MARKS:
            return NETWORK
        for argument in arguments:
            if self.is_lane(argument):
                return repr(argument)
        for argument in arguments:
            if is_record(type(argument)) and self.is_lane(getattr(argument, "target", None)):
                return repr(argument.target)
        inside = (part for argument in arguments for part in _identities(argument) if self.is_lane(part))
        return next(map(repr, inside), ENVIRONMENT)

    def of_key(self, key: Any) -> str | None:
        """The lane that owns the value of a map at `key`; of a tuple, its first part."""
        first = key[0] if isinstance(key, tuple) and key else key
        return repr(first) if self.is_lane(first) else None

    def is_lane(self, value: Any) -> bool:
        """Whether a value is a member of a lane sort."""
        return isinstance(value, self.sorts)

    def isolated(self, arguments: Arguments, changed: Iterator[Any]) -> tuple[str, ...]:
        """The lanes on one side of a partition: those in the first argument, or changed set, that has any."""
        for value in (*arguments, *changed):
            members = value if isinstance(value, set | frozenset) else [value]
            found = tuple(repr(member) for member in members if self.is_lane(member))
            if found:
                return found
        return ()

    def role(self) -> str | None:
        """The variable that colours the lanes: the declared one, else the first map from a lane sort to an Enum."""
        if self._system.spec.coloured_by is not None:
            return self._system.spec.coloured_by
        for variable in self._system.variables:
            kind = variable.type
            if (
                isinstance(kind, MapType)
                and isinstance(kind.value, EnumType)
                and isinstance(kind.key, IdentityType)
                and kind.key.sort in self.sorts
            ):
                return variable.name
        return None

    def roles(self) -> tuple[str, ...]:
        """The values of that variable, in order of definition."""
        name = self.role()
        kind = self._system.variable(name).type if name in self._system.index else None
        if not isinstance(kind, MapType) or not isinstance(kind.value, EnumType):
            return ()
        return tuple(member.name for member in kind.value.members)


def _node_sorts(system: System) -> tuple[type[Identity], ...]:
    uses: Counter[type[Identity]] = Counter()
    ends: dict[type[Identity], None] = {}
    for sort in _uses(system):
        uses[sort] += 1
    for variable in system.variables:
        if isinstance(variable.type, WireType):
            ends |= dict.fromkeys(_ends(variable.type))
    uses.update(list(ends))
    if not uses:
        return ()
    most = max(uses.values())
    node = next(sort for sort in uses if uses[sort] == most)
    return tuple(dict.fromkeys([node, *ends]))


def _uses(system: System) -> Iterator[type[Identity]]:
    for variable in system.variables:
        for part in variable.type.walk():
            if isinstance(part, MapType):
                key = part.key.children()[0] if part.key.children() else part.key
                if isinstance(key, IdentityType):
                    yield key.sort
    for action in system.actions:
        for parameter in action.parameters:
            if isinstance(parameter.type, IdentityType):
                yield parameter.type.sort


def _ends(wire: Type) -> Iterator[type[Identity]]:
    for part in wire.walk():
        if isinstance(part, RecordType):
            for name in ENDS:
                end = part.field(name)
                for kind in end.walk() if end is not None else ():
                    if isinstance(kind, IdentityType):
                        yield kind.sort


def _identities(value: Any) -> Iterator[Any]:
    """The identities inside a record or tuple, in order of the fields."""
    if isinstance(value, Identity):
        yield value
    elif is_record(type(value)):
        for name in type(value).__dataclass_fields__:
            yield from _identities(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _identities(part)
