"""What a class may say of a name that a base has said: every pair of roles, in an heir and beside it."""

from __future__ import annotations

from itertools import product

import pytest
from quorate import invariant
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.spec import derived
from quorate.language.system import System

from tests.generated import load as load_drawn

ROLES = {
    "a variable": "x: Nr = 1",
    "a variable without a value": "x: Nr",
    "a variable of another type": "x: Less = 1",
    "a constant": "x: ClassVar[int] = 2",
    "a value": "x = 2",
    "a method": "def x(self) -> bool: return True",
    "@action": "@action\n    def x(self) -> None: self.v = 0",
    "@init": "@init\n    def x(self) -> None: self.v = 1",
    "@invariant": "@invariant\n    def x(self) -> bool: return self.v < 4",
    "@lemma": "@lemma\n    def x(self) -> bool: return self.v < 4",
    "@reachable": "@reachable\n    def x(self) -> bool: return self.v == 2",
    "@step": "@step\n    def x(self, old: Self) -> bool: return self.v >= old.v",
    "@eventually": "@eventually\n    def x(self) -> bool: return self.v == 2",
    "@constraint": "@constraint\n    def x(self) -> bool: return self.v < 2",
    "@law": "@law\n    def x(a: Nr, b: Nr) -> bool: return a + b == b + a",
    "@terminal": "@terminal\n    def x(self) -> bool: return self.v == 3",
    "a static method": "@staticmethod\n    def x() -> bool: return True",
    "a property": "@property\n    def x(self) -> bool: return True",
    "a sort": "class x(Nat, max=3): ...",
    "an enum": "class x(enum.Enum): A = 1",
}
VARIABLES = {name for name in ROLES if name.startswith("a variable")}
MARKED = {name for name in ROLES if name.startswith("@")}
CLASSES = {"a sort", "an enum"}
PLAIN = {"a value", "a method", "a static method", "a property"}


def may_stand_before(near: str, far: str) -> bool:
    """Whether an heir may say the one of what its base says is the other."""
    if near in VARIABLES:
        if near == "a variable without a value":
            return far in ("a variable without a value", "a method", "a static method", "a property")
        return far in VARIABLES | PLAIN
    if near == "a constant":
        return far in PLAIN or far == near
    if near in MARKED:
        return far in PLAIN or far == near or {near, far} == {"@invariant", "@lemma"}
    if near in CLASSES:
        return far in PLAIN
    if near == "a method":
        return far in PLAIN | CLASSES | MARKED - {"@step"}  # Which takes `old`, too.
    if near in ("a static method", "a property") and far == "@law":
        return True  # It is asked for when laws are proven.
    return far in PLAIN | CLASSES or (near == "a value" and far in {"a constant"} | VARIABLES)


def may_stand_beside(near: str, far: str) -> bool:
    """Whether what is inherited from two classes may be the one in the first, which is no specification, and the other in the second."""
    if near in VARIABLES:
        return near == "a variable without a value" and far in (near, "a variable")
    return near == far and far in ("a constant", "a value")


def written(base: str, heir: str) -> str:
    return f"""
import enum
from typing import ClassVar, Self

from quorate import *


class Nr(Nat, max=3): ...


class Less(Nat, max=2): ...


{heir if "class Mixed" in heir else ""}
class Base(Spec):
    v: Nr
    {base}

    @action
    def up(self) -> None:
        require(self.v < 3)
        self.v += 1

    @invariant
    def low(self) -> bool:
        return self.v <= 3


{"class Heir(Mixed, Base): ..." if "class Mixed" in heir else heir}
"""


def is_refused(base: str, heir: str) -> bool:
    try:
        System(load_drawn(written(base, heir), "Heir"))
    except SpecError as error:
        assert "x" in error.message
        return True
    return False


def test_an_heir_says_of_a_name_what_its_base_says_of_it_or_is_refused() -> None:
    pairs = list(product(ROLES, ROLES))
    refused = {(near, far): is_refused(ROLES[far], f"class Heir(Base):\n    {ROLES[near]}") for near, far in pairs}
    assert {pair for pair in pairs if refused[pair]} == {pair for pair in pairs if not may_stand_before(*pair)}


def test_nothing_is_lost_of_what_two_bases_say() -> None:
    pairs = list(product(ROLES, ROLES))
    refused = {(near, far): is_refused(ROLES[far], f"class Mixed:\n    {ROLES[near]}\n\n\n") for near, far in pairs}
    assert {pair for pair in pairs if refused[pair]} == {pair for pair in pairs if not may_stand_beside(*pair)}


TWO = """
from abc import ABC, abstractmethod

from quorate import *


class Nr(Nat, max=3): ...


class Base(Spec, ABC):
    v: Nr

    @action
    def up(self) -> None:
        require(self.v < 3)
        self.v += 1


class First(Base):
    FIRST


class Second(Base):
    SECOND


class Both(First, Second):
    BOTH
"""
BOUNDED = "@invariant\n    def low(self) -> bool: return self.v < {}"
FASTER = "def up(self) -> None:\n        require(self.v < {})\n        self.v += 1"


@pytest.mark.parametrize(
    ("first", "second", "both", "is_refused"),
    [
        (BOUNDED.format(4), BOUNDED.format(3), "...", True),
        (BOUNDED.format(4), BOUNDED.format(3), BOUNDED.format(2), False),
        (BOUNDED.format(4), BOUNDED.format(3), BOUNDED.format(2).replace("@invariant\n    ", ""), False),
        (FASTER.format(2), FASTER.format(1), "...", True),
        (FASTER.format(2), FASTER.format(1), FASTER.format(1), False),
        (FASTER.format(2), BOUNDED.format(3), "...", False),
        ("def up(self) -> None:\n        require(self.v < 2)\n        super().up()", FASTER.format(1), "...", False),
        ("def may(self) -> bool: return True", "def may(self) -> bool: return False", "...", True),
        ("LIMIT = 2", "LIMIT = 3", "...", True),
        ("LIMIT = 2", "LIMIT = 2", "...", False),
        ("@abstractmethod\n    def may(self) -> bool: ...", "LIMIT = 2", "def may(self) -> bool: return True", False),
        ("w: Nr", "w: Nr", "...", False),
        ("w: Nr = 1", "w: Nr = 2", "...", True),
        ("w: Nr = 1", "w: bool = False", "w = 1", True),
        ("w: Nr = 1", "w: bool = False", "w: Nr = 1", False),
        (BOUNDED.format(4), BOUNDED.format(3).replace("@inv", "@abstractmethod\n    @inv"), "...", False),
        (BOUNDED.format(4), BOUNDED.format(4).replace("invariant", "lemma"), "...", True),
    ],
)
def test_of_two_bases_that_say_a_name_the_heir_says_which(first: str, second: str, both: str, is_refused: bool) -> None:
    source = TWO.replace("FIRST", first).replace("SECOND", second).replace("BOTH", both)
    if is_refused:
        with pytest.raises(SpecError, match=r"Both inherits First\.\w+ and Second\.\w+"):
            load_drawn(source, "Both")
    else:
        System(load_drawn(source, "Both"))


def test_an_annotation_for_readers_takes_nothing_away() -> None:
    source = TWO.replace("class First(Base)", "class First").replace("SECOND", "w: Nr = 1").replace("BOTH", "...")
    System(load_drawn(source.replace("FIRST", "w: Nr"), "Both"))
    System(load_drawn(source.replace("FIRST", "w: int").replace("(First, Second)", "(Second, First)"), "Both"))


MAPPED = """
from quorate import *


class Nr(Nat, max=2): ...


class Abstract(Spec):
    v: Nr

    @action(fair="weak")
    def up(self) -> None:
        require(self.v < 2)
        self.v += 1

    @eventually
    def ends(self) -> bool:
        return self.v == 2


class Concrete(Spec):
    refines = Abstract
    v: Nr

    @action
    def up(self) -> None:
        require(self.v < 2)
        self.v += 1

    @mapping(live=True)
    def as_abstract(self, abstract: Abstract) -> None:
        abstract.v = self.v


class Heir(Concrete):
    AGAIN
    def as_abstract(self, abstract: Abstract) -> None:
        abstract.v = self.v
"""


@pytest.mark.parametrize("again", ["", "@mapping(live=True)", "@mapping(live=True, fair=True)"])
def test_a_mapping_that_is_said_again_keeps_what_it_promises(again: str) -> None:
    assert check(load_drawn(MAPPED.replace("AGAIN", again), "Heir")).violated
    with pytest.raises(SpecError, match="a @mapping again, without live=True"):
        load_drawn(MAPPED.replace("AGAIN", again.replace("live=True", "live=False") or "@mapping"), "Heir")


OMITTING = """
from quorate import *


class Nr(Nat, max=3): ...


class Base(Spec):
    v: Nr

    @action
    def up(self) -> None:
        require(self.v < 2)
        self.v += 1

    @invariant
    def low(self) -> bool: return self.v < 1

    @invariant
    def known(self) -> bool: return self.v < 3


class Loose(Base):
    omits = ("low",)
    LOOSE


class Other(Base):
    OTHER


class Heir(BASES):
    HEIR
"""
ANEW = "@invariant\n    def low(self) -> bool: return self.v < 2"
UNMARKED = "def low(self) -> bool: return self.v < 2"


@pytest.mark.parametrize(
    ("bases", "loose", "other", "heir", "judged"),
    [
        ("Loose", "", "...", ANEW, None),
        ("Loose", "", "...", UNMARKED, None),
        ("Loose", ANEW, "...", "...", None),
        ("Loose", UNMARKED, "...", "...", ["known"]),
        ("Loose", "", "...", f"omits = ()\n    {ANEW}", ["low", "known"]),
        ("Loose", "", "...", f"omits = ('known',)\n    {UNMARKED}", ["low"]),
        ("Loose, Other", "", ANEW, "...", None),
        ("Other, Loose", "", ANEW, "...", None),
        ("Loose, Other", "", ANEW, "omits = ('low',)", ["known"]),
        ("Loose, Other", "", "omits = ('known',)", "...", None),
        ("Loose, Other", "", "omits = ('low',)", "...", ["known"]),
        ("Loose, Other", "", "omits = ('known',)", "omits = ('known', 'low')", []),
    ],
)
def test_what_is_said_anew_is_not_left_out_because_a_base_omits_it(
    bases: str, loose: str, other: str, heir: str, judged: list[str] | None
) -> None:
    """It was not judged, and the verdict was that all properties hold."""
    source = OMITTING.replace("LOOSE", loose).replace("OTHER", other).replace("BASES", bases).replace("HEIR", heir)
    if judged is None:
        with pytest.raises(SpecError, match=r"omits low, and|inherits Loose\.omits and Other\.omits"):
            load_drawn(source, "Heir")
    else:
        assert [method.name for method in System(load_drawn(source, "Heir")).of("invariant")] == judged


def test_an_invariant_that_an_heir_calls_a_lemma_stays_a_claim() -> None:
    """Of a class that is expected to break, lemmas of its bases are no claims, and it was left out there."""
    source = OMITTING.replace("LOOSE", "").replace("BASES", "Other").replace("HEIR", "expect = violates('known')")
    lemmas = "@lemma\n    def low(self) -> bool: return self.v < 1\n    @lemma\n    def helps(self) -> bool: return self.v < 3"
    heir = load_drawn(source.replace("OTHER", lemmas), "Heir")
    assert [method.name for method in System(heir).of("invariant", "lemma")] == ["known", "low"]


def test_what_is_made_from_a_specification_says_anew_what_it_omits() -> None:
    """As mutants and `conform` make it, of all that it has."""
    source = OMITTING.replace("LOOSE", "").replace("OTHER", "...").replace("BASES", "Loose").replace("HEIR", "...")
    heir = load_drawn(source, "Heir")
    again = derived(heir, low=invariant(lambda self: self.v < 2), known=heir.known)
    assert [method.name for method in System(again).of("invariant")] == ["known"]


@pytest.mark.parametrize(
    ("base", "heir", "why"),
    [
        ("@record\nclass A:\n    x: Nr = 1", "x: Nr", "annotated again, without a value"),
        ("@record\nclass A:\n    x: Nr = 1", "x = 2", "no annotation, and A.x is a field"),
        ("@record\nclass A:\n    x: Nr", "x = 2", "no annotation, and A.x is a field"),
        ("@record\nclass A:\n    x: Nr", "def x(self) -> bool: return True", "no annotation, and A.x is a field"),
        ("class A:\n    x = 1", "x: Nr", "annotated again, without a value"),
        ("@record\nclass A:\n    x: Nr = 1", "x: Nr = 2", None),
        ("@record\nclass A:\n    x: Nr", "x: Less", None),
        ("@record\nclass A:\n    x: Nr", "y: Less = 0", None),
    ],
)
def test_a_record_means_what_it_says_of_the_fields_that_it_inherits(base: str, heir: str, why: str | None) -> None:
    """A dataclass takes a default from where the field is annotated, or from any class behind: not from where it is said last."""
    header = "from quorate import *\nclass Nr(Nat, max=3): ...\nclass Less(Nat, max=2): ...\n"
    source = f"{header}{base}\n@record\nclass B(A):\n    {heir}\n"
    if why is None:
        load_drawn(source, "B")
    else:
        with pytest.raises(SpecError, match=why):
            load_drawn(source, "B")


NUMBERED = """
from quorate import *


class Nr(Nat, max=2): ...


class Base(Spec):
    v: Nr

    @action
    def up(self) -> None:
        self.v += 1
"""


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_a_sort_of_another_file_with_the_name_of_a_bound_is_refused(engine: str) -> None:
    """Its size would be the one that nobody asked for, and the verdict would speak of the other one."""
    base = load_drawn(NUMBERED, "Base")
    heir = f"""
from quorate import *
from {base.__module__} import Base


class Nr(Nat, max=5): ...


class Heir(Base):
    @invariant
    def in_range(self) -> bool:
        return all(n <= 5 for n in Nr)
"""
    with pytest.raises(SpecError, match="Two bounds are called 'Nr'") as refused:
        check(load_drawn(heir, "Heir"), engine=engine)
    assert refused.value.location is not None and refused.value.location.text.strip().startswith("return all(")
    assert check(load_drawn(heir.replace("Nr", "Wide"), "Heir"), engine=engine).statistics.states == 3


CAPACITIES = """
from typing import Annotated

from quorate import *


class Nr(Nat, max=1): ...


class Abstract(Spec):
    rows: Annotated[list[Annotated[list[Nr], up_to(2)]], up_to(3)]

    @action
    def add(self, n: Nr) -> None:
        self.rows.append([n])


class Concrete(Abstract):
    refines = Abstract
    BOUNDS

    @mapping
    def as_abstract(self, abstract: Abstract) -> None:
        abstract.rows = [[n for n in row] for row in self.rows]
"""


def test_two_capacities_of_one_name_are_no_bound_that_a_refined_specification_has_as_well() -> None:
    with pytest.raises(SpecError, match="have one bound rows"):
        check(load_drawn(CAPACITIES.replace("BOUNDS", ""), "Concrete"))
    asked = load_drawn(CAPACITIES.replace("BOUNDS", "bounds = {'rows': 2}"), "Concrete")
    assert check(asked).statistics.states == 1 + 2 + 4
