"""A candle."""

from quorate import Nat, Spec, action, eventually, invariant, require


class Count(Nat, max=9):
    """How far it has burned."""


class Candle(Spec):
    """It burns down, unless it is put out early; one may turn round beside it for ever."""

    count: Count
    turned: bool
    out: bool

    @action(fair="weak")
    def burn(self) -> None:
        require(self.count < 5 and not self.out)
        self.count += 1

    @action
    def turn(self) -> None:
        self.turned = not self.turned

    @action
    def put_out(self) -> None:
        require(self.count <= 2)
        self.out = True

    @invariant
    def burns_long(self) -> bool:
        """It is not burned down."""
        return self.count < 5

    @eventually
    def is_out(self) -> bool:
        """It goes out."""
        return self.out or self.count == 5
