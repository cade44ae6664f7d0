"""What a parameter ranges over when its action begins with `require(x in collection)`: nothing that is possible may be left out."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from quorate import Nat, Spec, action, invariant, require
from quorate import require as demand
from quorate.errors import OutsideSubset
from quorate.explore import check
from quorate.explore.engine import Disagreement
from quorate.language.system import System
from quorate.model import build
from quorate.outcome import Violated


class Count(Nat, max=3):
    """A number."""


class Odd:
    """It contains more than it ranges over."""

    def __contains__(self, number: int) -> bool:
        return number % 2 == 1

    def __iter__(self) -> Iterator[int]:
        return iter((1,))


def own_require() -> type[Spec]:
    """The author's own function disables nothing."""

    def require(_condition: bool) -> None:
        """Not that of the language."""

    class Own(Spec):
        x: Count
        some: set[Count]

        @action
        def take(self, n: Count) -> None:
            require(n in self.some)
            self.x = n

        @invariant
        def never_three(self) -> bool:
            return self.x != 3

    return Own


class Truth(Spec):
    """In Python `1 in {True}` is true."""

    x: Count
    some: set[bool]

    @action
    def add(self) -> None:
        self.some.add(True)

    @action
    def take(self, n: Count) -> None:
        require(n in self.some)  # type: ignore[comparison-overlap]
        self.x = n

    @invariant
    def never_one(self) -> bool:
        return self.x != 1


class Pairs(Spec):
    """And so is `(1, 2) in {(True, 2)}`."""

    x: tuple[Count, Count]

    @action
    def take(self, n: tuple[Count, Count]) -> None:
        require(n in {(True, Count(2))})
        self.x = n

    @invariant
    def never_one(self) -> bool:
        return self.x[0] != 1


class Unlike(Spec):
    """A collection of the author's may contain what it does not range over."""

    x: Count

    @action
    def take(self, n: Count) -> None:
        require(n in Odd())
        self.x = n

    @invariant
    def never_three(self) -> bool:
        return self.x != 3


class Before(Spec):
    """A parameter may be one that is given by position only."""

    x: Count
    some: set[Count]

    @action
    def add(self, n: Count, /) -> None:
        self.some.add(n)

    @action
    def take(self, n: Count, /) -> None:
        require(n in self.some)
        self.x = n

    @invariant
    def never_three(self, n: Count, /) -> bool:
        return self.x != 3 or n != self.x


def mirrored(action: Callable[[Any, Count], None]) -> Callable[[Any, Count], None]:
    """What it wraps is given another number."""

    @functools.wraps(action)
    def taken(self: Any, n: Count) -> None:
        action(self, 3 - n)

    return taken


class Wrapped(Spec):
    """What an action demands of what it is given, its wrapper does not."""

    x: Count
    some: set[Count]

    @action
    def add(self) -> None:
        self.some.add(0)

    @action
    @mirrored
    def take(self, n: Count) -> None:
        require(n in self.some)
        self.x = 3 - n

    @invariant
    def never_three(self) -> bool:
        return self.x != 3


@pytest.mark.parametrize(
    "spec",
    [own_require, *(lambda s=s: s for s in (Truth, Pairs, Unlike, Before, Wrapped))],
    ids=["own", "true", "pair", "unlike", "before", "wrapped"],
)
def test_nothing_that_is_possible_is_left_out(spec: Callable[[], type[Spec]]) -> None:
    assert isinstance(check(spec(), engine="reference"), Violated)


class Called(Spec):
    """What the language has may be called otherwise."""

    x: Count
    some: set[Count]

    @action
    def take(self, n: Count) -> None:
        demand(n in self.some)
        self.x = n


def test_a_guard_counts_by_what_it_calls() -> None:
    from quorate.explore.choices import collections_of

    (take,) = System(Called).actions
    assert list(collections_of(take)) == ["n"]
    (take,) = System(own_require()).actions
    assert not collections_of(take)


def test_what_is_left_out_wrongly_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads what an action demands may misread it: that what is left out cannot happen is held against running it."""
    monkeypatch.setattr("quorate.explore.choices.collections_of", lambda method: {"n": lambda view, *_: frozenset()})
    with pytest.raises(Disagreement, match=r"Before.add\([0-3]\) can happen, and was left out"):
        check(Before, engine="reference")


def test_parameters_without_a_name_have_no_typed_model() -> None:
    with pytest.raises(OutsideSubset, match="`/`"):
        build(System(Before))


def test_without_assert_nothing_is_judged(tmp_path: Path) -> None:
    code = "from quorate import Spec, action\nclass S(Spec):\n    x: bool\n    @action\n    def a(self) -> None:\n        assert self.x\n"
    (tmp_path / "s.py").write_text(code, encoding="utf-8")
    run = [sys.executable, "-m", "quorate", "check", str(tmp_path / "s.py")]
    done = subprocess.run(run, env={**os.environ, "PYTHONOPTIMIZE": "1"}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "PYTHONOPTIMIZE" in done.stderr


class Suffix(StrEnum):
    """An empty text is part of any."""

    NONE = ""
    SOME = "s"


TEXT = ""


class Parts(Spec):
    """What a text contains is more than its letters."""

    x: Count

    @action
    def take(self, suffix: Suffix, n: Count) -> None:
        require(suffix in TEXT and n in {2})
        self.x = n

    @invariant
    def never_two(self) -> bool:
        return self.x != 2


def test_the_parts_of_a_text_are_in_it() -> None:
    assert isinstance(check(Parts), Violated)
