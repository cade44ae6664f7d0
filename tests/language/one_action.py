"""Specifications of one action, and how it ends in CPython and in the typed model."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.language.control import Cut
from quorate.language.system import Failure, System
from quorate.model import build

from tests.generated import HEADER, load
from tests.model.test_interpreter import agree


def source(variables: Sequence[str], parameters: str, body: str, before: str = "", more: str = "") -> str:
    """The source of a specification with these variables whose action has this body; `before` stands above the class, `more` at its end."""
    lines = ["class Drawn(Spec):", *("    " + line for line in variables), "", "    @action"]
    lines += [f"    def act(self, {parameters}) -> None:", *("        " + line for line in body.split("\n"))]
    return HEADER.format(nodes=2, levels=2) + before + "\n\n" + "\n".join(lines) + "\n" + more


def end_of(text: str) -> str:
    """How the action ends with its first arguments: "ends", "error" or "cut". With all of them, the model ends as CPython does."""
    system = System(load(text))
    model = build(system)
    with system:
        assert agree(system, model, 12) > 0
        ((_, state),) = system.initial()
        try:
            system.fire(state, system.actions[0], next(iter(system.choices(system.actions[0].parameters))))
        except Failure:
            return "error"
        except Cut:
            return "cut"
        return "ends"
