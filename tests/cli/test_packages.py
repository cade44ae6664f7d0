"""Specifications in packages of their own, which import their neighbours relatively."""

from __future__ import annotations

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
