"""Expressions that can fail, in every operand position of the drawn specs.

A template names its operands by a letter, each of which is drawn in turn and may fail itself: `{n}` an integer of any size, `{q}` a small
one, `{b}` a condition, `{x}` a node, `{r}` a rank, `{c}` a color, `{o}` an optional node, `{k}` an optional number, `{u}` a Note, an Ack or
None, `{l}` a list of numbers, `{s}` a set of nodes; `{i}` and `{j}` are fresh names, `{me}` owns the state. A template is used where the
spec has the variables that it mentions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.constructs import Constructs

FUNCTIONS = """

def quotient(a: int, b: int) -> int:
    return a // b


def first(xs: list[Level]) -> Level:
    return xs[0]


def odd(a: int) -> int | None:
    return None if a % 2 == 0 else a


def known(a: int | None, b: int) -> int:
    return b if a is None else a


def node(a: Node | None) -> Node | None:
    return a


def message(a: Note | Ack | None) -> Note | Ack | None:
    return a


def sound(a: int) -> bool:
    assert a != 1
    return a > 0


def either(a: Note | Ack | None, b: Node) -> Node:
    if a is None:
        return b
    if isinstance(a, Ack):
        return a.target
    return a.source
"""

EDGES = (7, 8, 15, 16, 31, 32, 33, 62, 63, 64)
"""The powers of two beside which large numbers are drawn."""

TEMPLATES: dict[str, tuple[str, ...]] = {
    "n": (
        "{q}",
        "{q}",
        "({n} // {n})",
        "({n} % {n})",
        "({q} // {q})",
        "({q} % {q})",
        "quotient({n}, {q})",
        "quotient(b={n}, a={q})",
        "({n} + {n})",
        "({n} - {n})",
        "({n} * {n})",
        "-({n})",
        "abs({n})",
        "min({n}, {n}, {n})",
        "max({n}, {q})",
        "({n} if {b} else {n})",
        "({n}, {n})[1]",
        "(({b}, {n}), {n})[0][1]",
        "[{n}, {n}][{q}]",
        "sum({l})",
        "int({b})",
        "max({l}, default={n})",
        "sum({n} for {i} in {l} if {b})",
        "sum({b} for {i} in Rank)",
        "known({k}, {n})",
        "len([{n}, {n}])",
        "len(({n}, {b}))",
        "max(({q}, {n}), ({n}, {q}))[0]",
    ),
    "q": (
        "{l}[{q}]",
        "{l}[0]",
        "{l}[-1]",
        "max({l})",
        "min({l})",
        "the({i} for {i} in {l})",
        "the(({i} for {i} in {l}), {q})",
        "len({l}[{n}:])",
        "len({l}[:{n}])",
        "sum({l}[{q}:{q}])",
        "sorted({l})[{q}]",
        "first({l})",
        "Note({x}, {x}, Level({q})).level",
        "Note(level={q}, source={x}, target={x}).level",
        "{me}.table[{q}]",
        "{me}.keyed[({b}, {o})]",
        "{me}.spots[Spot({r}, {b})]",
        "{me}.nested[{r}][{c}]",
        "{me}.note.level",
        "replace({me}.note, level={q}).level",
        "len({me}.groups)",
        "max(len({i}) for {i} in {me}.groups)",
        "{me}.box[0]",
        "len({me}.few)",
        "min({j} for {i}, {j} in {me}.few)",
        "{me}.debt",
        "({me}.debt + {q})",
        "len({me}.tight)",
        "{me}.holder.levels[0]",
        "len({me}.holder.members)",
        "{r}.index",
        "len({s})",
        "sum(1 for {i} in range({q}, {q}))",
        "len({me}.owed[{x}])",
        "sum({j} for {i}, {j} in {me}.table.items())",
        "max({me}.table.values())",
        "sum({i} * {j} for {i}, {j} in enumerate({l}))",
    ),
    "b": (
        "{n} < {n}",
        "{n} == {n}",
        "{q} <= {n} < {n}",
        "{n} != {q}",
        "{b} and {b}",
        "{b} or {b}",
        "not ({b})",
        "({b} if {b} else {b})",
        "sound({q})",
        "{q} in {l}",
        "{n} in [{n}, {q}]",
        "{q} in ({n}, {n})",
        "{q} in range({q}, {q})",
        "{x} in {s}",
        "{x} == {x}",
        "{s} <= {s}",
        "{s} < {s}",
        "{s} == {s}",
        "{r} < {r}",
        "{c} == {c}",
        "{o} is None",
        "{o} is not None",
        "{o} == {x}",
        "{o} in ({x}, None)",
        "{k} is None",
        "{k} == {n}",
        "{u} is None",
        "isinstance({u}, Note)",
        "isinstance({u}, Ack | None)",
        "isinstance({u}, (Note, Ack))",
        "{u} == {u}",
        "{u} == Note({x}, {x}, {q})",
        "all({q} < {i} for {i} in {l})",
        "any([{q} == {i} for {i} in {l}])",
        "all({b} for {i} in Rank)",
        "({n}, {b}) == ({q}, {b})",
        "({n}, {q}) < ({q}, {n})",
        "{l} == {l}",
        "is_majority({s}, Node)",
        "is_quorum({s}, {q}, Node)",
        "{s} in {me}.groups",
        "frozenset({s}) in {me}.groups",
        "any({x} in {i} for {i} in {me}.groups)",
        "({x}, {q}) in {me}.few",
        "{o} in {me}.maybe",
        "{me}.debts[{q}]",
        "isinstance({me}.pick, Color)",
        "{me}.pick is None",
        "{me}.pick == {q}",
        "{me}.pick == {c}",
        "isinstance({me}.who, Node)",
        "{me}.who == {x}",
        "{me}.who is None",
        "{me}.holder is None",
        "{x} in {me}.holder.members",
        "{me}.box == ({q}, {o})",
        "{l} in {me}.logged",
        "{me}.mixed[{q}] is None",
        "isinstance({me}.mixed[{q}], Ack)",
        "any({i} is None for {i} in {me}.mixed)",
        "{c} in {me}.tight",
        "{me}.tight[{q}] == {c}",
        "{x} in {me}.sets[{q}]",
        "{s} in {me}.sets",
        "{s}.issuperset({s})",
        "Spot({r}, {b}) == Spot({r}, {b})",
        "{s} == {me}.owed[{x}]",
    ),
    "x": (
        "the({i} for {i} in {s})",
        "the(({i} for {i} in {s} if {b}), {x})",
        "Note({x}, {x}, {q}).source",
        "either({u}, {x})",
        "({x} if {b} else {x})",
        "({x}, {q})[0]",
        "[{x}, {x}][{q}]",
        "{me}.leader",
        "{me}.note.target",
        "{me}.box[1]",
        "{me}.logs[{x}][0]",
        "the({i} for {i}, {j} in {me}.few if {j} == {q})",
    ),
    "r": ("Rank[{q}]", "{r}.next()", "{r}.previous()", "min({r}, {r})", "{me}.ranks[{q}]", "({r} if {b} else {r})"),
    "c": ("Ack({x}, {x}, {c}).color", "({c} if {b} else {c})", "{me}.tight[{q}]", "{me}.tight[-1]", "[{c}, {c}][{q}]"),
    "o": (
        "node({x})",
        "({x} if {b} else None)",
        "{me}.leader",
        "{me}.box[1]",
        "the({i} for {i} in {me}.maybe)",
        "the(({i} for {i} in {s}), None)",
    ),
    "k": ("odd({n})", "({n} if {b} else None)", "{me}.owing", "the(({i} for {i} in {l}), None)"),
    "u": (
        "{me}.note",
        "{me}.any",
        "message(Note({x}, {x}, {q}))",
        "(Ack({x}, {x}, {c}) if {b} else None)",
        "({u} if {b} else message(Ack({x}, {x}, {c})))",
        "{me}.mixed[{q}]",
    ),
    "l": (
        "{me}.log",
        "[Level({q})]",
        "[Level({q}), Level({q})]",
        "{l}[{q}:]",
        "{l}[:{q}]",
        "({l} + {l})",
        "sorted({l})",
        "sorted({l}, reverse=True)",
        "[{i} for {i} in {l} if {i} < {q}]",
        "({l} if {b} else {l})",
        "sorted({{{q}, {q}}})",
        "sorted({i} for {i} in {me}.table.values())",
        "list(range({q}, {q}))",
    ),
    "s": (
        "{me}.seen",
        "{{{x}}}",
        "{{{x}, {x}}}",
        "({s} | {s})",
        "({s} & {s})",
        "({s} - {s})",
        "{{{i} for {i} in Node if {b}}}",
        "{{{i} for {i} in {s} if {b}}}",
        "{me}.owed[{x}]",
        "{me}.friends[{x}]",
        "{me}.sets[{q}]",
        "{me}.holder.members",
        "({s} if {b} else {s})",
        "{{{i} for {i}, {j} in {me}.few}}",
    ),
}

STATEMENTS = (
    "self.flag = {b}",
    "self.top = Level({q})",
    "self.top += {q}",
    "self.top -= {q}",
    "self.top = Level({n})",
    "self.debt = Debt({n})",
    "self.debt -= {q}",
    "self.leader = {o}",
    "self.leader = {x}",
    "self.note = Note({x}, {x}, {q})",
    "self.note = None",
    "self.any = {u}",
    "self.any = {u}",
    "self.log.append(Level({q}))",
    "self.log.pop()",
    "self.log.pop(({q}) % 3)",
    "self.pick = self.log.pop(0)",
    "self.log[{q}] = Level({q})",
    "self.log[{q}] += {q}",
    "self.log.insert({q}, Level({q}))",
    "self.log.extend({l})",
    "self.log = {l}",
    "self.log += {l}",
    "self.table[{q}] = Level({q})",
    "self.table[{q}] += {q}",
    "self.keyed[({b}, {o})] = Level({q})",
    "self.spots[Spot({r}, {b})] = Level({q})",
    "self.nested[{r}][{c}] = Level({q})",
    "self.nested[{r}] = {{**self.nested[{r}], {c}: Level({q}), {c}: 0}}",
    "self.nested[{r}] = {{{i}: Level({q}) for {i} in Color}}",
    "self.groups.add(frozenset({s}))",
    "self.groups.remove(frozenset({s}))",
    "self.groups = {{frozenset({s})}}",
    "self.maybe.add({o})",
    "self.maybe.discard({o})",
    "self.few.add(({x}, Level({q})))",
    "self.few.remove(({x}, Level({q})))",
    "self.few = {{({i}, Level({q})) for {i} in {s}}}",
    "self.tight.append({c})",
    "self.tight.pop()",
    "self.tight = [{c}]",
    "self.pick = Level({q})",
    "self.pick = {c}",
    "self.pick = None",
    "self.who = {x}",
    "self.who = {r}",
    "self.who = None",
    "self.holder = Holder(frozenset({s}), (Level({q}), None))",
    "self.holder = replace(self.holder, levels=(Level({q}), Level({q})))",
    "self.box = (Level({q}), {o})",
    "self.logged.add({l})",
    "self.logged.discard({l})",
    "self.mixed.append(Ack({x}, {x}, {c}) if {b} else None)",
    "self.mixed[{q}] = None",
    "self.mixed.pop()",
    "self.mixed[{q}] = self.mixed.pop(-1)",
    "self.sets.append(set({s}))",
    "self.sets[{q}].add({x})",
    "self.sets[{q}] = {s}",
    "self.seen = {s}",
    "self.seen.remove({x})",
    "self.seen.update({s})",
    "self.owed[{x}] = {s}",
    "self.owed[{x}].remove({x})",
    "self.owed[{x}] |= {s}",
    "self.ranks.append({r})",
    "self.debts[{q}] = {b}",
    "self.owing = {k}",
    "self.logs[{x}].append({x})",
    "self.logs[{x}].pop()",
    "self.logs[{x}][{q}] = {x}",
    "self.friends[{x}].remove({x})",
    "self.wire.send(Note({x}, {x}, {q}))",
    "self.wire.receive(Note({x}, {x}, {q}))",
    "self.wire.drop(Ack({x}, {x}, {c}))",
    "assert {b}",
    "require({b})",
    "if {b}:\n    return",
    "require({b} and {b})",
    "self.top, self.flag = Level({q}), {b}",
    "self.log[{q}], self.table[{q}] = Level({q}), Level({q})",
    "self.table[{q}], self.top = self.top, self.table[{q}]",
    "{i} = {k}\nif {i} is not None:\n    self.top = Level({i} % 3)",
    "{i}, {j} = {q}, {o}\nself.box = (Level({i}), {j})",
    "{i} = {u}\nif {i} is None or isinstance({i}, Note):\n    self.flag = {b}",
    "for {i} in {l}:\n    if {i} > {q}:\n        break\n    self.top = Level({i})",
    "for {i} in range({q}, {q}):\n    self.table[{i}] = Level({q})",
    "for {i} in Rank:\n    if {b}:\n        continue\n    self.nested[{i}][{c}] = Level({q})",
    "for {i} in Color:\n    self.tight.append({i})",
    "for {i} in {s}:\n    self.seen.add({i})",
    "for {i} in {s}:\n    self.few.add(({i}, Level({q})))",
    "for {i} in Node:\n    self.owed[{i}].add({x})",
    "for {i} in self.groups:\n    self.seen |= {i}",
    "{i}: set[Node] = set()\n{i}.add({x})\nself.seen = {i} - {s}",
    "{i} = {q}\nfor {j} in {l}:\n    {i} += {j} * {q}\nself.top = Level({i})",
    "self.log = [Level({i}) for {i} in {l} if quotient({q}, {i}) > 0]",
)
_VARIABLE = re.compile(r"(?:\{me\}|\bself)\.(\w+)\b(?!\()")
PERCENT = 25
"""How often an operand that the other writers draw comes from a template."""
DEPTH = 2


class _Parts:
    """What the letters of a template stand for: a new operand at every place, but for the names."""

    def __init__(self, draw: Callable[[str], str], **names: str) -> None:
        self._draw, self._names = draw, names

    def __getitem__(self, letter: str) -> str:
        return self._names.get(letter) or self._draw(letter)


class Hazards(Constructs):
    """Puts templates wherever another writer has a number, a condition, a node, a color, a set of nodes or a statement."""

    def operand(self, s: Any, letter: str, depth: int) -> str:
        """An expression of the kind that a letter names."""
        plain = self._plain(s, letter)
        options = [template for template in TEMPLATES[letter] if depth > 0 and self._fits(s, template)]
        if plain and (not options or self.chance(40)):
            return self.pick(plain)
        return self._filled(s, self.pick(options), depth - 1)

    def _filled(self, s: Any, template: str, depth: int) -> str:
        names = {"me": s.owner, "i": self.name("i"), "j": self.name("j")}
        return template.format_map(_Parts(lambda letter: self.operand(s, letter, depth), **names))  # type: ignore[arg-type]

    def _fits(self, s: Any, template: str) -> bool:
        """Whether the spec has what a template mentions."""
        return all(s.has(name) or (name == "wire" and s.wire) for name in _VARIABLE.findall(template)) and (
            "{x}" not in template or self._plain(s, "x") != []
        )

    def _plain(self, s: Any, letter: str) -> list[str]:
        """What cannot fail."""
        nodes = [*s.nodes, *(f"{note}.source" for note in s.notes)]
        power = 1 << int(self.pick([str(edge) for edge in EDGES]))
        own = {
            "n": [f"({sign}{power + more})" for sign in ("", "-") for more in (-1, 0, 1)],
            "q": ["0", "1", "2", "-1", *(f"{s.owner}.{name}" for name in ("top", "debt") if s.has(name))],
            "b": ["True", "False", *([f"{s.owner}.flag"] if s.has("flag") else [])],
            "x": nodes,
            "r": s.ranks or ["Rank[0]", "Rank[1]"],
            "c": ["Color.RED", "Color.BLUE", *([f"{s.owner}.mode"] if s.has("mode") else [])],
            "o": ["node(None)", *(f"node({node})" for node in nodes)],
            "k": ["odd(1)", "odd(2)"],
            "u": ["message(None)", *(f"message({note})" for note in s.notes)],
            "l": ["[Level(1), Level(0)]", *([f"{s.owner}.log"] if s.has("log") else [])],
            "s": ["set(Node)", *([f"{s.owner}.seen"] if s.has("seen") else [])],
        }
        return own[letter]

    # What other writers draw

    def number(self, s: Any, depth: int = 2) -> str:
        return self.operand(s, "q", min(depth, 1) + 1) if self.chance(PERCENT) else super().number(s, depth)

    def truth(self, s: Any, depth: int = 2) -> str:
        return self.operand(s, "b", DEPTH) if self.chance(PERCENT) else super().truth(s, depth)

    def node(self, s: Any, depth: int = 2) -> str | None:
        plain = super().node(s, depth)
        return self.operand(s, "x", 1) if plain and self.chance(PERCENT // 3) else plain

    def color(self, s: Any) -> str:
        return self.operand(s, "c", 1) if self._plain(s, "x") and self.chance(PERCENT // 3) else super().color(s)

    def nodes(self, s: Any, depth: int = 2) -> str:
        return self.operand(s, "s", DEPTH) if self.chance(PERCENT) else super().nodes(s, depth)

    def statement(self, s: Any, depth: int = 1) -> list[str]:
        options = [template for template in STATEMENTS if self._fits(s, template)]
        if options and self.chance(60):
            return self._filled(s, self.pick(options), DEPTH).split("\n")
        return super().statement(s, depth)
