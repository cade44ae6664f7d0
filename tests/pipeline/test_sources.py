"""A verdict is taken from the record only where nothing that it depends on has changed; each ingredient has its case."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from quorate import cc
from quorate.commands._verifying import Job
from quorate.explore.limits import Limits
from quorate.loading import load, located, names
from quorate.pipeline import sources
from quorate.pipeline.project import Profile
from quorate.pipeline.sources import MAIN, Sources, digest_of_quorate, pieces, sources_of

FILES = {
    "lock.py": "from quorate import Spec\nimport guards\nfrom parts import sizes\n\ndef late():\n    import lazily\n",
    "guards.py": "from further import free\n",
    "further.py": "def free(n):\n    return n == 0\n",
    "lazily.py": "x = 1\n",
    "parts/__init__.py": "",
    "parts/sizes.py": "from .numbers import MANY\n",
    "parts/numbers.py": "MANY = 3\n",
    "unrelated.py": "x = 1\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    """As a new process, which has read nothing yet."""
    importlib.invalidate_caches()
    for cached in (sources.sources_of, sources._first_read, sources._followed, sources.surroundings):
        cached.cache_clear()


def made(name: str = "lock.py") -> Sources:
    forget()
    return sources_of(MAIN, Path(name).resolve())


JOB = Job("lock.py", None, "auto", Limits(), ("lock.py", "Lock", "default"))


def key(job: Job = JOB) -> str | None:
    forget()
    return job.key


def test_the_files_are_those_that_are_imported_through_helpers_and_packages() -> None:
    found = made()
    assert {path.name for path, _ in found.files.values()} == {Path(name).name for name in FILES} - {"unrelated.py"}
    assert found.unknown == ""


@pytest.mark.parametrize("name", [name for name in FILES if name != "unrelated.py"])
def test_a_change_of_any_of_them_changes_the_key(name: str) -> None:
    before = key()
    Path(name).write_text(FILES[name] + "\nADDED = 1\n", encoding="utf-8")
    assert before is not None and key() not in (before, None)


def test_a_change_of_another_file_does_not() -> None:
    before = key()
    Path("unrelated.py").write_text("x = 2\n", encoding="utf-8")
    assert key() == before


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, name=("lock.py", "Rude", "default")),
        replace(JOB, name=("latch.py", "Lock", "default")),
        replace(JOB, function="joined"),
        replace(JOB, engine="reference"),
        replace(JOB, limits=Limits(states=10)),
        replace(JOB, profile=Profile("ci", {"Server": 4})),
        replace(JOB, profile=Profile("ci", {}, {"lock.py": {"Server": 4}})),
    ],
)
def test_what_is_asked_is_part_of_the_key(other: Job) -> None:
    assert key(other) not in (key(), None)


def test_sizes_of_other_specifications_and_the_names_of_profiles_are_not() -> None:
    assert key(replace(JOB, profile=Profile("ci", {}, {"other.py": {"Server": 4}}))) == key()


def python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version", sys.version + " (another build)")


def quorate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOADED", "another")


def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "version", lambda name: "0.0")


def compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cc, "find", lambda: cc.Compiler(("other",), "another compiler"))


@pytest.mark.parametrize("other", [python, quorate, packages, compiler])
def test_what_runs_the_check_is_part_of_the_key(
    other: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key()
    other(monkeypatch)
    assert key() not in (before, None)


@pytest.mark.parametrize("name", ["explore/reference.py", "explore/native/engine.c", "explore/native/search.h"])
def test_the_sources_of_every_engine_are_part_of_what_quorate_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    (copy / name).parent.mkdir(parents=True)
    (copy / name).write_text("one", encoding="utf-8")
    monkeypatch.setattr(sources, "PACKAGE", copy)
    before = digest_of_quorate()
    (copy / name).write_text("another", encoding="utf-8")
    assert digest_of_quorate() != before


@pytest.mark.parametrize(
    "text",
    [
        "import random\n",
        "import os.path\n",
        "from time import time\n",
        "import click\n",
        "import not_there\n",
        "import z3.z3core\n",
        "LIMIT = len(open('limits.txt').read())\n",
        "x = eval('1')\n",
        "f = (lambda: 0).__globals__\n",
        "K = globals()['__builtins__']\n",
        "import enum\nK = vars(enum)['sys']\n",
        "import enum\nK = enum.bltns.open('numbers.txt')\n",
        "from enum import bltns\nK = bltns.open('numbers.txt')\n",
        "import operator, typing\nK = operator.attrgetter('sys.argv')(typing)\n",
        "import typing\nK = getattr(typing, 'sys').modules\n",
        "import typing\nK = typing.sys.path\n",
        "from dataclasses import builtins\n",
        "def f(x):\n    return id(x)\n",
        "from quorate.loading import load\nBase = load('unrelated.py').main\n",
        "LIMIT = len(__file__)\n",
        "import guards\nLIMIT = len(guards.__file__)\n",
        "LIMIT = len((lambda: 0).__code__.co_filename)\n",
        "LIMIT = 'a'.__hash__()\n",
        "FIRST = next(iter({'a', 'b'}))\n",
        "FIRST = list({one for one in 'ab'})[0]\n",
        "class Sizes:\n    first = next(iter(frozenset('ab')))\n",
        "def first():\n    return next(iter(set('ab')))\n\nFIRST = first()\n",
        "def first():\n    return next(iter(set('ab')))\n\ndef f(x=first()):\n    pass\n",
        "class Sizes:\n    @staticmethod\n    def first():\n        return next(iter({'a', 'b'}))\n\nFIRST = Sizes.first()\n",
        "class Sizes:\n    def __init__(self):\n        self.first = next(iter({'a', 'b'}))\n\nFIRST = Sizes().first\n",
        "FIRST = list(map(set, ['ab']))[0].pop()\n",
        "make = frozenset\nFIRST = next(iter(make('ab')))\n",
        "FIRST = next(iter(set[str]('ab')))\n",
        "FIRST = next(iter({'a': 1}.keys() | {'b': 1}.keys()))\n",
        "K = {'a': 1}.keys()\nFIRST = next(iter(K | {'b': 1}))\n",
        "keys = {'a': 1}.keys\nFIRST = next(iter(keys() | {'b': 1}))\n",
        "for k in [{'a': 1}.items()]:\n    FIRST = next(iter(k | {('b', 1): 1}.items()))\n",
        "from collections import abc\nFIRST = next(iter(abc.KeysView({'a': 1}) | ['b']))\n",
        "import quorate.loading\n",
        "from quorate import loading\n",
        "from quorate import check\n",
        "import quorate.explore.checking as checking\n",
        "import quorate\nK = quorate.check('other.py')\n",
        "import quorate as q\nK = q.loading.load('other.py')\n",
        "from quorate import proven\nK = proven('other.py')\n",
        "import enum\nK = '{0.sys.argv}'.format(enum)\n",
        "K = '{a.__class__}'.format_map({'a': 1})\n",
        "import enum\nmatch enum:\n    case object(sys=s):\n        K = s\n",
        "match (lambda: 0):\n    case object(__globals__=g):\n        K = g\n",
        "import typing\ndef f(x: 'int'): ...\nK = typing.get_type_hints(f)\n",
        "def f(x: \"open('numbers.txt').read()\"): ...\n",
        "import enum\nK = object.__getattribute__(enum, 'argv')\n",
        "def f():\n    return 1\nf.__code__ = f.__code__.replace(co_names=('open',))\n",
        "try:\n    1 / 0\nexcept Exception as e:\n    K = e.__traceback__\n",
        "g = (x for x in ())\nK = g.gi_frame.f_builtins['open']\n",
        "class C:\n    def __exit__(self, a, b, c):\n        self.c = c\n",
        "import string, enum\nK = string.Formatter().get_field('0.sys.argv', (enum,), {})\n",
        "import functools\nf = functools.singledispatch(print)\n",
        "import copy\nK = copy.weakref\n",
        "from typing import *\n",
        "import enum\ndef f(e=enum):\n    return e\n",
        "import collections.abc\nK = collections.abc.sys\n",
        "K = license\n",
        "K = len(__name__)\n",
    ],
)
def test_nothing_is_vouched_for_that_looks_outside(text: str) -> None:
    Path("further.py").write_text(text, encoding="utf-8")
    assert made().unknown.startswith("further.py ")
    assert key() is None


@pytest.mark.parametrize(
    "text",
    [
        "A = [k for k in {'a': 1}.keys()]\n",
        "for k, v in {'a': 1}.items():\n    A = k\n",
        "A = sorted({'a': 1}.keys())[0]\n",
    ],
)
def test_what_is_gone_through_in_the_order_of_a_map_is_vouched_for(text: str) -> None:
    Path("further.py").write_text(text, encoding="utf-8")
    assert made().unknown == ""


@pytest.mark.parametrize(
    "text",
    [
        "import colors, math as enum\nK = enum.gcd\n",
        "from colors import enum\n",
        "import colors\nK = colors.enum.auto\n",
        "from colors import *\nK = enum\n",
    ],
)
def test_a_module_of_python_that_another_file_imports_is_none_of_its_names(text: str) -> None:
    Path("colors.py").write_text("import enum\n\nclass Color(enum.Enum):\n    RED = enum.auto()\n", encoding="utf-8")
    Path("further.py").write_text("import colors\nRED = colors.Color.RED\n", encoding="utf-8")
    assert made().unknown == ""
    Path("further.py").write_text(text, encoding="utf-8")
    assert " uses " in made().unknown


@pytest.mark.parametrize(
    "text",
    [
        "import collections.abc, math as m\nfrom collections import abc, deque\nK: abc.Sized = deque([m.gcd(4, 6)])\n"
        "L: collections.abc.Sized = collections.Counter()\n",
        "from __future__ import annotations\nfrom typing import Self\nclass C:\n    def f(self, o: 'C | None') -> Self: ...\n",
        "from quorate import *\nfrom quorate import Spec, require\n",
        "class C:\n    def __init__(self):\n        super().__init__()\n        if __name__ != '__main__':\n            raise ValueError\n",
        "STATE = 'open'\nHELP = 'open a file (or not)'\n",
    ],
)
def test_what_computes_from_its_arguments_alone_is_vouched_for(text: str) -> None:
    Path("further.py").write_text(text, encoding="utf-8")
    assert made().unknown == ""


def test_a_field_may_be_called_as_what_looks_outside() -> None:
    Path("further.py").write_text("class Request:\n    id: int\n", encoding="utf-8")
    assert made().unknown == ""


@pytest.mark.parametrize(
    "text",
    [
        "import picking\nFIRST = picking.first()\n",
        "from picking import first\nFIRST = first()\n",
        "from picking import first as one\nFIRST = one()\n",
        "from picking import *\nFIRST = first()\n",
    ],
)
def test_what_another_file_does_with_sets_while_this_one_is_loaded_is_seen(text: str) -> None:
    Path("picking.py").write_text("def first():\n    return next(iter({'a', 'b'}))\n", encoding="utf-8")
    Path("further.py").write_text("import picking\n", encoding="utf-8")
    assert made().unknown == ""
    Path("further.py").write_text(text, encoding="utf-8")
    assert made().unknown.startswith("picking.py uses a set while it is loaded")


def test_sets_of_states_are_nothing_that_is_loaded() -> None:
    Path("further.py").write_text(
        "Some = set[int]\n\ndef f(x: frozenset, y: set[int]) -> set[int]:\n    return x | y\n\n"
        "class Lock:\n    held: set[int]\n    seen: frozenset\n\n    def take(self, n: int) -> None:\n        self.held |= {n}\n",
        encoding="utf-8",
    )
    assert made().unknown == ""


def test_a_file_of_ones_own_under_the_name_of_a_module_of_python_is_followed() -> None:
    Path("further.py").write_text("import string\n", encoding="utf-8")
    Path("string.py").write_text("import random\n", encoding="utf-8")
    assert made().unknown == "string.py imports random"


def test_what_a_package_may_name_in_all_is_followed_from_a_star() -> None:
    Path("further.py").write_text("from parts import *\n", encoding="utf-8")
    Path("parts/__init__.py").write_text("__all__ = ['named', 'inner']\n", encoding="utf-8")
    Path("parts/inner").mkdir()
    for name in ("named.py", "inner/__init__.py"):
        Path("parts", name).write_text("x = 1\n", encoding="utf-8")
    assert {"parts.named", "parts.inner"} <= set(made().files)


def test_a_file_that_changes_while_it_is_checked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made()
    assert found.is_as_read()
    Path("further.py").write_text("def free(n):\n    return n == 1\n", encoding="utf-8")
    assert not found.is_as_read()
    assert sources_of(MAIN, Path("lock.py").resolve()) is found, "a process goes by what it read first"


def test_a_module_of_the_same_name_from_elsewhere_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere" / "further.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text("def free(n):\n    return True\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(elsewhere.parent))
    monkeypatch.delitem(sys.modules, "further", raising=False)
    importlib.import_module("further")
    assert not made().is_as_read()
    monkeypatch.delitem(sys.modules, "further")
    assert made().is_as_read()


def test_bytecode_of_a_text_written_in_the_same_second_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import py_compile

    file = tmp_path / "further.py"
    py_compile.compile(str(file), doraise=True)
    written = file.stat().st_mtime_ns
    file.write_text(FILES["further.py"].replace("==", "!="), encoding="utf-8")
    os.utime(file, ns=(written, written))
    made()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "further", raising=False)
    assert importlib.import_module("further").free(1)
    monkeypatch.delitem(sys.modules, "further")


def test_what_a_protocol_of_the_library_has_from_others_is_among_its_sources() -> None:
    borrowing = 0
    for name in names():
        found = sources_of(*located(name))
        assert found.unknown == "", name
        module = load(name).module
        others = {getattr(value, "__module__", None) for value in vars(module).values()}
        others = {other for other in others if other is not None and other.startswith("quorate_specs")}
        assert {module.__name__, *others} <= set(found.files), name
        borrowing += len(others) > 1
    assert borrowing >= 5


TEXT = '''"""About."""

LIMIT = 3

class Lock:
    """A lock."""

    size = 2

    @property
    def free(self):
        """Whether it is free."""
        return True

def helper():
    return 1
'''


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("LIMIT = 3", "LIMIT = 4", ["(file)"]),
        ("size = 2", "size = 4", ["Lock"]),
        ("return True", "return False", ["Lock.free"]),
        ("@property", "@cached_property", ["Lock.free"]),
        ("return 1", "return 2", ["helper"]),
        ("return 1", "# One.\n\n    return 1", []),
        ("Whether it is free.", "If nobody has it.", []),
    ],
)
def test_the_pieces_of_a_file_are_its_classes_methods_and_functions(old: str, new: str, changed: list[str]) -> None:
    before, after = pieces(TEXT), pieces(TEXT.replace(old, new))
    assert set(before) == {"Lock", "Lock.free", "helper", "(file)"}
    assert [name for name in after if after[name].digest != before[name].digest] == changed
    assert before["Lock.free"].line == 11
