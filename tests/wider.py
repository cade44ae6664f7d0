"""What the language had no words for at first: several @init methods, each for some of the variables, and maps of which keys may be
absent, and lists that may be None."""

from __future__ import annotations

from typing import Any

from tests.constructs import Constructs, Maker

JOINT = "\n    @init\n    def further(self, z: Node) -> None:\n"
"""Where the second @init method of a drawn spec begins."""


VARIABLES = {
    "lease": "Annotated[dict[Node, Level], partial]",
    "memo": "Annotated[dict[Color, Note | Ack], partial]",
    "hold": "dict[Node, Annotated[dict[Color, Node], partial]]",
    "shelf": "Annotated[dict[Level, bool], partial]",
    "plan": "Annotated[list[Node], up_to(Size)] | None",
    "plans": "dict[Node, Annotated[list[Level], up_to(Size)] | None]",
}
"""Of these some are there in every drawn spec."""


class Wider(Constructs):
    """Draws maps whose keys may be absent, wherever it draws anything; some of what reads them is an error where they are. The beginning
    has two parts, of which the second may look at what the first has made."""

    def further_numbers(self, s: Any) -> list[str]:
        found, node, me = super().further_numbers(s), self.node(s), s.owner
        if s.has("lease"):
            found += [f"len({me}.lease)", f"sum({me}.lease.values())", f"max({me}.lease.values(), default=0)"]
            if node:
                found += [f"{me}.lease.get({node}, {self.pick(['0', '1'])})", f"{me}.lease[{node}]"]
        if s.has("hold") and node:
            found.append(f"len({me}.hold[{node}])")
        if s.has("shelf"):
            found += [f"sum(1 for k, v in {me}.shelf.items() if v or k == 1)", f"min({me}.shelf, default=2)"]
        if s.has("plan"):
            found += [f"(0 if {me}.plan is None else len({me}.plan))", f"len({me}.plan)"]
        if s.has("plans") and node:
            found += [f"sum({me}.plans[{node}])"]
        return found

    def further_truths(self, s: Any) -> list[str]:
        found, node, me = super().further_truths(s), self.node(s), s.owner
        color, key = self.color(s), self.pick(["0", "1"])
        if s.has("lease"):
            found += [f"{me}.lease == {{}}", f"all(t > 0 for t in {me}.lease.values())"]
            if node:
                found += [
                    f"{node} {self.pick(['in', 'not in'])} {me}.lease",
                    f"({node} in {me}.lease and {me}.lease[{node}] == {key})",
                    f"{me}.lease.get({node}) is {self.pick(['None', 'not None'])}",
                    f"{me}.lease == {{{node}: {key}}}",
                ]
        if s.has("memo"):
            found += [
                f"{color} in {me}.memo",
                f"any(isinstance(m, Note) and m.level > 0 for m in {me}.memo.values())",
                f"isinstance({me}.memo[{color}], Ack)",
                f"({color} in {me}.memo and {me}.memo[{color}].source == {me}.memo[{color}].target)",
            ]
        if s.has("plan"):
            found += [f"{me}.plan is None", f"{me}.plan == []", f"({me}.plan is not None and len({me}.plan) > 0)"]
            if node:
                found += [
                    f"({me}.plan is not None and {node} in {me}.plan)",
                    f"{me}.plan[0] == {node}",
                    f"{me}.plan == [{node}]",
                ]
        if s.has("plans") and node:
            found += [
                f"{me}.plans[{node}] is not None",
                f"{me}.plans[{node}] == {me}.plans[{self.node(s)}]",
                f"any(x is not None and {key} in x for x in {me}.plans.values())",
            ]
        if s.has("hold") and node:
            found += [
                f"{me}.hold[{node}].get({color}) == {node}",
                f"any({color} in {me}.hold[k] for k in Node)",
                f"{me}.hold[{node}] == {{k: v for k, v in {me}.hold[{node}].items() if v != {node}}}",
            ]
        if s.has("shelf"):
            found += [f"{key} in {me}.shelf", f"({self.number(s, 0)} in {me}.shelf)", f"{me}.shelf.get({key}, False)"]
            found += [f"sorted({me}.shelf)[:1] == [{key}]", f"{me}.shelf[{key}]"]
        return found

    def further_statements(self, s: Any) -> list[Maker]:
        return [*super().further_statements(s), *(lambda text=text: text.split("\n") for text in self._changes(s))]  # type: ignore[misc]

    def _changes(self, s: Any) -> list[str]:
        found, node, color, key = [], self.node(s), self.color(s), self.pick(["0", "1"])
        k, v = self.name("k"), self.name("v")
        within = s.but(nodes=[*s.nodes, k])
        if s.has("lease"):
            some = f"Level({self.number(within, 0)}) for {k} in Node if {self.truth(within, 0)}"
            found += [
                "self.lease.clear()",
                f"self.lease = {{{k}: {some}}}",
                f"self.lease = {{{k}: {key} for {k} in {self.nodes(s, 0)} if {k} != {node or k}}}",
                f"self.lease = {{{k}: {v} for {k}, {v} in self.lease.items() if {v} != {key}}}",
                f"for {k} in self.lease:\n    self.lease[{k}] = {key}",
                f"for {k}, {v} in self.lease.items():\n    if {v} == {key}:\n        del self.lease[{k}]",
            ]
            if node:
                found += [
                    f"self.lease[{node}] = Level({self.number(s, 0)})",
                    f"self.lease[{node}] += 1",
                    f"del self.lease[{node}]",
                    f"self.lease.pop({node}, None)",
                    f"{v} = self.lease.pop({node}, None)\nif {v} is not None:\n    self.lease[{node}] = {v} + 1",
                    f"{v} = self.lease.pop({node})\nself.lease = {{{node}: {v}}}",
                    f"self.lease = {{**self.lease, {node}: Level({self.number(s, 0)})}}",
                ]
        if s.has("memo"):
            found += [
                f"self.memo.pop({color}, None)",
                f"if {color} in self.memo:\n    self.memo[Color.BLUE] = self.memo[{color}]",
                f"self.memo = {{{k}: {v} for {k}, {v} in self.memo.items() if isinstance({v}, Note)}}",
                f"for {k} in self.memo:\n    if {k} != {color}:\n        break\n    self.memo.pop({k})",
            ]
            found += [f"self.memo[{color}] = {self.message(s)}"] * 2 if node else ()
        if s.has("hold") and node:
            found += [
                f"self.hold[{node}][{color}] = {self.node(s)}",
                f"self.hold[{node}].clear()",
                f"self.hold[{node}].pop({color}, None)",
                f"self.hold[{node}] = self.hold[{self.node(s)}]",
                f"self.hold[{node}] = {{{color}: {node}}}",
                f"for {k} in Node:\n    self.hold[{k}].pop({color}, None)",
            ]
        if s.has("plan"):
            found += ["self.plan = None", "self.plan = []", "self.plan = self.plan[1:]"]
            found += [
                f"if self.plan is not None:\n    for {k} in self.plan:\n        {v} = {k} == {node or k}\n        assert {v} or not {v}"
            ]
            if node:
                found += [
                    f"self.plan = [{node}] if self.plan is None else self.plan + [{node}]",
                    f"{v} = self.plan\nif {v} is not None and len({v}) > 1:\n    self.plan = [{v}[1], {v}[0]]",
                    f"self.plan = [{node}, {node}, {node}]",
                ]
        if s.has("plans") and node:
            found += [
                f"self.plans[{node}] = [{key}]",
                f"self.plans[{node}] = self.plans[{self.node(s)}]",
                f"{v} = self.plans[{node}]\nself.plans[{node}] = None if {v} is None else {v} + [Level({self.number(s, 0)})]",
                f"for {k}, {v} in self.plans.items():\n    if {v} is None:\n        self.plans[{k}] = [{key}, {key}]",
                f"self.plans = {{{k}: {v} if {self.truth(within, 0)} else None for {k}, {v} in self.plans.items()}}",
            ]
        if s.has("shelf"):
            found += [
                f"self.shelf[{self.number(s, 0)}] = {self.truth(s, 0)}",
                f"self.shelf = {{{key}: {self.truth(s, 0)}}}",
                f"self.shelf = {{{k}: True for {k} in Level if {k} not in self.shelf}}",
                f"del self.shelf[{key}]",
            ]
        return found

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
