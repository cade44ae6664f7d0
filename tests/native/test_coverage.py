"""The native engine covers the whole library: nothing falls back to the reference engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from quorate import Spec
from quorate.explore.checking import symmetric_sorts
from quorate.explore.native.search import rendering
from quorate.language.system import System

from tests.native import recorded


def each() -> Iterator[Any]:
    """Variants nightly: `quorate verify` compiles them all."""
    for spec in recorded.library():
        is_variant = spec.__base__ is not Spec
        yield pytest.param(spec, id=recorded.name_of(spec), marks=[pytest.mark.deep] if is_variant else [])


@pytest.mark.parametrize("spec", list(each()))
def test_every_spec_of_the_library_has_a_native_model_with_its_liveness(spec: type[Spec]) -> None:
    system = System(spec)
    with system:
        rendered = rendering(system, [state for _, state in system.initial()], symmetric_sorts(system)[0])
    assert rendered.no_liveness is None
