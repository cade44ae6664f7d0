"""What the bodies of one program share, as they see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quorate.explore.native.render.values import Spot
    from quorate.language.types import Type
    from quorate.model.nodes import Expr, Model


class ProgramView(Protocol):
    """Layout of the state, tables, numbers of bounds, names of functions."""

    model: Model

    def variable(self, state: str, name: str) -> Spot:
        """The place of a state variable in the state with this C name."""

    def bound(self, name: str) -> int:
        """The number of a named bound."""

    def table(self, kind: Type) -> str:
        """The C table of all values of a type, in canonical order."""

    def codes(self, kind: Type) -> str:
        """The C table of the codes of all values of a type, by their bits."""

    def on_sequences(self, function: str, bits: int, capacity: int) -> str:
        """The C name of a function of `bits.h` for sequences of so many elements of so many bits."""

    def function(self, key: str) -> str:
        """The C name of a pure function."""

    def linearizable(self, node: Expr) -> str:
        """The C name of the linearizability check with a sequential object."""
