"""Small specs in source text: the sorts of the drawn specs, a few variables, and one action to try a construct in."""

from __future__ import annotations

from textwrap import dedent, indent

from quorate import Spec

from tests.generated import HEADER, load

VARIABLES = """\
level: dict[Node, Level]
leader: Node | None
seen: set[Node]
other: set[Node]
top: Level
log: Annotated[list[Node], up_to(Size)]
numbers: Annotated[list[Level], up_to(Size)]
lists: Annotated[list[set[Node]], up_to(Size)]
flag: bool
grid: dict[Node, dict[Node, Level]]
friends: dict[Node, set[Node]]
colors: dict[Color, Level]
mode: Color
rank: dict[Rank, Level]
note: Note | None
picks: set[Level | Color]
picked: Level | Color | None
maybe: set[Color | None]
option: Level | None
options: Annotated[list[Level | None], up_to(Size)]
paired: dict[tuple[Level, Node], Level]
ranked: dict[Level | None, Level]
either: dict[tuple[Level, Node | None], Level]
held: Annotated[dict[Level | None, Level], partial]
sets: dict[Level, set[Level]]
wire: Network[Note | Ack]
"""


def around(statements: str, methods: str = "", functions: str = "") -> str:
    """The source of a spec whose action `act(p, q)` has these statements."""
    action = "@action\ndef act(self, p: Node, q: Node) -> None:\n" + indent(dedent(statements).strip("\n"), "    ")
    body = "\n".join([VARIABLES, dedent(methods), action])
    return (
        "\n\n".join(
            [HEADER.format(nodes=2, levels=2), dedent(functions), "class Drawn(Spec):\n" + indent(body, "    ")]
        )
        + "\n"
    )


def small(statements: str, methods: str = "", functions: str = "") -> type[Spec]:
    """That spec as a class."""
    return load(around(statements, methods, functions))
