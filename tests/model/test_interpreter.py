"""The typed model means what the class means: its interpreter and CPython agree on every transition and property."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from quorate.errors import OutsideSubset, SpecError
from quorate.language.control import Cut
from quorate.language.system import State, System
from quorate.model import Model, build
from quorate.model.interpret import Interpreter
from quorate.model.verify import verify

from tests.generated import load, sources

STATES = 60


def attempt(run: Callable[..., object], *arguments: object) -> object:
    """A result, with the ways to end early made comparable."""
    try:
        return run(*arguments)
    except Cut as cut:
        return "cut", cut.bound
    except SpecError:
        return "error"


def agree(system: System, model: Model, limit: int) -> int:
    """Compare both runs on the first `limit` reachable states; the number of action instances compared."""
    interpreter, compared = Interpreter(model), 0
    frontier: list[State] = [state for _, state in system.initial()]
    agree_initially(system, model)
    seen = set(frontier)
    for state in frontier:
        same_properties(system, interpreter, state, None)
        for action in model.actions:
            for arguments in interpreter.choices(state, action):
                compared += 1
                wanted = attempt(system.fire, state, action.method, arguments)
                after = getattr(wanted, "state", wanted)
                assert attempt(interpreter.fire, state, action, arguments) == after, (action.name, state, arguments)
                if hasattr(wanted, "state"):
                    same_properties(system, interpreter, after, state)
                    if after not in seen and len(seen) < limit:
                        seen.add(after)
                        frontier.append(after)
    return compared


def agree_initially(system: System, model: Model) -> None:
    """Compare what `@init` does for all its arguments."""
    if (init := model.init) is not None:
        interpreter, zero = Interpreter(model), system.zero(before_init=True)
        for arguments in system.choices(init.method.parameters):
            wanted = attempt(partial(system.fire, zero, init.method, arguments))
            found = attempt(partial(interpreter.fire, zero, init, arguments))
            assert found == getattr(wanted, "state", wanted), (init.name, arguments)


def same_properties(system: System, interpreter: Interpreter, state: State, old: State | None) -> None:
    """Compare all properties of a state, or all step properties of a transition."""
    for prop in interpreter.model.properties:
        if (prop.kind == "step") == (old is not None):
            for arguments in system.choices(prop.method.parameters):
                found = attempt(interpreter.evaluate, prop, state, arguments, old)
                assert found == attempt(system.evaluate, prop.method, state, arguments, old), (prop.name, state)


@pytest.mark.slow
@settings(max_examples=200)
@given(sources())
def test_generated_specs_mean_the_same_in_cpython_and_in_the_model(source: str) -> None:
    spec = load(source)
    try:
        system = System(spec)
        model = build(system)
    except OutsideSubset as error:
        pytest.fail(f"a drawn spec is outside the subset: {error}\n{source}")
    verify(model)
    with system:
        try:
            initial = list(system.initial())
        except SpecError:
            return
        assert initial
        agree(system, model, STATES)
