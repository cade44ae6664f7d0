"""What has no meaning for an unbounded number of nodes."""

from __future__ import annotations

from quorate.errors import Location, SpecError
from quorate.language.types import (
    NatType,
)


class NoAnySize(SpecError):
    """A construct has no meaning for an unbounded number of nodes; proofs at fixed bounds still take it."""

    HINT = "`quorate prove` without --any-size proves it at fixed bounds."

    def __init__(self, found: str, instead: str, location: Location | None = None) -> None:
        self.found, self.instead = found, instead
        super().__init__(f"{found} {instead} {self.HINT}", location)

    def at(self, location: Location) -> NoAnySize:
        """The same, found there."""
        return NoAnySize(self.found, self.instead, location)


def require_natural(kind: NatType) -> None:
    """Raises NoAnySize for numbers whose least is a bound: what is proven here takes numbers to begin at zero."""
    if kind.cuts_below:
        raise NoAnySize(
            f"The least {kind} is a bound, min={kind.minimum}, and only numbers that begin at 0 have an any-size meaning.",
            "Use a Nat.",
        )
