"""What a spec may declare: plain methods, records that are their fields, unions whose alternatives never equal one another."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.explore.every import as_expected, check_all
from quorate.language.system import System
from quorate.loading import load
from quorate.outcome import Failed, HoldsWithinBounds, NotJudged, Violated

from tests.generated import load as load_drawn

HEADER = """\
import random, functools
from dataclasses import dataclass, field, KW_ONLY
from enum import Enum, Flag, IntEnum, StrEnum
from typing import ClassVar, Self
from quorate import *

class N(Nat, max=3):
    pass

class P(Scalarset, size=2):
    pass

CALLS = []

def closure(function):
    def around(self):
        return function(self)
    return around

def given(function):
    def around(self, asked=function):
        return asked(self)
    return around

def given_by_name(function):
    def around(self, *, asked=function):
        return asked(self)
    return around

def among(function):
    all = {"first": ([function],)}
    def around(self):
        return all["first"][0][0](self)
    return around

class Held:
    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner=None):
        return self if instance is None else self.function.__get__(instance, owner)

class Plain:
    def __init__(self, function):
        self.function = function

def kept(function):
    plain = Plain(function)
    def around(self):
        return plain.function(self)
    return around

KEPT = {}

def registered(function):
    KEPT[function.__name__] = function
    def around(self):
        return KEPT[around.__name__](self)
    return around

def dropped(function):
    return None

class PassingOn(Held):
    def __getattr__(self, name):
        return getattr(vars(self)["function"], name)

"""
SPEC = """
class Drawn(Spec):
    x: N

    @invariant
    def low(self) -> bool:
        return self.x <= 3

    @action
    def up(self) -> None:
        self.x += 1
"""
METHODS = {
    "without self": "@action\ndef stop(p: P) -> None:\n    pass",
    "a coroutine": "@action\nasync def stop(self) -> None:\n    pass",
    "a generator": "@action\ndef stop(self) -> None:\n    yield",
    "a step without old": "@step\ndef grow(self, p: P) -> bool:\n    return True",
    "any number of arguments": "@action\ndef stop(self, *ps: P) -> None:\n    pass",
    "by keyword only": "@action\ndef stop(self, *, p: P) -> None:\n    pass",
    "a static method": "@action\n@staticmethod\ndef stop(p: P) -> None:\n    pass",
    "a cached one": "@action\n@functools.lru_cache\ndef stop(self) -> None:\n    pass",
    "parentheses": "@invariant()\ndef ok(self) -> bool:\n    return True",
    "a property": "@property\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a property that is cached": "@functools.cached_property\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a partial method": "@functools.partialmethod\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in a closure": "@closure\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in two closures": "@closure\n@closure\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in a default": "@given\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in a default by name": "@given_by_name\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in containers": "@among\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in an object": "@Held\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in an object in a closure": "@kept\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark in a dictionary of the module": "@registered\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark of which nothing is left": "@dropped\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark on what is defined again": "@invariant\ndef ok(self) -> bool:\n    return False\n"
    "@invariant\ndef ok(self) -> bool:\n    return True",
    "a mark on what is defined again without it": "@invariant\ndef ok(self) -> bool:\n    return False\n"
    "def ok(self) -> bool:\n    return True",
    "two marks": "@lemma\n@invariant\ndef ok(self) -> bool:\n    return False",
    "a mark on what is deleted": "@invariant\ndef ok(self) -> bool:\n    return False\ndel ok",
    "a mark in a branch": "if True:\n    @closure\n    @invariant\n    def ok(self) -> bool:\n        return False",
    "a mark that another function sets": "@closure\n@(lambda function: invariant(function))\ndef ok(self) -> bool:\n    return False",
    "a mark that an object passes on": "@PassingOn\n@invariant\ndef ok(self) -> bool:\n    return False",
    "no annotation": "@action\ndef stop(self, p) -> None:\n    pass",
}
RECORDS = {
    "a field that is not compared": "@record\nclass R:\n    a: N\n    b: N = field(compare=False, default=0)",
    "a field that is not given": "@record\nclass R:\n    a: N\n    b: N = field(init=False, default=0)",
    "a field by keyword only": "@record\nclass R:\n    a: N\n    b: N = field(kw_only=True, default=0)",
    "a default that is made": "@record\nclass R:\n    a: N\n    b: N = field(default_factory=int)",
    "a field that hides": "@record\nclass R:\n    _hash: N",
    "an equality of its own": "@record\nclass R:\n    a: N\n    def __eq__(self, other):\n        return True",
    "an inherited equality": "class B:\n    def __eq__(self, other):\n        return True\n@record\nclass R(B):\n    a: N",
    "an order of its own": "@record\nclass R:\n    a: N\n    def __lt__(self, other):\n        return True",
    "heirs that are changed": "@record\nclass R:\n    a: N\n    def __init_subclass__(cls):\n        cls.a = 1",
    "more after it is made": "@record\nclass R:\n    a: N\n    def __post_init__(self):\n        pass",
    "fields of what is no record": "class B:\n    b: N\n@record\nclass R(B):\n    a: N",
}
UNIONS = {
    "an IntEnum beside a Nat": "class E(IntEnum):\n    A = 0\nT = E | N",
    "an IntEnum beside bool": "class E(IntEnum):\n    A = 0\nT = E | bool",
    "two enums of texts": "class E(StrEnum):\n    A = 'a'\nclass F(StrEnum):\n    B = 'a'\nT = E | F",
    "a Flag": "class E(Flag):\n    A = 1\n    B = 2\nT = E",
    "an enum with a metaclass of its own": "class W(type(Enum)):\n    pass\nclass E(Enum, metaclass=W):\n    A = 1\nT = E",
    "a sort that says it equals one that was looked at": "class W(type(Nat)):\n    def __eq__(cls, other):\n        return other is N\n"
    "    def __hash__(cls):\n        return hash(N)\nclass R(Nat, max=2, metaclass=W):\n    pass\nT = R",
    "a record that is made as its metaclass says": "class W(type):\n    def __call__(cls, a):\n        return type.__call__(cls, 0)\n"
    "@record\nclass R(metaclass=W):\n    a: N\nT = R",
    "a record of which no dictionary has a key": "class W(type):\n    def __eq__(cls, other):\n        return cls is other\n"
    "@record\nclass R(metaclass=W):\n    a: N\nT = R",
    "a scalarset with an equality of its own": "class R(Scalarset, size=2):\n    def __eq__(self, other):\n        return True\nT = R",
    "an order of a base": "class B:\n    def __lt__(self, other):\n        return False\nclass R(B, Ordered, size=2):\n    pass\nT = R",
    "an enum whose base has an equality": "class B:\n    def __eq__(s, o):\n        return True\nclass E(B, Enum):\n    A = 1\nT = E",
    "an order of its own": "class R(Ordered, size=2):\n    def __lt__(self, other):\n        return False\nT = R",
    "a next member of its own": "class R(Ordered, size=2):\n    def next(self):\n        return self\nT = R",
    "members of its own": "class R(Nat, max=2):\n    @classmethod\n    def members(cls):\n        return range(2)\nT = R",
    "an enum with a truth of its own": "class E(Enum):\n    A = 1\n    def __bool__(self):\n        return False\nT = E",
    "an enum with an order of its own": "class E(Enum):\n    A = 1\n    def __lt__(self, o):\n        return True\nT = E",
    "an enum with an equality of its own": "class E(Enum):\n    A = 1\n    def __eq__(self, o):\n        return True\nT = E",
}


def indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


@pytest.mark.parametrize("name", METHODS)
def test_a_declared_method_that_is_no_plain_one_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "refused.py"
    file.write_text(HEADER + SPEC + "\n" + indented(METHODS[name]) + "\n")
    with pytest.raises(SpecError) as refused:
        System(load(str(file)).main)
    assert refused.value.location is not None and refused.value.location.file == str(file)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_its_fields(name: str) -> None:
    with pytest.raises(SpecError, match="R"):
        load_drawn(HEADER + RECORDS[name] + SPEC)


@pytest.mark.parametrize("name", UNIONS)
def test_alternatives_that_may_be_equal_are_refused(name: str) -> None:
    source = HEADER + UNIONS[name] + SPEC.replace("    x: N", "    x: N\n    u: T")
    with pytest.raises(SpecError, match=r"union|Flag|__eq__|of its own|metaclass"):
        System(load_drawn(source))


ATTRIBUTES = {
    "a text for several names": 'omits = ("low")',
    "a number for an expectation": "expect = 3",
    "a sort for lanes": "lanes = P",
    "a variable": "bounds: dict[P, N]",
    "a variable that is a method of all": "bounded: N",
    "an action": "@action\ndef bounds(self) -> None:\n    pass",
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_every_specification_has_is_what_it_is_meant_to_be(name: str) -> None:
    with pytest.raises(SpecError, match=r"says something of every|method of every"):
        load_drawn(HEADER + SPEC + indented(ATTRIBUTES[name]) + "\n")


NAMES = {
    "the loss of a message": "wire: Network[M] = Network(lossy=True)\n@action\ndef lose(self) -> None:\n    pass",
    "a bound": "@constraint\ndef N(self) -> bool:\n    return True",
    "the verdict": "@terminal\ndef over(self) -> bool:\n    return True\n@invariant\ndef deadlock(self) -> bool:\n    return True",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    record = "@record\nclass M:\n    to: P\n"
    with pytest.raises(SpecError, match="has the name of"):
        System(load_drawn(HEADER + record + SPEC + indented(NAMES[name]) + "\n"))


def test_a_method_that_hides_the_type_of_a_variable_is_named() -> None:
    """Since Python 3.14 annotations are read late, and a method is found wherever it stands."""
    source = HEADER + SPEC.replace("    x: N\n", indented(NAMES["a bound"]) + "\n    x: N\n")
    with pytest.raises(SpecError, match=r"the method Drawn\.N has the name of its type"):
        System(load_drawn(source))


@pytest.mark.parametrize(
    "name", ["__init__", "__setattr__", "__getattribute__", "__slots__", "__init_subclass__", "__eq__", "__iter__"]
)
def test_a_specification_is_its_variables(name: str) -> None:
    """What it says in `__init__` would never have been asked, and an engine does not ask `__setattr__`."""
    with pytest.raises(SpecError, match=f"has a {name} of its own"):
        load_drawn(HEADER + SPEC + f"    {name} = ()\n")


def test_a_base_is_pythons_own_if_python_has_it() -> None:
    """Whatever it says of where it was written."""
    lying = "class Base(Spec):\n    __module__ = 'builtins'\n    def __getattribute__(self, name):\n        return 0\n"
    with pytest.raises(SpecError, match="Base has a __getattribute__ of its own"):
        load_drawn(HEADER + lying + SPEC.replace("Drawn(Spec)", "Drawn(Base)"))
    hidden = lying.replace("__getattribute__", "never").replace("    def", "    @property\n    @invariant\n    def")
    with pytest.raises(SpecError, match=r"The mark on Base.never is hidden"):
        System(load_drawn(HEADER + hidden + SPEC.replace("Drawn(Spec)", "Drawn(Base)")))
    sort = "class Mine(Nat, max=2):\n    __module__ = 'enum'\n    def __hash__(self):\n        return 0\n"
    with pytest.raises(SpecError, match="Mine has a __hash__ of its own"):
        System(load_drawn(HEADER + sort + SPEC + "    mine: Mine\n"))


@pytest.mark.parametrize(
    "error", ["SystemExit(0)", "KeyboardInterrupt", "GeneratorExit", "RecursionError", "MemoryError"]
)
def test_any_exception_of_an_action_is_an_error_of_the_spec(error: str) -> None:
    outcome = check(load_drawn(HEADER + SPEC.replace("self.x += 1", f"raise {error}")))
    assert isinstance(outcome, Failed) and error.partition("(")[0] in outcome.message


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt", "GeneratorExit"])
def test_any_exception_while_a_file_is_imported_is_an_error_of_the_spec(error: str, tmp_path: Path) -> None:
    file = tmp_path / "ends.py"
    file.write_text(HEADER + SPEC + f"\nraise {error}\n")
    with pytest.raises(SpecError, match=error.partition("(")[0]):
        load(str(file))


@pytest.mark.parametrize(
    ("line", "why"),
    {
        "self.x = random.randint(0, 2)": "another result each time",
        "CALLS.append(1)": "no variable of the spec",
        "CALLS[0] = 1": "no variable of the spec",
        "type(self).low = None": "no variable of the spec",
        "self.x = id(self) % 2": "another result each time",
        "self.x < 2": "does nothing",
    }.items(),
)
def test_what_gives_another_result_each_time_is_refused_at_its_line(line: str, why: str) -> None:
    with pytest.raises(SpecError, match=why) as refused:
        check(load_drawn(HEADER + SPEC.replace("self.x += 1", line)))
    assert refused.value.location is not None and line in refused.value.location.text


def test_what_nobody_can_see_is_found_by_running_twice() -> None:
    hidden = "FOUND = []\ndef count():\n    list(map(FOUND.append, [0]))\n    return len(FOUND)\n"
    outcome = check(load_drawn(HEADER + hidden + SPEC.replace("self.x += 1", "self.x = count() % 3")))
    assert isinstance(outcome, Failed) and "two results" in outcome.message


REMEMBERS = {
    "a cached property": (
        "class M:\n    @functools.cached_property\n    def most(self): return len(P) // 2 + 1\nM = M()",
        "M.most",
        "most is cached",
    ),
    "a default": (
        "def most(known={}):\n    if 0 not in known: known[0] = len(P) // 2 + 1\n    return known[0]",
        "most()",
        "changes known",
    ),
    "a default that grows": (
        "def most(known=[]):\n    if not known: known += [len(P) // 2 + 1]\n    return known[0]",
        "most()",
        "changes known",
    ),
    "an object": (
        "class M:\n    known = 0\n    def most(self):\n        self.known = self.known or len(P) - 1\n        return self.known\nM = M()",
        "M.most()",
        "changes self",
    ),
    "a list of an object": (
        "class M:\n    def __init__(self): self.known = []\n    def most(self):\n        self.known.append(len(P) // 2 + 1)\n"
        "        return self.known[0]\nM = M()",
        "M.most()",
        "changes self.known",
    ),
    "an attribute": (
        "class M: pass\ndef most():\n    if not hasattr(M, 'known'): setattr(M, 'known', len(P) // 2 + 1)\n    return M.known",
        "most()",
        "changes M",
    ),
}


@pytest.mark.parametrize("name", REMEMBERS)
def test_what_would_go_on_to_mean_other_bounds_is_refused(name: str) -> None:
    """It says the same each time it is asked, in a check; the next one is of other bounds."""
    defined, asked, why = REMEMBERS[name]
    with pytest.raises(SpecError, match=why):
        check(load_drawn(HEADER + defined + SPEC.replace("self.x += 1", f"self.x = {asked}")))


def test_an_object_of_the_authors_that_changes_nothing_is_asked() -> None:
    ways = "class M:\n    def __init__(self, n): self.n = n\n    def more(self, by=1):\n        n = self.n\n        n += by\n"
    ways += "        return n\nM = M(0)\n"
    asked = check(load_drawn(HEADER + ways + SPEC.replace("self.x += 1", "self.x = M.more()")), engine="reference")
    assert asked.statistics.states == 2


def test_no_property_is_no_success_and_a_forgotten_decorator_is_named() -> None:
    outcome = check(load_drawn(HEADER + SPEC.replace("    @invariant\n", "")))
    assert isinstance(outcome, NotJudged) and "low" in outcome.reason and outcome.statistics.states == 4


def test_a_copy_is_a_copy_and_equality_is_by_value() -> None:
    counter = load_drawn(HEADER + SPEC)
    first = counter()
    for how in (copy.copy, copy.deepcopy):
        second = how(first)
        assert second == first
        second.up()  # type: ignore[attr-defined]
        assert second != first and first == counter() and second.x == 1  # type: ignore[attr-defined]


def test_a_mistake_in_an_annotation_is_shown_at_its_line() -> None:
    with pytest.raises(SpecError) as refused:
        System(load_drawn(HEADER + SPEC.replace("    x: N\n", "    x: N\n    log: dict[N, set[N] | None]\n")))
    assert refused.value.location is None or "log" in refused.value.location.text


@pytest.mark.parametrize(
    "line",
    {
        "an except": "try:\n    self.x += 1\nexcept Exception:\n    pass",
        "one that disables": "try:\n    self.x += 1\nexcept BaseException:\n    require(False)",
        "a return": "try:\n    self.x += 1\nfinally:\n    return",
        "a context": "import contextlib\nwith contextlib.suppress(Exception):\n    self.x += 1",
    }.values(),
)
def test_a_bound_cuts_whatever_catches_it(line: str) -> None:
    """What an action does then it would not do within wider bounds: that nothing was cut is not so."""
    outcome = check(load_drawn(HEADER + SPEC.replace("        self.x += 1\n", indented(indented(line)) + "\n")))
    assert isinstance(outcome, HoldsWithinBounds) and outcome.statistics.cuts == {"N": 1}


def test_a_bound_is_an_error_of_a_property_whatever_catches_it() -> None:
    body = "try:\n            return Step(self.x + 1).x > 0\n        except Exception:\n            return True"
    record = "@record\nclass Step:\n    x: N\n"
    outcome = check(load_drawn(HEADER + record + SPEC.replace("return self.x <= 3", body)))
    assert isinstance(outcome, Failed) and "passes the bound N" in outcome.message


def test_an_abstract_specification_is_refused_at_its_class() -> None:
    lacking = "    @abc.abstractmethod\n    def more(self) -> None: ...\n"
    with pytest.raises(SpecError, match="Drawn is abstract: it lacks more") as refused:
        System(load_drawn("import abc\n" + HEADER + SPEC.replace("(Spec)", "(Spec, abc.ABC)") + lacking))
    assert refused.value.location is not None and "class Drawn" in refused.value.location.text


@pytest.mark.parametrize("base", ["dict", "Exception", "int"])
def test_a_specification_inherits_from_nothing_that_has_a_content(base: str) -> None:
    with pytest.raises(SpecError, match=r"Drawn has a __\w+__ of its own"):
        load_drawn(HEADER + SPEC.replace("(Spec)", f"(Spec, {base})"))


def test_what_nobody_may_inherit_from_is_what_it_is() -> None:
    """`@final` says something to type checkers, and nothing of instances."""
    final = "import typing\n@typing.final\n"
    parts = (
        "@record\nclass V:\n    x: N\n",
        "class E(Enum):\n    A = 1\n",
        "class M(Nat, max=2):\n    pass\n",
        "class R(Scalarset, size=2):\n    pass\n",
    )
    variables = "    v: V\n    e: E\n    m: M\n    r: dict[R, M]\n"
    source = HEADER + "".join(final + part for part in parts) + final + SPEC.lstrip() + variables
    assert isinstance(check(load_drawn(source)), HoldsWithinBounds)


SHARED = HEADER + "def below(self) -> bool:\n    return self.x < 3\n" + SPEC + "    below = invariant(below)\n"


def test_a_function_may_be_marked_alike_in_two_classes() -> None:
    outcome = check(load_drawn(SHARED + SPEC.replace("Drawn", "Other") + "    below = invariant(below)\n"))
    assert isinstance(outcome, Violated) and outcome.property == "below"
    with pytest.raises(SpecError, match="is hidden by another decorator or mark"):
        System(load_drawn(SHARED + SPEC.replace("Drawn", "Other") + "    below = reachable(below)\n"))


MADE = """
def below(most):
    def holds(self) -> bool:
        return self.x < most
    return holds
"""


def test_marks_that_a_comprehension_makes_are_found_or_refused() -> None:
    made = "invariant(below(most)) for most in (3, 4)"
    outcome = check(load_drawn(HEADER + MADE + f"CLAIMS = [{made}]\n" + SPEC + "    three, four = CLAIMS\n"))
    assert isinstance(outcome, Violated) and outcome.property == "three"
    with pytest.raises(SpecError, match=r"is hidden by another|by a comprehension"):
        System(load_drawn(HEADER + MADE + SPEC + f"    CLAIMS = [{made}]\n"))


def test_two_specifications_of_one_name_are_refused(tmp_path: Path) -> None:
    """One of them would never be judged: `verify` would pass."""
    made = HEADER + "def made(most):\n" + indented(SPEC.replace("<= 3", "<= most")) + "\n    return Drawn\n"
    for name, text in {
        "made_twice": made + "Tight = made(2)\nLoose = made(3)\n",
        "made_and_named": made + "class Tight(made(2)):\n    pass\nclass Loose(made(3)):\n    pass\n",
        "defined_twice": HEADER + SPEC + "class Fast(Drawn):\n    pass\n" + "class Fast(Drawn):\n    omits = ()\n",
        "defined_on_a_new_page": HEADER
        + SPEC
        + "class Fast(Drawn):\n    pass\n\fclass \\\n    Fast(Drawn):\n    omits = ()\n",
        "defined_twice_inheriting": HEADER + SPEC + "class Drawn(Drawn):\n    pass\n",
        "replaced_by_a_record": HEADER + SPEC + "class Fast(Drawn):\n    pass\n@record\nclass Fast:\n    n: N\n",
        "replaced_by_a_function": HEADER + SPEC + "class Fast(Drawn):\n    pass\ndef Fast():\n    pass\n",
        "law_without_its_mark": HEADER
        + "@law\ndef Fast(a: N) -> bool:\n    return a < 1\ndef Fast(a: N) -> bool:\n    return True\n"
        + SPEC,
        "with_bounds": HEADER + SPEC + "Small = Drawn.bounded(N=1)\nLarge = Drawn.bounded(N=5)\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(SpecError, match="Two specifications of this file are called Drawn"):
        load(str(tmp_path / "made_twice.py"))
    replaced = (
        "defined_twice",
        "defined_on_a_new_page",
        "defined_twice_inheriting",
        "replaced_by_a_record",
        "replaced_by_a_function",
    )
    for name in (*replaced, "law_without_its_mark"):
        with pytest.raises(SpecError, match=r"(Fast|Drawn) is defined again in line \d+, which replaces this one"):
            load(str(tmp_path / f"{name}.py"))
    assert set(load(str(tmp_path / "made_and_named.py")).classes) == {"Tight", "Loose"}
    assert load(str(tmp_path / "with_bounds.py")).main.bounds == {}


def test_a_specification_that_a_function_of_another_file_makes_is_not_passed_over(tmp_path: Path) -> None:
    made = HEADER + "def made(most):\n" + indented(SPEC.replace("<= 3", "<= most")) + "\n    return Drawn\n"
    (tmp_path / "makes_them.py").write_text(made + "Known = made(3)\n")
    own = HEADER + SPEC.replace("Drawn", "Own") + "from makes_them import Known, made\n"
    for name, text in {
        "asks": "Tight = made(2)\n",
        "names": "class Tight(made(2)):\n    pass\n",
        "imports": "",
    }.items():
        (tmp_path / f"{name}.py").write_text(own + text)
    with pytest.raises(
        SpecError, match="Tight is made by a function of makes_them, and is no specification of this file"
    ):
        load(str(tmp_path / "asks.py"))
    assert set(load(str(tmp_path / "names.py")).classes) == {"Own", "Tight"}
    assert set(load(str(tmp_path / "imports.py")).classes) == {"Own"}


LATER = """from __future__ import annotations
from quorate import Nat, Spec, action, invariant, require

class Counter(Spec):
    count: Count

    @action
    def rise(self) -> None:
        self.count += 1

    @invariant
    def below(self) -> bool:
        return self.count < {most}

class Count(Nat, max={most}):
    pass
"""


def test_files_of_one_name_do_not_take_one_anothers_sorts(tmp_path: Path) -> None:
    for most in (2, 3, 1):
        (tmp_path / f"of_{most}").mkdir()
        (tmp_path / f"of_{most}" / "counter_of_many.py").write_text(LATER.format(most=most))
    files = [str(file) for file in sorted(tmp_path.glob("*/*.py"))]
    counters = [load(file).main for file in files]
    assert [check(counter).bounds for counter in counters] == [{"Count": 1}, {"Count": 2}, {"Count": 3}]
    assert [load(file).main for file in files] == counters


def test_a_file_that_has_changed_is_loaded_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "counter_that_changes.py"
    counters = []
    for most in (3, 2, 2):
        file.write_text(LATER.format(most=most))
        counters.append(load(str(file)).main)
    assert [check(counter).bounds for counter in counters] == [{"Count": 3}, {"Count": 2}, {"Count": 2}]
    assert counters[1] is counters[2]


HEIR = """
class Heir(Drawn.bounded(N=2)):
    expect = violates("below")

    @invariant
    def below(self) -> bool:
        return self.x < 1

    @lemma
    def argued(self) -> bool:
        return self.x < 2

    @law
    def commutes(a: N, b: N) -> bool:
        return a + b == b + a
"""


def test_what_inherits_from_a_specification_with_other_bounds_is_one_of_its_own(tmp_path: Path) -> None:
    """With all that it says: `verify` would pass without having looked at it."""
    (tmp_path / "heir_of_bounded.py").write_text(HEADER + SPEC + HEIR)
    protocol = load(str(tmp_path / "heir_of_bounded.py"))
    assert list(protocol.classes) == ["Drawn", "Heir"] and list(protocol.marked) == ["Heir.commutes"]
    outcome = check_all(protocol.variant("Heir"))
    assert set(outcome.violated) == {"below", "argued"} and as_expected(protocol.variant("Heir"), outcome)


LOSES = (
    HEADER
    + """
@record
class Vote:
    n: N


class Base(Spec):
    wire: Network[Vote] = Network(lossy=True)
    left: N = N(1)

    @action
    def take(self) -> None:
        self.left -= 1


class Again(Base):
    LINE
"""
)


@pytest.mark.parametrize("line", ["wire: Network[Vote]", "left: N"])
def test_a_variable_that_is_annotated_again_says_its_value(line: str) -> None:
    """In Python it keeps that of the base: a network that lost messages would be one that loses none."""
    with pytest.raises(SpecError, match=r"Again\.\w+ is annotated again, without a value"):
        load_drawn(LOSES.replace("LINE", line), "Again")
    load_drawn(LOSES.replace("LINE", line + (" = Network()" if "wire" in line else " = N(1)")), "Again")
