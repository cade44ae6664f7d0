"""Lemmas belong to the argument for a protocol; a variant that is expected to break does not inherit them."""

from checker import Nat, Spec, action, invariant, lemma, violates
from checker.language.system import System


class Level(Nat, max=2):
    """How high."""


class Rising(Spec):
    """A level that stays where it is."""

    level: Level

    @action
    def rise(self) -> None:
        self.level += self.by()

    def by(self) -> Level:
        return Level(0)

    @lemma
    def grounded(self) -> bool:
        return self.level == 0

    @invariant
    def low(self) -> bool:
        return self.level < 2


class Unsound(Rising):
    expect = violates("low")

    def by(self) -> Level:
        return Level(1)


class WithItsOwn(Unsound):
    @lemma
    def bounded(self) -> bool:
        return self.level <= 2


def names(spec: type[Spec]) -> list[str]:
    return [method.name for method in System(spec).of("lemma")]


def test_a_spec_that_holds_is_held_to_its_lemmas() -> None:
    assert names(Rising) == ["grounded"]


def test_a_variant_that_breaks_drops_the_lemmas_of_its_base_and_keeps_its_own() -> None:
    assert names(Unsound) == []
    assert names(WithItsOwn) == ["bounded"]
    assert names(WithItsOwn.bounded(Level=2)) == ["bounded"]
