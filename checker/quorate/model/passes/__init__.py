"""Passes over a typed model: from one that says what its author wrote to one that means the same and is faster to run.

Each is a function from a model to a model. What it writes has the same value wherever what was there had one, and where that might
end otherwise, by an error in the spec or a cut, it is left as it is: so errors, cuts and their order stay. `docs/model.md` tells
what each does; `limits.SAVINGS` names them, so that each can be switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from quorate.model.nodes import Model
from quorate.model.passes.branching import decided
from quorate.model.passes.calling import inlined
from quorate.model.passes.gathering import not_gathered
from quorate.model.passes.searching import looked_up

PASSES: dict[str, Callable[[Model], Model]] = {
    "calls": inlined,
    "branches": decided,
    "sets": not_gathered,
    "lookups": looked_up,
}
"""In this order: each finds more after those before it."""


def improved(model: Model, without: Collection[str] = ()) -> Model:
    """The model after all passes but those that are named."""
    for name, change in PASSES.items():
        if name not in without:
            model = change(model)
    return model
