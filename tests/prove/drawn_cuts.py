"""Specifications with branches that a bound always cuts, or that a `require` rules out: what lies behind them is no value.

Steps come in a fixed order, so that bounded checks know much of the first states; elements of lists and alternatives of unions are
there in some runs only.
"""

from __future__ import annotations

from random import Random

HEADER = """
from typing import Annotated
from quorate import *

class Level(Nat, max=2): pass
class Phase(Nat, max=3): pass

@record
class Low:
    at: Level

@record
class Maybe:
    at: Level | None

class Drawn(Spec):
    n: Level
    last: Level | None
    kept: Low | Maybe | None
    log: Annotated[list[Level], up_to(1)]
    notes: Annotated[list[Low | Maybe], up_to(2)]
    phase: Phase
"""
PARAMETERS = "self, a: Level, f: bool"


class _Writer:
    """Draws the text of a specification."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def number(self) -> str:
        number = self.random.choice(["a", "self.n", "self.n", "0", "1"])
        return number if self.random.random() < 0.4 else f"{number} + {self.random.randint(1, 3)}"

    def condition(self) -> str:
        options = [
            "f",
            f"self.n {self.random.choice(['<', '==', '!='])} a",
            "a > 0",
            "self.last is None",
            "len(self.log) == 0",
        ]
        one, other = self.random.sample(options, 2)
        return self.random.choice([one, f"{one} and {other}", f"not ({one} or {other})"])

    def optional(self) -> str:
        return f"({self.number()} if {self.condition()} else None)"

    def note(self) -> str:
        return self.random.choice([f"Low({self.number()})", f"Maybe({self.optional()})"])

    def statement(self) -> str:
        return self.random.choice(
            [
                f"self.n = {self.random.choice(['a', self.number()])}",
                f"self.last = {self.optional()}",
                f"self.kept = {self.note()} if {self.condition()} else {self.random.choice(['None', self.note()])}",
                f"self.log = [{self.number()}] if {self.condition()} else []",
                f"self.notes = [{self.note()}] if {self.condition()} else []",
                f"if {self.condition()}: self.notes.append({self.note()})",
                f"if {self.condition()}: self.last = {self.number()}",
            ]
        )

    def method(self, decorator: str, name: str, body: list[str]) -> str:
        return "\n".join(
            [f"    @{decorator}", f"    def {name}({PARAMETERS}) -> None:", *(f"        {line}" for line in body), ""]
        )


def write(seed: int) -> str:
    """The text of a drawn specification."""
    writer = _Writer(seed)
    steps = [
        [f"require(self.phase == {phase})", *(writer.statement() for _ in range(2)), f"self.phase = {phase + 1}"]
        for phase in range(3)
    ]
    methods = [writer.method("action", f"step{phase}", body) for phase, body in enumerate(steps)]
    if writer.random.random() < 0.3:
        ruled_out = f"require(a > 0 or not ({writer.condition()}))"
        methods.append(writer.method("init", "start", [ruled_out, f"self.n = a if {writer.condition()} else 0"]))
    return HEADER + "\n" + "\n".join(methods)
