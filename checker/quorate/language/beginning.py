"""Several @init methods taken as one.

They run one after the other, those of base classes first, each where those before it have come to. Each variable is assigned by one of
them and read by none before: whatever it is read as, it is what it begins with, so that the initial states are those that all of
the methods allow, as with a conjunction in TLA+.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from quorate.errors import SpecError
from quorate.language.declarations import Declaration
from quorate.language.methods import Method
from quorate.language.places import definition


def joined(spec: str, parts: tuple[Method, ...]) -> Method | None:
    """The method that runs all of these, with the parameters of all; None if there are none. Raises SpecError where two parameters
    have one name, by which traces tell the arguments."""
    if len(parts) < 2:
        return parts[0] if parts else None
    owner: dict[str, str] = {}
    for part in parts:
        for parameter in part.parameters:
            if parameter.name in owner:
                raise SpecError(
                    f"{spec}.{part.name} and {spec}.{owner[parameter.name]}, both marked @init, have a parameter {parameter.name!r} each. "
                    f"They are chosen independently, and traces tell them by name: give one of them another.",
                    definition(part.function, parameter.name),
                )
            owner[parameter.name] = part.name

    def begin(draft: Any, *arguments: Any) -> None:
        for part, given in divided(method, arguments):
            part.function(draft, *given)

    begin.__doc__ = " ".join(part.sentence for part in parts)
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    method = Method("_and_".join(part.name for part in parts), Declaration("init"), begin, parameters, parts=parts)
    return method


def divided(init: Method, arguments: tuple[Any, ...]) -> Iterator[tuple[Method, tuple[Any, ...]]]:
    """The @init methods in the order in which they run, each with its own of the arguments."""
    rest = iter(arguments)
    for part in init.parts or (init,):
        yield part, tuple(islice(rest, len(part.parameters)))


def assigned_twice(spec: str, variable: str, first: str, second: str) -> str:
    """What the author of two @init methods reads that assign one variable."""
    return (
        f"{spec}.{first} and {spec}.{second} are both marked @init, and assign self.{variable}: all of them run, one after the other, and "
        f"a variable begins with one of them. For one beginning or another write one method with a parameter that says which, such as an "
        f"Enum or a `bool`; to replace an inherited one give yours its name."
    )
