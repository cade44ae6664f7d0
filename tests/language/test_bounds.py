"""Sizes of sorts: two ends of numbers, none but zero, and sizes that are computed from others."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from quorate import Int, Nat, Ordered, Scalarset, Spec, action, invariant, mapping, require
from quorate.errors import SpecError, UsageError
from quorate.explore import check
from quorate.language.spec import derived, without
from quorate.language.system import System
from quorate.loading import load
from quorate.outcome import HoldsWithinBounds
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.proof import Task, prove


class Server(Ordered, size=2):
    pass


class Debt(Int, min=lambda: -Server.size, max=3):
    pass


class Slot(Nat, max=lambda: 2 * Server.size):
    pass


class Last(Nat, max=lambda: Slot.bound - 1):
    pass


class Nothing(Nat, max=0):
    pass


class Account(Spec):
    debt: Debt
    last: Last
    nothing: Nothing

    @action
    def pay(self) -> None:
        self.debt -= 1

    @invariant
    def nothing_is_nothing(self) -> bool:
        return self.nothing == 0 and Nothing.bound == 0 and len(Nothing) == 1


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(("servers", "states"), [(1, 2), (2, 3), (5, 6)])
def test_both_ends_of_an_int_cut_and_a_computed_end_moves(engine: str, servers: int, states: int) -> None:
    outcome = check(Account.bounded(Server=servers), engine=engine)
    assert isinstance(outcome, HoldsWithinBounds)
    assert (outcome.statistics.states, dict(outcome.statistics.cuts)) == (states, {"Debt": 1})


def test_bounds_are_computed_from_bounds_that_are_computed() -> None:
    assert System(Account.bounded(Server=4)).bounds == {"Debt": 3, "Last": 7, "Nothing": 0, "Server": 4, "Slot": 8}
    assert System(Account.bounded(Server=4, Slot=3)).bounds["Last"] == 2
    assert System(Account).bounds["Last"] == 3


def test_a_system_inside_another_computes_from_its_own_sizes() -> None:
    with System(Account.bounded(Server=5)):
        assert (Slot.bound, len(Debt)) == (10, 9)
        assert System(Account).bounds["Slot"] == 4
        with System(Account.bounded(Slot=1)):
            assert (Slot.bound, Last.bound, len(Debt)) == (1, 0, 6)
        assert (Slot.bound, Last.bound) == (10, 9)
    assert (Slot.bound, Last.bound, Server.size) == (4, 3, 2)


@pytest.mark.parametrize(("least", "most", "zero"), [(-3, 5, 0), (2, 5, 2), (-5, -2, -2)])
def test_the_zero_of_an_int_is_the_nearest_to_zero(least: int, most: int, zero: int) -> None:
    class Level(Int, min=least, max=most):
        pass

    Other = type("Other", (Spec,), {"__annotations__": {"level": Level}, "go": action(lambda self: None)})
    assert System(Other).zero() == (zero,)


def test_a_size_that_is_none_is_an_error_of_the_spec() -> None:
    with pytest.raises(SpecError, match="has no min"):
        type("Level", (Int,), {}, max=3)
    with pytest.raises(SpecError, match="min=4 is above max=3"):
        type("Level", (Int,), {}, min=4, max=3)
    with pytest.raises(SpecError, match="Level has max='a'; it must be a whole number"):
        _ = type("Level", (Nat,), {}, max=lambda: "a").default
    with pytest.raises(SpecError, match="Level has a max that raises ZeroDivisionError"):
        _ = type("Level", (Nat,), {}, max=lambda: 1 // 0).default
    with pytest.raises(UsageError, match="The bound Nothing=-1 is out of range: this largest number goes from 0"):
        System(Account.bounded(Nothing=-1))


def test_a_size_that_is_computed_from_itself_is_an_error_of_the_spec() -> None:
    class Level(Nat, max=lambda: Level.bound):
        pass

    with pytest.raises(SpecError, match="Level has a max that is computed from itself"):
        _ = Level.bound


def test_members_of_an_ordered_sort_have_numbers_and_neighbours() -> None:
    first, second = Server.members()
    assert (Server[0], Server[1], first.index, second.next(), first.previous()) == (first, second, 0, first, second)
    for wrong in (-1, 2, True):
        with pytest.raises(SpecError, match="its members are numbered from 0 to 1"):
            _ = Server[wrong]


def test_members_of_a_scalarset_have_none() -> None:
    class Anyone(Scalarset, size=2):
        pass

    with pytest.raises(SpecError, match="none of them has a number"):
        _ = Anyone[0]


def test_numbers_with_a_lower_bound_are_not_proven_for_any_size() -> None:
    with pytest.raises(NoAnySize, match=r"The least Debt is a bound, min=-2") as refused:
        prove(Task(Account, "", any_size=True))
    assert refused.value.location is not None and refused.value.location.text.strip() == "debt: Debt"


class Rising(Spec):
    """Its parameter is read by the name of its class, in an action, in a function, and where the reference engine alone follows."""

    most: ClassVar[int] = 2
    slot: Slot

    @action
    def rise(self) -> None:
        require(self.slot < Rising.most)
        self.slot += 1

    @invariant
    def small(self) -> bool:
        return self.slot < 4


class ByFunction(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < most())
        self.slot += 1


class ByFormat(Rising):
    @action
    def rise(self) -> None:
        require(f"{self.slot}" < f"{Rising.most}")
        self.slot += 1


class ByText(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < getattr(Rising, "most"))  # noqa: B009
        self.slot += 1


class ByNames(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < vars(Rising)["most"])
        self.slot += 1


class ByDictionary(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < Rising.__dict__["most"])
        self.slot += 1


class ByBase(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < super().most)
        self.slot += 1


class ByOrder(Rising):
    @action
    def rise(self) -> None:
        behind = [one for one in type(self).__mro__ if one.__name__ == "Rising"]
        require(self.slot < behind[0].most)  # type: ignore[attr-defined]
        self.slot += 1


class Refining(Spec):
    """It reads the parameter of what it refines: bounds of one name are one bound."""

    refines = Rising
    most: ClassVar[int] = 2
    slot: Slot

    @action
    def rise(self) -> None:
        require(self.slot < Rising.most)
        self.slot += 1

    @mapping
    def as_rising(self, abstract: Rising) -> None:
        abstract.slot = self.slot


class Plainly(Rising):
    @action
    def rise(self) -> None:
        require(self.slot < self.most)
        self.slot += 1


class Named(Spec):
    most: ClassVar[int] = 2
    slot: Slot

    @action
    def rise(self) -> None:
        require(self.slot < self.most)
        self.slot += 1

    @invariant
    def small(self) -> bool:
        return type(self).__name__ == "Named" and self.slot < 3


def most() -> int:
    return Rising.most


@pytest.mark.parametrize(
    "spec", [Rising, ByFunction, ByFormat, ByText, ByNames, ByDictionary, ByBase, ByOrder, Refining]
)
def test_a_parameter_that_is_asked_for_is_read_where_it_is_set(spec: type[Spec]) -> None:
    with pytest.raises(SpecError, match=r"Rising.most is 2, and the bound most was asked to be 4"):
        check(spec.bounded(most=4))
    assert check(spec).statistics.states == check(spec.bounded(most=2)).statistics.states == 3
    assert check(Plainly.bounded(most=4)).violated == check(Named.bounded(most=4)).violated == ("small",)


class Speed(Enum):
    SLOW = 1
    FAST = 2


class Flagged(Plainly):
    strict: ClassVar[bool] = True
    speed: ClassVar[Speed] = Speed.SLOW

    @invariant
    def never_fast(self) -> bool:
        return not self.strict or self.speed is not Speed.FAST


@pytest.mark.parametrize(("name", "asked"), [("strict", 0), ("speed", 2)])
def test_a_class_variable_that_is_no_number_is_no_bound(name: str, asked: int) -> None:
    """2 is the value of FAST, and no member."""
    with pytest.raises(UsageError, match=rf"Flagged.{name} is .*, and only whole numbers are bounds"):
        Flagged.bounded(**{name: asked})

    class Fast(Flagged):
        speed = Speed.FAST

    assert [check(spec).violated for spec in (Flagged.bounded(most=2), Fast)] == [(), ("never_fast",)]


def test_a_bound_whose_name_is_no_text_is_an_unknown_one() -> None:
    with pytest.raises(UsageError, match="There is no bound 3"):
        System(derived(Plainly, bounds={3: 4}))


class Asked(Plainly):
    bounds: ClassVar[dict[str, int]] = {"most": 4}


class Other(Rising):
    most: ClassVar[int] = 3


def test_a_variant_gives_a_parameter_no_value_that_bounds_replace() -> None:
    with pytest.raises(
        SpecError, match=r"Less.most is 1, and bounds of a base make it 4: write `bounds = {'most': ...}` in Less"
    ):

        class Less(Asked):
            most: ClassVar[int] = 1

    with pytest.raises(SpecError, match=r"Other.most is 3, and bounds of a base make it 4: .* in Both"):

        class Both(Other, Asked):
            pass

    class Again(Asked):
        most: ClassVar[int] = 1
        bounds: ClassVar[dict[str, int]] = {"most": 1}

    class Nearer(Asked, Other):
        pass

    class Later(Asked):
        pass

    assert [check(spec).statistics.states for spec in (Again, Nearer, Later)] == [2, 5, 5]

    class Inherits(Later):  # Its base was checked, and has the parameter for an attribute since.
        pass

    assert System(Inherits).constants["most"] == 4


def test_a_parameter_has_one_value_in_a_specification_and_in_what_it_refines() -> None:
    class Refined(Spec):
        most: ClassVar[int] = 3
        refines = Plainly
        slot: Slot

        @action
        def rise(self) -> None:
            require(self.slot < self.most)
            self.slot += 1

        @mapping
        def as_plainly(self, abstract: Plainly) -> None:
            abstract.slot = self.slot

    with pytest.raises(
        SpecError, match=r"Refined.most is 3, and Plainly.most is 2, which Refined refines: bounds of one name"
    ) as refused:
        check(Refined)
    assert refused.value.location is not None and refused.value.location.text.strip() == "most: ClassVar[int] = 3"
    assert check(Refined.bounded(most=3)).verdict == "holds"


def test_what_is_said_of_every_specification_is_also_read_from_plain_bases() -> None:
    class Bounding:
        def bounds(self) -> int:
            return 3

    with pytest.raises(SpecError, match=r"Mixed.bounds says something of every specification"):

        class Mixed(Bounding, Plainly):  # type: ignore[misc]
            pass


LOADED = """
from typing import Annotated
from quorate import Nat, Ordered, Spec, action, invariant, is_majority, record, require, up_to

class Node(Ordered, size=3):
    pass

class Ballot(Nat, max=lambda: Node.size):
    pass

class Seen(Nat, max={most}):
    pass

@record
class Vote:
    ballot: Ballot = Ballot({ballot})

{line}

class Commit(Spec):
    seen: Seen
    first: Node = Node[0]
    last: Vote | None
    quorum = {quorum}

    @action
    def see(self, n: Node) -> None:
        self.seen += 1
        self.last = Vote()

    @invariant
    def most(self) -> bool:
        return self.seen <= Node.size
"""
READ_WHILE_LOADING = {
    "TWO = 2 if is_majority(frozenset({Node[0], Node[1]}), Node) else 0": {},
    "QUORUM = len(Node) // 2 + 1": {},
    "PAIRS = tuple((a, b) for a in Node for b in Node)": {},
    "LAST = Ballot.bound": {},
    "def all_but_one():\n    return Node.size - 1\nTOLERATED = all_but_one() // 2": {},
    "": {"most": "2 * Node.size"},
    " ": {"ballot": "Ballot.bound"},
    "  ": {"quorum": "Node.size // 2 + 1"},
}


@pytest.mark.parametrize("line", READ_WHILE_LOADING)
def test_a_size_that_was_read_while_a_file_was_loaded_is_not_another_one(line: str, tmp_path: Path) -> None:
    """What was computed of it would go on to mean the declared size: with five members, a quorum of two would be one."""
    parts = {"most": "3", "ballot": "1", "quorum": "2"} | READ_WHILE_LOADING[line]
    file = tmp_path / f"commit_{len(line)}.py"
    file.write_text(LOADED.format(line=line, **parts))
    commit = load(str(file)).main
    assert System(commit.bounded(Node=3, Seen=2)).bounds["Node"] == 3
    with pytest.raises(
        SpecError, match=r"(Node|Ballot) was 3 when this was computed, once, .* and it is 5 now"
    ) as refused:
        commit.bounded(Node=5)
    assert refused.value.location is not None and refused.value.location.file == str(file)


PARAMETERS = """
from typing import ClassVar
from quorate import Nat, Spec, action, invariant, require

class Count(Nat, max=5):
    pass

{above}
class Counter(Spec):
    most: ClassVar[int] = 2
    double: ClassVar[int] = 2 * most
    {line}
    count: Count{default}

    @action
    def rise(self) -> None:
        require(self.count < self.most)
        self.count += 1

    def limit(self, most: int = {given}) -> int:
        return most

    @invariant
    def low(self) -> bool:
        return self.count <= {limit}

{below}

class Heir(Counter):
    @invariant
    def low_too(self) -> bool:
        return self.count <= {limit}
"""
READ_EARLY = {
    "a default": {"given": "most", "limit": "self.limit()"},
    "a table": {"line": "table: ClassVar[tuple[int, ...]] = (most, 2 * most)", "limit": "self.table[0]"},
    "a plain value": {"line": "limits = {0: most}", "limit": "self.limits[0]"},
    "a first value": {"default": " = most", "limit": "self.most"},
    "a name of the file": {"below": "MOST = Counter.most", "limit": "MOST"},
    "a function that is called": {"below": "def most():\n    return Counter.most\nMOST = [most()][0]", "limit": "MOST"},
    "a function that calls one": {
        "below": "def read(c):\n    return c.most\ndef most(c):\n    return read(c)\nMOST = most(Counter)",
        "limit": "MOST",
    },
    "a function that is passed": {
        "below": "def most(c):\n    return c.most\nMOST = max(map(most, [Counter]))",
        "limit": "MOST",
    },
    "a function that remembers": {
        "below": "import functools\n@functools.cache\ndef most():\n    return Counter.most\nMOST = most()",
        "limit": "MOST",
    },
    "an object that is made": {
        "below": "class Limits:\n    def __init__(self, of):\n        self.most = of.most\nLIMITS = Limits(Counter)",
        "limit": "LIMITS.most",
    },
    "a class method": {
        "line": "@classmethod\n    def of(cls):\n        return cls.most",
        "below": "MOST = Counter.of()",
        "limit": "MOST",
    },
    "a decorator": {
        "above": "def told(c):\n    c.told = c.most\n    return c\n@told",
        "limit": "self.told",
    },
    "what goes through classes": {
        "below": "CLASSES = [Counter]\nMOST = {c.__name__: c.most for c in CLASSES}['Counter']",
        "limit": "MOST",
    },
    "a loop": {
        "below": "class Other(Counter):\n    pass\nMOST = []\nfor c in (Counter, Other):\n    MOST.append(c.most)",
        "limit": "MOST[0]",
    },
    "a class that inherits it": {"below": "class Other(Counter):\n    pass\nMOST = Other.most", "limit": "MOST"},
    "a lambda": {"below": "MOST = max(map(lambda c: c.most, [Counter]))", "limit": "MOST"},
    "a class that is held": {"below": "CLASSES = (Counter,)\nMOST = CLASSES[0].most", "limit": "MOST"},
    "a name that is a text": {"below": "MOST = getattr(Counter, 'most')", "limit": "MOST"},
    "a static method": {
        "below": "class Limits:\n    @staticmethod\n    def of(c):\n        return c.most\nMOST = Limits.of(Counter)",
        "limit": "MOST",
    },
}


@pytest.mark.parametrize("name", READ_EARLY)
def test_a_parameter_that_was_read_while_a_file_was_loaded_is_not_another_one(name: str, tmp_path: Path) -> None:
    parts = {"above": "", "line": "", "default": "", "given": "2", "limit": "self.most", "below": ""} | READ_EARLY[name]
    file = tmp_path / f"counter_of_{name.replace(' ', '_')}.py"
    file.write_text(PARAMETERS.format(**parts))
    loaded = load(str(file))
    for counter in (loaded.main, loaded.variants["Heir"]):
        assert check(counter.bounded(most=2)).verdict == "holds"
        for spec in (counter, counter.bounded(double=9)):
            with pytest.raises(SpecError, match="most was 2 when this was computed, once") as refused:
                spec.bounded(most=3)
            assert refused.value.location is not None and refused.value.location.file == str(file)


def test_what_verdicts_name_and_what_methods_compute_of_a_parameter_is_none_of_that(tmp_path: Path) -> None:
    parts = {
        "above": "import pytest\nfrom typing import Protocol\nclass Telling(Protocol):\n    most: int",
        "line": "",
        "default": "",
        "given": "2",
        "limit": "self.most",
        "below": "def most():\n    return Counter.most\nclass Told:\n    def __init__(self, most):\n        self.most = most\n"
        "TOLD, TABLE, TELLING = Told(2), {'most': most}, [Telling]\nMOST = max(told.most for told in [TOLD, *map(Told, range(2))])\n"
        "SPECS = sum(told(c).most for told in [lambda c: TOLD] for c in [Spec])\n"
        "NAMES = [(c.__name__, pytest.param(c, id='most')) for c in (Counter, Telling)]\n"
        "if __name__ == '__main__':\n    print(most(), Counter.most)",
    }
    (tmp_path / "counter_plain.py").write_text(PARAMETERS.format(**parts))
    outcome = check(load(str(tmp_path / "counter_plain.py")).main.bounded(most=3))
    assert (outcome.verdict, outcome.bounds) == ("holds", {"Count": 5, "double": 4, "most": 3})


REFINED = """
from typing import ClassVar
from quorate import Nat, Ordered, Spec, action, mapping, require

class Slot(Ordered, size=3):
    pass

class Count(Nat, max=5):
    pass

class Filled(Spec):
    most: ClassVar[int] = 3
    slots: set[Slot]

    @action
    def fill(self, s: Slot) -> None:
        require(len(self.slots) < self.most)
        self.slots.add(s)
"""
REFINING = """
from filled_{bound} import *

MOST = {most}

class Counted(Spec):
    count: Count
    refines = Filled

    @action
    def rise(self) -> None:
        require(self.count < MOST)
        self.count += 1

    @mapping
    def as_filled(self, abstract: Filled) -> None:
        abstract.slots = {{s for s in Slot if s.index < self.count}}
"""


@pytest.mark.parametrize(("most", "bound"), [("len(Slot)", "Slot"), ("Filled.most", "most")])
def test_what_only_the_refined_specification_has_is_not_read_early_either(
    most: str, bound: str, tmp_path: Path
) -> None:
    (tmp_path / f"filled_{bound}.py").write_text(REFINED)
    file = tmp_path / f"counted_{bound}.py"
    file.write_text(REFINING.format(most=most, bound=bound))
    counted = load(str(file)).main
    assert check(counted.bounded(**{bound: 3})).statistics.states == 4
    with pytest.raises(SpecError, match=rf"{bound} was 3 when this was computed, once"):
        counted.bounded(**{bound: 2})
    unmapped = check(without(counted.bounded(**{bound: 3}), ["as_filled"]))
    assert unmapped.statistics.states == 4 and unmapped.bounds[bound] == 3


@pytest.mark.parametrize("named", ["PAIR = frozenset({Node[1], Node[2]})", "LAST = Vote(Node[2].index)"])
def test_a_member_that_was_named_while_a_file_was_loaded_is_there(named: str, tmp_path: Path) -> None:
    file = tmp_path / f"commit_{named[:4]}.py"
    file.write_text(LOADED.format(line=named, most="3", ballot="1", quorum="2"))
    commit = load(str(file)).main
    assert [System(commit.bounded(Node=size)).bounds["Node"] for size in (3, 4)] == [3, 4]
    with pytest.raises(SpecError, match=r"Node\[2\] was named, once, as the file was loaded, and Node is 2 now"):
        commit.bounded(Node=2)


QUORUM = "from .sorts import Node\nQUORUM = len(Node) // 2 + 1\n"


def package(folder: Path, head: str, most: str = "Node.size", **files: str) -> type[Spec]:
    """A specification in a package of several files."""
    folder.mkdir()
    sorts, commit = LOADED.format(line="", most="3", ballot="1", quorum="2").split("class Commit")
    commit = f"from .sorts import *\n{head}\nclass Commit{commit.replace('<= Node.size', f'<= {most}')}"
    for name, text in {"__init__": "", "sorts": sorts, "commit": commit, **files}.items():
        (folder / f"{name}.py").write_text(text)
    return load(str(folder / "commit.py")).main


def test_a_module_that_computes_of_a_size_is_found_under_any_name(tmp_path: Path) -> None:
    whole = package(tmp_path / "consts_whole", "import consts_whole.sorts", "consts_whole.QUORUM", __init__=QUORUM)
    called = package(
        tmp_path / "consts_called",
        "import importlib\nC = importlib.import_module('consts_called.consts')",
        "C.QUORUM",
        consts=QUORUM,
    )
    for commit in (whole, called):
        assert System(commit.bounded(Node=3)).bounds["Node"] == 3
        with pytest.raises(SpecError, match="Node was 3 when this was computed"):
            commit.bounded(Node=5)


LATE = "def quorum():\n    from .consts import QUORUM\n    import bisect\n    return QUORUM\n"


def test_no_module_is_loaded_in_a_search(tmp_path: Path) -> None:
    """Of a table of bounds, the quorum of the first row would have been that of all."""
    early = package(tmp_path / "consts_early", f"from . import consts\n{LATE}", "quorum() + 1", consts=QUORUM)
    assert check(early).verdict == "holds-within-bounds"
    with pytest.raises(SpecError, match="Node was 3 when this was computed"):
        early.bounded(Node=5)
    late = package(tmp_path / "consts_late", LATE, "quorum() + 1", consts=QUORUM)
    with pytest.raises(SpecError, match=r"consts_late\.consts would be loaded here"):
        check(late)


def test_sizes_that_others_read_and_members_by_number_are_no_such_readings(tmp_path: Path) -> None:
    """A module that imports the specification, as a test of it does, has no part in it, nor has what runs all."""
    file = tmp_path / "commit_plain.py"
    file.write_text(LOADED.format(line="FIRST = Node[0]", most="3", ballot="1", quorum="2"))
    (tmp_path / "commit_user.py").write_text(
        "from commit_plain import *\nMEMBERS = list(Node)\nclass Small(Commit):\n    pass\n"
    )
    commit = load(str(file)).main
    small = load(str(tmp_path / "commit_user.py")).main
    exec(compile("list(Node)", "runner", "exec"), {"Node": vars(load(str(file)).module)["Node"], "__name__": "runner"})
    assert commit.bounded(Node=5).bounds == {"Node": 5}
    with pytest.raises(SpecError, match="Node was 3"):
        small.bounded(Node=5)


SCRIPT = """
from quorate import Scalarset, Spec, action, check, invariant, require

class Node(Scalarset, size=3):
    pass

{line}

class Commit(Spec):
    acks: set[Node]

    @action
    def ack(self, n: Node) -> None:
        require(n not in self.acks)
        self.acks.add(n)

    @invariant
    def few(self) -> bool:
        return len(self.acks) <= {most}

print(len(Node), N := len(Node))
mine = [n for n in Node]
results = {{}}
for k in (3, 5):
    results[k] = check(Commit.bounded(Node=k)).verdict, len(Node)

def report():
    print(results)

report()
"""
KEPT = [
    ("QUORUM = len(Node)", "QUORUM"),
    ("ALL = len(Node)\ndef most():\n    return ALL", "most()"),
    ("def most(k=len(Node)):\n    return k", "most()"),
]


@pytest.mark.parametrize(("line", "most"), [*KEPT, ("", "len(Node)")])
def test_a_script_may_ask_for_a_size_that_its_specification_does_not_go_on_to_use(
    line: str, most: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(line=line, most=most))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False)
    if line:
        assert "Node was 3 when this was computed, once" in done.stderr and f"{script}:7" in done.stderr
    else:
        assert done.stdout == "3 3\n{3: ('holds', 3), 5: ('holds', 3)}\n", done.stderr


@cache
def majority() -> int:
    return len(Server) // 2 + 1


class Voted(Spec):
    votes: set[Server]

    @action
    def vote(self, s: Server) -> None:
        require(len(self.votes) < majority())
        self.votes.add(s)

    @invariant
    def enough(self) -> bool:
        return len(self.votes) <= len(Server) // 2 + 1


def test_what_was_remembered_at_another_size_is_forgotten() -> None:
    """With four members two were a majority, as they are of two."""
    for size, states in ((2, 4), (4, 15), (2, 4), (5, 26)):
        outcome = check(Voted.bounded(Server=size), engine="reference")
        assert (outcome.verdict, outcome.statistics.states) == ("holds", states)


class Late(Spec):
    """Begins above the size that its number is declared with."""

    bounds: ClassVar[dict[str, int]] = {"Nothing": 2}
    at: Nothing = Nothing(2)

    @action
    def go_back(self) -> None:
        require(self.at > 0)
        self.at -= 1

    @invariant
    def stays_low(self) -> bool:
        return self.at <= 2


def test_a_default_is_held_against_the_size_that_is_asked_for() -> None:
    assert check(Late).statistics.states == check(Late.bounded(Nothing=4)).statistics.states == 3
    with pytest.raises(SpecError, match="has the default 2, above the bound Nothing"):
        check(Late.bounded(Nothing=1))


STAMPED = """
from typing import Annotated
from quorate import Nat, Spec, action, invariant, record, up_to

class Term(Nat, max=2):
    pass

@record
class Stamp:
    seen: Annotated[list[Term], up_to(Term)]
    term: Term{least}

class Clock(Spec):
    last: {kind} = {default}
    ticks: Term

    @action
    def tick(self) -> None:
        self.ticks += 1

    @invariant
    def low(self) -> bool:
        return self.ticks <= 2
"""


@pytest.mark.parametrize(
    ("kind", "default", "least"),
    [
        ("Stamp", "Stamp([], Term(2))", ""),
        ("Stamp", "Stamp([])", " = Term(2)"),
        ("Stamp", "Stamp([Term(0), Term(1)], Term(1))", ""),
        ("tuple[bool, Stamp]", "(True, Stamp([], Term(2)))", ""),
    ],
)
def test_a_record_of_a_default_is_one_at_the_bounds_that_are_asked_for(
    kind: str, default: str, least: str, tmp_path: Path
) -> None:
    """It was built when the file was loaded: a state beyond the bounds *held*, or was a disagreement of the engines."""
    file = tmp_path / "clock_of_records.py"
    file.write_text(STAMPED.format(kind=kind, default=default, least=least))
    clock = load(str(file)).main
    assert [System(clock.bounded(Term=size)).bounds["Term"] for size in (2, 3)] == [2, 3]
    with pytest.raises(SpecError, match=r"Clock\.last has the default .*, above the bound Term"):
        clock.bounded(Term=1)
