"""What the language had no words for at first: several @init methods, each for some of the variables."""

from __future__ import annotations

from typing import Any

from tests.constructs import Constructs

JOINT = "\n    @init\n    def further(self, z: Node) -> None:\n"
"""Where the second @init method of a drawn spec begins."""


class Wider(Constructs):
    """Draws a beginning in two parts, of which the second may look at what the first has made."""

    def beginning(self, s: Any) -> list[str]:
        """The @init methods; drawn before there are helpers, which read anything."""
        names = list(s.variables)
        self.random.shuffle(names)
        cut = self.random.randint(0, len(names))
        first = s.but(nodes=["p"], variables={name: s.variables[name] for name in names[:cut]}, wire=None)
        second = s.but(nodes=["z"], variables={name: s.variables[name] for name in names[cut:]})
        looks = [f"require({self.truth(first.but(nodes=['z']), 1)})"] if self.chance(40) else []
        return [
            *self.method("start", "@init", ["p: Node"], self.statement(first, 0)),
            *self.method("further", "@init", ["z: Node"], [*looks, *self.statement(second, 0)]),
        ]


def as_one(source: str) -> str:
    """The source with both @init methods as one."""
    assert JOINT in source
    return source.replace(JOINT, "").replace("def start(self, p: Node)", "def start(self, p: Node, z: Node)")
