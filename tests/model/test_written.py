"""What a method says depends on where it was written, not on where it is found: `super()`, private names, defaults of records."""

from __future__ import annotations

import pytest
from quorate.errors import SpecError
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify

from tests.generated import HEADER, load
from tests.model.test_interpreter import agree

WRITTEN = """
@record
class Mark:
    level: Level = 1
    flag: bool = False


@record
class Same(Mark):
    pass


Same.level = 2
Mark.flag = True


class Base(Spec):
    top: Level
    mark: Same | None

    def value(self) -> Level:
        return Level(0)

    def low(self, n: Node) -> bool:
        return self.top == 0

    @action
    def grow(self) -> None:
        self.top = Level(1)

    @invariant
    def known(self) -> bool:
        return self.value() == 2


class Written(Base):
    def value(self) -> Level:
        return Level(2)

    def above(self) -> Level:
        return super().value()

    def grow(self) -> None:
        self.top = super().value()

    def known(self) -> bool:
        return super().value() == 0


class Again(Written):
    value = Written.above


class Moved(Written):
    grow = Written.grow
    known = Written.known
    another = Written.above

    @action
    def ask(self) -> None:
        self.top = self.another()

    @action
    def stamp(self) -> None:
        self.mark = Same()


def elsewhere(self) -> bool:
    return super().low(self.mark)


class Elsewhere(Written):
    known = elsewhere


class Comprehended(Written):
    def known(self) -> bool:
        return all(super().low(n) for n in Node)


class Before(Written):
    def known(self) -> bool:
        return all(i == 0 for i in range(super().value() + 1))
"""


def specification(name: str) -> System:
    return System(load(HEADER.format(nodes=2, levels=2) + WRITTEN, name))


@pytest.mark.parametrize("name", ["Written", "Again", "Moved", "Before"])
def test_super_looks_behind_the_class_that_a_method_was_written_in(name: str) -> None:
    system = specification(name)
    model = build(system)
    verify(model)
    with system:
        assert agree(system, model, 10) >= 1


@pytest.mark.parametrize("name", ["Elsewhere", "Comprehended"])
def test_super_is_refused_where_python_has_none(name: str) -> None:
    with pytest.raises(SpecError, match=r"super\(\)") as refused:
        build(specification(name))
    assert refused.value.location is not None


def test_the_default_of_a_field_is_what_it_was_when_the_record_was_made() -> None:
    system = specification("Moved")
    with system:
        stamp = next(action for action in build(system).actions if action.name == "stamp")
        state = system.fire(system.zero(), stamp.method, ()).state
        assert repr(state[1]) == "Same(level=1, flag=False)"
        assert agree(system, build(system), 10) >= 1
