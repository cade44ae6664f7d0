"""Bodies written to catch the encoding at fixed bounds do, symbolically, what CPython does with them."""

from __future__ import annotations

import pytest
from quorate.model.build import build
from quorate.prove.transition.relation import Relation

from tests import generated
from tests.prove.agreement import reference, symbolic
from tests.prove.aimed import ACTIONS, source

STATES = 10


@pytest.mark.parametrize(("variables", "parameters", "body"), ACTIONS)
def test_the_successors_are_those_of_cpython(variables: str, parameters: str, body: str) -> None:
    model = build(generated.load(source(variables, parameters, body)))
    with model.system:
        relation = Relation(model)
        seen = [state for _, state in model.system.initial()]
        for state in seen:
            expected = reference(model, state)
            assert symbolic(relation, state) == expected
            found = [after for after in expected.values() if isinstance(after, tuple) and after not in seen]
            seen += list(dict.fromkeys(found))[: STATES - len(seen)]
