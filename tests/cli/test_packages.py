"""Specifications in packages of their own, which import their neighbours relatively."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from quorate.errors import UsageError
from quorate.loading import load
from quorate.pipeline.sources import MAIN, sources_of

from tests.cli.samples import MUTEX

CHILD = """\
from .mutex import Mutex


class Heir(Mutex):
    "As it was."
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a package, with a specification and its heir."""
    inner = tmp_path / "protocols_of_ours" / "locks"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    (inner / "mutex.py").write_text(MUTEX)
    (inner / "heir.py").write_text(CHILD)
    return inner


def test_a_neighbour_is_found_from_any_directory(package: Path) -> None:
    command = [sys.executable, "-m", "quorate", "check", str(package / "heir.py"), "--engine", "reference"]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, text=True)
    assert done.returncode == 0 and "class Heir" in done.stdout and done.stderr == ""


def test_a_file_outside_of_packages_is_told_what_to_do(package: Path) -> None:
    lone = package.parent.parent / "lone.py"
    lone.write_text(CHILD)
    with pytest.raises(UsageError, match=r"put an empty `__init__\.py` beside it"):
        load(str(lone))


def test_a_package_called_as_another_is_refused(package: Path) -> None:
    taken = package.parent.with_name("json")
    package.parent.rename(taken)
    with pytest.raises(UsageError, match="loaded under that name already"):
        load(str(taken / "locks" / "heir.py"))


def test_nothing_vouches_for_what_is_imported_relatively(package: Path) -> None:
    assert "imports relatively" in sources_of(MAIN, package / "heir.py").unknown


COUNTS = """\
from quorate import Nat, Spec, action, invariant, require


class N(Nat, max=9):
    pass


class Counts(Spec):
    n: N

    @action
    def rise(self) -> None:
        self.n += 1

    @invariant
    def small(self) -> bool:
        return self.n < 3
"""


def test_a_file_is_read_as_it_is_whatever_python_has_compiled_before(tmp_path: Path) -> None:
    """A change of as many letters in the second of the last one; nothing is left beside the file."""
    file = tmp_path / "counts.py"
    for limit in (3, 5):
        file.write_text(COUNTS.replace("< 3", f"< {limit}"), encoding="utf-8")
        os.utime(file, (1, 1))
        found = subprocess.run(
            [sys.executable, "-m", "quorate", "check", str(file), "--engine", "reference", "--format", "json"],
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert len(json.loads(found.stdout)["trace"]["steps"]) == limit
    assert [each.name for each in tmp_path.iterdir()] == ["counts.py"]
