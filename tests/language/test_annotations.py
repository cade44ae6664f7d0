"""An annotation means what it means where it was written, whatever other files call their classes."""

from __future__ import annotations

import pytest
from quorate import Scalarset, Spec, action, invariant
from quorate.explore import check
from quorate.language.system import System
from quorate.prove.proof import Task, prove

from tests.generated import load

BASE = """\
from __future__ import annotations
from quorate import *


class Node(Ordered, size=2):
    pass


class Drawn(Spec):
    up: dict[Node, bool]

    @action
    def rise(self, n: Node) -> None:
        self.up[n] = True

    @invariant
    def two(self) -> bool:
        return len(self.up) == 2
"""


def test_what_a_variant_in_another_file_inherits_ranges_over_the_sorts_of_its_base() -> None:
    base = load(BASE)
    variant = f"""\
from __future__ import annotations
from quorate import *
from {base.__module__} import Drawn as Base


class Node(Nat, max=6):
    pass


class Drawn(Base):
    more: bool
"""
    system = System(load(variant))
    assert [variable.type.cardinality for variable in system.variables] == [4, 2]
    assert (
        check(base, engine="reference").statistics.states == check(load(variant), engine="reference").statistics.states
    )


def test_classes_called_like_what_the_library_writes_in_its_annotations_are_the_authors() -> None:
    for name in ("type", "str", "bool_", "ClassVar", "Expectation"):
        source = BASE.replace("Node", name).replace("from __future__ import annotations\n", "")
        assert check(load(source), engine="reference").verdict == "holds"


def _first() -> type[Spec]:
    class Node(Scalarset, size=2):
        pass

    class First(Spec):
        up: dict[Node, bool]

        @action
        def rise(self, n: Node) -> None:
            self.up[n] = True

        @invariant
        def two(self) -> bool:
            return len(self.up) == 2

    return First


def test_classes_in_functions_inherit_what_their_base_means() -> None:
    first = _first()

    class Node(Scalarset, size=3):
        pass

    class Second(first):  # type: ignore[misc, valid-type]
        down: bool

    found = check(Second, engine="reference")
    assert found.verdict == "holds" and found.statistics.states == 3  # Up to symmetry, of two nodes


OWN = """\
from quorate import *


class Node(Ordered, size=2):
    pass


{outside}


class Drawn(Spec):
    {inside}

    seat: dict[Node, Slot]

    @action
    def sit(self, n: Node, k: Slot) -> None:
        require(self.may(k))
        self.seat[n] = k

    def may(self, k: Slot) -> bool:
        return True

    @invariant
    def low(self) -> bool:
        return all(self.seat[n] < 2 for n in Node)


class Heir(Drawn):
    pass


{after}
"""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("class Slot(Nat, max=1): pass", "class Slot(Nat, max=2): pass"),
        ("class One(Nat, max=1): pass\nclass Slot(Nat, max=2): pass", ""),
        ("", "class Slot(Nat, max=2): pass"),
        ("class One(Nat, max=1): pass\nclass Two(Nat, max=2): pass\nSlot = One", "Slot = Two"),
    ],
    ids=["a sort of the same name", "an alias that changes", "a sort", "an alias of the same name"],
)
def test_names_mean_in_annotations_what_they_mean_in_the_body(late: bool, outside: str, inside: str) -> None:
    """Also where annotations are read late: that of the file was taken, or none was found, and `low` was said to hold."""
    head = "from __future__ import annotations\n" if late else ""
    for spec in (
        base := load(head + OWN.format(outside=outside, inside=inside, after="Slot = One" if "One" in outside else "")),
        base.bounded(Node=1),
    ):
        outcome = check(spec, engine="reference")
        assert (outcome.verdict, outcome.property) == ("violated", "low")
    assert prove(Task(base, "drawn")).outcome.verdict != "proven"
