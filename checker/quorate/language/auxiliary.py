"""Auxiliary variables: what is told along a run, and is no part of the state.

`Annotated[int, auxiliary]` marks a variable that actions write and nothing else reads: a counter, a history. Two states that differ in
it only are one, so no engine knows of it; its values are those along the run that is shown (Abadi & Lamport 1991 call such
variables history variables, and add them to the state; here they need not be). So that it changes nothing, whatever is written to
it must have a value and fit: numbers and containers have no bound here.
"""

from __future__ import annotations

import functools
import operator
import types
from typing import Annotated, Any, Union, get_args, get_origin

from quorate.language.resolve import up_to
from quorate.language.sorts import NUMBER_MAX, Whole


class Auxiliary:
    """The mark that `auxiliary` leaves in an annotation."""

    def __repr__(self) -> str:
        return "auxiliary"


auxiliary = Auxiliary()
"""`sent: Annotated[int, auxiliary]`: written by actions, read by nothing else, told along runs, and no part of the state."""


def is_auxiliary(hint: Any) -> bool:
    """Whether an annotation is that of an auxiliary variable."""
    return get_origin(hint) is Annotated and any(isinstance(part, Auxiliary) for part in hint.__metadata__)


def unbounded(hint: Any) -> Any:
    """An annotation without its marks, in which numbers are whole numbers, and containers have room for all."""
    if get_origin(hint) is Annotated:
        return unbounded(get_args(hint)[0])
    if hint is int:
        return Whole
    origin, parts = get_origin(hint), tuple(map(unbounded, get_args(hint)))
    if origin is None:
        return hint
    if origin in (types.UnionType, Union):
        return functools.reduce(operator.or_, parts)
    return Annotated[origin[parts], up_to(NUMBER_MAX)] if origin in (list, set) else origin[parts]
