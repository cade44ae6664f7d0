"""Numbers with two ends, computed bounds and numbered members mean one thing in CPython, in the model and in every engine."""

from __future__ import annotations

import pytest
from quorate.explore.native import library
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify

from tests.generated import load
from tests.model.test_interpreter import agree
from tests.native.agreement import QUICK_FLAGS
from tests.native.large_agreement import Case, TooMany, cases_of, compared
from tests.prove.test_agreement import compare
from tests.signed_numbers import write

COUNT = 150


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


@pytest.mark.slow
def test_the_native_engine_agrees_with_the_reference_engine_on_drawn_specs() -> None:
    cases: list[Case] = []
    for number in range(COUNT):
        try:
            cases += cases_of(number, write(number), False)
        except TooMany:
            continue
    said = [(case.seed, verdict) for case, verdict in compared(cases)]
    assert [(number, verdict) for number, verdict in said if verdict.startswith("DISAGREE")] == []
    assert len(said) > COUNT // 2


@pytest.mark.slow
def test_the_model_means_what_the_class_means_on_drawn_specs() -> None:
    assert sum(model_agrees(number) for number in range(COUNT)) > COUNT


def model_agrees(number: int) -> int:
    system = System(load(write(number)))
    with system:
        model = build(system.spec)
        verify(model)
        return agree(system, model, 6)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_the_symbolic_engine_steps_alike_on_drawn_specs(number: int) -> None:
    compare(load(write(number)), 2)
