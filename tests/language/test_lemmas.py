"""Lemmas belong to the argument for a protocol; a variant that is expected to break does not inherit them."""

import pytest
from quorate import Nat, Spec, action, invariant, lemma, violates
from quorate.errors import SpecError
from quorate.language.system import System


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
    def not_too_high(self) -> bool:
        return self.level <= 2


def names(spec: type[Spec]) -> list[str]:
    return [method.name for method in System(spec).of("lemma")]


def test_a_spec_that_holds_is_held_to_its_lemmas() -> None:
    assert names(Rising) == ["grounded"]


def test_a_variant_that_breaks_drops_the_lemmas_of_its_base_and_keeps_its_own() -> None:
    assert names(Unsound) == []
    assert names(WithItsOwn) == ["not_too_high"]
    assert names(WithItsOwn.bounded(Level=2)) == ["not_too_high"]


def test_a_method_may_not_take_the_name_of_one_of_specs_own() -> None:
    with pytest.raises(SpecError, match="bounded is a method of every Spec"):

        class Clash(Rising):
            @invariant
            def bounded(self) -> bool:  # type: ignore[override]
                return True
