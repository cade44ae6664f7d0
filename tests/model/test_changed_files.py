"""The model is made from the text of a file, and runs are those of what was loaded from it: a file that changes in between has no model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from quorate import check
from quorate.errors import OutsideSubset
from quorate.language.system import System
from quorate.loading import load
from quorate.model import build

BROKEN = '''"""A text in which `{1, 2, "a"}` stands."""

from quorate import Scalarset, Spec, action, invariant


class Process(Scalarset, size=2):
    """Processes."""


def few(count: int) -> bool:
    return count in {1, 0} or (count, 1) in {(0, 1)}


class Shared(Spec):
    """A resource."""

    inside: set[Process]

    @action
    def enter(self, p: Process) -> None:
        self.inside.add(p)

    @invariant
    def exclusive(self) -> bool:
        """At most one process is inside."""
        return few(len(self.inside))
'''
MENDED = BROKEN.replace("self.inside.add(p)", "self.inside = {p}")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shared_between_tests.py"
    path.write_text(BROKEN)
    yield path
    sys.modules.pop(path.stem, None)


@pytest.mark.parametrize(
    "text",
    [
        MENDED,
        BROKEN.replace("{1, 0}", "{1, 2}"),
        BROKEN.replace("def enter", "# moved\\n    def enter"),
        "def",
        "",
        BROKEN + "\\0",
    ],
    ids=["mended", "a helper", "moved", "broken", "emptied", "no text"],
)
def test_a_verdict_is_about_what_was_loaded(file: Path, text: str) -> None:
    spec = load(str(file)).main
    file.write_text(text)
    with pytest.raises(OutsideSubset, match=r"the file has changed since|not available"):
        build(System(spec))
    outcome = check(spec)
    assert (outcome.verdict, outcome.engine) == ("violated", "reference")


def test_a_change_that_means_the_same_does_not_matter(file: Path) -> None:
    spec = load(str(file)).main
    file.write_text(BROKEN.replace('"""A resource."""', '"""Something."""').replace("return few(", "return few( "))
    assert check(spec, engine="native").engine == "native"
