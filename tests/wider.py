"""What the language had no words for at first: several @init methods, each for some of the variables; maps of which keys may be absent, and
lists that may be None, as variables, in records, in messages, and as parameters."""

from __future__ import annotations

from typing import Any

from tests.constructs import Constructs, Maker

JOINT = "\n    @init\n    def further(self, z: Node) -> None:\n"
"""Where the second @init method of a drawn spec begins."""

HEADER = """

@record
class Table:
    held: Annotated[dict[Node, Level], partial]
    plan: Annotated[list[Node], up_to(1)] | None


@record
class Crate:
    kept: Annotated[set[Node], up_to(2)]
"""
VARIABLES = {
    "lease": "Annotated[dict[Node, Level], partial]",
    "memo": "Annotated[dict[Color, Note | Ack], partial]",
    "hold": "dict[Node, Annotated[dict[Color, Node], partial]]",
    "shelf": "Annotated[dict[Level, bool], partial]",
    "plan": "Annotated[list[Node], up_to(Size)] | None",
    "plans": "dict[Node, Annotated[list[Level], up_to(Size)] | None]",
    "table": "Table | None",
    "post": "Network[Table]",
    "crates": "set[Crate | Ack]",
    "few": "Annotated[set[Node], up_to(2)]",
    "stock": "dict[Node, Crate]",
    "store": "Network[Crate | Ack]",
}
"""Of these some are there in every drawn spec."""

Words = tuple[tuple[str, tuple[str, ...]], ...]
"""For each variable what can be said of it. `{me}` is the state that is asked, the other names are drawn (`_Drawn`)."""

NUMBERS: Words = (
    (
        "lease",
        (
            "len({me}.lease)",
            "sum({me}.lease.values())",
            "max({me}.lease.values(), default=0)",
            "{me}.lease.get({node}, {key})",
            "{me}.lease[{node}]",
        ),
    ),
    ("hold", ("len({me}.hold[{node}])",)),
    ("shelf", ("sum(1 for {k}, {v} in {me}.shelf.items() if {v} or {k} == 1)", "min({me}.shelf, default=2)")),
    ("plan", ("(0 if {me}.plan is None else len({me}.plan))", "len({me}.plan)")),
    ("plans", ("sum({me}.plans[{node}])",)),
    ("table", ("(0 if {me}.table is None else len({me}.table.held))", "{me}.table.held[{node}]")),
    ("post", ("sum({m}.held.get({node}, 0) for {m} in {me}.post)", "len({me}.post)")),
    (
        "crates",
        (
            "len({me}.crates)",
            "sum(1 for {m} in {me}.crates if isinstance({m}, Ack))",
            "sum(len({m}.kept) for {m} in {me}.crates if isinstance({m}, Crate))",
        ),
    ),
    ("few", ("len({me}.few)",)),
    ("stock", ("len({me}.stock[{node}].kept)",)),
    ("store", ("sum(1 for {m} in {me}.store if isinstance({m}, Ack))",)),
)
TRUTHS: Words = (
    (
        "lease",
        (
            "{me}.lease == {{}}",
            "all({t} > 0 for {t} in {me}.lease.values())",
            "{node} {within} {me}.lease",
            "({node} in {me}.lease and {me}.lease[{node}] == {key})",
            "{me}.lease.get({node}) is {none}",
            "{me}.lease == {{{node}: {key}}}",
        ),
    ),
    (
        "memo",
        (
            "{color} in {me}.memo",
            "any(isinstance({m}, Note) and {m}.level > 0 for {m} in {me}.memo.values())",
            "isinstance({me}.memo[{color}], Ack)",
            "({color} in {me}.memo and {me}.memo[{color}].source == {me}.memo[{color}].target)",
        ),
    ),
    (
        "plan",
        (
            "{me}.plan is None",
            "{me}.plan == []",
            "({me}.plan is not None and len({me}.plan) > 0)",
            "({me}.plan is not None and {node} in {me}.plan)",
            "{me}.plan[0] == {node}",
            "{me}.plan == [{node}]",
        ),
    ),
    (
        "plans",
        (
            "{me}.plans[{node}] is not None",
            "{me}.plans[{node}] == {me}.plans[{other}]",
            "any({x} is not None and {key} in {x} for {x} in {me}.plans.values())",
        ),
    ),
    (
        "hold",
        (
            "{me}.hold[{node}].get({color}) == {node}",
            "any({color} in {me}.hold[{k}] for {k} in Node)",
            "{me}.hold[{node}] == {{{k}: {v} for {k}, {v} in {me}.hold[{node}].items() if {v} != {node}}}",
        ),
    ),
    (
        "shelf",
        (
            "{key} in {me}.shelf",
            "({number} in {me}.shelf)",
            "{me}.shelf.get({key}, False)",
            "sorted({me}.shelf)[:1] == [{key}]",
            "{me}.shelf[{key}]",
        ),
    ),
    (
        "table",
        (
            "({me}.table is None or {node} {within} {me}.table.held)",
            "({me}.table is not None and {me}.table.plan is {none})",
            "{me}.table == Table({{{node}: {key}}}, None)",
            "{me}.table.plan == [{node}]",
            "({me}.table is not None and all({t} > 0 for {t} in {me}.table.held.values()))",
        ),
    ),
    (
        "post",
        (
            "any({node} in {m}.held for {m} in {me}.post)",
            "Table({{}}, None) in {me}.post",
            "all({m}.plan is None or {node} in {m}.plan for {m} in {me}.post)",
        ),
    ),
    (
        "crates",
        (
            "any({m}.source == {node} for {m} in {me}.crates if isinstance({m}, Ack))",
            "Crate({{{node}}}) in {me}.crates",
            "all({node} in {m}.kept for {m} in {me}.crates if isinstance({m}, Crate))",
        ),
    ),
    ("few", ("{node} {within} {me}.few", "{me}.few == {{{node}}}")),
    ("stock", ("{node} {within} {me}.stock[{other}].kept", "{me}.stock[{node}] == {me}.stock[{other}]")),
    (
        "store",
        (
            "all({m}.color == {color} for {m} in {me}.store if isinstance({m}, Ack))",
            "Crate({{{node}, {other}}}) in {me}.store",
        ),
    ),
)
CHANGES: Words = (
    (
        "lease",
        (
            "self.lease.clear()",
            "self.lease = {{{k}: Level({further}) for {k} in Node if {some}}}",
            "self.lease = {{{k}: {key} for {k} in {nodes} if {k} != {each}}}",
            "self.lease = {{{k}: {v} for {k}, {v} in self.lease.items() if {v} != {key}}}",
            "for {k} in self.lease:\n    self.lease[{k}] = {key}",
            "for {k}, {v} in self.lease.items():\n    if {v} == {key}:\n        del self.lease[{k}]",
            "self.lease[{node}] = Level({number})",
            "self.lease[{node}] += 1",
            "del self.lease[{node}]",
            "self.lease.pop({node}, None)",
            "{v} = self.lease.pop({node}, None)\nif {v} is not None:\n    self.lease[{node}] = {v} + 1",
            "{v} = self.lease.pop({node})\nself.lease = {{{node}: {v}}}",
            "self.lease = {{**self.lease, {node}: Level({number})}}",
        ),
    ),
    (
        "memo",
        (
            "self.memo.pop({color}, None)",
            "if {color} in self.memo:\n    self.memo[Color.BLUE] = self.memo[{color}]",
            "self.memo = {{{k}: {v} for {k}, {v} in self.memo.items() if isinstance({v}, Note)}}",
            "for {k} in self.memo:\n    if {k} != {color}:\n        break\n    self.memo.pop({k})",
            "self.memo[{color}] = {message}",
            "self.memo[{color}] = {message}",
        ),
    ),
    (
        "hold",
        (
            "self.hold[{node}][{color}] = {other}",
            "self.hold[{node}].clear()",
            "self.hold[{node}].pop({color}, None)",
            "self.hold[{node}] = self.hold[{other}]",
            "self.hold[{node}] = {{{color}: {node}}}",
            "for {k} in Node:\n    self.hold[{k}].pop({color}, None)",
        ),
    ),
    (
        "plan",
        (
            "self.plan = None",
            "self.plan = []",
            "self.plan = self.plan[1:]",
            "if self.plan is not None:\n    for {k} in self.plan:\n        {v} = {k} == {each}\n        assert {v} or not {v}",
            "self.plan = [{node}] if self.plan is None else self.plan + [{node}]",
            "{v} = self.plan\nif {v} is not None and len({v}) > 1:\n    self.plan = [{v}[1], {v}[0]]",
            "self.plan = [{node}, {node}, {node}]",
        ),
    ),
    (
        "plans",
        (
            "self.plans[{node}] = [{key}]",
            "self.plans[{node}] = self.plans[{other}]",
            "{v} = self.plans[{node}]\nself.plans[{node}] = None if {v} is None else {v} + [Level({number})]",
            "for {k}, {v} in self.plans.items():\n    if {v} is None:\n        self.plans[{k}] = [{key}, {key}]",
            "self.plans = {{{k}: {v} if {some} else None for {k}, {v} in self.plans.items()}}",
        ),
    ),
    (
        "shelf",
        (
            "self.shelf[{number}] = {truth}",
            "self.shelf = {{{key}: {truth}}}",
            "self.shelf = {{{k}: True for {k} in Level if {k} not in self.shelf}}",
            "del self.shelf[{key}]",
        ),
    ),
    (
        "table",
        (
            "self.table = None",
            "self.table = Table({{{k}: {key} for {k} in Node if {some}}}, None)",
            "self.table = Table({{{node}: Level({number})}}, [{other}])",
            "{v} = self.table\nif {v} is not None:\n    self.table = replace({v}, held={{**{v}.held, {node}: {key}}})",
            "{v} = self.table\nif {v} is not None:\n    self.table = Table({{{k}: 0 for {k} in {v}.held}}, {v}.plan)",
            "if self.table is not None:\n    for {k}, {v} in self.table.held.items():\n        assert {v} >= 0 and {k} == {k}",
        ),
    ),
    (
        "post",
        (
            "self.post.send(Table({{{node}: {key}}}, None))",
            "self.post.send(Table({{}}, [{node}]))",
            "self.post.send(Table({{{k}: {key} for {k} in Node if {some}}}, None))",
        ),
    ),
    (
        "crates",
        (
            "self.crates.add(Crate({{{node}}}))",
            "self.crates.add(Ack({node}, {other}, {color}))",
            "self.crates = {{{m} for {m} in self.crates if isinstance({m}, Ack)}}",
        ),
    ),
    (
        "few",
        ("self.few.add({node})", "self.few = self.few - {{{node}}}", "self.few = {{{k} for {k} in Node if {some}}}"),
    ),
    (
        "stock",
        (
            "self.stock[{node}] = Crate({{{other}, {node}}})",
            "self.stock[{node}] = replace(self.stock[{node}], kept=self.stock[{other}].kept | {{{node}}})",
        ),
    ),
    ("store", ("self.store.send(Crate({{{node}, {other}}}))", "self.store.send(Ack({node}, {other}, {color}))")),
)
ACTIONS: Words = (
    (
        "lease",
        ("g: Annotated[dict[Node, Level], partial]\nrequire({truth} or g != {{}})\nself.lease = g",),
    ),
    (
        "table",
        (
            "g: Annotated[dict[Node, Level], partial]\nrequire({truth} and all({v} == 0 for {v} in g.values()))\n"
            "self.table = Table(g, None)",
            "g: Annotated[list[Node], up_to(1)] | None\nrequire({truth})\nself.table = Table({{}}, g)",
        ),
    ),
    (
        "post",
        (
            "t: Table\nrequire(t in self.post)\nself.post.receive(t)\nassert all({v} >= 0 for {v} in t.held.values())",
            "t: Table\nrequire(t in self.post and t.plan is None)\nself.post.send(replace(t, plan=[]))",
        ),
    ),
    ("plan", ("g: Annotated[list[Node], up_to(Size)] | None\nrequire({truth} or g == [])\nself.plan = g",)),
    (
        "crates",
        (
            "c: Crate\nrequire({truth} and c not in self.crates)\nself.crates.add(c)",
            "c: Ack\nrequire(c in self.crates)\nself.crates.discard(c)",
        ),
    ),
    ("few", ("g: Annotated[set[Node], up_to(2)]\nrequire({truth} or len(g) == 2)\nself.few = g",)),
    (
        "stock",
        (
            "g: Annotated[set[Node], up_to(2)]\nrequire({truth})\nfor {k} in Node:\n    if {k} in g:\n        self.stock[{k}] = Crate(g)",
        ),
    ),
    (
        "store",
        (
            "c: Crate\nrequire({truth})\nself.store.send(c)",
            "c: Ack\nrequire(c in self.store)\nself.store.receive(c)\nself.store.send(Crate({{c.source, c.target}}))",
        ),
    ),
)
"""Bodies of actions, below their parameter."""

CLAIMS: Words = (
    ("crates", ("c: Crate\nreturn {truth} or c not in self.crates", "c: Ack\nreturn c not in self.crates or {truth}")),
    ("few", ("g: Annotated[set[Node], up_to(2)]\nreturn self.few != g or {truth}",)),
    ("stock", ("g: Annotated[set[Node], up_to(2)], n: Node\nreturn self.stock[n].kept != g or n in g or {truth}",)),
    ("store", ("c: Crate | Ack\nreturn c not in self.store or {truth}",)),
)
"""Bodies of properties, below their parameters."""


class _Drawn(dict[str, str]):
    """What stands for the names in a template, each drawn when it is asked for."""

    def __init__(self, writer: Wider, s: Any) -> None:
        super().__init__(me=s.owner, **{stem: writer.name(stem) for stem in "kvxtm"})
        self.writer, self.s = writer, s

    def __missing__(self, name: str) -> str:
        writer, s = self.writer, self.s
        one = s.but(nodes=[*s.nodes, self["k"]])
        made = {
            "node": lambda: writer.node(s),
            "other": lambda: writer.node(s),
            "each": lambda: writer.node(s) or self["k"],
            "nodes": lambda: writer.nodes(s, 0),
            "color": lambda: writer.color(s),
            "key": lambda: writer.pick(["0", "1"]),
            "none": lambda: writer.pick(["None", "not None"]),
            "within": lambda: writer.pick(["in", "not in"]),
            "number": lambda: writer.number(s, 0),
            "further": lambda: writer.number(one, 0),
            "truth": lambda: writer.truth(s, 0),
            "some": lambda: writer.truth(one, 0),
            "message": lambda: writer.message(s),
        }[name]()
        self[name] = made
        return made


NODES = ("{node}", "{other}", "{message}")
"""What only a scope with nodes has."""


class Wider(Constructs):
    """Draws these wherever it draws anything; some of what reads them is an error where they are absent. The beginning has two parts, of
    which the second may look at what the first has made."""

    def _said(self, words: Words, s: Any) -> list[str]:
        """What can be said in a scope."""
        known = [text for variable, texts in words if s.has(variable) for text in texts]
        return [
            text.format_map(_Drawn(self, s))
            for text in known
            if self.node(s) is not None or not any(name in text for name in NODES)
        ]

    def further_numbers(self, s: Any) -> list[str]:
        return [*super().further_numbers(s), *self._said(NUMBERS, s)]

    def further_truths(self, s: Any) -> list[str]:
        return [*super().further_truths(s), *self._said(TRUTHS, s)]

    def further_statements(self, s: Any) -> list[Maker]:
        return [
            *super().further_statements(s),
            *(lambda text=text: text.split("\n") for text in self._said(CHANGES, s)),
        ]  # type: ignore[misc]

    def further_actions(self, s: Any) -> list[str]:
        """Actions with parameters that may lack something."""
        lines: list[str] = []
        for number, text in enumerate(self._said(ACTIONS, s)):
            parameter, *body = text.split("\n")
            lines += self.method(f"give{number}", "@action", [parameter], body)
        return lines

    def further_properties(self, s: Any) -> list[str]:
        """Properties of sets of at most so many, and of records that have them."""
        lines: list[str] = []
        for number, text in enumerate(self._said(CLAIMS, s)):
            parameters, *body = text.split("\n")
            kind = self.pick(["invariant", "invariant", "reachable"])
            lines += self.method(f"claim{number}", f"@{kind}", [parameters], body, "bool")
        return lines

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
