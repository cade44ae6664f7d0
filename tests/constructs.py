"""Further constructs for the drawn specs: methods and procedures, loops of every kind, locals, unions, histories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import Any

VARIABLES = {
    "grid": "dict[tuple[Node, Color], Level]",
    "shade": "dict[Color, Level]",
    "ranks": "Annotated[list[Rank], up_to(Size)]",
}
PARAMETERS = ["limit: ClassVar[int] = 1", "strict: ClassVar[bool] = True"]

HISTORY_HEADER = """

class Span(Nat, max=3):
    pass


@record
class Event:
    client: Node
    returned: bool
    write: bool
    value: Level


def register(state: Level, event: Event) -> tuple[bool, Level]:
    if event.write:
        return True, event.value
    return event.value == state, state
"""
HISTORY_VARIABLES = ["history: Annotated[list[Event], up_to(Span)]", "pending: dict[Node, Event | None]"]
HISTORY_METHODS = """
    @action
    def invoke(self, p: Node, write: bool, x: Level) -> None:
        require(self.pending[p] is None and (write or x == 0))
        event = Event(p, False, write, x)
        self.pending[p] = event
        self.history.append(event)

    @action
    def answer(self, p: Node, x: Level) -> None:
        event = self.pending[p]
        require(event is not None)
        require(x == event.value if event.write else {stale})
        self.history.append(Event(p, True, event.write, x))
        self.pending[p] = None

    @invariant
    def atomic(self) -> bool:
        return linearizable(self.history, register, 0)
""".splitlines()

Maker = Callable[[], list[str]]


class Constructs(ABC):
    """What the writer of drawn specs draws from beside plain expressions and assignments. `s` is the scope."""

    methods: tuple[str, ...] = ()
    """The helper methods that the spec has; none while they are written, so that none calls itself."""

    random: Random

    @abstractmethod
    def pick(self, options: list[str]) -> str: ...
    @abstractmethod
    def chance(self, percent: int) -> bool: ...
    @abstractmethod
    def name(self, stem: str) -> str: ...
    @abstractmethod
    def node(self, s: Any, depth: int = 2) -> str | None: ...
    @abstractmethod
    def number(self, s: Any, depth: int = 2) -> str: ...
    @abstractmethod
    def color(self, s: Any) -> str: ...
    @abstractmethod
    def nodes(self, s: Any, depth: int = 2) -> str: ...
    @abstractmethod
    def truth(self, s: Any, depth: int = 2) -> str: ...
    @abstractmethod
    def message(self, s: Any) -> str: ...
    @abstractmethod
    def statement(self, s: Any, depth: int = 1) -> list[str]: ...
    @abstractmethod
    def method(
        self, name: str, decorator: str, parameters: list[str], body: list[str], result: str = "None"
    ) -> list[str]: ...

    # Expressions

    def further_numbers(self, s: Any) -> list[str]:
        """More numbers. Those that a helper computes are small."""
        node, me = self.node(s), s.owner
        found = [f"{me}.limit"]
        if s.has("grid") and node:
            found.append(f"{me}.grid[({node}, {self.color(s)})]")
        if s.has("shade"):
            found += [
                f"{me}.shade[{self.color(s)}]",
                f"max({me}.shade.values())",
                f"min(v for k, v in {me}.shade.items())",
            ]
        if s.has("log"):
            found.append(f"sum(1 for i, x in enumerate({me}.log) if x >= i)")
        if s.wire:
            found += [f"len({me}.wire)", f"sum(1 for m in {me}.wire)"]
        if "rate" in self.methods and node:
            found.append(f"{me}.rate({node})")
        return found

    def further_truths(self, s: Any) -> list[str]:
        """More conditions."""
        node, me = self.node(s), s.owner
        found = [f"{me}.strict", f"1 <= {self.number(s, 0)} <= 2"]
        if s.wire:
            found += [
                f"any(isinstance(m, Note) and m.level > 0 for m in {me}.wire)",
                f"all(isinstance(m, Note) or m.color == {self.color(s)} for m in {me}.wire)",
            ]
        if s.has("ranks"):
            found += [f"(len({me}.ranks) > 1 and {me}.ranks[0] < {me}.ranks[-1])", f"{me}.ranks == sorted({me}.ranks)"]
        if s.has("log"):
            found += [f"sorted({me}.log)[:1] == [1]", f"({me}.log, 1) == ([], 1)"]
        if "some" in self.methods and node:
            found.append(f"{me}.some({node})")
        if "chosen" in self.methods:
            found += [f"{me}.chosen() is None", f"{me}.chosen() == {node}" if node else f"{me}.chosen() is not None"]
        return found

    # Statements

    def further_statements(self, s: Any) -> list[Maker]:
        """More statements, each inside the compiled subset and without an error of its own."""
        node = self.node(s)
        found: list[Maker] = []
        if "bump" in self.methods and node:
            found.append(lambda: [f"self.bump({node})"])
        if "spread" in self.methods:
            found.append(lambda: [f"self.spread({self.number(s, 0)})"])
        for variable, makers in (
            ("level", [self._rounds_over_items, self._whole_map]),
            ("shade", [self._items_in_order]),
            ("grid", [self._nested_rounds]),
            ("log", [self._list_changes, self._enumeration]),
            ("ranks", [self._rank_changes]),
            ("ranked", [self._first_rank]),
            ("seen", [self._local_set]),
            ("leader", [self._the]),
        ):
            if s.has(variable):
                found += [lambda maker=maker: maker(s) for maker in makers]  # type: ignore[misc]
        if s.wire and s.has("seen"):
            found.append(self._over_the_wire)
        return found

    def _rounds_over_items(self, s: Any) -> list[str]:
        k, v = self.name("k"), self.name("v")
        most = self.pick(["1", "2", "self.limit"])
        body = self.pick([f"self.level[{k}] = Level(min({v} + 1, {most}))", f"self.level[{k}] = 1 if {v} == 0 else 0"])
        return [f"for {k}, {v} in self.level.items():", f"    {body}"]

    def _whole_map(self, s: Any) -> list[str]:
        k, v = self.name("k"), self.name("v")
        value = self.number(s.but(nodes=[*s.nodes, k]), 1)
        node = self.node(s)
        return [
            self.pick(
                [
                    f"self.level = {{**self.level, {node}: 1}}" if node else "self.level = {**self.level}",
                    f"self.level = {{{k}: Level({value}) for {k} in Node}}",
                    f"self.level = {{{k}: {v} if {self.truth(s, 0)} else 0 for {k}, {v} in self.level.items()}}",
                ]
            )
        ]

    def _items_in_order(self, s: Any) -> list[str]:
        k, v, n = self.name("k"), self.name("v"), self.name("n")
        return [
            f"{n} = 0",
            f"for {k}, {v} in self.shade.items():",
            f"    if {v} == {self.pick(['0', '1'])} and {n} > 0:",
            f"        {self.pick(['break', 'continue'])}",
            f"    {n} = {n} * 2 + {v}",
            f"self.shade[{self.color(s)}] = Level({n})",
        ]

    def _nested_rounds(self, s: Any) -> list[str]:
        a, c = self.name("a"), self.name("c")
        guard = self.pick([f"{c} != Color.RED", "self.strict"])
        return [
            f"for {a} in Node:",
            f"    for {c} in Color:",
            f"        if {guard}:",
            f"            self.grid[({a}, {c})] = Level(better(self.grid[({a}, {c})], 1))",
        ]

    def _list_changes(self, s: Any) -> list[str]:
        x = self.name("x")
        change = self.pick(
            [
                "if len(self.log) > 0:\n    self.log.pop()",
                "if len(self.log) > 0:\n    self.log.pop(0)",
                f"if len(self.log) > 1:\n    {x} = self.log.pop({self.pick(['0', '1', '-2'])})\n    self.log.append({x})",
                f"self.log.insert({self.pick(['0', '1', '-1'])}, Level({self.number(s, 0)}))",
                "self.log = sorted(self.log, reverse=True)",
                "self.log += [1]",
                "self.log = [x for x in self.log if x > 0]",
            ]
        )
        return change.split("\n")

    def _enumeration(self, s: Any) -> list[str]:
        i, x, n = self.name("i"), self.name("x"), self.name("n")
        last = f"self.log = self.log[{n}:]"
        return [
            f"{n} = 0",
            f"for {i}, {x} in enumerate(self.log):",
            f"    if {x} > {i}:",
            f"        {n} = {i} + 1",
            last,
        ]

    def _rank_changes(self, s: Any) -> list[str]:
        r = self.name("r")
        return [
            f"for {r} in Rank:",
            f"    if {r} not in self.ranks:",
            f"        self.ranks.append({r})",
            "        break",
        ]

    def _first_rank(self, s: Any) -> list[str]:
        r = self.name("r")
        return [
            f"for {r} in Rank:",
            f"    if self.ranked[{r}]:",
            "        continue",
            f"    self.ranked[{r}] = True",
            "    break",
        ]

    def _local_set(self, s: Any) -> list[str]:
        xs, node = self.name("xs"), self.node(s)
        change = f"{xs}.add({node})" if node else f"{xs} |= {self.nodes(s, 0)}"
        return [
            f"{xs} = set(self.seen)",
            f"if {self.truth(s, 0)}:",
            f"    {change}",
            f"self.seen = {xs} - {self.nodes(s, 0)}",
        ]

    def _the(self, s: Any) -> list[str]:
        x, xs = self.name("x"), self.name("xs")
        return [
            f"{xs} = {self.nodes(s, 0)}",
            f"if len({xs}) <= 1:",
            f"    self.leader = the(({x} for {x} in {xs}), None)",
        ]

    def _over_the_wire(self) -> list[str]:
        m = self.name("m")
        who = self.pick([f"{m}.source", f"{m}.target"])
        return [
            f"for {m} in self.wire:",
            f"    if isinstance({m}, {self.pick(['Note', 'Ack'])}):",
            f"        self.seen.add({who})",
        ]

    # Methods

    def helpers(self, s: Any) -> list[str]:
        """Methods that actions and properties may call from here on."""
        wanted = [name for name in ("rate", "some", "chosen", "bump", "spread") if self.chance(40)]
        lines: list[str] = []
        for name in wanted:
            lines += ["", *("    " + line for line in getattr(self, f"_{name}")(s.but(nodes=["n"])))]
        self.methods = tuple(wanted)
        return lines

    def _rate(self, s: Any) -> list[str]:
        inner = s.but(nodes=["n", "k"])
        return [
            "def rate(self, n: Node) -> int:",
            f"    if {self.truth(s, 1)}:",
            f"        return {self.number(s, 0)}",
            "    total = 0",
            "    for k in Node:",
            f"        if {self.truth(inner, 0)}:",
            "            continue",
            f"        total += {self.pick(['1', '2', 'self.limit'])}",
            "    return total",
        ]

    def _some(self, s: Any) -> list[str]:
        return [
            "def some(self, n: Node) -> bool:",
            "    for k in Node:",
            f"        if {self.truth(s.but(nodes=['n', 'k']), 1)}:",
            "            return True",
            "    return False",
        ]

    def _chosen(self, s: Any) -> list[str]:
        s = s.but(nodes=[])
        return [
            "def chosen(self) -> Node | None:",
            f"    candidates = {self.nodes(s, 1)}",
            "    if len(candidates) != 1:",
            "        return None",
            "    return the(n for n in candidates)",
        ]

    def _bump(self, s: Any) -> list[str]:
        body = [f"if {self.truth(s, 1)}:", "    return", *self.statement(s, 0), *self.statement(s, 0)]
        return ["def bump(self, n: Node) -> None:", *("    " + line for line in body)]

    def _spread(self, s: Any) -> list[str]:
        s = s.but(nodes=[])
        body = [f"x = amount + {self.number(s, 0)}", "if x > 2:", *("    " + line for line in self.statement(s, 0))]
        body += ["else:", *("    " + line for line in self.statement(s, 0))]
        return ["def spread(self, amount: int) -> None:", *("    " + line for line in body)]

    def variant(self, s: Any, actions: list[str]) -> list[str]:
        """A subclass that overrides some of what it inherits."""
        lines = ["", "", "class Drawn(Base):", f"    limit = {self.pick(['0', '2'])}"]
        if "rate" in self.methods and self.chance(60):
            lines += ["", "    def rate(self, n: Node) -> int:", "        return super().rate(n) + 1"]
        if "some" in self.methods and self.chance(60):
            lines += [
                "",
                "    def some(self, n: Node) -> bool:",
                f"        return not super().some(n) or {self.truth(s, 0)}",
            ]
        head = self.pick(actions)
        name, _, parameters = head.removeprefix("    def ").partition("(")
        names = [part.split(":")[0].strip() for part in parameters.partition(")")[0].split(",")[1:]]
        lines += ["", head, f"        super().{name}({', '.join(names)})"]
        lines += ["        " + line for line in self.statement(s.but(nodes=[n for n in names if n in ("p", "q")]), 0)]
        return lines
