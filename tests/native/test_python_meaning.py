"""Unusual Python in small specs means in every engine what it means in CPython."""

from __future__ import annotations

import pytest
from quorate.explore.native import library

from tests.generated import load
from tests.model.small import around
from tests.model.test_python_meaning import HELPERS, METHODS, SAME
from tests.native.agreement import QUICK_FLAGS
from tests.native.large_agreement import outcomes
from tests.prove.test_agreement import compare

SOURCES = {name: around(body, METHODS, HELPERS) for name, body in SAME.items()}
PARTS = 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_native_engine_agrees(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    sources = {name: SOURCES[name] for name in list(SOURCES)[part::PARTS]}
    found = outcomes(sources)
    told = {name: said for name, said in found.items() if not said.startswith("same verdict")}
    assert told == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_symbolic_engine_agrees(part: int) -> None:
    for name in list(SOURCES)[part::PARTS]:
        compare(load(SOURCES[name]), 2)
